"""What falls due by itself: lots end and holds lapse once each, however many servers look after them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from exchange.directory.model import ExpiryKind
from exchange.due import Done
from exchange.expiry.model import Expire
from exchange.ledger.ids import new_id
from exchange.ledger.model import MemberKey, Receipt, TransferKind, member_bucket
from exchange.ledger.sql import BLOCK_UNITS
from tests.integration.ledger.ledgers import OPERATOR, Ledger, a_server_on, at_once, issue, reasons
from tests.unit.rules.days import capture, hold, release
from tests.unit.rules.rulebook import MERCHANT_NO, earn, redeem

LOTS_LEFT = "SELECT count(*) FROM exchange.lots WHERE is_open AND expires_at <= exchange.coalition_now()"
ENDED = "SELECT count(*) FROM exchange.transfers WHERE kind = $1"
BREAKAGE = "SELECT creditor, micros, obligations FROM exchange.clearing_totals_v1 WHERE debtor = 'TEL'"


async def issue_ending(ledger: Ledger) -> datetime:
    """TEL issues END, of which each award says when it ends; answers an hour from now."""
    now = await issue(ledger, ExpiryKind.EXPLICIT)
    return now + timedelta(hours=1)


async def award(ledger: Ledger, members: Sequence[UUID], ends: datetime, lots: int = 1) -> None:
    """So many lots of 4 END for each member."""
    commands = [earn("4 END", "GRO", expires=ends, member_id=member) for member in members for _ in range(lots)]
    for begin in range(0, len(commands), BLOCK_UNITS):
        outcomes = await ledger.api.poster.post_all(commands[begin : begin + BLOCK_UNITS], atomic=False)
        assert all(isinstance(outcome, Receipt) for outcome in outcomes)


async def later(ledger: Ledger, moment: datetime) -> None:
    """Move the clock without doing what falls due, as it moves by itself."""
    await ledger.api.changes.set_clock(OPERATOR, moment)


def ending(member: UUID) -> Expire:
    """The exchange's own command to end what is due of a member's END."""
    key = new_id()
    return Expire(
        merchant_no=MERCHANT_NO["TEL"], credential="exchange/due", request_id=f"exchange/expire/{key}",
        fingerprint=key.bytes, member=MemberKey(MERCHANT_NO["TEL"], member, None),
        located=(member_bucket(member), member), currency="END", units=0,
    )  # fmt: skip


async def test_two_servers_that_look_at_once_end_each_lot_once(servers: list[Ledger]) -> None:
    """Fifty members with three lots and a hold each: every account ended once, every hold lapsed once, owed once."""
    ends = await issue_ending(servers[0])
    members = await servers[0].members(50)
    await award(servers[0], members, ends, lots=3)
    for member in members:
        await servers[0].post(hold("5 END", lifetime=timedelta(minutes=30), member_id=member))
    await later(servers[0], ends)

    done = await at_once(*(server.api.due.run() for server in servers))

    assert (sum(one.holds for one in done), sum(one.accounts for one in done)) == (50, 50)
    assert await servers[0].value(ENDED, TransferKind.EXPIRE) == 50
    assert await servers[0].value(ENDED, TransferKind.RELEASE) == 50
    assert await servers[0].value(LOTS_LEFT) == 0
    assert [tuple(row) for row in await servers[0].rows(BREAKAGE)] == [("GRO", 50 * 12 * 5, 50)]


async def test_two_looks_of_one_server_at_once_end_each_lot_once(ledger: Ledger) -> None:
    """Both may put the same account into one batch."""
    ends = await issue_ending(ledger)
    members = await ledger.members(30)
    await award(ledger, members, ends, lots=2)
    await later(ledger, ends)

    done = await at_once(ledger.api.due.run(), ledger.api.due.run(), ledger.api.due.run())

    assert sum(one.accounts for one in done) == 30
    assert await ledger.value(ENDED, TransferKind.EXPIRE) == 30


async def test_an_account_that_is_asked_for_twice_in_a_batch_ends_once(ledger: Ledger) -> None:
    """The second is told that nothing is due, and its key stays unused."""
    ends = await issue_ending(ledger)
    ada = await ledger.member()
    await award(ledger, [ada], ends, lots=2)
    await later(ledger, ends)
    twice = [ending(ada), ending(ada)]

    outcomes = await ledger.api.poster.post_all(twice, atomic=False)

    assert isinstance(outcomes[0], Receipt)
    assert reasons(outcomes[1:]) == ["NOTHING_DUE"]
    assert await ledger.value("SELECT count(*) FROM exchange.request_keys WHERE request_id LIKE 'exchange/%'") == 1


async def test_looking_again_finds_nothing(ledger: Ledger) -> None:
    """Nor does looking before anything is due."""
    ends = await issue_ending(ledger)
    await award(ledger, [await ledger.member()], ends)

    early = await ledger.api.due.run()
    await later(ledger, ends)
    in_time, again = await ledger.api.due.run(), await ledger.api.due.run()

    assert [early, in_time, again] == [Done(0, 0), Done(0, 1), Done(0, 0)]


async def test_more_than_a_batch_holds_ends_all_the_same(ledger: Ledger) -> None:
    """In as many batches as it takes, counted as they go; whoever is broken off between two goes on the next time."""
    ends = await issue_ending(ledger)
    await award(ledger, await ledger.members(BLOCK_UNITS + 50), ends)
    await later(ledger, ends)
    counts: list[int] = []

    def break_off(done: Sequence[Receipt]) -> None:
        counts.append(len(done))
        raise asyncio.CancelledError

    broken_off = asyncio.ensure_future(ledger.api.due.run(break_off))
    await asyncio.wait([broken_off])
    rest = await ledger.api.due.run(lambda done: counts.append(len(done)))

    assert broken_off.cancelled()
    assert (counts[0], rest) == (BLOCK_UNITS, Done(0, 50))
    assert sum(counts) == BLOCK_UNITS + 50


async def test_points_end_without_anybody_asking(ledger: Ledger) -> None:
    """Every server looks from time to time."""
    ends = await issue_ending(ledger)
    ada = await ledger.member()
    await award(ledger, [ada], ends)
    held = await ledger.post(hold("1 END", lifetime=timedelta(minutes=1), member_id=ada))
    await later(ledger, ends)

    async with a_server_on(ledger.url, due_seconds=0.05):
        while await ledger.value(LOTS_LEFT) or not await ledger.value(ENDED, TransferKind.EXPIRE):
            await asyncio.sleep(0.02)

    assert reasons([await ledger.told(release(held.transfer))]) == ["HOLD_ENDED"]
    assert await ledger.balances(ada) == {"END": 0}


async def test_a_hold_that_is_over_ends_in_one_way(servers: list[Ledger]) -> None:
    """Twenty holds captured, given back and lapsed all at once: too late to capture, and the points are back once."""
    members = await servers[0].members(20)
    holds = []
    for member in members:
        await servers[0].post(earn("9 TEL", "GRO", member_id=member))
        holds.append((await servers[0].post(hold("9 TEL", member_id=member))).transfer)
    assert holds[-1].expires_at is not None
    await later(servers[0], holds[-1].expires_at)

    voiding = [servers[place % 2].told(release(held)) for place, held in enumerate(holds)]
    capturing = [servers[(place + 1) % 2].told(capture(held)) for place, held in enumerate(holds)]
    answers, captured, *done = await asyncio.gather(
        at_once(*voiding), at_once(*capturing), servers[0].api.due.run(), servers[1].api.due.run()
    )

    voided = sum(isinstance(answer, Receipt) for answer in answers)
    assert voided + sum(one.holds for one in done) == 20
    assert await servers[0].value(ENDED, TransferKind.RELEASE) == 20
    assert Counter(reasons(captured)).keys() <= {"HOLD_ENDED", "HOLD_LAPSED"}
    assert len(reasons(captured)) == 20
    for member in members:
        assert await servers[0].balances(member) == {"TEL": 9}
        await servers[0].post(redeem("9 TEL", "CAF", member_id=member))
