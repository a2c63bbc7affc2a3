"""What movements came to and would come to, in the same form, so that the two can be put side by side. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from exchange.ledger.model import Account, Obligation, ObligationKind, Posting, Side, Transfer, TransferKind
from exchange.reversal.rules import mirrored, moved_units
from exchange.simulation.model import Happened, PastBonus, Played


def as_it_was(happened: Happened) -> Played:
    """A movement taken over unchanged."""
    transfer = happened.transfer
    played = Played(transfer.legs, transfer.obligations, transfer.frozen_price_micros)
    if not happened.bonuses:
        return played
    is_reversal = transfer.kind == TransferKind.REVERSAL
    sponsored = sponsors_were_owed(happened) if is_reversal else sponsors_owe(transfer.obligations)
    return played._replace(bonuses=by_promotion(happened.bonuses), sponsored=sponsored)


def outcome(posting: Posting) -> Played:
    """What a posting comes to."""
    prices = {lot.currency_no: lot.price_micros for lot in posting.new_lots}
    return Played(posting.legs, posting.obligations, posting.frozen_price_micros, prices, posting.daily_use)


def circulation(transfer: Transfer, side: Side) -> dict[int, int]:
    """Points made (debit) or burnt (credit) by currency number."""
    found: dict[int, int] = {}
    for leg in transfer.legs:
        if (leg.account, leg.side) == (Account.CIRCULATION, side):
            found[leg.currency_no] = found.get(leg.currency_no, 0) + leg.units
    return found


def said(played: Played) -> tuple[object, ...]:
    """What a movement came to, so that two can be compared: lots and sequences are no part of it."""
    points: Counter[tuple[int, int]] = Counter()
    for leg in played.legs:
        if leg.account == Account.CIRCULATION:
            points[(leg.side, leg.currency_no)] += leg.units
    return points, sorted(tuple(owed) for owed in played.obligations), played.frozen_price_micros


def given_units(happened: Happened) -> int:
    """Bonus points beside a movement, or of a reversal those it took back."""
    return sum(bonus.units for bonus in happened.bonuses)


def by_promotion(bonuses: Sequence[PastBonus]) -> dict[int, int]:
    """Points of bonuses by promotion number."""
    found: Counter[int] = Counter()
    for bonus in bonuses:
        found[bonus.promotion_no] += bonus.units
    return dict(found)


def sponsors_owe(obligations: Sequence[Obligation]) -> dict[tuple[int, str], int]:
    """What sponsors owe among the obligations of an award or a conversion, by sponsor and money."""
    found: Counter[tuple[int, str]] = Counter()
    for owed in obligations:
        if owed.kind == ObligationKind.PROMOTION:
            found[(owed.debtor_no, owed.currency_code)] += owed.micros
    return dict(found)


def owed_to_each(obligations: Sequence[Obligation]) -> Counter[tuple[int, str]]:
    """What each creditor is owed, by creditor and money."""
    found: Counter[tuple[int, str]] = Counter()
    for owed in obligations:
        found[(owed.creditor_no, owed.currency_code)] += owed.micros
    return found


def sponsors_were_owed(happened: Happened) -> dict[tuple[int, str], int]:
    """What sponsors were owed back by a reversal: all that is not the mirror of the movement itself."""
    original = happened.original
    assert original is not None, "a reversal follows what it reverses"
    total = moved_units(original.transfer)
    part, before = total, 0
    if original.transfer.kind == TransferKind.EARN:
        total -= given_units(original)
        part, before = moved_units(happened.transfer) - given_units(happened), happened.before_units
    back = owed_to_each(happened.transfer.obligations)
    back.subtract(owed_to_each(mirrored(original.transfer.obligations, before, before + part, total)))
    return {sponsor: micros for sponsor, micros in back.items() if micros}
