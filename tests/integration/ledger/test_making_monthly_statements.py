"""Making monthly member statements: once and whole, by two at once, after a kill, while others post; by whom, when."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from exchange.sandbox.processes import answer_of, environment
from exchange.statements import monthly
from exchange.statements.model import Month
from exchange.statements.monthly import PARTS
from tests.integration.ledger.ledgers import Ledger, a_server_on, going_on, owner_of
from tests.integration.ledger.months import job, next_month, statements, this_month, to
from tests.integration.ledger.pausing import done_or_fenced, paused
from tests.unit.rules.days import hold
from tests.unit.rules.rulebook import SHANGHAI, convert, earn

COUNT = "SELECT count(*) FROM exchange.member_statements"
ENDED = "SELECT count(*) FROM exchange.statement_runs WHERE month = $1 AND ended_at IS NOT NULL"
DIGEST = "SELECT md5(string_agg(s::text, ' ' ORDER BY s::text)) FROM exchange.member_statements s"


async def some_accounts(server: Ledger, count: int = 60) -> list[UUID]:
    """Members with points of two currencies."""
    members = await server.members(count)
    commands = [earn(f"{place + 1} TEL", "GRO", member_id=member) for place, member in enumerate(members)]
    commands += [earn("90 BNK", "GRO", member_id=member) for member in members]
    await server.api.poster.post_all(commands, atomic=False)
    return members


async def test_two_at_once_make_each_statement_once(servers: list[Ledger]) -> None:
    """Both return when all is there; a third run finds nothing to do and changes nothing."""
    await some_accounts(servers[0])
    month = await next_month(servers[0])

    made = await asyncio.gather(*(job(servers[place % 2]).make(month) for place in range(4)))
    digest = await servers[0].value(DIGEST)
    again = await job(servers[1]).make(month)

    assert (sum(made), again) == (120, 0)
    assert await servers[0].value(COUNT) == 120
    assert await servers[0].value(DIGEST) == digest
    assert await servers[0].value("SELECT statements FROM exchange.statement_runs") == 120


async def test_a_run_that_was_broken_off_is_taken_up_where_it_stopped(ledger: Ledger) -> None:
    """What is made stays made; the next run adds what is missing, and the whole is as if nothing had happened."""
    await some_accounts(ledger)
    month = await next_month(ledger)
    seen: list[int] = []

    def die(done: int) -> None:
        seen.append(done)
        if done == PARTS // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await job(ledger).make(month, die)
    half = await ledger.value(COUNT)
    rest = await job(ledger).make(month, seen.append)

    assert 0 < half < 120
    assert half + rest == await ledger.value(COUNT) == 120
    assert seen == sorted(seen)
    assert seen[-1] == PARTS


async def made_over_a_paused_poster(ledger: Ledger) -> list[int]:
    """Points that statements close with, where a poster had decided in the month and writes after its end."""
    ada = await ledger.member()
    await ledger.post(earn("100 TEL", "GRO", member_id=ada))
    month = await this_month(ledger)
    await to(ledger, month.ends(SHANGHAI) - timedelta(hours=1))

    async with paused(ledger) as pause, owner_of(ledger.url) as owner:
        posting = asyncio.create_task(ledger.post(earn("5 TEL", "GRO", member_id=ada)))
        await pause.until_waiting("relation")
        # Time passes behind everybody's back.
        await owner.execute("UPDATE exchange.coalition SET clock_offset = clock_offset + interval '2 hours'")
        making = asyncio.create_task(job(ledger).make(month))
        await done_or_fenced(making, pause)
        await pause.end()
    await making
    assert Month.of((await posting).transfer.occurred_at.astimezone(SHANGHAI).date()) == month
    return [one.closing.available for one in await statements(ledger, ada)]


async def test_statements_wait_for_whoever_has_decided_in_the_month(ledger: Ledger) -> None:
    """What is written after midnight but was decided before it belongs to the month, and is in it."""
    assert await made_over_a_paused_poster(ledger) == [105]


async def test_without_the_fence_a_movement_of_the_month_would_be_missing(
    coalition_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same interleaving with the fence taken away, so the test above can fail."""
    monkeypatch.setattr(monthly, "ALONE", text("SELECT 1"))

    async with a_server_on(coalition_url) as ledger:
        assert await made_over_a_paused_poster(ledger) == [100]


