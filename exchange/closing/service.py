"""Closing a membership: first nothing moves any more, everywhere and at once; then what is left ends.

The first step is one transaction behind the fence: every posting under way has committed, and whoever comes later
finds the accounts closed. So nothing comes between it and the second step, which any server may finish.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import TextClause

from exchange.callers import Caller
from exchange.closing import sql
from exchange.closing.model import Void
from exchange.db.engine import Database
from exchange.directory.change import log
from exchange.holds.model import Release
from exchange.ledger.ids import new_id
from exchange.ledger.key_rows import transfer_of_columns
from exchange.ledger.model import OWN_REQUESTS, Command, MemberKey, Receipt, Transfer, member_bucket
from exchange.ledger.poster import Poster
from exchange.ledger.retired import require_times_kept
from exchange.ledger.sql import BLOCK_UNITS
from exchange.ledger.windows import ALONE
from exchange.rates.model import Coalition
from exchange.rates.source import CoalitionSource
from exchange.refusals import HoldEnded, NothingDue, ResourceNotFound, ServerBusy, StoredRefusal

CREDENTIAL = "exchange/closing"
TRIES_MAX = 64


class _Closed(NamedTuple):
    """A membership that is over; `ended_at`: its points too."""

    bucket: int
    member_id: UUID
    closing_id: UUID
    ended_at: object


class Closings:
    """Ends memberships.

    Args:
        database: where.
        source: the directory.
        poster: ends points.
    """

    def __init__(self, database: Database, source: CoalitionSource, poster: Poster[Coalition]) -> None:
        self._database, self._source, self._poster = database, source, poster

    async def close(self, caller: Caller, member_id: UUID, reason: str) -> tuple[list[Transfer], bool]:
        """Close a membership; what ended of it, and whether it had been closed before.

        Raises:
            ResourceNotFound: no such member.
            TransferRetired: it was closed so long ago that what ended of it may have left the ledger.
            Refusal: an undecided one: it is closed all the same, and upkeep goes on.
        """
        name, named = f"members/{member_id}", {"bucket": member_bucket(member_id), "member_id": member_id}
        async with self._database.write() as connection:
            await connection.execute(ALONE)
            values = {**named, "closing_id": new_id(), "closed_by": caller.credential, "reason": reason}
            is_new = (await connection.execute(sql.CLOSE, values)).first() is not None
            row = (await connection.execute(sql.CLOSED, named)).first()
            if row is None:
                raise ResourceNotFound(resource=name, field="member")
            if is_new:
                await connection.execute(sql.CLOSE_ACCOUNTS, named)
                await log(connection, caller, "close member", name, {}, reason)
        await self._finish(_Closed._make(row))
        async with self._database.read() as connection:
            if not is_new:
                closed_at = (await connection.execute(sql.CLOSED_AT, named)).scalar_one()
                await require_times_kept(connection, closed_at, name)
            voided = [transfer_of_columns(tuple(row)) for row in await connection.execute(sql.VOIDED, named)]
        return voided, not is_new

    async def run(self) -> int:
        """Finish what somebody began who was gone before it had ended; how many it was."""
        async with self._database.look() as connection:
            unfinished = [_Closed._make(row) for row in await connection.execute(sql.UNFINISHED)]
        for closed in unfinished:
            await self._finish(closed)
        return len(unfinished)

    async def _finish(self, closed: _Closed) -> None:
        """Give holds back, end points, and note that all is done. Several may do it at once.

        A conversion that waits for an issuer's own ledger is waited for: whoever looks next ends what comes of it.
        """
        if closed.ended_at is not None:
            return
        named = {"bucket": closed.bucket, "member_id": closed.member_id}
        for _ in range(TRIES_MAX):
            holds = await self._found(sql.HOLDS, {**named, "limit": BLOCK_UNITS})
            left = await self._found(sql.LEFT, named)
            if holds:
                await self._post([_release(*hold) for hold in holds])
            elif left:
                coalition = await self._source.fresh()
                await self._post([_void(closed, currency_no, coalition) for (currency_no,) in left])
            else:
                async with self._database.look() as connection:
                    await connection.execute(sql.FINISH, named)
                return
        raise ServerBusy(limit=TRIES_MAX)

    async def _found(self, statement: TextClause, values: dict[str, object]) -> list[tuple[Any, ...]]:
        async with self._database.look() as connection:
            return [tuple(row) for row in await connection.execute(statement, values)]

    async def _post(self, commands: Sequence[Command]) -> None:
        for start in range(0, len(commands), BLOCK_UNITS):
            for outcome in await self._poster.post_all(commands[start : start + BLOCK_UNITS], atomic=False):
                # A lapse or an end that fell due may have come first: the next look tells what is left.
                if not isinstance(outcome, Receipt | HoldEnded | StoredRefusal | NothingDue):
                    raise outcome


def _release(hold: UUID, merchant_no: int) -> Release:
    return Release(
        merchant_no=merchant_no,
        credential=CREDENTIAL,
        request_id=f"{OWN_REQUESTS}close/{hold}",
        fingerprint=hold.bytes,
        original=hold,
    )


def _void(closed: _Closed, currency_no: int, coalition: Coalition) -> Void:
    currency, key = coalition.directory.currencies[currency_no], new_id()
    return Void(
        merchant_no=currency.issuer_no,
        credential=CREDENTIAL,
        # A fresh key each time: the account's lock, not the key, keeps two servers from ending points twice.
        request_id=f"{OWN_REQUESTS}void/{key}",
        fingerprint=key.bytes,
        member=MemberKey(currency.issuer_no, closed.member_id, None),
        located=(closed.bucket, closed.member_id),
        currency=currency.code,
        units=0,
    )
