"""A partition of transfers that may leave the ledger, and how far its leaving has come."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class Part(NamedTuple):
    """A partition: transfers whose ids lie from `from_id` on and below `to_id`, made before `ends_at`.

    Attributes:
        name: of its table.
        from_id: the least id that may stand in it.
        to_id: the least id of the next.
        ends_at: when ids of the next began to be made, by the servers' clocks.
    """

    name: str
    from_id: UUID
    to_id: UUID
    ends_at: datetime


class Content(NamedTuple):
    """What stands in a partition; of an empty one as of the one before it.

    Attributes:
        transfers: how many.
        last_sequence: the greatest ledger sequence.
        last_window_no: the last window.
        last_occurred_at: when the last happened, by the coalition's clock.
    """

    transfers: int
    last_sequence: int
    last_window_no: int
    last_occurred_at: datetime


class Surroundings(NamedTuple):
    """What else there is that may still need a partition's transfers.

    Attributes:
        now: by the database's clock.
        earlier_parts: partitions before this one that are still there.
        open_window_no: the window that is posted to.
        open_holds: holds among the transfers that have not ended.
        open_conversions: begun conversions among them that have not ended.
        unfinished_closings: memberships that were closed in their time and of which not everything has ended.
        event_horizon: the place before which nothing is told to watchers any more.
        statements_from: when the newest month began whose statements are all made; None: there is none.
        unfinished_months: months whose statements were begun and are not all made.
        others: what others than the exchange still need them for, in words.
    """

    now: datetime
    earlier_parts: int
    open_window_no: int
    open_holds: int
    open_conversions: int
    unfinished_closings: int
    event_horizon: int
    statements_from: datetime | None
    unfinished_months: int = 0
    others: tuple[str, ...] = ()


class Step(enum.IntEnum):
    """The last step that is done; each is committed before the next begins."""

    BEGUN = 1
    CHECKPOINTED = 2
    ARCHIVED = 3
    DETACHED = 4
    DROPPED = 5


class Retirement(NamedTuple):
    """A partition that leaves, or has left.

    Attributes:
        number: 1, 2, 3 in the order of their leaving.
        part_name: its table.
        from_id: as of the partition.
        to_id: as of the partition.
        transfers: how many it has.
        began_by: the person who began.
        before_digest: the checkpoint before this one; empty for the first.
        digest: SHA-256 of the checkpoint, which is on top of the one before; None: not made yet.
        archive: folder of the archive; None: not written yet.
        archive_digest: SHA-256 of its manifest.
        step: how far it has come.
    """

    number: int
    part_name: str
    from_id: UUID
    to_id: UUID
    transfers: int
    began_by: str
    before_digest: bytes
    digest: bytes | None
    archive: str | None
    archive_digest: bytes | None
    step: Step
