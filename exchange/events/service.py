"""Use cases of events: begin somewhere, watch, or ask for a page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from time import monotonic

from exchange.db.engine import Database
from exchange.events.cursors import Cursors
from exchange.events.feed import Feed
from exchange.events.frontier import Frontier, last_of_block
from exchange.events.model import Entry, Page, Viewer
from exchange.events.reader import Compacted, EventReader, Walk
from exchange.rates.source import CoalitionSource
from exchange.refusals import CursorExpired, InvalidCursor

LIST_SECONDS_MAX = 1.0
"""A page looks through the order for no longer: what it has by then is the answer, and its cursor goes on."""


class Events:
    """What happened, for whoever keeps up with it.

    Args:
        database: where.
        source: the directory.
        cursors: makes and reads cursors.
        watchers_max: watches at once in this process.
        heartbeat_seconds: a watch says that it is alive after so long.
    """

    def __init__(
        self,
        database: Database,
        source: CoalitionSource,
        cursors: Cursors,
        *,
        watchers_max: int,
        heartbeat_seconds: float,
    ) -> None:
        self.cursors, self.heartbeat_seconds = cursors, heartbeat_seconds
        self._database = database
        self._frontier = Frontier()
        self._reader = EventReader(database, source, self._frontier)
        self._feed = Feed(database, source, self._frontier, self._reader, watchers_max)

    def start(self) -> None:
        """Be ready for watchers."""
        self._feed.start()

    async def stop(self) -> None:
        """Watchers have gone."""
        await self._feed.stop()

    @property
    def watchers(self) -> int:
        """Watches under way."""
        return self._feed.watchers

    @property
    def seconds_behind(self) -> float:
        """For how long the oldest posting under way has held up events; 0 while nobody watches."""
        return self._frontier.seconds_behind if self._feed.watchers else 0.0

    async def begin(self, viewer: Viewer, cursor: str, *, from_now: bool) -> Walk:
        """A walk from a cursor on; without one from the oldest that is kept, or from now.

        Raises:
            InvalidCursor: it is none of this exchange's, or of a ledger that was set back since.
            CursorExpired: what follows it is kept no longer.
        """
        place = self.cursors.open(cursor) if cursor else None
        now = await self._frontier.settle(self._database)
        if place is None:
            return Walk(viewer, now if from_now else await self._reader.horizon())
        if place > last_of_block(self._frontier.drawn):
            # Waiting until the ledger has come as far again would skip what happens until then.
            raise InvalidCursor(field="cursor")
        if place < (horizon := await self._reader.horizon()):
            raise self._expired(horizon)
        return Walk(viewer, place)

    async def watch(self, walk: Walk) -> AsyncIterator[Page]:
        """What follows, for ever; an empty page is a sign of life, or a stretch without anything for the viewer.

        Raises:
            ServerBusy: as many watch as may.
            CursorExpired: the watcher was so slow that what follows is kept no longer.
        """
        try:
            async for page in self._feed.pages(walk, self.heartbeat_seconds / 2):
                yield page
        except Compacted as compacted:
            raise self._expired(compacted.horizon) from None

    async def page(self, walk: Walk, limit: int) -> tuple[list[Entry], bool]:
        """The next events of a walk, and whether more has happened; the walk's place is moved.

        Raises:
            CursorExpired: what follows it is kept no longer.
        """
        found: list[Entry] = []
        give_up = monotonic() + LIST_SECONDS_MAX
        try:
            while walk.place < self._frontier.place and len(found) < limit and monotonic() < give_up:
                page = await self._reader.stretch(walk, limit - len(found))
                found += page.entries
                walk.place = page.upto
        except Compacted as compacted:
            raise self._expired(compacted.horizon) from None
        return found, walk.place < self._frontier.place

    def _expired(self, horizon: int) -> CursorExpired:
        return CursorExpired(field="cursor", oldest=self.cursors.seal(horizon))
