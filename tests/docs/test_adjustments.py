"""The page of adjustments: what it sends is answered as it shows."""

from __future__ import annotations

import json
import re
from typing import Any

from google.protobuf import json_format

from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import transfer_service_pb2 as pb
from tests.database import Databases
from tests.docs.pages import ROOT, assert_shown
from tests.servers import a_server
from tests.worlds import EXCHANGE, World, a_world

PAGE = ROOT / "docs" / "adjustments.md"


async def test_the_example_is_answered_as_the_page_shows(databases: Databases) -> None:
    """Proposed by the issuer, approved by somebody at the operator."""
    said = [*map(json.loads, re.findall(r"```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))]
    name = await databases.clone()
    async with a_server(databases.url_of(name)) as server, a_world(server.address, server.operator_secret) as world:
        await _answered(world, *said)
    await databases.drop(name)


async def _answered(
    world: World, proposal: dict[str, Any], proposed: dict[str, Any], approval: dict[str, Any], approved: dict[str, Any]
) -> None:
    tel = await world.merchant("TEL", EXCHANGE)
    await world.currency("TEL", tel, issue=12_000)
    await world.member("card", [tel])
    checker = await world.party(directory.CALLER_ROLE_OPERATOR)
    stubs = world.stubs.transfers

    answer = await tel.ask(stubs.ProposeAdjustment, json_format.ParseDict(proposal, pb.ProposeAdjustmentRequest()))
    assert_shown(proposed, json_format.MessageToDict(answer, preserving_proto_field_name=True))
    told = {"name": answer.adjustment.name, "digest": answer.adjustment.digest}
    request = json_format.ParseDict(approval | told, pb.ApproveAdjustmentRequest())
    done = await checker.ask(stubs.ApproveAdjustment, request)
    assert_shown(approved, json_format.MessageToDict(done, preserving_proto_field_name=True))
