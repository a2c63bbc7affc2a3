"""Plain movements are decided on what was seen without locks; whatever moved before they are written is found then.

All of it twice: with servers that look at what they move, and with servers that remember what they have moved before.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID

import asyncpg
import pytest

from exchange.ledger.halting import halt
from exchange.ledger.model import Command, Receipt
from exchange.ledger.sql import LOTS_AT_FIRST
from exchange.refusals import Refusal
from tests.integration.ledger.ledgers import OPERATOR, PRICES, Ledger, a_server_on, differences, owner_of
from tests.integration.ledger.months import job, statements, this_month, to
from tests.integration.ledger.pausing import standing_between, without
from tests.unit.rules.days import hold
from tests.unit.rules.rulebook import SHANGHAI, earn, redeem

UNMOVED = "AND a.last_sequence = b.sequence_before"
GENERATION = "c.generation = seen_generation AND"
AGE = "decided_at BETWEEN clock_timestamp() + c.clock_offset - interval '30 seconds'"
ANY_AGE = "decided_at BETWEEN '-infinity'"


@pytest.fixture(params=[0, 1_000], ids=["looking", "remembering"])
async def servers(request: pytest.FixtureRequest, coalition_url: str) -> AsyncIterator[list[Ledger]]:
    """Two servers on one database."""
    ways = {"remembered_accounts": request.param}
    async with a_server_on(coalition_url, **ways) as one, a_server_on(coalition_url, **ways) as other:
        yield [one, other]
    assert await differences(coalition_url) == {}


@pytest.fixture
def ledger(servers: list[Ledger]) -> Ledger:
    """The first of them."""
    return servers[0]


async def answered(
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
    command: Command,
    meanwhile: Callable[[], Awaitable[object]],
    after: str = "look",
) -> Receipt | Refusal:
    """The answer to a command, when something happens between looking, or remembering, and deciding."""
    between = standing_between(monkeypatch, after)
    asked = asyncio.create_task(ledger.told(command))
    await between.until_looked()
    # Nobody waits for who only looks.
    await meanwhile()
    between.end()
    return await asked


def reason(answer: Receipt | Refusal) -> str:
    """The no, or the test fails."""
    assert isinstance(answer, Refusal), answer
    return answer.reason


def receipt(answer: Receipt | Refusal) -> Receipt:
    """The yes, or the test fails."""
    assert isinstance(answer, Receipt), answer
    return answer


async def test_a_window_that_was_closed_meanwhile_stays_as_it_was(
    servers: list[Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The movement is in the window that is open when it is written."""
    ada = await servers[0].member()
    await servers[0].post(earn("1 TEL", "GRO", member_id=ada))

    answer = await answered(servers[0], monkeypatch, earn("5 TEL", "GRO", member_id=ada), servers[1].close_window)

    assert receipt(answer).transfer.window_no == 2
    assert await servers[0].totals(1) == [("GRO", "TEL", "CNY", 1, 12_000, 1)]
    assert await servers[0].totals(2) == [("GRO", "TEL", "CNY", 1, 60_000, 1)]


