"""Messages of reports: requests to values, files to parts."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator

from exchange.serving.checks import Violations, known_numbers
from settlement.reports.formats import hledger
from settlement.reports.formats.registry import FORMATS, Format
from settlement.v1 import reports_pb2 as pb

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
