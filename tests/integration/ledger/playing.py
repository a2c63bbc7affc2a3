"""Scripts played to ledgers, and what was told, in words that mean the same to all of them."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from exchange.db.engine import DriverConnection
from exchange.ledger.decision import Outcome
from exchange.ledger.ids import new_id
from exchange.ledger.model import Account, Command, Receipt, Transfer, member_bucket
from exchange.ledger.model import Side as Direction
from exchange.refusals import Refusal
from tests.integration.ledger.ledgers import ENROLL, LINK, OPERATOR, PRICES, Ledger
from tests.integration.ledger.scripts import FOLLOWED, HOUR, MEMBERS, Ask, Beside, Script, Together
from tests.unit.rules.rulebook import MERCHANT_NO

NAMES_AND_TIMES = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\d[T ][\d:.+Z]*")
ACCOUNTS = """
SELECT member_id, currency_no, available_units, last_sequence, held_units, overdrawn_units, is_closed
FROM exchange.accounts WHERE member_id = ANY ($1) AND last_sequence > 0 ORDER BY 1, 2
"""
LOTS = """
SELECT lot_id, units, remaining_units, held_units, price_micros, funder_no, expires_at FROM exchange.lots
WHERE member_id = ANY ($1) ORDER BY member_id, currency_no, expires_at, earned_at, lot_id
"""
TOTALS = """
SELECT window_no, debtor, creditor, kind, micros, obligations FROM exchange.clearing_totals_v1 WHERE window_no >= $1
"""
OPEN_WINDOW = "SELECT window_no FROM exchange.clearing_windows WHERE closed_at IS NULL"
BACK_IN_TIME = """
SELECT count(*) FROM (
    SELECT occurred_at, lag(occurred_at) OVER (PARTITION BY member_id, currency_no ORDER BY ledger_sequence) AS before
    FROM exchange.transfers, unnest(legs) AS leg WHERE member_id = ANY ($1) AND account_sequence IS NOT NULL
) entry WHERE before > occurred_at
"""
HOURS = (1, 2, 7)
"""By which time goes on. After the last all lots have ended, and servers ask what time it is."""
MADE = "SELECT count(*) FROM exchange.transfers WHERE member_id = ANY ($1)"
PASS = "UPDATE exchange.coalition SET clock_offset = clock_offset + $1"


@dataclass
class Side:
    """One ledger a script is played to.

    Attributes:
        servers: of its database; what a script has done at a server that is not there is done at the first.
        owner: a connection for what servers do not do.
        names: of transfers and lots, in the order in which they were first told of.
        made: transfers, in their order.
    """

    servers: Sequence[Ledger]
    owner: DriverConnection
    names: dict[str, int] = field(default_factory=dict)
    made: list[Transfer] = field(default_factory=list)
    totals_before: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    window_before: int = 0

    def at(self, server: int) -> Ledger:
        """Where it is done."""
        return self.servers[server % len(self.servers)]

    async def begin(self, members: list[UUID], label: str, now: datetime) -> None:
        """New persons, nothing told yet, a whole hour."""
        self.names, self.made = {}, []
        buckets = [member_bucket(member) for member in members]
        await self.owner.execute(ENROLL, members, buckets, MERCHANT_NO["GRO"])
        references = [f"{label}-{place}" for place in range(len(members))]
        await self.owner.execute(LINK, members, buckets, references, list(MERCHANT_NO.values()))
        await self.servers[0].api.changes.set_clock(OPERATOR, now)
        for server in self.servers:
            await server.api.source.fresh()
        self.window_before = await self.owner.fetchval(OPEN_WINDOW)
        self.totals_before = await self._totals()

    async def _totals(self) -> Counter[tuple[Any, ...]]:
        totals: Counter[tuple[Any, ...]] = Counter()
        for *key, micros, obligations in await self.owner.fetch(TOTALS, self.window_before):
            totals[(*key, "micros")] += int(micros)
            totals[(*key, "count")] += obligations
        return totals

    async def left(self, members: list[UUID]) -> tuple[object, ...]:
        """What there is in the end: balances, lots in the order of spending, and what the script has left owing."""
        lots = [(self._name(row[0]), *row[1:]) for row in await self.owner.fetch(LOTS, members)]
        totals = await self._totals()
        totals.subtract(self.totals_before)
        accounts = [tuple(row) for row in await self.owner.fetch(ACCOUNTS, members)]
        return accounts, lots, {key: total for key, total in totals.items() if total}

    async def post(self, server: int, commands: Sequence[Command], *, atomic: bool) -> list[object]:
        """What was told of requests that came together."""
        outcomes = await self.at(server).api.poster.post_all(commands, atomic=atomic)
        return [self.told(outcome) for outcome in outcomes]

    def _name(self, name: UUID | None) -> int | None:
        return None if name is None else self.names.setdefault(str(name), len(self.names))

    def told(self, outcome: Outcome) -> object:
        """An answer without what differs from ledger to ledger: names by the order in which they were told."""
        if isinstance(outcome, Refusal):
            return outcome.reason, outcome.category, {key: self._plain(value) for key, value in outcome.data.items()}
        if not isinstance(outcome, Receipt):
            raise outcome
        transfer = outcome.transfer
        if transfer.transfer_id is not None and not outcome.replayed:
            self.made.append(transfer)
        return (
            "again" if outcome.replayed else "yes",
            *(self._name(transfer.transfer_id), transfer.kind, transfer.merchant_no, self._plain(transfer.request_id)),
            *(transfer.window_no, transfer.rate_id, self._name(transfer.original_id), transfer.frozen_price_micros),
            [(*leg[:5], self._name(leg.lot_id)) for leg in transfer.legs],
            [tuple(owed) for owed in transfer.obligations],
        )

    def _plain(self, text: str) -> str:
        """Names as numbers, no times."""
        return NAMES_AND_TIMES.sub(lambda found: f"<{self.names.get(found[0], '')}>", text)


class Stage:
    """Where scripts are played: the same to every side, act by act.

    Attributes:
        passed: seconds by which the clocks of all servers are ahead of this machine's.
    """

    def __init__(self, sides: Sequence[Side]) -> None:
        self.sides = sides
        self.passed = 0.0
        self._number = 0
        self._members: list[UUID] = []
        self._asked: list[tuple[str, Ask]] = []
        self._base, self._hours = datetime.min.replace(tzinfo=UTC), 0
        self._suspended = False

    async def play(self, script: Script) -> None:
        """The same is told by all, and the same is left."""
        await self._begin()
        try:
            for place, act in enumerate(script):
                if isinstance(act, Together):
                    asked = [one for at, ask in enumerate(act.asks) if (one := self._meant(f"{place}.{at}", ask))]
                    told = [await self._post(side, act, asked) for side in self.sides]
                else:
                    told = [await self._do(side, act) for side in self.sides]
                    self._let_pass(act)
                assert all(one == told[0] for one in told), (act, *told)
        finally:
            if self._suspended:
                await self._toggle()
        left = [await side.left(self._members) for side in self.sides]
        assert all(one == left[0] for one in left), left
        for side in self.sides:
            assert await side.owner.fetchval(BACK_IN_TIME, self._members) == 0

    async def play_at_once(self, parts: Sequence[Script]) -> None:
        """Requests of several scripts at the same time, to the first side only: each counts once, and all that counts.

        Nothing else happens meanwhile. Whose turn it is, is chance: what is told is not foreseen, only what is left.
        """
        await self._begin()
        side = self.sides[0]

        async def part(number: int, script: Script) -> None:
            for place, act in enumerate(script):
                if isinstance(act, Together):
                    meant = (self._meant(f"{number}.{place}.{at}", ask) for at, ask in enumerate(act.asks))
                    await self._post(side, act, [one for one in meant if one])

        async with asyncio.TaskGroup() as tasks:
            for number, script in enumerate(parts):
                tasks.create_task(part(number, script))
        assert len({(transfer.merchant_no, transfer.request_id) for transfer in side.made}) == len(side.made)
        assert await side.owner.fetchval(MADE, self._members) == len(side.made)
        told: Counter[tuple[UUID, int]] = Counter()
        for transfer in side.made:
            for leg in transfer.legs:
                if leg.account == Account.MEMBER:
                    told[(transfer.member_id, leg.currency_no)] += leg.units * (
                        1 if leg.side == Direction.CREDIT else -1
                    )
        left = {(row[0], row[1]): row[2] for row in await side.owner.fetch(ACCOUNTS, self._members)}
        assert told == left
        assert min(left.values()) >= 0
        assert await side.owner.fetchval(BACK_IN_TIME, self._members) == 0

    async def _begin(self) -> None:
        """New persons in every ledger; all clocks stand at the same whole hour."""
        self._number += 1
        self._members, self._asked, self._hours = [new_id() for _ in range(MEMBERS)], [], 0
        now = max([await side.owner.fetchval("SELECT exchange.coalition_now()") for side in self.sides])
        self._base = now.replace(minute=0, second=0, microsecond=0) + HOUR
        for side in self.sides:
            await side.begin(self._members, f"s{self._number}", self._base)

    def _meant(self, place: str, ask: Ask) -> tuple[str, Ask] | None:
        """The key and the request that is meant, the same on every side; None when there was nothing before."""
        key = f"{self._number}.{place}"
        if ask.kind == "again":
            if not self._asked:
                return None
            key, before = self._asked[-1 - ask.place % len(self._asked)]
            who = ask.who if ask.units else before.who
            return key, before._replace(units=before.units + ask.units, who=who, trial=ask.trial)
        if ask.kind in FOLLOWED:
            made = self.sides[0].made
            places = [at for at, transfer in enumerate(made) if transfer.kind in FOLLOWED[ask.kind]]
            if not places:
                return None
            ask = ask._replace(place=places[-1 - ask.place % len(places)])
        if ask.hours is not None:
            ask = ask._replace(hours=self._hours + ask.hours)
        self._asked.append((key, ask))
        return key, ask

    async def _post(self, side: Side, act: Together, asked: Sequence[tuple[str, Ask]]) -> object:
        ends = self._base + HOUR / 2
        found = [ask.command(key, self._members, ends, side.made) for key, ask in asked]
        commands = [command for command in found if command is not None]
        return await side.post(act.server, commands, atomic=act.atomic) if commands else None

    async def _do(self, side: Side, act: Beside) -> object:
        server = side.at(act.server)
        try:
            match act.what:
                case "window":
                    return (await server.close_window()).window_no
                case "price":
                    await self._publish(server, act.number)
                case "suspension":
                    await server.suspend("GRO", suspended=not self._suspended)
                case "closing":
                    member = self._members[act.number % MEMBERS]
                    ended, is_new = await server.api.closings.close(OPERATOR, member, "test")
                    return [side.told(Receipt(transfer, replayed=False)) for transfer in ended], is_new
                case "clock":
                    await server.api.changes.set_clock(OPERATOR, self._base + (self._hours + HOURS[act.number]) * HOUR)
                case "time":
                    await side.owner.execute(PASS, HOURS[act.number] * HOUR)
        except Refusal as refusal:
            return side.told(refusal)
        return None

    def _let_pass(self, act: Beside) -> None:
        """What an act has changed on every side."""
        if act.what == "suspension":
            self._suspended = not self._suspended
        if act.what in {"clock", "time"}:
            self._hours += HOURS[act.number]
        if act.what == "time":
            self.passed += HOURS[act.number] * HOUR.total_seconds()

    async def _publish(self, server: Ledger, number: int) -> None:
        """Another price of TEL, from now on or from within the hour, or the next."""
        begins = self._base + (self._hours + number - 1) * HOUR + HOUR / 4 if number else None
        micros = 12_000 + 10 * (self._number % 100) + number
        price = replace(PRICES["TEL"], issue_micros=micros, redeem_micros=micros - 1_000, effective_at=begins)
        await server.api.changes.publish_price(OPERATOR, "TEL", price)

    async def _toggle(self) -> None:
        for side in self.sides:
            await side.servers[0].suspend("GRO", suspended=not self._suspended)
        self._suspended = not self._suspended
