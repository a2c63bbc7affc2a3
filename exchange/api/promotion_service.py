"""The promotions of DirectoryService."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from grpc.aio import ServicerContext

from exchange.api.context import Api
from exchange.api.pages import page_of
from exchange.api.promotion_wire import may_see, new_promotion, promotion_message
from exchange.promotions.model import Promotion
from exchange.promotions.service import used
from exchange.refusals import ResourceNotFound
from exchange.serving.checks import Violations
from exchange.serving.identity import caller_of
from exchange.v1 import directory_service_pb2 as pb

Context: TypeAlias = ServicerContext[Any, Any]


class PromotionMethods:
    """A part of DirectoryService, in a file of its own."""

    _api: Api

    async def CreatePromotion(self, request: pb.CreatePromotionRequest, context: Context) -> pb.CreatePromotionResponse:
        new = new_promotion(request.promotion)
        caller = caller_of(context)
        await self._api.directory(caller)
        made = await self._api.promotions.create(caller, new)
        return pb.CreatePromotionResponse(promotion=(await self._messages([made]))[0])

    async def EndPromotion(self, request: pb.EndPromotionRequest, context: Context) -> pb.EndPromotionResponse:
        check = Violations()
        promotion_id = check.resource_name("name", request.name, "promotions")
        at = check.instant("end_time", request.end_time) if request.HasField("end_time") else None
        check.raise_if_any()
        caller = caller_of(context)
        await self._api.directory(caller)
        ended = await self._api.promotions.end(caller, promotion_id, at)
        return pb.EndPromotionResponse(promotion=(await self._messages([ended]))[0])

    async def GetPromotion(self, request: pb.GetPromotionRequest, context: Context) -> pb.GetPromotionResponse:
        check = Violations()
        promotion_id = check.resource_name("name", request.name, "promotions")
        check.raise_if_any()
        visible = await self._visible(context)
        found = [promotion for promotion in visible if promotion.promotion_id == promotion_id]
        if not found:
            raise ResourceNotFound(resource=request.name, field="name")
        return pb.GetPromotionResponse(promotion=(await self._messages(found))[0])

    async def ListPromotions(self, request: pb.ListPromotionsRequest, context: Context) -> pb.ListPromotionsResponse:
        visible = sorted(await self._visible(context), key=lambda promotion: promotion.promotion_id)
        bound = caller_of(context).merchant_id or ""
        page, token = page_of(visible, lambda p: p.promotion_id, request, self._api.tokens, "promotions", bound)
        return pb.ListPromotionsResponse(promotions=await self._messages(page), next_page_token=token)

    async def _visible(self, context: Context) -> list[Promotion]:
        caller = caller_of(context)
        coalition = await self._api.coalition(caller)
        promotions = coalition.promotions.by_number.values()
        return [promotion for promotion in promotions if may_see(caller, promotion, coalition.directory)]

    async def _messages(self, promotions: Sequence[Promotion]) -> list[pb.Promotion]:
        directory = (await self._api.source.current()).directory
        async with self._api.database.read() as connection:
            units = await used(connection, promotions)
        return [promotion_message(one, directory, units.get(one.number, 0)) for one in promotions]
