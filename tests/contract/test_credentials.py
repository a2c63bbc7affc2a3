"""Keys: unknown, revoked and expired ones open nothing, in any server process, at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.message import Message
from grpc.aio import AioRpcError

from exchange.v1 import directory_service_pb2 as pb
from exchange.v1 import member_service_pb2 as member_pb
from exchange.v1 import rate_service_pb2 as rate_pb
from exchange.v1 import sandbox_service_pb2 as sandbox_pb
from exchange.v1 import transfer_service_pb2 as transfer_pb
from settlement.v1 import settlement_service_pb2 as settlement_pb
from tests.contract.cast import Cast
from tests.contract.methods import METHODS
from tests.contract.refusals import refusal, refusal_in, refusal_of
from tests.contract.stillness import nothing_changes
from tests.movements import an_earn, item
from tests.servers import Server, a_server
from tests.worlds import EARNING, Merchant, Party, World, a_channel, instant


@pytest.fixture(scope="module")
async def far(server: Server) -> AsyncIterator[Server]:
    """A second server on the same database, with a memory of its own."""
    async with a_server(server.url, operator_secret=server.operator_secret) as second:
        yield second


@pytest.mark.provokes("CREDENTIAL_UNKNOWN")
@pytest.mark.parametrize(
    "authorization",
    ["Bearer", "Bearer ", "Bearer nonsense", "Bearer cpx_" + "A" * 43, "Basic b3A6b3A=", "Bearer " + "x" * 5_000, ""],
)
async def test_what_is_no_key_opens_nothing(world: World, authorization: str) -> None:
    """Neither a made-up key nor another scheme."""
    metadata = (("authorization", authorization),)

    refused = await refusal(world.stubs.directory.ListMerchants(pb.ListMerchantsRequest(), metadata=metadata))

    assert refused.reason == "CREDENTIAL_UNKNOWN"


async def test_a_key_that_has_expired_opens_nothing(world: World) -> None:
    """By the real clock: a credential's end is no affair of the coalition's day."""
    soon = datetime.now(UTC) + timedelta(seconds=0.5)
    wanted = pb.ApiKey(caller_role=pb.CALLER_ROLE_AUDITOR, expire_time=instant(soon))
    issued = await world.operator.ask(world.stubs.directory.IssueApiKey, pb.IssueApiKeyRequest(api_key=wanted))
    caller = Party(world.stubs, issued.secret)

    while datetime.now(UTC) <= soon:
        await asyncio.sleep(0.05)
    refused = await refusal(caller.ask(world.stubs.directory.ListMerchants, pb.ListMerchantsRequest()))

    assert refused.reason == "CREDENTIAL_UNKNOWN"


async def test_a_revoked_key_is_refused_at_once_by_every_server(world: World, cast: Cast, far: Server) -> None:
    """Also by a server that answered it a moment ago, whatever is asked: each method with a key of its own."""
    merchant = await world.merchant("Revoked", EARNING)
    ada = await world.member("ada", [merchant, cast.tel])
    earned = await merchant.earn(ada, "5 TEL")
    requests: dict[str, Message] = {
        "GetMerchant": pb.GetMerchantRequest(name=merchant.name),
        "ListRates": rate_pb.ListRatesRequest(),
        "EnrollMember": member_pb.EnrollMemberRequest(reference="someone"),
        "LinkMember": member_pb.LinkMemberRequest(member=ada.name, reference=ada.reference),
        "GetMember": member_pb.GetMemberRequest(member=ada.name),
        "ListBalances": member_pb.ListBalancesRequest(member=ada.name),
        "EarnPoints": an_earn(ada, "5 TEL", validate_only=True),
        "BatchTransfer": transfer_pb.BatchTransferRequest(items=[item(an_earn(ada, "5 TEL", validate_only=True))]),
        "GetTransfer": transfer_pb.GetTransferRequest(name=earned.transfer.name),
        "LookupTransfer": transfer_pb.LookupTransferRequest(request_id=earned.transfer.request_id),
        "ListTransfers": transfer_pb.ListTransfersRequest(),
        "ListWindows": settlement_pb.ListWindowsRequest(),
        "GetClock": sandbox_pb.GetClockRequest(),
    }
    async with a_channel(far.address) as channel:
        for name, request in requests.items():
            key = await world.key_of(merchant)
            await METHODS[name].call(channel, key, request)
            await world.operator.ask(world.stubs.directory.RevokeApiKey, pb.RevokeApiKeyRequest(name=key.key))
            for connection in (channel, world.stubs.channel):
                assert await reason_of(METHODS[name].call(connection, key, request)) == "CREDENTIAL_UNKNOWN", name


async def test_a_revoked_key_is_not_even_told_its_first_answers(world: World, cast: Cast, far: Server) -> None:
    """A repeat by somebody who stole the key and knows a request_id must not show what moved."""
    merchant = await world.merchant("Stolen", EARNING)
    ada = await world.member("ada", [merchant, cast.tel])
    request = an_earn(ada, "5 TEL")
    async with a_channel(far.address) as channel:
        await METHODS["EarnPoints"].call(channel, merchant, request)
        await world.operator.ask(world.stubs.directory.RevokeApiKey, pb.RevokeApiKeyRequest(name=merchant.key))

        assert await reason_of(METHODS["EarnPoints"].call(channel, merchant, request)) == "CREDENTIAL_UNKNOWN"


async def reason_of(call: Awaitable[Message]) -> str:
    """Why a call was refused; a batch may be refused item by item."""
    try:
        answer = await call
    except AioRpcError as error:
        return refusal_of(error).reason
    assert isinstance(answer, transfer_pb.BatchTransferResponse), answer
    return refusal_in(answer.results[0].status).reason


async def test_a_suspended_merchant_is_refused_by_every_server_at_once(
    world: World, cast: Cast, far: Server, server: Server
) -> None:
    """From the acknowledgement on, by a server that had just served it."""
    merchant = await world.merchant("Stopped", EARNING)
    ada = await world.member("ada", [merchant, cast.tel])
    async with a_channel(far.address) as channel:
        elsewhere = merchant.at(channel)
        for _ in range(5):
            await elsewhere.earn(ada, "5 TEL")
            await world.suspend(merchant)
            async with nothing_changes(server):
                refused = await refusal(elsewhere.earn(ada, "5 TEL"))
            assert refused.reason == "MERCHANT_SUSPENDED"
            activate = pb.ActivateMerchantRequest(name=merchant.name)
            await world.operator.ask(world.stubs.directory.ActivateMerchant, activate)


async def test_nothing_slips_past_a_suspension_under_load(world: World, cast: Cast, far: Server) -> None:
    """Forty awards under way: whichever is begun after the acknowledgement is refused, whoever serves it."""
    merchant = await world.merchant("Racing", EARNING)
    ada = await world.member("ada", [merchant, cast.tel])
    async with a_channel(far.address) as channel:
        elsewhere = merchant.at(channel)
        under_way = [asyncio.create_task(outcome(elsewhere, an_earn(ada, "1 TEL"))) for _ in range(40)]
        await world.suspend(merchant)
        balance = (await cast.tel.balances(ada)).get("TEL", 0)
        late = [await refusal(elsewhere.earn(ada, "1 TEL")) for _ in range(5)]
        outcomes = await asyncio.gather(*under_way)

    assert {no.reason for no in late} == {"MERCHANT_SUSPENDED"}
    assert set(outcomes) <= {"OK", "MERCHANT_SUSPENDED"}
    assert outcomes.count("OK") == balance == (await cast.tel.balances(ada)).get("TEL", 0)


async def outcome(merchant: Merchant, request: transfer_pb.EarnPointsRequest) -> str:
    """OK, or why not."""
    try:
        await merchant.ask(merchant.stubs.transfers.EarnPoints, request)
    except AioRpcError as error:
        return refusal_of(error).reason
    return "OK"


async def test_a_new_price_holds_on_every_server_at_once(world: World, cast: Cast, far: Server) -> None:
    """What the operator published is what the next award costs, wherever it is asked for."""
    await world.currency("FAR", cast.tel, issue=1)
    ada = await cast.member()
    async with a_channel(far.address) as channel:
        elsewhere = cast.gro.at(channel)
        for issue in (2, 3, 4):
            await world.price("FAR", issue=issue)
            earned = await elsewhere.earn(ada, "10 FAR")
            assert earned.transfer.obligations[0].price_micros == issue
