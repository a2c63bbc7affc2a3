"""How transfers become lines that add up: pure."""

from __future__ import annotations

from collections.abc import Iterable

from exchange.ledger.model import Account, Side, Transfer
from exchange.statements.model import Line, Standing


def lines(transfers: Iterable[Transfer], currency_no: int, opening: Standing) -> list[Line]:
    """Lines of one account, each from how the one before left it.

    Args:
        transfers: that have to do with the account, in ledger order.
        currency_no: which currency's account of their member.
        opening: how the account stood before the first of them.
    """
    found = []
    standing = opening
    for transfer in transfers:
        line = _line(transfer, currency_no, standing)
        found.append(line)
        standing = line.after
    return found


def _line(transfer: Transfer, currency_no: int, before: Standing) -> Line:
    available = held = sequence = 0
    for leg in transfer.legs:
        if leg.currency_no != currency_no or leg.account == Account.CIRCULATION:
            continue
        assert leg.account_sequence is not None, "legs on a member's accounts are numbered"
        sequence = leg.account_sequence
        change = leg.units if leg.side == Side.CREDIT else -leg.units
        if leg.account == Account.HELD:
            held += change
        else:
            available += change
    assert sequence, "the transfer has to do with the account"
    return Line(
        transfer,
        credited=max(available, 0),
        debited=max(-available, 0),
        reserved=max(held, 0),
        unreserved=max(-held, 0),
        after=Standing(before.available + available, before.held + held, sequence),
    )
