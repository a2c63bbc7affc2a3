"""What a reversal takes back beside points: a share of the daily cap, carried spend; and what it cannot take back."""

from __future__ import annotations

from datetime import timedelta

from exchange.directory.model import EarnRule, ExpiryKind
from exchange.ledger.model import Command, Receipt
from tests.integration.ledger.ledgers import OPERATOR, Ledger, at_once, in_turn, issue, moved, reasons
from tests.unit.rules.days import capture, hold, release, reverse, spend
from tests.unit.rules.rulebook import convert, earn, redeem

USED = "SELECT used_units FROM exchange.daily_conversions"
CARRIED = "SELECT carried_minor FROM exchange.spend_carries"
NOON_TODAY = (
    "SELECT date_trunc('day', exchange.coalition_now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai'"
    " + interval '1 day 12 hours'"
)


async def at_noon(ledger: Ledger) -> None:
    """Whatever day it is, there is some of it before and behind us."""
    await ledger.api.changes.set_clock(OPERATOR, await ledger.value(NOON_TODAY))


async def test_use_of_a_day_counts_though_the_cap_came_at_noon(servers: list[Ledger]) -> None:
    """40 of AIR converted before anybody capped the pair, 10 of them taken back: 70 of 100 are left, whoever asks."""
    one, other = servers
    await at_noon(one)
    free = await one.publish("1 AIR", "1 TEL")
    ada = await one.member()
    await one.post(earn("500 AIR", "AIR", member_id=ada))
    await one.post(convert("30 AIR", "TEL", by="AIR", member_id=ada))
    undone = (await one.post(convert("10 AIR", "TEL", by="AIR", member_id=ada))).transfer
    await one.post(reverse(undone))
    assert free.rate_id is not None
    await one.api.rates.end(OPERATOR, free.rate_id, None)
    await one.publish("1 AIR", "1 TEL", daily_cap=100)

    answers = await at_once(*in_turn([one, other], [convert("71 AIR", "TEL", by="AIR", member_id=ada)]))
    fits = await other.post(convert("70 AIR", "TEL", by="AIR", member_id=ada))
    too_much = [await one.told(convert("1 AIR", "TEL", by="AIR", member_id=ada))]

    assert (reasons(answers), reasons(too_much)) == (["DAILY_CAP_EXCEEDED"], ["DAILY_CAP_EXCEEDED"])
    assert await one.value(USED) == 100
    await other.post(reverse(fits.transfer))
    assert await one.value(USED) == 30


async def test_a_cap_that_is_given_back_and_taken_by_many_at_once_holds(servers: list[Ledger]) -> None:
    """Ten conversions of 10 fill the cap; five are taken back while twenty more ask: exactly five of those fit."""
    await servers[0].publish("1 AIR", "1 TEL", daily_cap=100)
    ada = await servers[0].member()
    await servers[0].post(earn("1 000 AIR", "AIR", member_id=ada))
    asked = convert("10 AIR", "TEL", by="AIR", member_id=ada)
    made = [(await servers[0].post(convert("10 AIR", "TEL", by="AIR", member_id=ada))).transfer for _ in range(10)]
    assert reasons([await servers[0].told(asked)]) == ["DAILY_CAP_EXCEEDED"]

    back = await at_once(*in_turn(servers, [reverse(one) for one in made[:5]]))
    more: list[Command] = [convert("10 AIR", "TEL", by="AIR", member_id=ada) for _ in range(20)]
    answers = await at_once(*in_turn(servers, more))

    assert (len(moved(back)), len(moved(answers))) == (5, 5)
    assert await servers[0].value(USED) == 100


async def test_what_is_carried_is_exact_while_spends_come_and_go(servers: list[Ledger]) -> None:
    """Sixty spends of 33 under one point for each 100, all taken back by the two servers at once: nothing is left."""
    rule = EarnRule("by-hundred", 0, 0, per_minor_units=100, points_units=1, carry_remainder=True)
    await servers[0].api.changes.create_earn_rule(OPERATOR, rule, "CAF", "TEL")
    ada = await servers[0].member()
    made = await at_once(*in_turn(servers, [spend(33, "by-hundred", member_id=ada) for _ in range(60)]))

    back = await at_once(*in_turn(servers, [reverse(one.transfer) for one in moved(made)]))
    twice = await at_once(*in_turn(servers, [reverse(one.transfer) for one in moved(made)]))

    assert (len(moved(made)), len(moved(back)), set(reasons(twice))) == (60, 60, {"ALREADY_REVERSED"})
    assert (await servers[0].balances(ada), await servers[0].value(CARRIED)) == ({"TEL": 0}, 0)


