"""LimitService: net debit caps, points on a day, and how often merchants may call."""

from __future__ import annotations

from typing import Any, TypeAlias

from grpc.aio import ServicerContext

from exchange.api.cap_change_service import CapChangeMethods
from exchange.api.limit_wire import (
    NO_QUOTA,
    REASON_MAX,
    call_quota,
    call_quota_message,
    exposure_message,
    merchant_and_currency,
    points_limits,
    points_limits_message,
    return_band,
    return_band_message,
)
from exchange.api.pages import check_page, page_of
from exchange.callers import Caller
from exchange.limits.service import issued_today, positions
from exchange.refusals import ResourceNotFound
from exchange.serving.checks import Violations
from exchange.serving.identity import caller_of
from exchange.v1 import limit_service_pb2 as pb
from exchange.v1.limit_service_pb2_grpc import LimitServiceServicer

Context: TypeAlias = ServicerContext[Any, Any]


class LimitService(CapChangeMethods, LimitServiceServicer):
    """Kept by the operator, read by whom it concerns."""

    async def SetNetDebitCap(self, request: pb.SetNetDebitCapRequest, context: Context) -> pb.SetNetDebitCapResponse:
        check = Violations()
        merchant_id, currency_code = merchant_and_currency(check, request)
        cap_micros = check.within("cap_micros", request.cap_micros, 0)
        reason = check.text("reason", request.reason, 1, REASON_MAX)
        check.raise_if_any()
        caller = await self._caller(context)
        position = await self._api.limits.set_cap(caller, merchant_id, currency_code, cap_micros, reason)
        return pb.SetNetDebitCapResponse(exposure=exposure_message(position))

    async def RemoveNetDebitCap(
        self, request: pb.RemoveNetDebitCapRequest, context: Context
    ) -> pb.RemoveNetDebitCapResponse:
        check = Violations()
        merchant_id, currency_code = merchant_and_currency(check, request)
        check.text("reason", request.reason, 1, REASON_MAX)
        check.raise_if_any()
        await self._caller(context)
        await self._api.limits.refuse_removal(merchant_id, currency_code)

    async def GetExposure(self, request: pb.GetExposureRequest, context: Context) -> pb.GetExposureResponse:
        check = Violations()
        merchant_id, currency_code = merchant_and_currency(check, request)
        check.raise_if_any()
        caller = caller_of(context)
        merchant = (await self._api.directory(caller)).merchant(merchant_id, "merchant")
        found = []
        if caller.sees_all or caller.merchant_no == merchant.number:
            async with self._api.database.look() as connection:
                found = [*await positions(connection, merchant.number, currency_code)]
        if not found:
            # Whether others have a cap is none of a merchant's business.
            raise ResourceNotFound(resource=f"{request.merchant}/exposures/{currency_code}", field="currency_code")
        return pb.GetExposureResponse(exposure=exposure_message(found[0]))

    async def ListExposures(self, request: pb.ListExposuresRequest, context: Context) -> pb.ListExposuresResponse:
        caller = caller_of(context)
        bound = caller.merchant_id or ""
        check_page(request, self._api.tokens, "exposures", bound)
        await self._api.directory(caller)
        async with self._api.database.look() as connection:
            found = await positions(connection, caller.merchant_no)
        named = sorted(map(exposure_message, found), key=_name)
        page, token = page_of(named, _name, request, self._api.tokens, "exposures", bound)
        return pb.ListExposuresResponse(exposures=page, next_page_token=token)

    async def SetPointsLimits(self, request: pb.SetPointsLimitsRequest, context: Context) -> pb.SetPointsLimitsResponse:
        check = Violations()
        code, figures = points_limits(check, request.limits)
        reason = check.text("reason", request.reason, 1, REASON_MAX)
        check.raise_if_any()
        caller = await self._caller(context)
        await self._api.limits.set_points_limits(caller, code, figures, reason)
        return pb.SetPointsLimitsResponse(limits=await self._points_limits(code, context))

    async def GetPointsLimits(self, request: pb.GetPointsLimitsRequest, context: Context) -> pb.GetPointsLimitsResponse:
        check = Violations()
        code = check.resource_name("currency", request.currency, "currencies")
        check.raise_if_any()
        return pb.GetPointsLimitsResponse(limits=await self._points_limits(code, context))

    async def SetCallQuota(self, request: pb.SetCallQuotaRequest, context: Context) -> pb.SetCallQuotaResponse:
        check = Violations()
        merchant_id, quota = call_quota(check, request.quota)
        reason = check.text("reason", request.reason, 1, REASON_MAX)
        check.raise_if_any()
        await self._api.limits.set_call_quota(await self._caller(context), merchant_id, quota, reason)
        return pb.SetCallQuotaResponse(quota=call_quota_message(request.quota.merchant, quota))

    async def GetCallQuota(self, request: pb.GetCallQuotaRequest, context: Context) -> pb.GetCallQuotaResponse:
        check = Violations()
        merchant_id = check.resource_name("merchant", request.merchant, "merchants")
        check.raise_if_any()
        caller = caller_of(context)
        coalition = await self._api.coalition(caller)
        merchant = coalition.directory.merchant(merchant_id, "merchant")
        if not caller.sees_all and caller.merchant_no != merchant.number:
            raise ResourceNotFound(resource=f"{merchant.name}/quota", field="merchant")
        quota = coalition.limits.calls.get(merchant.number, NO_QUOTA)
        return pb.GetCallQuotaResponse(quota=call_quota_message(merchant.name, quota))

    async def SetReturnBand(self, request: pb.SetReturnBandRequest, context: Context) -> pb.SetReturnBandResponse:
        check = Violations()
        merchant_id, sector, max_bps, action = return_band(check, request.band)
        reason = check.text("reason", request.reason, 1, REASON_MAX)
        check.raise_if_any()
        caller = await self._caller(context)
        await self._api.limits.set_return_band(caller, merchant_id, sector, max_bps, action, reason)
        return pb.SetReturnBandResponse(band=return_band_message(request.band.merchant, sector, max_bps, action))

    async def GetReturnBand(self, request: pb.GetReturnBandRequest, context: Context) -> pb.GetReturnBandResponse:
        check = Violations()
        merchant_id = check.resource_name("merchant", request.merchant, "merchants")
        check.raise_if_any()
        caller = caller_of(context)
        directory = await self._api.directory(caller)
        merchant = directory.merchant(merchant_id, "merchant")
        bands = directory.return_bands.get(merchant.number, ())
        if not bands or not (caller.sees_all or caller.merchant_no == merchant.number):
            raise ResourceNotFound(resource=f"{merchant.name}/returnBand", field="merchant")
        band = return_band_message(merchant.name, bands[-1].sector, bands[-1].max_bps, bands[-1].action)
        return pb.GetReturnBandResponse(band=band)

    async def _points_limits(self, code: str, context: Context) -> pb.PointsLimits:
        caller = caller_of(context)
        coalition = await self._api.coalition(caller)
        currency = coalition.directory.currency(code, "currency")
        issued = 0
        if caller.sees_all or caller.merchant_no == currency.issuer_no:
            async with self._api.database.look() as connection:
                issued = await issued_today(connection, currency.number, coalition.time_zone.key)
        return points_limits_message(code, coalition.points_limits.get(currency.number), issued)

    async def _caller(self, context: Context) -> Caller:
        """The caller of a change, whose credential still holds."""
        caller = caller_of(context)
        await self._api.directory(caller)
        return caller


def _name(exposure: pb.Exposure) -> str:
    return f"{exposure.merchant}/{exposure.currency_code}"
