"""RateService: rates proposed, looked at, approved and taken back, and read by everybody."""

from __future__ import annotations

from typing import Any, TypeAlias
from uuid import UUID

from grpc.aio import ServicerContext

from exchange.api.context import Api
from exchange.api.pages import page_of
from exchange.api.quoting import quote_message, to_wanted
from exchange.api.rate_wire import (
    REASON_MAX,
    STATE_NUMBERS,
    bounds_message,
    bounds_of,
    draft_message,
    rate_message,
    report_message,
    wanted_rate,
    wanted_rates,
)
from exchange.callers import Caller
from exchange.clock import coalition_now
from exchange.refusals import NoRate
from exchange.serving.checks import NO_UUID, Violations
from exchange.serving.identity import caller_of
from exchange.serving.paging import filter_fingerprint, page_size
from exchange.v1 import rate_service_pb2 as pb
from exchange.v1.rate_service_pb2_grpc import RateServiceServicer

Context: TypeAlias = ServicerContext[Any, Any]


class RateService(RateServiceServicer):
    """Published, never edited."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def PublishRate(self, request: pb.PublishRateRequest, context: Context) -> pb.PublishRateResponse:
        check = Violations()
        wanted = wanted_rate(check, request.rate, "rate")
        check.raise_if_any()
        caller = caller_of(context)
        await self._api.directory(caller)
        rate, begins = wanted.proposal
        published = await self._api.rates.publish(
            caller, wanted.source, wanted.target, rate, begins=begins, validate_only=request.validate_only
        )
        directory = (await self._api.source.current()).directory
        return pb.PublishRateResponse(rate=rate_message(published, directory))

    async def ProposeRates(self, request: pb.ProposeRatesRequest, context: Context) -> pb.ProposeRatesResponse:
        check = Violations()
        wanted = wanted_rates(check, request.rates)
        note = check.text("note", request.note, 0, REASON_MAX)
        check.raise_if_any()
        caller = caller_of(context)
        directory = await self._api.directory(caller)
        draft = await self._api.drafts.propose(caller, wanted, note)
        return pb.ProposeRatesResponse(draft=draft_message(draft, directory, caller))

    async def ValidateRateDraft(
        self, request: pb.ValidateRateDraftRequest, context: Context
    ) -> pb.ValidateRateDraftResponse:
        draft_id, caller, _ = await self._about_draft(request.name, "", context)
        draft, report = await self._api.drafts.validate(caller, draft_id)
        directory = await self._api.directory(caller)
        message = draft_message(draft, directory, caller)
        return pb.ValidateRateDraftResponse(draft=message, report=report_message(report, draft, directory))

    async def ApproveRateDraft(
        self, request: pb.ApproveRateDraftRequest, context: Context
    ) -> pb.ApproveRateDraftResponse:
        check = Violations()
        digest = check.digest("digest", request.digest)
        draft_id, caller, reason = await self._about_draft(request.name, request.reason, context, check)
        draft, replayed = await self._api.drafts.approve(caller, draft_id, digest, reason)
        directory = (await self._api.source.current()).directory
        return pb.ApproveRateDraftResponse(draft=draft_message(draft, directory, caller), replayed=replayed)

    async def WithdrawRateDraft(
        self, request: pb.WithdrawRateDraftRequest, context: Context
    ) -> pb.WithdrawRateDraftResponse:
        draft_id, caller, reason = await self._about_draft(request.name, request.reason, context)
        draft, replayed = await self._api.drafts.withdraw(caller, draft_id, reason)
        directory = (await self._api.source.current()).directory
        return pb.WithdrawRateDraftResponse(draft=draft_message(draft, directory, caller), replayed=replayed)

    async def GetRateDraft(self, request: pb.GetRateDraftRequest, context: Context) -> pb.GetRateDraftResponse:
        draft_id, caller, _ = await self._about_draft(request.name, "", context)
        draft = await self._api.drafts.find(caller, draft_id)
        directory = await self._api.directory(caller)
        return pb.GetRateDraftResponse(draft=draft_message(draft, directory, caller))

    async def ListRateDrafts(self, request: pb.ListRateDraftsRequest, context: Context) -> pb.ListRateDraftsResponse:
        check, caller = Violations(), caller_of(context)
        state = check.known("state", request.state, STATE_NUMBERS) if request.state else 0
        check.raise_if_any()
        size = page_size(request.page_size)
        bound = filter_fingerprint(caller.merchant_id or "", str(state))
        after = NO_UUID
        if request.page_token:
            after = str(self._api.tokens.open("rateDrafts", bound, request.page_token))
        await self._api.directory(caller)
        found = await self._api.drafts.page(caller, state, UUID(after), size + 1)
        # Read after the drafts: it knows every currency they name.
        directory = await self._api.directory(caller)
        token = self._api.tokens.seal("rateDrafts", bound, str(found[size - 1].draft_id)) if len(found) > size else ""
        messages = [draft_message(draft, directory, caller) for draft in found[:size]]
        return pb.ListRateDraftsResponse(drafts=messages, next_page_token=token)

    async def RevokeRate(self, request: pb.RevokeRateRequest, context: Context) -> pb.RevokeRateResponse:
        check = Violations()
        rate_id = UUID(check.uuid_name("name", request.name, "rates"))
        reason = check.text("reason", request.reason, 1, REASON_MAX)
        check.raise_if_any()
        caller = caller_of(context)
        directory = await self._api.directory(caller)
        rate, replayed = await self._api.rates.revoke(caller, rate_id, reason)
        return pb.RevokeRateResponse(rate=rate_message(rate, directory), replayed=replayed)

    async def GetRateBounds(self, request: pb.GetRateBoundsRequest, context: Context) -> pb.GetRateBoundsResponse:
        del request
        await self._api.directory(caller_of(context))
        return pb.GetRateBoundsResponse(bounds=bounds_message(await self._api.rates.bounds()))

    async def SetRateBounds(self, request: pb.SetRateBoundsRequest, context: Context) -> pb.SetRateBoundsResponse:
        bounds, reason = bounds_of(request)
        caller = caller_of(context)
        await self._api.directory(caller)
        return pb.SetRateBoundsResponse(bounds=bounds_message(await self._api.rates.set_bounds(caller, bounds, reason)))

    async def EndRate(self, request: pb.EndRateRequest, context: Context) -> pb.EndRateResponse:
        check = Violations()
        rate_id = UUID(check.uuid_name("name", request.name, "rates"))
        at = check.instant("end_time", request.end_time) if request.HasField("end_time") else None
        check.raise_if_any()
        caller = caller_of(context)
        directory = await self._api.directory(caller)
        return pb.EndRateResponse(rate=rate_message(await self._api.rates.end(caller, rate_id, at), directory))

    async def ListRates(self, request: pb.ListRatesRequest, context: Context) -> pb.ListRatesResponse:
        check = Violations()
        source = request.source_currency and check.resource_name(
            "source_currency", request.source_currency, "currencies"
        )
        target = request.target_currency and check.resource_name(
            "target_currency", request.target_currency, "currencies"
        )
        check.raise_if_any()
        coalition = await self._api.coalition(caller_of(context))
        messages = [
            rate_message(rate, coalition.directory)
            for rate in coalition.published
            if source in {"", coalition.directory.currencies[rate.source_no].code}
            and target in {"", coalition.directory.currencies[rate.target_no].code}
        ]
        messages.sort(key=_place)
        page, token = page_of(messages, _place, request, self._api.tokens, "rates", source, target)
        return pb.ListRatesResponse(rates=page, next_page_token=token)

    async def GetEffectiveRate(
        self, request: pb.GetEffectiveRateRequest, context: Context
    ) -> pb.GetEffectiveRateResponse:
        check = Violations()
        source_code = check.resource_name("source_currency", request.source_currency, "currencies")
        target_code = check.resource_name("target_currency", request.target_currency, "currencies")
        at = check.instant("at_time", request.at_time) if request.HasField("at_time") else None
        tier = check.tier("tier", request.tier)
        check.raise_if_any()
        coalition = await self._api.coalition(caller_of(context))
        source = coalition.directory.currency(source_code, "source_currency")
        target = coalition.directory.currency(target_code, "target_currency")
        if at is None:
            async with self._api.database.read() as connection:
                at = await coalition_now(connection)
        rate = coalition.rate_at((source.number, target.number), at, tier)
        if rate is None:
            raise NoRate(source=source.name, target=target.name)
        return pb.GetEffectiveRateResponse(rate=rate_message(rate, coalition.directory))

    async def CreateQuote(self, request: pb.CreateQuoteRequest, context: Context) -> pb.CreateQuoteResponse:
        caller = caller_of(context)
        key, wanted = to_wanted(request, caller)
        quote = await self._api.quotes.give(caller, key, wanted)
        directory = (await self._api.source.current()).directory
        return pb.CreateQuoteResponse(quote=quote_message(quote, directory, quote.created_at))

    async def GetQuote(self, request: pb.GetQuoteRequest, context: Context) -> pb.GetQuoteResponse:
        caller, check = caller_of(context), Violations()
        quote_id = UUID(check.uuid_name("name", request.name, "quotes"))
        check.raise_if_any()
        directory = await self._api.directory(caller)
        quote, now = await self._api.quotes.read(caller, quote_id)
        return pb.GetQuoteResponse(quote=quote_message(quote, directory, now))

    async def _about_draft(
        self, name: str, reason: str, context: Context, check: Violations | None = None
    ) -> tuple[UUID, Caller, str]:
        """The draft named, the caller, whose credential still holds, and why; `check` may have found something."""
        check = check or Violations()
        draft_id = UUID(check.uuid_name("name", name, "rateDrafts"))
        reason = check.text("reason", reason, 0, REASON_MAX)
        check.raise_if_any()
        caller = caller_of(context)
        await self._api.directory(caller)
        return draft_id, caller, reason


def _place(rate: pb.Rate) -> str:
    """Order of the list: source, target, effective time, tier; a version called off may begin with one that holds."""
    begins = rate.effective_time
    pair = f"{rate.source_currency} {rate.target_currency}"
    return f"{pair} {begins.seconds:011}.{begins.nanos:09} {rate.tier} {rate.name}"
