"""Promotions on the wire: begun and ended by the operator, seen by those they concern."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from exchange.v1 import directory_service_pb2 as pb
from tests.contract.cast import Cast
from tests.contract.pages import every_page
from tests.contract.promoted import end
from tests.contract.refusals import refusal
from tests.contract.stillness import nothing_changes
from tests.publications import a_promotion
from tests.servers import Server
from tests.worlds import World, instant


async def test_a_promotion_is_as_the_operator_says(world: World, cast: Cast) -> None:
    """The answer is what anybody it concerns reads afterwards."""
    begins = await world.now() + timedelta(days=1)
    wanted = a_promotion(
        "As_said-1",
        "AIR",
        cast.caf,
        {cast.bnk: 7_000, cast.caf: 3_000},
        bonus_bps=10_000,
        member_cap_units=2_000,
        budget_units=5_000,
        effective_time=instant(begins),
        end_time=instant(begins + timedelta(days=30)),
    )

    request = pb.CreatePromotionRequest(promotion=wanted)
    created = (await world.operator.ask(world.stubs.directory.CreatePromotion, request)).promotion

    expected = pb.Promotion()
    expected.CopyFrom(wanted)
    expected.create_time.CopyFrom(created.create_time)
    assert created == expected
    get = pb.GetPromotionRequest(name="promotions/As_said-1")
    for party in (cast.caf, cast.bnk, cast.air, world.operator, await world.auditor()):
        assert (await party.ask(world.stubs.directory.GetPromotion, get)).promotion == created


async def test_a_promotion_is_none_of_the_business_of_others(world: World, cast: Cast) -> None:
    """Neither read nor listed by a merchant that does not award, sponsor or issue; the operator lists it."""
    await world.promotion("Secret", "AIR", at=cast.caf, sponsors={cast.bnk: 1}, bonus_units=1)
    stubs = world.stubs.directory

    refused = await refusal(cast.gro.ask(stubs.GetPromotion, pb.GetPromotionRequest(name="promotions/Secret")))

    assert refused.reason == "RESOURCE_NOT_FOUND"
    for party, seen in (
        (cast.gro, False),
        (cast.caf, True),
        (cast.bnk, True),
        (cast.air, True),
        (world.operator, True),
    ):
        listed = [
            one.name
            for page in await every_page(party, stubs.ListPromotions, pb.ListPromotionsRequest, 1)
            for one in page.promotions
        ]
        assert ("promotions/Secret" in listed) == seen
        assert listed == sorted(listed)


async def test_a_promotion_that_has_not_begun_ends_at_its_beginning(world: World, cast: Cast) -> None:
    """It never gives anything."""
    begins = instant(await world.now() + timedelta(days=3))
    promotion = await world.promotion("Never", "AIR", at=cast.caf, bonus_units=1, effective_time=begins)

    ended = await end(world, promotion)

    assert ended.end_time == ended.effective_time == begins


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"end_time": -1}, "promotion.end_time"),
        ({"effective_time": -1}, "promotion.effective_time"),
        ({"effective_time": 2, "end_time": 2}, "promotion.end_time"),
    ],
    ids=["ends in the past", "begins in the past", "ends as it begins"],
)
async def test_a_promotion_lies_ahead(
    world: World, server: Server, change: dict[str, int], field: str, cast: Cast
) -> None:
    """Nothing that has happened gets a bonus afterwards."""
    now = await world.now()
    times: dict[str, Any] = {name: instant(now + timedelta(hours=hours)) for name, hours in change.items()}
    request = pb.CreatePromotionRequest(promotion=a_promotion("Past", "AIR", cast.caf, bonus_units=1, **times))

    async with nothing_changes(server):
        refused = await refusal(world.operator.ask(world.stubs.directory.CreatePromotion, request))

    assert (refused.reason, refused.metadata["field"]) == ("TOO_LATE", field)


async def test_an_id_is_taken_once_in_whatever_case(world: World, cast: Cast, server: Server) -> None:
    """Also by a promotion that has ended."""
    await end(world, await world.promotion("Taken", "AIR", at=cast.caf, bonus_units=1))

    async with nothing_changes(server):
        refused = await refusal(world.promotion("TAKEN", "AIR", at=cast.caf, bonus_units=1))

    assert (refused.reason, refused.metadata["resource"]) == ("RESOURCE_EXISTS", "promotions/TAKEN")


def flawed(**fields: Any) -> pb.Promotion:
    """A promotion with something that does not fit together."""
    promotion = pb.Promotion(
        name="promotions/Flawed", kind=pb.Promotion.KIND_EARN_BONUS, currency="currencies/AIR", bonus_units=1
    )
    promotion.MergeFrom(pb.Promotion(**fields))
    return promotion


def sponsors(*shares: tuple[str, int]) -> Sequence[pb.PromotionSponsor]:
    """Merchants with their shares."""
    return [pb.PromotionSponsor(merchant=f"merchants/{merchant}", share_bps=share) for merchant, share in shares]


CONVERSION = pb.Promotion.KIND_CONVERSION_BONUS


@pytest.mark.parametrize(
    ("promotion", "field"),
    [
        (flawed(sponsors=sponsors(("BNK", 5_000), ("bnk", 5_000))), "promotion.sponsors"),
        (flawed(sponsors=sponsors(("BNK", 7_000), ("GRO", 3_001))), "promotion.sponsors"),
        (flawed(sponsors=sponsors(("BNK", 10_001))), "promotion.sponsors[0].share_bps"),
        (flawed(sponsors=sponsors(*((f"M{n}", 1) for n in range(51)))), "promotion.sponsors"),
        (flawed(source_currency="currencies/BNK"), "promotion.source_currency"),
        (flawed(kind=CONVERSION), "promotion.source_currency"),
        (flawed(kind=CONVERSION, source_currency="currencies/AIR"), "promotion.source_currency"),
        (flawed(kind=CONVERSION, source_currency="currencies/BNK", merchant="merchants/BNK"), "promotion.merchant"),
        (flawed(bonus_bps=1_000_001), "promotion.bonus_bps"),
        (flawed(bonus_bps=0), "promotion.bonus_bps"),
        (flawed(bonus_units=-1), "promotion.bonus_units"),
        (pb.Promotion(name="promotions/F", kind=CONVERSION, currency="currencies/AIR"), "promotion.bonus"),
    ],
)
async def test_what_does_not_fit_together_is_no_promotion(
    world: World, server: Server, promotion: pb.Promotion, field: str
) -> None:
    """Named by its field."""
    request = pb.CreatePromotionRequest(promotion=promotion)

    async with nothing_changes(server):
        refused = await refusal(world.operator.ask(world.stubs.directory.CreatePromotion, request))

    assert refused.reason == "INVALID_FIELD"
    assert field in refused.fields


async def test_a_bonus_that_makes_a_circle_gain_is_refused_with_the_circle(
    cast: Cast, world: World, server: Server
) -> None:
    """There and back for as much: 10 % on one way is more than that; where something is lost on the way, it may be."""
    pair = await cast.pair(ratio="1:1")
    await world.rate(pair.target, pair.source, "10:9")
    way = f"{pair.source}>{pair.target}"

    fits = await world.promotion(f"Fits{pair.source}", way, bonus_bps=1_000)
    async with nothing_changes(server):
        refused = await refusal(world.promotion(f"Over{pair.source}", way, bonus_bps=200))
        by_points = await refusal(world.promotion(f"Each{pair.source}", way, bonus_units=1))

    assert refused.reason == by_points.reason == "ROUND_TRIP_GAINS"
    assert set(refused.metadata["cycle"].split(" > ")) == {pair.source, pair.target}
    assert (refused.metadata["product"], by_points.metadata["product"]) == ("126/125", "189/100")
    assert fits.name in refused.metadata["promotions"]


async def test_a_rate_that_would_gain_with_a_promotion_is_refused(cast: Cast, world: World, server: Server) -> None:
    """10 % are given on the way there from tomorrow on: the way back may not give as much as there was."""
    pair = await cast.pair(ratio="1:1")
    tomorrow = await world.now() + timedelta(days=1)
    bonus = await world.promotion(
        f"Rate{pair.source}", f"{pair.source}>{pair.target}", bonus_bps=1_000, effective_time=instant(tomorrow)
    )

    async with nothing_changes(server):
        refused = await refusal(world.rate(pair.target, pair.source, "1:1"))
    await world.rate(pair.target, pair.source, "11:10")

    assert (refused.reason, refused.metadata["product"]) == ("ROUND_TRIP_GAINS", "11/10")
    assert (refused.metadata["since"], refused.metadata["promotions"]) == (tomorrow.isoformat(), bonus.name)
