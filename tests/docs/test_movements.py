"""The page of movements is a conversation: every request on it is sent, every answer holds what the page shows."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf import json_format
from grpc import aio

from exchange.client.caller import refusal_of
from exchange.ledger.model import TransferKind
from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import member_service_pb2 as members
from exchange.v1 import transfer_service_pb2 as pb
from tests.database import Databases
from tests.docs.pages import ROOT, assert_shown
from tests.movements import Member
from tests.servers import a_server
from tests.worlds import DISCOUNT, EARNING, EXCHANGE, REDEMPTION, Merchant, World, a_world

PAGE = ROOT / "docs" / "movements.md"
WHO = {"till": "GRO", "cash": "GRO", "miles": "TEL"}
"""By the first word of a request_id; everything else is the café's."""
REQUESTS = {
    "EarnPoints": pb.EarnPointsRequest,
    "RedeemPoints": pb.RedeemPointsRequest,
    "DiscountPoints": pb.DiscountPointsRequest,
    "UseInCampaign": pb.UseInCampaignRequest,
    "CashOutPoints": pb.CashOutPointsRequest,
    "ConvertPoints": pb.ConvertPointsRequest,
    "HoldPoints": pb.HoldPointsRequest,
    "CaptureHold": pb.CaptureHoldRequest,
    "VoidHold": pb.VoidHoldRequest,
    "ReverseTransfer": pb.ReverseTransferRequest,
}


CLOSING = "Closing a membership"
"""The section that is no movement of a merchant's: a test of its own plays it."""


def examples() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Method, request and what is shown of the answer, in their order; a request may come without an answer."""
    found: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
    for section in PAGE.read_text(encoding="utf-8").split("\n### ")[1:]:
        method = section.split("\n")[0]
        if method == CLOSING:
            continue
        for block in re.findall(r"```json\n(.*?)```", section, re.DOTALL):
            said = json.loads(block)
            if "request_id" in said:
                found.append(("HoldPoints" if "lifetime" in said else method, said, {}))
            else:
                found[-1] = (*found[-1][:2], said)
    return found


@pytest.fixture(scope="module")
async def merchants(databases: Databases) -> AsyncIterator[dict[str, Merchant]]:
    """The coalition the page speaks of, and card-1."""
    name = await databases.clone()
    async with a_server(databases.url_of(name)) as server, a_world(server.address, server.operator_secret) as world:
        yield await _coalition(world)
    await databases.drop(name)


async def _coalition(world: World) -> dict[str, Merchant]:
    tel, air = await world.merchant("TEL", EXCHANGE), await world.merchant("AIR", EXCHANGE)
    gro = await world.merchant("GRO", EARNING, DISCOUNT)
    caf = await world.merchant("CAF", EARNING, REDEMPTION, cash_agent=True)
    prices: dict[str, Any] = {
        "issue": 12_000,
        "redeem": 10_000,
        "conversion_out": 10_000,
        "cash_out": 6_000,
        "cash_out_fee": 200,
    }
    await world.currency("TEL", tel, **prices)
    await world.currency("AIR", air, conversion_in=90_000)
    await world.rate("TEL", "AIR", "10:1", block_units=10)
    rule = directory.EarnRule(
        name="earnRules/coffee",
        merchant=caf.name,
        currency="currencies/TEL",
        per_minor_units=1_000,
        points_units=1,
        carry_remainder=True,
    )
    await world.operator.ask(world.stubs.directory.CreateEarnRule, directory.CreateEarnRuleRequest(earn_rule=rule))
    member: Member = await world.member("card", [gro, caf, tel])
    merchants = {"TEL": tel, "GRO": gro, "CAF": caf}
    assert member.reference == "card-1"
    return merchants


async def test_every_example_is_answered_as_the_page_shows(merchants: dict[str, Merchant]) -> None:
    """In the order of the page; "transfers/… of till-1" is the transfer that request made."""
    names: dict[str, str] = {}

    for method, said, shown in examples():
        for field in ("hold", "original"):
            if field in said:
                said[field] = names[said[field].partition("… of ")[2]]
        request = json_format.ParseDict(said, REQUESTS[method]())
        merchant = merchants[WHO.get(said["request_id"].split("-")[0], "CAF")]
        answer = await merchant.ask(getattr(merchant.stubs.transfers, method), request)
        names[said["request_id"]] = answer.transfer.name
        told = json_format.MessageToDict(answer, preserving_proto_field_name=True)
        assert_shown(shown, told, said["request_id"])


async def test_a_membership_is_closed_as_the_page_shows(databases: Databases) -> None:
    """By the operator; afterwards there is nothing left to move."""
    section = PAGE.read_text(encoding="utf-8").partition(f"### {CLOSING}")[2].partition("\n### ")[0]
    said, shown = map(json.loads, re.findall(r"```json\n(.*?)```", section, re.DOTALL))
    name = await databases.clone()
    async with a_server(databases.url_of(name)) as server, a_world(server.address, server.operator_secret) as world:
        merchants = await _coalition(world)
        member = await world.member("leaver", [merchants["GRO"]])
        await merchants["GRO"].earn(member, "500 TEL")
        said["member"] = member.name

        request = json_format.ParseDict(said, members.CloseMemberRequest())
        answer = await world.operator.ask(world.stubs.members.CloseMember, request)
        with pytest.raises(aio.AioRpcError) as raised:
            await merchants["GRO"].earn(member, "1 TEL")

    assert_shown(shown, json_format.MessageToDict(answer, preserving_proto_field_name=True))
    assert refusal_of(raised.value).reason == "MEMBER_CLOSED"
    await databases.drop(name)


def test_every_movement_of_the_wire_has_its_example() -> None:
    """And its row, and its section; what the exchange does by itself has a section too."""
    text = PAGE.read_text(encoding="utf-8")
    item: Any = pb.TransferItem.DESCRIPTOR
    items = item.oneofs_by_name["request"].fields
    methods = {field.message_type.name.removesuffix("Request") for field in items}

    assert {method for method, _, shown in examples() if shown} == methods == REQUESTS.keys()
    for method in methods:
        assert f"| [{method}](#{method.lower()}) |" in text
    told = {*re.findall(r"KIND_[A-Z_]+", text)}
    assert {f"KIND_{kind.name}" for kind in TransferKind} <= told
