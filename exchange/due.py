"""What falls due by itself: lots that reach their expiry, holds whose time is over. Safe to run twice and at once.

Each piece is a command through the poster like any other, under the operator's own idempotency keys; whoever comes
second finds nothing left. So a server may die in the middle: the next run goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import text

from exchange.db.engine import Database
from exchange.expiry.model import Expire
from exchange.holds.model import Release
from exchange.ledger.ids import new_id
from exchange.ledger.model import OWN_REQUESTS, Command, MemberKey, Receipt
from exchange.ledger.poster import Poster
from exchange.ledger.sql import BLOCK_UNITS

CREDENTIAL = "exchange/due"
log = structlog.get_logger(__name__)

HOLDS = text("""
SELECT f.transfer_id, t.merchant_no
FROM exchange.follow_ups f JOIN exchange.transfers t USING (bucket, transfer_id)
WHERE NOT f.ended AND f.lapses_at <= exchange.coalition_now()
ORDER BY f.lapses_at, f.transfer_id LIMIT :limit
""")

# A member has lots of a currency from many days: one command ends all that are due. The key says up to when.
LOTS = text("""
SELECT DISTINCT l.bucket, l.member_id, c.code, c.issuer_no
FROM exchange.lots l JOIN exchange.currencies c USING (currency_no)
WHERE l.is_open AND l.expires_at <= exchange.coalition_now()
LIMIT :limit
""")


class Done(NamedTuple):
    """How much was done."""

    holds: int
    accounts: int


class Due:
    """Ends what has reached its end."""

    def __init__(self, database: Database, poster: Poster[Any]) -> None:
        self._database, self._poster = database, poster

    async def run(self, progress: Callable[[int], None] = lambda _: None) -> Done:
        """Lapse holds first (what they give back may end too), then end lots; `progress` hears counts."""
        holds = await self._until_none(self._lapsing, progress)
        return Done(holds, await self._until_none(self._ending, progress))

    async def _until_none(self, commands: Callable[[], Any], progress: Callable[[int], None]) -> int:
        total = 0
        while batch := await commands():
            outcomes = await self._poster.post_all(batch, atomic=False)
            # A replay is what somebody else did a moment ago: each thing done is counted by one run.
            done = sum(isinstance(outcome, Receipt) and not outcome.replayed for outcome in outcomes)
            total += done
            progress(done)
            if not done:
                # Somebody else is at it, or something refuses; the next run will see.
                break
        return total

    async def _lapsing(self) -> list[Command]:
        async with self._database.look() as connection:
            rows = (await connection.execute(HOLDS, {"limit": BLOCK_UNITS})).all()
        return [_lapse(hold, merchant_no) for hold, merchant_no in rows]

    async def _ending(self) -> list[Command]:
        async with self._database.look() as connection:
            rows = (await connection.execute(LOTS, {"limit": BLOCK_UNITS})).all()
        return [_end(bucket, member_id, code, issuer_no) for bucket, member_id, code, issuer_no in rows]

    async def keep_running(self, every_seconds: float) -> None:
        """Run again and again until cancelled; a run that fails is tried again the next time."""
        while True:
            await asyncio.sleep(every_seconds)
            try:
                await self.run()
            except Exception:
                log.warning("due work failed; it is tried again", exc_info=True)


def _lapse(hold: UUID, merchant_no: int) -> Command:
    return Release(
        merchant_no=merchant_no,
        credential=CREDENTIAL,
        request_id=f"{OWN_REQUESTS}lapse/{hold}",
        fingerprint=hold.bytes,
        original=hold,
        lapsed=True,
    )


def _end(bucket: int, member_id: UUID, code: str, issuer_no: int) -> Command:
    # A fresh key each time: the accounts' locks, not the key, keep two runs from ending a lot twice.
    key = new_id()
    return Expire(
        merchant_no=issuer_no,
        credential=CREDENTIAL,
        request_id=f"{OWN_REQUESTS}expire/{key}",
        fingerprint=key.bytes,
        member=MemberKey(issuer_no, member_id, None),
        located=(bucket, member_id),
        currency=code,
        units=0,
    )
