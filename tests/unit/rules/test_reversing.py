"""Reversals: the mirror of an earlier movement, whole or in parts that add up to exactly one whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from exchange.directory.model import MerchantRole
from exchange.ledger.model import Command, Transfer
from exchange.money.limits import INT64_MAX
from exchange.refusals import (
    AlreadyReversed,
    AmountOverflow,
    CurrencySuspended,
    InsufficientPoints,
    MerchantSuspended,
    NotReversible,
    Refusal,
    ReversalExceeds,
    RoleMissing,
)
from tests.unit.rules.days import (
    HOUR,
    Day,
    capture,
    cash_out,
    expire,
    hold,
    legs,
    mirrored,
    owed,
    owing,
    release,
    reverse,
)
from tests.unit.rules.rulebook import (
    ALL_ROLES,
    LONG_AGO,
    NOON,
    coalition,
    currency,
    discount,
    earn,
    lot,
    member,
    price,
    redeem,
)


def captured(day: Day, points: str) -> Transfer:
    """A hold, captured whole."""
    return day.do(capture(day.do(hold(points))))


USES: dict[str, Callable[[Day, str], Transfer]] = {
    "redemption": lambda day, points: day.do(redeem(points, "CAF")),
    "discount": lambda day, points: day.do(discount(points, "CAF")),
    "capture": captured,
}
every_use = pytest.mark.parametrize("use", USES.values(), ids=USES)


@every_use
def test_what_was_used_returns_to_the_very_lots_it_came_from(use: Callable[[Day, str], Transfer]) -> None:
    """With their expiry dates, and with the debt mirrored at its own price."""
    day = Day(facts=member(TEL=[lot(3, expires=NOON + HOUR), lot(5)]))
    before = day.lots()
    used = use(day, "7 TEL")
    day.world = coalition(currencies=[currency("TEL", price(redeem=99_000))])

    back = day.do(reverse(used))

    assert (day.lots(), day.balance()) == (before, (8, 0, 0))
    assert owed(back) == mirrored(used) == [("CAF", "TEL", "REVERSAL", 70_000)]
    assert (back.obligations[0].points_units, back.obligations[0].price_micros) == (7, 10_000)


@every_use
def test_what_was_used_last_returns_first(use: Callable[[Day, str], Transfer]) -> None:
    """So that the member is left with what would have been there had it used less."""
    lots = [lot(3), lot(5)]
    whole, less = Day(facts=member(TEL=lots)), Day(facts=member(TEL=lots))
    used = use(whole, "7 TEL")

    whole.do(reverse(used, 5))
    use(less, "2 TEL")

    assert whole.lots() == less.lots() == [(1, 0), (5, 0)]


@every_use
def test_parts_by_share_add_up_to_exactly_one_whole(use: Callable[[Day, str], Transfer]) -> None:
    """Ten points in thirds: 3 kept of 10 after two returns of a third, whatever was rounded before."""
    day = Day(facts=member(TEL=10))
    used = use(day, "10 TEL")

    parts = [day.do(reverse(used, keep=(kept, 3))) for kept in (2, 1, 0)]

    assert [part.legs[0].units for part in parts] == [4, 3, 3]
    assert [owed(part)[0][3] for part in parts] == [40_000, 30_000, 30_000]
    assert day.balance() == (10, 0, 0)


def test_shares_and_points_and_the_rest_count_together() -> None:
    """What is reversed is one figure, however each part was said."""
    day = Day(facts=member(TEL=100))
    used = day.do(redeem("100 TEL", "CAF"))

    day.do(reverse(used, 10))
    day.do(reverse(used, keep=(3, 4)))
    rest = day.do(reverse(used))

    assert owed(rest) == [("CAF", "TEL", "REVERSAL", 750_000)]
    with pytest.raises(AlreadyReversed):
        day.do(reverse(used, 1))


@pytest.mark.parametrize(
    ("part", "requested"),
    [({"units": 91}, "91"), ({"keep": (91, 100)}, "91"), ({"keep": (1, 1)}, "100")],
    ids=["points", "a greater share", "all of it"],
)
def test_no_more_than_is_left_is_reversed(part: dict[str, object], requested: str) -> None:
    """Nor is more kept by a share than is left to keep."""
    day = Day(facts=member(TEL=100))
    used = day.do(redeem("100 TEL", "CAF"))
    day.do(reverse(used, 10))

    with pytest.raises(ReversalExceeds) as caught:
        day.do(reverse(used, **part))  # type: ignore[arg-type]

    assert (caught.value.data["left"], caught.value.data["requested"]) == ("90", requested)


@every_use
def test_a_return_too_small_to_tell_moves_nothing_and_the_next_one_counts_it(
    use: Callable[[Day, str], Transfer],
) -> None:
    """Three points in tenths: a tenth gives one back at once, the next two none, and seven all three."""
    day = Day(facts=member(TEL=3))
    used = use(day, "3 TEL")

    parts = [day.do(reverse(used, keep=(10 - tenths, 10))) for tenths in range(1, 8)]

    assert [sum(leg.units for leg in part.legs if leg.lot_id) for part in parts] == [1, 0, 0, 1, 0, 0, 1]
    assert [sum(micros for *_, micros in owed(part)) for part in parts] == [10_000, 0, 0, 10_000, 0, 0, 10_000]
    assert day.balance() == (3, 0, 0)
    with pytest.raises(AlreadyReversed):
        day.do(reverse(used, keep=(2, 10)))


def test_an_award_too_takes_small_returns() -> None:
    """Though its points are spent by then: what rounds to nothing asks for none."""
    day = Day()
    award = day.do(earn("3 TEL", "GRO"))
    day.do(reverse(award, keep=(9, 10)))
    day.do(redeem("2 TEL", "CAF"))

    assert (legs(day.do(reverse(award, keep=(8, 10)))), day.balance()) == ([], (0, 0, 0))


def test_a_capture_in_part_is_reversed_for_what_it_took() -> None:
    """What had gone back already does not come back again."""
    day = Day(facts=member(TEL=[lot(3), lot(5)]))
    taken = day.do(capture(day.do(hold("7 TEL")), 4))

    back = day.do(reverse(taken))

    assert (owed(back), day.balance(), day.lots()) == (mirrored(taken), (8, 0, 0), [(3, 0), (5, 0)])


def test_a_capture_returns_to_its_own_lots_though_what_it_gave_back_went_to_a_debt() -> None:
    """L1 was captured, L2 given back and spent on what the member owed: L1 is whole again, L2 is not."""
    day = Day(owing(), member(TEL=[lot(10), lot(10)]))
    held = day.do(hold("20 TEL"))
    award = day.do(earn("5 TEL", "GRO"))
    day.do(redeem("5 TEL", "CAF"))
    day.do(reverse(award))
    taken = day.do(capture(held, 10))

    day.do(reverse(taken))

    assert day.balance() == (15, 0, 0)
    assert day.lots() == [(10, 0), (5, 0), (0, 0)]


def test_a_reversed_cash_out_brings_the_fee_back_too() -> None:
    """In thirds: the fee's parts add up to the fee."""
    caf = currency("TEL", price(cash_out=600_001, cash_out_fee=250))
    day = Day(coalition(currencies=[caf], cash_agents=["BNK"]), member(TEL=7))
    paid = day.do(cash_out("7 TEL"))

    parts = [day.do(reverse(paid, keep=(kept, 3))) for kept in (2, 1, 0)]

    per_pair = [sum(owed(part)[place][3] for part in parts) for place in (0, 1)]
    assert per_pair == [one[3] for one in owed(paid)] == [4_200_007, 105_000]


