"""Reports over the wire: whole files in parts, the same bytes as typed, and to each merchant its own statement only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf.message import Message

from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import types_pb2 as types
from settlement.api import reports_wire
from settlement.proofs.offline import Untrue, check
from settlement.v1 import reports_pb2 as pb
from settlement.v1 import settlement_service_pb2 as settlement
from tests.contract.refusals import refusal
from tests.contract.settled import Finance, finance_after_period_a
from tests.worlds import Party, World

NOWHERE = "runs/00000000-0000-4000-8000-000000000000"
KINDS = [number for number in pb.ReportKind.values() if number]
FORMATS = [number for number in pb.ReportFormat.values() if number not in {0, pb.REPORT_FORMAT_HLEDGER}]


@pytest.fixture
async def finance(own_world: World) -> Finance:
    """A coalition whose first window had the rulebook's period A and is closed."""
    return await finance_after_period_a(own_world)


@pytest.fixture
async def run(finance: Finance) -> settlement.Run:
    """Its run."""
    return (await finance.start("windows/1")).run


async def parts_of(finance: Finance, caller: Party, method: str, request: Message) -> list[pb.ReportPart]:
    """Every part of a file, as a caller receives it."""
    answers: AsyncIterator[Any] = getattr(finance.stub, method)(request, metadata=caller.metadata, timeout=30.0)
    return [answer.part async for answer in answers]


async def file_of(finance: Finance, caller: Party, method: str, request: Message) -> tuple[str, bytes]:
    """A file by its name, held against the digest and the length that came with it."""
    parts = await parts_of(finance, caller, method, request)
    content = b"".join(part.content for part in parts)
    assert (parts[-1].sha256, parts[-1].byte_count) == (hashlib.sha256(content).hexdigest(), len(content))
    assert not any(part.sha256 for part in parts[:-1])
    assert not any(part.file_name for part in parts[1:])
    return parts[0].file_name, content


async def read(finance: Finance, caller: Party, method: str, request: Message) -> dict[str, Any]:
    """A file's JSON."""
    document: dict[str, Any] = json.loads((await file_of(finance, caller, method, request))[1])
    return document


@pytest.mark.parametrize("kind", KINDS, ids=pb.ReportKind.Name)
async def test_every_report_is_read_in_every_format(finance: Finance, run: settlement.Run, kind: int) -> None:
    """As one file with its name; asked for again it is the same to the byte."""
    auditor = await finance.cast.world.party(directory.CALLER_ROLE_AUDITOR)
    extra = [pb.REPORT_FORMAT_HLEDGER] if kind == pb.REPORT_KIND_JOURNAL else []

    for chosen in [*FORMATS, *extra]:
        request = pb.ReadReportRequest(run=run.name, kind=kind, format=chosen)  # type: ignore[arg-type]
        name, content = await file_of(finance, finance.maker, "ReadReport", request)

        assert name.startswith("W1-")
        assert content
        assert (name, content) == await file_of(finance, auditor, "ReadReport", request)


async def test_the_summary_tells_period_as_figures(finance: Finance, run: settlement.Run) -> None:
    """The rulebook's own: gross 336 445, paid 131 755; JSON when no format is said."""
    request = pb.ReadReportRequest(run=run.name, kind=pb.REPORT_KIND_SETTLEMENT_SUMMARY)

    document = await read(finance, finance.checker, "ReadReport", request)

    (currency,) = document["totals"]
    assert (currency["gross"], currency["paid"]) == (336_445, 131_755)
    assert document["about"]["digest"] == run.result_digest


