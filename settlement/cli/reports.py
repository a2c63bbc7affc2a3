"""`settlement report | statement | journal | liability | breakage`: what finance and merchants receive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.files import plain_refusals, refused
from settlement.cli.ledger import on_ledger, window_number

if TYPE_CHECKING:
    from uuid import UUID

    from exchange.db.engine import Database
    from settlement.reports.model import Report
    from settlement.reports.service import Reports


class Format(StrEnum):
    """Formats of reports."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


class JournalFormat(StrEnum):
    """Formats of the journal."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    HLEDGER = "hledger"


class Kind(StrEnum):
    """Reports of a window, and the exceptions queue."""

    SUMMARY = "settlement-summary"
    POSITIONS = "net-positions"
    MATRIX = "bilateral-matrix"
    AGEING = "ageing"
    EXCEPTIONS = "exceptions"


Window = Annotated[str, typer.Argument(help="Number of a window that was run.")]
As = Annotated[Format, typer.Option("--format", help="How the file is written.")]
Into = Annotated[Path | None, typer.Option(help="Folder to write the file to. Left out: tables on the screen.")]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON, beside the file if --into is said.")]


def report(
    window: Window,
    kind: Annotated[Kind, typer.Option(help="Which report.")] = Kind.SUMMARY,
    chosen: As = Format.XLSX,
    into: Into = None,
    *,
    json: Json = False,
) -> None:
    """Show or write a report of a window's newest run: summary, positions, matrix, ageing; or the exceptions."""

    async def make(reports: Reports, run_id: UUID) -> Report:
        if kind is Kind.EXCEPTIONS:
            return await reports.exceptions()
        return await reports.of_window(kind.value, run_id)

    _put(_of_window(window, make), chosen.value, into, f"W{_closed(window)}", as_json=json)


def statement(
    window: Window,
    merchant: Annotated[str, typer.Argument(help="Id of a merchant.")],
    chosen: As = Format.PDF,
    into: Into = None,
    *,
    detail: Annotated[bool, typer.Option(help="Write the detail file too: every obligation, as CSV.")] = False,
    proof: Annotated[bool, typer.Option(help="Write what proves it against the window's head: see `head`.")] = False,
    json: Json = False,
) -> None:
    """Show or write a merchant's statement of a window, with every transfer behind it in the detail file.

    With --proof and --format json the merchant can check it without the ledger: docs/reports.md tells how.
    """
    number = _closed(window)

    async def make(reports: Reports, run_id: UUID) -> Report:
        return await reports.merchant_statement(run_id, merchant)

    _put(_of_window(window, make), chosen.value, into, f"W{number}-{merchant}", as_json=json)
    if detail:
        _write_detail(number, merchant, into or Path(), beside_json=json)
    if proof:
        _write_proof(number, merchant, into or Path(), beside_json=json)


def journal(
    window: Window,
    chosen: Annotated[JournalFormat, typer.Option("--format", help="How the file is written.")] = JournalFormat.HLEDGER,
    into: Into = None,
    *,
    json: Json = False,
) -> None:
    """Show or write the journal of a window in every participant's books, with what banks booked of it."""

    async def make(reports: Reports, run_id: UUID) -> Report:
        return await reports.journal(run_id)

    _put(_of_window(window, make), chosen.value, into, f"W{_closed(window)}", as_json=json)


def liability(
    window: Annotated[str, typer.Argument(help="Number of the last window, closed.")],
    first: Annotated[int | None, typer.Option("--from", help="First window. Left out: the last one.", min=1)] = None,
    chosen: As = Format.XLSX,
    into: Into = None,
    *,
    json: Json = False,
) -> None:
    """Roll the points liability forward by issuer and funder. Exit code 1 when it does not tie to the ledger."""
    last = _closed(window)
    if first is not None and first > last:
        refused(f"--from {first}: is after window {last}")

    async def work(database: Database) -> Report:
        from settlement.reports.service import Reports

        return await Reports(database).liability(first or last, last)

    made = on_ledger(work)
    _put(made, chosen.value, into, f"W{last}", as_json=json)
    if ("ties", "Ties to the ledger", "NO") in made.about:
        raise typer.Exit(1)


def breakage(
    currency: Annotated[str, typer.Argument(help="Code of a points currency.")],
    window: Annotated[str, typer.Argument(help="Number of the last window, closed.")],
    chosen: As = Format.XLSX,
    into: Into = None,
    *,
    json: Json = False,
) -> None:
    """Tell what each window recognised of points that will never be used, by the proportional method."""
    last = _closed(window)

    async def work(database: Database) -> Report:
        from settlement.reports.service import Reports

        return await Reports(database).breakage(currency, last)

    _put(on_ledger(work), chosen.value, into, f"W{last}-{currency}", as_json=json)


def _of_window(window: str, make: Callable[[Reports, UUID], Awaitable[Report]]) -> Report:
    number = _closed(window)

    async def work(database: Database) -> Report:
        from settlement.reports.service import Reports
        from settlement.run.service import Runs

        return await make(Reports(database), (await Runs(database).newest(number)).run_id)

    return on_ledger(work)


def _put(made: Report, chosen: str, into: Path | None, prefix: str, *, as_json: bool) -> None:
    """Print a report, or write it to a folder; with `as_json` and a folder both, and where it is goes to stderr."""
    from settlement.reports.formats import hledger
    from settlement.reports.formats.registry import FORMATS

    if into is not None:
        render, suffix = (hledger.render, "journal") if chosen == "hledger" else FORMATS[chosen][:2]
        path = into / f"{prefix}-{made.name}.{suffix}"
        from settlement.month_end.papers import put

        with plain_refusals():
            put(path, render(made))
        typer.echo(str(path), err=as_json)
    if as_json:
        typer.echo(FORMATS["json"].render(made).decode(), nl=False)
    elif into is None:
        from settlement.cli.report_tables import show_report

        show_report(made)


def _write_detail(number: int, merchant: str, into: Path, *, beside_json: bool) -> None:
    """`beside_json`: standard output is the statement's, and a program reads it."""
    path = into / f"W{number}-{merchant}-detail.csv"

    async def work(database: Database) -> None:
        from settlement.month_end.papers import write_detail

        await write_detail(database, number, merchant, path)

    with plain_refusals():
        on_ledger(work)
    typer.echo(str(path), err=beside_json)


def _write_proof(number: int, merchant: str, into: Path, *, beside_json: bool) -> None:
    from settlement.cli.heads import proven
    from settlement.month_end.papers import put

    content = on_ledger(proven(number, merchant))
    path = into / f"W{number}-{merchant}-proof.json"
    with plain_refusals():
        put(path, content)
    typer.echo(str(path), err=beside_json)


def _closed(window: str) -> int:
    number = window_number(window)
    if number is None:
        refused("the open window has no report yet: say the number of a closed one")
    assert number is not None
    return number
