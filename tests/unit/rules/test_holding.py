"""Holds: points reserved for a time, taken once in whole or in part, or given back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from exchange.directory.model import MerchantRole
from exchange.money.limits import INT64_MAX
from exchange.refusals import (
    AmountOverflow,
    CaptureExceedsHold,
    CurrencySuspended,
    HoldEnded,
    HoldLapsed,
    InsufficientPoints,
    MerchantSuspended,
    NothingDue,
    Refusal,
    ResourceNotFound,
    RoleMissing,
)
from tests.unit.rules.days import HOUR, Day, capture, expire, hold, legs, owed, owing, release, reverse
from tests.unit.rules.rulebook import ALL_ROLES, NOON, SECOND, coalition, currency, earn, lot, member, price, redeem


def test_a_hold_moves_points_out_of_reach_and_owes_nothing() -> None:
    """In spending order, lot by lot, between the member's own two accounts."""
    day = Day(facts=member(TEL=[lot(3), lot(5)]))

    held = day.do(hold("7 TEL"))

    assert legs(held) == [
        ("MEMBER", "DEBIT", 3),
        ("HELD", "CREDIT", 3),
        ("MEMBER", "DEBIT", 4),
        ("HELD", "CREDIT", 4),
    ]
    assert (day.balance(), day.lots()) == ((1, 7, 0), [(0, 3), (1, 4)])
    assert owed(held) == []


def test_what_is_held_cannot_be_held_or_spent_again() -> None:
    """Held points count against every limit."""
    day = Day(facts=member(TEL=8))
    day.do(hold("5 TEL"))

    for command in (hold("4 TEL"), redeem("4 TEL", "CAF")):
        with pytest.raises(InsufficientPoints) as caught:
            day.do(command)
        assert caught.value.data["available"] == "3"


def test_a_capture_takes_what_was_reserved_first_and_gives_back_the_rest() -> None:
    """Four of seven: the first lot whole, one of the second; three go back to the second."""
    day = Day(facts=member(TEL=[lot(3), lot(5)]))
    held = day.do(hold("7 TEL"))

    captured = day.do(capture(held, 4))

    assert owed(captured) == [("TEL", "CAF", "REDEEM", 40_000)]
    assert captured.original_id == held.transfer_id
    assert (day.balance(), day.lots()) == ((4, 0, 0), [(0, 0), (4, 0)])


def test_a_capture_is_owed_at_the_price_the_hold_froze() -> None:
    """Whatever the price is by then."""
    day = Day(facts=member(TEL=8))
    held = day.do(hold("8 TEL"))

    day.world = coalition(currencies=[currency("TEL", price(redeem=99_000))])

    assert owed(day.do(capture(held))) == [("TEL", "CAF", "REDEEM", 80_000)]


def test_an_issuer_that_captures_its_own_points_owes_nobody() -> None:
    """As with a redemption."""
    day = Day(facts=member(TEL=8))

    assert owed(day.do(capture(day.do(hold("8 TEL", at="TEL"))))) == []


def test_a_release_puts_everything_back_where_it_was() -> None:
    """The very lots, and nothing owing."""
    day = Day(facts=member(TEL=[lot(3), lot(5)]))
    before = day.lots()
    held = day.do(hold("7 TEL"))

    released = day.do(release(held))

    assert (owed(released), released.original_id) == ([], held.transfer_id)
    assert (day.balance(), day.lots()) == ((8, 0, 0), before)


@pytest.mark.parametrize("ending", ["capture in part", "capture", "release"])
def test_a_hold_ends_once(ending: str) -> None:
    """However it ended, there is no second time; not even of what a partial capture did not take."""
    day = Day(facts=member(TEL=8))
    held = day.do(hold("8 TEL"))
    day.do({"capture in part": capture(held, 1), "capture": capture(held), "release": release(held)}[ending])

    for again in (capture(held, 1), release(held), release(held, lapsed=True)):
        with pytest.raises(HoldEnded):
            day.do(again)


def test_no_more_is_captured_than_was_reserved() -> None:
    """Though the member has more; the refusal tells both figures and the hold stays."""
    day = Day(facts=member(TEL=80))
    held = day.do(hold("8 TEL"))

    with pytest.raises(CaptureExceedsHold) as caught:
        day.do(capture(held, 9))

    assert (caught.value.data["held"], caught.value.data["requested"]) == ("8", "9")
    day.do(capture(held, 8))


def test_at_the_very_instant_of_its_expiry_a_hold_is_over() -> None:
    """A second before it is not."""
    early, late = Day(facts=member(TEL=8)), Day(facts=member(TEL=8))
    in_time, too_late = early.do(hold("8 TEL")), late.do(hold("8 TEL"))
    early.pass_time(HOUR - SECOND)
    late.pass_time(HOUR)

    early.do(capture(in_time))
    with pytest.raises(HoldLapsed) as caught:
        late.do(capture(too_late))

    assert caught.value.data["expired"] == (NOON + HOUR).isoformat()


