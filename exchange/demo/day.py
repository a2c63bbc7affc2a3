"""The demo's day from the first process to the audit."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from exchange.client.settlement import NettedWindow, Settlement
from exchange.demo.cast import SUSPENDED_AT_MIDNIGHT
from exchange.demo.model import FIRST_DAY, MIDNIGHT_ROUND, SECOND_DAY, Plan, Planned, World
from exchange.demo.published import SETTLEMENT_CURRENCY
from exchange.demo.stage import OFFSET, Actors, build, enroll, instant, set_clock
from exchange.demo.tally import Tally
from exchange.demo.traffic import Answer, Deliver, play_round
from exchange.demo.verdict import Audit, Check, judge
from exchange.sandbox import Sandbox, SandboxFailed, sandbox
from exchange.v1.directory_service_pb2 import SuspendMerchantRequest

OPERATOR = "OPR"
_EVENING_HOUR = 18
_PROCESSES = 2
"""Server processes that share the port, as in earnest; the day must not care which of them answers."""


class Progress(Protocol):
    """Whoever shows how far the day is."""

    def begin(self, what: str, steps: int) -> None:
        """Another part of the day begins; it has so many steps."""

    def advance(self) -> None:
        """One step is done."""


@dataclass(slots=True)
class Stopwatch:
    """How long each part of the day took, in seconds, in order."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """Measure a part."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] = time.perf_counter() - begun


@dataclass(frozen=True, slots=True)
class DayResult:
    """Everything there is to show."""

    plan: Plan
    tally: Tally
    window: NettedWindow
    audit: Audit
    checks: Sequence[Check]
    seconds: dict[str, float]

    @property
    def passed(self) -> bool:
        """Whether everything adds up."""
        return all(check.ok for check in self.checks)


async def play_day(world: World, plan: Plan, progress: Progress) -> DayResult:
    """Start an exchange, play the plan on it, settle it and audit it; nothing stays behind.

    Raises:
        SandboxFailed: the exchange does not start, or its audit does not run.
        Refused: it refuses what the demo needs to set its stage or to settle.
    """
    watch = Stopwatch()
    tally = Tally(world.rates)

    def deliver(planned: Planned, answer: Answer) -> None:
        tally.add(planned, answer)
        progress.advance()

    progress.begin("Starting PostgreSQL and the server", 1)
    with watch.of("all"):
        begun = time.perf_counter()
        async with sandbox(operator=OPERATOR, offset=OFFSET, durable=True, processes=_PROCESSES) as box:
            watch.seconds["start"] = time.perf_counter() - begun
            progress.advance()
            progress.begin(f"Founding a coalition of {len(world.participants)} merchants", 1)
            with watch.of("coalition"):
                actors = await build(world, box.stubs, box.operator)
            progress.advance()
            with watch.of("members"):
                progress.begin(f"Enrolling {len(plan.members):,} members", len(plan.members))
                names = await enroll(plan.members, visits_of(plan), box.lanes, actors, progress.advance)
            with watch.of("movements"):
                progress.begin(f"Moving points, {plan.movements:,} times", plan.movements)
                await _move(plan, names, box, actors, deliver)
            progress.begin("Closing the window, netting, auditing", 2)
            with watch.of("settlement"):
                settlement = Settlement(box.stubs.channel, actors.finance_maker)
                window = await settlement.net(await settlement.close(), SETTLEMENT_CURRENCY, 0)
            progress.advance()
            with watch.of("audit"):
                audit = await _audit(box)
            progress.advance()
    checks = judge(tally, asked=plan.movements, window=window, audit=audit, operator=OPERATOR)
    return DayResult(plan, tally, window, audit, checks, watch.seconds)


def visits_of(plan: Plan) -> dict[int, list[str]]:
    """The merchants beside its home that each member comes to, by its number."""
    found: dict[int, dict[str, None]] = {}
    for of_round in plan.rounds:
        for planned in of_round:
            if planned.merchant != plan.members[planned.member].home:
                found.setdefault(planned.member, {})[planned.merchant] = None
    return {member: list(places) for member, places in found.items()}


async def _move(plan: Plan, names: Sequence[str], box: Sandbox, actors: Actors, deliver: Deliver) -> None:
    await set_clock(box.stubs, box.operator, instant(FIRST_DAY, _EVENING_HOUR))
    for number, planned in enumerate(plan.rounds):
        if number == MIDNIGHT_ROUND:
            await set_clock(box.stubs, box.operator, instant(SECOND_DAY))
            request = SuspendMerchantRequest(name=f"merchants/{SUSPENDED_AT_MIDNIGHT}", reason="shown in the demo")
            await box.operator.ask(box.stubs.directory.SuspendMerchant, request)
        await play_round(planned, names, box.lanes, actors, deliver)


async def _audit(box: Sandbox) -> Audit:
    code, output, errors = await box.command("audit", "--json")
    try:
        found = json.loads(output)
        return Audit(ok=bool(found["ok"]) and code == 0, checks=list(found["checks"]))
    except (ValueError, KeyError, TypeError) as error:
        raise SandboxFailed(f"the audit ended with {code} and says: {errors or output}") from error
