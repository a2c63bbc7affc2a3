"""What must be shown of rates before they are published, and what cannot be: pure.

A publication is refused by its first problem; whoever validates a draft is told all of them, and how close the rest
comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple
from uuid import UUID

from exchange.directory.model import Directory
from exchange.promotions.model import NO_PROMOTIONS, Promotion, Promotions
from exchange.rates.cycles import Cycle, Step, around, best_of, closest_cycle, gaining_cycle, product, step_of
from exchange.rates.model import Rate
from exchange.rates.proposed import Bounds, Proposal
from exchange.rates.rules import (
    Spread,
    require_in_time,
    require_no_overlap,
    require_predecessor,
    require_same_money,
    require_spread,
    require_within,
    spreads,
    superseded,
    version_before,
)
from exchange.refusals import NoPrice, Refusal, RoundTripGains

PRODUCT_CHARACTERS_MAX = 48
_DECIMALS = 9


class Ground(NamedTuple):
    """What rates are judged by: the coalition, every version published so far, its bounds, the moment, promotions."""

    directory: Directory
    versions: Sequence[Rate]
    bounds: Bounds
    now: datetime
    promotions: Promotions = NO_PROMOTIONS


class Problem(NamedTuple):
    """Why a rate, by its place among the wanted ones, cannot be published; place None: all of them together."""

    place: int | None
    refusal: Refusal


class RoundTrip(NamedTuple):
    """A cycle of conversions that is open from an instant on, and how many points it returns for one at best."""

    cycle: Cycle
    since: datetime

    @property
    def returns(self) -> Fraction:
        """Of one point."""
        return product(self.cycle)


def wanted_at(proposals: Iterable[Proposal], now: datetime) -> list[Rate]:
    """The rates as they would be, were they published now."""
    return [proposal.at(now) for proposal in proposals]


def problems(proposals: Sequence[Proposal], ground: Ground, paths: Sequence[str]) -> Iterator[Problem]:
    """Everything against each rate by itself, in the order of the rules; `paths` name the rates in their request."""
    wanted = wanted_at(proposals, ground.now)
    versions = _standing(wanted, ground)
    for place, (proposal, rate, path) in enumerate(zip(proposals, wanted, paths, strict=True)):
        others = [*versions, *wanted[:place], *wanted[place + 1 :]]
        for check in _checks(proposal, rate, others, ground, path):
            try:
                check()
            except Refusal as refusal:
                yield Problem(place, refusal)


def _checks(
    proposal: Proposal, rate: Rate, others: Sequence[Rate], ground: Ground, path: str
) -> list[Callable[[], None]]:
    directory, now = ground.directory, ground.now
    source, target = directory.currencies[rate.source_no], directory.currencies[rate.target_no]
    before = version_before(rate, others)
    return [
        lambda: require_in_time(proposal, now, path),
        lambda: require_predecessor(rate, ground.versions, path),
        lambda: require_same_money(source, target),
        lambda: require_no_overlap(rate, others, source, target),
        lambda: require_spread(rate, directory),
        lambda: require_within(rate, ground.bounds, before, directory, now, path),
    ]


def _standing(wanted: Sequence[Rate], ground: Ground) -> list[Rate]:
    """The published versions as they would stand beside the wanted rates: what these supersede is ended."""
    ended: Mapping[UUID | None, Rate] = {version.rate_id: version for version in superseded(wanted, ground.versions)}
    return [ended.get(version.rate_id, version) for version in ground.versions]


def require_no_gain(wanted: Sequence[Rate], ground: Ground) -> None:
    """Nobody can convert round in a circle and have more points than before, at any instant while a wanted rate holds.

    Of every pair the best version of any tier counts, whole blocks, its own bonus and those of promotions at their
    best, and no fees: those are owed by merchants and cost the member nothing. Cycles through the wanted rates count,
    and those they would be linked to.

    Raises:
        RoundTripGains: with a cycle, by currencies, its product, and the instant from which it would be open.
    """
    for moment, steps, chosen in _graphs(wanted, ground):
        _refuse_gain(moment, steps, chosen, ground)


def require_no_gain_with(promotion: Promotion, ground: Ground) -> None:
    """The same for a promotion of conversions that is among the ground's: while it is on, no way round gains.

    Raises:
        RoundTripGains: as `require_no_gain`.
    """
    if promotion.source_no is None:
        return
    pair = (promotion.source_no, promotion.currency_no)
    others = [one.effective_at for one in ground.promotions.by_number.values() if one.source_no is not None]
    begins = {
        moment for moment in (*(rate.effective_at for rate in ground.versions), *others) if promotion.is_on(moment)
    }
    begins.add(promotion.effective_at)
    for moment in sorted(moment for moment in begins if moment >= promotion.effective_at):
        steps = _best_at(moment, ground.versions, ground)
        _refuse_gain(moment, steps, [step for step in steps if step.rate.pair == pair], ground)


def _refuse_gain(moment: datetime, steps: Sequence[Step], chosen: Sequence[Step], ground: Ground) -> None:
    cycle = gaining_cycle(around(chosen, steps))
    if cycle is None:
        return
    currencies = ground.directory.currencies
    codes = [currencies[step.source_no].code for step in cycle]
    given = [one.name for step in cycle for one in ground.promotions.on_conversion(*step.rate.pair, moment)]
    raise RoundTripGains(
        cycle=" > ".join([*codes, codes[0]]),
        product=product_text(product(cycle)),
        rates=", ".join(step.rate.name or "drafted" for step in cycle),
        since=moment.isoformat(),
        **({"promotions": ", ".join(given)} if given else {}),
    )


def round_trips(wanted: Sequence[Rate], ground: Ground) -> list[tuple[int, RoundTrip]]:
    """For each wanted rate, by place, that closes a cycle: the one that loses least, or one that gains."""
    best: dict[int, RoundTrip] = {}
    for moment, steps, chosen in _graphs(wanted, ground):
        near = around(chosen, steps)
        gaining = gaining_cycle(near)
        for step in chosen:
            cycle = gaining or closest_cycle(step, near)
            place = next(place for place, rate in enumerate(wanted) if rate is step.rate)
            if cycle is None or (gaining is not None and step not in cycle):
                continue
            trip = RoundTrip(cycle, moment)
            if place not in best or trip.returns > best[place].returns:
                best[place] = trip
    return sorted(best.items())


def _graphs(wanted: Sequence[Rate], ground: Ground) -> Iterator[tuple[datetime, list[Step], list[Step]]]:
    """The steps open at each instant at which something begins while a wanted rate holds, and the wanted among them.

    Between two such instants versions only end, and taking a step away opens no cycle.
    """
    every = [*_standing(wanted, ground), *wanted]
    begins = {rate.effective_at for rate in every if any(rate.begins_within(one) for one in wanted)}
    begins |= {
        one.effective_at
        for one in ground.promotions.by_number.values()
        if one.source_no is not None and any(rate.holds_at(one.effective_at) for rate in wanted)
    }
    ids = {id(rate) for rate in wanted}
    for moment in sorted(begins):
        best = _best_at(moment, every, ground)
        yield moment, best, [step for step in best if id(step.rate) in ids]


def _best_at(moment: datetime, versions: Iterable[Rate], ground: Ground) -> list[Step]:
    """The best step of each pair that is open at an instant, with the promotions that are on."""
    return best_of(
        step_of(rate, ground.promotions.on_conversion(*rate.pair, moment) if ground.promotions else ())
        for rate in versions
        if rate.holds_at(moment)
    )


def least_spreads(wanted: Sequence[Rate], directory: Directory) -> list[Spread | None]:
    """For each wanted rate what its prices leave the operator when they leave least; None: there are no prices."""
    found: list[Spread | None] = []
    for rate in wanted:
        try:
            # The smallest share of what the points are worth, compared crosswise.
            found.append(min(spreads(rate, directory), key=lambda spread: Fraction(spread.kept, spread.worth or 1)))
        except NoPrice:
            found.append(None)
    return found


def product_text(returns: Fraction) -> str:
    """A product for people: as a ratio, or when that is long as a decimal, rounded away from 1."""
    exact = f"{returns.numerator}/{returns.denominator}"
    if len(exact) <= PRODUCT_CHARACTERS_MAX:
        return exact
    scale = 10**_DECIMALS
    gains = returns > 1
    scaled = (
        -(-returns.numerator * scale // returns.denominator)
        if gains
        else returns.numerator * scale // returns.denominator
    )
    return f"about {scaled // scale}.{scaled % scale:0{_DECIMALS}}"
