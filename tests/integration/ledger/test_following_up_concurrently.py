"""Captures, releases and reversals that meet: on two servers, in one batch, in groups that are all or nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID

from exchange.directory.model import EarnRule
from exchange.ledger.model import Command, Receipt, Transfer
from tests.integration.ledger.ledgers import OPERATOR, Ledger, at_once, in_turn, moved, reasons
from tests.unit.rules.days import capture, hold, release, reverse, spend
from tests.unit.rules.rulebook import convert, earn, redeem

HELD = "SELECT held_units FROM exchange.accounts WHERE member_id = $1"


async def a_hold(ledger: Ledger, units: int, label: str = "ada") -> tuple[UUID, Transfer]:
    """A new member with a hundred TEL, some of them held."""
    ada = await ledger.member(label)
    await ledger.post(earn("100 TEL", "GRO", member_id=ada))
    return ada, (await ledger.post(hold(f"{units} TEL", member_id=ada))).transfer


def mirrored_micros(answers: list[Any]) -> int:
    """What reversals leave owing."""
    return sum(owed.micros for answer in moved(answers) for owed in answer.transfer.obligations)


async def test_a_hold_is_captured_once(servers: list[Ledger]) -> None:
    """Forty tills at two servers, each with a key and a part of its own: one of them takes it."""
    ada, held = await a_hold(servers[0], 60)

    answers = await at_once(*in_turn(servers, [capture(held, units) for units in range(1, 41)]))

    (taken,) = moved(answers)
    units = sum(owed.points_units for owed in taken.transfer.obligations)
    assert Counter(reasons(answers)) == {"HOLD_ENDED": 39}
    assert await servers[1].balances(ada) == {"TEL": 100 - units}
    assert await servers[0].value(HELD, ada) == 0


async def test_one_capture_that_is_repeated_at_once_is_one(servers: list[Ledger]) -> None:
    """Under one key, all are told the same transfer."""
    _, held = await a_hold(servers[0], 60)
    asked = capture(held, 25)

    answers = await at_once(*in_turn(servers, [replace(asked) for _ in range(40)]))

    assert len(moved(answers)) == 1
    assert len({answer.transfer.transfer_id for answer in answers if isinstance(answer, Receipt)}) == 1
    assert reasons(answers) == []


async def test_a_hold_is_either_captured_or_given_back(servers: list[Ledger]) -> None:
    """Whichever came first; the points are taken or they are there."""
    for number in range(10):
        ada, held = await a_hold(servers[0], 60, f"ada-{number}")

        captured, released = await at_once(*in_turn(servers, [capture(held), release(held)]))

        assert isinstance(captured, Receipt) != isinstance(released, Receipt)
        assert await servers[0].balances(ada) == {"TEL": 40 if isinstance(captured, Receipt) else 100}


async def test_partial_reversals_never_exceed_the_original(servers: list[Ledger]) -> None:
    """A hundred points in parts of three: thirty-three of sixty parts fit, one point is left, and money adds up."""
    ada = await servers[0].member()
    await servers[0].post(earn("100 TEL", "GRO", member_id=ada))
    used = (await servers[0].post(redeem("100 TEL", "CAF", member_id=ada))).transfer

    answers = await at_once(*in_turn(servers, [reverse(used, 3) for _ in range(60)]))
    rest = await servers[0].told(reverse(used))
    too_late = await servers[1].told(reverse(used))

    assert len(moved(answers)) == 33
    assert Counter(reasons(answers)) == {"REVERSAL_EXCEEDS": 27}
    assert mirrored_micros([*answers, rest]) == 100 * 10_000
    assert reasons([too_late]) == ["ALREADY_REVERSED"]
    assert await servers[0].balances(ada) == {"TEL": 100}


async def test_reversals_by_share_count_together_in_whatever_order_they_come(servers: list[Ledger]) -> None:
    """Each goes down to what it says is kept, or is refused because another has gone further; never beyond."""
    ada = await servers[0].member()
    award = (await servers[0].post(earn("10 001 TEL", "GRO", member_id=ada))).transfer

    answers = await at_once(*in_turn(servers, [reverse(award, keep=(kept, 30)) for kept in range(30)]))

    assert set(reasons(answers)) <= {"REVERSAL_EXCEEDS", "ALREADY_REVERSED"}
    assert mirrored_micros(answers) == 10_001 * 12_000
    assert await servers[0].balances(ada) == {"TEL": 0}


async def test_converted_points_are_either_spent_or_converted_back(servers: list[Ledger]) -> None:
    """A conversion is reversed whole, so one point spent in time keeps it."""
    for ada in await servers[0].members(10):
        await servers[0].post(earn("3 000 BNK", "BNK", member_id=ada))
        converted = (await servers[0].post(convert("3 000 BNK", "AIR", by="BNK", member_id=ada))).transfer

        spent, undone = await at_once(*in_turn(servers, [redeem("1 AIR", "CAF", member_id=ada), reverse(converted)]))

        assert isinstance(spent, Receipt) != isinstance(undone, Receipt)
        left = {"AIR": 99, "BNK": 0} if isinstance(spent, Receipt) else {"AIR": 0, "BNK": 3_000}
        assert await servers[0].balances(ada) == left


async def test_an_atomic_group_may_follow_up_and_build_on_it(ledger: Ledger) -> None:
    """What a release gives back is there for the redemption after it."""
    ada, held = await a_hold(ledger, 60)

    outcomes = await ledger.api.poster.post_all(
        [release(held), redeem("100 TEL", "CAF", member_id=ada)],
        atomic=True,
    )

    assert len(moved(outcomes)) == 2
    assert await ledger.balances(ada) == {"TEL": 0}


async def test_an_atomic_group_that_fails_leaves_holds_and_originals_as_they_were(ledger: Ledger) -> None:
    """The capture and the partial reversal in it did not happen, and happen the next time under the same keys."""
    ada, held = await a_hold(ledger, 60)
    used = (await ledger.post(redeem("30 TEL", "CAF", member_id=ada))).transfer
    captured, reversed_part = capture(held, 20), reverse(used, 10)
    impossible = redeem("1 000 TEL", "CAF", member_id=ada)

    failed = await ledger.api.poster.post_all([captured, reversed_part, impossible], atomic=True)
    between = await ledger.balances(ada), await ledger.value(HELD, ada)
    again = await ledger.api.poster.post_all([captured, reversed_part], atomic=True)

    assert reasons(failed) == ["BATCH_NOT_APPLIED", "BATCH_NOT_APPLIED", "INSUFFICIENT_POINTS"]
    assert between == ({"TEL": 10}, 60)
    assert len(moved(again)) == 2
    assert (await ledger.balances(ada), await ledger.value(HELD, ada)) == ({"TEL": 60}, 0)


async def test_follow_ups_of_one_batch_see_one_another(ledger: Ledger) -> None:
    """Two captures of one hold and two whole reversals of one redemption: the second of each is refused."""
    ada, held = await a_hold(ledger, 60)
    used = (await ledger.post(redeem("30 TEL", "CAF", member_id=ada))).transfer
    commands: list[Command] = [capture(held, 5), capture(held, 6), reverse(used), reverse(used), release(held)]

    outcomes = await ledger.api.poster.post_all(commands, atomic=False)

    assert [isinstance(outcome, Receipt) for outcome in outcomes] == [True, False, True, False, False]
    assert reasons(outcomes) == ["HOLD_ENDED", "ALREADY_REVERSED", "HOLD_ENDED"]
    assert await ledger.balances(ada) == {"TEL": 95}


async def test_what_is_carried_is_counted_once_by_all_servers(servers: list[Ledger]) -> None:
    """A hundred spends of 33 under a rule of one point for each 100: 33 points, and nothing is carried but nought."""
    rule = EarnRule("by-hundred", 0, 0, per_minor_units=100, points_units=1, carry_remainder=True)
    await servers[0].api.changes.create_earn_rule(OPERATOR, rule, "CAF", "TEL")
    ada = await servers[0].member()

    answers = await at_once(*in_turn(servers, [spend(33, "by-hundred", member_id=ada) for _ in range(100)]))

    assert len(moved(answers)) == 100
    assert await servers[1].balances(ada) == {"TEL": 33}
    assert await servers[0].value("SELECT carried_minor FROM exchange.spend_carries WHERE member_id = $1", ada) == 0
