"""What has left the ledger: up to where, and the no to whoever still asks for it.

Asked only when something is missing, or when what is listed could be: plain posting never looks here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import DriverConnection
from exchange.refusals import TransferRetired

RETIRED: Final = """
SELECT part_name, to_id, last_sequence, last_window_no, last_occurred_at FROM exchange.retired
"""


class Retired(NamedTuple):
    """The newest partition that has left, and with it every one before.

    Attributes:
        archive: name of the newest archive; earlier transfers are in earlier ones.
        to_id: ids before it have left, or never were.
        last_sequence: the greatest ledger sequence among them.
        last_window_no: the last window some of whose transfers are among them.
        last_occurred_at: when the last of them happened.
    """

    archive: str
    to_id: UUID
    last_sequence: int
    last_window_no: int
    last_occurred_at: datetime

    def has(self, transfer_id: UUID) -> bool:
        """Whether a transfer of this id, if there ever was one, has left."""
        return transfer_id < self.to_id

    def refusal(self, resource: str) -> TransferRetired:
        """The no to whoever asks for what has left."""
        return TransferRetired(resource=resource, archive=self.archive, until=self.last_occurred_at.isoformat())


async def retired(connection: AsyncConnection) -> Retired | None:
    """What has left in the snapshot of a read; None: nothing yet."""
    row = (await connection.execute(text(RETIRED))).first()
    return None if row is None else Retired._make(row)


async def retired_seen_by(connection: DriverConnection) -> Retired | None:
    """The same for a poster."""
    row = await connection.fetchrow(RETIRED)
    return None if row is None else Retired._make(row)


async def require_kept(connection: AsyncConnection, transfer_id: UUID) -> None:
    """Tell a transfer that has left from one that never was.

    Raises:
        TransferRetired: a transfer of this id would have left. Told of every such id alike, whoever asks: whether there
            was one, and whose, is not told.
    """
    gone = await retired(connection)
    if gone is not None and gone.has(transfer_id):
        raise gone.refusal(f"transfers/{transfer_id}")


async def require_window_kept(connection: AsyncConnection, window_no: int) -> None:
    """Raises TransferRetired when some of a window's transfers have left: what is left of it is not the window."""
    gone = await retired(connection)
    if gone is not None and window_no <= gone.last_window_no:
        raise gone.refusal(f"windows/{window_no}")


async def require_times_kept(connection: AsyncConnection, begins: datetime, resource: str) -> None:
    """Raises TransferRetired when transfers from `begins` on have left; `resource` is what would lack them."""
    gone = await retired(connection)
    if gone is not None and begins <= gone.last_occurred_at:
        raise gone.refusal(resource)
