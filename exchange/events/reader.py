"""Events read from the database, a stretch of the order at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, NamedTuple

import asyncpg

from exchange.db.engine import Database, DriverConnection
from exchange.directory.model import Directory
from exchange.events import sql
from exchange.events.frontier import Frontier, last_of_block
from exchange.events.model import Entry, Page, Viewer
from exchange.events.rules import asked_for, parties
from exchange.ledger.bonus_rows import WITH_BONUSES, bonuses_of
from exchange.ledger.event_kinds import EventKind
from exchange.ledger.key_rows import transfer_of
from exchange.ledger.model import Transfer
from exchange.ledger.sql import BLOCK_UNITS
from exchange.rates.source import CoalitionSource

READS_AT_ONCE = 2
"""Stretches one process reads at once: whoever catches up takes turns, and leaves the other connections alone."""
STRETCH_BLOCKS_MAX = 1 << 20
STRETCH_SECONDS = 0.05
"""How long reading a stretch should take: longer ones are halved, shorter ones doubled, the next time."""


class Compacted(Exception):
    """What follows the place asked for is kept no longer; `horizon` is the first place from which one may go on."""

    def __init__(self, horizon: int) -> None:
        super().__init__(f"events are kept from place {horizon} on")
        self.horizon = horizon


class Scope(NamedTuple):
    """What a read looks for: events that concern any of these merchants (None: everybody's), of these kinds."""

    merchants: frozenset[int] | None
    kinds: frozenset[EventKind]

    @classmethod
    def of(cls, viewer: Viewer) -> Scope:
        """What one viewer needs."""
        return cls(None if viewer.merchant_no is None else frozenset({viewer.merchant_no}), viewer.kinds)

    def covers(self, viewer: Viewer) -> bool:
        """Whether what was read for this scope holds everything for a viewer."""
        return viewer.kinds <= self.kinds and (self.merchants is None or viewer.merchant_no in self.merchants)

    @classmethod
    def of_all(cls, viewers: Collection[Viewer]) -> Scope:
        """What several viewers need together."""
        merchants = frozenset(viewer.merchant_no for viewer in viewers)
        kinds = frozenset(kind for viewer in viewers for kind in viewer.kinds)
        return cls(None if None in merchants else frozenset(no for no in merchants if no is not None), kinds)


@dataclass(slots=True)
class Walk:
    """One way through the order.

    Attributes:
        viewer: whose.
        place: everything up to here was read.
        stretch_blocks: how much of the order to read at once; found out on the way.
    """

    viewer: Viewer
    place: int
    stretch_blocks: int = 64

    def adapt(self, seconds: float, *, was_full: bool) -> None:
        """Learn from how long a stretch took, and from whether it held more than was asked for."""
        if was_full or seconds > STRETCH_SECONDS:
            self.stretch_blocks = max(self.stretch_blocks // 2, 1)
        elif seconds < STRETCH_SECONDS / 2:
            self.stretch_blocks = min(self.stretch_blocks * 2, STRETCH_BLOCKS_MAX)


class EventReader:
    """Reads stretches of the order; what is up to the frontier never changes, so nothing is locked.

    Args:
        database: where.
        source: the directory, to tell who takes part in a transfer.
        frontier: how far the order is complete.
    """

    def __init__(self, database: Database, source: CoalitionSource, frontier: Frontier) -> None:
        self._database, self._source, self._frontier = database, source, frontier
        self._turns = asyncio.Semaphore(READS_AT_ONCE)

    async def stretch(self, walk: Walk, limit: int) -> Page:
        """The next events of a walk, at most `limit`; none is possible although there are more further on.

        Args:
            walk: whose place, which the caller moves to the page's end when it has dealt with it.
            limit: most events.

        Raises:
            Compacted: what follows the walk's place is kept no longer.
        """
        async with self._turns, self._database.lane() as connection:
            began = monotonic()
            end = self._frontier.place
            if EventKind.TRANSFER in walk.viewer.kinds:
                end = min(end, last_of_block(walk.place // BLOCK_UNITS + walk.stretch_blocks))
            page = await self.read(connection, Scope.of(walk.viewer), walk.place, end, limit)
        walk.adapt(monotonic() - began, was_full=page.upto < end)
        return page

    async def read(self, connection: DriverConnection, scope: Scope, after: int, upto: int, limit: int) -> Page:
        """Events after a place and up to another; cut after `limit` of them.

        Raises:
            Compacted: see `stretch`.
        """
        coalition = await self._source.at_least(self._frontier.directory_version)
        directory = coalition.directory
        merchants = None if scope.merchants is None else sorted(scope.merchants)
        transfers: list[asyncpg.Record] = []
        if EventKind.TRANSFER in scope.kinds:
            issued = [no for no, c in directory.currencies.items() if merchants is None or c.issuer_no in merchants]
            transfers = await connection.fetch(sql.TRANSFERS, after, upto, merchants, issued, limit)
        # Second: should what is kept have ended after `after` meanwhile, this says so.
        noted = await connection.fetch(sql.NOTED, after, upto, list(scope.kinds), merchants, limit)
        horizon: int = noted[0]["horizon"]
        if after < horizon:
            raise Compacted(horizon)
        found = [_noted(row) for row in noted if row["sequence"] is not None]
        moved = [_moved(transfer_of(row), directory) for row in transfers]
        await _note_links(connection, moved, scope)
        if coalition.has_promotions:
            await _note_bonuses(connection, moved)
        found += moved
        found.sort(key=lambda entry: entry.place)
        if len(found) >= limit:
            # Either list may go on where it was cut: what comes after the limit is for the next time.
            found = found[:limit]
            upto = found[-1].place
        return Page(found, upto)

    async def horizon(self) -> int:
        """The place before which nothing is kept."""
        async with self._database.lane() as connection:
            place: int = await connection.fetchval(sql.HORIZON)
            return place


async def _note_links(connection: DriverConnection, moved: Sequence[Entry], scope: Scope) -> None:
    """Find out who may be told whose points moved, where asking for the movement does not say so already."""
    by_place: dict[int, set[int]] = {}
    asked = [
        (entry.place, merchant_no, entry.transfer.member_id)
        for entry in moved
        if entry.transfer is not None and entry.audience is not None
        for merchant_no in (entry.audience if scope.merchants is None else entry.audience & scope.merchants)
        if not asked_for(merchant_no, entry.transfer)
    ]
    if not asked:
        return
    for place, merchant_no in await connection.fetch(
        sql.LINKED, *(list(column) for column in zip(*asked, strict=True))
    ):
        by_place.setdefault(place, set()).add(merchant_no)
    for entry in moved:
        entry.linked = frozenset(by_place.get(entry.place, ()))


async def _note_bonuses(connection: DriverConnection, moved: Sequence[Entry]) -> None:
    """Find out what promotions did in those transfers in which they may have."""
    asked = {
        (transfer.bucket, transfer.transfer_id): entry
        for entry in moved
        if (transfer := entry.transfer) is not None
        and transfer.transfer_id is not None
        and transfer.kind in WITH_BONUSES
    }
    found = await bonuses_of(connection, list(asked))
    for (_, transfer_id), entry in asked.items():
        entry.bonuses = found.get(transfer_id, ())


def _moved(transfer: Transfer, directory: Directory) -> Entry:
    return Entry(
        place=transfer.ledger_sequence,
        kind=EventKind.TRANSFER,
        occurred_at=transfer.occurred_at,
        resource=f"transfers/{transfer.transfer_id}",
        audience=frozenset(parties(transfer, directory)),
        transfer=transfer,
    )


def _noted(row: asyncpg.Record) -> Entry:
    detail: Any = row["detail"]
    return Entry(
        place=row["sequence"],
        kind=EventKind(row["kind"]),
        occurred_at=row["occurred_at"],
        resource=row["resource"],
        audience=None if row["audience"] is None else frozenset(row["audience"]),
        detail=json.loads(detail) if isinstance(detail, str) else detail,
    )
