"""What the demo's day is made of: the coalition as a plan sees it, members, and movements with their answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from exchange.demo.cast import SUSPENDED_AT_MIDNIGHT, Participant
from exchange.demo.prices import PointPrices
from exchange.demo.published import PublishedRate

ROUNDS = 6
MIDNIGHT_ROUND = ROUNDS // 2
"""From this round on it is the next day: another rate for Asia Miles, and one merchant suspended."""
FIRST_DAY, SECOND_DAY = date(2026, 2, 28), date(2026, 3, 1)
UNARY_EVERY = 20
"""One member in so many is served call by call, the others in bulk files."""
DONE, REPLAYED = "DONE", "REPLAYED"


class Planned(NamedTuple):
    """One movement to ask for. `expected`: DONE, REPLAYED or the reason of the refusal; `rate` -1 when none applies."""

    request_id: str
    member: int
    merchant: str
    op: str
    currency: str
    target: str
    units: int
    expected: str
    used: int = 0
    received: int = 0
    rate: int = -1


@dataclass(frozen=True, slots=True)
class World:
    """What choices are made from: the coalition as the demo builds it."""

    rates: Sequence[PublishedRate]
    prices: Mapping[str, PointPrices]
    participants: Mapping[str, Participant]

    def in_force(self, day: date) -> list[tuple[int, PublishedRate]]:
        """Rates by their place in the table."""
        return [(number, rate) for number, rate in enumerate(self.rates) if rate.holds_on(day)]

    def usual_earn(self, currency: str) -> int:
        """Points of a usual award: some thirty dollars' worth, or what the strictest rate out of it asks at least."""
        out = [rate for rate in self.rates if rate.source.code == currency]
        return max(
            [30_000_000 // self.prices[currency].issue, 1]
            + [rate.minimum for rate in out]
            + [rate.bonus_every // 2 for rate in out]
        )


@dataclass(slots=True)
class Member:
    """A member as the plan goes: where it belongs, what it holds, and which requests were granted."""

    number: int
    home: str
    partner: str
    balances: dict[str, int] = field(default_factory=dict)
    granted: list[Planned] = field(default_factory=list)

    @property
    def reference(self) -> str:
        """What merchants call the member."""
        return reference_of(self.number)

    def settle(self, planned: Planned) -> None:
        """Carry a planned movement into the balances."""
        if planned.expected != DONE:
            return
        self.granted.append(planned)
        taken, given = {
            "earn": (None, planned.currency),
            "convert": (planned.currency, planned.target),
        }.get(planned.op, (planned.currency, None))
        if taken is not None:
            self.balances[taken] -= planned.used or planned.units
        if given is not None:
            self.balances[given] = self.balances.get(given, 0) + (planned.received or planned.units)


@dataclass(frozen=True, slots=True)
class Plan:
    """All movements by round, each round in the order of members and of what each member does."""

    members: Sequence[Member]
    rounds: Sequence[Sequence[Planned]]

    @property
    def movements(self) -> int:
        """How many there are."""
        return sum(len(of_round) for of_round in self.rounds)


def reference_of(member: int) -> str:
    """What merchants call the member of this number."""
    return f"m{member:06}"


def is_unary(member: int) -> bool:
    """Whether a member is served call by call."""
    return member % UNARY_EVERY == 0


def is_suspended(merchant: str, day: date) -> bool:
    """Whether the operator has stopped the merchant by then."""
    return merchant == SUSPENDED_AT_MIDNIGHT and day >= SECOND_DAY
