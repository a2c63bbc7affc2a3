"""Whether the database stops the role that serves requests."""

from __future__ import annotations

import asyncpg

from exchange.db.engine import SERVER_ROLE
from tests.contract.stillness import connected, nothing_changes
from tests.servers import Server


async def stopped(server: Server, statement: str, *arguments: object) -> bool:
    """Whether the database refuses a statement of the role that serves requests."""
    async with connected(server.url) as connection, nothing_changes(server):
        await connection.execute(f"SET ROLE {SERVER_ROLE}")
        try:
            async with connection.transaction():
                await connection.execute(statement, *arguments)
                raise AssertionError("the statement went through")  # and is rolled back
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.InsufficientPrivilegeError):
            return True
        except AssertionError:
            return False


async def stopped_together(server: Server, *statements: tuple[str, *tuple[object, ...]]) -> bool:
    """Whether the database refuses them as one transaction, at its end at the latest; it is rolled back anyway."""
    async with connected(server.url) as connection, nothing_changes(server):
        await connection.execute(f"SET ROLE {SERVER_ROLE}")
        transaction = connection.transaction()
        await transaction.start()
        try:
            for statement, *arguments in statements:
                await connection.execute(statement, *arguments)
            await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.InsufficientPrivilegeError):
            return True
        finally:
            await transaction.rollback()
        return False


async def is_kept_for_ever(server: Server, table: str) -> bool:
    """Whether what stands in a table of settlement can be neither changed nor deleted."""
    async with connected(server.url) as connection:
        column = await connection.fetchval(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = 'settlement' AND table_name = $1 AND is_identity = 'NO' LIMIT 1",
            table,
        )
        assert await connection.fetchval(f"SELECT count(*) FROM settlement.{table}") > 0, "nothing stands there"
    statements = (
        "UPDATE settlement.{0} SET {1} = {1}",
        "DELETE FROM settlement.{0}",
        "TRUNCATE settlement.{0} CASCADE",
    )
    return all([await stopped(server, statement.format(table, column)) for statement in statements])
