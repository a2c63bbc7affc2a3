"""The audit at the command line: progress while it runs, a table or JSON when it is done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from exchange.db.engine import Database
from exchange.db.migrate import History
from exchange.ledger.audit import CHECKS, Finding, audit
from exchange.ledger.halting import halt


def run(
    url: str, histories: Sequence[History], *, as_json: bool, halt_when_wrong: bool, resume_when_right: bool
) -> int:
    """Audit the ledger; 0 when nothing is wrong, 1 otherwise.

    Raises:
        StartRefused: the database cannot be used, or its schema is behind.
    """
    findings = asyncio.run(_audit(url, histories, halt_when_wrong=halt_when_wrong, resume_when_right=resume_when_right))
    ok = all(finding.ok for finding in findings)
    if as_json:
        checks = [{"check": f.check, "ok": f.ok, "differences": f.differences} for f in findings]
        print(json.dumps({"ok": ok, "checks": checks}, ensure_ascii=False))  # noqa: T201
    else:
        _print(findings)
    return 0 if ok else 1


async def _audit(
    url: str, histories: Sequence[History], *, halt_when_wrong: bool, resume_when_right: bool
) -> list[Finding]:
    database = Database(url)
    columns = (TextColumn("{task.description:<70}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        await database.check(histories, durable=False)
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("audit", total=len(CHECKS))

            def progress(name: str) -> None:
                bar.update(task, description=name, advance=1)

            findings = await audit(database, progress)
        ok = all(finding.ok for finding in findings)
        if (halt_when_wrong and not ok) or (resume_when_right and ok):
            await halt(database, halted=not ok)
    finally:
        await database.dispose()
    return findings


def _print(findings: list[Finding]) -> None:
    console = Console()
    table = Table("", "what must hold", title="Ledger audit")
    for finding in findings:
        table.add_row("[green]✓[/]" if finding.ok else "[red]✗[/]", finding.check)
    console.print(table)
    for finding in findings:
        for difference in finding.differences:
            figures = ", ".join(f"{name} {value}" for name, value in difference.items())
            console.print(f"[red]{finding.check}[/]: {figures}")
