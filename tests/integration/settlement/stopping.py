"""Whether the database stops a statement of the role that serves requests."""

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
