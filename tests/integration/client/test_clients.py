"""Both clients against a real server: keys, refusals, repeats, deadlines, pages, streams."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.engine import make_url

from exchange.client import AsyncClient, Client
from exchange.client.errors import Undecided
from exchange.client.reasons import CredentialUnknown, InsufficientPoints, InvalidField
from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from settlement.v1.settlement_service_pb2 import ListWindowsRequest
from settlement.v1.settlement_service_pb2_grpc import SettlementServiceStub
from tests.contract.cables import Cable, a_cable
from tests.contract.stillness import standing_still
from tests.integration.client.sides import SIDES, Side, a_side
from tests.movements import Member, an_earn, points
from tests.servers import Server, a_server
from tests.worlds import EARNING, REDEMPTION, Merchant, World


@pytest.fixture(scope="module")
async def tel(world: World) -> Merchant:
    """A merchant that issues TEL, awards it and gives goods for it."""
    tel = await world.merchant("TEL", EARNING, REDEMPTION)
    await world.currency("TEL", tel, issue=12_000, redeem=10_000)
    return tel


@pytest.fixture
async def ada(world: World, tel: Merchant) -> Member:
    """A new member of TEL's."""
    return await world.member("ada", [tel])


@pytest.fixture(params=SIDES)
async def side(request: pytest.FixtureRequest, server: Server, tel: Merchant) -> AsyncIterator[Side]:
    """TEL's program, on either client."""
    async with a_side(request.param, server.address, tel.secret) as side:
        yield side


@pytest.fixture(params=SIDES)
async def far_side(request: pytest.FixtureRequest, server: Server, tel: Merchant) -> AsyncIterator[tuple[Side, Cable]]:
    """TEL's program at the other end of a cable."""
    async with a_cable(f"postgresql://{server.address}") as cable:
        address = f"127.0.0.1:{make_url(cable.url).port}"
        async with a_side(request.param, address, tel.secret) as side:
            yield side, cable


def unkeyed(member: Member, amount: str) -> pb.EarnPointsRequest:
    """An award without a request_id."""
    return pb.EarnPointsRequest(member=member.name, points=points(amount))


async def until_under_way(server: Server) -> None:
    """Wait until a call has come in."""
    while not server.graceful.guard.calls_in_flight:
        await asyncio.sleep(0.01)


async def test_the_same_request_is_the_same_movement(side: Side, tel: Merchant, ada: Member) -> None:
    """The client makes the key, in the request: whoever sends it again cannot award twice."""
    request = unkeyed(ada, "5 TEL")

    first, again = await side.move("EarnPoints", request), await side.move("EarnPoints", request)

    assert request.request_id
    assert (first.replayed, again.replayed) == (False, True)
    assert first.transfer == again.transfer == await side.outcome(request.request_id)
    assert await tel.balances(ada) == {"TEL": 5}


async def test_a_refusal_is_raised_as_its_reason(side: Side, ada: Member) -> None:
    """With its data; what became of it is told again under its key."""
    request = pb.RedeemPointsRequest(member=ada.name, points=points("5 TEL"))

    with pytest.raises(InsufficientPoints) as refused:
        await side.move("RedeemPoints", request)
    with pytest.raises(InsufficientPoints) as told:
        await side.outcome(request.request_id)

    assert (refused.value.available, refused.value.requested) == (0, 5)
    assert refused.value.request_id == told.value.request_id == request.request_id
    assert told.value.metadata == refused.value.metadata


async def test_of_what_was_never_asked_there_is_no_outcome(side: Side) -> None:
    """Nothing happened."""
    assert await side.outcome("never-asked") is None


async def test_what_is_wrong_with_a_request_is_told_by_field(side: Side, ada: Member) -> None:
    """All of it at once."""
    with pytest.raises(InvalidField) as refused:
        await side.move("EarnPoints", unkeyed(ada, "-5 TEL"))

    assert refused.value.field == "points.units"
    assert refused.value.fields.keys() == {"points.units"}


async def test_a_lost_answer_is_asked_for_again(
    far_side: tuple[Side, Cable], server: Server, tel: Merchant, ada: Member
) -> None:
    """The connection breaks while the award is under way; the program sees one answer, the member one award."""
    side, cable = far_side
    async with standing_still(server):
        asked = asyncio.create_task(side.move("EarnPoints", unkeyed(ada, "5 TEL")))
        await until_under_way(server)
        await cable.cut()
    await cable.mend()

    answer = await asked

    assert answer.transfer.obligations == []
    assert await tel.balances(ada) == {"TEL": 5}


