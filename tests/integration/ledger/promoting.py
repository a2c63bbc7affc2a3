"""Promotions on a ledger in a real database."""

from __future__ import annotations

from typing import Any

from exchange.promotions.model import Promotion, PromotionKind
from exchange.promotions.service import NewPromotion
from tests.integration.ledger.ledgers import OPERATOR, Ledger

GIVEN = "SELECT coalesce(sum(given_units) - sum(returned_units), 0)::bigint FROM exchange.bonus_entries"
USED = "SELECT used_units FROM exchange.promotion_budgets WHERE promotion_no = $1"


async def promote(ledger: Ledger, what: str, *, at: str | None = None, name: str = "K1", **terms: Any) -> Promotion:
    """From now: `promote(ledger, "AIR", at="CAF", bps=10_000, budget=5_000)`, `promote(ledger, "BNK>TEL", units=5)`."""
    source, _, target = what.rpartition(">")
    new = NewPromotion(
        promotion_id=name,
        kind=PromotionKind.CONVERSION_BONUS if source else PromotionKind.EARN_BONUS,
        merchant_id=at,
        source=source or None,
        currency=target,
        bonus_bps=terms.pop("bps", 0),
        bonus_units=terms.pop("units", 0),
        member_cap_units=terms.pop("cap", 0),
        budget_units=terms.pop("budget", 0),
        sponsors=terms.pop("sponsors", [("BNK", 7_000), ("CAF", 3_000)]),
        begins=None,
        ends_at=terms.pop("ends", None),
    )
    assert not terms
    return await ledger.api.promotions.create(OPERATOR, new)


async def end(ledger: Ledger, promotion: Promotion) -> None:
    """It gives nothing from now on."""
    await ledger.api.promotions.end(OPERATOR, promotion.promotion_id, None)
