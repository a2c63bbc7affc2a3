"""The page of promotions: what it sends is answered as it shows."""

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
from tests.worlds import EARNING, EXCHANGE, World, a_world

PAGE = ROOT / "docs" / "promotions.md"


async def test_every_example_is_answered_as_the_page_shows(databases: Databases) -> None:
    """A promotion, an award under it, and one that reaches the member's cap."""
    promotion, *conversation = map(json.loads, re.findall(r"```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
    name = await databases.clone()
    async with a_server(databases.url_of(name)) as server, a_world(server.address, server.operator_secret) as world:
        await _answered(world, promotion, conversation)
    await databases.drop(name)


async def _answered(world: World, promotion: dict[str, Any], conversation: list[dict[str, Any]]) -> None:
    tel = await world.merchant("TEL", EXCHANGE)
    caf = await world.merchant("CAF", EARNING)
    await world.merchant("BNK")
    await world.currency("TEL", tel, issue=12_000)
    member = await world.member("card", [caf])
    begun = json_format.ParseDict(promotion, directory.CreatePromotionRequest())
    await world.operator.ask(world.stubs.directory.CreatePromotion, begun)

    answers = 0
    for said, shown in zip(conversation[::2], conversation[1::2], strict=True):
        assert said["member_reference"] == member.reference
        answer = await caf.ask(world.stubs.transfers.EarnPoints, json_format.ParseDict(said, pb.EarnPointsRequest()))
        assert_shown(shown, json_format.MessageToDict(answer, preserving_proto_field_name=True))
        answers += 1
    assert answers == 2


def test_the_days_it_names_are_there() -> None:
    """In the folder of examples, where another test plays them."""
    named = re.findall(r"(\w+\.yaml)", PAGE.read_text("utf-8"))

    assert len(named) == 4
    assert all((ROOT / "examples" / "scenarios" / name).is_file() for name in named)
