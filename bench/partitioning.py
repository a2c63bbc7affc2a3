"""`python -m bench.partitioning`: what it would cost to keep transfers in partitions of time, and to let go of one.

Copies of the exchange's table of transfers, whole and in ranges of `transfer_id` (ids are ordered by time), get the
same rows by the same statement in turns, and are read by the keys that have no time in them. Then the oldest partition
of one is detached while posters go on: how long did they wait, before and meanwhile? Decision 25 tells what follows.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
from rich.console import Console
from sqlalchemy.engine import make_url

from bench import cpu, machine
from bench.databases import durable_postgres
from bench.processes import environment, exchange_command
from exchange.ledger.codecs import pack_rows
from exchange.ledger.ids import new_id
from exchange.ledger.model import Obligation, PointsLeg
from exchange.ledger.sql import TRANSFER_COLUMNS

PARTITIONS = (0, 4, 13, 37)
"""Of each copy; 0: it is whole."""

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_RESULTS = Path(__file__).parent / "results"
_MONTH = timedelta(days=30)
_MEMBERS = [(random.randrange(1_024), uuid.uuid4()) for _ in range(5_000)]
_BATCHES = {60: 60, 1_000: 8}
"""Rows a batch, and batches a round."""
_READS = 400
_POSTERS = 3
_MS = 1_000
_COLUMNS = TRANSFER_COLUMNS.replace("t.", "")


def boundary(at: datetime) -> uuid.UUID:
    """Ids made earlier are less; ids made from then on are not."""
    return uuid.UUID(int=int(at.timestamp() * _MS) << 80)


def rows(count: int) -> list[tuple[Any, ...]]:
    """As wide as conversions, of members drawn at random (exchange.new_transfer)."""
    made = []
    now, rate_id = datetime.now(UTC), new_id()
    for _ in range(count):
        bucket, member_id = random.choice(_MEMBERS)
        merchant_no, sequence = random.randint(1, 5), random.getrandbits(40)
        legs = [
            PointsLeg(1, 1, merchant_no, 300, sequence, new_id(bucket)),
            PointsLeg(2, 2, merchant_no, 300, None, None),
            PointsLeg(2, 1, 6, 10, None, None),
            PointsLeg(1, 2, 6, 10, sequence, new_id(bucket)),
        ]
        owed = [Obligation(kind, merchant_no, 6, "CNY", 550_000, 10, 55_000) for kind in (1, 2, 3)]
        made.append((
            bucket, new_id(bucket), 4, merchant_no, member_id, str(uuid.uuid4()), None, now, sequence, 1, rate_id,
            legs, owed, *(None,) * 6,
        ))  # fmt: skip
    return made


def insertion(table: str) -> str:
    """The posting path's own way to add transfers, into a copy."""
    return f"INSERT INTO exchange.{table} ({_COLUMNS}) SELECT {_COLUMNS} FROM unnest($1::exchange.new_transfer[])"


async def copy(connection: Connection, table: str, partitions: int) -> None:
    """A copy of the table, empty: whole, or in months of which this one is the third from the end."""
    like = f"CREATE TABLE exchange.{table} (LIKE exchange.transfers INCLUDING ALL)"
    if not partitions:
        await connection.execute(like)
        return
    await connection.execute(f"{like} PARTITION BY RANGE (transfer_id)")
    begins = datetime.now(UTC) - _MONTH * (partitions - 3) - _MONTH / 2
    edges = ["MINVALUE", *(f"'{boundary(begins + _MONTH * number)}'" for number in range(1, partitions + 1))]
    for number in range(partitions):
        await connection.execute(
            f"CREATE TABLE exchange.{table}_{number} PARTITION OF exchange.{table} "
            f"FOR VALUES FROM ({edges[number]}) TO ({edges[number + 1]})"
        )


