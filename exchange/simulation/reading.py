"""Past movements from the immutable rows, a few hundred at a time, each with what playing it again needs beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.ledger.keys import transfer_of_columns
from exchange.ledger.model import Account, Side, Transfer, TransferKind
from exchange.rates.model import Rate
from exchange.reversal.rules import moved_units
from exchange.simulation import sql
from exchange.simulation.model import EndedLot, Happened

CHUNK = 500
FOLLOWING = frozenset({TransferKind.CAPTURE, TransferKind.REVERSAL})
_COLUMNS = len(Transfer._fields)
Named = dict[UUID, Happened]


class PastDays:
    """Movements of a span of time, on one connection in one snapshot.

    Args:
        connection: a read transaction.
        rates: every version there was: a conversion whose tier nobody noted had that of its rate.
        since: movements before this instant need nothing beside them: they are not played again.
    """

    def __init__(self, connection: AsyncConnection, rates: Iterable[Rate], since: datetime) -> None:
        self._connection, self._since = connection, since
        self._tiers = {rate.rate_id: rate.tier for rate in rates}

    async def between(self, since: datetime, until: datetime) -> AsyncIterator[list[Happened]]:
        """What happened from an instant until before another, in ledger order, in chunks."""
        span = {"since": since, "until": until}
        first, last = (await self._connection.execute(sql.WINDOWS, span)).one()
        rows = await self._connection.stream(sql.TRANSFERS, {**span, "first": first, "last": last})
        async for chunk in rows.partitions(CHUNK):
            yield await self._complete([self._happened(row) for row in chunk])

    def _happened(self, row: Row[Any]) -> Happened:
        transfer = transfer_of_columns(tuple(row[:_COLUMNS]))
        noted, promised_at, has_bonus = row[_COLUMNS:]
        tier = noted or self._tiers.get(transfer.rate_id, "")
        return Happened(transfer, tier, promised_at=promised_at, has_bonus=has_bonus)

    async def _complete(self, chunk: Sequence[Happened]) -> list[Happened]:
        originals = await self._by_id({h.transfer.original_id for h in chunk if h.transfer.kind in FOLLOWING})
        # What a reversal reverses may itself be the capture of a hold.
        holds = await self._by_id({h.transfer.original_id for h in originals.values() if h.transfer.kind in FOLLOWING})
        followed = {
            name: original._replace(original=holds.get(original.transfer.original_id or name))
            for name, original in originals.items()
        }
        before = await self._before([h.transfer for h in chunk if h.transfer.kind == TransferKind.REVERSAL])
        ended = await self._ended([h.transfer for h in chunk if h.transfer.kind == TransferKind.EXPIRE])
        return [
            happened._replace(
                original=followed.get(happened.transfer.original_id) if happened.transfer.original_id else None,
                before_units=before.get(happened.transfer.transfer_id, 0),
                ended=ended.get(happened.transfer.transfer_id, ()),
            )
            for happened in chunk
        ]

    async def _by_id(self, names: set[UUID | None]) -> Named:
        known = [name for name in names if name is not None]
        if not known:
            return {}
        asked = {"buckets": [name.int % 1024 for name in known], "names": known}
        rows = await self._connection.execute(sql.TRANSFERS_BY_ID, asked)
        found = [self._happened(row) for row in rows]
        return {h.transfer.transfer_id: h for h in found if h.transfer.transfer_id is not None}

    async def _before(self, reversals: Sequence[Transfer]) -> Mapping[UUID | None, int]:
        """By reversal the points that earlier ones of the same original had moved."""
        if not reversals:
            return {}
        asked = {
            "buckets": [reversal.bucket for reversal in reversals],
            "members": [reversal.member_id for reversal in reversals],
            "originals": [reversal.original_id for reversal in reversals],
            "reversal": TransferKind.REVERSAL,
        }
        every = [transfer_of_columns(tuple(row)) for row in await self._connection.execute(sql.REVERSALS_OF, asked)]
        return {
            reversal.transfer_id: sum(
                moved_units(earlier)
                for earlier in every
                if earlier.original_id == reversal.original_id and earlier.ledger_sequence < reversal.ledger_sequence
            )
            for reversal in reversals
        }

    async def _ended(self, expiries: Sequence[Transfer]) -> Mapping[UUID | None, list[EndedLot]]:
        """By expiry the lots it ended; of those that were made in the days played, how they were made."""
        taken = [
            (expiry.bucket, leg.lot_id)
            for expiry in expiries
            for leg in expiry.legs
            if leg.lot_id is not None and (leg.account, leg.side) == (Account.MEMBER, Side.DEBIT)
        ]
        if not taken:
            return {}
        asked = {"buckets": [bucket for bucket, _ in taken], "names": [lot_id for _, lot_id in taken]}
        lots = {row.lot_id: row for row in await self._connection.execute(sql.LOTS, asked)}
        births = await self._by_id({lot.transfer_id for lot in lots.values() if lot.earned_at >= self._since})
        return {
            expiry.transfer_id: [
                EndedLot(leg.lot_id, leg.units, lot.funder_no, lot.price_micros, births.get(lot.transfer_id))
                for leg in expiry.legs
                if leg.account == Account.MEMBER and leg.lot_id is not None and (lot := lots[leg.lot_id])
            ]
            for expiry in expiries
        }
