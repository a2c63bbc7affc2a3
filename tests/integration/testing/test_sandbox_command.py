"""`python -m exchange sandbox`: what it tells, what is in it, and that it ends with whoever started it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from exchange.client import Client
from exchange.client.reasons import BelowMinimum, DailyCapExceeded, InsufficientPoints, MerchantSuspended, TooLate
from exchange.testing.coalition import MEMBERS, ROLES
from exchange.testing.running import Clock, ExchangeSandbox, running_sandbox
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.docs.pages import ROOT

# Each starts a server and several programs: on a busy machine that takes its time.
pytestmark = pytest.mark.timeout(900)

PAGE = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
COMMAND = (sys.executable, "-m", "exchange", "sandbox")


HOLDER = """
import time
from exchange.testing.running import running_sandbox
with running_sandbox() as sandbox:
    print(sandbox.address, flush=True)
    time.sleep(600)
"""


async def answers(host: str, port: int) -> bool:
    """Whether anybody listens there."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


@pytest.fixture(scope="module")
def sandbox() -> Iterator[ExchangeSandbox]:
    """A sandbox all tests here share."""
    with running_sandbox() as sandbox:
        yield sandbox


def points(units: int, code: str) -> types.PointsAmount:
    """So many of a currency."""
    return types.PointsAmount(currency=f"currencies/{code}", units=units)


def convert(
    sandbox: ExchangeSandbox, merchant: str, source: types.PointsAmount, target: str, card: str
) -> types.Transfer:
    """A conversion of a canned member's points."""
    request = pb.ConvertPointsRequest(member_reference=card, source=source, target_currency=f"currencies/{target}")
    return sandbox.client(merchant).transfers.ConvertPoints(request).transfer


def test_the_canned_members_have_what_the_page_says(sandbox: ExchangeSandbox) -> None:
    """To the point."""
    rows = re.findall(r"^\| (card-\w+) \| ([\d ]+) \| ([\d ]+) \| ([\d ]+) \|$", PAGE, re.MULTILINE)
    shown = {card: [int(units.replace(" ", "")) for units in amounts] for card, *amounts in rows}

    assert shown == {card: [had.get(code, 0) for code in ("TEL", "BNK", "AIR")] for card, had in MEMBERS.items()}
    with pytest.raises(InsufficientPoints) as refused:
        sandbox.client("TEL").transfers.RedeemPoints(
            pb.RedeemPointsRequest(member_reference="card-1", points=points(10_001, "TEL"))
        )
    assert refused.value.available == 10_000


def test_the_canned_merchants_are_those_of_the_page(sandbox: ExchangeSandbox) -> None:
    """Each with a key; OFF is suspended."""
    shown = re.findall(r"^\| ([A-Z]{3}) \| [^|]+ \|$", PAGE, re.MULTILINE)

    assert tuple(shown) == tuple(ROLES) == tuple(sandbox.keys)
    with pytest.raises(MerchantSuspended):
        sandbox.client("OFF").transfers.EarnPoints(
            pb.EarnPointsRequest(member_reference="card-1", points=points(1, "TEL"))
        )


def test_the_canned_rates_are_those_of_the_page(sandbox: ExchangeSandbox) -> None:
    """30:1 in blocks from BNK to AIR with a minimum, 1:4 from TEL to BNK with a cap."""
    member = sandbox.member(TEL=60_000, BNK=100_000)

    miles = convert(sandbox, "BNK", points(100_000, "BNK"), "AIR", member.reference)
    convert(sandbox, "TEL", points(50_000, "TEL"), "BNK", member.reference)

    assert (miles.used.units, miles.received.units) == (99_000, 3_300)
    with pytest.raises(DailyCapExceeded):
        convert(sandbox, "TEL", points(1, "TEL"), "BNK", member.reference)
    with pytest.raises(BelowMinimum):
        convert(sandbox, "BNK", points(5_999, "BNK"), "AIR", member.reference)


def test_the_clock_goes_forward_and_not_back(sandbox: ExchangeSandbox) -> None:
    """It was now at the start, and runs on from where it is put."""
    before = sandbox.clock.now()

    sandbox.clock.advance(timedelta(hours=3))

    assert sandbox.clock.now() >= before + timedelta(hours=3)
    with pytest.raises(TooLate):
        sandbox.clock.move_to(before)


async def test_it_is_what_time_it_is_told_and_ends_when_it_is_told() -> None:
    """By a signal; the port it announced is closed then."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--json", "--clock", "2026-03-01T09:00:00", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    told = json.loads(await process.stdout.readline())

    with Client(told["address"], told["operator_key"]) as operator:
        now = Clock(operator).now()
        process.send_signal(signal.SIGTERM)
        code = await process.wait()

    assert now.replace(minute=0, second=0, microsecond=0) == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert code == 128 + signal.SIGTERM
    host, port = told["address"].split(":")
    assert not await answers(host, int(port))


async def test_it_does_not_outlive_whoever_started_it() -> None:
    """Kill -9 of the program that holds the other end of its standard input."""
    with subprocess.Popen([sys.executable, "-c", HOLDER], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        host, port = process.stdout.readline().strip().split(":")
        os.kill(process.pid, signal.SIGKILL)

    while await answers(host, int(port)):
        await asyncio.sleep(0.05)


async def test_it_tells_people_too() -> None:
    """Address, keys and members in a table."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--lifeline", cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.close()
    output, _ = await process.communicate()

    assert process.returncode == 0
    assert all(f"\n{name}" in output.decode() for name in (*ROLES, *MEMBERS, "operator", "auditor"))
