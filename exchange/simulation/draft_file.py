"""The file that says what is to be tried: rates, prices and promotions, in the words of scenario files."""

from __future__ import annotations

from pathlib import Path

from exchange.directory.model import Directory
from exchange.money.limits import BASIS_POINTS
from exchange.promotions.model import BONUS_BPS_MAX, SPONSORS_MAX, Promotion, PromotionKind, Sponsor
from exchange.rates.model import Rate
from exchange.scenario.names import Names
from exchange.scenario.promotions import read_promotion
from exchange.scenario.sections import BadScenario, Section, read_text, read_yaml
from exchange.serving.checks import EPOCH, Violations
from exchange.simulation.model import Draft, DraftPrice, DraftPromotion, DraftRate

_IS = "a draft is a mapping of rates, prices and promotions"
_FIGURES = {
    "issue": "issue_micros",
    "redeem": "redeem_micros",
    "conversion_in": "conversion_in_micros",
    "conversion_out": "conversion_out_micros",
    "cash_out": "cash_out_micros",
    "cash_out_fee_bps": "cash_out_fee_bps",
}


def read_draft(file: Path, directory: Directory) -> Draft:
    """Read and check a draft.

    Raises:
        BadScenario: the first thing that is wrong, with line and key.
        OSError: the file cannot be read.
    """
    return parse_draft(read_text(file), directory)


def parse_draft(text: str, directory: Directory) -> Draft:
    """The same for text at hand."""
    root = read_yaml(text, _IS)
    rates = tuple(_rate(part, directory) for part in root.sections("rates"))
    prices = tuple(_price(part, directory) for part in root.sections("prices"))
    names = _names(directory)
    promotions = tuple(_promotion(part, directory, names) for part in root.sections("promotions"))
    root.finish()
    if not (rates or prices or promotions):
        raise BadScenario(1, f"{_IS}: this one tries nothing")
    return Draft(rates, prices, promotions)


def _rate(part: Section, directory: Directory) -> DraftRate:
    zone = directory.time_zone
    source, target = _currency(part, "from", directory), _currency(part, "to", directory)
    if source == target:
        part.wrong("to", "is the source currency")
    rate = Rate(
        rate_id=None,
        source_no=0,
        target_no=0,
        source_units=part.whole("source", least=1),
        target_units=part.whole("target", least=1),
        block_units=part.whole("block", 0, least=0) or 1,
        minimum_units=part.whole("minimum", 0, least=0),
        maximum_units=part.whole("maximum", 0, least=0),
        bonus_every_units=part.whole("bonus_every", 0, least=0),
        bonus_units=part.whole("bonus_points", 0, least=0),
        fee_micros=part.whole("fee", 0, least=0),
        fee_per_point_micros=part.whole("fee_per_point", 0, least=0),
        fee_cap_micros=part.whole("fee_cap", 0, least=0),
        member_daily_cap_units=part.whole("member_daily_cap", 0, least=0),
        effective_at=EPOCH,
        ends_at=part.maybe_instant("effective_until", zone),
        published_at=EPOCH,
        tier=_tier(part),
    )
    begins = part.maybe_instant("effective_from", zone)
    if begins is not None and rate.ends_at is not None and rate.ends_at <= begins:
        part.wrong("effective_until", "is not after effective_from")
    part.finish()
    return DraftRate(source, target, rate, begins)


def _price(part: Section, directory: Directory) -> DraftPrice:
    currency = _currency(part, "currency", directory)
    figures = {}
    for key, field in _FIGURES.items():
        if part.has(key):
            figures[field] = part.whole(key, least=0)
        part.skip(key)
    if figures.get("cash_out_fee_bps", 0) > BASIS_POINTS:
        part.wrong("cash_out_fee_bps", f"is more than {BASIS_POINTS}")
    if not figures:
        part.wrong("currency", "stands without a figure: one of " + ", ".join(_FIGURES))
    begins = part.maybe_instant("from", directory.time_zone)
    part.finish()
    return DraftPrice(currency, figures, begins)


def _promotion(part: Section, directory: Directory, names: Names) -> DraftPromotion:
    wanted = read_promotion(part, names, directory.time_zone)
    if wanted.source == wanted.currency:
        part.wrong("to", "is the source currency")
    if wanted.bonus_bps > BONUS_BPS_MAX:
        part.wrong("bonus_bps", f"is more than {BONUS_BPS_MAX}")
    ids = [merchant for merchant, _ in wanted.sponsors]
    if len(ids) > SPONSORS_MAX:
        part.wrong("sponsors", f"are more than {SPONSORS_MAX}")
    if len(set(ids)) < len(ids):
        part.wrong("sponsors", "name a merchant twice")
    if sum(share for _, share in wanted.sponsors) > BASIS_POINTS:
        part.wrong("sponsors", f"share more than {BASIS_POINTS} basis points")
    begins, ends = wanted.effective_from, wanted.effective_until
    if begins is not None and ends is not None and ends <= begins:
        part.wrong("effective_until", "is not after effective_from")
    promotion = Promotion(
        number=0,
        promotion_id=wanted.id,
        kind=PromotionKind[wanted.kind.upper()],
        merchant_no=None if wanted.merchant is None else directory.merchant(wanted.merchant).number,
        source_no=None if wanted.source is None else directory.currency(wanted.source).number,
        currency_no=directory.currency(wanted.currency).number,
        bonus_bps=wanted.bonus_bps,
        bonus_units=wanted.bonus_points,
        member_cap_units=wanted.member_cap,
        budget_units=wanted.budget,
        effective_at=EPOCH,
        ends_at=ends,
        created_at=EPOCH,
        # Of equal remainders the first one takes the micro-unit.
        sponsors=[Sponsor(directory.merchant(merchant).number, share) for merchant, share in sorted(wanted.sponsors)],
    )
    return DraftPromotion(promotion, begins)


def _names(directory: Directory) -> Names:
    """Whom a draft may name."""
    names = Names(directory.operator.merchant_id, "there is")
    names.merchants.update(merchant.merchant_id for merchant in directory.merchants.values())
    names.currencies.update(currency.code for currency in directory.currencies.values())
    return names


def _currency(part: Section, key: str, directory: Directory) -> str:
    code = part.text(key)
    if directory.currency_no(code) is None:
        part.wrong(key, f"names no currency there is: {code}")
    return code


def _tier(part: Section) -> str:
    tier, check = part.text("tier", ""), Violations()
    check.tier("tier", tier)
    if check.found:
        part.wrong("tier", check.found["tier"])
    return tier
