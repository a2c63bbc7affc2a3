"""When a rate may be published: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from exchange.directory.model import Currency, Directory
from exchange.rates.model import Rate
from exchange.refusals import NegativeSpread, NoPrice, RateOverlap, SettlementCurrencyMismatch


def require_same_money(source: Currency, target: Currency) -> None:
    """Both sides are priced in one settlement currency; else a spread would mean nothing.

    Raises:
        SettlementCurrencyMismatch: they are not.
    """
    if source.settlement_currency != target.settlement_currency:
        raise SettlementCurrencyMismatch(source=source.name, target=target.name)


def require_no_overlap(rate: Rate, versions: Iterable[Rate], source: Currency, target: Currency) -> None:
    """At every instant at most one version of a pair holds.

    Raises:
        RateOverlap: names the version in the way.
    """
    for other in versions:
        begins_before_other_ends = other.ends_at is None or rate.effective_at < other.ends_at
        ends_after_other_begins = rate.ends_at is None or rate.ends_at > other.effective_at
        if begins_before_other_ends and ends_after_other_begins and other.ends_at != other.effective_at:
            raise RateOverlap(source=source.name, target=target.name, overlaps=other.name)


def require_spread(rate: Rate, directory: Directory) -> None:
    """Whatever amount is converted, at whatever price in force meanwhile, the operator does not pay.

    The worst amount is a multiple of `bonus_every_units`, where the bonus weighs most:
    out-price >= in-price x (target/source + bonus/every).

    Raises:
        NegativeSpread: with both prices, per point, and the instant from which it would.
        NoPrice: a side has none when the rate begins.
    """
    source, target = directory.currencies[rate.source_no], directory.currencies[rate.target_no]
    every = rate.bonus_every_units or 1
    bonus = rate.bonus_units if rate.bonus_every_units else 0
    numerator = rate.target_units * every + bonus * rate.source_units
    denominator = rate.source_units * every
    moments = {rate.effective_at}
    for currency in (source, target):
        moments |= {
            price.effective_at
            for price in currency.prices
            if price.effective_at > rate.effective_at and (rate.ends_at is None or price.effective_at < rate.ends_at)
        }
    for moment in sorted(moments):
        out_micros = source.price_at(moment, "conversion_out").conversion_out_micros
        in_micros = target.price_at(moment, "conversion_in").conversion_in_micros
        if out_micros * denominator < in_micros * numerator:
            raise NegativeSpread(
                source=source.name, target=target.name, out_micros=out_micros, in_micros=in_micros, since=moment
            )


def require_spreads(rates: Sequence[Rate], directory: Directory) -> None:
    """No published rate would lose money for the operator under these prices.

    Raises:
        NegativeSpread: names the first that would.
    """
    for rate in rates:
        try:
            require_spread(rate, directory)
        except NoPrice:
            # Published when prices were there; a conversion without one refuses itself.
            continue
