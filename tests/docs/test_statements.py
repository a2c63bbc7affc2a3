"""The page of statements: every request on it is sent, every answer holds what the page shows."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

from google.protobuf import json_format

from exchange.statements.model import Month
from exchange.statements.monthly import MonthlyStatements
from exchange.v1 import member_service_pb2 as pb
from tests.docs.pages import ROOT, assert_shown, blocks
from tests.movements import a_hold
from tests.servers import TIME_ZONE, a_server
from tests.worlds import EARNING, EXCHANGE, REDEMPTION, a_world

PAGE = ROOT / "docs" / "statements.md"


async def test_every_example_is_answered_as_the_page_shows(database_url: str) -> None:
    """Question and answer by turns, asked by the café."""
    async with a_server(database_url) as server, a_world(server.address, server.operator_secret) as world:
        tel, gro = await world.merchant("TEL", EXCHANGE), await world.merchant("GRO", EARNING)
        caf = await world.merchant("CAF", REDEMPTION)
        await world.currency("TEL", tel, issue=1, redeem=1)
        member = await world.member("card", [gro, caf])
        await gro.earn(member, "500 TEL")
        await caf.redeem(member, "120 TEL")
        await caf.post(a_hold(member, "80 TEL", seconds=40 * 86_400))
        said = [json.loads(block) for block in blocks(PAGE, "json")]

        for question, shown in zip(said[::2], said[1::2], strict=True):
            ((method, fields),) = question.items()
            if method == "ListMemberStatements":
                month = Month.of((await world.now()).astimezone(ZoneInfo(TIME_ZONE)).date())
                await world.set_clock(month.ends(ZoneInfo(TIME_ZONE)))
                await MonthlyStatements(server.api.database, server.api.source).make(month)
            fields = {name: member.name if value == "members/…" else value for name, value in fields.items()}
            request = json_format.ParseDict(fields, getattr(pb, f"{method}Request")())
            stubs: Any = caf.stubs.members
            answer = await caf.ask(getattr(stubs, method), request)
            assert_shown(shown, json_format.MessageToDict(answer, preserving_proto_field_name=True), method)
