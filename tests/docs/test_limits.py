"""The page of limits: what it sends is answered as it shows."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Iterator
from typing import Any

import pytest
from google.protobuf import json_format
from grpc import aio

from exchange.client.caller import refusal_of
from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import limit_service_pb2 as limits
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.database import Databases
from tests.docs.pages import ROOT, assert_shown, blocks
from tests.servers import a_server
from tests.worlds import EARNING, EXCHANGE, a_world

PAGE = ROOT / "docs" / "limits.md"


async def test_limits_do_as_the_page_shows(databases: Databases) -> None:
    """Set, used, read, and met, each after the other."""
    examples = iter([json.loads(block) for block in blocks(PAGE, "json")])
    name = await databases.clone()
    async with a_server(databases.url_of(name)) as server, a_world(server.address, server.operator_secret) as world:
        tel = await world.merchant("TEL", EXCHANGE)
        gro = await world.merchant("GRO", EARNING)
        await world.currency("TEL", tel, issue=12_000, redeem=10_000)
        await world.member("card", [gro])
        stubs, operator = world.stubs, await world.party(directory.CALLER_ROLE_OPERATOR)
        zoe = await world.party(directory.CALLER_ROLE_OPERATOR)

        async def set_as_shown(method: Any, request: Any) -> None:
            await operator.ask(method, json_format.ParseDict(next(examples), request))

        async def earned_as_shown() -> types.Transfer:
            request = json_format.ParseDict(next(examples), pb.EarnPointsRequest())
            return (await gro.ask(stubs.transfers.EarnPoints, request)).transfer

        await set_as_shown(stubs.limits.SetNetDebitCap, limits.SetNetDebitCapRequest())
        await earned_as_shown()
        get = limits.GetExposureRequest(merchant=gro.name, currency_code="CNY")
        shown(next(examples), await gro.ask(stubs.limits.GetExposure, get))
        await refused_as_shown(earned_as_shown(), examples)

        higher = json_format.ParseDict(next(examples), limits.SetNetDebitCapRequest())
        await refused_as_shown(operator.ask(stubs.limits.SetNetDebitCap, higher), examples)
        proposal = json_format.ParseDict(next(examples), limits.ProposeNetDebitCapRequest())
        proposed = await operator.ask(stubs.limits.ProposeNetDebitCap, proposal)
        shown(next(examples), proposed)
        told = {"name": proposed.change.name, "digest": proposed.change.digest}
        approval = json_format.ParseDict(next(examples) | told, limits.ApproveNetDebitCapRequest())
        shown(next(examples), await zoe.ask(stubs.limits.ApproveNetDebitCap, approval))

        await set_as_shown(stubs.limits.SetPointsLimits, limits.SetPointsLimitsRequest())
        await refused_as_shown(earned_as_shown(), examples)

        four = directory.EarnRule(
            name="earnRules/four", merchant=gro.name, currency="currencies/TEL", per_minor_units=100, points_units=4
        )
        await operator.ask(stubs.directory.CreateEarnRule, directory.CreateEarnRuleRequest(earn_rule=four))
        await set_as_shown(stubs.limits.SetReturnBand, limits.SetReturnBandRequest())
        shown_transfer = await earned_as_shown()
        shown(next(examples), shown_transfer)

        await set_as_shown(stubs.limits.SetCallQuota, limits.SetCallQuotaRequest())
        own = limits.GetCallQuotaRequest(merchant=gro.name)
        await gro.ask(stubs.limits.GetCallQuota, own)
        await refused_as_shown(gro.ask(stubs.limits.GetCallQuota, own), examples)
    assert next(examples, None) is None
    await databases.drop(name)


def shown(example: dict[str, Any], message: Any) -> None:
    """Hold an answer to the page."""
    assert_shown(example, json_format.MessageToDict(message, preserving_proto_field_name=True))


async def refused_as_shown(call: Awaitable[Any], examples: Iterator[dict[str, Any]]) -> None:
    """Hold a refusal to the page."""
    with pytest.raises(aio.AioRpcError) as raised:
        await call
    told = refusal_of(raised.value)
    assert {"reason": told.reason, "metadata": dict(told.metadata)} == next(examples)
