"""ExternalLedgerService: currencies whose issuers keep their members' balances themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from math import inf
from time import monotonic
from typing import Any, TypeAlias
from uuid import UUID

from grpc.aio import ServicerContext

from exchange.api.context import Api
from exchange.api.directory_wire import currency_message
from exchange.api.external_wire import conversion_message, instruction_message, may_see, to_answer, to_ledger
from exchange.clock import coalition_now
from exchange.directory.model import Directory
from exchange.events.model import Page, Viewer
from exchange.external import reads
from exchange.ledger.event_kinds import EventKind
from exchange.refusals import ResourceNotFound
from exchange.serving.checks import Violations
from exchange.serving.identity import caller_of
from exchange.serving.paging import filter_fingerprint, page_size
from exchange.v1 import external_ledger_service_pb2 as pb
from exchange.v1.external_ledger_service_pb2_grpc import ExternalLedgerServiceServicer

INSTRUCTIONS_MAX = 100

Context: TypeAlias = ServicerContext[Any, Any]


class ExternalLedgerService(ExternalLedgerServiceServicer):
    """Instructs issuers' systems, hears them, and tells how conversions with them stand."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def SetExternalLedger(
        self, request: pb.SetExternalLedgerRequest, context: Context
    ) -> pb.SetExternalLedgerResponse:
        code, seconds = to_ledger(request)
        caller = caller_of(context)
        await self._api.directory(caller)
        currency = await self._api.external.keep(caller, code, seconds)
        directory = (await self._api.source.current()).directory
        return pb.SetExternalLedgerResponse(currency=currency_message(currency, directory))

    async def WatchInstructions(
        self, request: pb.WatchInstructionsRequest, context: Context
    ) -> AsyncIterator[pb.WatchInstructionsResponse]:
        caller, check, events = caller_of(context), Violations(), self._api.events
        if request.cursor:
            events.cursors.open(request.cursor)
        if request.cursor and request.from_now:
            check.say("from_now", "goes without a cursor")
        check.raise_if_any()
        await self._api.directory(caller)
        viewer = Viewer(caller.merchant_no, frozenset({EventKind.INSTRUCTION_GIVEN}))
        walk = await events.begin(viewer, request.cursor, from_now=request.from_now)
        told_at = -inf
        async for page in events.watch(walk):
            directory = (await self._api.source.current()).directory
            directory.confirm(caller.credential, datetime.now(UTC))
            if page.entries or monotonic() - told_at >= events.heartbeat_seconds / 2:
                for response in await self._told(page, directory):
                    yield response
                told_at = monotonic()

    async def _told(self, page: Page, directory: Directory) -> list[pb.WatchInstructionsResponse]:
        """A page in messages of bounded size; the last cursor goes on after the page."""
        cursors = self._api.events.cursors
        if not page.entries:
            return [pb.WatchInstructionsResponse(cursor=cursors.seal(page.upto))]
        ids = [UUID(entry.resource.removeprefix("instructions/")) for entry in page.entries]
        async with self._api.database.look() as connection:
            found = await reads.instructions_by_id(connection, ids)
        responses = []
        for start in range(0, len(ids), INSTRUCTIONS_MAX):
            part = ids[start : start + INSTRUCTIONS_MAX]
            place = page.entries[start + len(part) - 1].place
            responses.append(
                pb.WatchInstructionsResponse(
                    instructions=[instruction_message(found[one], directory) for one in part],
                    cursor=cursors.seal(place),
                )
            )
        responses[-1].cursor = cursors.seal(page.upto)
        return responses

    async def ListInstructions(
        self, request: pb.ListInstructionsRequest, context: Context
    ) -> pb.ListInstructionsResponse:
        size, caller = page_size(request.page_size), caller_of(context)
        assert caller.merchant_no is not None, "the permission table lets merchants only"
        bound = filter_fingerprint(caller.merchant_id or "", str(request.unanswered_only))
        after = self._after("instructions", bound, request.page_token)
        directory = await self._api.directory(caller)
        async with self._api.database.read() as connection:
            found = await reads.instructions(
                connection,
                issuer_no=caller.merchant_no,
                unanswered_only=request.unanswered_only,
                after=after,
                limit=size + 1,
            )
        page = found[:size]
        token = self._api.tokens.seal("instructions", bound, page[-1].position) if len(found) > size else ""
        return pb.ListInstructionsResponse(
            instructions=[instruction_message(one, directory) for one in page], next_page_token=token
        )

    async def AcknowledgeInstruction(
        self, request: pb.AcknowledgeInstructionRequest, context: Context
    ) -> pb.AcknowledgeInstructionResponse:
        instruction_id, answer = to_answer(request)
        caller = caller_of(context)
        directory = await self._api.directory(caller)
        told, replayed = await self._api.external.acknowledge(caller, instruction_id, answer)
        return pb.AcknowledgeInstructionResponse(instruction=instruction_message(told, directory), replayed=replayed)

    async def GetExternalConversion(
        self, request: pb.GetExternalConversionRequest, context: Context
    ) -> pb.GetExternalConversionResponse:
        caller, check = caller_of(context), Violations()
        conversion_id = UUID(check.uuid_name("name", request.name, "externalConversions"))
        check.raise_if_any()
        directory = await self._api.directory(caller)
        async with self._api.database.read() as connection:
            found = await reads.conversion(connection, conversion_id)
            now = await coalition_now(connection)
        if found is None or not may_see(caller, found, directory):
            raise ResourceNotFound(resource=request.name, field="name")
        return pb.GetExternalConversionResponse(conversion=conversion_message(found, directory, now, caller))

    async def ListExternalConversions(
        self, request: pb.ListExternalConversionsRequest, context: Context
    ) -> pb.ListExternalConversionsResponse:
        size, caller, check = page_size(request.page_size), caller_of(context), Violations()
        code = check.resource_name("currency", request.currency, "currencies") if request.currency else None
        check.raise_if_any()
        bound = filter_fingerprint(caller.merchant_id or "", request.currency, str(request.open_only))
        after = self._after("external conversions", bound, request.page_token)
        directory = await self._api.directory(caller)
        async with self._api.database.read() as connection:
            found = await reads.conversions(
                connection,
                merchant_no=caller.merchant_no,
                issued=[no for no, one in directory.currencies.items() if one.issuer_no == caller.merchant_no],
                external_no=None if code is None else directory.currency(code, "currency").number,
                open_only=request.open_only,
                after=after,
                limit=size + 1,
            )
            now = await coalition_now(connection)
        page = found[:size]
        token = self._api.tokens.seal("external conversions", bound, page[-1].position) if len(found) > size else ""
        return pb.ListExternalConversionsResponse(
            conversions=[conversion_message(one, directory, now, caller) for one in page], next_page_token=token
        )

    def _after(self, name: str, bound: bytes, page_token: str) -> int:
        after = self._api.tokens.open(name, bound, page_token) if page_token else 0
        assert isinstance(after, int)
        return after
