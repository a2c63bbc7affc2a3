"""A promotion as files say it: scenario files, and drafts that are tried on past days."""

from __future__ import annotations

from datetime import tzinfo

from exchange.scenario.model import Promotion
from exchange.scenario.names import Names
from exchange.scenario.sections import Section

_PROMOTIONS = ("earn_bonus", "conversion_bonus")


def read_promotion(part: Section, names: Names, zone: tzinfo | None) -> Promotion:
    """One promotion; its id is declared in `names`, and whom it names must be.

    Raises:
        BadScenario: with line and key.
    """
    kind = part.text("kind")
    if kind not in _PROMOTIONS:
        part.wrong("kind", f"knows {', '.join(_PROMOTIONS)}, not {kind}")
    of_earns = kind == "earn_bonus"
    promotion = Promotion(
        id=part.text("id"),
        kind=kind,
        merchant=part.text("merchant") if of_earns and part.has("merchant") else None,
        source=None if of_earns else part.text("from"),
        currency=part.text("currency" if of_earns else "to"),
        bonus_bps=part.whole("bonus_bps", 0, least=0),
        bonus_points=part.whole("bonus_points", 0, least=0),
        member_cap=part.whole("member_cap", 0, least=0),
        budget=part.whole("budget", 0, least=0),
        sponsors=tuple(_sponsor(one, names) for one in part.sections("sponsors")),
        effective_from=part.maybe_instant("effective_from", zone),
        effective_until=part.maybe_instant("effective_until", zone),
        line=part.line,
    )
    names.add_promotion(part, "id", promotion.id)
    if promotion.merchant is not None:
        names.require_merchant(part, "merchant", promotion.merchant)
    elif of_earns:
        part.skip("merchant")
    if promotion.source is not None:
        names.require_currency(part, "from", promotion.source)
    names.require_currency(part, "currency" if of_earns else "to", promotion.currency)
    if bool(promotion.bonus_bps) == bool(promotion.bonus_points):
        part.wrong("bonus_bps", "or bonus_points says how much, one of the two")
    part.finish()
    return promotion


def _sponsor(part: Section, names: Names) -> tuple[str, int]:
    merchant, share = part.text("merchant"), part.whole("share_bps", least=1)
    names.require_participant(part, "merchant", merchant)
    part.finish()
    return merchant, share
