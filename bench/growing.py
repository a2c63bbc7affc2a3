"""`python -m bench.growing`: what moving and reading points costs as the ledger grows.

The same server and database from the first transfer on; the ledger grows by posting, so every row is one the exchange
wrote. At each size the same things are measured, and told beside the same at the first size: the ratio is the answer.
Bytes stand beside those of the hand-written tables of the yardsticks, which have the same rows and no more.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy.engine import make_url

from bench import machine, requests
from bench.baselines import raw_sql
from bench.calls import BATCH, CONVERT, bulk, unary_sample
from bench.load.plan import Plan
from bench.rig import Rig, rigged
from bench.samples import Sample, driven
from bench.world import Party
from exchange.v1 import member_service_pb2 as members

_RESULTS = Path(__file__).parent / "results"
_SIZES = (10_000, 100_000)
_FULL_SIZES = (10_000, 1_000_000, 10_000_000)
_SECONDS = 4.0
_WIDTH_MIN = 150
_BATCH = 1_000
_BATCHES_AT_ONCE = 5
_FILL = 100_000
_FILL_SECONDS_MAX = 600.0
_READS_PER_SECOND = 150.0
_MEMBERS = "/exchange.v1.MemberService/"
_BYTES = "SELECT sum(pg_total_relation_size(name::regclass))::bigint FROM unnest($1::text[]) AS name"
_OURS = ["exchange.transfers", "exchange.request_keys", "exchange.lots"]
_BARE = ["wide.transfers", "wide.request_keys", "wide.lots"]


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured with so many transfers in the ledger.

    Attributes:
        transfers: how many.
        unary_cpu_us: processor time of server and PostgreSQL for each conversion on its own.
        bulk_cpu_us: the same for each of a thousand.
        bulk_per_second: conversions.
        balances_ms: median of ListBalances at low load.
        statement_ms: median of the first page of ListStatementEntries, likewise.
        bytes_each: of a transfer, its key and its lot, indexes included.
        bytes_beside_bare: those beside the hand-written tables'.
    """

    transfers: int
    unary_cpu_us: float
    bulk_cpu_us: float
    bulk_per_second: float
    balances_ms: float
    statement_ms: float
    bytes_each: float
    bytes_beside_bare: float


def main() -> int:
    """Grow, measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.growing", description=__doc__)
    parser.add_argument("--full", action="store_const", dest="sizes", const=_FULL_SIZES, help="up to ten millions")
    parser.add_argument("--sizes", type=int, nargs="+", help="transfers in the ledger, ascending")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="folder for the JSON")
    parser.set_defaults(sizes=_SIZES)
    chosen = parser.parse_args()
    with rigged() as rig, Progress(console=Console(stderr=True), transient=True, refresh_per_second=1) as progress:
        bare = _bare_bytes(rig)
        rows = []
        for size in chosen.sizes:
            task = progress.add_task(f"posting up to {size:,}", total=size)
            while (there := _transfers(rig)) < size:
                progress.update(task, completed=there)
                _post(rig, min(size - there, _FILL))
            progress.update(task, completed=size)
            rows.append(_measured(rig, bare))
    _show(rows)
    _write(chosen.output / "growing.json", rows)
    return 0


def _post(rig: Rig, count: int) -> None:
    """Post so many conversions, a few more or less, in bulk."""
    driven(
        Plan(
            port=rig.exchange.port,
            path=BATCH,
            lanes=requests.lanes(rig.parties, requests.batches(_BATCH), count),
            in_flight=_BATCHES_AT_ONCE,
            seconds=_FILL_SECONDS_MAX,
        )
    )


def _measured(rig: Rig, bare: float) -> Row:
    unary = unary_sample(rig, CONVERT, requests.converts, _SECONDS)
    many = bulk(_BATCH, _BATCHES_AT_ONCE)(rig, _SECONDS, {})
    reads = [
        unary_sample(rig, _MEMBERS + name, build, _SECONDS, per_second=_READS_PER_SECOND)
        for name, build in (("ListBalances", _balances), ("ListStatementEntries", _statements))
    ]
    there, size = _transfers(rig), asyncio.run(_asked(rig.databases.exchange, _BYTES, _OURS))
    return Row(
        transfers=there,
        unary_cpu_us=_cpu(unary),
        bulk_cpu_us=_cpu(many),
        bulk_per_second=many.per_second,
        balances_ms=reads[0].latency_ms["p50"],
        statement_ms=reads[1].latency_ms["p50"],
        bytes_each=size / there,
        bytes_beside_bare=size / there / bare,
    )


def _cpu(sample: Sample) -> float:
    return sum(sample.cpu_us.get(who, 0.0) for who in ("server", "postgres"))


def _balances(party: Party, count: int) -> list[bytes]:
    return [members.ListBalancesRequest(member=name).SerializeToString() for name in _some(party, count)]


def _statements(party: Party, count: int) -> list[bytes]:
    return [
        members.ListStatementEntriesRequest(member=name, currency=party.currency).SerializeToString()
        for name in _some(party, count)
    ]


def _some(party: Party, count: int) -> list[str]:
    return [party.members[place % len(party.members)] for place in range(count)]


def _bare_bytes(rig: Rig) -> float:
    """Bytes of a transfer in the hand-written tables, after some seconds of filling them."""
    url = rig.databases.wide
    before = asyncio.run(_asked(url, _BYTES, _BARE))
    raw_sql.run(url, connections=1, seconds=_SECONDS, postgres_pid=rig.databases.pid)
    written = asyncio.run(_asked(url, "SELECT count(*) FROM wide.transfers"))
    return (asyncio.run(_asked(url, _BYTES, _BARE)) - before) / written


async def _asked(url: str, question: str, *arguments: object) -> int:
    """One number."""
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        return int(await connection.fetchval(question, *arguments))
    finally:
        await connection.close()


def _transfers(rig: Rig) -> int:
    return asyncio.run(_asked(rig.databases.exchange, "SELECT count(*) FROM exchange.transfers"))


def _show(rows: Sequence[Row]) -> None:
    table = Table(title="The same work as the ledger grows; in brackets beside the first size")
    for heading in asdict(rows[0]):
        table.add_column(heading.replace("_", " "), justify="right")
    first = asdict(rows[0])
    for row in rows:
        table.add_row(*(_cell(name, value, first) for name, value in asdict(row).items()))
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH_MIN)
    console.print(table)


def _cell(name: str, value: float, first: Mapping[str, float]) -> str:
    if name == "transfers":
        return f"{value:,}"
    told = f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
    return f"{told} ({value / first[name]:.2f})"


def _write(path: Path, rows: Sequence[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = {"machine": machine.description(), "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
