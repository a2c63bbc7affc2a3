"""A server remembers how it left an account; what others have done with it since is found when it is written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from time import monotonic
from uuid import UUID

import pytest

from exchange.ledger import gathering
from exchange.ledger.batch import Batch
from exchange.ledger.facts import MemberFacts
from exchange.ledger.halting import halt
from exchange.ledger.model import Receipt
from exchange.refusals import Refusal
from tests.integration.ledger.ledgers import OPERATOR, PRICES, Ledger, a_server_on
from tests.integration.ledger.pausing import without
from tests.unit.rules.days import hold
from tests.unit.rules.rulebook import earn, redeem

NOT_AHEAD = "AND clock_timestamp() + c.clock_offset"


def reason(answer: Receipt | Refusal) -> str:
    """The no, or the test fails."""
    assert isinstance(answer, Refusal), answer
    return answer.reason


def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """From now on: of how many accounts a batch asked, each time one did."""
    asked: list[int] = []
    look = gathering.Gathering._look

    async def noted(self: gathering.Gathering, keys: list[object], lots_max: int | None) -> object:
        asked.append(len(keys))
        return await look(self, keys, lots_max)  # type: ignore[arg-type]

    monkeypatch.setattr(gathering.Gathering, "_look", noted)
    return asked


def tries(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """From now on: every batch that is tried."""
    tried: list[object] = []
    run = Batch.run

    async def counted(batch: Batch, *arguments: object) -> object:  # type: ignore[type-arg]
        tried.append(batch)
        return await run(batch, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Batch, "run", counted)
    return tried


async def test_points_that_were_spent_elsewhere_are_not_spent_again(servers: list[Ledger]) -> None:
    """The figures of the refusal are those that hold."""
    ada = await servers[0].member()
    await servers[0].post(earn("10 TEL", "GRO", member_id=ada))
    await servers[1].post(redeem("8 TEL", "GRO", member_id=ada))

    answer = await servers[0].told(redeem("10 TEL", "CAF", member_id=ada))

    assert isinstance(answer, Refusal)
    assert answer.data == {"currency": "currencies/TEL", "available": "2", "requested": "10"}
    assert await servers[0].balances(ada) == {"TEL": 2}


async def test_points_that_were_given_elsewhere_are_there(servers: list[Ledger]) -> None:
    """Nobody is refused for what was true a moment ago, alone or beside others in a batch."""
    ada, ben = await servers[0].members(2)
    await servers[0].api.poster.post_all(
        [earn("1 TEL", "GRO", member_id=ada), earn("1 TEL", "GRO", member_id=ben)], atomic=False
    )
    await servers[1].post(earn("10 TEL", "GRO", member_id=ada))

    together = [redeem("11 TEL", "CAF", member_id=ada), redeem("1 TEL", "CAF", member_id=ben)]
    answers = await servers[0].api.poster.post_all(together, atomic=False)

    assert all(isinstance(answer, Receipt) for answer in answers)
    assert await servers[0].balances(ada) == {"TEL": 0}


async def test_without_proving_what_was_refused_it_would_be_refused_wrongly(
    servers: list[Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same without the proof, so that the test above can fail."""
    monkeypatch.setattr(MemberFacts, "prove", lambda _: None)
    ada, ben = await servers[0].members(2)
    await servers[0].post(earn("1 TEL", "GRO", member_id=ada))
    await servers[0].post(earn("1 TEL", "GRO", member_id=ben))
    await servers[1].post(earn("10 TEL", "GRO", member_id=ada))

    together = [redeem("11 TEL", "CAF", member_id=ada), redeem("1 TEL", "CAF", member_id=ben)]
    refused, _ = await servers[0].api.poster.post_all(together, atomic=False)

    assert reason(refused) == "INSUFFICIENT_POINTS"  # type: ignore[arg-type]


@pytest.mark.parametrize("atomic", [False, True], ids=["each by itself", "all or none"])
async def test_a_trial_tells_what_holds(servers: list[Ledger], atomic: bool) -> None:  # noqa: FBT001
    """Also beside a movement of somebody else, and when nothing is written at all."""
    ada, ben = await servers[0].members(2)
    await servers[0].post(earn("10 TEL", "GRO", member_id=ada))
    await servers[0].post(earn("10 TEL", "GRO", member_id=ben))
    await servers[1].post(redeem("10 TEL", "GRO", member_id=ada))
    trial = redeem("10 TEL", "CAF", member_id=ada, trial=True)

    beside = await servers[0].api.poster.post_all([redeem("1 TEL", "GRO", member_id=ben), trial], atomic=atomic)
    alone = await servers[0].told(trial)

    assert [reason(beside[1]), reason(alone)] == ["INSUFFICIENT_POINTS"] * 2  # type: ignore[arg-type]


