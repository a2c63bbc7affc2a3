"""Net debit caps while many post at once, on two servers: never passed, wholly usable, recounted by the audit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from exchange.directory.model import ExpiryKind
from exchange.ledger import exposure_rows
from exchange.ledger.decision import Outcome
from exchange.ledger.model import Receipt
from exchange.refusals import NetDebitCapExceeded, ResourceNotFound
from tests.integration.ledger.capping import TEL_ISSUED, TEL_REDEEMED, agreed_cap, cap, exposure, pay
from tests.integration.ledger.ledgers import (
    OPERATOR,
    Ledger,
    at_once,
    in_turn,
    issue,
    moved,
    owner_of,
    reasons,
)
from tests.integration.ledger.promoting import promote
from tests.unit.rules.days import capture, hold, release, reverse
from tests.unit.rules.rulebook import convert, earn, redeem

EXCEEDED = "NET_DEBIT_CAP_EXCEEDED"


def refused(answers: Iterable[Outcome]) -> list[str]:
    """Reasons of the noes; anything else than a cap fails the test that looks."""
    return sorted(set(reasons(answers)))


async def test_a_cap_is_never_passed_and_used_to_the_last_item(servers: list[Ledger]) -> None:
    """Sixty awards of 7 points meet room for 100: fourteen fit, whoever they are, and 2 points more to the last."""
    await cap(servers[0], "GRO", 100 * TEL_ISSUED)
    members = await servers[0].members(30)

    answers = await at_once(*in_turn(servers, [earn("7 TEL", "GRO", member_id=one) for one in members * 2]))
    left = (await exposure(servers[1], "GRO")).headroom_micros
    last = await at_once(*in_turn(servers, [earn("1 TEL", "GRO", member_id=one) for one in members]))

    assert (len(moved(answers)), refused(answers)) == (14, [EXCEEDED])
    assert left == 2 * TEL_ISSUED
    assert (len(moved(last)), refused(last)) == (2, [EXCEEDED])
    assert (await exposure(servers[0], "GRO")).headroom_micros == 0


async def test_many_capped_merchants_post_crosswise_without_a_deadlock(servers: list[Ledger]) -> None:
    """Debtors and creditors of one another, with conversions and a sponsored promotion between them."""
    for name in ("BNK", "GRO", "CAF", "TEL", "AIR", "OPR"):
        await cap(servers[0], name, 10**12)
    await promote(servers[0], "TEL", at="GRO", bps=5_000)
    members = await servers[0].members(20)
    await servers[0].api.poster.post_all([earn("900 BNK", "BNK", member_id=one) for one in members], atomic=False)
    asked = [
        command
        for one in members
        for command in (
            earn("9 TEL", "GRO", member_id=one),
            convert("60 BNK", "AIR", by="BNK", member_id=one),
            earn("3 AIR", "CAF", member_id=one),
            redeem("30 BNK", "TEL", member_id=one),
        )
    ]

    answers = await at_once(*in_turn(servers, asked))

    assert len(moved(answers)) == 80


async def test_what_comes_back_is_room_again(servers: list[Ledger]) -> None:
    """A reversed award, and what others come to owe the merchant, can be used at once."""
    await cap(servers[0], "GRO", 10 * TEL_ISSUED)
    ada = await servers[0].member()
    first = await servers[0].post(earn("10 TEL", "GRO", member_id=ada))
    full = await servers[1].told(earn("1 TEL", "GRO", member_id=ada))

    await servers[1].post(reverse(first.transfer, 4))
    again = await servers[0].post(earn("4 TEL", "GRO", member_id=ada))
    await servers[0].post(redeem("6 TEL", "GRO", member_id=ada))
    more = await servers[1].post(earn("5 TEL", "GRO", member_id=ada))

    assert reasons([full]) == [EXCEEDED]
    assert len(moved([again, more])) == 2
    assert (await exposure(servers[0], "GRO")).headroom_micros == 6 * TEL_REDEEMED - 5 * TEL_ISSUED


async def test_a_reversal_that_makes_the_merchant_owe_is_held_to_the_cap(ledger: Ledger) -> None:
    """What was redeemed made room for an award; taking the redemption back would leave more owed than allowed."""
    ada = await ledger.member()
    await ledger.post(earn("20 TEL", "TEL", member_id=ada))
    await cap(ledger, "CAF", 0)
    redeemed = await ledger.post(redeem("12 TEL", "CAF", member_id=ada))
    await ledger.post(earn("10 TEL", "CAF", member_id=ada))

    answer = await ledger.told(reverse(redeemed.transfer))

    assert isinstance(answer, NetDebitCapExceeded)
    assert answer.data == {
        "merchant": "merchants/CAF",
        "currency_code": "CNY",
        "cap": "0",
        "headroom": "0",
        "needed": "120000",
    }


async def test_points_on_hold_take_room_and_their_capture_needs_none(servers: list[Ledger]) -> None:
    """A hold is a promise of the issuer: what was reserved can be captured whatever is asked meanwhile."""
    ada = await servers[0].member()
    await servers[0].post(earn("2000 TEL", "TEL", member_id=ada))
    await cap(servers[0], "TEL", 500 * TEL_REDEEMED)

    held = await servers[0].post(hold("300 TEL", "CAF", member_id=ada))
    beside = [await servers[1].told(hold("201 TEL", "CAF", member_id=ada))]
    beside.append(await servers[1].told(redeem("201 TEL", "GRO", member_id=ada)))
    await servers[1].post(redeem("200 TEL", "GRO", member_id=ada))
    reserved = await exposure(servers[0], "TEL")
    await servers[0].post(capture(held.transfer, 100))
    after = await exposure(servers[0], "TEL")

    assert refused(beside) == [EXCEEDED]
    assert all(isinstance(one, NetDebitCapExceeded) and "headroom" not in one.data for one in beside)
    assert (reserved.owed_micros, reserved.reserved_micros, reserved.headroom_micros) == (2_000_000, 3_000_000, 0)
    assert (after.owed_micros, after.reserved_micros, after.headroom_micros) == (3_000_000, 0, 2_000_000)
    again = await servers[1].post(hold("200 TEL", "CAF", member_id=ada))
    await servers[0].post(release(again.transfer))
    assert (await exposure(servers[0], "TEL")).headroom_micros == 2_000_000


async def test_a_batch_refuses_just_the_items_past_the_cap(ledger: Ledger) -> None:
    """Later items that fit are taken; a group that is all or nothing is refused whole and uses no room."""
    await cap(ledger, "GRO", 10 * TEL_ISSUED)
    ada, ben = await ledger.members(2)
    sizes = ("6 TEL", "5 TEL", "4 TEL", "1 TEL")

    alone = await ledger.api.poster.post_all([earn(one, "GRO", member_id=ada) for one in sizes], atomic=False)
    await ledger.post(reverse(moved(alone)[0].transfer))
    group = await ledger.api.poster.post_all([earn(one, "GRO", member_id=ben) for one in sizes], atomic=True)
    rest = (await exposure(ledger, "GRO")).headroom_micros

    assert [isinstance(answer, Receipt) for answer in alone] == [True, False, True, False]
    assert reasons(group) == ["BATCH_NOT_APPLIED", EXCEEDED, "BATCH_NOT_APPLIED", "BATCH_NOT_APPLIED"]
    assert rest == 6 * TEL_ISSUED


async def test_a_cap_counts_what_was_owed_before_it_was_set(servers: list[Ledger]) -> None:
    """In open and closed windows, with holds; and set below that it lets nothing through but what lowers it."""
    ada = await servers[0].member()
    await servers[0].post(earn("900 TEL", "GRO", member_id=ada))
    await servers[0].close_window()
    await servers[0].post(redeem("100 TEL", "GRO", member_id=ada))
    await servers[0].post(hold("50 TEL", "GRO", member_id=ada))

    gro = await cap(servers[1], "GRO", 1)
    tel = await cap(servers[0], "TEL", 0)
    more = await servers[0].told(earn("1 TEL", "GRO", member_id=ada))
    back = await servers[1].told(redeem("10 TEL", "GRO", member_id=ada))

    assert (gro.owed_micros, gro.headroom_micros) == (900 * TEL_ISSUED - 100 * TEL_REDEEMED, 0)
    assert (tel.due_micros, tel.reserved_micros) == (gro.owed_micros, 50 * TEL_REDEEMED)
    assert reasons([more]) == [EXCEEDED]
    assert isinstance(back, Receipt)


async def test_payment_gives_headroom_back_once(servers: list[Ledger]) -> None:
    """However often it is told, and while awards are waiting for it."""
    await cap(servers[0], "GRO", 10 * TEL_ISSUED)
    members = await servers[0].members(10)
    await servers[0].post(earn("10 TEL", "GRO", member_id=members[0]))

    await at_once(*(pay(server, "payments/W1", "GRO", "TEL", 6 * TEL_ISSUED) for server in servers * 3))
    answers = await at_once(*in_turn(servers, [earn("1 TEL", "GRO", member_id=one) for one in members]))

    assert (len(moved(answers)), refused(answers)) == (6, [EXCEEDED])


async def test_payments_and_caps_that_meet_count_every_payment(servers: list[Ledger]) -> None:
    """A cap that is set while payments are told counts each, whichever came first; the fixture's audit recounts."""
    ada = await servers[0].member()
    await servers[0].post(earn("100 TEL", "GRO", member_id=ada))

    await at_once(
        *(pay(servers[one % 2], f"payments/{one}", "GRO", "TEL", TEL_ISSUED) for one in range(20)),
        cap(servers[0], "GRO", 0),
        cap(servers[1], "TEL", 0),
    )

    assert (await exposure(servers[0], "GRO")).owed_micros == 80 * TEL_ISSUED