async def test_a_spend_without_points_is_guarded_by_its_account(servers: list[Ledger]) -> None:
    """A transfer without legs, taken back twenty times at once: once."""
    rule = EarnRule("by-hundred", 0, 0, per_minor_units=100, points_units=1, carry_remainder=True)
    await servers[0].api.changes.create_earn_rule(OPERATOR, rule, "CAF", "TEL")
    ada = await servers[0].member()
    small = (await servers[0].post(spend(99, "by-hundred", member_id=ada))).transfer

    answers = await at_once(*in_turn(servers, [reverse(small) for _ in range(20)]))

    assert (len(moved(answers)), len(reasons(answers))) == (1, 19)
    assert await servers[0].value(CARRIED) == 0


async def test_points_that_ended_are_not_taken_back_from_others(ledger: Ledger) -> None:
    """GRO has half the price of the 40 that ended: the 60 that were spent come back, of another award's points."""
    await issue(ledger, ExpiryKind.DAYS, 1, negative_balances=True)
    ada = await ledger.member()
    award = (await ledger.post(earn("100 END", "GRO", member_id=ada))).transfer
    await ledger.post(redeem("60 END", "CAF", member_id=ada))
    await ledger.api.changes.set_clock(OPERATOR, award.occurred_at + timedelta(days=1))
    await ledger.api.due.run()
    await ledger.post(earn("100 END", "CAF", member_id=ada))

    back = (await ledger.post(reverse(award))).transfer
    again = [await ledger.told(reverse(award))]

    assert [(one.micros, one.points_units) for one in back.obligations] == [(600, 60)]
    assert reasons(again) == ["INSUFFICIENT_POINTS"]
    assert await ledger.balances(ada) == {"END": 40}


async def test_a_late_capture_is_told_so_also_after_the_lapse_was_posted(servers: list[Ledger]) -> None:
    """By either server; a hold given back in time has simply ended."""
    one, other = servers
    ada = await one.member()
    await one.post(earn("9 TEL", "GRO", member_id=ada))
    late = (await one.post(hold("5 TEL", lifetime=timedelta(minutes=1), member_id=ada))).transfer
    voided = (await one.post(hold("4 TEL", lifetime=timedelta(minutes=1), member_id=ada))).transfer
    await one.post(release(voided))
    await one.api.changes.set_clock(OPERATOR, late.occurred_at + timedelta(minutes=1))
    before = [await other.told(capture(late))]
    done = await one.api.due.run()

    after = [await server.told(capture(late)) for server in servers]
    others = [await other.told(capture(voided)), await other.told(release(late))]

    assert done.holds == 1
    assert (reasons(before), reasons(after)) == (["HOLD_LAPSED"], ["HOLD_LAPSED"] * 2)
    assert reasons(others) == ["HOLD_ENDED", "HOLD_ENDED"]


async def test_a_repeat_inside_an_atomic_batch_keeps_its_answer(ledger: Ledger) -> None:
    """Done long ago, before or behind the item that is refused, and refused long ago: each says what it said."""
    ada = await ledger.member()
    await ledger.post(earn("9 TEL", "GRO", key="done", member_id=ada))
    await ledger.told(redeem("99 TEL", "CAF", key="refused", member_id=ada))
    new: list[Command] = [
        earn("9 TEL", "GRO", key="done", member_id=ada),
        redeem("1 TEL", "CAF", key="new", member_id=ada),
        redeem("50 TEL", "CAF", key="too much", member_id=ada),
        earn("9 TEL", "GRO", key="done", member_id=ada),
        redeem("99 TEL", "CAF", key="refused", member_id=ada),
        redeem("2 TEL", "GRO", key="done", member_id=ada),
    ]

    outcomes = await ledger.api.poster.post_all(new, atomic=True)

    told = ["replayed" if isinstance(one, Receipt) and one.replayed else one.reason for one in outcomes]  # type: ignore[union-attr]
    assert told == [
        "replayed", "BATCH_NOT_APPLIED", "INSUFFICIENT_POINTS", "replayed", "INSUFFICIENT_POINTS", "REQUEST_ID_REUSED",
    ]  # fmt: skip
    assert await ledger.balances(ada) == {"TEL": 9}
