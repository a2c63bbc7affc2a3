from __future__ import annotations

from collections.abc import Sequence

from exchange.directory.model import Currency
from exchange.directory.pricing import owed_micros
from exchange.expiry.model import Expire
from exchange.ledger.facts import MemberFacts
from exchange.ledger.legs import debited
from exchange.ledger.model import Lot, Obligation, ObligationKind, Posting
from exchange.money.limits import BASIS_POINTS
from exchange.money.rounding import half_up
from exchange.promotions.rules import promotion_of
from exchange.rates.model import Coalition
from exchange.refusals import NothingDue


def expire(command: Expire, facts: MemberFacts, coalition: Coalition) -> Posting:
    """Burn what is left of lots that have ended; the issuer owes each funder its share of the original issue price.

    Reserved points are not touched: a hold keeps its promise, and what it gives back ends the next time.

    Raises:
        NothingDue: no lot has reached its end, or somebody else has ended them.
    """
    currency = coalition.directory.currency(command.currency)
    account = facts.accounts[currency.number]
    due = [lot for lot in (account.known[lot_id] for lot_id in account.due or ()) if lot.remaining]
    if not due:
        raise NothingDue(currency=currency.name)
    ending = [(lot, lot.remaining) for lot in due]
    return Posting(
        legs=debited(currency.number, ending),
        obligations=breakage(ending, currency, facts, coalition),
        unused=True,
        is_activity=False,
    )


def breakage(
    ending: Sequence[tuple[Lot, int]], currency: Currency, facts: MemberFacts, coalition: Coalition
) -> list[Obligation]:
    """What the issuer owes the funders of points that end unused: the currency's share of the original issue price.

    Raises:
        AmountOverflow: a share would pass 64 bits.
    """
    shares: dict[int, int] = {}
    for lot, units in ending:
        # Rounded to the micro-unit, half up, once for each lot; sponsors of a bonus share that.
        value = half_up(units * lot.price_micros * currency.breakage_share_bps, BASIS_POINTS)
        promotion = promotion_of(lot.lot_id, facts, coalition.promotions)
        paid = [(lot.funder_no, value)] if promotion is None else promotion.shares_of(value, currency.issuer_no)
        for funder_no, part in paid:
            shares[funder_no] = shares.get(funder_no, 0) + part
    obligations: list[Obligation] = []
    for funder_no, micros in sorted(shares.items()):
        obligations += owed_micros(
            ObligationKind.BREAKAGE,
            debtor_no=currency.issuer_no,
            creditor_no=funder_no,
            currency=currency,
            micros=micros,
        )
    return obligations
