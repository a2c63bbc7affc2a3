"""Queues of the shapes payment systems see, for `bench.liquidity`: the same again for the same name."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from settlement.liquidity.model import Queue
from settlement.netting.model import Obligation

Pairs = Callable[[random.Random, Sequence[str]], Iterator[tuple[str, str]]]
Amounts = Callable[[random.Random], int]


@dataclass(frozen=True, slots=True)
class Case:
    """Which queue: who owes whom, how much, how many items among how many, and what they have to pay with."""

    shape: str
    amounts: str
    items: int
    participants: int
    funds: str
    seed: int = 1

    @property
    def name(self) -> str:
        """In a line."""
        return f"{self.shape}, {self.amounts}, {self.items} items among {self.participants}, funds {self.funds}"

    @property
    def queue(self) -> Queue:
        """The queue of this name."""
        chance = random.Random(f"{self.shape} {self.amounts} {self.items} {self.participants} {self.seed}")
        names = [f"P{number:02}" for number in range(self.participants)]
        pairs, amount = SHAPES[self.shape](chance, names), AMOUNTS[self.amounts]
        items = [
            Obligation(*pair, "CNY", amount(chance), f"i{number}")
            for number, pair in zip(range(self.items), pairs, strict=False)
        ]
        return Queue("CNY", items, _funds(self.funds, names, items))


def _anybody(chance: random.Random, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Every pair is as likely as any other."""
    while True:
        debtor, creditor = chance.sample(names, 2)
        yield debtor, creditor


def _core(chance: random.Random, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """A few large participants owe each other; the others owe, and are owed by, one of those."""
    core = names[: max(3, len(names) // 5)]
    rim = names[len(core) :]
    while True:
        inner, other = chance.sample(core, 2)
        outer = chance.choice(rim)
        yield chance.choices([(inner, other), (inner, outer), (outer, inner)], weights=[4, 3, 3])[0]


def _rings(chance: random.Random, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Debts that go around: three to six participants in a circle, and an item across now and then."""
    while True:
        ring = chance.sample(names, chance.randint(3, min(6, len(names))))
        yield from pairwise([*ring, ring[0]])
        yield ring[0], ring[2]


def _hubs(chance: random.Random, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Two participants are on one side of every item."""
    while True:
        hub, other = chance.choice(names[:2]), chance.choice(names[2:])
        yield chance.choice([(hub, other), (other, hub)])


def _tree(chance: random.Random, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Most debts run one way, from later names to earlier ones; few run back."""
    while True:
        first, second = sorted(chance.sample(names, 2))
        yield (first, second) if chance.random() < 0.15 else (second, first)


def _lognormal(chance: random.Random) -> int:
    return max(1, round(chance.lognormvariate(11.5, 1.5)))


def _large(chance: random.Random) -> int:
    return round(chance.lognormvariate(18.4, 1.5))


def _few_big(chance: random.Random) -> int:
    big = chance.random() < 0.05
    return chance.randint(10_000_000, 50_000_000) if big else chance.randint(1_000, 100_000)


SHAPES: Mapping[str, Pairs] = {
    "anybody": _anybody,
    "core": _core,
    "rings": _rings,
    "hubs": _hubs,
    "tree": _tree,
}

AMOUNTS: Mapping[str, Amounts] = {
    "cents": lambda chance: int(10 ** chance.uniform(3, 7)),
    "small": lambda chance: int(10 ** chance.uniform(1, 3)),
    "lognormal": _lognormal,
    "large": _large,
    "round": lambda chance: chance.choice([1, 2, 5]) * 10 ** chance.randint(4, 6),
    "equal": lambda chance: chance.choice([10_000, 25_000, 99_900]),
    "few big": _few_big,
    "units": lambda chance: chance.randint(1, 100),
}

FUNDS = ("0 %", "0.5 %", "1 %", "3 %", "10 %", "rich")
"""What everybody has, of what it owes; or one has a tenth of all that is owed, and nobody else anything."""


def _funds(how: str, names: Sequence[str], items: Sequence[Obligation]) -> dict[str, int]:
    if how == "rich":
        return {names[-1]: sum(item.amount for item in items) // 10}
    share = float(how.removesuffix("%")) / 100
    owes = dict.fromkeys(names, 0)
    for item in items:
        owes[item.debtor] += item.amount
    return {name: int(owed * share) for name, owed in owes.items()}