async def test_a_file_comes_in_parts(finance: Finance, run: settlement.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small they are: put together they are the file."""
    request = pb.ReadReportRequest(run=run.name, kind=pb.REPORT_KIND_NET_POSITIONS)
    whole = await file_of(finance, finance.maker, "ReadReport", request)
    monkeypatch.setattr(reports_wire, "PART_BYTES_MAX", 100)

    parts = list(reports_wire.parts("a", "b", whole[1]))

    assert len(parts) == -(-len(whole[1]) // 100)
    assert b"".join(part.content for part in parts) == whole[1]
    assert parts[-1].byte_count == len(whole[1])
    (empty,) = reports_wire.parts("a", "b", b"")
    assert (empty.file_name, empty.byte_count) == ("a", 0)


async def test_a_merchant_reads_its_own_statement_and_no_other(finance: Finance, run: settlement.Run) -> None:
    """By its name or without saying it; another's is as if there were none."""
    cast = finance.cast
    own = pb.ReadStatementRequest(run=run.name)
    named = pb.ReadStatementRequest(run=run.name, merchant=cast.tel.name)

    mine = await read(finance, cast.tel, "ReadStatement", own)

    assert mine["about"]["participant"] == cast.tel.name.removeprefix("merchants/")
    assert mine == await read(finance, cast.tel, "ReadStatement", named)
    assert mine == await read(finance, finance.maker, "ReadStatement", named)
    net = next(row for row in mine["lines"] if row["line"] == "net")
    assert (net["receivable"], net["payable"]) == (101_655, 0)
    hidden = await refusal(parts_of(finance, cast.gro, "ReadStatement", named))
    missing = pb.ReadStatementRequest(run=run.name, merchant="merchants/NIX")
    unknown = await refusal(parts_of(finance, cast.gro, "ReadStatement", missing))
    assert (hidden.reason, hidden.metadata["field"]) == ("RESOURCE_NOT_FOUND", "merchant")
    assert repr(hidden).replace(cast.tel.name, "M") == repr(unknown).replace("merchants/NIX", "M")


async def test_a_merchant_without_a_part_in_a_run_does_not_learn_of_it(finance: Finance, run: settlement.Run) -> None:
    """Finance reads a statement without lines, which says as much."""
    stranger = await finance.cast.world.merchant("Shy")

    hidden = await refusal(parts_of(finance, stranger, "ReadStatement", pb.ReadStatementRequest(run=run.name)))
    none = await refusal(parts_of(finance, stranger, "ReadStatement", pb.ReadStatementRequest(run=NOWHERE)))
    empty = await read(
        finance, finance.maker, "ReadStatement", pb.ReadStatementRequest(run=run.name, merchant=stranger.name)
    )

    assert (hidden.reason, hidden.metadata["field"]) == ("RESOURCE_NOT_FOUND", "run")
    assert repr(hidden).replace(run.name, "R") == repr(none).replace(NOWHERE, "R")
    assert empty["lines"] == []


async def test_every_line_of_a_statement_drills_down_to_its_transfers(finance: Finance, run: settlement.Run) -> None:
    """The obligations of a line, page by page, sum to its exact figure; so do the rows of the detail file."""
    cast = finance.cast
    mine = await read(finance, cast.tel, "ReadStatement", pb.ReadStatementRequest(run=run.name))
    lines = [line for line in mine["lines"] if line["items"] is not None]
    assert lines

    for line in lines:
        wanted = {
            "merchant": cast.tel.name,
            "kind": f"KIND_{line['line'].upper()}",
            "currency_code": line["currency"],
        }
        for caller in (cast.tel, finance.maker):
            pages = await finance.obligations(caller, "windows/1", 1, **wanted)
            entries = [entry for page in pages for entry in page]
            owed = [
                sum(
                    entry.obligation.amount.micros
                    for entry in entries
                    if getattr(entry.obligation, side) == cast.tel.name
                )
                for side in ("creditor", "debtor")
            ]
            assert owed == [line["receivable_micros"], line["payable_micros"]]
            assert len(entries) == line["items"]
            assert all(entry.transfer.startswith("transfers/") for entry in entries)


async def test_the_detail_file_is_the_merchants_own(finance: Finance) -> None:
    """A line for each obligation, whoever of the two reads it; of others it is hidden."""
    cast = finance.cast
    named = pb.ReadStatementDetailRequest(window="windows/1", merchant=cast.tel.name)

    name, mine = await file_of(
        finance, cast.tel, "ReadStatementDetail", pb.ReadStatementDetailRequest(window="windows/1")
    )
    theirs = await file_of(finance, finance.checker, "ReadStatementDetail", named)
    hidden = await refusal(parts_of(finance, cast.gro, "ReadStatementDetail", named))

    assert (name, mine) == theirs
    assert name == f"W1-{cast.tel.name.removeprefix('merchants/')}-detail.csv"
    own = await finance.obligations(cast.tel, "windows/1")
    assert len(mine.decode().splitlines()) == 1 + sum(len(page) for page in own)
    assert (hidden.reason, hidden.metadata["field"]) == ("RESOURCE_NOT_FOUND", "merchant")


async def test_a_statement_is_proven_against_the_head_everybody_is_told(finance: Finance, run: settlement.Run) -> None:
    """By the merchant itself, with what it alone may read; the other side of its pairs is told the same head."""
    cast = finance.cast
    mine = pb.ReadStatementProofRequest(window="windows/1")
    proofs = [await file_of(finance, party, "ReadStatementProof", mine) for party in (cast.tel, cast.gro)]
    stated = await read(finance, cast.tel, "ReadStatement", pb.ReadStatementRequest(run=run.name))
    asked = settlement.GetWindowRequest(name="windows/1")
    heads = {(await party.ask(finance.stub.GetWindow, asked)).window.head for party in (cast.tel, cast.gro, cast.caf)}
    theirs = pb.ReadStatementProofRequest(window="windows/1", merchant=cast.tel.name)
    hidden = await refusal(parts_of(finance, cast.gro, "ReadStatementProof", theirs))
    (head,) = heads

    assert check(stated, json.loads(proofs[0][1]), head) == 4
    assert proofs[0][0] == "W1-TEL-proof.json"
    assert await file_of(finance, finance.checker, "ReadStatementProof", theirs) == proofs[0]
    assert (hidden.reason, hidden.metadata["field"]) == ("RESOURCE_NOT_FOUND", "merchant")
    with pytest.raises(Untrue):
        check(stated, json.loads(proofs[1][1]), head)


async def test_obligations_of_a_merchant_are_hidden_from_others(finance: Finance) -> None:
    """And of all kinds and currencies only the asked ones are told."""
    cast = finance.cast
    theirs = settlement.ListObligationsRequest(window="windows/1", merchant=cast.tel.name)

    hidden = await refusal(cast.gro.ask(finance.stub.ListObligations, theirs))
    redeemed = await finance.obligations(finance.maker, "windows/1", kind="KIND_REDEEM")
    yen = await finance.obligations(finance.maker, "windows/1", currency_code="JPY")

    assert (hidden.reason, hidden.metadata["field"]) == ("RESOURCE_NOT_FOUND", "merchant")
    assert {entry.obligation.kind for page in redeemed for entry in page} == {types.Obligation.KIND_REDEEM}
    assert [entry for page in yen for entry in page] == []


async def test_whoever_is_no_merchant_says_whose_statement(finance: Finance, run: settlement.Run) -> None:
    """There is none of its own."""
    statement = await refusal(parts_of(finance, finance.maker, "ReadStatement", pb.ReadStatementRequest(run=run.name)))
    request = pb.ReadStatementDetailRequest(window="windows/1")
    detail = await refusal(parts_of(finance, finance.maker, "ReadStatementDetail", request))

    assert (statement.fields, detail.fields) == (("merchant",), ("merchant",))


async def test_only_a_journal_is_written_for_hledger(finance: Finance, run: settlement.Run) -> None:
    """Everything else is refused by the field."""
    hledger = pb.REPORT_FORMAT_HLEDGER
    requests = {
        "ReadReport": pb.ReadReportRequest(run=run.name, kind=pb.REPORT_KIND_AGEING, format=hledger),
        "ReadStatement": pb.ReadStatementRequest(run=run.name, merchant=finance.cast.tel.name, format=hledger),
        "ReadLiability": pb.ReadLiabilityRequest(window="windows/1", format=hledger),
        "ReadBreakage": pb.ReadBreakageRequest(currency="currencies/TEL", window="windows/1", format=hledger),
    }

    for method, request in requests.items():
        assert (await refusal(parts_of(finance, finance.maker, method, request))).fields == ("format",)


async def test_the_liability_is_rolled_forward_and_ties(finance: Finance) -> None:
    """Over one window or several; backwards it is refused."""
    await finance.close("windows/2")

    one = await read(finance, finance.maker, "ReadLiability", pb.ReadLiabilityRequest(window="windows/2"))
    both = await read(
        finance, finance.maker, "ReadLiability", pb.ReadLiabilityRequest(window="windows/2", first_window="windows/1")
    )
    backwards = pb.ReadLiabilityRequest(window="windows/1", first_window="windows/2")

    assert one["about"]["ties"] == both["about"]["ties"] == "yes"
    assert [row["closing"] for row in one["units"]] == [row["closing"] for row in both["units"]]
    refused = await refusal(parts_of(finance, finance.maker, "ReadLiability", backwards))
    assert refused.fields == ("first_window",)


async def test_breakage_is_told_window_by_window(finance: Finance) -> None:
    """Without an estimate nothing is recognised."""
    request = pb.ReadBreakageRequest(currency="currencies/TEL", window="windows/1")

    document = await read(finance, finance.maker, "ReadBreakage", request)

    assert document["about"]["currency"] == "TEL"


@pytest.mark.provokes("WINDOW_STATE")
async def test_an_open_window_has_no_detail_liability_or_breakage(finance: Finance) -> None:
    """It is not certain yet what is in it; and of what there is not, there is none."""
    methods: dict[str, Any] = {
        "ReadStatementDetail": lambda window: pb.ReadStatementDetailRequest(
            window=window, merchant=finance.cast.tel.name
        ),
        "ReadStatementProof": lambda window: pb.ReadStatementProofRequest(
            window=window, merchant=finance.cast.tel.name
        ),
        "ReadLiability": lambda window: pb.ReadLiabilityRequest(window=window),
        "ReadBreakage": lambda window: pb.ReadBreakageRequest(currency="currencies/TEL", window=window),
    }

    for method, request in methods.items():
        still_open = await refusal(parts_of(finance, finance.maker, method, request("windows/2")))
        missing = await refusal(parts_of(finance, finance.maker, method, request("windows/99")))
        assert (still_open.reason, missing.reason) == ("WINDOW_STATE", "RESOURCE_NOT_FOUND")


async def test_reports_of_a_run_there_is_not_are_not_found(finance: Finance) -> None:
    """By the field that named it."""
    report = pb.ReadReportRequest(run=NOWHERE, kind=pb.REPORT_KIND_AGEING)
    statement = pb.ReadStatementRequest(run=NOWHERE, merchant=finance.cast.tel.name)

    for method, request in (("ReadReport", report), ("ReadStatement", statement)):
        refused = await refusal(parts_of(finance, finance.maker, method, request))
        assert (refused.reason, refused.metadata["field"]) == ("RESOURCE_NOT_FOUND", "run")