async def test_statements_tie_to_the_ledger_while_others_post(servers: list[Ledger]) -> None:
    """Made while two servers go on posting in the new month: members have what was in circulation when it began."""
    members = await some_accounts(servers[0], 20)
    await asyncio.gather(
        *(servers[0].post(convert("60 BNK", "AIR", by="BNK", member_id=member)) for member in members[:10]),
        *(servers[1].post(hold("1 TEL", member_id=member)) for member in members[:5]),
    )
    month = await next_month(servers[0])
    stop = asyncio.Event()

    async def posting(server: Ledger) -> None:
        while not stop.is_set():
            await asyncio.gather(*(server.told(earn("7 TEL", "GRO", member_id=member)) for member in members))

    async with going_on(*(posting(server) for server in servers)) as callers:
        await job(servers[0]).make(month)
        stop.set()
        await asyncio.gather(*callers)

    summary = {one.currency: one for one in await job(servers[1]).summary(month)}
    assert all(one.ties for one in summary.values())
    assert (summary["TEL"].statements, summary["TEL"].closing, summary["TEL"].held) == (20, 205, 5)
    assert (summary["BNK"].closing, summary["AIR"].closing) == (20 * 90 - 10 * 60, 20)
    assert (summary["AIR"].statements, summary["AIR"].credited, summary["BNK"].debited) == (10, 20, 600)


async def test_a_server_makes_them_by_itself_on_the_day_that_is_set(coalition_url: str) -> None:
    """Not before that day; two servers look, and each statement is made once."""
    settings = {"due_seconds": 0.05, "statement_day": 3}
    async with a_server_on(coalition_url) as ledger, a_server_on(coalition_url, **settings):
        ada = await ledger.member()
        await ledger.post(earn("5 TEL", "GRO", member_id=ada))
        month = await next_month(ledger)
        await to(ledger, month.after.begins(SHANGHAI) + timedelta(days=1, hours=23))
        assert await job(ledger).due(3) is None
        assert await job(ledger).due(2) == month
        assert await ledger.value(ENDED, month.first) == 0

        await to(ledger, month.after.begins(SHANGHAI) + timedelta(days=2))
        async with a_server_on(coalition_url, **settings):
            while await ledger.value(ENDED, month.first) == 0:
                await asyncio.sleep(0.02)

        assert [one.closing.available for one in await statements(ledger, ada)] == [5]
        assert await job(ledger).due(3) is None


async def test_the_command_makes_them_and_says_whether_they_tie(ledger: Ledger) -> None:
    """0 and the figures; again, nothing is made; 1 when members do not have what is in circulation; 2 too early."""
    ada = await ledger.member()
    await ledger.post(earn("5 TEL", "GRO", member_id=ada))
    month = await next_month(ledger)
    environ = environment(database_url=ledger.url)

    early = await answer_of(("statements", "--month", month.after.name), environ)
    nonsense = await answer_of(("statements", "--month", "2026-3"), environ)
    first = await answer_of(("statements", "--json"), environ)
    again = await answer_of(("statements", "--month", month.name), environ)
    async with owner_of(ledger.url) as owner:
        await owner.execute("UPDATE exchange.member_statements SET closing_available_units = 6, credited_units = 6")
        wrong = await answer_of(("statements", "--month", month.name), environ)
        await owner.execute("UPDATE exchange.member_statements SET closing_available_units = 5, credited_units = 5")

    assert [code for code, _, _ in (early, nonsense, first, again, wrong)] == [2, 2, 0, 0, 1]
    assert "is not over" in early[2]
    assert json.loads(first[1]) == {
        "month": month.name,
        "made_now": 1,
        "currencies": [
            {"currency": "TEL", "statements": 1, "opening": 0, "credited": 5, "debited": 0, "closing": 5, "held": 0,
             "in_circulation": 5, "ties": True}
        ],
    }  # fmt: skip
    assert f"Member statements of {month.name}: 0 made now" in again[1]
    assert await ledger.value("SELECT ended_at IS NOT NULL FROM exchange.statement_runs") is True
