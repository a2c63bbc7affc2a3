"""Messages of reports: requests to values, files to parts."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

from exchange.money.currencies import MINOR_EXPONENT
from exchange.serving.checks import Violations, known_numbers
from exchange.v1 import types_pb2 as types
from settlement.reports.formats import hledger
from settlement.reports.formats.registry import FORMATS, Format
from settlement.v1 import reports_pb2 as pb
from settlement.v1.settlement_service_pb2 import ListObligationsRequest

PART_BYTES_MAX = 256 * 1024
JOURNAL = "journal"
CSV_TYPE = FORMATS["csv"].media_type

KINDS = {
    pb.REPORT_KIND_SETTLEMENT_SUMMARY: "settlement-summary",
    pb.REPORT_KIND_NET_POSITIONS: "net-positions",
    pb.REPORT_KIND_BILATERAL_MATRIX: "bilateral-matrix",
    pb.REPORT_KIND_AGEING: "ageing",
    pb.REPORT_KIND_JOURNAL: JOURNAL,
}
WRITTEN = {
    pb.REPORT_FORMAT_UNSPECIFIED: FORMATS["json"],
    pb.REPORT_FORMAT_JSON: FORMATS["json"],
    pb.REPORT_FORMAT_CSV: FORMATS["csv"],
    pb.REPORT_FORMAT_XLSX: FORMATS["xlsx"],
    pb.REPORT_FORMAT_PDF: FORMATS["pdf"],
    pb.REPORT_FORMAT_HLEDGER: Format(hledger.render, "journal", "text/plain"),
}
_KINDS = known_numbers(pb.ReportKind)
_OBLIGATIONS = known_numbers(types.Obligation.Kind)
_FORMATS = known_numbers(pb.ReportFormat)


def report_kind(check: Violations, path: str, number: int) -> str:
    """A kind of report by name."""
    return KINDS.get(pb.ReportKind.ValueType(check.known(path, number, _KINDS)), "")


def report_format(check: Violations, path: str, number: int, kind: str = "") -> Format:
    """How to write a report; only a journal is written for hledger."""
    if number and check.known(path, number, _FORMATS) != number:
        return WRITTEN[pb.REPORT_FORMAT_JSON]
    if number == pb.REPORT_FORMAT_HLEDGER and kind != JOURNAL:
        check.say(path, "is for REPORT_KIND_JOURNAL only")
    return WRITTEN.get(pb.ReportFormat.ValueType(number), WRITTEN[pb.REPORT_FORMAT_JSON])


def obligations_wanted(request: ListObligationsRequest) -> tuple[int, dict[str, Any]]:
    """Of which window, and which of its obligations: arguments of `exchange_ledger.entries`."""
    check = Violations()
    number = int(check.resource_name("window", request.window, "windows") or 0)
    names = {
        path: check.resource_name(path, value, "merchants") if value else None
        for path, value in (("debtor", request.debtor), ("creditor", request.creditor), ("merchant", request.merchant))
    }
    kind = check.known("kind", request.kind, _OBLIGATIONS) if request.kind else None
    if request.currency_code and request.currency_code not in MINOR_EXPONENT:
        check.say("currency_code", "is no ISO 4217 currency")
    check.raise_if_any()
    pair = {"debtor": names["debtor"], "creditor": names["creditor"]}
    return number, {**pair, "party": names["merchant"], "kind": kind, "currency": request.currency_code or None}


def parts(file_name: str, media_type: str, content: bytes) -> Iterator[pb.ReportPart]:
    """A whole file in parts; an empty one in a single part."""
    for start in range(0, max(len(content), 1), PART_BYTES_MAX):
        part = pb.ReportPart(content=content[start : start + PART_BYTES_MAX])
        if start == 0:
            part.file_name, part.media_type = file_name, media_type
        if start + PART_BYTES_MAX >= len(content):
            part.sha256, part.byte_count = hashlib.sha256(content).hexdigest(), len(content)
        yield part


async def streamed(file_name: str, pieces: AsyncIterator[str]) -> AsyncIterator[pb.ReportPart]:
    """A CSV file of unknown length in parts; memory does not grow with it."""
    digest, byte_count = hashlib.sha256(), 0
    part = pb.ReportPart(file_name=file_name, media_type=CSV_TYPE)
    async for piece in pieces:
        content = piece.encode()
        digest.update(content)
        byte_count += len(content)
        for start in range(0, len(content), PART_BYTES_MAX):
            part.content = content[start : start + PART_BYTES_MAX]
            yield part
            part = pb.ReportPart()
    part.sha256, part.byte_count = digest.hexdigest(), byte_count
    yield part
