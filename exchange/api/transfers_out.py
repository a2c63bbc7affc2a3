"""Transfers as messages. What others than the asking merchant may not see is left out here."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from librt.strings import BytesWriter

from exchange.api.message_bytes import key, write_bytes, write_number, write_text
from exchange.callers import Caller
from exchange.directory.bands import judged
from exchange.directory.model import Directory
from exchange.events.rules import parties
from exchange.ledger.model import Account, Side, Transfer, TransferKind
from exchange.serving.instants import timestamp
from exchange.v1 import types_pb2 as types

_CIRCULATION: Final = int(Account.CIRCULATION)
_CREDIT: Final = int(Side.CREDIT)
_EARN: Final = int(TransferKind.EARN)
_CONVERT: Final = int(TransferKind.CONVERT)

_NAME: Final = key(types.Transfer, "name")
_KIND: Final = key(types.Transfer, "kind")
_MERCHANT: Final = key(types.Transfer, "merchant")
_MEMBER: Final = key(types.Transfer, "member")
_REQUEST_ID: Final = key(types.Transfer, "request_id")
_REFERENCE: Final = key(types.Transfer, "reference")
_EVENT_TIME: Final = key(types.Transfer, "event_time")
_LEDGER_SEQUENCE: Final = key(types.Transfer, "ledger_sequence")
_WINDOW: Final = key(types.Transfer, "window")
_LEG: Final = key(types.Transfer, "legs")
_OWED: Final = key(types.Transfer, "obligations")
_RATE: Final = key(types.Transfer, "rate")
_USED: Final = key(types.Transfer, "used")
_RECEIVED: Final = key(types.Transfer, "received")
_LEG_ACCOUNT: Final = key(types.PointsLeg, "account")
_LEG_SIDE: Final = key(types.PointsLeg, "side")
_LEG_POINTS: Final = key(types.PointsLeg, "points")
_LEG_LOT: Final = key(types.PointsLeg, "lot")
_LEG_SEQUENCE: Final = key(types.PointsLeg, "account_sequence")
_POINTS_CURRENCY: Final = key(types.PointsAmount, "currency")
_POINTS_UNITS: Final = key(types.PointsAmount, "units")
_MONEY_CODE: Final = key(types.MoneyAmount, "currency_code")
_MONEY_MICROS: Final = key(types.MoneyAmount, "micros")
_OWED_KIND: Final = key(types.Obligation, "kind")
_OWED_DEBTOR: Final = key(types.Obligation, "debtor")
_OWED_CREDITOR: Final = key(types.Obligation, "creditor")
_OWED_AMOUNT: Final = key(types.Obligation, "amount")
_OWED_POINTS: Final = key(types.Obligation, "points_units")
_OWED_PRICE: Final = key(types.Obligation, "price_micros")


class _LastInstant:
    """The one that was written last, and its bytes."""

    def __init__(self) -> None:
        self.instant: datetime | None = None
        self.written = b""


_latest: Final = _LastInstant()


def may_see(caller: Caller, transfer: Transfer, directory: Directory) -> bool:
    """Whoever took part: the asking merchant, issuers, debtors and creditors; and those who see all."""
    if caller.sees_all or transfer.merchant_no == caller.merchant_no:
        return True
    return caller.merchant_no in parties(transfer, directory)


def to_message(transfer: Transfer, directory: Directory, caller: Caller, *, names_member: bool) -> types.Transfer:
    """A transfer for a caller that may see it; see `write_transfer`."""
    message = types.Transfer()
    own = caller.sees_all or transfer.merchant_no == caller.merchant_no
    write_transfer(message, transfer, directory, own=own, names_member=names_member)
    return message


def write_transfer(
    message: types.Transfer, transfer: Transfer, directory: Directory, *, own: bool, names_member: bool = True
) -> None:
    """Fill an empty message with a transfer.

    Args:
        message: empty.
        transfer: what is told.
        directory: names.
        own: whether it is told to the merchant that asked for it, or to one who sees all.
        names_member: whether it has linked the member, or sees all (`exchange.events.rules.names_member`). Whoever has
            just moved the points has.
    """
    # What every movement has, as bytes: that takes half the time of setting its sixty fields one by one.
    message.MergeFromString(plain_bytes(transfer, directory, own=own, names_member=names_member))
    if not is_plain(transfer):
        _write_particulars(message, transfer)
        if own and transfer.kind == _EARN and transfer.earn_rule and transfer.merchant_no in directory.return_bands:
            _write_warning(message, transfer, directory)


def is_plain(transfer: Transfer) -> bool:
    """Whether nothing is told of a transfer but what is told of every movement: of conversions, and mostly."""
    if transfer.rate_id is not None or transfer.kind == _CONVERT:
        return True
    return transfer.original_id is None and transfer.expires_at is None and transfer.earn_rule is None


def plain_bytes(transfer: Transfer, directory: Directory, *, own: bool, names_member: bool) -> bytes:
    """What every movement has, as the message's bytes; see `write_transfer`."""
    writer = BytesWriter()
    if transfer.transfer_id is not None:
        write_text(writer, _NAME, f"transfers/{transfer.transfer_id}")
    write_number(writer, _KIND, transfer.kind)
    write_text(writer, _MERCHANT, directory.merchants[transfer.merchant_no].name)
    if names_member:
        write_text(writer, _MEMBER, f"members/{transfer.member_id}")
    if own:
        write_text(writer, _REQUEST_ID, transfer.request_id)
        if transfer.reference is not None:
            write_text(writer, _REFERENCE, transfer.reference)
    write_bytes(writer, _EVENT_TIME, _instant(transfer.occurred_at))
    write_number(writer, _LEDGER_SEQUENCE, transfer.ledger_sequence)
    write_text(writer, _WINDOW, f"windows/{transfer.window_no}")
    _write_legs(writer, transfer, directory)
    _write_obligations(writer, transfer, directory)
    if transfer.rate_id is not None:
        write_text(writer, _RATE, f"rates/{transfer.rate_id}")
    return writer.getvalue()


