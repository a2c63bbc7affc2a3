"""Every no to a rate itself, however it would be published or revoked: what cannot be shown of it, or is not there."""

from __future__ import annotations

from datetime import timedelta

import pytest

from exchange.v1 import rate_service_pb2 as pb
from tests.contract.cast import Cast
from tests.contract.drafts import revoked
from tests.contract.refusals import refusal
from tests.contract.stillness import nothing_changes
from tests.servers import Server
from tests.worlds import EXCHANGE, World, instant

NOWHERE = "rates/00000000-0000-7000-8000-000000000000"


@pytest.mark.provokes("ROUND_TRIP_GAINS")
async def test_nothing_is_published_that_lets_somebody_convert_round_and_gain(
    cast: Cast, world: World, server: Server
) -> None:
    """Neither directly nor as a draft: 10 there and 11 back. The circle is told."""
    pair = await cast.pair(ratio="1:1")
    await world.price(pair.target, conversion_in=1_000, conversion_out=2_000)
    await world.price(pair.source, conversion_in=1_000, conversion_out=1_000)
    first, second = sorted([pair.source, pair.target], key=lambda code: int(code[1:]) * 2 + (code[0] == "T"))

    async with nothing_changes(server):
        refused = await refusal(world.rate(pair.target, pair.source, "10:11"))
        bonus = {"bonus_every_units": 100, "bonus_units": 1}
        by_bonus = await refusal(world.rate(pair.target, pair.source, "1:1", **bonus))

    assert refused.metadata["cycle"] == f"{first} > {second} > {first}"
    assert (refused.metadata["product"], by_bonus.metadata["product"]) == ("11/10", "101/100")
    assert pair.rate.name in refused.metadata["rates"]


@pytest.mark.provokes("RATE_OUT_OF_BOUNDS")
async def test_nothing_is_published_outside_the_bounds(own_world: World, own_server: Server) -> None:
    """The figure, its value and its bound are told."""
    issuer = await own_world.merchant("ISS", EXCHANGE)
    for code in ("AA", "BB"):
        await own_world.currency(code, issuer, conversion_in=1, conversion_out=1)
    bounds = pb.SetRateBoundsRequest(bounds=pb.RateBounds(notice_seconds_min=3_600))
    await own_world.operator.ask(own_world.stubs.rates.SetRateBounds, bounds)
    in_time = instant(await own_world.now() + timedelta(hours=2))

    async with nothing_changes(own_server):
        refused = await refusal(own_world.rate("AA", "BB", "1:1"))
    await own_world.rate("AA", "BB", "1:1", effective_time=in_time)

    assert refused.metadata == {"field": "rate", "figure": "notice_seconds", "value": "0", "bound": "3600"}


@pytest.mark.provokes("SUPERSEDES_MISMATCH")
async def test_only_a_version_of_the_same_pair_is_superseded(cast: Cast, world: World, server: Server) -> None:
    """And only one there is."""
    pair, other = await cast.pair(), await cast.pair()

    async with nothing_changes(server):
        refused = await refusal(world.rate(pair.source, pair.target, "2:1", supersedes=other.rate.name))
        nowhere = await refusal(world.rate(pair.source, pair.target, "2:1", supersedes=NOWHERE))

    assert refused.metadata == {"supersedes": other.rate.name, "field": "rate.supersedes"}
    assert (nowhere.reason, nowhere.metadata["field"]) == ("RESOURCE_NOT_FOUND", "rate.supersedes")


async def test_what_has_ended_cannot_be_revoked(cast: Cast, world: World, server: Server) -> None:
    """It converts nothing any more; and what there is not was never published."""
    pair = await cast.pair()
    await world.operator.ask(world.stubs.rates.EndRate, pb.EndRateRequest(name=pair.rate.name))

    async with nothing_changes(server):
        ended = await refusal(revoked(world.operator, pair.rate))
        nowhere = await refusal(revoked(world.operator, pb.Rate(name=NOWHERE)))

    assert (ended.reason, nowhere.reason) == ("TOO_LATE", "RESOURCE_NOT_FOUND")
