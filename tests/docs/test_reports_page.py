"""The page of reports: its example is asked, and every report it names is there."""

from __future__ import annotations

import json
import re
from typing import Any

from google.protobuf import json_format

from settlement.cli.reports import Kind
from settlement.v1 import reports_pb2, settlement_service_pb2
from tests.contract.settled import finance_of
from tests.docs.pages import ROOT, assert_shown, blocks
from tests.servers import a_server
from tests.worlds import a_world

PAGE = ROOT / "docs" / "reports.md"


async def test_every_example_is_answered_as_the_page_shows(database_url: str) -> None:
    """Question and answer by turns, asked by the issuer."""
    async with a_server(database_url) as server, a_world(server.address, server.operator_secret) as world:
        finance = await finance_of(world)
        await finance.cast.gro.earn(finance.member, "500 TEL")
        await finance.close("windows/1")
        run = (await finance.start("windows/1")).run
        said = [json.loads(block) for block in blocks(PAGE, "json")]

        for question, shown in zip(said[::2], said[1::2], strict=True):
            ((method, fields),) = question.items()
            fields = {name: run.name if value == "runs/…" else value for name, value in fields.items()}
            kinds = reports_pb2 if method.startswith("Read") else settlement_service_pb2
            request = json_format.ParseDict(fields, getattr(kinds, f"{method}Request")())
            stub, tel = getattr(finance.stub, method), finance.cast.tel
            told: Any
            if method.startswith("Read"):
                parts = [answer.part.content async for answer in stub(request, metadata=tel.metadata, timeout=30.0)]
                told = json.loads(b"".join(parts))
            else:
                told = json_format.MessageToDict(await tel.ask(stub, request), preserving_proto_field_name=True)
            assert_shown(shown, told, method)


def test_the_page_names_every_report() -> None:
    """By what is typed and by what is called."""
    page = PAGE.read_text(encoding="utf-8")

    named = set(re.findall(r"`ReadReport`, ([A-Z_]+)", page))
    assert {f"REPORT_KIND_{name}" for name in named} == set(reports_pb2.ReportKind.keys()[1:])
    assert all(f"--kind {kind.value}" in page for kind in Kind if kind is not Kind.SUMMARY)
    calls = [method.name for method in settlement_service_pb2.DESCRIPTOR.services_by_name["SettlementService"].methods]
    assert all(f"`{name}`" in page for name in calls if name in {"ReadStatement", "ReadStatementDetail"})
    assert all(f"`{name}`" in page for name in calls if name.startswith(("ReadLiability", "ReadBreakage")))
