"""Days that are really played, and played again in memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from exchange.client.caller import Caller
from exchange.db.engine import Database
from exchange.scenario.coalition import build
from exchange.scenario.parser import parse_scenario
from exchange.scenario.runner import Runner
from exchange.simulation.draft_file import parse_draft
from exchange.simulation.model import Comparison, Draft, Tally
from exchange.simulation.service import simulate
from tests.contract.stillness import stop_watching
from tests.database import Databases
from tests.servers import Server, a_server
from tests.worlds import a_world

PROJECT = Path(__file__).parents[2]
DAYS = Path(__file__).parent / "days"
FILES = sorted(
    file
    for file in (*(PROJECT / "examples" / "scenarios").glob("*.yaml"), *DAYS.glob("*.yaml"))
    if file.stem != "wrong_everywhere"
)
DAY_OF = {file: file.read_text() for file in FILES}
BEGINNING, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=600)


@asynccontextmanager
async def played(databases: Databases, text: str) -> AsyncIterator[Server]:
    """A server on which the day of a scenario has been played, whatever its file expects."""
    name = await databases.clone()
    day = parse_scenario(text)
    async with a_server(databases.url_of(name)) as server, a_world(server.address, server.operator_secret) as world:
        operator = Caller(server.operator_secret)
        actors = await build(day, world.stubs, operator)
        await Runner(day, world.stubs, operator, actors).play()
        yield server
        await stop_watching(server.url)
    await databases.drop(name)


async def again(server: Server, draft: str = "", since: datetime = BEGINNING) -> Comparison:
    """All that was played there since an instant, played again; an empty draft tries nothing."""
    database = Database(server.url)
    try:
        directory = (await server.api.source.current()).directory
        tried = parse_draft(draft, directory) if draft else Draft()
        return (await simulate(database, tried, since, END))[0]
    finally:
        await database.dispose()


def plain(tally: Tally) -> list[dict[Any, int]]:
    """What a tally counts, without zeros."""
    counts = (tally.minted, tally.burnt, tally.owed, tally.bonuses, tally.sponsored)
    return [{key: n for key, n in count.items() if n} for count in counts]


def command(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m exchange simulate` on a server's database."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EXCHANGE_")}
    return subprocess.run(
        [sys.executable, "-m", "exchange", "simulate", *arguments],
        cwd=PROJECT,
        env=inherited | {"EXCHANGE_DATABASE_URL": server.url},
        capture_output=True,
        text=True,
        check=False,
    )
