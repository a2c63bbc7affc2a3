"""`python -m bench.retiring`: what posters notice while a partition of old transfers leaves the ledger.

One server, one PostgreSQL with full durability. The exchange posts so many transfers for each partition, which is then
ended; a ledger would wait for the end of its quarter or year. Then, once for each partition, the oldest first: posters
are alone for some seconds, then the partition leaves as `python -m exchange retire` has it leave (begun, added up into
a checkpoint, archived, read back, detached) while they go on, then they are alone again. Ratios are taken within such a
round. A second connection looks all the time whether anybody who posts waits for a table.

Whether it may leave, which `retire` asks first, is not asked here: windows are closed, and that no holds, statements or
watchers need it is taken for given. The audit follows once, at the end, of everything that is left and has left.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import asyncpg
from rich.console import Console
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from bench import machine, requests, retiring_report
from bench.calls import BATCH
from bench.databases import durable_postgres
from bench.load.plan import Plan
from bench.parts import cut
from bench.posters import posting
from bench.processes import BenchFailed
from bench.retiring_report import ALONE, Round, Span
from bench.rig import coalition
from bench.samples import driven
from bench.world import Party
from exchange.callers import Caller, CallerRole
from exchange.db.engine import Database
from exchange.ledger.audit import audit
from exchange.ledger.windows import close_window
from exchange.retention.model import Part, Retirement
from exchange.retention.service import Candidate, Retirements

_RESULTS = Path(__file__).parent / "results"
_OPERATOR = Caller(CallerRole.OPERATOR, "bench", person="bench")
_BATCH = 1_000
_BATCHES_AT_ONCE = 5
_POST_SECONDS_MAX = 300.0
_LOOK_SECONDS = 0.01
_WARMUP_SECONDS = 1.0


# Everybody but the one that detaches, which waits for older readers by design.
_WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'relation'
  AND query NOT LIKE 'ALTER TABLE%'
"""

Told = Callable[[str], None]


class Leaving(Retirements):
    """Lets a partition leave without asking whether it may."""

    async def _candidate(self, connection: AsyncConnection, part: Part) -> Candidate:
        return (await super()._candidate(connection, part))._replace(hindrances=[])

    async def leave(self, name: str, folder: Path, told: Told) -> Retirement:
        """Everything from its being begun until it is detached; `told` hears each step when it begins."""
        (part,) = [one.part for one in await self.candidates(datetime.now(UTC)) if one.part.name == name]
        told("begin")
        return await self.go_on(await self._begin(part, _OPERATOR), folder, told)


async def measured(
    url: str, port: int, parties: list[Party], *, transfers: int, rounds: int, seconds: float, told: Told
) -> list[Round]:
    """Fill and end so many partitions, then let each leave beside posters.

    Raises:
        BenchFailed: the audit finds something at the end.
    """
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    database, connection = Database(url, role=None), await asyncpg.connect(dsn)
    try:
        names = []
        for number in range(rounds):
            told(f"filling partition {number + 1} of {rounds}")
            await asyncio.to_thread(_fill, port, parties, transfers)
            names.append(await cut(connection))
        async with database.write() as writing:
            await close_window(writing, None, _OPERATOR.credential)
        leaving = Leaving(database, url, keep=timedelta(0))
        with tempfile.TemporaryDirectory(prefix="exchange-bench-archive-") as archives:
            folder = Path(archives)
            found = [await _round(leaving, dsn, port, parties, name, folder, seconds, told) for name in names]
        told("audit")
        wrong = [finding.check for finding in await audit(database) if not finding.ok]
    finally:
        await connection.close()
        await database.dispose()
    if wrong:
        raise BenchFailed("the audit finds: " + "; ".join(wrong))
    return found


def _fill(port: int, parties: list[Party], transfers: int) -> None:
    lanes = requests.lanes(parties, requests.batches(_BATCH), transfers)
    driven(Plan(port=port, path=BATCH, lanes=lanes, in_flight=_BATCHES_AT_ONCE, seconds=_POST_SECONDS_MAX))


async def _round(
    leaving: Leaving, dsn: str, port: int, parties: list[Party], name: str, folder: Path, seconds: float, told: Told
) -> Round:
    steps: list[tuple[str, float]] = []

    def step(what: str) -> None:
        told(f"{name}: {what}")
        steps.append((what, time.monotonic()))

    async with posting(port, parties) as posters:
        await asyncio.sleep(_WARMUP_SECONDS)
        step(ALONE)
        await asyncio.sleep(seconds)
        async with _looking(dsn) as looks:
            gone = await leaving.leave(name, folder, step)
        step(ALONE)
        await asyncio.sleep(seconds)
        steps.append(("", time.monotonic()))
        calls = await posters.ended()
    spans = [Span(what, begins, ends) for (what, begins), (_, ends) in pairwise(steps)]
    return Round.of(gone.transfers, calls, spans, looks)


@contextlib.asynccontextmanager
async def _looking(dsn: str) -> AsyncIterator[list[int]]:
    """Every few milliseconds of the block: how many wait for a table."""
    looks: list[int] = []
    connection = await asyncpg.connect(dsn)
    question = await connection.prepare(_WAITING)

    async def look() -> None:
        while True:
            looks.append(await question.fetchval())
            await asyncio.sleep(_LOOK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield looks
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
        await connection.close()


def main() -> int:
    """Measure, print, write. 2: something does not run, or the audit finds something."""
    parser = argparse.ArgumentParser(prog="python -m bench.retiring", description=__doc__)
    parser.add_argument("--transfers", type=_at_least(_BATCH), default=100_000, help="in each partition that leaves")
    parser.add_argument("--rounds", type=_at_least(1), default=3, help="partitions that leave")
    parser.add_argument("--seconds", type=float, default=4.0, help="of posting alone, before and after")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="folder for the JSON and the chart")
    chosen = parser.parse_args()
    console = Console(stderr=True)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="exchange-bench-logs-") as logs,
            durable_postgres() as postgres,
            coalition(postgres.exchange, Path(logs) / "exchange.log", direct_url=postgres.wide) as (server, parties),
            console.status("") as status,
        ):
            rounds = asyncio.run(
                measured(
                    postgres.exchange,
                    server.port,
                    parties,
                    transfers=chosen.transfers,
                    rounds=chosen.rounds,
                    seconds=chosen.seconds,
                    told=status.update,
                )
            )
            settings = postgres.settings
    except BenchFailed as failed:
        print(failed, file=sys.stderr)
        return 2
    retiring_report.show(rounds, machine.description())
    retiring_report.write(chosen.output, rounds, machine.description(), settings)
    return 0


def _at_least(least: int) -> Callable[[str], int]:
    def number(said: str) -> int:
        if int(said) < least:
            raise argparse.ArgumentTypeError(f"at least {least}")
        return int(said)

    return number


if __name__ == "__main__":
    sys.exit(main())
