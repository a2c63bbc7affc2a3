"""What falls due by itself: lots that reach their expiry, holds whose time is over. Safe to run twice and at once.

Each piece is a command through the poster like any other, under the operator's own idempotency keys; whoever comes
second finds nothing left. So a server may die in the middle: the next run goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import structlog
from sqlalchemy import TextClause, text

from exchange.db.engine import Database
from exchange.expiry.model import Expire
from exchange.holds.model import Release
from exchange.ledger.ids import new_id
from exchange.ledger.model import OWN_REQUESTS, Command, MemberKey, Receipt
from exchange.ledger.poster import Poster
from exchange.ledger.reference import AccountKey
from exchange.ledger.sql import BLOCK_UNITS
from exchange.rates.model import Coalition
from exchange.rates.source import CoalitionSource

CREDENTIAL = "exchange/due"
log = structlog.get_logger(__name__)

HOLDS = text("""
SELECT f.transfer_id, t.merchant_no
FROM exchange.follow_ups f JOIN exchange.transfers t USING (bucket, transfer_id)
WHERE NOT f.ended AND f.lapses_at <= exchange.coalition_now()
ORDER BY f.lapses_at, f.transfer_id LIMIT :limit
""")

# A member has lots of a currency from many days: one command ends all that are due.
ACCOUNTS = text("""
SELECT bucket, member_id, currency_no FROM (
    (SELECT DISTINCT bucket, member_id, currency_no FROM exchange.lots
     WHERE is_open AND expires_at <= exchange.coalition_now() LIMIT :limit)
    UNION
    (SELECT bucket, member_id, currency_no FROM exchange.account_ends
     WHERE is_open AND ends_at <= exchange.coalition_now() LIMIT :limit)
) due LIMIT :limit
""")

WAITING = text("""
SELECT (SELECT count(*) FROM exchange.follow_ups WHERE NOT ended AND lapses_at <= exchange.coalition_now()) AS holds,
       (SELECT count(*) FROM (
            SELECT bucket, member_id, currency_no FROM exchange.lots
            WHERE is_open AND expires_at <= exchange.coalition_now()
            UNION
            SELECT bucket, member_id, currency_no FROM exchange.account_ends
            WHERE is_open AND ends_at <= exchange.coalition_now()) due) AS accounts
""")


class Done(NamedTuple):
    """How much was done, or waits: holds that lapse, accounts of which points end."""

    holds: int
    accounts: int


class Due:
    """Ends what has reached its end."""

    def __init__(self, database: Database, poster: Poster[Coalition], source: CoalitionSource) -> None:
        self._database, self._poster, self._source = database, poster, source

    async def waiting(self) -> Done:
        """What has fallen due and is not done yet."""
        async with self._database.look() as connection:
            return Done._make((await connection.execute(WAITING)).one())

    async def run(self, told: Callable[[Sequence[Receipt]], None] = lambda _: None) -> Done:
        """Lapse holds first (what they give back may end too), then end lots.

        Args:
            told: hears what was done, as it is done.
        """
        holds = await self._until_none(HOLDS, _lapse, told)
        return Done(holds, await self._until_none(ACCOUNTS, _end, told))

    async def _until_none(
        self,
        statement: TextClause,
        command: Callable[[tuple[Any, ...], Coalition], Command],
        told: Callable[[Sequence[Receipt]], None],
    ) -> int:
        total, before = 0, set[tuple[Any, ...]]()
        while due := await self._found(statement):
            coalition = await self._source.fresh()
            outcomes = await self._poster.post_all([command(one, coalition) for one in due], atomic=False)
            # A replay is what somebody else did a moment ago: each thing done is counted by one run.
            done = [outcome for outcome in outcomes if isinstance(outcome, Receipt) and not outcome.replayed]
            total += len(done)
            told(done)
            if not done and before == set(due):
                # Something refuses, or the clock was put back; the next run will see.
                break
            before = set(due)
        return total

    async def _found(self, statement: TextClause) -> list[tuple[Any, ...]]:
        async with self._database.look() as connection:
            return [tuple(row) for row in await connection.execute(statement, {"limit": BLOCK_UNITS})]

    async def keep_running(self, every_seconds: float) -> None:
        """Run again and again until cancelled; a run that fails is tried again the next time."""
        while True:
            await asyncio.sleep(every_seconds)
            try:
                await self.run()
            except Exception:
                log.warning("due work failed; it is tried again", exc_info=True)


def _lapse(due: tuple[Any, ...], coalition: Coalition) -> Command:
    del coalition
    hold, merchant_no = due
    return Release(
        merchant_no=merchant_no,
        credential=CREDENTIAL,
        request_id=f"{OWN_REQUESTS}lapse/{hold}",
        fingerprint=hold.bytes,
        original=hold,
        lapsed=True,
    )


def _end(due: tuple[Any, ...], coalition: Coalition) -> Command:
    bucket, member_id, currency_no = due
    return ending((bucket, member_id, currency_no), coalition)


def ending(account: AccountKey, coalition: Coalition) -> Command:
    """The command that ends what has reached its end of an account."""
    bucket, member_id, currency_no = account
    currency = coalition.directory.currencies[currency_no]
    # A fresh key each time: the accounts' locks, not the key, keep two runs from ending a lot twice.
    key = new_id()
    return Expire(
        merchant_no=currency.issuer_no,
        credential=CREDENTIAL,
        request_id=f"{OWN_REQUESTS}expire/{key}",
        fingerprint=key.bytes,
        member=MemberKey(currency.issuer_no, member_id, None),
        located=(bucket, member_id),
        currency=currency.code,
        units=0,
    )
