"""Budgets and caps while many award at once, on two servers: never passed, wholly usable, recounted by the audit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest

from exchange.ledger import bonus_rows
from exchange.ledger.model import Receipt
from tests.integration.ledger.ledgers import (
    OPERATOR,
    Ledger,
    a_server_on,
    at_once,
    going_on,
    in_turn,
    moved,
    owner_of,
    reasons,
)
from tests.integration.ledger.pausing import paused
from tests.integration.ledger.promoting import GIVEN, USED, end, promote
from tests.integration.ledger.quoting import a_quote, by
from tests.unit.rules.days import reverse
from tests.unit.rules.rulebook import convert, earn


def given(answers: Iterable[object]) -> int:
    """Bonus points the answers tell of."""
    receipts = [answer for answer in answers if isinstance(answer, Receipt) and not answer.replayed]
    return sum(-bonus.units if bonus.returned else bonus.units for one in receipts for bonus in one.bonuses)


async def test_a_budget_is_never_passed_and_wholly_used(servers: list[Ledger]) -> None:
    """Sixty awards of 90 want 5 400 of 5 000: the last one that gets any gets 50, whoever it is; the others go on."""
    promotion = await promote(servers[0], "AIR", at="CAF", bps=10_000, budget=5_000)
    members = await servers[0].members(30)

    answers = await at_once(*in_turn(servers, [earn("90 AIR", "CAF", member_id=one) for one in members * 2]))

    assert len(moved(answers)) == 60
    gave = sorted(sum(bonus.units for bonus in answer.bonuses) for answer in moved(answers))
    assert gave == [0] * 4 + [50] + [90] * 55
    assert await servers[1].value(USED, promotion.number) == given(answers) == 5_000


async def test_a_members_cap_holds_when_awards_meet(servers: list[Ledger]) -> None:
    """Twenty of 30 for each of three members: 100 each, the last partial."""
    await promote(servers[0], "AIR", at="CAF", bps=10_000, cap=100)
    members = await servers[0].members(3)

    answers = await at_once(*in_turn(servers, [earn("30 AIR", "CAF", member_id=one) for one in members * 20]))

    assert given(answers) == 300
    assert [await servers[0].balances(one) for one in members] == [{"AIR": 700}] * 3


async def test_budgets_of_several_promotions_are_locked_in_one_order(servers: list[Ledger]) -> None:
    """Awards under two budgets and conversions under a third, crosswise on two servers: no point too many."""
    for name, what, at in [("K1", "TEL", "GRO"), ("K2", "TEL", None), ("K3", "BNK>AIR", None)]:
        await promote(servers[0], what, at=at, name=name, units=7, budget=300)
    members = await servers[0].members(20)
    await servers[0].api.poster.post_all([earn("900 BNK", "BNK", member_id=one) for one in members], atomic=False)
    asked = [
        command
        for one in members
        for command in (
            convert("30 BNK", "AIR", by="BNK", member_id=one),
            earn("1 TEL", "GRO", member_id=one),
            convert("60 BNK", "AIR", by="AIR", member_id=one),
            earn("1 TEL", "CAF", member_id=one),
        )
    ]

    answers = await at_once(*in_turn(servers, asked))

    assert len(moved(answers)) == 80
    # GRO's twenty awards find seven of K1's and of K2's; CAF's find K2's alone: 140, 280; forty conversions find 280.
    assert given(answers) == 140 + 280 + 280


async def test_awards_and_reversals_that_meet_leave_the_budget_as_their_entries_say(servers: list[Ledger]) -> None:
    """What a reversal takes back may be given again, at once; the fixture's audit recounts it."""
    promotion = await promote(servers[0], "AIR", at="CAF", bps=10_000, budget=1_000, cap=400)
    members = await servers[0].members(10)
    first = await at_once(*in_turn(servers, [earn("100 AIR", "CAF", member_id=one) for one in members]))
    asked = [reverse(answer.transfer, 40) for answer in moved(first)]
    asked += [earn("100 AIR", "CAF", member_id=one) for one in members]  # type: ignore[misc]

    answers = await at_once(*in_turn(servers, asked))

    used = await servers[0].value(USED, promotion.number)
    assert used == given([*first, *answers]) == await servers[0].value(GIVEN)
    assert 600 <= used <= 1_000
    more = await at_once(*in_turn(servers, [earn("100 AIR", "CAF", member_id=one) for one in members]))
    assert used + given(more) == 1_000


