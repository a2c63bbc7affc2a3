"""The page of limits: what it sends is answered as it shows."""

from __future__ import annotations

import json
import re

import pytest
from google.protobuf import json_format
from grpc import aio

from exchange.client.caller import refusal_of
from exchange.v1 import limit_service_pb2 as limits
from exchange.v1 import transfer_service_pb2 as pb
from tests.database import Databases
from tests.docs.pages import ROOT, assert_shown
from tests.servers import a_server
from tests.worlds import EARNING, EXCHANGE, a_world

PAGE = ROOT / "docs" / "limits.md"


async def test_a_net_debit_cap_does_as_the_page_shows(databases: Databases) -> None:
    """Set, used, read, and met."""
    examples = map(json.loads, re.findall(r"```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
    cap, first, exposure, second, refused = examples
    name = await databases.clone()
    async with a_server(databases.url_of(name)) as server, a_world(server.address, server.operator_secret) as world:
        tel = await world.merchant("TEL", EXCHANGE)
        gro = await world.merchant("GRO", EARNING)
        await world.currency("TEL", tel, issue=12_000)
        await world.member("card", [gro])
        stubs = world.stubs

        request = json_format.ParseDict(cap, limits.SetNetDebitCapRequest())
        await world.operator.ask(stubs.limits.SetNetDebitCap, request)
        await gro.ask(stubs.transfers.EarnPoints, json_format.ParseDict(first, pb.EarnPointsRequest()))
        get = limits.GetExposureRequest(merchant=gro.name, currency_code="CNY")
        read = await gro.ask(stubs.limits.GetExposure, get)
        with pytest.raises(aio.AioRpcError) as raised:
            await gro.ask(stubs.transfers.EarnPoints, json_format.ParseDict(second, pb.EarnPointsRequest()))

    assert_shown(exposure, json_format.MessageToDict(read, preserving_proto_field_name=True))
    told = refusal_of(raised.value)
    assert refused == {"reason": told.reason, "metadata": dict(told.metadata)}
    await databases.drop(name)
