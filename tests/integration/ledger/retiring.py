"""A ledger cut in two, and everything done that its older part needs before it may leave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench import parts
from exchange.callers import Caller, CallerRole
from exchange.db.engine import Database
from exchange.ledger.model import Transfer
from exchange.retention import rules
from exchange.retention.model import Retirement
from exchange.retention.service import Candidate, Needs, Retirements
from tests.integration.ledger.ledgers import Ledger, owner_of
from tests.integration.ledger.months import job, next_month
from tests.unit.rules.days import capture, hold
from tests.unit.rules.rulebook import convert, earn, redeem

LI_WEI = Caller(CallerRole.OPERATOR, "apiKeys/li", person="li.wei")
MA_LI = Caller(CallerRole.OPERATOR, "apiKeys/ma", person="ma.li")


async def cut(ledger: Ledger) -> str:
    """End the partition of the present now, as if its time were over, and begin the next; the name of what ended.

    Whoever posts meanwhile waits, which a partition's end does not make anybody do: only a test cannot wait a year.
    """
    async with owner_of(ledger.url) as connection:
        return await parts.cut(connection)


async def done_with(ledger: Ledger) -> None:
    """Nothing needs what was posted so far: its window is closed, a later month has statements, nobody watches it."""
    await ledger.close_window()
    for _ in range(2):
        await job(ledger).make(await next_month(ledger))
    async with owner_of(ledger.url) as connection:
        await connection.execute(
            "UPDATE exchange.event_horizon SET place = (SELECT max(ledger_sequence) FROM exchange.transfers)"
        )


async def an_old_part(ledger: Ledger) -> dict[str, Transfer]:
    """Transfers of a part of the ledger that has ended, by what they are, before one of the next; all of one member."""
    ada = await ledger.member("ada")
    made = {
        "earn": await ledger.post(earn("90 BNK", "CAF", member_id=ada, key="old")),
        "convert": await ledger.post(convert("30 BNK", "AIR", by="BNK", member_id=ada)),
        "redeem": await ledger.post(redeem("10 BNK", "GRO", member_id=ada)),
    }
    held = await ledger.post(hold("20 BNK", member_id=ada))
    await ledger.post(capture(held.transfer, 15))
    await cut(ledger)
    await ledger.post(earn("7 BNK", "CAF", member_id=ada, key="new"))
    await done_with(ledger)
    return {name: receipt.transfer for name, receipt in made.items()}


@asynccontextmanager
async def keeping(
    ledger: Ledger, keep: timedelta = timedelta(0), needs: Sequence[Needs] = ()
) -> AsyncIterator[Retirements]:
    """Who lets partitions of a ledger leave, as its owner: also one that ended a moment ago, as those of tests do."""
    database = Database(ledger.url, role=None)
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(rules, "CLOCKS_DISAGREE", timedelta(0))
            yield Retirements(database, ledger.url, keep, needs)
    finally:
        await database.dispose()


async def candidate(retirements: Retirements) -> Candidate:
    """The oldest partition that has ended."""
    return (await retirements.candidates(datetime.now(UTC)))[0]


async def retired(ledger: Ledger, folder: Path) -> Retirement:
    """The oldest partition, gone."""
    async with keeping(ledger) as retirements:
        return await retirements.retire(await candidate(retirements), LI_WEI, folder)
