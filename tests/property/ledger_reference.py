"""The exchange as a clerk would keep it with pencil and paper: lots in lists, debts in a table, exact fractions.

Written from the rulebook and from nothing else, so that agreeing with it means something. It is slow and simple: a
group that fails is undone by going back to a copy of everything.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from uuid import UUID

from tests.property.ledger_asks import Ask, AskGroup
from tests.unit.rules.rulebook import NOON

PRICES = {
    "AIR": (60_000, 50_000, 55_000, 50_000),
    "BNK": (2_500, 2_000, 2_250, 2_000),
    "TEL": (12_000, 10_000, 10_500, 10_000),
}
ISSUE, REDEEM, INTO, OUT = range(4)
EARNERS = {"AIR", "BNK", "TEL", "CAF"}
ACCEPTORS = {"AIR", "BNK", "TEL", "GRO"}
EXCHANGERS = {"AIR", "BNK", "TEL"}
FOR_EVER = timedelta(days=10**6)


class No(Exception):
    """A refusal, by its reason."""


@dataclass
class Pile:
    """Points of one award."""

    ends: datetime
    number: int
    points: int


@dataclass
class Reference:
    """Everything a clerk knows."""

    piles: dict[tuple[UUID, str], list[Pile]] = field(default_factory=lambda: defaultdict(list))
    debts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    answers: dict[tuple[str, str], tuple[object, str]] = field(default_factory=dict)
    converted_today: Counter[tuple[UUID, str]] = field(default_factory=Counter)
    entries: Counter[tuple[UUID, str]] = field(default_factory=Counter)
    awards: int = 0

    def handle(self, group: AskGroup, now: datetime) -> list[str]:
        """What each request of a group is told: "moved", "replayed" or a reason."""
        if not group.atomic:
            return [self._answer(ask, now) for ask in group.asks]
        before = self._copied()
        told = []
        for ask in group.asks:
            told.append(self._answer(ask, now))
            if told[-1] not in {"moved", "replayed"}:
                self.__dict__.update(before.__dict__)
                # A no is remembered; a key that another item of the group had just used is unused again.
                if told[-1] != "REQUEST_ID_REUSED" and not ask.trial:
                    self.answers[(ask.merchant, ask.key)] = (ask.body, told[-1])
                place = len(told) - 1
                return [
                    told[-1] if other == place else self._known(ask) or "BATCH_NOT_APPLIED"
                    for other, ask in enumerate(group.asks)
                ]
        return told

    def held(self) -> dict[tuple[UUID, str], int]:
        """Points by member and currency, those that have run out included: nobody has taken them away yet."""
        sums = {account: sum(pile.points for pile in piles) for account, piles in self.piles.items()}
        return {account: points for account, points in sums.items() if points}

    def _copied(self) -> Reference:
        piles = {account: [replace(pile) for pile in piles] for account, piles in self.piles.items()}
        return Reference(
            defaultdict(list, piles),
            self.debts.copy(),
            dict(self.answers),
            self.converted_today.copy(),
            self.entries.copy(),
            self.awards,
        )

    def _known(self, ask: Ask) -> str | None:
        if (ask.merchant, ask.key) not in self.answers:
            return None
        body, told = self.answers[(ask.merchant, ask.key)]
        if body != ask.body:
            return "REQUEST_ID_REUSED"
        return "replayed" if told == "moved" else told

    def _answer(self, ask: Ask, now: datetime) -> str:
        known = self._known(ask)
        if known is not None:
            return known
        scratch = self._copied() if ask.trial else self
        try:
            {"earn": scratch._earn, "redeem": scratch._spend, "discount": scratch._spend, "convert": scratch._convert}[
                ask.kind
            ](ask, now)
            told = "moved"
        except No as no:
            told = str(no)
        if not ask.trial:
            self.answers[(ask.merchant, ask.key)] = (ask.body, told)
        return told

    def _earn(self, ask: Ask, now: datetime) -> None:
        if ask.merchant not in EARNERS:
            raise No("ROLE_MISSING")
        ends = {"BNK": now + FOR_EVER, "AIR": now + timedelta(days=2), "TEL": now + FOR_EVER}[ask.code]
        if ask.ends is not None:
            ends = NOON + timedelta(days=ask.ends)
            if ends <= now:
                raise No("EXPIRY_NOT_ALLOWED")
        self._put(ask.member, ask.code, ask.units, ends)
        self._owe(ask.merchant, ask.code, "EARN", ask.units * PRICES[ask.code][ISSUE])

    def _spend(self, ask: Ask, now: datetime) -> None:
        if ask.merchant not in ACCEPTORS:
            raise No("ROLE_MISSING")
        self._take(ask.member, ask.code, ask.units, now)
        self._owe(ask.code, ask.merchant, ask.kind.upper(), ask.units * PRICES[ask.code][REDEEM])

    def _convert(self, ask: Ask, now: datetime) -> None:
        if ask.merchant not in EXCHANGERS:
            raise No("ROLE_MISSING")
        if ask.merchant not in {ask.code, ask.target}:
            raise No("NOT_THE_ISSUER")
        if ask.code == "BNK":
            offered, ratio, fee = ask.units - ask.units % 60, Fraction(1, 30), 0
        elif ask.code == "AIR":
            offered, ratio, fee = ask.units, Fraction(7, 2), 5
            if not 4 <= offered <= 90:
                raise No("BELOW_MINIMUM" if offered < 4 else "ABOVE_MAXIMUM")
        else:
            raise No("NO_RATE")
        received = math.floor(offered * ratio)
        used = math.ceil(received / ratio)
        if not used:
            raise No("CONVERTS_TO_NOTHING")
        if self._spendable(ask.member, ask.code, now) < ask.units:
            raise No("INSUFFICIENT_POINTS")
        if ask.code == "BNK":
            received += used // 360
            fee = min(7 * used, 2_000)
            today = (ask.member, f"{now + timedelta(hours=8):%F}")
            if self.converted_today[today] + used > 500:
                raise No("DAILY_CAP_EXCEEDED")
            self.converted_today[today] += used
        self._take(ask.member, ask.code, used, now)
        self._put(ask.member, ask.target, received, now + (timedelta(days=2) if ask.target == "AIR" else FOR_EVER))
        arriving = received * PRICES[ask.target][INTO]
        self._owe(ask.code, ask.target, "CONVERSION", arriving)
        self._owe(ask.code, "OPR", "SPREAD", used * PRICES[ask.code][OUT] - arriving)
        self._owe(ask.code, "OPR", "FEE", fee)

    def _put(self, member: UUID, code: str, points: int, ends: datetime) -> None:
        self.awards += 1
        self.entries[(member, code)] += 1
        # What never ends has no order among itself but that of coming.
        ends = datetime.max.replace(tzinfo=ends.tzinfo) if ends - NOON > FOR_EVER / 2 else ends
        self.piles[(member, code)].append(Pile(ends, self.awards, points))

    def _alive(self, member: UUID, code: str, now: datetime) -> list[Pile]:
        alive = [pile for pile in self.piles[(member, code)] if pile.points and pile.ends > now]
        return sorted(alive, key=lambda pile: (pile.ends, pile.number))

    def _spendable(self, member: UUID, code: str, now: datetime) -> int:
        return sum(pile.points for pile in self._alive(member, code, now))

    def _take(self, member: UUID, code: str, points: int, now: datetime) -> None:
        if self._spendable(member, code, now) < points:
            raise No("INSUFFICIENT_POINTS")
        self.entries[(member, code)] += 1
        for pile in self._alive(member, code, now):
            part = min(pile.points, points)
            pile.points -= part
            points -= part

    def _owe(self, debtor: str, creditor: str, why: str, micros: int) -> None:
        if debtor != creditor and micros:
            self.debts[(debtor, creditor, why)] += micros
