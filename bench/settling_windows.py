"""Windows of any size for `bench.settling`: rows as posting writes them, put there by SQL, then settled by the code."""

import contextlib
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from bench.processes import environment, exchange_command
from exchange.db.engine import Database
from settlement.actors import Actor
from settlement.recount.service import Recounts
from settlement.run.asked import Asked
from settlement.run.model import Run
from settlement.run.service import Runs
from settlement.windows.service import Windows as WindowService

MERCHANTS = 20
SMALL = 1_000
_FILL = 100_000
_KIB_PER_MIB = 1_024
_OWN = Path("/proc/self")
_OPERATOR = "OPR"
_EXTENSIONS = "settlement.app:extension"
_ACTOR = Actor("FINANCE_MAKER:bench", "bench")

_MERCHANTS = """
INSERT INTO exchange.merchants (merchant_id, display_name, roles, created_at)
SELECT 'M' || to_char(n, 'FM00'), 'Merchant ' || n, '{}', now() FROM generate_series(1, $1) n
"""

# Wide rows as conversions leave them: four legs, and two obligations of pairs that are drawn evenly.
_TRANSFERS = """
INSERT INTO exchange.transfers
    (bucket, transfer_id, kind, merchant_no, member_id, request_id, occurred_at, ledger_sequence, window_no, rate_id,
     legs, obligations)
SELECT n % 1024, id, 4, least_no + n % $4, id, id::text, now(), n, $3, id, ARRAY[
    ROW(1, 1, 1, 300, n, id), ROW(2, 2, 1, 300, 0, NULL), ROW(2, 1, 2, 10, 0, NULL),
    ROW(1, 2, 2, 10, n, id)]::exchange.points_leg[], ARRAY[
    ROW(1, least_no + n % $4, least_no + (n + 1 + n / $4 % ($4 - 1)) % $4, 'CNY', 1 + n % 9999999, 1, 1),
    ROW(2, least_no + (n + 1) % $4, least_no + n % $4, 'CNY', 1 + n % 999, 1, 1)]::exchange.obligation[]
FROM (SELECT n, (left(exchange.id_at(now())::text, 14) || right(gen_random_uuid()::text, 22))::uuid AS id
      FROM generate_series($1::bigint, $2::bigint) n) numbered,
     (SELECT min(merchant_no) AS least_no FROM exchange.merchants WHERE merchant_id LIKE 'M%') first
"""

_TOTALS = """
INSERT INTO exchange.window_totals (window_no, slice, debtor_no, creditor_no, currency_code, kind, micros, obligations)
SELECT window_no, 1, debtor_no, creditor_no, currency_code, o.kind, sum(micros), count(*)
FROM exchange.transfers t CROSS JOIN LATERAL unnest(t.obligations) o WHERE window_no = $1
GROUP BY window_no, debtor_no, creditor_no, currency_code, o.kind
"""

# The shortest way to ask for it. Names would cost two joins more, and compiling it more than it saves.
_GROUP_BY = """
SELECT o.currency_code, o.debtor_no, o.creditor_no, sum(o.micros), count(*)
FROM exchange.transfers t CROSS JOIN LATERAL unnest(t.obligations) o WHERE t.window_no = $1
GROUP BY o.currency_code, o.debtor_no, o.creditor_no
"""

Told = Callable[[str, int, int], None]
"""What is being done, and how much of how much of it is."""


@dataclass(frozen=True, slots=True)
class WindowRow:
    """A window of so many transfers of two obligations each, and what each step took.

    Attributes:
        transfers: how many.
        close_and_run_s: closing and running it.
        small_close_and_run_s: the same of windows of SMALL transfers just before and after it, the mean.
        beside_small: one divided by the other.
        recount_s: the recount, kept in the database; the median of all rounds.
        group_by_s: a plain GROUP BY of the same rows, likewise; in turns with it.
        group_by_beside_recount: the median of the rounds' ratios; wanted is 0.7 or more.
        recount_mib: how much more memory than before the process that recounts had at most; -1: nobody knows.
    """

    transfers: int
    close_and_run_s: float
    small_close_and_run_s: float
    beside_small: float
    recount_s: float
    group_by_s: float
    group_by_beside_recount: float
    recount_mib: int