def test_a_hold_lapses_when_its_time_is_over_and_not_before() -> None:
    """Asked too early the exchange is told to come again: such a no must not be kept for ever."""
    day = Day(facts=member(TEL=8))
    held = day.do(hold("8 TEL"))

    with pytest.raises(NothingDue):
        day.do(release(held, lapsed=True))
    day.pass_time(HOUR)
    day.do(release(held, lapsed=True))

    assert day.balance() == (8, 0, 0)


def test_a_late_capture_is_late_whether_or_not_the_lapse_was_posted() -> None:
    """The same reason and instant; but what its merchant gave back in time had ended, however late it is now."""
    day = Day(facts=member(TEL=8))
    lapsed, voided = day.do(hold("3 TEL")), day.do(hold("5 TEL"))
    day.do(release(voided))
    day.pass_time(2 * HOUR)
    told = []
    for _ in range(2):
        with pytest.raises(HoldLapsed) as caught:
            day.do(capture(lapsed))
        told.append(caught.value.data)
        if len(told) == 1:
            day.do(release(lapsed, lapsed=True))

    assert told[0] == told[1] == {"hold": f"transfers/{lapsed.transfer_id}", "expired": (NOON + HOUR).isoformat()}
    for again in (capture(voided), release(lapsed)):
        with pytest.raises(HoldEnded):
            day.do(again)


def test_giving_back_is_never_too_late_nor_stopped_by_a_suspension() -> None:
    """It only helps the member."""
    day = Day(facts=member(TEL=8))
    held = day.do(hold("8 TEL"))
    day.pass_time(2 * HOUR)
    day.world = coalition(suspended=["CAF", "TEL"], currencies=[currency("TEL", suspended=True)])

    day.do(release(held))

    assert day.balance() == (8, 0, 0)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"suspended": ["CAF"]}, MerchantSuspended),
        ({"suspended": ["TEL"]}, MerchantSuspended),
        ({"currencies": [currency("TEL", suspended=True)]}, CurrencySuspended),
        ({"roles": {"CAF": ALL_ROLES - {MerchantRole.REDEMPTION}}}, RoleMissing),
    ],
    ids=["merchant", "issuer", "currency", "role"],
)
def test_holding_and_capturing_ask_what_a_redemption_asks(change: dict[str, object], refusal: type[Refusal]) -> None:
    """A hold placed before is not captured after."""
    day = Day(facts=member(TEL=8))
    held = day.do(hold("4 TEL"))
    day.world = coalition(**change)  # type: ignore[arg-type]

    for command in (hold("4 TEL"), capture(held)):
        with pytest.raises(refusal):
            day.do(command)


def test_only_a_hold_is_captured_or_given_back() -> None:
    """Anything else does not exist as one."""
    day = Day(facts=member(TEL=8))
    redeemed = day.do(redeem("4 TEL", "CAF"))

    for command in (capture(redeemed), release(redeemed)):
        with pytest.raises(ResourceNotFound) as caught:
            day.do(command)
        assert caught.value.data == {"resource": f"transfers/{redeemed.transfer_id}", "field": "hold"}


def test_what_could_not_be_owed_is_not_promised() -> None:
    """The money of the whole capture must fit into 64 bits when the hold is placed."""
    world = coalition(currencies=[currency("TEL", price(redeem=2))])
    day = Day(world, member(TEL=INT64_MAX))

    with pytest.raises(AmountOverflow):
        day.do(hold(f"{INT64_MAX // 2 + 1} TEL"))
    day.do(hold(f"{INT64_MAX // 2} TEL"))


def test_held_points_outlive_their_lots_end_until_they_are_given_back() -> None:
    """A hold keeps its promise: a capture after the lot's end is good, what it gives back ends the next time."""
    day = Day(facts=member(TEL=[lot(8, expires=NOON + 2 * SECOND)]))
    held = day.do(hold("6 TEL", lifetime=timedelta(days=1)))
    day.pass_time(HOUR)

    day.do(expire())
    between = day.balance()
    day.do(capture(held, 5))
    after = day.balance()
    day.do(expire())

    assert (between, after, day.balance()) == ((0, 6, 0), (1, 0, 0), (0, 0, 0))


def test_what_a_hold_gives_back_first_pays_what_the_member_owes() -> None:
    """Twenty held, their award taken back: the ten that are not captured are not the member's any more."""
    day = Day(owing(), member())
    award = day.do(earn("20 TEL", "GRO"))
    held = day.do(hold("20 TEL"))
    day.do(reverse(award))

    day.do(capture(held, 10))

    assert (day.balance(), day.lots()) == ((-10, 0, 10), [(0, 0)])
