"""Promises of the README that stand on the database itself: history it does not let go, and a halt it remembers."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from typing import Any

import asyncpg
import pytest

from exchange.db.engine import SERVER_ROLE, Database, StartRefused
from exchange.db.migrate import EXCHANGE
from tests.contract.refusals import refusal
from tests.contract.stillness import connected
from tests.docs.pages import ROOT
from tests.movements import a_key
from tests.servers import Server, a_new_coalition, a_server
from tests.worlds import EARNING, a_world

HISTORY = (
    *("transfers", "request_keys", "audit_log", "prices", "members", "member_links"),
    *("quotes", "quote_uses", "member_statements", "statement_parts"),
)


@pytest.mark.parametrize("table", HISTORY)
async def test_whoever_serves_can_neither_change_nor_delete_history(database_url: str, table: str) -> None:
    """The role every serving connection takes on may add to it, and that is all."""
    async with connected(database_url) as connection:
        column = await connection.fetchval(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = 'exchange' AND table_name = $1 ORDER BY ordinal_position DESC LIMIT 1",
            table,
        )
        await connection.execute(f"SET ROLE {SERVER_ROLE}")

        for statement in (
            f"UPDATE exchange.{table} SET {column} = {column}",
            f"DELETE FROM exchange.{table}",
            f"TRUNCATE exchange.{table}",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_no_server_starts_where_a_commit_is_not_awaited(durable_database_url: str) -> None:
    """synchronous_commit off: OK would not mean durable. Switched on again, the server starts."""
    await a_new_coalition(durable_database_url)
    async with connected(durable_database_url) as connection:
        name = await connection.fetchval("SELECT current_database()")

        await connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        with pytest.raises(StartRefused, match="synchronous_commit"):
            await _check(durable_database_url)

        await connection.execute(f"ALTER DATABASE {name} RESET synchronous_commit")
        await _check(durable_database_url)


async def test_no_server_starts_where_nothing_is_flushed(database_url: str) -> None:
    """As on the tests' own fast server, which gives durability up."""
    await a_new_coalition(database_url)
    async with connected(database_url) as connection:
        if await connection.fetchval("SHOW fsync") == "on":
            pytest.skip("the server given for tests flushes")

    with pytest.raises(StartRefused, match="fsync"):
        await _check(database_url)


async def test_on_a_difference_the_ledger_halts_and_says_so(database_url: str) -> None:
    """A point too many in a balance: the audit names it, movements stop, reads tell what is kept; mended, all go on."""
    async with a_server(database_url) as server, a_world(server.address, server.operator_secret) as world:
        gro = await world.merchant("GRO", EARNING)
        await world.currency("GRO", gro, issue=0)
        ada = await world.member("ada", [gro])
        await gro.earn(ada, "5 GRO")
        key = a_key()

        await _shift_balances(server, 1)
        status, found = await _audit(server, "--halt")
        halted = await refusal(gro.earn(ada, "7 GRO", key))
        read = await gro.balances(ada)
        still_wrong, _ = await _audit(server, "--resume")
        await refusal(gro.earn(ada, "7 GRO", key))
        await _shift_balances(server, -1)
        mended, _ = await _audit(server, "--resume")
        await gro.earn(ada, "7 GRO", key)

        wrong = [check for check in found["checks"] if not check["ok"]]
        assert (status, still_wrong, mended) == (1, 1, 0)
        assert any("6" in difference.values() for check in wrong for difference in check["differences"])
        assert halted.reason == "LEDGER_HALTED"
        assert read == {"GRO": 6}
        assert await gro.balances(ada) == {"GRO": 12}


async def _check(url: str) -> None:
    database = Database(url)
    try:
        await database.check([EXCHANGE])
    finally:
        await database.dispose()


async def _shift_balances(server: Server, units: int) -> None:
    async with connected(server.url) as connection:
        await connection.execute("UPDATE exchange.accounts SET available_units = available_units + $1", units)


async def _audit(server: Server, option: str) -> tuple[int | None, dict[str, Any]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EXCHANGE_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "exchange", "audit", "--json", option),
        cwd=ROOT,
        env=environment | {"EXCHANGE_DATABASE_URL": server.url},
        stdout=PIPE,
        stderr=PIPE,
    )
    output, errors = await process.communicate()
    assert output, errors.decode()
    found: dict[str, Any] = json.loads(output)
    return process.returncode, found
