"""What a point costs in the demo: made up, but such that no published rate would lose the operator money. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exchange.demo.published import PublishedRate

_OUT_MICROS = {"MR": 12_000, "MRDE": 11_000, "UR": 12_500, "C1": 11_000, "TYP": 10_500, "TYPSG": 5_200, "EDGE": 8_400}
_OUT_MICROS_ELSE = 10_000
"""Dearest first point: programmes that nothing converts into; the others' prices follow from the rates."""


@dataclass(frozen=True, slots=True)
class PointPrices:
    """Micro-units per point, as `exchange.v1.Price` has them."""

    issue: int
    redeem: int
    conversion_in: int
    conversion_out: int


def coherent_prices(rates: Sequence[PublishedRate]) -> Mapping[str, PointPrices]:
    """Prices by currency code under which every conversion leaves the operator something.

    What a target costs on the way in is bounded by what each source pays on the way out:
    out-price of the source x points used >= in-price of the target x points received, volume bonus included. The bound
    is kept with five percent to spare; out-price and issue price follow from the in-price.

    Raises:
        ValueError: the table converts in a circle, so that no programme comes first.
    """
    prices: dict[str, PointPrices] = {}
    waiting = list(dict.fromkeys(code for rate in rates for code in (rate.source.code, rate.target.code)))
    while waiting:
        ready = [code for code in waiting if all(r.source.code in prices for r in rates if r.target.code == code)]
        if not ready:
            raise ValueError(f"the published rates convert in a circle through {', '.join(waiting)}")
        for code in ready:
            prices[code] = _price(code, rates, prices)
        waiting = [code for code in waiting if code not in prices]
    return prices


def _price(code: str, rates: Sequence[PublishedRate], known: Mapping[str, PointPrices]) -> PointPrices:
    bounds = [
        _in_price_bound(rate, known[rate.source.code].conversion_out) for rate in rates if rate.target.code == code
    ]
    if bounds:
        into = min(bounds) * 95 // 100
        out = into * 10 // 11
    else:
        out = _OUT_MICROS.get(code, _OUT_MICROS_ELSE)
        into = out * 11 // 10
    return PointPrices(issue=out * 12 // 10, redeem=out, conversion_in=into, conversion_out=out)


def _in_price_bound(rate: PublishedRate, out: int) -> int:
    """The dearest in-price a rate bears. The bonus weighs most at exact multiples of `bonus_every`."""
    every = rate.bonus_every or 1
    bonus = rate.bonus_points if rate.bonus_every else 0
    return out * rate.source_units * every // (rate.target_units * every + bonus * rate.source_units)
