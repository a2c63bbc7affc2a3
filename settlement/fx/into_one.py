"""A window of several currencies netted in one: what finance asks before anybody agrees to it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from exchange.money.limits import INT64_MAX
from exchange.refusals import AmountOverflow
from settlement.fx.model import Basis, Converted, FxSet, Sides
from settlement.fx.rules import converted, exchanged
from settlement.netting.model import Gross, Pair

BY_POSITION_MODES = frozenset({"multilateral", "direct"})
"""Modes that look at positions alone: only these can net positions that were converted."""


class Item(NamedTuple):
    """What one owes another, minor units; a held item is shown and not netted."""

    debtor: str
    creditor: str
    currency: str
    amount: int
    held: bool = False


class Owed(NamedTuple):
    """A sum of items: in their own currency, and each converted and rounded by itself."""

    amount: int
    converted: int


Totals = dict[tuple[str, str, str, bool], Owed]
"""By debtor, creditor, currency and whether held."""


class IntoOne(NamedTuple):
    """A window in one currency.

    Attributes:
        gross: what is netted. By position: what is owed in that currency anyhow, and for every other currency what
            each participant owes the operator or is owed by it.
        positions: both ways, by currency and participant. The last of a currency is the operator, who stands opposite
            to everybody: so every column sums to zero.
    """

    gross: Gross
    positions: list[Converted]


def summed(items: Iterable[Item], fx: FxSet, into: str) -> Totals:
    """Items by pair, one at a time: memory grows with the pairs. Their order does not matter.

    Raises:
        FxRateMissing: a currency cannot be converted.
        AmountOverflow: an item does not fit 64 bits.
    """
    found: Totals = {}
    exchange: dict[str, Callable[[int], int]] = {}
    for debtor, creditor, currency, amount, held in items:
        if currency not in exchange:
            exchange[currency] = _exchange(currency, into, fx)
        before = found.get((debtor, creditor, currency, held), Owed(0, 0))
        found[debtor, creditor, currency, held] = Owed(
            before.amount + amount, before.converted + exchange[currency](amount)
        )
    return found


def _exchange(currency: str, into: str, fx: FxSet) -> Callable[[int], int]:
    if currency == into:
        return lambda amount: amount
    cross = fx.cross(currency, into)
    return lambda amount: exchanged(amount, currency, into, cross)


def into_one(totals: Totals, fx: FxSet, into: str, basis: Basis, operator: str) -> IntoOne:
    """Bring a window into one currency.

    Raises:
        FxRateMissing, AmountOverflow: as `summed`; also when a position, or what a pair's items come to, is too much.
    """
    positions = _positions(totals, fx, into, operator)
    pairs: dict[Pair, int] = {}
    held: dict[Pair, int] = {}
    for (debtor, creditor, currency, is_held), owed in sorted(totals.items()):
        if is_held:
            _add(held, (debtor, creditor), owed.converted, into)
        elif currency == into or basis is Basis.PER_ITEM:
            _add(pairs, (debtor, creditor), owed.converted, into)
    if basis is Basis.PER_POSITION:
        for one in positions:
            if one.participant != operator:
                _add(pairs, (one.participant, operator), one.position_payable, into)
                _add(pairs, (operator, one.participant), one.position_receivable, into)
    return IntoOne(Gross(into, dict(sorted(pairs.items())), dict(sorted(held.items()))), positions)


def _add(pairs: dict[Pair, int], pair: Pair, amount: int, currency: str) -> None:
    """A pair of which nothing is left after rounding is left out."""
    if not amount:
        return
    pairs[pair] = pairs.get(pair, 0) + amount
    if pairs[pair] > INT64_MAX:
        raise AmountOverflow(figure="converted", currency=currency, minor_units=pairs[pair])


def _positions(totals: Totals, fx: FxSet, into: str, operator: str) -> list[Converted]:
    found: list[Converted] = []
    for currency in sorted({key[2] for key in totals} - {into}):
        sides = _sides({key[:2]: owed for key, owed in totals.items() if key[2] == currency and not key[3]})
        cross = fx.cross(currency, into)
        of_it = [
            converted(name, currency, into, *sides[name], cross) for name in sorted(sides.keys() - {operator})
        ]  # fmt: skip
        if of_it:
            found += [*of_it, _opposite(of_it, operator, sides.get(operator, (Sides(), Sides())))]
    return found


def _sides(pairs: Mapping[Pair, Owed]) -> dict[str, tuple[Sides, Sides]]:
    """What everybody is owed and owes: in the items' own currency, and item by item in the other."""
    found: dict[str, tuple[Sides, Sides]] = {}
    for (debtor, creditor), owed in pairs.items():
        amount, items = found.get(debtor, (Sides(), Sides()))
        found[debtor] = (
            amount._replace(payable=amount.payable + owed.amount),
            items._replace(payable=items.payable + owed.converted),
        )
        amount, items = found.get(creditor, (Sides(), Sides()))
        found[creditor] = (
            amount._replace(receivable=amount.receivable + owed.amount),
            items._replace(receivable=items.receivable + owed.converted),
        )
    return found


def _opposite(others: list[Converted], operator: str, own: tuple[Sides, Sides]) -> Converted:
    """The operator's: by position it has what the others' leaves, its own net and what their rounding comes to."""
    left = -sum(one.per_position for one in others)
    first = others[0]
    return Converted(
        operator, first.from_currency, first.into_currency, *own[0], *own[1], max(left, 0), max(-left, 0), 0, 0, ""
    )
