"""What is remembered in the course of time: lots in their turn, event times, batches one after another, connections."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from exchange.refusals import Refusal
from tests.integration.ledger.ledgers import Ledger, a_server_on
from tests.integration.ledger.pausing import without
from tests.integration.ledger.remembering import Standing, looks, seconds_pass, tries
from tests.unit.rules.rulebook import earn, redeem

NOT_AHEAD = "AND clock_timestamp() + c.clock_offset"


async def test_lots_nobody_has_looked_at_are_spent_in_their_turn(
    servers: list[Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lot that is made where its account is remembered may stand behind others that are not."""
    ada = await servers[0].member()
    now = await servers[0].value("SELECT exchange.coalition_now()")
    ends = [now + timedelta(days=days) for days in (10, 20, 30, 40)]
    for place in (0, 1, 2):
        await servers[1].post(earn("10 TEL", "GRO", member_id=ada, expires=ends[place]))
    await servers[0].post(redeem("4 TEL", "GRO", member_id=ada))
    await servers[0].post(earn("10 TEL", "GRO", member_id=ada, expires=ends[3]))

    asked = looks(monkeypatch)
    first = await servers[0].post(redeem("5 TEL", "GRO", member_id=ada))
    second = await servers[0].post(redeem("10 TEL", "GRO", member_id=ada))

    assert [leg.units for leg in first.transfer.legs if leg.lot_id] == [5]
    assert [leg.units for leg in second.transfer.legs if leg.lot_id] == [1, 9]
    assert await ends_of(servers[0], ada) == [(ends[1], 1), (ends[2], 10), (ends[3], 10)]
    # The first lot was known to be enough for five, and not for ten.
    assert asked == [1]


async def ends_of(ledger: Ledger, member: UUID) -> list[tuple[object, int]]:
    """When the open lots of a member end, and with how many points."""
    rows = await ledger.rows(
        "SELECT expires_at, remaining_units FROM exchange.lots WHERE member_id = $1 AND is_open ORDER BY 1", member
    )
    return [tuple(row) for row in rows]


async def test_lots_that_end_while_they_are_remembered_cannot_be_spent(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody posted their end yet; what else there is, is spent without asking."""
    ada = await ledger.member()
    now = await ledger.value("SELECT exchange.coalition_now()")
    await ledger.post(earn("10 TEL", "GRO", member_id=ada, expires=now + timedelta(seconds=3)))
    await ledger.post(earn("10 TEL", "GRO", member_id=ada, expires=now + timedelta(days=3)))
    await seconds_pass(ledger, monkeypatch, 5, there=5)

    asked = looks(monkeypatch)
    await ledger.post(redeem("1 TEL", "GRO", member_id=ada))
    answer = await ledger.told(redeem("10 TEL", "GRO", member_id=ada))

    assert isinstance(answer, Refusal)
    assert answer.data == {"currency": "currencies/TEL", "available": "9", "requested": "10"}
    assert asked == []


async def out_of_order(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> int:
    """Entries earlier than the one before, when the clock of the first of two servers goes nine seconds fast."""
    async with a_server_on(ledger.url) as other:
        ada = await ledger.member()
        await ledger.post(earn("10 TEL", "GRO", member_id=ada))
        await seconds_pass(ledger, monkeypatch, 9, there=0)
        await ledger.post(earn("10 TEL", "GRO", member_id=ada))
        await other.post(earn("10 TEL", "GRO", member_id=ada))
    earlier: int = await ledger.value(
        "SELECT count(*) FROM exchange.transfers t JOIN exchange.transfers before USING (member_id)"
        " WHERE before.ledger_sequence < t.ledger_sequence AND before.occurred_at > t.occurred_at"
    )
    return earlier


async def test_nothing_happens_before_its_time(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose clock is fast asks the database."""
    assert await out_of_order(ledger, monkeypatch) == 0


async def test_without_looking_at_the_clock_entries_would_be_out_of_order(
    coalition_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same without the proof, in a ledger nobody audits, so that the test above can fail."""
    async with a_server_on(coalition_url) as ledger:
        await without(ledger, NOT_AHEAD, "AND 'infinity'")

        assert await out_of_order(ledger, monkeypatch) > 0


async def what_is_left(servers: list[Ledger], monkeypatch: pytest.MonkeyPatch) -> tuple[list[object], int]:
    """Two movements at one server, the second decided on the first, while another server is quicker than both."""
    ada = await servers[0].member()
    await servers[0].post(earn("10 TEL", "GRO", member_id=ada))
    standing = Standing(monkeypatch)
    first = asyncio.create_task(servers[0].told(redeem("3 TEL", "GRO", member_id=ada)))
    await standing.stands.wait()
    second = asyncio.create_task(servers[0].told(redeem("4 TEL", "GRO", member_id=ada)))
    await asyncio.sleep(0.05)
    monkeypatch.undo()
    other = await servers[1].told(redeem("9 TEL", "CAF", member_id=ada))
    standing.go_on.set()
    told = [other, await first, await second]
    return [getattr(one, "reason", None) for one in told], (await servers[0].balances(ada))["TEL"]


async def test_what_was_decided_on_a_batch_that_failed_is_decided_again(
    servers: list[Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another server's movement has the number the first would have had: by the numbers nothing seems to have moved."""
    assert await what_is_left(servers, monkeypatch) == ([None, "INSUFFICIENT_POINTS", "INSUFFICIENT_POINTS"], 1)


async def test_a_batch_is_decided_while_the_one_before_is_written(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks nothing, and is written after it."""
    ada = await ledger.member()
    await ledger.post(earn("10 TEL", "GRO", member_id=ada))
    asked, standing = looks(monkeypatch), Standing(monkeypatch)
    first = asyncio.create_task(ledger.post(redeem("3 TEL", "GRO", member_id=ada)))
    await standing.stands.wait()
    second = asyncio.create_task(ledger.post(redeem("4 TEL", "GRO", member_id=ada)))
    await asyncio.sleep(0.05)
    assert standing.written == []
    standing.go_on.set()

    sequences = [(await one).transfer.legs[0].account_sequence for one in (first, second)]

    assert sequences == [2, 3]
    assert (asked, standing.written) == ([], [0, 1])


async def test_a_request_that_is_said_again_while_it_is_written_waits_for_it(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is tried in vain: the second is told what became of the first."""
    ada = await ledger.member()
    await ledger.post(earn("10 TEL", "GRO", member_id=ada))
    request = redeem("3 TEL", "GRO", key="once", member_id=ada)
    tried, standing = tries(monkeypatch), Standing(monkeypatch)
    first = asyncio.create_task(ledger.post(request))
    await standing.stands.wait()
    again = asyncio.create_task(ledger.post(request))
    await asyncio.sleep(0.05)
    standing.go_on.set()

    told, repeated = await first, await again

    assert (repeated.transfer, repeated.replayed) == (told.transfer, True)
    assert len(tried) == 2
    assert await ledger.balances(ada) == {"TEL": 7}


async def test_with_a_new_connection_nothing_is_remembered(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind it may be another database, that never heard of the last movements."""
    ada, ben = await ledger.members(2)
    for member in (ada, ben):
        await ledger.post(earn("10 TEL", "GRO", member_id=member))
    await ledger.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await ledger.known(earn("1 TEL", "GRO", key="until it is known", member_id=ada))

    asked = looks(monkeypatch)
    await ledger.known(earn("1 TEL", "GRO", key="and this", member_id=ben))

    assert asked == [1]
    assert await ledger.balances(ada) == await ledger.balances(ben) == {"TEL": 11}
