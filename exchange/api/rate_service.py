"""RateService: rates published by the operator, read by everybody."""

from __future__ import annotations

from typing import Any, TypeAlias
from uuid import UUID

from grpc.aio import ServicerContext

from exchange.api.context import Api
from exchange.api.pages import page_of
from exchange.api.quoting import quote_message, to_wanted
from exchange.clock import coalition_now
from exchange.directory.model import Directory
from exchange.rates.model import Rate
from exchange.refusals import NoRate
from exchange.serving.checks import EPOCH, Violations
from exchange.serving.identity import caller_of
from exchange.serving.instants import timestamp
from exchange.v1 import rate_service_pb2 as pb
from exchange.v1.rate_service_pb2_grpc import RateServiceServicer

Context: TypeAlias = ServicerContext[Any, Any]


class RateService(RateServiceServicer):
    """Published, never edited."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def PublishRate(self, request: pb.PublishRateRequest, context: Context) -> pb.PublishRateResponse:
        check, wanted = Violations(), request.rate
        source = check.resource_name("rate.source_currency", wanted.source_currency, "currencies")
        target = check.resource_name("rate.target_currency", wanted.target_currency, "currencies")
        if source and source == target:
            check.say("rate.target_currency", "is the source currency")
        rate = _rate(check, wanted)
        begins = (
            check.instant("rate.effective_time", wanted.effective_time) if wanted.HasField("effective_time") else None
        )
        check.raise_if_any()
        caller = caller_of(context)
        await self._api.directory(caller)
        published = await self._api.rates.publish(
            caller, source, target, rate, begins=begins, validate_only=request.validate_only
        )
        directory = (await self._api.source.current()).directory
        return pb.PublishRateResponse(rate=_message(published, directory))

    async def EndRate(self, request: pb.EndRateRequest, context: Context) -> pb.EndRateResponse:
        check = Violations()
        rate_id = UUID(check.uuid_name("name", request.name, "rates"))
        at = check.instant("end_time", request.end_time) if request.HasField("end_time") else None
        check.raise_if_any()
        caller = caller_of(context)
        directory = await self._api.directory(caller)
        return pb.EndRateResponse(rate=_message(await self._api.rates.end(caller, rate_id, at), directory))

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
            _message(rate, coalition.directory)
            for versions in coalition.rates.values()
            for rate in versions
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
        check.raise_if_any()
        coalition = await self._api.coalition(caller_of(context))
        source = coalition.directory.currency(source_code, "source_currency")
        target = coalition.directory.currency(target_code, "target_currency")
        if at is None:
            async with self._api.database.read() as connection:
                at = await coalition_now(connection)
        rate = coalition.rate_at((source.number, target.number), at)
        if rate is None:
            raise NoRate(source=source.name, target=target.name)
        return pb.GetEffectiveRateResponse(rate=_message(rate, coalition.directory))

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


def _rate(check: Violations, wanted: pb.Rate) -> Rate:
    """What was asked for; currencies, id and times are filled in by the use case."""
    if bool(wanted.bonus_every_units) != bool(wanted.bonus_units):
        check.say("rate.bonus_units", "and bonus_every_units come together")
    maximum = check.within("rate.maximum_units", wanted.maximum_units, 0)
    if maximum and maximum < wanted.minimum_units:
        check.say("rate.maximum_units", "is below minimum_units")
    return Rate(
        rate_id=None,
        source_no=0,
        target_no=0,
        source_units=check.positive("rate.source_units", wanted.source_units),
        target_units=check.positive("rate.target_units", wanted.target_units),
        block_units=check.within("rate.block_units", wanted.block_units, 0) or 1,
        minimum_units=check.within("rate.minimum_units", wanted.minimum_units, 0),
        maximum_units=maximum,
        bonus_every_units=check.within("rate.bonus_every_units", wanted.bonus_every_units, 0),
        bonus_units=check.within("rate.bonus_units", wanted.bonus_units, 0),
        fee_micros=check.within("rate.fee_micros", wanted.fee_micros, 0),
        fee_per_point_micros=check.within("rate.fee_per_point_micros", wanted.fee_per_point_micros, 0),
        fee_cap_micros=check.within("rate.fee_cap_micros", wanted.fee_cap_micros, 0),
        member_daily_cap_units=check.within("rate.member_daily_cap_units", wanted.member_daily_cap_units, 0),
        effective_at=EPOCH,
        ends_at=check.instant("rate.end_time", wanted.end_time) if wanted.HasField("end_time") else None,
        published_at=EPOCH,
    )


def _message(rate: Rate, directory: Directory) -> pb.Rate:
    return pb.Rate(
        name=rate.name,
        source_currency=directory.currencies[rate.source_no].name,
        target_currency=directory.currencies[rate.target_no].name,
        source_units=rate.source_units,
        target_units=rate.target_units,
        block_units=rate.block_units,
        minimum_units=rate.minimum_units,
        maximum_units=rate.maximum_units,
        bonus_every_units=rate.bonus_every_units,
        bonus_units=rate.bonus_units,
        fee_micros=rate.fee_micros,
        fee_per_point_micros=rate.fee_per_point_micros,
        fee_cap_micros=rate.fee_cap_micros,
        member_daily_cap_units=rate.member_daily_cap_units,
        effective_time=timestamp(rate.effective_at),
        end_time=timestamp(rate.ends_at),
        publish_time=timestamp(rate.published_at),
    )


def _place(rate: pb.Rate) -> str:
    """Order of the list: source, target, effective time."""
    begins = rate.effective_time
    return f"{rate.source_currency} {rate.target_currency} {begins.seconds:011}.{begins.nanos:09}"
