"""The newest events, read once for everybody in this process who waits for them.

Nothing is kept for a watcher but its place. Who is near the front is served from what was read last; who is not,
because it resumed from long ago or reads slowly, reads the database by itself, at its own pace. So a slow one delays
nobody and fills no memory, and while nobody waits nothing is read at all.
"""

from __future__ import annotations

import asyncio
import contextlib
from bisect import bisect_right
from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple

import structlog

from exchange.db.engine import Database
from exchange.events.frontier import Frontier
from exchange.events.model import Entry, Page, Viewer
from exchange.events.reader import EventReader, Scope, Walk
from exchange.events.rules import sees
from exchange.rates.source import CoalitionSource
from exchange.refusals import DatabaseUnavailable, ServerBusy

POLL_SECONDS = 0.05
KEPT_ENTRIES_MAX = 5_000
CHUNK_ENTRIES_MAX = 1_000
STRETCH_ENTRIES_MAX = 500

log = structlog.get_logger(__name__)


class _Chunk(NamedTuple):
    """A stretch that was read, and for whom it is complete."""

    after: int
    upto: int
    scope: Scope
    entries: list[Entry]
    by_merchant: dict[int, list[Entry]]
    """What concerns a merchant, for those that were near when it was read."""

    def of(self, walk: Walk) -> Page:
        """What a walk is told of it."""
        viewer = walk.viewer
        entries = self.by_merchant.get(viewer.merchant_no or 0)
        if entries is None:
            entries = self.entries
        return Page([entry for entry in entries if entry.place > walk.place and sees(viewer, entry)], self.upto)


class Feed:
    """Serves any number of walks with what follows their places.

    Args:
        database: where.
        source: the directory, kept fresh while somebody watches.
        frontier: how far the order is complete; advanced here while somebody waits.
        reader: reads stretches.
        watchers_max: walks at once.
    """

    def __init__(
        self,
        database: Database,
        source: CoalitionSource,
        frontier: Frontier,
        reader: EventReader,
        watchers_max: int,
    ) -> None:
        self._database, self._source, self._frontier, self._reader = database, source, frontier, reader
        self._watchers_max = watchers_max
        self._walks: list[Walk] = []
        self._chunks: list[_Chunk] = []
        self._kept = 0
        self._waiting = 0
        self._told = (0, 0)
        self._wanted = asyncio.Event()
        self._moved: asyncio.Future[None] | None = None
        self._following: asyncio.Task[None] | None = None

    @property
    def watchers(self) -> int:
        """Walks under way."""
        return len(self._walks)

    def start(self) -> None:
        """Be ready to follow the front."""
        self._following = asyncio.create_task(self._follow(), name="event feed")

    async def stop(self) -> None:
        """Follow no more."""
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following

    def require_room(self) -> None:
        """Whether one more may watch.

        Raises:
            ServerBusy: as many watch as may.
        """
        if len(self._walks) >= self._watchers_max:
            raise ServerBusy(limit=self._watchers_max)

    async def pages(self, walk: Walk, idle_seconds: float) -> AsyncIterator[Page]:
        """What follows a walk's place, in order and for ever; an empty page when nothing came for so long, or at first.

        The walk's place moves when the next page is asked for: what was yielded is then dealt with.

        Raises:
            ServerBusy: as many watch as may.
            Compacted: the walk fell behind what is kept.
            DatabaseUnavailable: nobody knows what happens now.
        """
        self.require_room()
        self._walks.append(walk)
        patience = 0.0
        try:
            while True:
                page = await self._next(walk)
                if page is None:
                    await self._wait(patience)
                    page = await self._next(walk) or Page((), walk.place)
                yield page
                patience = idle_seconds
                walk.place = page.upto
        finally:
            self._walks.remove(walk)

    async def _next(self, walk: Walk) -> Page | None:
        """What is there already; None: the walk is at the front."""
        page = self._cached(walk)
        if page is None and walk.place < self._frontier.place:
            page = await self._reader.stretch(walk, STRETCH_ENTRIES_MAX)
        return page

    def _cached(self, walk: Walk) -> Page | None:
        place = bisect_right(self._chunks, walk.place, key=lambda chunk: chunk.upto)
        if place == len(self._chunks):
            return None
        chunk = self._chunks[place]
        return chunk.of(walk) if chunk.after <= walk.place and chunk.scope.covers(walk.viewer) else None

    async def _wait(self, seconds: float) -> None:
        """Wait, for so long at most, until the front moves or the directory changes.

        Raises:
            DatabaseUnavailable: nobody can tell.
        """
        if self._moved is None:
            self._moved = asyncio.get_running_loop().create_future()
        moved = self._moved
        self._waiting += 1
        self._wanted.set()
        try:
            await asyncio.wait([moved], timeout=seconds)
        finally:
            self._waiting -= 1
        if moved.done():
            moved.result()

    async def _follow(self) -> None:
        while True:
            await self._wanted.wait()
            try:
                await self._advance()
            except Exception as error:  # noqa: BLE001 - a feed that ends would leave watchers with signs of life only
                log.warning("events cannot be read", error=repr(error))
                self._tell_waiting(DatabaseUnavailable())
            if not self._waiting:
                self._wanted.clear()
            await asyncio.sleep(POLL_SECONDS)

    async def _advance(self) -> None:
        before = self._frontier.place
        async with self._database.lane() as connection:
            await self._frontier.look(connection)
            directory = (await self._source.at_least(self._frontier.directory_version)).directory
            end, front = self._chunks[-1].upto if self._chunks else before, self._frontier.place
            if end < front:
                near = [walk.viewer for walk in self._walks if walk.place >= self._oldest(end)]
                while near and end < front:
                    scope = Scope.of_all(near)
                    page = await self._reader.read(connection, scope, end, front, CHUNK_ENTRIES_MAX)
                    self._keep(_chunk(end, page, scope, near))
                    end = page.upto
        if end < front:
            # Nobody is near: whoever comes back begins with a stretch of its own.
            self._chunks, self._kept = [], 0
        # Not "moved by this look": whoever lists events looks too. A new directory may end a watcher's credential.
        if (front, directory.version) > self._told:
            self._told = (front, directory.version)
            self._tell_waiting(None)

    def _oldest(self, end: int) -> int:
        return self._chunks[0].after if self._chunks else end

    def _keep(self, chunk: _Chunk) -> None:
        self._chunks.append(chunk)
        self._kept += len(chunk.entries) + 1
        while self._kept > KEPT_ENTRIES_MAX:
            self._kept -= len(self._chunks.pop(0).entries) + 1

    def _tell_waiting(self, failure: DatabaseUnavailable | None) -> None:
        moved, self._moved = self._moved, None
        if moved is None:
            return
        if failure is None:
            moved.set_result(None)
        else:
            moved.set_exception(failure)
            # Should nobody wait for it any more, it was heard all the same.
            moved.exception()


def _chunk(after: int, page: Page, scope: Scope, viewers: Iterable[Viewer]) -> _Chunk:
    """A stretch with an index of what concerns each of the viewers' merchants."""
    by_merchant: dict[int, list[Entry]] = {viewer.merchant_no: [] for viewer in viewers if viewer.merchant_no}
    for entry in page.entries:
        concerned = by_merchant.keys() if entry.audience is None else by_merchant.keys() & entry.audience
        for merchant_no in concerned:
            by_merchant[merchant_no].append(entry)
    return _Chunk(after, page.upto, scope, list(page.entries), by_merchant)
