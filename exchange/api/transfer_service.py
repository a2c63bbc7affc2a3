"""TransferService: wire in, poster, wire out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any, TypeAlias, TypeVar, cast
from uuid import UUID

from google.protobuf.message import Message
from google.rpc import code_pb2, status_pb2  # type: ignore[import-untyped]  # ships without type information
from grpc.aio import ServicerContext

from exchange.api import wire
from exchange.api.adjustment_service import AdjustmentMethods
from exchange.api.answers import Answer, ConvertAnswer, batch_response
from exchange.api.external_wire import conversion_message, wait_seconds
from exchange.api.promotion_wire import messages_of
from exchange.api.streaming import streamed
from exchange.api.transfers_out import may_see
from exchange.callers import Caller
from exchange.clock import coalition_now
from exchange.ledger import reads
from exchange.ledger.decision import Outcome
from exchange.ledger.model import Command, Transfer
from exchange.ledger.retired import require_kept
from exchange.rates.model import Coalition
from exchange.refusals import InvalidField, Refusal, ResourceNotFound
from exchange.serving.checks import Violations
from exchange.serving.errors import status_of
from exchange.serving.identity import caller_of
from exchange.serving.paging import filter_fingerprint, page_size
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1.transfer_service_pb2_grpc import TransferServiceServicer

REFERENCES_MAX = 50
ANSWERING_SECONDS = 0.5
"""Left of a call's time when it stops waiting, so that its answer arrives."""

Context: TypeAlias = ServicerContext[Any, Any]
Mode = pb.BatchTransferRequest.Mode


R = TypeVar("R", bound=Message)

_OK = status_pb2.Status(code=code_pb2.OK)
_EARN = Answer(pb.EarnPointsResponse)
_REDEEM = Answer(pb.RedeemPointsResponse)
_DISCOUNT = Answer(pb.DiscountPointsResponse)
_CONVERT = ConvertAnswer(pb.ConvertPointsResponse)
_CAMPAIGN = Answer(pb.UseInCampaignResponse)
_CASH_OUT = Answer(pb.CashOutPointsResponse)
_HOLD = Answer(pb.HoldPointsResponse)
_CAPTURE = Answer(pb.CaptureHoldResponse)
_VOID = Answer(pb.VoidHoldResponse)
_REVERSE = Answer(pb.ReverseTransferResponse)


