"""One key, one effect, one answer, for ever."""

import asyncio
from typing import Any

import pytest

from exchange.v1 import transfer_service_pb2 as pb
from tests.contract.cast import Cast
from tests.contract.refusals import refusal, refusal_in
from tests.contract.stillness import nothing_changes
from tests.movements import Movement, a_conversion, a_discount, a_key, a_redemption, an_earn, points
from tests.servers import Server, a_server
from tests.worlds import EARNING, Merchant, World, a_channel, instant

A_FAR_DAY = instant("2150-01-01T00:00:00+00:00")

OK = 0


async def post(merchant: Merchant, movement: Movement) -> Any:
    """Ask for a movement by its unary method."""
    stubs = merchant.stubs.transfers
    method: Any = {
        pb.EarnPointsRequest: stubs.EarnPoints,
        pb.RedeemPointsRequest: stubs.RedeemPoints,
        pb.DiscountPointsRequest: stubs.DiscountPoints,
        pb.ConvertPointsRequest: stubs.ConvertPoints,
    }[type(movement)]
    return await merchant.ask(method, movement)


@pytest.mark.parametrize("movement", [an_earn, a_redemption, a_discount, a_conversion])
async def test_a_repeated_movement_gives_its_first_answer(cast: Cast, server: Server, movement: Any) -> None:
    """The very transfer, marked as replayed; nothing moves a second time."""
    ada = await cast.member("9 000 BNK")
    merchant = {an_earn: cast.gro, a_redemption: cast.air, a_discount: cast.gro, a_conversion: cast.bnk}[movement]
    request = movement(ada, "3 000 BNK", *(["AIR"] if movement is a_conversion else []), reference="r")

    first = await post(merchant, request)
    async with nothing_changes(server):
        again = [await post(merchant, request) for _ in range(2)]

    assert (first.replayed, [answer.replayed for answer in again]) == (False, [True, True])
    assert [answer.transfer for answer in again] == [first.transfer, first.transfer]


async def test_a_told_refusal_never_turns_into_a_movement(cast: Cast, server: Server) -> None:
    """A late duplicate, come when the points are there, is refused with the figures of then."""
    ada = await cast.member("5 TEL")
    request = a_discount(ada, "6 TEL")
    first = await refusal(post(cast.gro, request))
    await cast.tel.earn(ada, "100 TEL")

    async with nothing_changes(server):
        late = await refusal(post(cast.gro, request))

    assert late == first
    assert late.metadata["available"] == "5"


async def test_a_yes_stays_a_yes_when_circumstances_change(cast: Cast, world: World) -> None:
    """Suspended meanwhile: what happened has happened, and the repeat is told so."""
    merchant = await world.merchant("Gone", EARNING)
    ada = await world.member("ada", [merchant, cast.tel])
    request = an_earn(ada, "5 TEL")
    first = await post(merchant, request)
    await world.suspend(merchant)

    late = await post(merchant, request)

    assert (late.transfer, late.replayed) == (first.transfer, True)


def changed(request: pb.EarnPointsRequest, **fields: Any) -> pb.EarnPointsRequest:
    """The same request with other fields."""
    other = pb.EarnPointsRequest()
    other.CopyFrom(request)
    other.MergeFrom(pb.EarnPointsRequest(**fields))
    return other


@pytest.mark.parametrize(
    "other",
    [
        {"points": points("6 TEL")},
        {"points": points("5 AIR")},
        {"member": ""},
        {"reference": "r2"},
        {"expire_time": A_FAR_DAY},
    ],
    ids=lambda other: next(iter(other)),
)
async def test_every_business_field_belongs_to_the_key(cast: Cast, server: Server, other: dict[str, Any]) -> None:
    """Another amount, currency, member, reference or expiry is another request."""
    ada, bob = await cast.member(), await cast.member()
    request = an_earn(ada, "5 TEL")
    await post(cast.gro, request)
    fields = {"member": bob.name} if "member" in other else other

    async with nothing_changes(server):
        refused = await refusal(post(cast.gro, changed(request, **fields)))

    assert (refused.reason, refused.metadata) == ("REQUEST_ID_REUSED", {"request_id": request.request_id})


async def test_another_kind_of_movement_is_another_request(cast: Cast, server: Server) -> None:
    """Even with the same member and the same points."""
    ada = await cast.member("9 TEL")
    key = a_key()
    await post(cast.gro, a_discount(ada, "5 TEL", key))

    async with nothing_changes(server):
        refused = await refusal(post(cast.gro, an_earn(ada, "5 TEL", key)))

    assert refused.reason == "REQUEST_ID_REUSED"


