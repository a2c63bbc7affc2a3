"""Many callers, two servers, few accounts: everything counts exactly once and nothing is spent twice."""

from __future__ import annotations

from collections import Counter

from exchange.ledger.model import Command, Receipt
from tests.integration.ledger.ledgers import Ledger, at_once, in_turn, moved, reasons
from tests.unit.rules.rulebook import convert, discount, earn, redeem


async def test_one_member_is_served_by_many_merchants_at_once(servers: list[Ledger]) -> None:
    """Two hundred awards and spendings on one account: each is applied, in one gapless order."""
    ada = await servers[0].member()
    await servers[0].post(earn("1 000 TEL", "TEL", member_id=ada))
    commands: list[Command] = []
    for number in range(50):
        shop = ("AIR", "BNK", "GRO", "CAF")[number % 4]
        commands += [
            earn("3 TEL", shop, member_id=ada),
            redeem("1 TEL", shop, member_id=ada),
            earn("2 TEL", "TEL", member_id=ada),
            discount("1 TEL", shop, member_id=ada),
        ]

    answers = await at_once(*in_turn(servers, commands))

    assert len(moved(answers)) == 200
    assert (await servers[1].balances(ada))["TEL"] == 1_000 + 50 * (3 - 1 + 2 - 1)
    legs = [leg for answer in moved(answers) for leg in answer.transfer.legs if leg.account_sequence]
    assert {leg.account_sequence for leg in legs} == set(range(2, 202))


async def test_points_that_are_there_once_are_spent_once(servers: list[Ledger]) -> None:
    """A hundred points, and three hundred tills that want one of them."""
    ada = await servers[0].member()
    await servers[0].post(earn("100 TEL", "GRO", member_id=ada))

    answers = await at_once(*in_turn(servers, [redeem("1 TEL", "CAF", member_id=ada) for _ in range(300)]))

    assert len(moved(answers)) == 100
    assert Counter(reasons(answers)) == {"INSUFFICIENT_POINTS": 200}
    assert await servers[0].balances(ada) == {"TEL": 0}


async def test_many_members_meet_at_one_merchant(servers: list[Ledger]) -> None:
    """The merchant's totals are kept without its members waiting for one another, and add up."""
    members = await servers[0].members(40)
    commands = [earn("5 TEL", "GRO", member_id=member) for member in members for _ in range(5)]

    answers = await at_once(*in_turn(servers, commands))

    assert len(moved(answers)) == 200
    total = await servers[0].rows("SELECT debtor, creditor, micros, obligations FROM exchange.clearing_totals_v1")
    assert [tuple(row) for row in total] == [("GRO", "TEL", 200 * 5 * 12_000, 200)]


async def test_movements_over_two_accounts_cross_without_harm(servers: list[Ledger]) -> None:
    """Conversions one way and back, on few members, with awards between: nobody waits for ever, all is answered."""
    await servers[0].publish("1 AIR", "20 BNK")
    members = await servers[0].members(3)
    for member in members:
        await servers[0].post(earn("3 000 BNK", "BNK", member_id=member))
        await servers[0].post(earn("100 AIR", "AIR", member_id=member))
    commands: list[Command] = []
    for number in range(60):
        member = members[number % 3]
        commands += [
            convert("30 BNK", "AIR", by="BNK", member_id=member),
            convert("1 AIR", "BNK", by="AIR", member_id=member),
            redeem("1 AIR", "CAF", member_id=members[(number + 1) % 3]),
        ]

    answers = await at_once(*in_turn(servers, commands))

    assert len(moved(answers)) == 180
    for member in members:
        assert await servers[1].balances(member) == {"BNK": 3_000 + 20 * (20 - 30), "AIR": 100 + 20 * (1 - 1 - 1)}


async def test_a_daily_cap_holds_across_servers(servers: list[Ledger]) -> None:
    """What one of them let through counts at the other: 20 conversions of 30 fill 600."""
    capped = await servers[0].publish("2 AIR", "7 TEL", daily_cap=60)
    ada = await servers[0].member()
    await servers[0].post(earn("500 AIR", "AIR", member_id=ada))

    answers = await at_once(*in_turn(servers, [convert("4 AIR", "TEL", by="AIR", member_id=ada) for _ in range(40)]))

    assert len(moved(answers)) == 15
    assert Counter(reasons(answers)) == {"DAILY_CAP_EXCEEDED": 25}
    used = await servers[0].rows("SELECT source_no, target_no, used_units FROM exchange.daily_conversions")
    assert [tuple(row) for row in used] == [(*capped.pair, 60)]


async def test_what_was_acknowledged_comes_before_what_was_sent_after(servers: list[Ledger]) -> None:
    """Whichever server takes it: later in the account's order and in the ledger's, and seen by every reader."""
    ada = await servers[0].member()
    transfers = []
    for number in range(20):
        answer = await servers[number % 2].post(earn("1 TEL", "GRO", member_id=ada))
        transfers.append(answer.transfer)
        assert (await servers[(number + 1) % 2].balances(ada))["TEL"] == number + 1

    numbers = [leg.account_sequence for transfer in transfers for leg in transfer.legs if leg.account_sequence]
    in_ledger = [transfer.ledger_sequence for transfer in transfers]
    assert numbers == list(range(1, 21))
    assert in_ledger == sorted(set(in_ledger))


async def test_places_in_the_ledger_are_given_once(servers: list[Ledger]) -> None:
    """Lists are read page by page by them, so two transfers in one place would hide one another."""
    members = await servers[0].members(10)
    groups = [[earn("1 TEL", "GRO", member_id=member) for _ in range(30)] for member in members]

    outcomes = await at_once(
        *(servers[place % 2].api.poster.post_all(group, atomic=place % 3 == 0) for place, group in enumerate(groups))
    )

    places = [answer.transfer.ledger_sequence for group in outcomes for answer in group if isinstance(answer, Receipt)]
    assert len(places) == len(set(places)) == 300