class TransferService(AdjustmentMethods, TransferServiceServicer):
    """Moves points and tells what happened."""

    def EarnPoints(self, request: pb.EarnPointsRequest, context: Context) -> Awaitable[pb.EarnPointsResponse]:
        return self._moved(wire.to_earn(request, caller_of(context)), _EARN)

    def RedeemPoints(self, request: pb.RedeemPointsRequest, context: Context) -> Awaitable[pb.RedeemPointsResponse]:
        return self._moved(wire.to_redeem(request, caller_of(context)), _REDEEM)

    def DiscountPoints(
        self, request: pb.DiscountPointsRequest, context: Context
    ) -> Awaitable[pb.DiscountPointsResponse]:
        return self._moved(wire.to_discount(request, caller_of(context)), _DISCOUNT)

    async def ConvertPoints(self, request: pb.ConvertPointsRequest, context: Context) -> pb.ConvertPointsResponse:
        caller = caller_of(context)
        wait = wait_seconds(request) if request.HasField("external_wait") else 0.0
        response = await self._moved(wire.to_convert(request, caller), _CONVERT)
        if isinstance(response, pb.ConvertPointsResponse):
            await self._write_external(response, wait, caller, context)
        return response

    async def _write_external(
        self, response: pb.ConvertPointsResponse, wait: float, caller: Caller, context: Context
    ) -> None:
        """How a conversion stands that waits for an issuer's own ledger, after waiting for it a while."""
        left = context.time_remaining()
        if left is not None:
            wait = min(wait, left - ANSWERING_SECONDS)
        conversion = await self._api.external.ended(UUID(response.transfer.name.partition("/")[2]), wait)
        directory = (await self._api.source.current()).directory
        async with self._api.database.look() as connection:
            now = await coalition_now(connection)
        response.external_conversion.CopyFrom(conversion_message(conversion, directory, now, caller))

    def UseInCampaign(self, request: pb.UseInCampaignRequest, context: Context) -> Awaitable[pb.UseInCampaignResponse]:
        return self._moved(wire.to_campaign(request, caller_of(context)), _CAMPAIGN)

    def CashOutPoints(self, request: pb.CashOutPointsRequest, context: Context) -> Awaitable[pb.CashOutPointsResponse]:
        return self._moved(wire.to_cash_out(request, caller_of(context)), _CASH_OUT)

    def HoldPoints(self, request: pb.HoldPointsRequest, context: Context) -> Awaitable[pb.HoldPointsResponse]:
        return self._moved(wire.to_hold(request, caller_of(context)), _HOLD)

    def CaptureHold(self, request: pb.CaptureHoldRequest, context: Context) -> Awaitable[pb.CaptureHoldResponse]:
        return self._moved(wire.to_capture(request, caller_of(context)), _CAPTURE)

    def VoidHold(self, request: pb.VoidHoldRequest, context: Context) -> Awaitable[pb.VoidHoldResponse]:
        return self._moved(wire.to_release(request, caller_of(context)), _VOID)

    def ReverseTransfer(
        self, request: pb.ReverseTransferRequest, context: Context
    ) -> Awaitable[pb.ReverseTransferResponse]:
        return self._moved(wire.to_reverse(request, caller_of(context)), _REVERSE)

    async def StreamTransfers(
        self, request_iterator: AsyncIterator[pb.StreamTransfersRequest], context: Context
    ) -> AsyncIterator[pb.StreamTransfersResponse]:
        async for response in streamed(self._api, request_iterator, caller_of(context)):
            yield cast("pb.StreamTransfersResponse", response)

    def _moved(self, command: Command, answer: Answer[R]) -> Awaitable[R]:
        """Posts a command; the answer is the bytes of a response, which the guard sends as they are."""
        return cast("Awaitable[R]", self._api.poster.tell((command,), answer.write))

    async def BatchTransfer(self, request: pb.BatchTransferRequest, context: Context) -> pb.BatchTransferResponse:
        caller = caller_of(context)
        atomic = _mode(request)
        self._api.gate.charge(caller, len(request.items) - 1)
        before: dict[int, Outcome] = {}
        commands, places = [], []
        for place, item in enumerate(request.items):
            try:
                commands.append(wire.to_item(item, caller, f"items[{place}]"))
                places.append(place)
            except InvalidField as refusal:
                if atomic:
                    raise
                before[place] = refusal

        def answer(outcomes: Sequence[Outcome], coalition: Coalition) -> bytes:
            return batch_response(places, outcomes, before, coalition)

        if not commands:
            return cast("pb.BatchTransferResponse", answer((), await self._api.source.current()))
        return cast("pb.BatchTransferResponse", await self._api.poster.tell(commands, answer, atomic=atomic))

    async def GetTransfer(self, request: pb.GetTransferRequest, context: Context) -> pb.GetTransferResponse:
        caller, check = caller_of(context), Violations()
        transfer_id = UUID(check.uuid_name("name", request.name, "transfers"))
        check.raise_if_any()
        coalition = await self._api.coalition(caller)
        async with self._api.database.read() as connection:
            transfer = await reads.transfer(connection, transfer_id)
            if transfer is None:
                await require_kept(connection, transfer_id)
            if transfer is None or not may_see(caller, transfer, coalition.directory):
                raise ResourceNotFound(resource=request.name, field="name")
            (message,) = await messages_of(connection, [transfer], coalition, caller)
        return pb.GetTransferResponse(transfer=message)

    async def LookupTransfer(self, request: pb.LookupTransferRequest, context: Context) -> pb.LookupTransferResponse:
        caller, check = caller_of(context), Violations()
        assert caller.merchant_no is not None
        by = request.WhichOneof("key") or "request_id"
        value = check.text(by, getattr(request, by), 1, wire.REQUEST_ID_CHARACTERS_MAX)
        check.raise_if_any()
        coalition = await self._api.coalition(caller)
        async with self._api.database.read() as connection:
            if by == "reference":
                found = await reads.transfers_by_reference(connection, caller.merchant_no, value, REFERENCES_MAX)
                answer: Transfer | Refusal | None = None
            else:
                answer = await reads.answer_to(connection, caller.merchant_no, value)
                found = [answer] if isinstance(answer, Transfer) else []
            messages = await messages_of(connection, found, coalition, caller)
        if answer is None and not found:
            raise ResourceNotFound(resource=f"requests/{value}", field=by)
        status = status_of(answer) if isinstance(answer, Refusal) else _OK
        return pb.LookupTransferResponse(status=status, transfers=messages)

    async def ListTransfers(self, request: pb.ListTransfersRequest, context: Context) -> pb.ListTransfersResponse:
        caller, check = caller_of(context), Violations()
        window_no = int(check.resource_name("window", request.window, "windows") or 0) if request.window else None
        member_id = UUID(check.uuid_name("member", request.member, "members")) if request.member else None
        reference = _own_reference(request, caller, check)
        sequence = check.within("min_ledger_sequence", request.min_ledger_sequence, 0)
        if sequence and caller.merchant_no is None and member_id is None:
            check.say("min_ledger_sequence", "needs a member")
        check.raise_if_any()
        size = page_size(request.page_size)
        coalition = await self._api.coalition(caller)
        named = (request.reference,) if request.reference else ()
        bound = filter_fingerprint(caller.merchant_id or "", request.window, request.member, *named)
        after = self._api.tokens.open("transfers", bound, request.page_token) if request.page_token else 0
        assert isinstance(after, int)
        async with self._api.database.read() as connection:
            await reads.require_transfer(connection, sequence, merchant_no=caller.merchant_no, member_id=member_id)
            found = await reads.transfers(
                connection,
                merchant_no=caller.merchant_no,
                member_id=member_id,
                window_no=window_no,
                reference=reference,
                after=after,
                limit=size + 1,
            )
            page = await messages_of(connection, found[:size], coalition, caller)
        more = len(found) > size
        token = self._api.tokens.seal("transfers", bound, found[size - 1].ledger_sequence) if more else ""
        return pb.ListTransfersResponse(transfers=page, next_page_token=token)


def _mode(request: pb.BatchTransferRequest) -> bool:
    check = Violations()
    if not 1 <= len(request.items) <= wire.ITEMS_MAX:
        check.say("items", f"holds {len(request.items)} items, not 1 to {wire.ITEMS_MAX}")
    if request.mode not in {Mode.MODE_UNSPECIFIED, Mode.MODE_INDEPENDENT, Mode.MODE_ATOMIC}:
        check.say("mode", f"is {request.mode}, no value of the enum")
    check.raise_if_any()
    return request.mode == Mode.MODE_ATOMIC


def _own_reference(request: pb.ListTransfersRequest, caller: Caller, check: Violations) -> str | None:
    if not request.reference:
        return None
    if caller.merchant_no is None:
        check.say("reference", "is a merchant's own: ask as that merchant")
    return check.text("reference", request.reference, 1, wire.REFERENCE_CHARACTERS_MAX)