def _write_legs(writer: BytesWriter, transfer: Transfer, directory: Directory) -> None:
    currencies, converted, received = directory.currencies, transfer.kind == _CONVERT, False
    for account, side, currency_no, units, sequence, lot_id in transfer.legs:
        points = _points(currencies[currency_no].name, units)
        leg = BytesWriter()
        write_number(leg, _LEG_ACCOUNT, account)
        write_number(leg, _LEG_SIDE, side)
        write_bytes(leg, _LEG_POINTS, points)
        if account != _CIRCULATION:
            if lot_id is not None:
                write_text(leg, _LEG_LOT, f"lots/{lot_id}")
            if sequence is not None:
                write_number(leg, _LEG_SEQUENCE, sequence)
        elif converted:
            if side == _CREDIT:
                write_bytes(writer, _USED, points)
            elif not received:
                # What promotions made beside it comes after.
                write_bytes(writer, _RECEIVED, points)
                received = True
        write_bytes(writer, _LEG, leg.getvalue())


def _points(currency: str, units: int) -> bytes:
    writer = BytesWriter()
    write_text(writer, _POINTS_CURRENCY, currency)
    write_number(writer, _POINTS_UNITS, units)
    return writer.getvalue()


def _write_obligations(writer: BytesWriter, transfer: Transfer, directory: Directory) -> None:
    merchants = directory.merchants
    for kind, debtor_no, creditor_no, code, micros, points_units, price_micros in transfer.obligations:
        amount = BytesWriter()
        write_text(amount, _MONEY_CODE, code)
        write_number(amount, _MONEY_MICROS, micros)
        owed = BytesWriter()
        write_number(owed, _OWED_KIND, kind)
        write_text(owed, _OWED_DEBTOR, merchants[debtor_no].name)
        write_text(owed, _OWED_CREDITOR, merchants[creditor_no].name)
        write_bytes(owed, _OWED_AMOUNT, amount.getvalue())
        if points_units:
            write_number(owed, _OWED_POINTS, points_units)
            write_number(owed, _OWED_PRICE, price_micros)
        write_bytes(writer, _OWED, owed.getvalue())


def _instant(at: datetime) -> bytes:
    """An instant as bytes. Transfers of one batch share it, the very object: looking it up by value costs a hash."""
    if at is not _latest.instant:
        stamp = timestamp(at)
        assert stamp is not None
        _latest.instant, _latest.written = at, stamp.SerializeToString()
    return _latest.written


def _write_warning(message: types.Transfer, transfer: Transfer, directory: Directory) -> None:
    """What the rule gave above the band that was in force then: the same whenever it is told."""
    assert transfer.earn_rule is not None
    rule = directory.earn_rules[transfer.earn_rule]
    bands, currency = directory.return_bands[transfer.merchant_no], directory.currencies[rule.currency_no]
    over = judged(rule, currency, bands, transfer.occurred_at)
    if over is not None:
        message.spend.return_rate_bps, message.spend.return_band_bps = over.rate_bps, over.max_bps


def _write_particulars(message: types.Transfer, transfer: Transfer) -> None:
    """What only some kinds have."""
    if transfer.original_id is not None:
        message.original = f"transfers/{transfer.original_id}"
    if transfer.expires_at is not None:
        message.expire_time.FromDatetime(transfer.expires_at)
    if transfer.earn_rule is not None:
        message.spend.rule = f"earnRules/{transfer.earn_rule}"
        message.spend.minor_units = transfer.spend_minor or 0
        message.spend.carried_minor_units = transfer.carried_minor or 0
