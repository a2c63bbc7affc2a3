"""Partners are apart: an id one may not see is indistinguishable from one that does not exist."""

import pytest

from exchange.v1 import member_service_pb2 as member_pb
from tests.contract.cast import Cast
from tests.contract.refusals import Refused, refusal
from tests.contract.stillness import nothing_changes
from tests.movements import Member, a_key
from tests.servers import Server
from tests.worlds import EVERY_ROLE, Merchant, World

NOBODY = Member("members/00000000-0000-7000-8000-000000000000", "nobody-0")


def shape(refused: Refused, member: Member) -> str:
    """Everything a refusal tells, but the names that were asked for."""
    return repr(refused).replace(member.name, "MEMBER").replace(member.reference, "REFERENCE")


@pytest.mark.parametrize("movement", ["earn", "redeem", "discount", "convert"])
async def test_a_member_not_linked_cannot_be_told_from_none(
    world: World, cast: Cast, server: Server, movement: str
) -> None:
    """Whatever the movement: same status, same words, same details."""
    stranger = await world.merchant(f"Far-{movement}", *EVERY_ROLE)
    await world.currency(f"F{movement.upper()}", stranger, issue=1)
    ada = await cast.member("6 000 BNK")
    target = [f"F{movement.upper()}"] if movement == "convert" else []

    async with nothing_changes(server):
        hidden = await refusal(getattr(stranger, movement)(ada, "3 000 BNK", *target, a_key()))
        missing = await refusal(getattr(stranger, movement)(NOBODY, "3 000 BNK", *target, a_key()))

    assert hidden.reason == "RESOURCE_NOT_FOUND"
    assert shape(hidden, ada) == shape(missing, NOBODY)


@pytest.mark.parametrize("by", ["member", "member_reference"])
@pytest.mark.parametrize("method", ["GetMember", "ListBalances"])
async def test_reading_a_member_not_linked_tells_nothing(cast: Cast, method: str, by: str) -> None:
    """By name or by a reference that means something to others only."""
    ada = await cast.member("5 TEL")
    request = getattr(member_pb, f"{method}Request")
    stub = getattr(cast.gen.stubs.members, method)

    def key(member: Member) -> dict[str, str]:
        return {by: member.name if by == "member" else member.reference}

    hidden = await refusal(cast.gen.ask(stub, request(**key(ada))))
    missing = await refusal(cast.gen.ask(stub, request(**key(NOBODY))))

    assert (hidden.reason, hidden.metadata["field"]) == ("RESOURCE_NOT_FOUND", by)
    assert shape(hidden, ada) == shape(missing, NOBODY)


async def test_an_issuer_sees_no_lots_of_a_member_it_has_not_linked(world: World, cast: Cast) -> None:
    """The points are its own, the person is not."""
    issuer = await world.merchant("Shy", *EVERY_ROLE)
    await world.currency("SHY", issuer, issue=1)
    ada = await cast.member()
    await cast.gro.earn(ada, "5 SHY")

    async def lots(member: Member) -> Refused:
        request = member_pb.ListLotsRequest(member=member.name, currency="currencies/SHY")
        return await refusal(issuer.ask(issuer.stubs.members.ListLots, request))

    hidden, missing = await lots(ada), await lots(NOBODY)

    assert hidden.reason == "RESOURCE_NOT_FOUND"
    assert shape(hidden, ada) == shape(missing, NOBODY)


async def test_lots_are_the_issuers_affair(cast: Cast) -> None:
    """They tell who paid for what: to another merchant the currency has none to show."""
    ada = await cast.member("5 TEL")
    request = member_pb.ListLotsRequest(member=ada.name, currency="currencies/TEL")

    refused = await refusal(cast.gro.ask(cast.gro.stubs.members.ListLots, request))

    assert (refused.reason, refused.metadata["field"]) == ("RESOURCE_NOT_FOUND", "currency")


async def test_a_member_once_linked_is_reached_at_once(world: World, cast: Cast) -> None:
    """Also by a server that had just found it missing; the told no of the first key stays."""
    newcomer: Merchant = await world.merchant("New", *EVERY_ROLE)
    ada = await cast.member()
    key = a_key()
    before = await refusal(newcomer.earn(ada, "5 TEL", key))

    link = member_pb.LinkMemberRequest(member=ada.name, reference="n-1")
    await newcomer.ask(newcomer.stubs.members.LinkMember, link)
    earned = await newcomer.earn(ada, "5 TEL")
    late = await refusal(newcomer.earn(ada, "5 TEL", key))

    assert earned.transfer.member == ada.name
    assert late == before
