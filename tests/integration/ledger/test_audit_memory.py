"""What an audit takes of PostgreSQL's memory is its own, and ends with it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from exchange.db.engine import Database
from exchange.ledger import audit as auditing
from exchange.ledger.audit import WORK_MEM_KIB, audit

TOLD = {"what a sort may take": "SELECT setting AS kib FROM pg_settings WHERE name = 'work_mem'"}


async def taken(database: Database) -> int:
    """KiB each sort of a check may take, as the audit's own transaction has it."""
    (finding,) = await audit(database)
    return int(finding.differences[0]["kib"])


async def test_an_audit_takes_memory_for_itself_and_never_less_than_is_given(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has its connection next has what it had before; where PostgreSQL gives more already, that stays."""
    monkeypatch.setattr(auditing, "CHECKS", TOLD)
    database = Database(database_url, pool_size=1)
    try:
        async with database.look() as connection:
            given = (await connection.execute(text("SHOW work_mem"))).scalar_one()

        ordinary = await taken(database)
        async with database.look() as connection:
            left = (await connection.execute(text("SHOW work_mem"))).scalar_one()
            await connection.execute(text("SET work_mem = '1GB'"))
        generous = await taken(database)
    finally:
        await database.dispose()

    assert (ordinary, generous) == (WORK_MEM_KIB, 1024 * 1024)
    assert left == given != f"{WORK_MEM_KIB // 1024}MB"
