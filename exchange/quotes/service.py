"""Use cases of quotes: give one, and read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import ceil
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.callers import Caller
from exchange.clock import coalition_now
from exchange.db.engine import Database
from exchange.directory.members import Members
from exchange.ledger.ids import new_id
from exchange.ledger.model import MemberKey, member_bucket, transfer_bucket
from exchange.ledger.quote import Quote, Terms, quote_of
from exchange.quotes import sql
from exchange.quotes.model import Wanted
from exchange.quotes.rules import obligations, require_parties, terms_for, terms_reaching
from exchange.rates.model import Coalition
from exchange.rates.source import CoalitionSource
from exchange.refusals import ResourceNotFound, ServerBusy, TooManyQuotes

TRIES_MAX = 8


class Quotes:
    """Quotes of all merchants; each sees its own.

    Args:
        database: where.
        source: rates and prices in force.
        members: finds them.
        open_max: quotes of one merchant that may be open at once. They are counted before one is given, so calls at the
            same instant may pass it by as many as they are: it protects the database, not anybody's money.
    """

    def __init__(self, database: Database, source: CoalitionSource, members: Members, *, open_max: int) -> None:
        self._database, self._source, self._members = database, source, members
        self._open_max = open_max

    async def give(self, caller: Caller, key: MemberKey, wanted: Wanted) -> Quote:
        """A quote by the rate and prices in force, for a merchant and one of its members.

        Raises:
            ResourceNotFound: no such member or currency.
            TooManyQuotes: as many of the merchant's quotes are open as may be.
            Refusal: whatever `quotes.rules` refuse, and what could not be owed.
        """
        for _ in range(TRIES_MAX):
            quote = await self._try_to_give(caller, key, wanted, await self._source.current())
            if quote is not None:
                return quote
            # Outside the transaction: reading anew takes a connection of its own.
            await self._source.reload()
        raise ServerBusy(limit=TRIES_MAX)

    async def _try_to_give(self, caller: Caller, key: MemberKey, wanted: Wanted, coalition: Coalition) -> Quote | None:
        """None: the directory has changed, and nothing was written."""
        assert caller.merchant_no is not None
        async with self._database.write() as connection:
            await connection.execute(sql.FENCE_SHARED)
            now, version = (await connection.execute(sql.MOMENT)).one()
            if version != coalition.version:
                return None
            coalition.directory.confirm(caller.credential)
            member = (await self._members.find(connection, caller, key)).require_open()
            bucket = member_bucket(member.member_id)
            at = now.astimezone(UTC)
            terms = _terms(caller.merchant_no, wanted, coalition, at)
            await self._require_room(connection, caller.merchant_no, coalition, at)
            quote = Quote(new_id(bucket), caller.merchant_no, member.member_id, terms, at, at + wanted.lifetime)
            await connection.execute(sql.ADD, {**quote._asdict(), **terms._asdict(), "bucket": bucket})
        return quote

    async def _require_room(
        self, connection: AsyncConnection, merchant_no: int, coalition: Coalition, at: datetime
    ) -> None:
        values = {"merchant_no": merchant_no, "at": at, "most": self._open_max}
        count, first_ends = (await connection.execute(sql.OPEN, values)).one()
        if count >= self._open_max:
            full = TooManyQuotes(merchant=coalition.directory.merchants[merchant_no].name, open_quotes=self._open_max)
            raise full.after(ceil((first_ends - at) / timedelta(milliseconds=1)))

    async def read(self, caller: Caller, quote_id: UUID) -> tuple[Quote, datetime]:
        """A quote as it stands, and the time.

        Raises:
            ResourceNotFound: there is none, or it was given to somebody else: one cannot tell which.
        """
        async with self._database.read() as connection:
            named = {"bucket": transfer_bucket(quote_id), "quote_id": quote_id}
            row = (await connection.execute(sql.QUOTE, named)).first()
            now = await coalition_now(connection)
        if row is None or not (caller.sees_all or row.merchant_no == caller.merchant_no):
            raise ResourceNotFound(resource=f"quotes/{quote_id}", field="name")
        return quote_of(row[:-1], row.transfer_id), now


def _terms(merchant_no: int, wanted: Wanted, coalition: Coalition, at: datetime) -> Terms:
    directory = coalition.directory
    source = directory.currency(wanted.source, "source_currency")
    target = directory.currency(wanted.target, "target_currency")
    require_parties(merchant_no, directory, source, target)
    found = terms_reaching if wanted.is_target else terms_for
    terms = found(source, target, coalition, at, wanted.units, wanted.tier)
    # What could not be owed must not be promised.
    obligations(terms, directory)
    return terms
