"""What there is not is not found, by the field that named it."""

from typing import Any

import pytest

from exchange.v1 import directory_service_pb2 as directory_pb
from exchange.v1 import member_service_pb2 as member_pb
from exchange.v1 import rate_service_pb2 as rate_pb
from exchange.v1 import types_pb2 as types
from tests.contract.refusals import refusal
from tests.contract.stillness import nothing_changes
from tests.publications import a_promotion, a_rate
from tests.servers import Server
from tests.worlds import GENERAL, World

NOWHERE = "00000000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("service", "method", "request_", "field"),
    [
        ("directory", "GetMerchant", directory_pb.GetMerchantRequest(name="merchants/NIX"), "name"),
        ("directory", "SuspendMerchant", directory_pb.SuspendMerchantRequest(name="merchants/NIX"), "name"),
        ("directory", "ActivateMerchant", directory_pb.ActivateMerchantRequest(name="merchants/NIX"), "name"),
        (
            "directory",
            "SetMerchantRoles",
            directory_pb.SetMerchantRolesRequest(name="merchants/NIX", roles=[GENERAL]),
            "name",
        ),
        ("directory", "GetCurrency", directory_pb.GetCurrencyRequest(name="currencies/NIX"), "name"),
        ("directory", "SuspendCurrency", directory_pb.SuspendCurrencyRequest(name="currencies/NIX"), "name"),
        ("directory", "ActivateCurrency", directory_pb.ActivateCurrencyRequest(name="currencies/NIX"), "name"),
        (
            "directory",
            "PublishPrice",
            directory_pb.PublishPriceRequest(currency="currencies/NIX", price=types.Price()),
            "currency",
        ),
        ("directory", "ListPrices", directory_pb.ListPricesRequest(currency="currencies/NIX"), "currency"),
        (
            "directory",
            "IssueApiKey",
            directory_pb.IssueApiKeyRequest(
                api_key=directory_pb.ApiKey(caller_role=directory_pb.CALLER_ROLE_MERCHANT, merchant="merchants/NIX")
            ),
            "api_key.merchant",
        ),
        ("directory", "GetPromotion", directory_pb.GetPromotionRequest(name="promotions/NIX"), "name"),
        ("directory", "EndPromotion", directory_pb.EndPromotionRequest(name="promotions/NIX"), "name"),
        (
            "directory",
            "CreatePromotion",
            directory_pb.CreatePromotionRequest(promotion=a_promotion("U1", "NIX", bonus_bps=1)),
            "promotion.currency",
        ),
        (
            "directory",
            "CreatePromotion",
            directory_pb.CreatePromotionRequest(promotion=a_promotion("U1", "NIX>TEL", bonus_bps=1)),
            "promotion.source_currency",
        ),
        (
            "directory",
            "CreatePromotion",
            directory_pb.CreatePromotionRequest(
                promotion=directory_pb.Promotion(
                    name="promotions/U1",
                    kind=directory_pb.Promotion.KIND_EARN_BONUS,
                    merchant="merchants/NIX",
                    currency="currencies/TEL",
                    bonus_units=1,
                )
            ),
            "promotion.merchant",
        ),
        (
            "directory",
            "CreatePromotion",
            directory_pb.CreatePromotionRequest(
                promotion=directory_pb.Promotion(
                    name="promotions/U1",
                    kind=directory_pb.Promotion.KIND_EARN_BONUS,
                    currency="currencies/TEL",
                    bonus_units=1,
                    sponsors=[directory_pb.PromotionSponsor(merchant="merchants/NIX", share_bps=1)],
                )
            ),
            "promotion.sponsors[0].merchant",
        ),
        ("directory", "RevokeApiKey", directory_pb.RevokeApiKeyRequest(name=f"apiKeys/{NOWHERE}"), "name"),
        ("members", "GetMember", member_pb.GetMemberRequest(member=f"members/{NOWHERE}"), "member"),
        ("members", "GetMember", member_pb.GetMemberRequest(member_reference="nobody"), "member_reference"),
        ("members", "ListBalances", member_pb.ListBalancesRequest(member=f"members/{NOWHERE}"), "member"),
        (
            "members",
            "ListLots",
            member_pb.ListLotsRequest(member=f"members/{NOWHERE}", currency="currencies/TEL"),
            "member",
        ),
        (
            "members",
            "ListStatementEntries",
            member_pb.ListStatementEntriesRequest(member=f"members/{NOWHERE}", currency="currencies/TEL"),
            "member",
        ),
        (
            "members",
            "ListStatementEntries",
            member_pb.ListStatementEntriesRequest(member=f"members/{NOWHERE}", currency="currencies/NIX"),
            "currency",
        ),
        ("rates", "EndRate", rate_pb.EndRateRequest(name=f"rates/{NOWHERE}"), "name"),
        (
            "rates",
            "PublishRate",
            rate_pb.PublishRateRequest(rate=a_rate("NIX", "TEL", "1:1")),
            "rate.source_currency",
        ),
        (
            "rates",
            "PublishRate",
            rate_pb.PublishRateRequest(rate=a_rate("TEL", "NIX", "1:1")),
            "rate.target_currency",
        ),
        (
            "rates",
            "GetEffectiveRate",
            rate_pb.GetEffectiveRateRequest(source_currency="currencies/TEL", target_currency="currencies/NIX"),
            "target_currency",
        ),
        ("rates", "GetQuote", rate_pb.GetQuoteRequest(name=f"quotes/{NOWHERE}"), "name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.usefixtures("cast")
async def test_what_there_is_not_is_not_found_by_the_field_that_named_it(
    world: World, server: Server, service: str, method: str, request_: Any, field: str
) -> None:
    """Every method of the operator that names something."""
    stub = getattr(getattr(world.stubs, service), method)

    async with nothing_changes(server):
        refused = await refusal(world.operator.ask(stub, request_))

    assert (refused.reason, refused.metadata["field"]) == ("RESOURCE_NOT_FOUND", field)
