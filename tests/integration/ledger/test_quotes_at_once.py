"""Quotes under concurrency: each is used once, by whatever server; each is made by what is in force everywhere."""

from __future__ import annotations

import asyncio
from uuid import UUID

import asyncpg
import pytest

from exchange.ledger import rare_rows, sql
from exchange.ledger.ids import new_id
from exchange.ledger.model import Command, Receipt
from exchange.refusals import NoRate, QuoteExpired, QuoteUsed, Refusal
from tests.integration.ledger.ledgers import OPERATOR, Ledger, at_once, in_turn, moved, reasons
from tests.integration.ledger.pausing import paused
from tests.integration.ledger.quoting import a_quote, by
from tests.unit.rules.rulebook import convert, earn


async def a_member(server: Ledger, bnk: int) -> UUID:
    """A new person with so many BNK."""
    member = await server.member()
    await server.post(earn(f"{bnk} BNK", "BNK", member_id=member))
    return member


async def test_of_many_that_use_a_quote_at_two_servers_one_does(servers: list[Ledger]) -> None:
    """Under forty keys; the member's points would be enough for all of them."""
    ada = await a_member(servers[0], 10**6)
    quote = await a_quote(servers[0], ada)

    answers = await at_once(*in_turn(servers, [by(quote) for _ in range(40)]))

    (used,) = moved(answers)
    assert reasons(answers) == ["QUOTE_USED"] * 39
    assert {no.data["transfer"] for no in answers if isinstance(no, Refusal)} == {
        f"transfers/{used.transfer.transfer_id}"
    }
    assert await servers[0].balances(ada) == {"AIR": 100, "BNK": 997_000}


async def test_a_repeated_request_gets_its_answer_and_not_that_the_quote_is_used(servers: list[Ledger]) -> None:
    """One key sent twenty times to two servers: one conversion, and everybody is told of it."""
    ada = await a_member(servers[0], 10**6)
    quote = await a_quote(servers[0], ada)
    request = by(quote)

    answers = await at_once(*in_turn(servers, [request] * 20))

    receipts = [answer for answer in answers if isinstance(answer, Receipt)]
    assert len(receipts) == 20
    assert len(moved(answers)) == 1
    assert len({receipt.transfer.transfer_id for receipt in receipts}) == 1


async def test_many_quotes_of_one_member_are_each_used_once(servers: list[Ledger]) -> None:
    """Ten quotes, every one asked for three times; the points are exactly enough."""
    ada = await a_member(servers[0], 30_000)
    quotes = [await a_quote(servers[place % 2], ada) for place in range(10)]

    answers = await at_once(*in_turn(servers, [by(quote) for quote in quotes * 3]))

    assert len(moved(answers)) == 10
    assert reasons(answers) == ["QUOTE_USED"] * 20
    assert await servers[1].balances(ada) == {"AIR": 1_000, "BNK": 0}


async def test_two_uses_in_one_batch_are_one(ledger: Ledger) -> None:
    """And a trial before them uses nothing up."""
    ada = await a_member(ledger, 10**6)
    quote = await a_quote(ledger, ada)
    commands: list[Command] = [
        by(quote, trial=True),
        by(quote),
        by(quote),
        convert("30 BNK", "AIR", by="BNK", member_id=ada),
    ]

    outcomes = await ledger.api.poster.post_all(commands, atomic=False)

    assert [isinstance(outcome, Receipt) for outcome in outcomes] == [True, True, False, True]
    assert reasons(outcomes) == ["QUOTE_USED"]
    assert await ledger.balances(ada) == {"AIR": 101, "BNK": 996_970}


async def test_a_group_that_fails_leaves_the_quote_unused(ledger: Ledger) -> None:
    """It is good for the next try."""
    ada = await a_member(ledger, 3_000)
    quote = await a_quote(ledger, ada)
    using = by(quote)

    failed = await ledger.api.poster.post_all([using, convert("30 BNK", "AIR", by="BNK", member_id=ada)], atomic=True)
    used = await ledger.post(using)

    assert reasons(failed) == ["BATCH_NOT_APPLIED", "INSUFFICIENT_POINTS"]
    assert not used.replayed


