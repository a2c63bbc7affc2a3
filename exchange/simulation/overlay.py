"""The coalition as it would have been: draft rates, prices and promotions laid over what was published. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from exchange.directory.model import Currency, Directory, Merchant, MerchantRole, Price
from exchange.ledger.ids import new_id
from exchange.promotions.model import Promotion, Promotions
from exchange.rates.model import Coalition, Rate
from exchange.refusals import NoPrice
from exchange.simulation.model import Draft, DraftPrice, DraftPromotion, DraftRate


def overlaid(coalition: Coalition, draft: Draft, since: datetime) -> Coalition:
    """The coalition with a draft in force from `since`, where the draft does not say otherwise.

    Everybody may do everything and nobody is suspended: who might do what is not what is tried, and the directory
    remembers today's roles only.

    Raises:
        ResourceNotFound: the draft names no currency there is.
        NoPrice: a price with figures left out, where there is none to take them from.
    """
    directory = coalition.directory
    rates = list(coalition.published)
    for wanted in draft.rates:
        rates = _with_rate(rates, wanted, directory, since)
    currencies = {number: replace(currency, suspended=False) for number, currency in directory.currencies.items()}
    for price in draft.prices:
        currency = directory.currency(price.currency)
        currencies[currency.number] = _with_price(currencies[currency.number], price, since)
    merchants = {number: _able(merchant) for number, merchant in directory.merchants.items()}
    promotions = _with_promotions(coalition.promotions.by_number, draft.promotions, since)
    return Coalition.of(replace(directory, merchants=merchants, currencies=currencies), rates, promotions)


def _with_rate(rates: Iterable[Rate], wanted: DraftRate, directory: Directory, since: datetime) -> list[Rate]:
    rate = wanted.rate._replace(
        rate_id=new_id(),
        source_no=directory.currency(wanted.source).number,
        target_no=directory.currency(wanted.target).number,
        effective_at=wanted.begins or since,
    )
    kept: list[Rate] = []
    for other in rates:
        kept += _around(other, rate) if (other.pair, other.tier) == (rate.pair, rate.tier) else [other]
    return [*kept, rate]


def _around(other: Rate, rate: Rate) -> list[Rate]:
    """What is left of a version before another one begins and after it ends."""
    parts = []
    if other.effective_at < rate.effective_at:
        ends = rate.effective_at if other.ends_at is None else min(other.ends_at, rate.effective_at)
        parts.append(other._replace(ends_at=ends))
    if rate.ends_at is not None and (other.ends_at is None or other.ends_at > rate.ends_at):
        parts.append(other._replace(effective_at=max(other.effective_at, rate.ends_at)))
    return parts


def _with_promotions(known: Mapping[int, Promotion], wanted: Iterable[DraftPromotion], since: datetime) -> Promotions:
    """Each stays under its number, by which its bonuses are known, and ends where one of the draft takes its place."""
    every = dict(known)
    for promotion, wanted_from in wanted:
        begins, name = wanted_from or since, promotion.promotion_id
        for number, other in every.items():
            if same_promotion(other, promotion):
                ends = begins if other.ends_at is None else min(other.ends_at, begins)
                every[number] = other._replace(ends_at=ends)
                name = other.promotion_id
        number = max(every, default=0) + 1
        every[number] = promotion._replace(number=number, promotion_id=name, effective_at=begins, created_at=begins)
    return Promotions.of(every.values())


def same_promotion(one: Promotion, other: Promotion) -> bool:
    """Whether two are versions of one promotion: ids are the same in any case of letters."""
    return one.promotion_id.lower() == other.promotion_id.lower()


def _with_price(currency: Currency, wanted: DraftPrice, since: datetime) -> Currency:
    """From the draft's instant on its figures hold, whatever was published for later."""
    begins = wanted.begins or since
    try:
        before = currency.price_at(begins, "any")
    except NoPrice:
        if set(wanted.figures) != FIGURES:
            raise
        before = Price(begins, 0, 0, 0, 0, 0, 0, 0, begins)
    price = before._replace(effective_at=begins)._replace(**dict(wanted.figures))  # type: ignore[arg-type]  # figures only
    kept = [one for one in currency.prices if one.effective_at < begins]
    return replace(currency, prices=[*kept, price])


FIGURES = frozenset(field for field in Price._fields if field.endswith(("_micros", "_bps")))
"""What a price says."""


def _able(merchant: Merchant) -> Merchant:
    return replace(merchant, roles=frozenset(MerchantRole), cash_agent=True, suspended=False)
