"""Conversions by hand-written set-based SQL, a thousand a transaction: what PostgreSQL can do with the exchange's rows.

For each conversion it writes the wide row, the key row and the new lot, and updates the old lot and both balances.
Rules, locks, duplicates, totals and answers are left out; the members of a batch are all different: nothing to add up.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import time
import uuid
from dataclasses import dataclass

import asyncpg
from sqlalchemy.engine import make_url

from bench import cpu

BATCH = 1_000
_MEMBERS = 5_000
_RATE_UNITS = 30

_PREPARED_PER_SECOND = 60_000

# The parts do not read one another, so PostgreSQL does each in one sweep.
_STATEMENT = """
WITH given AS MATERIALIZED (
    SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::text[], $5::bytea[], $6::bigint[], $7::bigint[],
        $8::bigint[])
        AS given (bucket, transfer_id, member_id, request_id, fingerprint, sequence, used, received)
), source AS (
    UPDATE wide.accounts a
    SET available_units = a.available_units - given.used, last_sequence = given.sequence
    FROM given
    WHERE a.bucket = given.bucket AND a.member_id = given.member_id AND a.currency_no = 1
), target AS (
    UPDATE wide.accounts a
    SET available_units = a.available_units + given.received, last_sequence = given.sequence
    FROM given
    WHERE a.bucket = given.bucket AND a.member_id = given.member_id AND a.currency_no = 2
), spent AS (
    UPDATE wide.lots l SET remaining_units = l.remaining_units - given.used
    FROM given
    WHERE l.bucket = given.bucket AND l.lot_id = given.member_id
), made AS (
    INSERT INTO wide.lots (bucket, lot_id, member_id, currency_no, units, remaining_units, funder_no, price_micros,
        earned_at, transfer_id)
    SELECT bucket, transfer_id, member_id, 2, received, received, 1, 55000, now(), transfer_id FROM given
), keys AS (
    INSERT INTO wide.request_keys (bucket, merchant_no, request_id, fingerprint, transfer_id, decided_at)
    SELECT bucket, 1, request_id, fingerprint, transfer_id, now() FROM given
), moved AS (
    INSERT INTO wide.transfers (bucket, transfer_id, kind, merchant_no, member_id, request_id, occurred_at,
        ledger_sequence, window_no, rate_id, source_no, used_units, source_sequence, source_lot, target_no,
        received_units, target_sequence, target_lot, debtor_no, creditor_no, currency_code, conversion_micros,
        price_micros, spread_micros, fee_micros)
    SELECT bucket, transfer_id, 4, 1, member_id, request_id, now(), nextval('wide.ledger_sequences'), 1,
        '01900000-0000-7000-8000-000000000001', 1, used, sequence, member_id, 2, received, sequence, transfer_id,
        1, 2, 'CNY', received * 55000, 55000, received * 5000, 1000
    FROM given
    RETURNING 1
)
SELECT count(*) FROM moved
"""


@dataclass(frozen=True, slots=True)
class RawResult:
    """One run: conversions done in how many seconds, and who used how much processor time."""

    done: int
    seconds: float
    client_cpu_seconds: float
    postgres_cpu_seconds: float | None

    @property
    def per_second(self) -> float:
        """Conversions a second."""
        return self.done / self.seconds


class _Writer:
    """One connection that writes batches prepared beforehand, to members nobody else writes to."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record], members: range, batches: int) -> None:
        self.connection = connection
        # Where earlier runs left the members' own sequences does not matter here; that they go up does.
        first = time.time_ns()
        self._batches = iter([_batch(members, first + number) for number in range(batches)])
        self._statement: asyncpg.prepared_stmt.PreparedStatement[asyncpg.Record] | None = None

    async def write(self) -> bool:
        """Write the next batch; False when none is left."""
        if self._statement is None:
            self._statement = await self.connection.prepare(_STATEMENT)
        batch = next(self._batches, None)
        if batch is None:
            return False
        assert await self._statement.fetchval(*batch) == BATCH
        return True

    async def write_until(self, deadline: float) -> int:
        """Write until the instant has passed, on time.perf_counter; returns the conversions written."""
        done = 0
        while time.perf_counter() < deadline and await self.write():
            done += BATCH
        return done


def _batch(members: range, sequence: int) -> list[list[object]]:
    """The columns of a thousand conversions."""
    numbers = random.sample(members, BATCH)
    keys = [uuid.UUID(int=random.getrandbits(128)) for _ in numbers]
    received = [random.randint(1, 10) for _ in numbers]
    return [
        [number % 1_024 for number in numbers],
        list(keys),
        [uuid.UUID(int=number) for number in numbers],
        [str(key) for key in keys],
        [hashlib.sha256(key.bytes).digest() for key in keys],
        [sequence] * BATCH,
        [each * _RATE_UNITS for each in received],
        list(received),
    ]


def run(url: str, *, connections: int, seconds: float, postgres_pid: int) -> RawResult:
    """Write batches over so many connections for so long; the first of each warms its connection up."""
    return asyncio.run(_run(url, connections, seconds, postgres_pid))


async def _run(url: str, connections: int, seconds: float, postgres_pid: int) -> RawResult:
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    share = _MEMBERS // connections
    batches = int(_PREPARED_PER_SECOND * seconds / connections / BATCH) + 1
    writers = [
        _Writer(await asyncpg.connect(dsn), range(1 + place * share, 1 + (place + 1) * share), batches)
        for place in range(connections)
    ]
    try:
        for writer in writers:
            await writer.write()
        postgres, times, started = cpu.used(postgres_pid), os.times(), time.perf_counter()
        done = await asyncio.gather(*(writer.write_until(started + seconds) for writer in writers))
        lasted, times_after, postgres_after = time.perf_counter() - started, os.times(), cpu.used(postgres_pid)
    finally:
        for writer in writers:
            await writer.connection.close()
    return RawResult(
        done=sum(done),
        seconds=lasted,
        client_cpu_seconds=times_after.user + times_after.system - times.user - times.system,
        postgres_cpu_seconds=None if postgres is None or postgres_after is None else postgres_after - postgres,
    )
