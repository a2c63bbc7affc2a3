"""Windows of any size for `bench.settling`: rows as posting writes them, put there by SQL, then settled by the code."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

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
_OPERATOR = "OPR"
_EXTENSIONS = "settlement.app:extension"
_ACTOR = Actor("FINANCE_MAKER:bench", "bench")

_MERCHANTS = """
INSERT INTO exchange.merchants (merchant_id, display_name, roles, created_at)
SELECT 'M' || to_char(n, 'FM00'), 'Merchant ' || n, '{}', now() FROM generate_series(1, $1) n
"""

# Wide rows with two obligations each, of pairs that are drawn evenly.
_TRANSFERS = """
INSERT INTO exchange.transfers
    (bucket, transfer_id, kind, merchant_no, member_id, request_id, occurred_at, ledger_sequence, window_no, legs,
     obligations)
SELECT n % 1024, gen_random_uuid(), 1, least_no, gen_random_uuid(), n::text, now(), $2 + n, $3, '{}', ARRAY[
    ROW(1, least_no + n % $4, least_no + (n + 1 + n / $4 % ($4 - 1)) % $4, 'CNY', 1 + n % 9999999, 1, 1),
    ROW(2, least_no + (n + 1) % $4, least_no + n % $4, 'CNY', 1 + n % 999, 1, 1)]::exchange.obligation[]
FROM generate_series(1, $1) n, (SELECT min(merchant_no) AS least_no FROM exchange.merchants WHERE merchant_id LIKE 'M%')
"""

_TOTALS = """
INSERT INTO exchange.window_totals (window_no, slice, debtor_no, creditor_no, currency_code, kind, micros, obligations)
SELECT window_no, 1, debtor_no, creditor_no, currency_code, o.kind, sum(micros), count(*)
FROM exchange.transfers t CROSS JOIN LATERAL unnest(t.obligations) o WHERE window_no = $1
GROUP BY window_no, debtor_no, creditor_no, currency_code, o.kind
"""

_GROUP_BY = """
SELECT currency_code, debtor, creditor, sum(micros), count(*) FROM exchange.clearing_entries_v1 WHERE window_no = $1
GROUP BY currency_code, debtor, creditor
"""


@dataclass
class Windows:
    """The open window of a coalition of MERCHANTS merchants, and what is done with it."""

    database: Database
    connection: "asyncpg.Connection[asyncpg.Record]"
    window_no: int = 1
    posted: int = 0
    runs: list[Run] = field(default_factory=list)

    async def fill(self, transfers: int) -> None:
        """Move points so often in the open window, two obligations each."""
        await self.connection.execute(_TRANSFERS, transfers, self.posted, self.window_no, MERCHANTS)
        await self.connection.execute(_TOTALS, self.window_no)
        await self.connection.execute("VACUUM ANALYZE exchange.transfers")
        self.posted += transfers

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
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        await connection.execute(_MERCHANTS, MERCHANTS)
        yield Windows(database, connection)
    finally:
        await connection.close()
        await database.dispose()