async def test_a_change_without_a_key_is_left_to_its_caller(far_side: tuple[Side, Cable]) -> None:
    """Nobody knows whether the merchant was created, and asking again could mislead."""
    side, cable = far_side
    await cable.cut()
    request = directory.CreateMerchantRequest(merchant=types.Merchant(name="merchants/NEW"))

    with pytest.raises(Undecided) as refused:
        await side.ask("directory", "CreateMerchant", request)
    await cable.mend()

    assert refused.value.reason == "UNAVAILABLE"
    assert refused.value.request_id == ""


async def test_what_is_late_is_undecided_and_its_outcome_told_later(
    side: Side, server: Server, tel: Merchant, ada: Member
) -> None:
    """The caller's time is over; the award was taken, and its key finds it."""
    request = unkeyed(ada, "5 TEL")
    async with standing_still(server):
        with pytest.raises(Undecided) as refused:
            await side.move("EarnPoints", request, timeout=0.5)

    answer = await side.move("EarnPoints", request)

    assert refused.value.request_id == request.request_id
    assert answer.transfer == await side.outcome(request.request_id)
    assert await tel.balances(ada) == {"TEL": 5}


@pytest.mark.parametrize("kind", SIDES)
async def test_a_full_server_is_asked_again_until_there_is_room(
    kind: str, server: Server, tel: Merchant, ada: Member
) -> None:
    """One call at once is its limit; the others come when it says, and all are answered."""
    async with (
        a_server(server.url, operator_secret=server.operator_secret, admission_max=1) as small,
        a_side(kind, small.address, tel.secret) as side,
    ):
        async with standing_still(server):
            asked = [asyncio.create_task(side.move("EarnPoints", unkeyed(ada, "5 TEL"))) for _ in range(3)]
            await until_under_way(small)
        await asyncio.gather(*asked)

    assert await tel.balances(ada) == {"TEL": 15}


async def test_a_list_is_read_page_by_page(side: Side, tel: Merchant, ada: Member) -> None:
    """To its end, without touching the request."""
    for _ in range(5):
        await tel.earn(ada, "1 TEL")
    request = pb.ListTransfersRequest(member=ada.name, page_size=2)

    pages = await side.pages(side.client.transfers.ListTransfers, request)

    assert [len(page.transfers) for page in pages] == [2, 2, 1]
    assert request == pb.ListTransfersRequest(member=ada.name, page_size=2)


async def test_a_batch_gets_keys_and_tells_each_answer(side: Side, tel: Merchant, ada: Member) -> None:
    """Sent again it moves nothing."""
    items = [pb.TransferItem(earn=unkeyed(ada, "2 TEL")), pb.TransferItem(earn=unkeyed(ada, "3 TEL"))]
    request = pb.BatchTransferRequest(items=items)

    await side.move("BatchTransfer", request)
    again = await side.move("BatchTransfer", request)

    assert [result.replayed for result in again.results] == [True, True]
    assert await tel.balances(ada) == {"TEL": 5}


async def test_a_stream_gets_keys_and_tells_each_answer(side: Side, tel: Merchant, ada: Member) -> None:
    """In the order of the requests."""
    requests = [pb.StreamTransfersRequest(item=pb.TransferItem(earn=unkeyed(ada, f"{n} TEL"))) for n in (1, 2, 3)]

    answers = await side.stream(requests)

    assert [answer.result.transfer.legs[1].points.units for answer in answers] == [1, 2, 3]
    assert len({request.item.earn.request_id for request in requests} - {""}) == 3
    assert await tel.balances(ada) == {"TEL": 6}


@pytest.mark.parametrize("kind", SIDES)
async def test_a_stream_that_is_not_let_in_is_refused_by_reason(kind: str, server: Server, ada: Member) -> None:
    """As any call is."""
    async with a_side(kind, server.address, "no-such-key") as side:
        with pytest.raises(CredentialUnknown):
            await side.stream([pb.StreamTransfersRequest(item=pb.TransferItem(earn=an_earn(ada, "1 TEL")))])


async def test_other_services_hang_on_the_same_connection(side: Side) -> None:
    """With the same key, and the same refusals."""
    stub = SettlementServiceStub(side.client.channel)

    pages = await side.pages(stub.ListWindows, ListWindowsRequest())

    assert [window.name for page in pages for window in page.windows] == ["windows/1"]


@pytest.mark.parametrize(
    "address", ["exchange.example:50051", "10.0.0.7:50051", "dns:///exchange.example:443", "[2001:db8::1]:443"]
)
@pytest.mark.parametrize("client", [AsyncClient, Client])
async def test_no_key_travels_in_the_open(client: type[AsyncClient | Client], address: str) -> None:
    """Without TLS the client speaks to this machine only."""
    with pytest.raises(ValueError, match="credentials"):
        client(address, "secret")
