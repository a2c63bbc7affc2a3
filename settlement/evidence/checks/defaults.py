"""Defaults on the window's run: who stood in and who was repaid is as approved, by the rules, and as posted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import zip_longest
from typing import NamedTuple
from uuid import UUID

from settlement.defaults import rules
from settlement.defaults.content import declaration_of, plain_posting, recovery_of, write_off_of
from settlement.defaults.model import Claim, DefaultDeclaration, DefaultRecovery, Layer, Reduction, Waterfall
from settlement.defaults.write_off_model import DefaultWriteOff
from settlement.evidence.model import Difference
from settlement.evidence.reading import Pack, Row
from settlement.funds.model import Posting
from settlement.payments.model import AttemptState, Leg
from settlement.payments.rules import legs_of
from settlement.run.canonical import parsed

DEFAULTS, PAYMENTS, RECOVERIES = "defaults.csv", "defaulted_payments.csv", "recoveries.csv"
WRITE_OFFS = "write_offs.csv"
POSTINGS = "default_postings.csv"
Key = tuple[str, str]
"""A default by its proposal, and a currency."""


class Declared(NamedTuple):
    """A default as it was approved, with the line that says so."""

    row: Row
    declaration: DefaultDeclaration


class Recovered(NamedTuple):
    """A recovery as it was approved, with the line that says so."""

    row: Row
    recovery: DefaultRecovery

    @property
    def key(self) -> Key:
        """What it is of."""
        return self.row.text("default_id"), self.recovery.currency


class GivenUp(NamedTuple):
    """A write-off as it was approved, with the line that says so."""

    row: Row
    write_off: DefaultWriteOff

    @property
    def key(self) -> Key:
        """What it is of."""
        return self.row.text("default_id"), self.write_off.currency


def check(pack: Pack) -> Iterator[Difference]:
    """Digests, persons, waterfalls, the order of repayment, and every line of the book they made."""
    if DEFAULTS not in pack.names():
        return
    declared, recovered = _declared(pack), _recovered(pack)
    asked = _asked(pack) if any(fall.reductions for one in declared for fall in one.declaration.waterfalls) else {}
    posted: dict[str, list[Row]] = {}
    for row in pack.rows(POSTINGS):
        posted.setdefault(row.text("proposal_id"), []).append(row)
    for one in declared:
        yield from _approved(one.row)
        yield from _of_the_run(pack, one)
        for fall in one.declaration.waterfalls:
            yield from _fall(pack, one, fall)
            yield from _borne(one.row, fall, asked)
        yield from _lines(one.row, one.declaration.postings, posted.pop(one.row.text("proposal_id"), []))
    claims = _claims(declared)
    operator = pack.document("window.json")["operator"]
    since = {name: place for place, name in enumerate(posted)}
    later: list[Recovered | GivenUp] = [*recovered, *_given_up(pack)]
    for one_later in sorted(later, key=lambda one: since.get(one.row.text("proposal_id"), len(since))):
        yield from _approved(one_later.row)
        if isinstance(one_later, Recovered):
            yield from _repaid(one_later, claims, operator)
            postings = one_later.recovery.postings
        else:
            yield from _lost(one_later, claims)
            postings = one_later.write_off.postings
        yield from _lines(one_later.row, postings, posted.pop(one_later.row.text("proposal_id"), []))
    for rows in posted.values():
        for row in rows:
            yield row.differs("proposal_id", row.text("proposal_id"), "a default or a recovery")


def states(pack: Pack) -> dict[int, AttemptState]:
    """Payments others stand in for, by number: wholly or not; and those whose payees bear all of them."""
    if DEFAULTS not in pack.names():
        return {}
    claims = _claims(_declared(pack))
    for back in _recovered(pack):
        claim = claims[back.key]
        claims[back.key] = replace(claim, stakes=rules.repaid(claim.stakes, back.recovery.minor_units))
    borne: dict[int, int] = {}
    for less in reductions(pack):
        borne[less.leg_no] = borne.get(less.leg_no, 0) + less.minor_units
    asked = _asked(pack) if borne else {}
    wholly = {number: AttemptState.BORNE for number, amount in borne.items() if amount == asked[number].minor_units}
    return wholly | {
        row.whole("leg_no"): AttemptState.UNCOVERED
        if claims[row.text("proposal_id"), row.text("currency")].missing
        else AttemptState.COVERED
        for row in pack.rows(PAYMENTS)
    }


def reductions(pack: Pack) -> list[Reduction]:
    """What payments are made smaller by, as it was approved."""
    if DEFAULTS not in pack.names():
        return []
    return [less for one in _declared(pack) for fall in one.declaration.waterfalls for less in fall.reductions or ()]


def _asked(pack: Pack) -> dict[int, Leg]:
    """What the result asks for, by number."""
    closed_on = date.fromisoformat(pack.document("window.json")["closed_on"])
    return {leg.leg_no: leg for leg in legs_of(parsed(pack.content("result.json").decode(), closed_on))}


def _borne(row: Row, fall: Waterfall, asked: Mapping[int, Leg]) -> Iterator[Difference]:
    """What creditors bear is what their payments are smaller by, and none bears more than its share to the unit."""
    by_name: dict[str, int] = {}
    for less in fall.reductions or ():
        leg = asked.get(less.leg_no)
        if leg is None or (leg.currency, leg.payee) != (fall.currency, less.participant):
            yield row.differs("content", less, f"a payment of {fall.currency} to {less.participant}")
        elif less.minor_units > leg.minor_units:
            yield row.differs("content", less, f"at most {leg.minor_units}, what is paid")
        by_name[less.participant] = by_name.get(less.participant, 0) + less.minor_units
    for name, amount in by_name.items():
        if fall.allocated.get(name) != amount:
            yield row.differs("content", f"{fall.allocated.get(name)} of {name}", f"{amount}, what it is paid less")
    without = {*fall.borne} - {*by_name}
    if len(without) > 1:
        yield row.differs("content", sorted(without), "payments that are smaller")


def _declared(pack: Pack) -> list[Declared]:
    return [Declared(row, declaration_of(json.loads(row.text("content")))) for row in pack.rows(DEFAULTS)]


def _recovered(pack: Pack) -> list[Recovered]:
    return [Recovered(row, recovery_of(json.loads(row.text("content")))) for row in pack.rows(RECOVERIES)]


def _given_up(pack: Pack) -> list[GivenUp]:
    if WRITE_OFFS not in pack.names():
        return []
    return [GivenUp(row, write_off_of(json.loads(row.text("content")))) for row in pack.rows(WRITE_OFFS)]


def _claims(declared: Sequence[Declared]) -> dict[Key, Claim]:
    return {
        (one.row.text("proposal_id"), fall.currency): Claim(
            UUID(one.row.text("proposal_id")),
            one.declaration.participant,
            one.declaration.window_no,
            fall.currency,
            fall.loss,
            rules.stakes_of(fall, one.declaration.participant),
        )
        for one in declared
        for fall in one.declaration.waterfalls
    }


def _approved(row: Row) -> Iterator[Difference]:
    digest = hashlib.sha256(row.text("content").encode()).hexdigest()
    if digest != row.text("digest"):
        yield row.differs("content", digest, f"{row.text('digest')} as it was approved")
    if row.text("proposed_person") == row.text("decided_person"):
        yield row.differs("decided_person", row.text("decided_person"), "somebody else than who proposed it")


def _of_the_run(pack: Pack, one: Declared) -> Iterator[Difference]:
    row, declaration = one
    manifest, _ = pack.manifest()
    digests = {run.text("run_id"): run.text("digest") for run in pack.rows("runs.csv")}
    figures = (
        ("participant", row.text("participant"), declaration.participant),
        ("content", declaration.window_no, manifest.window_no),
        ("content", declaration.result_digest, digests.get(row.text("run_id"))),
    )
    for column, found, expected in figures:
        if found != expected:
            yield row.differs(column, found, expected)
    known = {fall.currency for fall in declaration.waterfalls}
    for leg in pack.rows(PAYMENTS):
        if leg.text("proposal_id") != row.text("proposal_id"):
            continue
        if leg.text("payer") != declaration.participant:
            yield leg.differs("payer", leg.text("payer"), declaration.participant)
        if leg.text("currency") not in known:
            yield leg.differs("currency", leg.text("currency"), "a currency of the default")


def _fall(pack: Pack, one: Declared, fall: Waterfall) -> Iterator[Difference]:
    """The loss is what was to be paid, and is borne layer by layer, each before the next."""
    row = one.row
    unpaid = sum(
        leg.whole("minor_units")
        for leg in pack.rows(PAYMENTS)
        if (leg.text("proposal_id"), leg.text("currency")) == (row.text("proposal_id"), fall.currency)
    )
    if unpaid != fall.loss:
        yield row.differs("content", fall.loss, f"{unpaid}, what {PAYMENTS} comes to in {fall.currency}")
    left = fall.loss
    others = {take.participant: take.at_most for take in fall.takes if take.layer is Layer.OTHERS_GUARANTEE}
    own = [take for take in fall.takes if take.layer is not Layer.OTHERS_GUARANTEE]
    expected: dict[tuple[Layer, str], int] = {}
    for take in own:
        expected[take.layer, take.participant] = min(left, take.at_most)
        left -= expected[take.layer, take.participant]
    shares = rules.shared(left, others)
    expected |= {(Layer.OTHERS_GUARANTEE, name): share for name, share in shares.items()}
    for take in fall.takes:
        if take.taken != expected[take.layer, take.participant]:
            figure = f"{take.taken} of {take.layer} {take.participant}"
            yield row.differs("content", figure, expected[take.layer, take.participant])
    rest = fall.loss - sum(expected.values())
    if sum(fall.allocated.values()) + fall.open != rest:
        yield row.differs("content", sum(fall.allocated.values()) + fall.open, f"{rest}, what no layer held")


def _repaid(back: Recovered, claims: dict[Key, Claim], operator: str) -> Iterator[Difference]:
    """By what was claimed then, whoever stood in last first; what is claimed is less from then on."""
    row, recovery = back
    for column, found in (
        ("currency", recovery.currency),
        ("minor_units", str(recovery.minor_units)),
        ("reference", recovery.reference),
        ("value_date", recovery.value_date.isoformat()),
    ):
        if row.text(column) != found:
            yield row.differs(column, row.text(column), f"{found} as it was approved")
    claim = claims.get(back.key)
    if claim is None or recovery.minor_units > claim.remaining + claim.written_off:
        remaining = claim.remaining + claim.written_off if claim else "nothing"
        yield row.differs("minor_units", recovery.minor_units, f"at most {remaining}, what was claimed")
        return
    if recovery.claimed != claim.remaining:
        yield row.differs("content", recovery.claimed, f"{claim.remaining}, what was claimed")
    expected = rules.repayments(claim, recovery.minor_units, operator)
    if list(recovery.postings) != expected:
        yield row.differs("content", recovery.postings, f"{expected}, in the order they are repaid")
    if list(recovery.revived) != (again := rules.revived(claim, recovery.minor_units)):
        yield row.differs("content", recovery.revived, f"{again}, what had been written off")
    claims[back.key] = replace(claim, stakes=rules.repaid(claim.stakes, recovery.minor_units))


def _lost(given_up: GivenUp, claims: dict[Key, Claim]) -> Iterator[Difference]:
    """By what was claimed then, whoever would be repaid last first; so much less is claimed from then on."""
    row, write_off = given_up
    for column, found in (("currency", write_off.currency), ("minor_units", str(write_off.minor_units))):
        if row.text(column) != found:
            yield row.differs(column, row.text(column), f"{found} as it was approved")
    claim = claims.get(given_up.key)
    if claim is None or write_off.minor_units > claim.remaining - claim.missing:
        borne = claim.remaining - claim.missing if claim else "nothing"
        yield row.differs("minor_units", write_off.minor_units, f"at most {borne}, what was claimed and borne")
        return
    if write_off.claimed != claim.remaining:
        yield row.differs("content", write_off.claimed, f"{claim.remaining}, what was claimed")
    expected = rules.given_up(claim.stakes, write_off.minor_units)
    if list(write_off.losses) != expected:
        yield row.differs("content", write_off.losses, f"{expected}, whoever is repaid last first")
    claims[given_up.key] = replace(claim, stakes=rules.without_losses(claim.stakes, expected))


def _lines(approved: Row, postings: Sequence[Posting], rows: Sequence[Row]) -> Iterator[Difference]:
    for number, (posting, row) in enumerate(zip_longest(postings, rows), start=1):
        if row is None:
            yield approved.differs("content", "a posting", f"line {number} of it in {POSTINGS}")
            continue
        if posting is None:
            yield row.differs("line_no", row.text("line_no"), "a posting that was approved")
            continue
        expected = {"line_no": number, **plain_posting(posting)}
        for column, value in expected.items():
            if row.text(column) != str(value):
                yield row.differs(column, row.text(column), f"{value} as it was approved")
