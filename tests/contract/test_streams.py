"""StreamTransfers: the items of a batch one after the other, answered in their order, each as if it had come alone."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import grpc
import pytest
from grpc import aio

from exchange.v1 import directory_service_pb2 as directory_pb
from exchange.v1 import transfer_service_pb2 as pb
from tests.contract.cast import Cast
from tests.contract.flaws import flaws_of
from tests.contract.good_requests import GOOD
from tests.contract.methods import METHODS
from tests.contract.refusals import refusal, refusal_in
from tests.contract.stillness import nothing_changes
from tests.movements import Movement, a_conversion, a_discount, an_earn, item
from tests.servers import Server, a_server
from tests.worlds import EARNING, Merchant, World, a_channel

OK = 0


async def streamed(merchant: Merchant, movements: Iterable[Movement]) -> list[pb.TransferResult]:
    """Send everything, and read every answer."""
    requests = [pb.StreamTransfersRequest(item=item(movement)) for movement in movements]
    call = merchant.stubs.transfers.StreamTransfers(iter(requests), metadata=merchant.metadata, timeout=30.0)
    return [answer.result async for answer in call]


async def test_items_are_answered_in_the_order_they_were_sent(cast: Cast) -> None:
    """A thousand and more, some of them refused, each account's in the order given."""
    ada = await cast.member()
    movements = [an_earn(ada, "1 TEL") if n % 10 else a_discount(ada, "1000000 TEL") for n in range(1_500)]

    results = await streamed(cast.gro, movements)

    assert [result.status.code == OK for result in results] == [bool(n % 10) for n in range(1_500)]
    asked = [movement.request_id for n, movement in enumerate(movements) if n % 10]
    assert [result.transfer.request_id for result in results if result.status.code == OK] == asked
    assert await cast.gro.balances(ada) == {"TEL": 1_350}


async def test_an_item_of_a_stream_is_answered_as_its_unary_request_would_be(cast: Cast) -> None:
    """Replays, refusals with the very status, and what the wire does not take."""
    ada = await cast.member("3 000 BNK")
    converted = await cast.bnk.convert(ada, "3 000 BNK", "AIR", "stream-1")
    too_much = a_discount(ada, "6 TEL")
    alone = await refusal(cast.bnk.ask(cast.bnk.stubs.transfers.DiscountPoints, too_much))

    results = await streamed(
        cast.bnk, [a_conversion(ada, "3 000 BNK", "AIR", "stream-1"), too_much, an_earn(ada, "0 TEL")]
    )

    assert (results[0].transfer, results[0].replayed) == (converted.transfer, True)
    assert refusal_in(results[1].status) == alone
    assert refusal_in(results[2].status).fields == ("item.earn.points.units",)


async def test_a_stream_answers_while_it_is_still_being_sent(cast: Cast) -> None:
    """A partner that waits for each answer before it sends the next is not left waiting."""
    ada = await cast.member()
    call = cast.gro.stubs.transfers.StreamTransfers(metadata=cast.gro.metadata, timeout=30.0)

    for units in range(1, 4):
        await call.write(pb.StreamTransfersRequest(item=item(an_earn(ada, f"{units} TEL"))))
        answer = await call.read()
        assert isinstance(answer, pb.StreamTransfersResponse)
        assert answer.result.transfer.legs[1].points.units == units
    await call.done_writing()

    assert await call.read() == aio.EOF
    assert await call.code() == grpc.StatusCode.OK


async def test_what_a_cut_stream_had_sent_the_keys_tell(cast: Cast) -> None:
    """Cancelling takes nothing back: the same items again are answered, and have happened once."""
    ada = await cast.member()
    movements = [an_earn(ada, "1 TEL") for _ in range(200)]

    async def endless() -> AsyncIterator[pb.StreamTransfersRequest]:
        for movement in movements:
            yield pb.StreamTransfersRequest(item=item(movement))
        await asyncio.Event().wait()

    call = cast.gro.stubs.transfers.StreamTransfers(endless(), metadata=cast.gro.metadata, timeout=30.0)
    await call.read()
    call.cancel()
    results = await streamed(cast.gro, movements)

    assert [result.status.code for result in results] == [OK] * 200
    assert await cast.gro.balances(ada) == {"TEL": 200}


async def test_every_flaw_of_an_item_is_named_in_its_answer(cast: Cast, server: Server) -> None:
    """Unknown fields end the stream, for what is not understood is not carried out; all else is told item by item."""
    misjudged = []

    async with nothing_changes(server):
        for flaw in flaws_of(GOOD["StreamTransfers"]):
            call = METHODS["StreamTransfers"].call(cast.world.stubs.channel, cast.gro, flaw.request)
            if flaw.what == "unknown":
                fields = (await refusal(call)).fields
            else:
                answer = await call
                assert isinstance(answer, pb.StreamTransfersResponse)
                fields = refusal_in(answer.result.status).fields
            if not flaw.is_named_by(fields):
                misjudged.append((flaw.path, flaw.what, fields))

    assert misjudged == []


@pytest.mark.parametrize("change", ["revoked", "suspended"])
async def test_a_change_reaches_a_stream_that_is_open(world: World, cast: Cast, server: Server, change: str) -> None:
    """From its acknowledgement on every further item is refused, by whichever server holds the stream."""
    merchant = await world.merchant(f"Str-{change}", EARNING)
    ada = await world.member("ada", [merchant, cast.tel])
    async with a_server(server.url, operator_secret=server.operator_secret) as far, a_channel(far.address) as channel:
        call = merchant.at(channel).stubs.transfers.StreamTransfers(metadata=merchant.metadata, timeout=30.0)
        await call.write(pb.StreamTransfersRequest(item=item(an_earn(ada, "1 TEL"))))
        first = await call.read()

        if change == "revoked":
            revoke = directory_pb.RevokeApiKeyRequest(name=merchant.key)
            await world.operator.ask(world.stubs.directory.RevokeApiKey, revoke)
        else:
            await world.suspend(merchant)
        await call.write(pb.StreamTransfersRequest(item=item(an_earn(ada, "1 TEL"))))
        second = await call.read()
        call.cancel()

    assert isinstance(first, pb.StreamTransfersResponse)
    assert isinstance(second, pb.StreamTransfersResponse)
    reasons = {"revoked": "CREDENTIAL_UNKNOWN", "suspended": "MERCHANT_SUSPENDED"}
    assert (first.result.status.code, refusal_in(second.result.status).reason) == (OK, reasons[change])
    assert await cast.tel.balances(ada) == {"TEL": 1}