async def test_another_body_under_a_refused_key_is_no_way_round(cast: Cast, server: Server) -> None:
    """The key was answered, if only with a no."""
    ada = await cast.member("5 TEL")
    key = a_key()
    await refusal(post(cast.gro, a_discount(ada, "6 TEL", key)))

    async with nothing_changes(server):
        refused = await refusal(post(cast.gro, a_discount(ada, "5 TEL", key)))

    assert refused.reason == "REQUEST_ID_REUSED"


async def test_a_key_is_its_merchants_own(cast: Cast) -> None:
    """Two merchants that happen to choose the same key ask for two things."""
    ada = await cast.member()
    key = a_key()

    answers = [await post(merchant, an_earn(ada, "5 TEL", key)) for merchant in (cast.gro, cast.caf)]

    assert [answer.replayed for answer in answers] == [False, False]
    assert await cast.gro.balances(ada) == {"TEL": 10}


async def test_validating_under_a_used_key_tells_its_answer(cast: Cast, server: Server) -> None:
    """The key is taken: the first answer is what the real request would get too."""
    ada = await cast.member()
    request = an_earn(ada, "5 TEL")
    first = await post(cast.gro, request)

    async with nothing_changes(server):
        tried = await post(cast.gro, changed(request, validate_only=True))

    assert (tried.transfer, tried.replayed) == (first.transfer, True)


async def test_duplicates_within_a_batch_take_effect_once(cast: Cast) -> None:
    """The later ones are replays of the first; another body under its key is refused."""
    ada = await cast.member()
    request = an_earn(ada, "5 TEL")
    no = a_discount(ada, "600 TEL")

    results = await cast.gro.batch(request, request, changed(request, reference="other"), no, no, request)

    assert [result.status.code == OK for result in results] == [True, True, False, False, False, True]
    assert [result.replayed for result in results] == [False, True, False, False, False, True]
    assert refusal_in(results[2].status).reason == "REQUEST_ID_REUSED"
    assert refusal_in(results[3].status) == refusal_in(results[4].status)
    assert await cast.gro.balances(ada) == {"TEL": 5}


async def test_a_key_is_one_whether_it_came_alone_or_in_a_batch(cast: Cast) -> None:
    """A batch repeats unary requests, and the other way round."""
    ada = await cast.member()
    alone_first, batch_first = an_earn(ada, "5 TEL"), an_earn(ada, "7 TEL")
    alone = await post(cast.gro, alone_first)

    results = await cast.gro.batch(alone_first, batch_first)
    again = await post(cast.gro, batch_first)

    assert (results[0].transfer, results[0].replayed) == (alone.transfer, True)
    assert (again.transfer, again.replayed) == (results[1].transfer, True)
    assert await cast.gro.balances(ada) == {"TEL": 12}


async def test_duplicates_sent_at_once_take_effect_once(cast: Cast, server: Server) -> None:
    """Over two connections and by two servers on one database: one of forty is first, and all tell its transfer."""
    ada = await cast.member("5 TEL")
    yes, no = an_earn(ada, "7 AIR"), a_discount(ada, "6 TEL")

    async with (
        a_server(server.url, operator_secret=server.operator_secret) as second,
        a_channel(server.address) as one,
        a_channel(second.address) as other,
    ):
        merchants = [cast.gro.at(one), cast.gro.at(other)]
        answers = await asyncio.gather(*(post(merchant, yes) for merchant in merchants * 20))
        refused = await asyncio.gather(*(refusal(post(merchant, no)) for merchant in merchants * 20))

    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 39
    assert all(answer.transfer == answers[0].transfer for answer in answers)
    assert all(each == refused[0] for each in refused)
    assert await cast.gro.balances(ada) == {"AIR": 7, "TEL": 5}


async def test_different_bodies_under_one_key_at_once_leave_one(cast: Cast, server: Server) -> None:
    """Whichever came first holds the key; the others are told that it is used."""
    ada = await cast.member()
    key = a_key()

    async with a_server(server.url, operator_secret=server.operator_secret) as second, a_channel(second.address) as far:
        merchants = [cast.gro, cast.gro.at(far)] * 5
        answers = await asyncio.gather(
            *(post(merchant, an_earn(ada, f"{n} TEL", key)) for n, merchant in enumerate(merchants, 1)),
            return_exceptions=True,
        )

    done = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(done) == 1
    assert await cast.gro.balances(ada) == {"TEL": done[0].transfer.legs[1].points.units}


@pytest.mark.parametrize("key", ["x", "x" * 64, "订单-2026-000001", 'quote " slash \\ per % cent', "é" * 64])
async def test_any_text_of_up_to_64_characters_is_a_key(cast: Cast, key: str) -> None:
    """Characters, not bytes; whatever a partner's system makes its keys of."""
    ada = await cast.member()
    request = an_earn(ada, "5 TEL", f"{ada.reference}{key}"[:64])

    first, again = await post(cast.gro, request), await post(cast.gro, request)

    assert first.transfer.request_id == request.request_id
    assert (again.transfer, again.replayed) == (first.transfer, True)
