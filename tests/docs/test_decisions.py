"""Decision records: one index, one form, each with a check that is there; and checks that stand nowhere else."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from exchange.ledger.audit import CHECKS
from exchange.v1 import directory_service_pb2 as directory_pb
from exchange.v1 import transfer_service_pb2 as transfer_pb
from settlement.v1 import settlement_service_pb2 as settlement_pb
from settlement.v1.settlement_service_pb2_grpc import SettlementServiceStub
from tests.contract.refusals import refusal
from tests.docs.pages import DECISIONS, ROOT, name_of, named_tests
from tests.servers import a_server
from tests.worlds import a_world

RECORDS = sorted(DECISIONS.glob("[0-9]*.md"))
PARTS = ("What one would do instead.", "What we do.", "Why.", "What it costs.", "Held by")


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def test_the_index_lists_every_record_by_number_and_title() -> None:
    """Numbers follow one another, and the title is that of the page."""
    listed = re.findall(r"^\| \[(\d+)\]\(([\w-]+\.md)\) \| (.+) \|$", _text(DECISIONS / "README.md"), re.MULTILINE)
    present = [(str(number), page.name) for number, page in enumerate(RECORDS, start=1)]

    assert [(number, file) for number, file, _ in listed] == present
    for number, file, title in listed:
        assert file.startswith(f"{int(number):04}-")
        assert _text(DECISIONS / file).startswith(f"# {number}. {title}\n")


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_a_record_has_every_part_on_one_page(record: Path) -> None:
    """In their order, and no longer than one reads standing."""
    text = _text(record)
    places = [text.find(f"**{part}") for part in PARTS]

    assert -1 not in places, f"a part is missing: {dict(zip(PARTS, places, strict=True))}"
    assert places == sorted(places)
    assert text.count("\n") <= 50


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_a_record_names_a_check_that_is_there(record: Path) -> None:
    """A test, an import contract, a check of the audit, or a target of the Makefile."""
    held_by = " ".join(_text(record).partition("**Held by**")[2].split())
    contracts = {
        contract["name"]
        for contract in tomllib.loads(_text(ROOT / "pyproject.toml"))["tool"]["importlinter"]["contracts"]
    }
    quoted = set(re.findall(r'"([^"]+)"', held_by))
    targets = set(re.findall(r"`make ([a-z-]+)`", held_by))

    assert quoted <= contracts | CHECKS.keys(), (
        f"neither contract nor audit check: {quoted - contracts - CHECKS.keys()}"
    )
    assert all(f"\n{target}:" in _text(ROOT / "Makefile") for target in targets)
    assert named_tests(record) or quoted or targets, f"{name_of(record)} is held by nothing"


def test_no_request_to_move_points_names_the_merchant_that_acts() -> None:
    """Who acts is whoever the credential stands for."""
    methods = transfer_pb.DESCRIPTOR.services_by_name["TransferService"].methods
    requests = [method.input_type for method in methods]

    assert len(requests) >= 8
    for request in requests:
        assert not {"merchant", "acting_merchant", "caller"} & set(request.fields_by_name), request.name


async def test_windows_are_run_in_order(database_url: str) -> None:
    """The second needs the first, and the first stands once the second was built on it."""
    async with a_server(database_url) as server, a_world(server.address, server.operator_secret) as world:
        maker = await world.party(directory_pb.CALLER_ROLE_FINANCE_MAKER)
        settlement = SettlementServiceStub(world.stubs.channel)
        for window in ("windows/1", "windows/2"):
            await maker.ask(settlement.CloseWindow, settlement_pb.CloseWindowRequest(name=window))
        bilateral = settlement_pb.RunConfiguration(mode=settlement_pb.NETTING_MODE_BILATERAL)
        first, second = (settlement_pb.StartRunRequest(window=window) for window in ("windows/1", "windows/2"))
        other = settlement_pb.StartRunRequest(window="windows/1", configuration=bilateral)

        too_early = await refusal(maker.ask(settlement.StartRun, second))
        await maker.ask(settlement.StartRun, first)
        await maker.ask(settlement.StartRun, second)
        too_late = await refusal(maker.ask(settlement.StartRun, other))
        again = await maker.ask(settlement.StartRun, first)

        assert too_early.metadata == {"window": "windows/1", "state": "CLOSED", "needed": "CALCULATED"}
        assert too_late.metadata == {"window": "windows/2", "state": "CALCULATED", "needed": "CLOSED"}
        assert again.replayed