async def test_an_exhausted_promotion_is_not_waited_for(ledger: Ledger) -> None:
    """Somebody holds the row of its budget; awards go on, because there is nothing to give."""
    promotion = await promote(ledger, "AIR", at="CAF", bps=10_000, budget=10)
    (ada,) = await ledger.members(1)
    await ledger.post(earn("10 AIR", "CAF", member_id=ada))

    async with owner_of(ledger.url) as connection, connection.transaction():
        await connection.execute(
            "SELECT FROM exchange.promotion_budgets WHERE promotion_no = $1 FOR UPDATE", promotion.number
        )
        receipt = await ledger.post(earn("10 AIR", "CAF", member_id=ada))

    assert receipt.bonuses == []


async def test_a_repeat_tells_what_promotions_did_the_first_time(servers: list[Ledger]) -> None:
    """In the same batch, later, on another server, and when the promotion is over."""
    promotion = await promote(servers[0], "AIR", at="CAF", units=5, budget=8)
    ada = await servers[0].member()
    asked = earn("1 AIR", "CAF", member_id=ada, key="once")

    first, same = await servers[0].api.poster.post_all([asked, replace(asked)], atomic=False)
    await end(servers[1], promotion)
    later = await servers[1].post(replace(asked))

    receipts = [first, same, later]
    assert [receipt.replayed for receipt in receipts if isinstance(receipt, Receipt)] == [False, True, True]
    told = [
        [(one.promotion_no, one.units, one.lot_id) for one in receipt.bonuses]
        for receipt in receipts
        if isinstance(receipt, Receipt)
    ]
    assert told[0] == told[1] == told[2] != []
    assert await servers[0].value(USED, promotion.number) == 5


async def test_a_group_that_is_undone_gives_its_bonuses_back(ledger: Ledger) -> None:
    """All or nothing: the award of a refused group used nothing of cap and budget."""
    promotion = await promote(ledger, "AIR", at="CAF", bps=10_000, budget=100, cap=80)
    ada, ben = await ledger.members(2)
    group = [
        earn("50 AIR", "CAF", member_id=ada),
        earn("1 AIR", "AIR", member_id=ben),
        earn("1 XXX", "CAF", member_id=ada),
    ]

    undone = await ledger.api.poster.post_all(group, atomic=True)
    answers = await ledger.api.poster.post_all(
        [earn("90 AIR", "CAF", member_id=one) for one in (ada, ben)], atomic=True
    )

    assert moved(undone) == []
    assert [sum(bonus.units for bonus in answer.bonuses) for answer in moved(answers)] == [80, 20]
    assert await ledger.value(USED, promotion.number) == 100


async def test_trying_an_award_tells_its_bonus_and_gives_none(ledger: Ledger) -> None:
    """validate_only: what would be, and no more."""
    promotion = await promote(ledger, "AIR", at="CAF", bps=10_000, budget=100)
    ada = await ledger.member()

    tried = await ledger.post(earn("90 AIR", "CAF", member_id=ada, trial=True))

    assert [bonus.units for bonus in tried.bonuses] == [90]
    assert await ledger.value(USED, promotion.number) == 0
    assert await ledger.balances(ada) == {}


async def test_a_promotion_that_was_ended_gives_nothing_on_any_server(servers: list[Ledger]) -> None:
    """From the moment that is acknowledged, though the other server's copy still has it; and one that began gives."""
    promotion = await promote(servers[0], "AIR", at="CAF", units=5)
    ada = await servers[0].member()
    began = await servers[1].post(earn("1 AIR", "CAF", member_id=ada))

    await end(servers[0], promotion)
    ended = await servers[1].post(earn("1 AIR", "CAF", member_id=ada))

    assert ([one.units for one in began.bonuses], list(ended.bonuses)) == ([5], [])


