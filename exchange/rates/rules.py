"""When a rate may be published: pure. One rule each; `exchange.rates.proofs` puts them together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from exchange.directory.model import Currency, Directory
from exchange.money.limits import BASIS_POINTS
from exchange.rates.model import Rate
from exchange.rates.proposed import Bounds, Proposal
from exchange.refusals import (
    NegativeSpread,
    NoPrice,
    RateOutOfBounds,
    RateOverlap,
    ResourceNotFound,
    SettlementCurrencyMismatch,
    SupersedesMismatch,
    TooLate,
)


class Spread(NamedTuple):
    """What a pair's prices leave the operator from an instant on, at the amount that leaves it least.

    `out` and `into` are the conversion-out and -in prices; the operator keeps `kept` of every `worth`.
    """

    since: datetime
    out_micros: int
    in_micros: int
    kept: int
    worth: int


def require_in_time(proposal: Proposal, now: datetime, path: str) -> None:
    """It begins neither in the past nor after its own end.

    Raises:
        TooLate: it does; names the field below `path`.
    """
    if proposal.begins is not None and proposal.begins < now:
        raise TooLate(field=f"{path}.effective_time", earliest=now.isoformat())
    rate = proposal.at(now)
    if rate.ends_at is not None and rate.ends_at <= rate.effective_at:
        raise TooLate(field=f"{path}.end_time", earliest=rate.effective_at.isoformat())


def require_same_money(source: Currency, target: Currency) -> None:
    """Both sides are priced in one settlement currency; else a spread would mean nothing.

    Raises:
        SettlementCurrencyMismatch: they are not.
    """
    if source.settlement_currency != target.settlement_currency:
        raise SettlementCurrencyMismatch(source=source.name, target=target.name)


def require_predecessor(rate: Rate, versions: Iterable[Rate], path: str) -> None:
    """What a rate supersedes is a version of its pair and tier that would still hold when it begins.

    Raises:
        ResourceNotFound: there is no such version.
        SupersedesMismatch: it is another's, or over by then.
    """
    if rate.supersedes is None:
        return
    name = f"rates/{rate.supersedes}"
    before = next((version for version in versions if version.rate_id == rate.supersedes), None)
    if before is None:
        raise ResourceNotFound(resource=name, field=f"{path}.supersedes")
    is_over = before.ends_at is not None and before.ends_at <= max(rate.effective_at, before.effective_at)
    if (before.pair, before.tier) != (rate.pair, rate.tier) or is_over:
        raise SupersedesMismatch(supersedes=name, field=f"{path}.supersedes")


def superseded(wanted: Iterable[Rate], versions: Iterable[Rate]) -> list[Rate]:
    """The versions that would end so that the wanted ones can begin, as they would then be; one never holds backwards.

    Only where `require_predecessor` has nothing against it.
    """
    begins: dict[object, datetime] = {}
    for rate in wanted:
        if rate.supersedes is not None:
            begins[rate.supersedes] = min(rate.effective_at, begins.get(rate.supersedes, rate.effective_at))
    return [
        version._replace(ends_at=max(begins[version.rate_id], version.effective_at))
        for version in versions
        if version.rate_id in begins
    ]


def require_no_overlap(rate: Rate, versions: Iterable[Rate], source: Currency, target: Currency) -> None:
    """At every instant at most one version of a pair holds for a tier.

    Raises:
        RateOverlap: names the version in the way.
    """
    for other in versions:
        if other.tier != rate.tier or other.pair != rate.pair or other.ends_at == other.effective_at:
            continue
        begins_before_other_ends = other.ends_at is None or rate.effective_at < other.ends_at
        ends_after_other_begins = rate.ends_at is None or rate.ends_at > other.effective_at
        if begins_before_other_ends and ends_after_other_begins:
            raise RateOverlap(source=source.name, target=target.name, overlaps=other.name or "another of the draft")


def spreads(rate: Rate, directory: Directory) -> Iterator[Spread]:
    """What is left of each pair of prices in force while a rate holds, oldest first.

    The worst amount is one at which the bonus weighs most: out-price against in-price x (target/source + bonus/every).

    Raises:
        NoPrice: a side has none when the rate begins.
    """
    source, target = directory.currencies[rate.source_no], directory.currencies[rate.target_no]
    received, used = rate.best_gain
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
        yield Spread(moment, out_micros, in_micros, out_micros * used - in_micros * received, out_micros * used)


def require_spread(rate: Rate, directory: Directory) -> None:
    """Whatever amount is converted, at whatever price in force meanwhile, the operator does not pay.

    Raises:
        NegativeSpread: with both prices, per point, and the instant from which it would.
        NoPrice: a side has none when the rate begins.
    """
    for spread in spreads(rate, directory):
        if spread.kept < 0:
            raise NegativeSpread(
                source=directory.currencies[rate.source_no].name,
                target=directory.currencies[rate.target_no].name,
                out_micros=spread.out_micros,
                in_micros=spread.in_micros,
                since=spread.since,
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


def require_within(
    rate: Rate, bounds: Bounds, before: Rate | None, directory: Directory, now: datetime, path: str
) -> None:
    """Every figure lies within the coalition's bounds.

    Args:
        rate: to be published.
        bounds: those in force.
        before: the version of its pair and tier that holds last before it; None: it is the first.
        directory: for the prices its margin is counted by.
        now: the moment of publication.
        path: of the rate in its request.

    Raises:
        RateOutOfBounds: names the first figure that does not.
    """
    figures = {
        "bonus_bps": (_bonus_bps(rate), bounds.bonus_bps_max),
        "change_bps": (0 if before is None else _change_bps(rate, before), bounds.change_bps_max),
        "margin_bps": (_margin_bps(rate, directory) if bounds.margin_bps_max else 0, bounds.margin_bps_max),
        "fee_micros": (rate.fee_micros, bounds.fee_micros_max),
        "fee_per_point_micros": (rate.fee_per_point_micros, bounds.fee_per_point_micros_max),
    }
    for figure, (value, most) in figures.items():
        if most and value > most:
            raise RateOutOfBounds(field=path, figure=figure, value=value, bound=most)
    notice = rate.effective_at - now
    if bounds.notice_seconds_min and notice < timedelta(seconds=bounds.notice_seconds_min):
        raise RateOutOfBounds(
            field=path,
            figure="notice_seconds",
            value=int(notice.total_seconds()),
            bound=bounds.notice_seconds_min,
        )


def version_before(rate: Rate, versions: Iterable[Rate]) -> Rate | None:
    """The version of a rate's pair and tier that held or holds last before it begins."""
    earlier = [
        version
        for version in versions
        if (version.pair, version.tier) == (rate.pair, rate.tier)
        and version.effective_at < rate.effective_at
        and version.ends_at != version.effective_at
    ]
    return max(earlier, key=lambda version: version.effective_at, default=None)


# A figure that is no whole number of basis points counts as the next one: a bound is never passed by rounding.
def _bonus_bps(rate: Rate) -> int:
    received, used = rate.best_gain
    return -(-(received * rate.source_units - rate.target_units * used) * BASIS_POINTS // (rate.target_units * used))


def _change_bps(rate: Rate, before: Rate) -> int:
    new, old = rate.target_units * before.source_units, before.target_units * rate.source_units
    return -(-abs(new - old) * BASIS_POINTS // old)


def _margin_bps(rate: Rate, directory: Directory) -> int:
    """By the plain ratio: who moves little gets no bonus."""
    plain = rate._replace(bonus_every_units=0, bonus_units=0)
    try:
        found = list(spreads(plain, directory))
    except NoPrice:
        return 0
    return max((-(-spread.kept * BASIS_POINTS // spread.worth) for spread in found if spread.worth), default=0)
