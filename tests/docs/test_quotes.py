"""The page of quotes is a conversation: every request on it is sent, every answer holds what the page shows."""

from __future__ import annotations

import json
import re
from typing import Any

from google.protobuf import json_format

from exchange.v1 import rate_service_pb2 as rates
from exchange.v1 import transfer_service_pb2 as transfers
from tests.docs.pages import ROOT, assert_shown
from tests.servers import a_server
from tests.worlds import EARNING, EXCHANGE, a_world

PAGE = ROOT / "docs" / "quotes.md"


async def test_every_example_is_answered_as_the_page_shows(database_url: str) -> None:
    """In the order of the page; the rate ends between the quote and its use."""
    async with a_server(database_url) as server, a_world(server.address, server.operator_secret) as world:
        bnk, air = await world.merchant("BNK", EARNING, EXCHANGE), await world.merchant("AIR", EXCHANGE)
        await world.currency("BNK", bnk, conversion_out=2_000)
        await world.currency("AIR", air, conversion_in=55_000)
        rate = await world.rate("BNK", "AIR", "30:1", block_units=3_000, fee_micros=100_000)
        member = await world.member("card", [bnk])
        await bnk.earn(member, "100 000 BNK")
        assert member.reference == "card-1"
        quote = ""

        for section in PAGE.read_text(encoding="utf-8").split("\n### ")[1:]:
            method = section.split("\n")[0]
            said, shown = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", section, re.DOTALL))
            said = {name: quote if value == "quotes/…" else value for name, value in said.items()}
            service: Any = transfers if method == "ConvertPoints" else rates
            stubs: Any = bnk.stubs.transfers if method == "ConvertPoints" else bnk.stubs.rates
            request = json_format.ParseDict(said, getattr(service, f"{method}Request")())
            answer = await bnk.ask(getattr(stubs, method), request)
            told = json_format.MessageToDict(answer, preserving_proto_field_name=True)
            assert_shown(shown, told, method)
            if method == "CreateQuote":
                quote = answer.quote.name
                await world.operator.ask(world.stubs.rates.EndRate, rates.EndRateRequest(name=rate.name))
