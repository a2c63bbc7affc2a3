"""Payments are those of the result, their files come out again to the byte, and banks said what was recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import date, datetime

from settlement.bank_details.model import BankAccount
from settlement.defaults.model import Reduction
from settlement.evidence.checks import defaults
from settlement.evidence.model import Difference
from settlement.evidence.reading import Pack, Row
from settlement.payments.answers import said
from settlement.payments.formats.registry import FORMATS
from settlement.payments.model import NEXT, AttemptState, Instruction, Leg, Party, PaymentOrder
from settlement.payments.reading.model import Unreadable
from settlement.payments.reading.registry import read
from settlement.payments.rules import end_to_end_id, legs_of, message_id, settlement_state
from settlement.run.canonical import digest_of, parsed
from settlement.run.life import INSTRUCTED

Account = tuple[str, str, int]
"""Participant, currency, version."""


def legs(pack: Pack) -> Iterator[Difference]:
    """What is paid is what the result asks for, once it was instructed."""
    manifest, _ = pack.manifest()
    window = pack.document("window.json")
    asked = legs_of(parsed(pack.content("result.json").decode(), date.fromisoformat(window["closed_on"])))
    expected = {leg.leg_no: leg for leg in asked} if manifest.state in INSTRUCTED else {}
    for row in pack.rows("payments.csv"):
        leg, found = expected.pop(row.whole("leg_no"), None), _leg(row)
        if leg is None:
            yield row.differs("leg_no", found.leg_no, "a payment of the result")
            continue
        for column in Leg._fields:
            if getattr(found, column) != getattr(leg, column):
                yield row.differs(column, getattr(found, column), f"{getattr(leg, column)} as the result asks")
    for leg in expected.values():
        yield Difference("payments.csv", 0, f"leg {leg.leg_no}", "missing", f"{leg.minor_units} as the result asks")


def files(pack: Pack) -> Iterator[Difference]:
    """Every file is made again from payments and accounts; count and sum are its own."""
    window, digest = pack.document("window.json"), digest_of(pack.content("result.json"))
    number = int(window["window"].removeprefix("windows/"))
    legs_by_no = {row.whole("leg_no"): _leg(row) for row in pack.rows("payments.csv")}
    less = defaults.reductions(pack)
    accounts = {_key(row): _account(row) for row in pack.rows("accounts.csv")}
    attempts = list(pack.rows("attempts.csv"))
    for row in attempts:
        leg = legs_by_no.get(row.whole("leg_no"))
        expected = end_to_end_id(number, digest, leg, row.whole("attempt")) if leg else "the name of a payment"
        if row.text("end_to_end_id") != expected:
            yield row.differs("end_to_end_id", row.text("end_to_end_id"), expected)
    for row in pack.rows("files.csv"):
        own = [one for one in attempts if one.text("message_id") == row.text("message_id")]
        name = message_id(number, digest, row.text("currency"), row.whole("batch_no"))
        if row.text("message_id") != name:
            yield row.differs("message_id", row.text("message_id"), name)
        asked = [_asked(legs_by_no[one.whole("leg_no")], one.whole("attempt"), less) for one in own]
        order = _order(row, own, number, window["operator"], {leg.leg_no: leg for leg in asked}, accounts)
        yield from _file(pack, row, order)


def _file(pack: Pack, row: Row, order: PaymentOrder) -> Iterator[Difference]:
    for column, expected in (("payments", order.count), ("control_sum", order.control_sum)):
        if row.whole(column) != expected:
            yield row.differs(column, row.whole(column), f"{expected} as its payments come to")
    chosen = FORMATS[row.text("format")]
    name = f"files/{order.message_id}.{chosen.suffix}"
    content = pack.content(name)
    again = chosen.render(order)
    if hashlib.sha256(content).hexdigest() != row.text("sha256"):
        yield Difference(name, 0, "sha256", hashlib.sha256(content).hexdigest(), f"{row.text('sha256')} as exported")
    if content != again:
        at = next((place for place, pair in enumerate(zip(content, again, strict=False)) if pair[0] != pair[1]), 0)
        yield Difference(name, 0, f"byte {at}", repr(content[at : at + 40]), repr(again[at : at + 40]))


def _order(
    row: Row,
    own: list[Row],
    number: int,
    operator: str,
    legs_by_no: dict[int, Leg],
    accounts: dict[Account, BankAccount],
) -> PaymentOrder:
    code = row.text("currency")

    def party(name: str, version: int) -> Party:
        return Party(name, accounts[name, code, version])

    found = [(one, legs_by_no[one.whole("leg_no")]) for one in own]
    instructions = [
        Instruction(
            one.text("end_to_end_id"),
            leg,
            one.whole("attempt"),
            party(leg.payer, one.whole("payer_version")),
            party(leg.payee, one.whole("payee_version")),
        )
        for one, leg in sorted(found, key=lambda pair: pair[1].leg_no)
    ]
    return PaymentOrder(
        message_id=row.text("message_id"),
        window_no=number,
        currency=code,
        batch_no=row.whole("batch_no"),
        created_at=row.as_("created_at", datetime.fromisoformat),
        execution_date=row.as_("execution_date", date.fromisoformat),
        operator=party(operator, row.whole("operator_version")),
        instructions=instructions,
    )


def events(pack: Pack) -> Iterator[Difference]:
    """Every attempt's states follow as they may, and how they ended is how far the run is."""
    manifest, _ = pack.manifest()
    state: dict[str, AttemptState] = {}
    for row in pack.rows("events.csv"):
        name, before = row.text("end_to_end_id"), row.as_("from_state", AttemptState)
        expected, after = state.get(name, AttemptState.CREATED), row.as_("to_state", AttemptState)
        if before is not expected:
            yield row.differs("from_state", before, expected)
        if after not in NEXT[before]:
            yield row.differs("to_state", after, f"a state that follows {before}")
        state[name] = after
    newest: dict[int, AttemptState] = {}
    for row in pack.rows("attempts.csv"):
        newest[row.whole("leg_no")] = state.get(row.text("end_to_end_id"), AttemptState.CREATED)
    reached = settlement_state(list((newest | defaults.states(pack)).values()))
    if manifest.state in INSTRUCTED and reached != manifest.state:
        yield Difference("manifest.json", 0, "state", manifest.state, f"{reached}, as its payments are")


