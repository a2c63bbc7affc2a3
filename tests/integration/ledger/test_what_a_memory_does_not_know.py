"""What was remembered is proved by what is written; what writes nothing, or was never seen, is looked at."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from exchange.ledger import batch
from exchange.ledger.decision import Outcome
from exchange.ledger.halting import halt
from exchange.ledger.key_rows import read_known_keys
from exchange.ledger.model import Command, Receipt
from exchange.ledger.sql import LOTS_AT_FIRST
from exchange.refusals import ResourceNotFound
from tests.integration.ledger.ledgers import Ledger
from tests.integration.ledger.remembering import reason, seconds_pass
from tests.unit.rules.rulebook import earn, redeem


async def together(ledger: Ledger, *commands: Command, atomic: bool = False) -> list[Outcome]:
    """One batch."""
    return await ledger.api.poster.post_all(commands, atomic=atomic)


async def many_lots(ledger: Ledger, member: UUID, how_many: int) -> list[datetime]:
    """Of a point each, a day between the end of one and the next; when they end."""
    now = await ledger.value("SELECT exchange.coalition_now()")
    ends = [now + timedelta(days=days) for days in range(10, 10 + how_many)]
    await together(ledger, *(earn("1 TEL", "GRO", member_id=member, expires=end) for end in ends))
    return ends


async def seen(ledger: Ledger, member: UUID) -> None:
    """The server remembers the account and every lot of it: somebody asked for more than there is."""
    assert reason(await ledger.told(redeem("1 000 000 TEL", "GRO", member_id=member))) == "INSUFFICIENT_POINTS"


async def test_points_in_many_lots_are_found_beside_a_member_who_is_remembered(servers: list[Ledger]) -> None:
    """The first lots of the one who is not are not enough, and there are more."""
    ada, ben = await servers[0].members(2)
    await many_lots(servers[1], ada, LOTS_AT_FIRST + 4)
    await servers[0].post(earn("1 TEL", "GRO", member_id=ben))

    taken, _ = await together(
        servers[0],
        redeem(f"{LOTS_AT_FIRST + 4} TEL", "CAF", member_id=ada),
        redeem("1 TEL", "CAF", member_id=ben),
    )

    assert isinstance(taken, Receipt)
    assert await servers[0].balances(ada) == {"TEL": 0}


async def test_what_was_given_behind_lots_nobody_has_seen_waits_for_its_turn(servers: list[Ledger]) -> None:
    """Of an account with very many lots the first are remembered, and none that was made behind the rest."""
    ada = await servers[0].member()
    ends = await many_lots(servers[1], ada, 40)
    later = ends[-1] + timedelta(days=1)
    gifts = [earn("5 TEL", "GRO", member_id=ada, expires=later) for _ in range(3)]
    trial = redeem("30 TEL", "GRO", member_id=ada, trial=True)
    await together(servers[0], trial, *gifts)

    done = await servers[0].post(redeem("31 TEL", "GRO", member_id=ada))

    lots = {leg.lot_id for leg in done.transfer.legs if leg.lot_id}
    assert len(lots) == 31
    left = await servers[0].rows(
        "SELECT expires_at FROM exchange.lots WHERE member_id = $1 AND is_open ORDER BY 1", ada
    )
    assert [row[0] for row in left] == [*ends[31:], later, later, later]


async def test_what_was_answered_elsewhere_keeps_its_answer_in_a_group(servers: list[Ledger]) -> None:
    """It was done before the group came: its points are not taken once more to see whether there are enough."""
    ada = await servers[0].member()
    await servers[1].post(earn("13 TEL", "GRO", member_id=ada))
    before = redeem("5 TEL", "GRO", member_id=ada, key="before")
    told = await servers[1].post(before)
    await seen(servers[0], ada)

    again, other = await together(servers[0], before, redeem("7 TEL", "GRO", member_id=ada), atomic=True)

    assert isinstance(again, Receipt)
    assert isinstance(other, Receipt)
    assert (again.replayed, again.transfer) == (True, told.transfer)
    assert await servers[0].balances(ada) == {"TEL": 1}


async def test_what_was_answered_elsewhere_is_answered_so_in_a_group_that_is_refused(servers: list[Ledger]) -> None:
    """Whatever stands before it in the group."""
    ada = await servers[0].member()
    before = earn("5 TEL", "GRO", member_id=ada, key="before")
    await servers[1].post(before)
    await seen(servers[0], ada)

    refused, again = await together(servers[0], redeem("100 TEL", "GRO", member_id=ada), before, atomic=True)

    assert reason(refused) == "INSUFFICIENT_POINTS"  # type: ignore[arg-type]
    assert isinstance(again, Receipt)


async def test_a_trial_of_what_was_done_elsewhere_is_answered_with_that(servers: list[Ledger]) -> None:
    """Beside a movement of somebody else."""
    ada, ben = await servers[0].members(2)
    await servers[0].post(earn("1 TEL", "GRO", member_id=ben))
    await servers[1].post(earn("9 TEL", "GRO", member_id=ada))
    await servers[1].post(redeem("5 TEL", "GRO", member_id=ada, key="done"))
    await seen(servers[0], ada)

    other = redeem("7 TEL", "GRO", member_id=ada, key="done", trial=True)
    answer, _ = await together(servers[0], other, earn("1 TEL", "GRO", member_id=ben))

    assert reason(answer) == "REQUEST_ID_REUSED"  # type: ignore[arg-type]


async def test_a_group_beside_one_of_its_own_that_is_being_written_is_decided_after_it(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody asks twice at once, the second time for more."""
    ada = await ledger.member()
    await ledger.post(earn("13 TEL", "GRO", member_id=ada))
    stands, go_on, post, asked = asyncio.Event(), asyncio.Event(), batch.Batch._post, []

    async def posted(one: Any, *arguments: Any) -> int:
        asked.append(one)
        if len(asked) == 1:
            stands.set()
            await go_on.wait()
        return await post(one, *arguments)

    monkeypatch.setattr(batch.Batch, "_post", posted)
    same = redeem("5 TEL", "GRO", member_id=ada, key="same")
    first = asyncio.create_task(ledger.post(same))
    await stands.wait()
    second = asyncio.create_task(together(ledger, same, redeem("5 TEL", "GRO", member_id=ada), atomic=True))
    await asyncio.sleep(0.1)
    go_on.set()

    told = [await first, *await second]

    assert [type(one) for one in told] == [Receipt] * 3
    assert await ledger.balances(ada) == {"TEL": 3}