def test_holds_releases_reversals_and_expiries_are_not_reversed() -> None:
    """A hold is given back, and what has ended has ended."""
    day = Day(facts=member(TEL=[lot(2, expires=NOON + HOUR), lot(8)]))
    held = day.do(hold("1 TEL", lifetime=2 * HOUR))
    released = day.do(release(day.do(hold("1 TEL"))))
    reversal = day.do(reverse(day.do(redeem("1 TEL", "CAF"))))
    day.pass_time(HOUR)
    expired = day.do(expire())

    for transfer in (held, released, reversal, expired):
        with pytest.raises(NotReversible):
            day.do(reverse(transfer))


def test_what_returns_to_a_lot_that_has_ended_is_not_spendable() -> None:
    """It came with its expiry date, and ends the next time."""
    day = Day(facts=member(TEL=[lot(5, expires=NOON + HOUR)]))
    used = day.do(redeem("5 TEL", "CAF"))
    day.pass_time(HOUR)

    day.do(reverse(used))

    with pytest.raises(InsufficientPoints):
        day.do(redeem("1 TEL", "CAF"))
    assert legs(day.do(expire())) == [("MEMBER", "DEBIT", 5), ("CIRCULATION", "CREDIT", 5)]


ROLE_OF: dict[str, tuple[Command, MerchantRole]] = {
    "an award": (earn("5 TEL", "CAF"), MerchantRole.EARNING),
    "a redemption": (redeem("5 TEL", "CAF"), MerchantRole.REDEMPTION),
    "a discount": (discount("5 TEL", "CAF"), MerchantRole.DISCOUNT),
}


@pytest.mark.parametrize(("command", "role"), ROLE_OF.values(), ids=ROLE_OF)
def test_reversing_asks_for_the_role_of_the_original(command: Command, role: MerchantRole) -> None:
    """Every other role does not help."""
    day = Day(facts=member(TEL=5))
    original = day.do(command)
    day.world = coalition(roles={"CAF": ALL_ROLES - {role}})

    with pytest.raises(RoleMissing) as caught:
        day.do(reverse(original))

    assert caught.value.data["role"] == role.name


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"suspended": ["CAF"]}, MerchantSuspended),
        ({"suspended": ["TEL"]}, MerchantSuspended),
        ({"currencies": [currency("TEL", suspended=True)]}, CurrencySuspended),
    ],
    ids=["merchant", "issuer", "currency"],
)
def test_nothing_is_reversed_while_a_party_is_suspended(change: dict[str, object], refusal: type[Refusal]) -> None:
    """Its debts would never be paid."""
    day = Day(facts=member(TEL=5))
    used = day.do(redeem("5 TEL", "CAF"))
    day.world = coalition(**change)  # type: ignore[arg-type]

    with pytest.raises(refusal):
        day.do(reverse(used))


def test_a_price_of_nothing_leaves_nothing_to_mirror() -> None:
    """The points return all the same."""
    day = Day(coalition(currencies=[currency("TEL", price(redeem=0, since=LONG_AGO))]), member(TEL=5))

    back = day.do(reverse(day.do(redeem("5 TEL", "CAF"))))

    assert (owed(back), day.balance()) == ([], (5, 0, 0))


def test_no_balance_passes_64_bits() -> None:
    """What was used cannot return when its place was taken meanwhile."""
    world = coalition(currencies=[currency("TEL", price())])
    day = Day(world, member(TEL=INT64_MAX))
    used = day.do(redeem("5 TEL", "CAF"))
    day.do(earn("1 TEL", "GRO"))

    with pytest.raises(AmountOverflow):
        day.do(reverse(used))
    day.do(reverse(used, 4))
