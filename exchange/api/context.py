"""What every servicer needs."""

from __future__ import annotations

from dataclasses import dataclass

from exchange.adjustment.service import Adjustments
from exchange.callers import Caller
from exchange.closing.service import Closings
from exchange.db.engine import Database
from exchange.directory.members import Members
from exchange.directory.model import Directory
from exchange.directory.service import DirectoryChanges
from exchange.due import Due
from exchange.events.service import Events
from exchange.external.service import ExternalLedgers
from exchange.ledger.poster import Poster
from exchange.limits.changes.service import CapChanges
from exchange.limits.service import LimitChanges
from exchange.notices.service import Notices
from exchange.promotions.service import PromotionChanges
from exchange.quotes.service import Quotes
from exchange.rates.drafts.service import Drafts
from exchange.rates.model import Coalition
from exchange.rates.service import RateChanges
from exchange.rates.source import CoalitionSource
from exchange.retention.parts import LedgerParts
from exchange.serving.paging import PageTokens
from exchange.serving.quotas import Gate


@dataclass(frozen=True, slots=True)
class Api:
    """The use cases behind the wire, put together by `exchange.app`."""

    database: Database
    source: CoalitionSource
    poster: Poster[Coalition]
    changes: DirectoryChanges
    rates: RateChanges
    quotes: Quotes
    drafts: Drafts
    members: Members
    tokens: PageTokens
    due: Due
    events: Events
    notices: Notices
    promotions: PromotionChanges
    adjustments: Adjustments
    closings: Closings
    limits: LimitChanges
    cap_changes: CapChanges
    external: ExternalLedgers
    parts: LedgerParts
    gate: Gate

    async def coalition(self, caller: Caller) -> Coalition:
        """A version no older than the call, in which the caller's credential still holds."""
        coalition = await self.source.fresh()
        coalition.directory.confirm(caller.credential)
        return coalition

    async def directory(self, caller: Caller) -> Directory:
        """The directory of `coalition`."""
        return (await self.coalition(caller)).directory
