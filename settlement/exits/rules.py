"""Facts to findings: what is left between a participant and the coalition. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from settlement.defaults.model import Claim
from settlement.exits.model import NAMED, Finding, Subject, Unit
from settlement.funds.model import AT_BANK, NOTES, Book
from settlement.run.model import CurrencyResult


class Owed(NamedTuple):
    """Somebody owes somebody in a window that no run has netted, micro-units."""

    window_no: int
    currency: str
    debtor: str
    creditor: str
    micros: int


class Unpaid(NamedTuple):
    """A payment of a run that no bank has booked, minor units."""

    window_no: int
    currency: str
    payer: str
    payee: str
    amount: int


class Unended(NamedTuple):
    """A dispute that has not ended, minor units; one side says that the debtor does not owe so much."""

    name: str
    currency: str
    debtor: str
    creditor: str
    amount: int


class Awaiting(NamedTuple):
    """An adjustment in a window that no run has netted, minor units."""

    name: str
    window_no: int
    currency: str
    debtor: str
    creditor: str
    amount: int


class Points(NamedTuple):
    """Points that members hold, with who issued and who paid for them."""

    currency: str
    issuer: str
    funder: str
    units: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything there is between participants, as of one instant.

    Attributes:
        suspended: whether the one who leaves is.
        owed: obligations that no run has netted.
        newest: the newest run's result: what it carries and holds.
        newest_window: its window; 0 when there is none.
        unpaid: payments no bank has booked.
        disputes: those that have not ended.
        adjustments: those that wait for the run of their window.
        claims: what is or was claimed of defaulters.
        waiting: names of proposals about its money that nobody has decided on.
        book: the funds.
        points: what members hold.
    """

    suspended: bool
    owed: Sequence[Owed]
    newest: Sequence[CurrencyResult]
    newest_window: int
    unpaid: Sequence[Unpaid]
    disputes: Sequence[Unended]
    adjustments: Sequence[Awaiting]
    claims: Sequence[Claim]
    waiting: Sequence[str]
    book: Book
    points: Sequence[Points]


def findings(name: str, facts: Facts) -> list[Finding]:
    """What is left of a participant, by subject; nothing is left when it is empty."""
    return [
        *([] if facts.suspended else [Finding(Subject.BUSINESS, "is active", "", 1, Unit.YES)]),
        *_owed(name, facts.owed),
        *_items(name, facts),
        *_unpaid(name, facts.unpaid),
        *_disputes(name, facts.disputes),
        *_adjustments(name, facts.adjustments),
        *_claimed(name, facts.claims),
        *(Finding(Subject.PROPOSALS, proposal, "", 1, Unit.ITEMS) for proposal in sorted(facts.waiting)),
        *(
            Finding(Subject.FUNDS, account.purpose.lower(), currency, amount, Unit.MINOR_UNITS)
            for (currency, account), amount in sorted(facts.book.items())
            if account.participant == name and account.purpose not in AT_BANK | NOTES and amount
        ),
        *_points(name, facts.points),
    ]


def names(found: Iterable[Finding]) -> list[str]:
    """The names of what has one, in order."""
    return [one.what.partition(" ")[0] for one in found if one.subject in NAMED]


def not_waived(found: Iterable[Finding], waivers: Mapping[Subject, str]) -> list[Finding]:
    """What is left without a reason."""
    return [one for one in found if one.subject not in waivers]


def _owed(name: str, owed: Iterable[Owed]) -> Iterator[Finding]:
    for one in sorted(owed):
        if one.micros and name in (one.debtor, one.creditor):
            what = f"windows/{one.window_no} {_way(name, one.debtor, one.creditor)}"
            yield Finding(Subject.OBLIGATIONS, what, one.currency, one.micros, Unit.MICROS)


def _items(name: str, facts: Facts) -> Iterator[Finding]:
    for subject in (Subject.CARRIED, Subject.HELD):
        for one in facts.newest:
            for item in one.carried if subject is Subject.CARRIED else one.held_items:
                if name in (item.debtor, item.creditor):
                    way = _way(name, item.debtor, item.creditor)
                    what = f"windows/{facts.newest_window} {way} since windows/{item.since_window}"
                    yield Finding(subject, what, one.currency, item.amount, Unit.MINOR_UNITS)


def _unpaid(name: str, unpaid: Iterable[Unpaid]) -> Iterator[Finding]:
    for one in sorted(unpaid):
        if name in (one.payer, one.payee):
            way = f"pays {one.payee}" if one.payer == name else f"is paid by {one.payer}"
            what = f"windows/{one.window_no} {way}"
            yield Finding(Subject.PAYMENTS, what, one.currency, one.amount, Unit.MINOR_UNITS)


def _disputes(name: str, disputes: Iterable[Unended]) -> Iterator[Finding]:
    for one in disputes:
        if name in (one.debtor, one.creditor):
            what = f"{one.name} of what {one.debtor} owes {one.creditor}"
            yield Finding(Subject.DISPUTES, what, one.currency, one.amount, Unit.MINOR_UNITS)


def _adjustments(name: str, adjustments: Iterable[Awaiting]) -> Iterator[Finding]:
    for one in adjustments:
        if name in (one.debtor, one.creditor):
            what = f"{one.name} windows/{one.window_no} {_way(name, one.debtor, one.creditor)}"
            yield Finding(Subject.ADJUSTMENTS, what, one.currency, one.amount, Unit.MINOR_UNITS)


def _way(name: str, debtor: str, creditor: str) -> str:
    return f"owes {creditor}" if debtor == name else f"is owed by {debtor}"


def _claimed(name: str, claims: Iterable[Claim]) -> Iterator[Finding]:
    """What a defaulter still owes those who stood in for it, and what has not come back to one of them."""
    for one in claims:
        if one.participant == name and one.remaining:
            what = f"windows/{one.window_no} default, still claimed"
            yield Finding(Subject.PAYMENTS, what, one.currency, one.remaining, Unit.MINOR_UNITS)
            continue
        for stake in one.stakes:
            if stake.participant == name and stake.left:
                what = f"windows/{one.window_no} default of {one.participant}, not repaid"
                yield Finding(Subject.PAYMENTS, what, one.currency, stake.left, Unit.MINOR_UNITS)


def _points(name: str, points: Iterable[Points]) -> Iterator[Finding]:
    issued: dict[str, int] = {}
    funded: dict[tuple[str, str], int] = {}
    for one in points:
        if one.issuer == name:
            issued[one.currency] = issued.get(one.currency, 0) + one.units
        elif one.funder == name:
            funded[one.currency, one.issuer] = funded.get((one.currency, one.issuer), 0) + one.units
    for currency, units in sorted(issued.items()):
        if units:
            yield Finding(Subject.POINTS_ISSUED, "members hold", currency, units, Unit.POINTS)
    for (currency, issuer), units in sorted(funded.items()):
        if units:
            yield Finding(Subject.POINTS_FUNDED, f"members hold of {issuer}", currency, units, Unit.POINTS)
