"""Cutting a settlement window off: synchronous, exact, and never in the way of posting for longer than a moment."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.ledger.event_kinds import EventKind
from exchange.ledger.outbox import note
from exchange.ledger.sql import BLOCK_UNITS, FENCE
from exchange.refusals import ResourceNotFound

# Waits for the posters that are under way and lets none begin. What they decided on still held when they committed, and
# whoever begins afterwards reads what was changed: so no server acts on a stale directory, and what is in a window when
# it is closed is all there will be. Closing by a clock or by the greatest sequence would leave behind whoever had read
# the window and not committed yet.
# It is noted that somebody was, for batches that are decided without the fence (`exchange.post_batch`).
ALONE = text(f"""
WITH alone AS MATERIALIZED (SELECT pg_advisory_xact_lock({FENCE}))
UPDATE exchange.coalition SET generation = generation + 1 FROM alone
""")

OPEN_WINDOW = text("SELECT window_no FROM exchange.clearing_windows WHERE closed_at IS NULL")

WINDOW = text("""
SELECT window_no, opened_at, closed_at, closed_by FROM exchange.clearing_windows_v1 WHERE window_no = :no
""")

CLOSE = text("""
UPDATE exchange.clearing_windows SET closed_at = exchange.coalition_now(), closed_by = :closed_by
WHERE window_no = :no AND closed_at IS NULL RETURNING closed_at
""")

# No block of sequences has been drawn that is not committed: the next one begins the window.
OPEN_NEXT = text(f"""
INSERT INTO exchange.clearing_windows (window_no, opened_at, first_sequence)
SELECT :no, :at, CASE WHEN is_called THEN last_value + 1 ELSE last_value END * {BLOCK_UNITS} FROM exchange.ledger_blocks
""")


class Window(NamedTuple):
    """A settlement window (结算期); `closed_at` None: open."""

    window_no: int
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None

    @property
    def name(self) -> str:
        """Resource name."""
        return f"windows/{self.window_no}"


async def open_window_no(connection: AsyncConnection) -> int:
    """The number of the window that is open."""
    number: int = (await connection.execute(OPEN_WINDOW)).scalar_one()
    return number


async def read_window(connection: AsyncConnection, window_no: int, field: str = "name") -> Window:
    """A window by number; `field` is what the request calls it, for a refusal.

    Raises:
        ResourceNotFound: there is none yet.
    """
    row = (await connection.execute(WINDOW, {"no": window_no})).first()
    if row is None:
        raise ResourceNotFound(resource=f"windows/{window_no}", field=field)
    return Window(*row)


async def close_window(connection: AsyncConnection, window_no: int | None, closed_by: str) -> tuple[Window, bool]:
    """Close a window and open the next, in the caller's transaction; (…, True) when it had been closed before.

    When that transaction has committed, what is in the window is fixed for ever.

    Args:
        connection: a write transaction; the fence is held until it ends.
        window_no: which; naming it makes a repeat harmless. None: whichever is open.
        closed_by: who, for the record.

    Raises:
        ResourceNotFound: there is no such window yet.
    """
    await connection.execute(ALONE)
    number = await open_window_no(connection) if window_no is None else window_no
    closed_at = (await connection.execute(CLOSE, {"no": number, "closed_by": closed_by})).scalar()
    window = await read_window(connection, number)
    if closed_at is None:
        return window, True
    await connection.execute(OPEN_NEXT, {"no": number + 1, "at": closed_at})
    await note(connection, EventKind.WINDOW_CLOSED, window.name)
    return window, False
