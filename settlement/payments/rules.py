"""Which payments a run asks for, and what they are called. Pure: the same run gives the same names, for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from exchange.money.currencies import micros_per_minor
from settlement.payments.model import DONE, AttemptState, Leg, PaymentOrder
from settlement.refusals import ExecutionDateOver
from settlement.run.model import Adjusted, CurrencyResult, ExchangeLeg, ResidueFigures

ID_CHARS_MAX = 35
"""What ISO 20022 gives an identification."""
_TAG_CHARS = 12


def legs_of(result: Sequence[CurrencyResult]) -> list[Leg]:
    """The payments of a run, numbered 1, 2, 3 … in the order of its result."""
    payments = [(one.currency, payment) for one in result for payment in one.payments]
    return [
        Leg(number, currency, payment.payer, payment.payee, payment.amount)
        for number, (currency, payment) in enumerate(payments, start=1)
    ]


def end_to_end_id(window_no: int, digest: str, leg: Leg, attempt: int) -> str:
    """What names an attempt to every bank on its way: window, leg and attempt, bound to the approved result.

    `digest` is the approved run's: another result of the same window never shares a name with this one.
    """
    tag = _tag(digest, leg.currency, leg.payer, leg.payee, str(attempt))
    return _fitting(f"W{window_no}-{leg.leg_no}-{attempt}-{tag}")


def message_id(window_no: int, digest: str, currency: str, batch_no: int) -> str:
    """What names a file to the bank."""
    return _fitting(f"W{window_no}-{currency}-{batch_no}-{_tag(digest, currency, str(batch_no))}")


def blocks_of(order: PaymentOrder) -> dict[str, str]:
    """The debtors' blocks of a file by payer, in their order: payments into the clearing account before those out.

    Each is named after its file, with a dot that no file's own name has.
    """
    operator = order.operator.participant
    payers = sorted({item.leg.payer for item in order.instructions}, key=lambda payer: (payer == operator, payer))
    return {payer: _fitting(f"{order.message_id}.{number}") for number, payer in enumerate(payers, start=1)}


def require_to_come(execution_date: date | None, today: date) -> None:
    """A file is written once and for ever: a year mistyped would instruct the bank to have paid long ago.

    Args:
        execution_date: when the bank is asked to pay; None: nobody said.
        today: by the coalition's clock.

    Raises:
        ExecutionDateOver: that day is over.
    """
    if execution_date is not None and execution_date < today:
        raise ExecutionDateOver(execution_date=execution_date.isoformat(), today=today.isoformat())


class Booked(NamedTuple):
    """A bank booked an attempt, SETTLED, or gave it back, RETURNED; minor units."""

    end_to_end_id: str
    state: AttemptState
    currency: str
    payer: str
    payee: str
    minor_units: int


class Ended(NamedTuple):
    """So much less is owed by the debtor to the creditor, micro-units, because of `source`."""

    source: str
    debtor: str
    creditor: str
    currency: str
    micros: int


def ended_by_payment(booked: Sequence[Booked]) -> list[Ended]:
    """Which debts bookings ended; what a bank gave back is owed again."""
    found = []
    for one in booked:
        micros = one.minor_units * micros_per_minor(one.currency)
        if one.state is AttemptState.SETTLED:
            found.append(Ended(f"payments/{one.end_to_end_id}", one.payer, one.payee, one.currency, micros))
        elif one.state is AttemptState.RETURNED:
            found.append(Ended(f"returns/{one.end_to_end_id}", one.payee, one.payer, one.currency, micros))
    return found


def ended_by_rounding(window_no: int, currency: str, residue: Sequence[ResidueFigures]) -> list[Ended]:
    """Which debts the one rounding of a window ended: nobody is ever asked for them again."""
    return [Ended(f"rounding/{window_no}", one.debtor, one.creditor, currency, one.micros) for one in residue]


def ended_by_conversion(window_no: int, currency: str, legs: Sequence[ExchangeLeg]) -> list[Ended]:
    """What conversion ended in a currency: a leg owed to somebody is so much less that it owes, and the other way."""
    unit = micros_per_minor(currency)
    return [
        Ended(
            f"conversion/{window_no}/{leg.other_currency}/{leg.because}",
            leg.creditor,
            leg.debtor,
            currency,
            leg.amount * unit,
        )
        for leg in legs
    ]


def ended_by_adjustment(adjustments: Sequence[Adjusted]) -> list[Ended]:
    """What adjustments change of what is owed: that somebody owes more is that so much less is owed to him."""
    return [
        Ended(
            f"settlementAdjustments/{one.adjustment}",
            one.creditor,
            one.debtor,
            one.currency,
            one.amount * micros_per_minor(one.currency),
        )
        for one in adjustments
    ]


class StoodIn(NamedTuple):
    """What became of a defaulter's payments in one currency, all of which others stand in for; minor units.

    Attributes:
        default_id: the proposal that declared it.
        currency: ISO 4217 code.
        legs: the payments.
        claimed: what others bear of them.
        recovered: what came back, by the proposal that booked it.
        written_off: what is claimed no more, by the proposal that said so.
        revived: what of that came back all the same, by the proposal that booked it.
    """

    default_id: UUID
    currency: str
    legs: Sequence[Leg]
    claimed: int
    recovered: Mapping[UUID, int]
    written_off: Mapping[UUID, int]
    revived: Mapping[UUID, int]


def ended_by_default(defaulter: str, operator: str, stood_in: Sequence[StoodIn]) -> list[Ended]:
    """What the defaulter owes no more to those it was to pay, and what it owes instead: the claim, to the operator.

    What its own money covered is in neither, and what came back of the claim, or is claimed no more, has ended too.
    """
    found = []
    for one in stood_in:
        unit, named = micros_per_minor(one.currency), f"{one.default_id}/{one.currency}"
        found += [
            Ended(f"defaults/{named}/{leg.leg_no}", defaulter, leg.payee, one.currency, leg.minor_units * unit)
            for leg in one.legs
        ]
        if defaulter == operator:
            continue
        if one.claimed:
            found.append(Ended(f"claims/{named}", operator, defaulter, one.currency, one.claimed * unit))
        for source, ended, debtor, creditor in (
            ("recoveries", one.recovered, defaulter, operator),
            ("writeOffs", one.written_off, defaulter, operator),
            ("revivals", one.revived, operator, defaulter),
        ):
            found += [
                Ended(f"{source}/{proposal}", debtor, creditor, one.currency, amount * unit)
                for proposal, amount in sorted(ended.items())
            ]
    return found


class PaidLess(NamedTuple):
    """By how much a payment is smaller, because whom it is to bears a part of a default: `leg` says by how much.

    Of what the defaulter was to pay its creditor itself, or the operator keeps, there is no other payer than it.
    """

    default_id: UUID
    defaulter: str
    leg: Leg


def ended_by_bearing(less: Iterable[PaidLess]) -> list[Ended]:
    """What payers other than the defaulter owe no more; what the defaulter was to pay ends when it is covered."""
    return [
        Ended(
            f"reductions/{one.default_id}/{one.leg.currency}/{one.leg.leg_no}",
            one.leg.payer,
            one.leg.payee,
            one.leg.currency,
            one.leg.minor_units * micros_per_minor(one.leg.currency),
        )
        for one in less
        if one.leg.payer != one.defaulter
    ]


def settlement_state(states: Sequence[AttemptState]) -> str:
    """How far a run is whose legs are in these states; without legs it is settled at once."""
    settled = sum(state in DONE for state in states)
    if settled == len(states):
        return "SETTLED"
    return "PARTIALLY_SETTLED" if settled else "INSTRUCTED"


def _tag(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:_TAG_CHARS].upper()


def _fitting(name: str) -> str:
    assert len(name) <= ID_CHARS_MAX, f"{name} is longer than the {ID_CHARS_MAX} signs a bank takes"
    return name