async def test_a_halt_that_is_over_is_not_remembered(servers: list[Ledger]) -> None:
    """Who asks afterwards is answered, also without naming any account."""
    nobody = UUID(int=77)
    await halt(servers[1].database, halted=True)
    halted = await servers[0].told(earn("1 TEL", "GRO", member_id=nobody))
    await halt(servers[1].database, halted=False)

    answer = await servers[0].told(earn("1 TEL", "GRO", member_id=nobody))

    assert reason(halted) == "LEDGER_HALTED"
    assert isinstance(answer, ResourceNotFound)


async def test_what_is_answered_between_asking_for_keys_and_reading_them_is_decided_again(
    servers: list[Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group half of which another server has done meanwhile, beside a request that is repeated."""
    ada = await servers[0].member()
    repeated, given = earn("1 TEL", "GRO", member_id=ada), earn("5 TEL", "GRO", member_id=ada)
    await servers[1].post(repeated)
    times: list[object] = []

    async def later(*arguments: Any) -> Any:
        times.append(arguments)
        if len(times) == 1:
            await servers[1].post(given)
        return await read_known_keys(*arguments)

    monkeypatch.setattr("exchange.ledger.batch.read_known_keys", later)
    one, group = await asyncio.gather(
        together(servers[0], repeated),
        together(servers[0], given, redeem("6 TEL", "GRO", member_id=ada), atomic=True),
    )

    assert [type(outcome) for outcome in (*one, *group)] == [Receipt] * 3
    assert await servers[0].balances(ada) == {"TEL": 0}


async def test_a_lot_has_not_ended_before_its_time_beside_a_member_who_is_asked_for(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the clock of the server it has, by the database's, by which the batch is decided, it has not."""
    ada, ben = await ledger.members(2)
    now = await ledger.value("SELECT exchange.coalition_now()")
    await ledger.post(earn("10 TEL", "GRO", member_id=ada, expires=now + timedelta(seconds=6)))
    await seconds_pass(ledger, monkeypatch, 8, there=0)

    taken, _ = await together(ledger, redeem("10 TEL", "GRO", member_id=ada), earn("1 TEL", "GRO", member_id=ben))

    assert isinstance(taken, Receipt)