async def suspended(server: Ledger, _: UUID) -> None:
    """GRO may not act any more."""
    await server.suspend("GRO")


async def halted(server: Ledger, _: UUID) -> None:
    """Nobody may."""
    await halt(server.database, halted=True)


async def closed(server: Ledger, member: UUID) -> None:
    """The membership is over."""
    await server.api.closings.close(OPERATOR, member, "test")


@pytest.mark.parametrize(
    ("done", "expected"),
    [(suspended, "MERCHANT_SUSPENDED"), (halted, "LEDGER_HALTED"), (closed, "MEMBER_CLOSED")],
    ids=["suspended", "halted", "closed"],
)
async def test_what_was_forbidden_elsewhere_is_forbidden(
    servers: list[Ledger], done: Callable[[Ledger, UUID], Awaitable[None]], expected: str
) -> None:
    """From when it is acknowledged."""
    ada = await servers[0].member()
    await servers[0].post(earn("10 TEL", "GRO", member_id=ada))
    await done(servers[1], ada)

    assert reason(await servers[0].told(earn("5 TEL", "GRO", member_id=ada))) == expected
    assert await servers[0].value("SELECT count(*) FROM exchange.transfers WHERE kind = 1") == 1


async def test_a_price_and_a_window_are_those_that_hold(servers: list[Ledger]) -> None:
    """Both changed elsewhere since the account was remembered."""
    ada = await servers[0].member()
    await servers[0].post(earn("5 TEL", "GRO", member_id=ada))
    await servers[1].close_window()
    await servers[1].api.changes.publish_price(OPERATOR, "TEL", replace(PRICES["TEL"], issue_micros=13_000))

    done = await servers[0].post(earn("5 TEL", "GRO", member_id=ada))

    assert (done.transfer.window_no, [owed.micros for owed in done.transfer.obligations]) == (2, [65_000])


@pytest.mark.parametrize("first", [0, 1], ids=["at the same server", "at another"])
async def test_a_request_that_is_repeated_moves_nothing(
    servers: list[Ledger], monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """Its account is remembered, its key was used: who has used it knows, who has not finds out."""
    ada, ben = await servers[0].members(2)
    await servers[0].post(earn("1 TEL", "GRO", member_id=ada))
    request = earn("5 TEL", "GRO", key="once", member_id=ada)
    told = await servers[first].post(request)
    await servers[0].post(earn("1 TEL", "GRO", member_id=ben))

    tried = tries(monkeypatch)
    again, _ = await servers[0].api.poster.post_all([request, earn("1 TEL", "GRO", member_id=ben)], atomic=False)

    assert isinstance(again, Receipt)
    assert (again.transfer, again.replayed) == (told.transfer, True)
    assert len(tried) == 1 + first
    assert await servers[0].balances(ada) == {"TEL": 6}


async def test_an_account_that_was_moved_under_locks_is_looked_at(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hold is no plain movement, and leaves more than is remembered."""
    ada = await ledger.member()
    await ledger.post(earn("10 TEL", "GRO", member_id=ada))
    await ledger.post(hold("8 TEL", member_id=ada))

    asked, tried = looks(monkeypatch), tries(monkeypatch)
    answer = await ledger.told(redeem("3 TEL", "GRO", member_id=ada))

    assert reason(answer) == "INSUFFICIENT_POINTS"
    assert (asked, len(tried)) == ([1], 1)


async def test_only_what_is_not_remembered_is_asked_for(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a batch of two members one is known."""
    ada, ben = await ledger.members(2)
    await ledger.post(earn("10 TEL", "GRO", member_id=ada))

    asked = looks(monkeypatch)
    both = [redeem("3 TEL", "GRO", member_id=ada), earn("3 TEL", "GRO", member_id=ben)]
    answers = await ledger.api.poster.post_all(both, atomic=False)

    assert all(isinstance(answer, Receipt) for answer in answers)
    assert asked == [1]


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


async def seconds_pass(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, seconds: int, *, there: int) -> None:
    """By the clock of servers so many, by the database's so many."""
    monkeypatch.setattr("exchange.ledger.gathering.monotonic", lambda: monotonic() + seconds)
    await ledger.rows("UPDATE exchange.coalition SET clock_offset = clock_offset + $1", timedelta(seconds=there))


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


class Standing:
    """The first batch that writes stands still, and whoever is decided on it waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stands, self.go_on = asyncio.Event(), asyncio.Event()
        self.written: list[int] = []
        places, post = count(), Batch._post

        async def posted(batch: Batch, *arguments: object) -> int:  # type: ignore[type-arg]
            place = next(places)
            if not place:
                self.stands.set()
                await self.go_on.wait()
            self.written.append(place)
            return await post(batch, *arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(Batch, "_post", posted)


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
