"""Transfers as messages. What others than the asking merchant may not see is left out here."""

from __future__ import annotations

from typing import Final

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


def may_see(caller: Caller, transfer: Transfer, directory: Directory) -> bool:
    """Whoever took part: the asking merchant, issuers, debtors and creditors; and those who see all."""
    if caller.sees_all or transfer.merchant_no == caller.merchant_no:
        return True
    return caller.merchant_no in parties(transfer, directory)


def to_message(transfer: Transfer, directory: Directory, caller: Caller, *, names_member: bool) -> types.Transfer:
    """A transfer for a caller that may see it; see `write_transfer`."""
    message = types.Transfer()
    write_transfer(message, transfer, directory, caller, names_member=names_member)
    return message


def write_transfer(
    message: types.Transfer, transfer: Transfer, directory: Directory, caller: Caller, *, names_member: bool = True
) -> None:
    """Fill an empty message with a transfer. Field by field: that costs a third of passing messages to constructors.

    Args:
        message: empty.
        transfer: what is told.
        directory: names.
        caller: to whom; it may see the transfer.
        names_member: whether it has linked the member, or sees all (`exchange.events.rules.names_member`). Whoever has
            just moved the points has.
    """
    own = caller.sees_all or transfer.merchant_no == caller.merchant_no
    if transfer.transfer_id is not None:
        message.name = f"transfers/{transfer.transfer_id}"
    message.kind = transfer.kind  # type: ignore[assignment]
    message.merchant = directory.merchants[transfer.merchant_no].name
    if names_member:
        message.member = f"members/{transfer.member_id}"
    if own:
        message.request_id = transfer.request_id
        if transfer.reference is not None:
            message.reference = transfer.reference
    happened = timestamp(transfer.occurred_at)
    assert happened is not None
    message.event_time.CopyFrom(happened)
    message.ledger_sequence = transfer.ledger_sequence
    message.window = f"windows/{transfer.window_no}"
    _write_legs(message, transfer, directory)
    _write_obligations(message, transfer, directory)
    if transfer.rate_id is not None:
        message.rate = f"rates/{transfer.rate_id}"
    elif transfer.kind != _CONVERT:
        _write_particulars(message, transfer)
        if own and transfer.kind == _EARN and transfer.earn_rule and transfer.merchant_no in directory.return_bands:
            _write_warning(message, transfer, directory)


def _write_legs(message: types.Transfer, transfer: Transfer, directory: Directory) -> None:
    currencies, converted = directory.currencies, transfer.kind == _CONVERT
    for account, side, currency_no, units, sequence, lot_id in transfer.legs:
        name = currencies[currency_no].name
        leg = message.legs.add()
        leg.account, leg.side = account, side  # type: ignore[assignment]
        points = leg.points
        points.currency, points.units = name, units
        if account != _CIRCULATION:
            if lot_id is not None:
                leg.lot = f"lots/{lot_id}"
            if sequence is not None:
                leg.account_sequence = sequence
        elif converted:
            if side == _CREDIT:
                moved = message.used
            elif not message.HasField("received"):
                moved = message.received
            else:
                # What promotions made beside it.
                continue
            moved.currency, moved.units = name, units


def _write_obligations(message: types.Transfer, transfer: Transfer, directory: Directory) -> None:
    merchants = directory.merchants
    for kind, debtor_no, creditor_no, code, micros, points_units, price_micros in transfer.obligations:
        owed = message.obligations.add()
        owed.kind = kind  # type: ignore[assignment]
        owed.debtor, owed.creditor = merchants[debtor_no].name, merchants[creditor_no].name
        amount = owed.amount
        amount.currency_code, amount.micros = code, micros
        if points_units:
            owed.points_units, owed.price_micros = points_units, price_micros


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