async def test_a_merchant_without_a_cap_waits_for_nobody(ledger: Ledger) -> None:
    """Somebody holds GRO's row; whoever has nothing to do with GRO goes on."""
    await cap(ledger, "GRO", 10**9)
    ada = await ledger.member()

    async with owner_of(ledger.url) as connection, connection.transaction():
        await connection.execute("SELECT FROM exchange.exposures FOR UPDATE")
        receipt = await ledger.post(earn("10 AIR", "CAF", member_id=ada))

    assert not receipt.replayed


async def test_ending_points_counts_and_is_never_refused(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """TEL owes GRO for points that end unused, past its cap; that GRO is concerned is only found out while deciding."""
    looked: list[bool] = []
    lock = exposure_rows.lock_exposures

    async def noting(*arguments: object, everybody: bool) -> object:
        looked.append(everybody)
        return await lock(*arguments, everybody=everybody)  # type: ignore[arg-type]

    monkeypatch.setattr("exchange.ledger.batch.lock_exposures", noting)
    now = await issue(ledger, ExpiryKind.EXPLICIT)
    ada = await ledger.member()
    await ledger.post(earn("100 END", "GRO", expires=now + timedelta(hours=1), member_id=ada))
    await cap(ledger, "GRO", 10_000)
    before = await cap(ledger, "TEL", 0)
    await ledger.api.changes.set_clock(OPERATOR, now + timedelta(hours=2))
    looked.clear()

    await ledger.api.due.run()

    assert looked == [False, True]
    assert before.due_micros == 1_000
    assert (await exposure(ledger, "TEL")).due_micros == 500
    assert (await exposure(ledger, "GRO")).owed_micros == 500


async def test_a_refusal_stands_under_its_key_and_trying_uses_nothing(ledger: Ledger) -> None:
    """One key, one answer: also when there is room again. validate_only tells whether there is room."""
    await cap(ledger, "GRO", 10 * TEL_ISSUED)
    ada = await ledger.member()
    tried = await ledger.told(earn("10 TEL", "GRO", member_id=ada, trial=True))
    late = await ledger.told(earn("11 TEL", "GRO", member_id=ada, key="once"))
    trial = await ledger.told(earn("11 TEL", "GRO", member_id=ada, trial=True))

    await agreed_cap(ledger, "GRO", 11 * TEL_ISSUED)
    again = await ledger.told(earn("11 TEL", "GRO", member_id=ada, key="once"))
    anew = await ledger.told(earn("11 TEL", "GRO", member_id=ada))

    assert isinstance(tried, Receipt)
    assert reasons([late, trial, again]) == [EXCEEDED] * 3
    assert isinstance(anew, Receipt)


async def test_a_cap_that_is_taken_away_lets_everything_through(servers: list[Ledger]) -> None:
    """In every server at once; and what happened meanwhile is counted when one is set again."""
    await cap(servers[0], "GRO", 0)
    ada = await servers[0].member()
    full = await servers[1].told(earn("5 TEL", "GRO", member_id=ada))

    taken_away = await agreed_cap(servers[0], "GRO", None)
    free = await servers[1].told(earn("5 TEL", "GRO", member_id=ada))
    anew = await cap(servers[1], "GRO", 0)

    assert reasons([full]) == [EXCEEDED]
    assert taken_away is None
    assert isinstance(free, Receipt)
    assert anew.owed_micros == 5 * TEL_ISSUED
    await agreed_cap(servers[0], "GRO", None)
    with pytest.raises(ResourceNotFound):
        await agreed_cap(servers[1], "GRO", None)
