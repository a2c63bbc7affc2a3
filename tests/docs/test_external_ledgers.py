"""The page of external ledgers: what it sends is answered as it shows, and it says what the wire says."""

from __future__ import annotations

import json
import re
from typing import Any

from google.protobuf import json_format

from exchange.v1 import external_ledger_service_pb2 as external
from exchange.v1 import transfer_service_pb2 as transfers
from exchange.v1 import types_pb2 as types
from tests.database import Databases
from tests.docs.pages import ROOT, assert_shown
from tests.servers import a_server
from tests.worlds import EARNING, EXCHANGE, Party, World, a_world

PAGE = ROOT / "docs" / "external_ledgers.md"
SAID = re.compile(r"\*\*(\w+): (\w+)\*\*\n\n```json\n(.*?)```\n\n```json\n(.*?)```", re.DOTALL)


async def test_every_example_is_answered_as_the_page_shows(databases: Databases) -> None:
    """From saying that AIR keeps its own balances to a conversion that is completed."""
    name = await databases.clone()
    async with a_server(databases.url_of(name)) as server, a_world(server.address, server.operator_secret) as world:
        parties = await _parties(world)
        instruction, answered = "", 0
        for who, method, said, shown in SAID.findall(PAGE.read_text("utf-8")):
            asked = json.loads(said.replace("instructions/… of convert-1", instruction))
            answer = await _ask(world, parties[who], method, asked)
            told = json_format.MessageToDict(answer, preserving_proto_field_name=True)
            assert_shown(json.loads(shown), told, method)
            instruction = told.get("external_conversion", {}).get("instruction", instruction)
            answered += 1
    await databases.drop(name)
    assert answered == 5


async def _parties(world: World) -> dict[str, Party]:
    bnk, air = await world.merchant("BNK", EARNING, EXCHANGE), await world.merchant("AIR", EXCHANGE)
    await world.currency("BNK", bnk, issue=0, conversion_out=2_000)
    await world.currency("AIR", air, conversion_in=55_000)
    await world.rate("BNK", "AIR", "30:1", block_units=3_000)
    member = await world.member("card", [bnk, air])
    assert member.reference == "card-1"
    await bnk.earn(member, "3 000 BNK")
    return {"operator": world.operator, "BNK": bnk, "AIR": air}


async def _ask(world: World, party: Party, method: str, asked: dict[str, Any]) -> Any:
    module: Any = transfers if method == "ConvertPoints" else external
    stubs: Any = world.stubs.transfers if method == "ConvertPoints" else world.stubs.external
    return await party.ask(getattr(stubs, method), json_format.ParseDict(asked, getattr(module, f"{method}Request")()))


def test_the_page_has_a_row_for_each_state() -> None:
    """Of a conversion, as the wire names them."""
    states = {name.removeprefix("STATE_") for name in types.ExternalConversion.State.DESCRIPTOR.values_by_name} - {
        "UNSPECIFIED"
    }

    assert states == set(re.findall(r"^\| ([A-Z]+) \|", PAGE.read_text("utf-8"), re.MULTILINE))


def test_what_it_names_is_there() -> None:
    """The partner's system and the test that kills it."""
    named = re.findall(r"`((?:examples|tests)/[\w/]+\.py)`", PAGE.read_text("utf-8"))

    assert len(named) == 2
    assert all((ROOT / one).is_file() for one in named)
