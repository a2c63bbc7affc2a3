"""Transfers as messages. What others than the asking merchant may not see is left out here."""

from __future__ import annotations

from exchange.api.wire import timestamp
from exchange.callers import Caller
from exchange.directory.model import Directory
from exchange.ledger.model import Account, Side, Transfer, TransferKind
from exchange.v1 import types_pb2 as types

_CIRCULATION, _CREDIT, _CONVERT = int(Account.CIRCULATION), int(Side.CREDIT), int(TransferKind.CONVERT)


def may_see(caller: Caller, transfer: Transfer, directory: Directory) -> bool:
    """Whoever took part: the asking merchant, issuers, debtors and creditors; and those who see all."""
    if caller.sees_all or transfer.merchant_no == caller.merchant_no:
        return True
    parties = {party for owed in transfer.obligations for party in (owed.debtor_no, owed.creditor_no)}
    parties |= {directory.currencies[leg.currency_no].issuer_no for leg in transfer.legs}
    return caller.merchant_no in parties


def to_message(transfer: Transfer, directory: Directory, caller: Caller) -> types.Transfer:
    """A transfer for a caller that may see it."""
    merchants, currencies = directory.merchants, directory.currencies
    own = caller.sees_all or transfer.merchant_no == caller.merchant_no
    message = types.Transfer(
        name=f"transfers/{transfer.transfer_id}" if transfer.transfer_id else "",
        kind=transfer.kind,  # type: ignore[arg-type]
        merchant=merchants[transfer.merchant_no].name,
        member=f"members/{transfer.member_id}",
        request_id=transfer.request_id if own else "",
        reference=(transfer.reference or "") if own else "",
        event_time=timestamp(transfer.occurred_at),
        ledger_sequence=transfer.ledger_sequence,
        window=f"windows/{transfer.window_no}",
    )
    legs = message.legs
    used = received = None
    for account, side, currency_no, units, sequence, lot_id in transfer.legs:
        name = currencies[currency_no].name
        amount = types.PointsAmount(currency=name, units=units)
        if account != _CIRCULATION:
            legs.add(
                account=account,
                side=side,
                points=amount,
                lot=f"lots/{lot_id}" if lot_id else "",
                account_sequence=sequence or 0,
            )
        else:
            legs.add(account=account, side=side, points=amount)
            if side == _CREDIT:
                used = amount
            else:
                received = amount
    for kind, debtor_no, creditor_no, code, micros, points, price in transfer.obligations:
        message.obligations.add(
            kind=kind,
            debtor=merchants[debtor_no].name,
            creditor=merchants[creditor_no].name,
            amount=types.MoneyAmount(currency_code=code, micros=micros),
            points_units=points,
            price_micros=price,
        )
    if transfer.kind == _CONVERT:
        assert used is not None
        assert received is not None
        message.rate = f"rates/{transfer.rate_id}"
        message.used.CopyFrom(used)
        message.received.CopyFrom(received)
    else:
        _add_particulars(message, transfer)
    return message


def _add_particulars(message: types.Transfer, transfer: Transfer) -> None:
    """What only some kinds have."""
    if transfer.original_id is not None:
        message.original = f"transfers/{transfer.original_id}"
    if transfer.expires_at is not None:
        message.expire_time.FromDatetime(transfer.expires_at)
    if transfer.earn_rule is not None:
        message.spend.rule = f"earnRules/{transfer.earn_rule}"
        message.spend.minor_units = transfer.spend_minor or 0
        message.spend.carried_minor_units = transfer.carried_minor or 0
