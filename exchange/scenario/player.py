"""A scenario from beginning to end: sandbox, coalition, events."""

from __future__ import annotations

from datetime import timedelta

from exchange.sandbox import sandbox
from exchange.scenario.coalition import build
from exchange.scenario.model import Scenario
from exchange.scenario.outcomes import Day
from exchange.scenario.runner import Runner


async def play(scenario: Scenario) -> Day:
    """Start a sandbox, play the file on it, and leave nothing behind.

    Raises:
        BadScenario: the server refuses what the file declares.
        Refused: it refuses what every file needs.
        SandboxFailed: it does not start.
    """
    offset = scenario.clock.utcoffset() or timedelta()
    async with sandbox(operator=scenario.coalition.operator, offset=offset, durable=False) as box:
        actors = await build(scenario, box.stubs, box.operator)
        return await Runner(scenario, box.stubs, box.operator, actors).play()
