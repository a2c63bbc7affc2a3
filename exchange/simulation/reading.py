"""Past movements from the immutable rows, a few hundred at a time, each with what playing it again needs beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.ledger.bonus_rows import ADDED_TO
from exchange.ledger.key_rows import transfer_of_columns
from exchange.ledger.model import Account, Side, Transfer, TransferKind
from exchange.ledger.retired import require_kept
from exchange.promotions.service import used
from exchange.rates.model import Coalition
from exchange.reversal.rules import moved_units
from exchange.simulation import sql
from exchange.simulation.model import EndedLot, Happened, PastBonus

CHUNK = 500
PROMOTED = ADDED_TO | {TransferKind.REVERSAL}
FOLLOWING = frozenset({TransferKind.CAPTURE, TransferKind.REVERSAL})
_COLUMNS = len(Transfer._fields)
Named = dict[UUID, Happened]


class PastDays:
    """Movements of a span of time, on one connection in one snapshot.

    Args:
        connection: a read transaction.
        coalition: every rate there was: a conversion whose tier nobody noted had that of its rate; every promotion.
        since: movements before this instant need nothing beside them: they are not played again.
    """

    def __init__(self, connection: AsyncConnection, coalition: Coalition, since: datetime) -> None:
        self._connection, self._since = connection, since
        self._tiers = {rate.rate_id: rate.tier for rate in coalition.published}
        self._promotions = coalition.promotions.by_number
        self._member_since: Counter[tuple[int, UUID]] = Counter()

    async def begin(self) -> Mapping[int, int]:
        """Points given of budgets before the first instant, by promotion number; then what there is to read of caps."""
        if not self._promotions:
            return {}
        before = Counter(await used(self._connection, list(self._promotions.values())))
        span = {"since": self._since, "until": self._since}
        first, _ = (await self._connection.execute(sql.WINDOWS, span)).one()
        async for number, member_id, units in await self._connection.stream(
            sql.GIVEN_SINCE, {"first": first, "since": self._since}
        ):
            if self._promotions[number].budget_units:
                before[number] -= units
            if self._promotions[number].member_cap_units:
                self._member_since[(number, member_id)] = units
        return before

    async def between(self, since: datetime, until: datetime) -> AsyncIterator[list[Happened]]:
        """What happened from an instant until before another, in ledger order, in chunks."""
        span = {"since": since, "until": until}
        first, last = (await self._connection.execute(sql.WINDOWS, span)).one()
        rows = await self._connection.stream(sql.TRANSFERS, {**span, "first": first, "last": last})
        async for chunk in rows.partitions(CHUNK):
            yield await self._with_uses(await self._complete(await self._read(chunk)))

    async def _read(self, rows: Iterable[Row[Any]]) -> list[Happened]:
        """Transfers, each with its bonuses."""
        listed = list(rows)
        found = [self._happened(row) for row in listed]
        promoted = [one.transfer for one, row in zip(found, listed, strict=True) if row[-1]]
        if not promoted:
            return found
        asked = {"buckets": [one.bucket for one in promoted], "names": [one.transfer_id for one in promoted]}
        bonuses: dict[UUID | None, list[PastBonus]] = {}
        for transfer_id, *bonus in await self._connection.execute(sql.BONUSES, asked):
            bonuses.setdefault(transfer_id, []).append(PastBonus(*bonus))
        return [one._replace(bonuses=bonuses.get(one.transfer.transfer_id, ())) for one in found]

    async def _with_uses(self, chunk: list[Happened]) -> list[Happened]:
        """What members had of promotions with caps before the first instant."""
        if not any(one.member_cap_units for one in self._promotions.values()):
            return chunk
        counted = [one.transfer for one in chunk if one.transfer.kind in PROMOTED]
        asked = {"buckets": [one.bucket for one in counted], "members": [one.member_id for one in counted]}
        uses: dict[UUID, dict[int, int]] = {}
        for member_id, number, units in await self._connection.execute(sql.MEMBER_USES, asked):
            uses.setdefault(member_id, {})[number] = units - self._member_since[(number, member_id)]
        return [one._replace(used_before=uses.get(one.transfer.member_id, {})) for one in chunk]

    def _happened(self, row: Row[Any]) -> Happened:
        transfer = transfer_of_columns(tuple(row[:_COLUMNS]))
        noted, promised_at, _ = row[_COLUMNS:]
        tier = noted or self._tiers.get(transfer.rate_id, "")
        return Happened(transfer, tier, promised_at=promised_at)

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
        found = {h.transfer.transfer_id: h for h in await self._read(rows) if h.transfer.transfer_id is not None}
        for missing in set(known) - found.keys():
            await require_kept(self._connection, missing)
        return dict(found)

    async def _before(self, reversals: Sequence[Transfer]) -> Mapping[UUID | None, int]:
        """By reversal the points that earlier ones of the same original had moved, without bonuses."""
        if not reversals:
            return {}
        asked = {
            "buckets": [reversal.bucket for reversal in reversals],
            "members": [reversal.member_id for reversal in reversals],
            "originals": [reversal.original_id for reversal in reversals],
            "reversal": TransferKind.REVERSAL,
        }
        rows = await self._connection.execute(sql.REVERSALS_OF, asked)
        every = [(transfer_of_columns(tuple(row[:_COLUMNS])), row[_COLUMNS]) for row in rows]
        return {
            reversal.transfer_id: sum(
                moved_units(earlier) - returned
                for earlier, returned in every
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
                EndedLot(
                    leg.lot_id,
                    leg.units,
                    lot.funder_no,
                    lot.price_micros,
                    births.get(lot.transfer_id),
                    lot.promotion_no,
                )
                for leg in expiry.legs
                if leg.account == Account.MEMBER and leg.lot_id is not None and (lot := lots[leg.lot_id])
            ]
            for expiry in expiries
        }