async def test_ending_waits_for_awards_that_are_under_way(servers: list[Ledger]) -> None:
    """The award was decided under the promotion and commits with its bonus; what begins afterwards has none."""
    promotion = await promote(servers[0], "AIR", at="CAF", units=5)
    ada, ben = await servers[0].members(2)

    awarding = servers[0].told(earn("1 AIR", "CAF", member_id=ada))
    async with paused(servers[0]) as pause, going_on(awarding) as (under_way,):
        await pause.until_waiting("relation")
        async with going_on(end(servers[1], promotion)) as (ending,):
            await pause.until_waiting("advisory")
            await pause.end()
            await asyncio.wait([under_way, ending])
        answer = under_way.result()
    after = await servers[0].post(earn("1 AIR", "CAF", member_id=ben))

    assert isinstance(answer, Receipt)
    assert ([one.units for one in answer.bonuses], list(after.bonuses)) == ([5], [])


async def test_nothing_is_asked_about_promotions_where_there_are_none(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No statement more than before there were any; and with one, none for those it does not concern."""
    ada = await ledger.member()

    def asked(*_: object) -> None:
        raise AssertionError("somebody asked")

    monkeypatch.setattr(bonus_rows.BonusReader, "read", asked)
    await ledger.post(earn("1 AIR", "CAF", member_id=ada))
    monkeypatch.undo()
    await promote(ledger, "TEL", at="CAF", units=5, budget=5, cap=5)
    statements = ("LOCK_BUDGETS", "MEMBER_USES", "BONUSES_OF", "PROMOTIONS_OF_LOTS", "WRITE")
    for name in statements:
        monkeypatch.setattr(bonus_rows, name, "no SQL at all")

    receipt = await ledger.post(earn("1 AIR", "CAF", member_id=ada))

    assert isinstance(receipt, Receipt)


async def test_without_the_lock_a_budget_would_be_passed(coalition_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same reading without FOR UPDATE: two batches that both saw 100 left give 200."""
    monkeypatch.setattr(bonus_rows, "LOCK_BUDGETS", bonus_rows.LOCK_BUDGETS.replace("FOR UPDATE", ""))
    async with a_server_on(coalition_url) as one, a_server_on(coalition_url) as other:
        await promote(one, "AIR", at="CAF", bps=10_000, budget=100)
        ada, ben = await one.members(2)
        both = [server.told(earn("100 AIR", "CAF", member_id=who)) for server, who in ((one, ada), (other, ben))]
        async with paused(one) as pause, going_on(*both) as calls:
            await pause.until_waiting("relation", 2)
            await pause.end()
            await asyncio.wait(calls)
        answers = [call.result() for call in calls]

    assert given(answers) == 200


async def test_what_promotions_added_does_not_count_against_a_days_cap(ledger: Ledger) -> None:
    """A cap that comes after a conversion counts what it used of the source, once, whatever was made beside it."""
    await promote(ledger, "BNK>AIR", units=5)
    ada = await ledger.member()
    await ledger.post(earn("900 BNK", "BNK", member_id=ada))
    first = await ledger.post(convert("300 BNK", "AIR", by="BNK", member_id=ada))
    assert first.transfer.rate_id is not None
    await ledger.api.rates.end(OPERATOR, first.transfer.rate_id, None)
    await ledger.publish("30 BNK", "1 AIR", daily_cap=600)

    second = await ledger.told(convert("300 BNK", "AIR", by="BNK", member_id=ada))
    third = await ledger.told(convert("30 BNK", "AIR", by="BNK", member_id=ada))

    assert [bonus.units for answer in moved([first, second]) for bonus in answer.bonuses] == [5, 5]
    assert reasons([third]) == ["DAILY_CAP_EXCEEDED"]


async def test_a_conversion_by_a_quote_gets_its_bonus_too(ledger: Ledger) -> None:
    """The quote promises rate, prices and fee; promotions are those on when it is used, up to their budgets."""
    promotion = await promote(ledger, "BNK>AIR", units=5, budget=8)
    ada = await ledger.member()
    await ledger.post(earn("900 BNK", "BNK", member_id=ada))
    quotes = [await a_quote(ledger, ada, 300) for _ in range(2)]

    answers = [await ledger.post(by(quote)) for quote in quotes]

    assert [[bonus.units for bonus in answer.bonuses] for answer in answers] == [[5], [3]]
    assert await ledger.value(USED, promotion.number) == 8