async def test_a_quote_expires_by_the_coalitions_clock(ledger: Ledger) -> None:
    """A minute's quote, and the clock moves on by a minute; the refusal stays under its key."""
    ada = await a_member(ledger, 10**6)
    dead, used = await a_quote(ledger, ada), await a_quote(ledger, ada)
    receipt = await ledger.post(by(used, key="in time"))
    await ledger.api.changes.set_clock(OPERATOR, dead.expires_at)

    with pytest.raises(QuoteExpired) as caught:
        await ledger.post(by(dead))
    with pytest.raises(QuoteUsed):
        await ledger.post(by(used))
    again = await ledger.post(by(used, key="in time"))

    assert caught.value.data["quote"] == dead.name
    assert (again.transfer, again.replayed) == (receipt.transfer, True)


async def test_a_quote_is_made_by_what_was_acknowledged_at_another_server(servers: list[Ledger]) -> None:
    """A rate ended at one is quoted nowhere, a new one is at once; what was quoted before stays good at both."""
    ada = await a_member(servers[0], 10**6)
    before = [await a_quote(server, ada) for server in servers]
    assert before[0].terms.rate_id == before[1].terms.rate_id

    await servers[0].api.rates.end(OPERATOR, before[0].terms.rate_id, None)
    with pytest.raises(NoRate):
        await a_quote(servers[1], ada)
    await servers[1].publish("60 BNK", "1 AIR")
    after = await a_quote(servers[0], ada)
    receipts = await at_once(*in_turn(servers, [by(quote) for quote in (*before, after)]))

    received = [receipt.transfer.legs[-1].units for receipt in moved(receipts)]
    assert received == [100, 100, 50]


async def test_somebody_elses_quote_and_none_are_told_alike(ledger: Ledger) -> None:
    """AIR may convert, but not by BNK's quote; nor may BNK use it for somebody else."""
    ada, ben = await a_member(ledger, 3_000), await a_member_called(ledger, "ben")
    quote = await a_quote(ledger, ada)
    nothing = quote._replace(quote_id=new_id(quote.quote_id.int % 1024))

    answers = await at_once(
        ledger.told(by(quote, by="AIR")),
        ledger.told(by(quote._replace(member_id=ben))),
        ledger.told(by(nothing)),
    )

    assert reasons(answers) == ["RESOURCE_NOT_FOUND"] * 3
    assert len(moved([await ledger.told(by(quote))])) == 1


async def a_member_called(ledger: Ledger, label: str) -> UUID:
    """A new person with 3 000 BNK, linked under the label."""
    ben = await ledger.member(label)
    await ledger.post(earn("3 000 BNK", "BNK", member_id=ben))
    return ben


async def test_a_conversion_without_a_quote_asks_nothing_about_quotes(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every statement that is about them is broken: plain movements go on, a quoted conversion does not."""
    ada = await a_member(ledger, 9_000)
    quote = await a_quote(ledger, ada)
    for module, name in ((sql, "QUOTES"), (sql, "QUOTE_USES"), (rare_rows, "USE_QUOTES")):
        monkeypatch.setattr(module, name, "nonsense")

    receipt = await ledger.post(convert("3 000 BNK", "AIR", by="BNK", member_id=ada))
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await ledger.post(by(quote))

    assert not receipt.replayed


async def test_a_connection_lost_while_a_quote_is_used_uses_it_once_or_not_at_all(ledger: Ledger) -> None:
    """It is cut off between deciding and writing; the repeat, and only one of those that come after it, converts."""
    ada = await a_member(ledger, 10**6)
    quote = await a_quote(ledger, ada)
    request = by(quote)

    async with paused(ledger) as pause:
        calls = [asyncio.create_task(ledger.told(one)) for one in (request, by(quote))]
        await pause.until_waiting("relation")
        await ledger.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'points-exchange'"
        )
        lost = await asyncio.gather(*calls)
    unused = await ledger.value("SELECT count(*) FROM exchange.quote_uses")
    again = await ledger.known(request)
    other = await ledger.known(by(quote))

    assert {answer.reason for answer in lost if isinstance(answer, Refusal)} == {"DATABASE_UNAVAILABLE"}
    assert unused == 0
    assert isinstance(again, Receipt)
    assert reasons([other]) == ["QUOTE_USED"]
    assert await ledger.balances(ada) == {"AIR": 100, "BNK": 997_000}