def answers(pack: Pack) -> Iterator[Difference]:
    """Every message is the one it is named after, and read again its lines say what was recorded."""
    recorded: dict[str, list[Row]] = {}
    for row in pack.rows("lines.csv"):
        recorded.setdefault(row.text("sha256"), []).append(row)
    for row in pack.rows("messages.csv"):
        sha256 = row.text("sha256")
        name = f"bank/{sha256}.xml"
        content = pack.content(name)
        if hashlib.sha256(content).hexdigest() != sha256:
            yield Difference(name, 0, "sha256", hashlib.sha256(content).hexdigest(), sha256)
        try:
            lines = read(content).lines
        except Unreadable as unreadable:
            yield Difference(name, 0, "", str(unreadable), "a bank's message")
            continue
        own = recorded.pop(sha256, [])
        if len(own) != len(lines):
            yield Difference("lines.csv", 0, sha256, f"{len(own)} lines", f"{len(lines)} as {name} has")
        for line, kept in zip(lines, own, strict=False):
            if kept.text("said") != said(line):
                yield kept.differs("said", kept.text("said"), said(line))


def _leg(row: Row) -> Leg:
    return Leg(
        row.whole("leg_no"), row.text("currency"), row.text("payer"), row.text("payee"), row.whole("minor_units")
    )


def _asked(leg: Leg, attempt: int, less: Sequence[Reduction]) -> Leg:
    """What an attempt asks for: the leg, less what its payee bore of defaults by then."""
    borne = sum(one.minor_units for one in less if one.leg_no == leg.leg_no and one.from_attempt <= attempt)
    return leg._replace(minor_units=leg.minor_units - borne)


def _key(row: Row) -> Account:
    return row.text("participant"), row.text("currency"), row.whole("version")


def _account(row: Row) -> BankAccount:
    return BankAccount(**{field.name: row.text(field.name) for field in fields(BankAccount)})
