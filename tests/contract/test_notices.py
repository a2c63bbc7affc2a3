"""Notices of points about to end, as partners hear them."""

from datetime import UTC, timedelta

from exchange.v1 import directory_service_pb2 as directory
from tests.contract.cast import Cast, a_cast
from tests.contract.watching import Kind, listed
from tests.worlds import EVERY_ROLE, World, instant

EXPIRING = [Kind.KIND_POINTS_EXPIRING]


async def test_who_has_linked_the_member_is_told_by_its_own_reference(own_world: World) -> None:
    """The issuer that has not linked the person is told of its points only; strangers and finance of nothing."""
    cast: Cast = await a_cast(own_world)
    shy = await own_world.merchant("Shy", *EVERY_ROLE)
    await own_world.currency("SHY", shy, issue=1, expiry={"kind": "KIND_EXPLICIT"})
    ada = await own_world.member("ada", [cast.gro, cast.caf])
    ends = await own_world.now() + timedelta(days=60)
    await cast.gro.earn(ada, "500 SHY", expire_time=instant(ends))
    maker = await own_world.party(directory.CALLER_ROLE_FINANCE_MAKER)

    for left in (31, 30, 7, 1):
        await own_world.set_clock(ends - timedelta(days=left))

    for merchant in (cast.gro, cast.caf):
        events, _ = await listed(merchant, kinds=EXPIRING)
        assert [event.points_expiring.days for event in events] == [30, 7, 1]
        for event in events:
            told = event.points_expiring
            assert (told.member, told.member_reference) == (ada.name, ada.reference)
            assert (told.points.currency, told.points.units, event.resource) == (
                "currencies/SHY",
                500,
                "currencies/SHY",
            )
            assert told.expire_time.ToDatetime(UTC) == ends
    to_issuer, _ = await listed(shy, kinds=EXPIRING)
    assert [(event.points_expiring.member, event.points_expiring.points.units) for event in to_issuer] == [
        ("", 500)
    ] * 3
    assert all(ada.name.encode() not in event.SerializeToString() for event in to_issuer)
    to_operator, _ = await listed(own_world.operator, kinds=EXPIRING)
    assert {event.points_expiring.member for event in to_operator} == {ada.name}
    for stranger in (cast.gen, cast.tel, maker):
        assert (await listed(stranger, kinds=EXPIRING))[0] == []