async def test_a_merchant_that_was_suspended_meanwhile_moves_nothing(
    servers: list[Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the suspension is acknowledged, nothing more moves for it, though it was good when the account was seen."""
    ada = await servers[0].member()

    answer = await answered(
        servers[0], monkeypatch, earn("5 TEL", "GRO", member_id=ada), lambda: servers[1].suspend("GRO")
    )

    assert reason(answer) == "MERCHANT_SUSPENDED"
    assert await servers[0].balances(ada) == {}


async def test_a_price_that_changed_meanwhile_is_the_one_that_is_owed(
    servers: list[Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The movement is decided again by the directory that holds."""
    ada = await servers[0].member()
    dearer = replace(PRICES["TEL"], issue_micros=13_000)

    answer = await answered(
        servers[0],
        monkeypatch,
        earn("5 TEL", "GRO", member_id=ada),
        lambda: servers[1].api.changes.publish_price(OPERATOR, "TEL", dearer),
    )

    assert [owed.micros for owed in receipt(answer).transfer.obligations] == [65_000]


async def test_a_ledger_that_was_halted_meanwhile_takes_nothing(
    servers: list[Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing follows when halting returns."""
    ada = await servers[0].member()

    answer = await answered(
        servers[0],
        monkeypatch,
        earn("5 TEL", "GRO", member_id=ada),
        lambda: halt(servers[1].database, halted=True),
    )

    assert reason(answer) == "LEDGER_HALTED"
    assert await servers[0].value("SELECT count(*) FROM exchange.transfers") == 0


async def test_a_membership_that_was_closed_meanwhile_gets_nothing(
    servers: list[Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its account had been seen open, and another had not been there at all."""
    ada, ben = await servers[0].members(2)
    await servers[0].post(earn("10 TEL", "GRO", member_id=ada))
    for member in (ada, ben):
        answer = await answered(
            servers[0],
            monkeypatch,
            earn("5 TEL", "GRO", member_id=member),
            partial(servers[1].api.closings.close, OPERATOR, member, "test"),
        )

        assert reason(answer) == "MEMBER_CLOSED"
    assert await servers[0].balances(ada) == {"TEL": 0}


async def spent_at_both(servers: list[Ledger], monkeypatch: pytest.MonkeyPatch, member: UUID) -> list[object]:
    """The outcomes of spending the same ten points at two servers, the second while the first stands between."""
    await servers[0].post(earn("10 TEL", "GRO", member_id=member))
    first: list[Receipt | Refusal] = []

    async def spend() -> None:
        monkeypatch.undo()
        first.append(await servers[1].told(redeem("10 TEL", "GRO", member_id=member)))

    second = await answered(servers[0], monkeypatch, redeem("10 TEL", "CAF", member_id=member), spend)
    return [*first, second]


async def test_points_that_were_spent_elsewhere_meanwhile_are_not_spent_again(
    servers: list[Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account had its ten points when it was seen, and has none when it is written."""
    ada = await servers[0].member()

    first, second = await spent_at_both(servers, monkeypatch, ada)

    assert isinstance(first, Receipt)
    assert isinstance(second, Refusal)
    assert second.data == {"currency": "currencies/TEL", "available": "0", "requested": "10"}
    assert await servers[0].balances(ada) == {"TEL": 0}


async def test_without_looking_whether_the_account_moved_points_would_be_spent_twice(
    coalition_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same without the proof, in a ledger nobody audits, so that the test above can fail."""
    async with a_server_on(coalition_url) as here, a_server_on(coalition_url) as there:
        ada = await here.member()
        await without(here, UNMOVED)

        assert all(isinstance(one, Receipt) for one in await spent_at_both([here, there], monkeypatch, ada))


async def test_an_account_that_was_made_elsewhere_meanwhile_is_made_once(
    servers: list[Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both awards count, one after the other."""
    ada = await servers[0].member()

    async def award() -> None:
        monkeypatch.undo()
        await servers[1].post(earn("3 TEL", "GRO", member_id=ada))

    answer = await answered(servers[0], monkeypatch, earn("5 TEL", "GRO", member_id=ada), award)

    assert [leg.account_sequence for leg in receipt(answer).transfer.legs if leg.account_sequence] == [2]
    assert await servers[0].balances(ada) == {"TEL": 8}


async def test_a_key_that_was_used_elsewhere_meanwhile_is_used_once(
    servers: list[Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For another member, so that no account of the first has moved."""
    ada, ben = await servers[0].members(2)

    async def award() -> None:
        monkeypatch.undo()
        await servers[1].post(earn("3 TEL", "GRO", key="once", member_id=ben))

    answer = await answered(servers[0], monkeypatch, earn("5 TEL", "GRO", key="once", member_id=ada), award)

    assert reason(answer) == "REQUEST_ID_REUSED"
    assert await servers[0].balances(ada) == {}


async def of_the_month_that_ended(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], bool]:
    """What the month's statements close with, and whether a movement that began before its end is of the month."""
    ada, ben = await ledger.members(2)
    await ledger.post(earn("100 TEL", "GRO", member_id=ada))
    month = await this_month(ledger)
    await to(ledger, month.ends(SHANGHAI) - timedelta(hours=1))
    # So that the server knows of the clock that was set.
    await ledger.post(earn("1 TEL", "GRO", member_id=ben))

    async def make() -> None:
        # Time passes behind everybody's back.
        await ledger.rows("UPDATE exchange.coalition SET clock_offset = clock_offset + interval '2 hours'")
        await job(ledger).make(month)

    answer = await answered(ledger, monkeypatch, earn("5 TEL", "GRO", member_id=ada), make)
    is_of_month = receipt(answer).transfer.occurred_at < month.ends(SHANGHAI)
    return [one.closing.available for one in await statements(ledger, ada)], is_of_month


async def test_a_month_whose_statements_are_being_made_gets_nothing_more(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who looked before midnight and writes after the statements has the time of a second look."""
    assert await of_the_month_that_ended(ledger, monkeypatch) == ([100], False)


async def test_without_counting_who_was_alone_a_movement_of_the_month_would_be_missing(
    coalition_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same without the proof, in a ledger nobody audits, so that the test above can fail."""
    async with a_server_on(coalition_url) as ledger:
        await without(ledger, GENERATION)
        await without(ledger, AGE, ANY_AGE)

        assert await of_the_month_that_ended(ledger, monkeypatch) == ([100], True)


async def test_entries_of_an_account_are_in_the_order_of_time_also_after_a_second_look(
    servers: list[Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first lots are not enough, and before all are looked at another server gives points: it was earlier."""
    ada = await servers[0].member()
    for _ in range(LOTS_AT_FIRST + 2):
        await servers[0].post(earn("1 TEL", "GRO", member_id=ada))
    given: list[Receipt] = []

    async def award() -> None:
        monkeypatch.undo()
        given.append(await servers[1].post(earn("1 TEL", "GRO", member_id=ada)))

    command = redeem(f"{LOTS_AT_FIRST + 1} TEL", "GRO", member_id=ada)
    taken = receipt(await answered(servers[0], monkeypatch, command, award, after="_look")).transfer

    assert given[0].transfer.ledger_sequence < taken.ledger_sequence
    assert given[0].transfer.occurred_at < taken.occurred_at
    assert await servers[0].balances(ada) == {"TEL": 2}


async def test_what_was_seen_long_ago_is_looked_at_again(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that stood still for a minute: prices may have begun since, and lots ended, with nobody alone."""
    ada = await ledger.member()

    async def a_minute_passes() -> None:
        await ledger.rows("UPDATE exchange.coalition SET clock_offset = clock_offset + interval '1 minute'")

    before = await ledger.value("SELECT exchange.coalition_now()")
    answer = await answered(ledger, monkeypatch, earn("5 TEL", "GRO", member_id=ada), a_minute_passes)

    assert receipt(answer).transfer.occurred_at > before + timedelta(minutes=1)


async def test_nothing_is_proved_at_another_isolation_level(ledger: Ledger) -> None:
    """Where a database says so for everybody, lanes say otherwise; who asks all the same is refused."""
    nothing = ", ".join(["NULL"] * 12)
    async with owner_of(ledger.url) as owner:
        with pytest.raises(asyncpg.InvalidTransactionStateError):
            async with owner.transaction(isolation="repeatable_read"):
                await owner.execute(f"SELECT exchange.post_batch({nothing})")
        name = await owner.fetchval("SELECT current_database()")
        await owner.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    ada = await ledger.member()

    async with a_server_on(ledger.url) as other:
        await other.post(earn("5 TEL", "GRO", member_id=ada))
        await other.post(hold("2 TEL", member_id=ada))

    assert await ledger.balances(ada) == {"TEL": 3}
