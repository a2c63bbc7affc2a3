"""Every paper of a settled window, into a folder: each whole or not at all, and the same bytes when made again."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from exchange.db.engine import Database
from settlement.month_end.model import Progress
from settlement.proofs.service import Proofs
from settlement.reports.detail import detail
from settlement.reports.formats import hledger
from settlement.reports.formats.registry import FORMATS
from settlement.reports.model import Report
from settlement.reports.service import OF_WINDOW, Reports

FOR_FINANCE = {"settlement-summary": ("xlsx", "pdf"), "net-positions": ("csv",), "bilateral-matrix": ("csv",),
               "ageing": ("csv",)}  # fmt: skip
FOR_MERCHANTS = ("pdf", "csv", "json")


def put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: whoever reads it never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(path)


async def write_papers(
    database: Database, window_no: int, run_id: UUID, into: Path, progress: Progress
) -> tuple[str, ...]:
    """Reports, statements with details and proofs, journal, points liability; the paths of all."""
    reports, proofs = Reports(database), Proofs(database)
    participants = await reports.participants(run_id)
    written: list[str] = []

    def add(path: Path, content: bytes) -> None:
        put(path, content)
        written.append(str(path))

    def render(report: Report, formats: tuple[str, ...], folder: Path, name: str) -> None:
        for chosen in formats:
            add(folder / f"{name}.{FORMATS[chosen].suffix}", FORMATS[chosen].render(report))

    assert FOR_FINANCE.keys() == OF_WINDOW.keys(), "every report has its formats"
    for name, formats in FOR_FINANCE.items():
        progress(name, 0, 0)
        render(await reports.of_window(name, run_id), formats, into / "reports", f"W{window_no}-{name}")
    render(await reports.exceptions(), ("csv",), into / "reports", f"W{window_no}-exceptions")
    journal = await reports.journal(run_id)
    render(journal, ("csv",), into / "journal", f"W{window_no}-journal")
    add(into / "journal" / f"W{window_no}.journal", hledger.render(journal))
    render(await reports.liability(window_no, window_no), ("xlsx",), into / "reports", f"W{window_no}-points-liability")
    for number, name in enumerate(participants):
        progress("statements", number, len(participants))
        folder, title = into / "statements", f"W{window_no}-{name}"
        render(await reports.merchant_statement(run_id, name), FOR_MERCHANTS, folder, title)
        written.append(str(await write_detail(database, window_no, name, folder / f"{title}-detail.csv")))
        add(folder / f"{title}-proof.json", await proofs.proof(window_no, name))
    return tuple(written)


async def write_detail(database: Database, window_no: int, participant: str, path: Path) -> Path:
    """Streamed, so that a large window takes little memory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        async for piece in detail(database, window_no, participant):
            file.write(piece)
    unfinished.replace(path)
    return path
