"""An issuer's system that keeps its members' balances itself, in SQLite: it may be killed at any moment.

    EXCHANGE_ADDRESS=127.0.0.1:50051 EXCHANGE_KEY=… python partner.py books.sqlite [--stop-at STEP]

What it is told it does once: the instruction's name, what became of it and the points stand in one transaction. It
acknowledges afterwards, again and again until it is heard, and keeps its place in the stream last of all. So whatever
is lost between two steps is told again, and what is told again changes nothing.

With --stop-at it stops dead at its first instruction: when it was "seen" and nothing done, when it was "applied" and
nobody told, when the acknowledgement was "sent" and not answered, when it was "acknowledged" and that not noted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sqlite3
from typing import Any

import grpc
from grpc import aio

from exchange.v1 import external_ledger_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from exchange.v1.external_ledger_service_pb2_grpc import ExternalLedgerServiceStub

APPLIED, REJECTED = types.INSTRUCTION_OUTCOME_APPLIED, types.INSTRUCTION_OUTCOME_REJECTED
PAUSE_SECONDS = 0.2
CALL_SECONDS_MAX = 10.0
TABLES = """
CREATE TABLE IF NOT EXISTS balances (member TEXT PRIMARY KEY, points INTEGER NOT NULL CHECK (points >= 0));
CREATE TABLE IF NOT EXISTS instructions (
    name TEXT PRIMARY KEY, member TEXT NOT NULL, change INTEGER NOT NULL, outcome INTEGER NOT NULL,
    reason TEXT NOT NULL, acknowledged INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS place (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), cursor TEXT NOT NULL);
"""


class Books:
    """The issuer's own ledger, in a file: what is committed survives the process."""

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(TABLES)

    def apply(self, told: pb.Instruction) -> str:
        """Do what was told, unless it was done before; the name of what is to be acknowledged."""
        name = told.subject or told.name
        self._database.execute("BEGIN IMMEDIATE")
        with self._database:
            if self._database.execute("SELECT 1 FROM instructions WHERE name = ?", [name]).fetchone() is None:
                change, outcome, reason = self._decide(told)
                member = told.member_reference
                self._database.execute(
                    "INSERT INTO instructions (name, member, change, outcome, reason) VALUES (?, ?, ?, ?, ?)",
                    [name, member, change, outcome, reason],
                )
                self._database.execute("INSERT OR IGNORE INTO balances VALUES (?, 0)", [member])
                self._database.execute("UPDATE balances SET points = points + ? WHERE member = ?", [change, member])
            # Whoever asks has not heard: told once more.
            self._database.execute("UPDATE instructions SET acknowledged = 0 WHERE name = ?", [name])
        return name

    def _decide(self, told: pb.Instruction) -> tuple[int, int, str]:
        """By how much the balance changes, what became of the instruction, and why."""
        if told.kind == pb.Instruction.KIND_QUERY:
            # Never heard of it. Noted as rejected, it never will be done, should it still arrive.
            return 0, REJECTED, "never seen"
        if told.kind == pb.Instruction.KIND_CREDIT:
            return told.points.units, APPLIED, ""
        row = self._database.execute("SELECT points FROM balances WHERE member = ?", [told.member_reference]).fetchone()
        if row is None or row[0] < told.points.units:
            return 0, REJECTED, "not enough points"
        return -told.points.units, APPLIED, ""

    def unacknowledged(self) -> list[pb.AcknowledgeInstructionRequest]:
        """What was decided, and the exchange may not know."""
        rows = self._database.execute(
            "SELECT name, outcome, reason FROM instructions WHERE NOT acknowledged"
        ).fetchall()
        return [
            pb.AcknowledgeInstructionRequest(name=name, outcome=outcome, reference=name[-12:], reason=reason)
            for name, outcome, reason in rows
        ]

    def heard(self, name: str) -> None:
        """The exchange knows."""
        self._database.execute("UPDATE instructions SET acknowledged = 1 WHERE name = ?", [name])

    @property
    def cursor(self) -> str:
        """Up to where everything told is in these books."""
        row = self._database.execute("SELECT cursor FROM place").fetchone()
        return "" if row is None else str(row[0])

    def keep(self, cursor: str) -> None:
        """Everything told up to there is in these books."""
        self._database.execute("INSERT OR REPLACE INTO place VALUES (1, ?)", [cursor])


class Partner:
    """Does what the exchange instructs, and says so."""

    def __init__(self, channel: aio.Channel, key: str, books: Books, stop_at: str | None) -> None:
        self._stub: Any = ExternalLedgerServiceStub(channel)
        self._metadata = (("authorization", f"Bearer {key}"),)
        self._books, self._stop_at = books, stop_at

    async def serve(self) -> None:
        """For ever: when the exchange cannot be reached, again a moment later."""
        while True:
            try:
                await self._acknowledge()
                await self._follow()
            except aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.OUT_OF_RANGE:
                    # Away for so long that the cursor is kept no longer: what has no answer is still listed.
                    await self._catch_up()
                elif error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            await asyncio.sleep(PAUSE_SECONDS)

    async def _follow(self) -> None:
        request = pb.WatchInstructionsRequest(cursor=self._books.cursor)
        async for answer in self._stub.WatchInstructions(request, metadata=self._metadata):
            print("watching", flush=True)
            for told in answer.instructions:
                self._step("seen")
                self._books.apply(told)
                self._step("applied")
                await self._acknowledge()
            self._books.keep(answer.cursor)

    async def _catch_up(self) -> None:
        request = pb.ListInstructionsRequest(unanswered_only=True, page_size=1_000)
        while True:
            page = await self._stub.ListInstructions(request, metadata=self._metadata, timeout=CALL_SECONDS_MAX)
            for told in page.instructions:
                self._books.apply(told)
            request.page_token = page.next_page_token
            if not page.next_page_token:
                break
        self._books.keep("")

    async def _acknowledge(self) -> None:
        for request in self._books.unacknowledged():
            call = self._stub.AcknowledgeInstruction(request, metadata=self._metadata, timeout=CALL_SECONDS_MAX)
            if self._stop_at == "sent":
                await asyncio.sleep(0)
                self._step("sent")
            await call
            self._step("acknowledged")
            self._books.heard(request.name)

    def _step(self, step: str) -> None:
        """Stop dead, where this was asked for."""
        if step == self._stop_at:
            print(step, flush=True)
            signal.pause()


async def main() -> None:
    """Follow the exchange at EXCHANGE_ADDRESS with EXCHANGE_KEY."""
    parser = argparse.ArgumentParser()
    parser.add_argument("books")
    parser.add_argument("--stop-at", choices=["seen", "applied", "sent", "acknowledged"])
    given = parser.parse_args()
    async with aio.insecure_channel(os.environ["EXCHANGE_ADDRESS"]) as channel:
        await Partner(channel, os.environ["EXCHANGE_KEY"], Books(given.books), given.stop_at).serve()


asyncio.run(main())
