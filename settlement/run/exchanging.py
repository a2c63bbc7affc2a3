"""Positions of participants who settle in one currency, taken out of the others and into it. Pure.

The operator stands opposite: it takes the position over in the one currency and gives what it comes to in the other, so
every currency sums to zero by itself. What is an item here is what one owes another in a window: the sum of a pair,
which the rulebook rounds once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from settlement.fx.model import Basis, Converted, Cross, FxTerms, Sides
from settlement.fx.rules import converted, exchanged
from settlement.netting.model import Pair
from settlement.run.carrying import Age, Lots, Owed, newest
from settlement.run.model import ExchangeLeg


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What conversion adds to one currency.

    Attributes:
        converted: positions that leave it, both ways.
        legs: what is owed because of conversions, by participant and the other currency.
        lots: the same by age, for netting: what comes in keeps the age of what it was.
    """

    converted: list[Converted] = field(default_factory=list)
    legs: list[ExchangeLeg] = field(default_factory=list)
    lots: dict[Pair, Lots] = field(default_factory=dict)

    def add(self, leg: ExchangeLeg, lots: Lots) -> None:
        """Count a leg in; nothing is no leg."""
        if not leg.amount:
            return
        self.legs.append(leg)
        found = self.lots.setdefault((leg.debtor, leg.creditor), {})
        for age, amount in lots.items():
            found[age] = found.get(age, 0) + amount

    def beside(self, owed: Owed) -> Owed:
        """What is owed, with what is owed because of conversions."""
        together = {pair: dict(lots) for pair, lots in owed.pairs.items()}
        for pair, lots in self.lots.items():
            found = together.setdefault(pair, {})
            for age, amount in lots.items():
                found[age] = found.get(age, 0) + amount
        return Owed(together)


class Exchange:
    """Conversions of one window as they are found.

    Attributes:
        by_currency: what they add to each currency.
    """

    def __init__(self, fx: FxTerms, operator: str, age: Age) -> None:
        self._fx, self._operator, self._age = fx, operator, age
        self.by_currency: dict[str, Exchanged] = {}

    def convert(self, code: str, owed: Owed) -> None:
        """Take everybody's position out of a currency who settles in another.

        Raises:
            FxRateMissing: a position cannot be converted.
            AmountOverflow: it would not fit 64 bits.
        """
        named = {name for pair in owed.pairs for name in pair}
        for name, into in sorted(self._fx.into.items()):
            if into != code and name in named:
                self._convert(name, code, into, owed)

    def _convert(self, name: str, code: str, into: str, owed: Owed) -> None:
        cross = self._fx.fx.cross(code, into)
        one = converted(
            name, code, into, *_sides(owed, name, lambda amount: exchanged(amount, code, into, cross)), cross
        )
        away, home = (self.by_currency.setdefault(currency, Exchanged()) for currency in (code, into))
        away.converted.append(one)
        away.add(self._leg(name, -one.net, into, "converted_out"), {self._age: abs(one.net)})
        lots = newest(owed.of_participant(name, as_debtor=one.net < 0), abs(one.net))
        home.add(self._leg(name, one.per_position, code, "converted_in"), _by_age(lots, code, into, cross))
        if self._fx.basis is Basis.PER_ITEM:
            home.add(self._leg(name, one.difference, code, "fx_difference"), {self._age: abs(one.difference)})

    def _leg(self, name: str, receives: int, other_currency: str, because: str) -> ExchangeLeg:
        """A leg of somebody who receives so much of the operator; below 0: who owes it."""
        pair = (self._operator, name) if receives > 0 else (name, self._operator)
        return ExchangeLeg(*pair, abs(receives), other_currency, because)


def _sides(owed: Owed, name: str, value: Callable[[int], int]) -> tuple[Sides, Sides]:
    """What somebody is owed and owes: as it is, and each pair's sum converted by itself."""
    found = []
    for side in (1, 0):
        sums = [sum(lots.values()) for pair, lots in owed.pairs.items() if pair[side] == name]
        found.append((sum(sums), sum(map(value, sums))))
    (receivable, item_receivable), (payable, item_payable) = found
    return Sides(receivable, payable), Sides(item_receivable, item_payable)


def _by_age(lots: Lots, code: str, into: str, cross: Cross) -> Lots:
    """A position's parts by age in the other currency; rounded from the oldest on so that they sum to it."""
    found: Lots = {}
    before = after = 0
    for age in sorted(lots):
        before += lots[age]
        up_to_here = exchanged(before, code, into, cross)
        if up_to_here > after:
            found[age] = up_to_here - after
        after = up_to_here
    return found