async def inserted(connection: Connection, tables: Sequence[str], rounds: int) -> dict[str, dict[str, float]]:
    """Microseconds of PostgreSQL's processor time for each row, by rows a batch and table."""
    pid = await connection.fetchval("SELECT pg_backend_pid()")
    statements = {table: await connection.prepare(insertion(table)) for table in tables}
    spent: dict[tuple[int, str], float] = {}
    for _ in range(rounds):
        for size, count in _BATCHES.items():
            batches = [rows(size) for _ in range(count)]
            for table in random.sample(list(tables), len(tables)):
                before = cpu.used(pid) or 0.0
                for batch in batches:
                    await statements[table].fetch([(*row[:1], new_id(row[0]), *row[2:]) for row in batch])
                spent[size, table] = spent.get((size, table), 0.0) + (cpu.used(pid) or 0.0) - before
    return {
        str(size): {table: spent[size, table] / rounds / size / count * 1e6 for table in tables}
        for size, count in _BATCHES.items()
    }


async def read(connection: Connection, tables: Sequence[str]) -> dict[str, dict[str, float]]:
    """Microseconds of PostgreSQL's processor time for a page of a member and of a merchant, by table."""
    pid = await connection.fetchval("SELECT pg_backend_pid()")
    bucket, member_id = random.choice(_MEMBERS)
    questions = {
        "a member's": ("bucket = $1 AND member_id = $2", (bucket, member_id)),
        "a merchant's": ("merchant_no = $1", (1,)),
    }
    found: dict[str, dict[str, float]] = {}
    for name, (condition, arguments) in questions.items():
        for table in tables:
            statement = await connection.prepare(
                f"SELECT * FROM exchange.{table} WHERE {condition} ORDER BY ledger_sequence LIMIT 50"
            )
            await statement.fetch(*arguments)
            before = cpu.used(pid) or 0.0
            for _ in range(_READS):
                await statement.fetch(*arguments)
            found.setdefault(name, {})[table] = ((cpu.used(pid) or 0.0) - before) / _READS * 1e6
    return found


async def detached(url: str, table: str, seconds: float) -> dict[str, float]:
    """Milliseconds that detaching the oldest partition took, and that posters' batches took before and meanwhile."""
    waits: dict[str, list[float]] = {"before": [], "meanwhile": []}
    phase, ended = "before", asyncio.Event()

    async def post() -> None:
        connection = await asyncpg.connect(url)
        await pack_rows(connection)
        while not ended.is_set():
            batch, then, began = rows(60), phase, time.perf_counter()
            await connection.execute(insertion(table), batch)
            waits[then].append((time.perf_counter() - began) * _MS)
        await connection.close()

    posters = [asyncio.create_task(post()) for _ in range(_POSTERS)]
    operator = await asyncpg.connect(url)
    await asyncio.sleep(seconds)
    phase, began = "meanwhile", time.perf_counter()
    await operator.execute(f"ALTER TABLE exchange.{table} DETACH PARTITION exchange.{table}_0 CONCURRENTLY")
    took = (time.perf_counter() - began) * _MS
    await asyncio.sleep(seconds / 4)
    ended.set()
    await asyncio.gather(*posters)
    await operator.close()
    return {
        "detaching": took,
        **{f"{when}, median": statistics.median(each) for when, each in waits.items()},
        **{f"{when}, most": max(each) for when, each in waits.items()},
    }


async def _measured(url: str, rounds: int, seconds: float) -> dict[str, Any]:
    connection = await asyncpg.connect(url)
    await pack_rows(connection)
    tables = [f"copy_{partitions}" for partitions in PARTITIONS]
    for table, partitions in zip(tables, PARTITIONS, strict=True):
        await copy(connection, table, partitions)
    document = {"µs a row, by rows a batch": await inserted(connection, tables, rounds)}
    await connection.execute("ANALYZE")
    document["µs a page"] = await read(connection, tables)
    await connection.close()
    return document | {"ms": await detached(url, tables[2], seconds)}


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.partitioning", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="of inserting")
    parser.add_argument("--seconds", type=float, default=8.0, help="of posting before a partition is detached")
    parser.add_argument("--output", type=Path, default=_RESULTS / "partitioning.json", help="where the JSON goes")
    chosen = parser.parse_args()
    with durable_postgres() as postgres:
        exchange_command("migrate", "--operator", "OPR", "--time-zone", "UTC", environ=environment(
            database_url=postgres.exchange
        ))  # fmt: skip
        url = make_url(postgres.exchange).set(drivername="postgresql").render_as_string(hide_password=False)
        document = asyncio.run(_measured(url, chosen.rounds, chosen.seconds))
    document = {"machine": machine.description(), **document}
    Console().print_json(json.dumps(document, ensure_ascii=False))
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
