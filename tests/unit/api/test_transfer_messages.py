"""A transfer's bytes are those protobuf's own library would have written, field by field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exchange.api.transfers_out import to_message
from exchange.callers import Caller, CallerRole
from exchange.ledger.model import Account, Obligation, PointsLeg, Side, Transfer, TransferKind
from exchange.money.limits import INT64_MAX
from exchange.v1 import types_pb2 as types
from tests.unit.rules.rulebook import CURRENCY_NO, MERCHANT_NO, coalition

DIRECTORY = coalition().directory
MERCHANT = st.sampled_from(sorted(MERCHANT_NO.values()))
CURRENCY = st.sampled_from(sorted(CURRENCY_NO.values()))
LONG = st.integers(0, INT64_MAX)
NAME = st.uuids()
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
INSTANT = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
LEG = st.builds(
    PointsLeg, st.sampled_from(Account), st.sampled_from(Side), CURRENCY, LONG, st.none() | LONG, st.none() | NAME
)
OWED = st.builds(Obligation, st.integers(1, 300), MERCHANT, MERCHANT, st.text("ABCXYZ", max_size=3), LONG, LONG, LONG)
# No original: what only some kinds have is set field by field, and other tests look at it.
TRANSFER = st.builds(
    Transfer, st.just(0), st.none() | NAME, st.sampled_from(TransferKind), MERCHANT, NAME, TEXT, st.none() | TEXT,
    INSTANT, LONG, LONG, st.none() | NAME, st.lists(LEG, max_size=6), st.lists(OWED, max_size=4),
    *[st.none()] * 6,
)  # fmt: skip
OPERATOR = Caller(CallerRole.OPERATOR, "apiKeys/operator")


def plainly(transfer: Transfer) -> types.Transfer:
    """What whoever sees everything is told, set field by field."""
    message = types.Transfer(
        kind=types.Transfer.Kind.ValueType(transfer.kind),
        merchant=DIRECTORY.merchants[transfer.merchant_no].name,
        member=f"members/{transfer.member_id}",
        request_id=transfer.request_id,
        reference=transfer.reference or "",
        ledger_sequence=transfer.ledger_sequence,
        window=f"windows/{transfer.window_no}",
        name=f"transfers/{transfer.transfer_id}" if transfer.transfer_id else "",
        rate=f"rates/{transfer.rate_id}" if transfer.rate_id else "",
    )
    message.event_time.FromDatetime(transfer.occurred_at)
    message.legs.extend(map(leg, transfer.legs))
    message.obligations.extend(map(owed, transfer.obligations))
    if transfer.kind == TransferKind.CONVERT:
        circulating = [one for one in transfer.legs if one.account == Account.CIRCULATION]
        for one in reversed([one for one in circulating if one.side == Side.DEBIT]):
            message.received.CopyFrom(points(one))
        for one in (one for one in circulating if one.side == Side.CREDIT):
            message.used.CopyFrom(points(one))
    return message


def points(one: PointsLeg) -> types.PointsAmount:
    """The points of a leg."""
    return types.PointsAmount(currency=DIRECTORY.currencies[one.currency_no].name, units=one.units)


def leg(one: PointsLeg) -> types.PointsLeg:
    """A leg; the issuer's side has neither lot nor number."""
    message = types.PointsLeg(
        account=types.PointsLeg.Account.ValueType(one.account),
        side=types.PointsLeg.Side.ValueType(one.side),
        points=points(one),
    )
    if one.account != Account.CIRCULATION:
        message.lot = f"lots/{one.lot_id}" if one.lot_id else ""
        message.account_sequence = one.account_sequence or 0
    return message


def owed(one: Obligation) -> types.Obligation:
    """An obligation; a price stands beside points only."""
    return types.Obligation(
        kind=types.Obligation.Kind.ValueType(one.kind),
        debtor=DIRECTORY.merchants[one.debtor_no].name,
        creditor=DIRECTORY.merchants[one.creditor_no].name,
        amount=types.MoneyAmount(currency_code=one.currency_code, micros=one.micros),
        points_units=one.points_units,
        price_micros=one.price_micros if one.points_units else 0,
    )


@given(TRANSFER)
def test_the_bytes_say_what_the_fields_would(transfer: Transfer) -> None:
    """For arbitrary figures, names, texts and legs."""
    told = to_message(transfer, DIRECTORY, OPERATOR, names_member=True)

    assert told == plainly(transfer)
    assert told.SerializeToString(deterministic=True) == plainly(transfer).SerializeToString(deterministic=True)


@given(TRANSFER, MERCHANT)
def test_another_merchant_is_not_told_the_request_nor_the_member(transfer: Transfer, asking: Any) -> None:
    """Its own request, and members it has not linked, are nobody else's business."""
    caller = Caller(CallerRole.MERCHANT, "apiKeys/merchant", asking, "ANY")

    told = to_message(transfer, DIRECTORY, caller, names_member=False)

    expected = plainly(transfer)
    expected.ClearField("member")
    if asking != transfer.merchant_no:
        expected.ClearField("request_id")
        expected.ClearField("reference")
    assert told == expected