@dataclass
class Windows:
    """The open window of a coalition of MERCHANTS merchants, and what is done with it."""

    database: Database
    connection: "asyncpg.Connection[asyncpg.Record]"
    window_no: int = 1
    posted: int = 0
    runs: list[Run] = field(default_factory=list)

    async def fill(self, transfers: int, told: Told = lambda *_: None) -> None:
        """Move points so often in the open window."""
        last = self.posted + transfers
        for first in range(self.posted + 1, last + 1, _FILL):
            told(f"filling a window of {transfers:,}", first - self.posted, transfers)
            until = min(first + _FILL - 1, last)
            await self.connection.execute(_TRANSFERS, first, until, self.window_no, MERCHANTS)
        await self.connection.execute(_TOTALS, self.window_no)
        # As the server's own vacuum would; what is measured is not the first reading of rows just written.
        await self.connection.execute("VACUUM ANALYZE exchange.transfers")
        self.posted = last

    async def close_and_run(self) -> None:
        """Cut it off and net it."""
        window, self.window_no, _ = await WindowService(self.database).close(None, _ACTOR)
        run, _ = await Runs(self.database).start(window.window_no, Asked(), _ACTOR)
        self.runs.append(run)

    async def recount(self) -> None:
        """Count the newest run again from its transfers."""
        recount = await Recounts(self.database).recount(self.runs[-1].run_id, _ACTOR)
        assert recount.passed, recount.mismatches

    async def group_by(self) -> None:
        """What one would write to look: one statement, nothing streamed, nothing kept."""
        await self.connection.fetch(_GROUP_BY, self.runs[-1].window_no)


@contextlib.asynccontextmanager
async def prepared(url: str) -> AsyncIterator[Windows]:
    """A migrated database with its merchants."""
    environ = environment(database_url=url, service_extensions=_EXTENSIONS)
    exchange_command("migrate", "--operator", _OPERATOR, "--time-zone", "Asia/Shanghai", environ=environ)
    database = Database(url)
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn, server_settings={"jit": "off"}, command_timeout=None)
    try:
        await connection.execute(_MERCHANTS, MERCHANTS)
        yield Windows(database, connection)
    finally:
        await connection.close()
        await database.dispose()


async def measured(url: str, sizes: Sequence[int], rounds: int, told: Told) -> list[WindowRow]:
    """A window of each size, filled, closed, run and recounted, in one database that keeps growing."""
    async with prepared(url) as windows:
        await _small(windows)  # what happens only the first time is no window's
        return [await _measured(windows, size, rounds, told) for size in sizes]


async def _measured(windows: Windows, size: int, rounds: int, told: Told) -> WindowRow:
    before = await _small(windows)
    await windows.fill(size, told)
    ran = await _seconds(windows.close_and_run)
    grouped, recounted, memory = [], [], -1
    for number in range(rounds):
        told(f"counting {size:,} again", number, rounds)
        grouped.append(await _seconds(windows.group_by))
        had = _memory_from_now_on()
        recounted.append(await _seconds(windows.recount))
        memory = max(memory, _most_memory() - had if had else -1)
    small = (before + await _small(windows)) / 2
    return WindowRow(
        transfers=size,
        close_and_run_s=ran,
        small_close_and_run_s=small,
        beside_small=ran / small,
        recount_s=statistics.median(recounted),
        group_by_s=statistics.median(grouped),
        group_by_beside_recount=statistics.median(plain / ours for plain, ours in zip(grouped, recounted, strict=True)),
        recount_mib=memory if memory < 0 else memory // _KIB_PER_MIB,
    )


async def _small(windows: Windows) -> float:
    """Seconds to close and run a small window."""
    await windows.fill(SMALL)
    return await _seconds(windows.close_and_run)


async def _seconds(work: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


def _memory_from_now_on() -> int:
    """Forget the most memory this process ever had; KiB it has now. 0: not Linux."""
    try:
        (_OWN / "clear_refs").write_text("5")
    except OSError:
        return 0
    return _own("VmRSS")


def _most_memory() -> int:
    """The most this process had since, KiB."""
    return _own("VmHWM")


def _own(name: str) -> int:
    lines = (_OWN / "status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))
