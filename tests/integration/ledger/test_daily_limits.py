"""Daily limits while many post at once, on two servers: never passed, wholly usable, and new every day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from exchange.ledger.model import Receipt
from exchange.limits.service import issued_today
from tests.integration.ledger.capping import cap
from tests.integration.ledger.ledgers import OPERATOR, Ledger, at_once, in_turn, moved, owner_of, reasons
from tests.integration.ledger.promoting import promote
from tests.unit.rules.days import capture, hold, reverse
from tests.unit.rules.rulebook import convert, earn, redeem

COUNTS = "SELECT earned_units, used_units FROM exchange.member_days WHERE member_id = $1 ORDER BY day DESC LIMIT 1"

MADE = """
SELECT sum(units)::bigint FROM exchange.points_entries_v1 JOIN exchange.currencies USING (currency_no)
WHERE code = $1 AND account = 2 AND side = 1
"""


async def limit(ledger: Ledger, code: str, **figures: int) -> Any:
    """From now on so many points of a currency a day: `earn`, `use` by a member, `issue` in all."""
    names = {"member_earn_units": "earn", "member_use_units": "use", "issuance_units": "issue"}
    wanted = {name: figures.get(short, 0) for name, short in names.items()}
    return await ledger.api.limits.set_points_limits(OPERATOR, code, wanted, "test")


async def issued(ledger: Ledger, code: str) -> int:
    """Points made of a currency today."""
    number = (await ledger.api.source.current()).directory.currency(code).number
    async with ledger.database.read() as connection:
        return await issued_today(connection, number, "Asia/Shanghai")


async def test_a_members_limits_hold_when_movements_meet(servers: list[Ledger]) -> None:
    """Thirty awards of 7 and uses of 9 for each of three members: 14 of 100, and 11 of 100."""
    members = await servers[0].members(3)
    await servers[0].api.poster.post_all([earn("500 TEL", "TEL", member_id=one) for one in members], atomic=False)
    await limit(servers[0], "TEL", earn=100, use=100)
    asked = [
        make
        for one in members
        for _ in range(30)
        for make in (earn("7 TEL", "GRO", member_id=one), redeem("9 TEL", "CAF", member_id=one))
    ]

    answers = await at_once(*in_turn(servers, asked))

    assert set(reasons(answers)) == {"MEMBER_LIMIT_EXCEEDED"}
    assert len(moved(answers)) == 3 * (14 + 11)
    for one in members:
        (row,) = await servers[0].rows(COUNTS, one)
        assert tuple(row) == (98, 99)


async def test_a_days_issuance_is_never_passed_and_wholly_used(servers: list[Ledger]) -> None:
    """Awards with bonuses, and conversions into the currency, by members who know nothing of one another."""
    await promote(servers[0], "AIR", at="CAF", units=1, sponsors=[])
    members = await servers[0].members(20)
    await servers[0].api.poster.post_all([earn("900 BNK", "BNK", member_id=one) for one in members], atomic=False)
    await limit(servers[0], "AIR", issue=100)
    asked = [
        command
        for one in members
        for command in (earn("3 AIR", "CAF", member_id=one), convert("90 BNK", "AIR", by="BNK", member_id=one))
    ]

    answers = await at_once(*in_turn(servers, asked))
    rest = await at_once(*in_turn(servers, [earn("1 AIR", "GRO", member_id=one) for one in members]))

    assert set(reasons([*answers, *rest])) == {"ISSUANCE_LIMIT_EXCEEDED"}
    assert await issued(servers[1], "AIR") == 100
    assert await servers[0].value(MADE, "AIR") == 100


async def test_limits_begin_anew_with_the_coalitions_day(ledger: Ledger) -> None:
    """What was used up yesterday is there again, and what is given back of yesterday adds nothing to today."""
    await limit(ledger, "TEL", earn=10, issue=10)
    ada = await ledger.member()
    first = await ledger.post(earn("10 TEL", "GRO", member_id=ada))
    full = await ledger.told(earn("1 TEL", "GRO", member_id=ada))
    now = await ledger.value("SELECT exchange.coalition_now()")

    await ledger.api.changes.set_clock(OPERATOR, now + timedelta(days=1))
    await ledger.post(reverse(first.transfer))
    again = await ledger.told(earn("10 TEL", "GRO", member_id=ada))
    over = await ledger.told(earn("1 TEL", "GRO", member_id=ada))

    assert reasons([full, over]) == ["MEMBER_LIMIT_EXCEEDED"] * 2
    assert isinstance(again, Receipt)


async def test_holds_count_and_groups_that_are_undone_do_not(servers: list[Ledger]) -> None:
    """A hold keeps its part until it is captured in part; an atomic group past a limit leaves all of it."""
    ada = await servers[0].member()
    await servers[0].post(earn("500 TEL", "TEL", member_id=ada))
    await limit(servers[0], "TEL", use=100)
    held = await servers[0].post(hold("80 TEL", "CAF", member_id=ada))
    group = [redeem("15 TEL", "CAF", member_id=ada), redeem("6 TEL", "CAF", member_id=ada)]

    refused = await servers[1].api.poster.post_all(group, atomic=True)
    await servers[1].post(capture(held.transfer, 50))
    last = await at_once(*in_turn(servers, [redeem("25 TEL", "CAF", member_id=ada) for _ in range(4)]))

    assert reasons(refused) == ["BATCH_NOT_APPLIED", "MEMBER_LIMIT_EXCEEDED"]
    assert len(moved(last)) == 2


async def test_a_limit_counts_from_when_it_is_set_and_not_what_was_before(ledger: Ledger) -> None:
    """Giving back an award from before counting began makes no room; taken away, a limit lets everything through."""
    ada = await ledger.member()
    early = await ledger.post(earn("50 TEL", "GRO", member_id=ada))
    await limit(ledger, "TEL", earn=10)
    await ledger.post(earn("10 TEL", "GRO", member_id=ada))

    await ledger.post(reverse(early.transfer))
    full = await ledger.told(earn("1 TEL", "GRO", member_id=ada))
    await limit(ledger, "TEL")
    free = await ledger.told(earn("1000 TEL", "GRO", member_id=ada))

    assert reasons([full]) == ["MEMBER_LIMIT_EXCEEDED"]
    assert isinstance(free, Receipt)


async def test_limits_and_caps_together_are_locked_in_one_order(servers: list[Ledger]) -> None:
    """Two currencies made and capped merchants on both sides, crosswise on two servers."""
    for code in ("TEL", "AIR"):
        await limit(servers[0], code, earn=10**6, use=10**6, issue=10**6)
    for name in ("GRO", "CAF", "TEL", "AIR", "BNK"):
        await cap(servers[0], name, 10**12)
    members = await servers[0].members(15)
    await servers[0].api.poster.post_all([earn("900 BNK", "BNK", member_id=one) for one in members], atomic=False)
    asked = [
        command
        for one in members
        for command in (
            earn("2 TEL", "GRO", member_id=one),
            earn("2 AIR", "CAF", member_id=one),
            convert("30 BNK", "AIR", by="BNK", member_id=one),
            earn("1 TEL", "AIR", member_id=one),
        )
    ]

    answers = await at_once(*in_turn(servers, asked))

    assert len(moved(answers)) == 60
    assert (await issued(servers[0], "TEL"), await issued(servers[0], "AIR")) == (45, 45)


async def test_a_currency_without_limits_waits_for_nobody(ledger: Ledger) -> None:
    """Somebody holds the row of what was made of TEL; AIR goes on."""
    await limit(ledger, "TEL", issue=100)
    ada = await ledger.member()
    await ledger.post(earn("1 TEL", "GRO", member_id=ada))

    async with owner_of(ledger.url) as connection, connection.transaction():
        await connection.execute("SELECT FROM exchange.issuance_days FOR UPDATE")
        award = await ledger.post(earn("1 AIR", "GRO", member_id=ada))
        use = await ledger.post(redeem("1 TEL", "CAF", member_id=ada))

    assert len(moved([award, use])) == 2
