"""What promotions add to a movement, who owes for it, and what a reversal takes back of it: pure."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from exchange.directory.model import Currency, Directory
from exchange.directory.pricing import owed_micros
from exchange.ledger.bonuses import Bonus, GivenBonus
from exchange.ledger.facts import MemberFacts
from exchange.ledger.legs import credited_beside
from exchange.ledger.model import NewLot, Obligation, ObligationKind, Posting
from exchange.promotions.model import Promotion, Promotions


def add_bonuses(posting: Posting, promotions: Sequence[Promotion], facts: MemberFacts, directory: Directory) -> Posting:
    """The posting of an award or a conversion, and beside its lot one of each promotion that has something to give.

    Each counts by what the movement itself made, at the price and with the expiry of its lot. A cap or budget that is
    reached makes the last bonus partial, and then the promotion stops quietly; so does one whose sponsor is suspended.
    Each sponsor owes the issuer its share of bonus x price.

    Raises:
        AmountOverflow: the balance or the money would pass 64 bits.
    """
    (made,) = posting.new_lots
    currency = directory.currencies[made.currency_no]
    account = facts.accounts[made.currency_no]
    total = made.units
    for promotion in promotions:
        units = _units(promotion, made.units, facts, directory)
        if not units:
            continue
        total += units
        account.require_room(total)
        lot = NewLot(
            currency.number, units, promotion.funder_no(currency.issuer_no), made.price_micros, made.expires_at
        )
        posting.legs += credited_beside(lot, account, posting.legs)
        posting.obligations += _owed(ObligationKind.PROMOTION, promotion, currency, 0, units, units, made.price_micros)
        posting.bonuses.append(
            Bonus(
                promotion.number,
                currency.number,
                units,
                funder_no=lot.funder_no,
                price_micros=lot.price_micros,
                expires_at=lot.expires_at,
            )
        )
    return posting


def _units(promotion: Promotion, made: int, facts: MemberFacts, directory: Directory) -> int:
    if any(directory.merchants[sponsor.merchant_no].suspended for sponsor in promotion.sponsors):
        return 0
    assert facts.bonuses is not None, "whoever reads the facts knows which promotions are on"
    units = promotion.bonus_on(made)
    if promotion.member_cap_units:
        units = min(units, facts.bonuses.left_for_member(promotion.number, promotion.member_cap_units))
    if promotion.budget_units:
        units = min(units, facts.bonuses.budgets.left_of(promotion.number, promotion.budget_units))
    return units


def given_in(facts: MemberFacts, transfer_id: UUID) -> Sequence[GivenBonus]:
    """Bonuses of an earlier transfer, in the order they were given."""
    return () if facts.bonuses is None else facts.bonuses.given.get(transfer_id, ())


def return_bonuses(
    posting: Posting,
    back: Sequence[tuple[GivenBonus, int]],
    facts: MemberFacts,
    directory: Directory,
    promotions: Promotions,
) -> Posting:
    """The posting of a reversal that also takes back so many points of each bonus of the original.

    They return to cap and budget, and each sponsor is owed its share again: all parts together mirror exactly what was
    owed for the whole. Of a sponsor that has left the operator is owed the share, to pass it on.
    """
    for bonus, units in back:
        if not units:
            continue
        promotion = promotions.by_number[bonus.promotion_no]
        currency = directory.currencies[promotion.currency_no]
        price = facts.accounts[currency.number].known[bonus.lot_id].price_micros
        before, after = bonus.returned_units, bonus.returned_units + units
        owed = _owed(ObligationKind.REVERSAL, promotion, currency, before, after, bonus.units, price)
        there = [_to_who_is_there(one, directory) for one in owed]
        # Of the operator's own points it keeps the share: nobody owes itself.
        posting.obligations += [one for one in there if one.debtor_no != one.creditor_no]
        posting.bonuses.append(Bonus(bonus.promotion_no, currency.number, units, returned=True, lot_id=bonus.lot_id))
    return posting


def _to_who_is_there(owed: Obligation, directory: Directory) -> Obligation:
    """The same, owed to the operator where the creditor has left for good: nothing comes up between it and us."""
    if not directory.merchants[owed.creditor_no].has_left:
        return owed
    return owed._replace(creditor_no=directory.operator_no)


def promotion_of(lot_id: UUID, facts: MemberFacts, promotions: Promotions) -> Promotion | None:
    """The promotion whose sponsors paid for a lot that has ended; None: the lot's funder alone did."""
    number = None if facts.bonuses is None else facts.bonuses.promotion_of.get(lot_id)
    return None if number is None else promotions.by_number[number]


def _owed(
    kind: ObligationKind, promotion: Promotion, currency: Currency, before: int, after: int, total: int, price: int
) -> list[Obligation]:
    """Each sponsor's share of `total` points x price, as far as it belongs to the points from `before` to `after`."""
    owed: list[Obligation] = []
    mirrored = kind is ObligationKind.REVERSAL
    for sponsor_no, whole in promotion.shares_of(total * price, currency.issuer_no):
        micros = whole * after // total - whole * before // total
        parties = (currency.issuer_no, sponsor_no) if mirrored else (sponsor_no, currency.issuer_no)
        owed += owed_micros(kind, debtor_no=parties[0], creditor_no=parties[1], currency=currency, micros=micros)
    return owed
