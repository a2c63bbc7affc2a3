"""Payments, files, accounts and exceptions as tables for people, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from settlement.bank_details.model import BankDetails
from settlement.cli.ledger import as_json
from settlement.cli.run_tables import money
from settlement.cli.tables import listing
from settlement.payments.exceptions import PaymentException
from settlement.payments.files import PaymentFile
from settlement.payments.model import AttemptState, LegView
from settlement.run.model import Run


def to_json(run: Run, legs: Sequence[LegView], files: Sequence[PaymentFile]) -> str:
    """How far a run's payments are; amounts in minor units."""
    return as_json(
        {
            "run": run.name,
            "window": f"windows/{run.window_no}",
            "state": run.life.state,
            "payments": [{**view.leg._asdict(), **view._asdict(), "leg": view.leg.leg_no} for view in legs],
            "files": [_file(file) for file in files],
        }
    )


def show(run: Run, legs: Sequence[LegView], files: Sequence[PaymentFile]) -> None:
    """The payments with their states, what each currency has settled, and the files."""
    console = Console()
    console.print(f"{run.name} of windows/{run.window_no}: {run.life.state.lower().replace('_', ' ')}")
    rows = [(str(v.leg.leg_no), v.leg.payer, v.leg.payee, v.end_to_end_id or "-", _state(v), _amount(v)) for v in legs]
    console.print(listing("Payments", ("no", "from", "to", "EndToEndId", "state", "amount"), rows))
    for currency in dict.fromkeys(view.leg.currency for view in legs):
        there = [view for view in legs if view.leg.currency == currency]
        settled = sum(view.due.minor_units for view in there if view.state is AttemptState.SETTLED)
        asked = sum(view.leg.minor_units for view in there)
        covered = sum(view.leg.minor_units for view in there if view.state is AttemptState.COVERED)
        borne = sum(view.borne for view in there if view.state is not AttemptState.COVERED)
        beside = f", others stand in for {money(covered, currency)}" if covered else ""
        beside += f", payees bear {money(borne, currency)}" if borne else ""
        console.print(f"{currency}: {money(settled, currency)} of {money(asked, currency)} settled{beside}")
    if files:
        show_files(files, None)


def _state(view: LegView) -> str:
    said = view.booked_on.isoformat() if view.booked_on else view.reason
    attempt = f" (attempt {view.attempt})" if view.attempt > 1 else ""
    return f"{view.state.lower()}{f' {said}' if said else ''}{attempt}"


def _amount(view: LegView) -> str:
    less = f", less {money(view.borne, view.leg.currency)} borne" if view.borne else ""
    return f"{view.leg.currency} {money(view.leg.minor_units, view.leg.currency)}{less}"


def files_to_json(files: Sequence[PaymentFile], into: Path) -> str:
    """The files that were written."""
    return as_json([{**_file(file), "path": str(into / file.file_name)} for file in files])


def show_files(files: Sequence[PaymentFile], into: Path | None) -> None:
    """The files with count, control sum and digest."""
    console = Console()
    if not files:
        console.print("Nothing is to be paid: no file.")
        return
    rows = [
        (f.file_name if into is None else str(into / f.file_name), f.format, str(f.execution_date), f.sha256[:12],
         str(f.payments), f"{f.currency} {money(f.control_sum, f.currency)}")
        for f in files
    ]  # fmt: skip
    columns = ("file", "format", "pay on", "sha256", "payments", "control sum")
    console.print(listing("Payment files", columns, rows))


def accounts_to_json(found: Sequence[BankDetails]) -> str:
    """Bank details with every version."""
    return as_json([_account(details) for details in found])


def show_accounts(found: Sequence[BankDetails]) -> None:
    """Bank details as a table."""
    rows = [
        (d.name, d.account.holder, d.account.identification, d.account.agent, d.set_person, d.confirmed_person or "-")
        for d in found
    ]
    columns = ("name", "holder", "account", "bank", "set by", "confirmed by")
    Console().print(listing("Bank details", columns, rows))


def exceptions_to_json(found: Sequence[PaymentException]) -> str:
    """Exceptions as they stand."""
    return as_json([one._asdict() for one in found])


def show_exceptions(found: Sequence[PaymentException]) -> None:
    """Exceptions as a table."""
    console = Console()
    if not found:
        console.print("No exception waits.")
        return
    rows = [
        (str(x.exception_no), x.kind.lower().replace("_", " "), x.end_to_end_id or "-", x.bank_message_id,
         f"{x.note} ({x.resolved_by})" if x.note else "waits", x.said)
        for x in found
    ]  # fmt: skip
    columns = ("no", "kind", "about", "message", "state", "said")
    console.print(listing(f"Exceptions: {len(found)}", columns, rows))


def _file(file: PaymentFile) -> dict[str, Any]:
    return {"name": file.name, **file._asdict()}


def _account(details: BankDetails) -> dict[str, Any]:
    there = details.account
    return {
        "name": details.name,
        "participant": details.participant,
        "currency": details.currency,
        "version": details.version,
        "holder": there.holder,
        "account": there.identification,
        "bank": there.agent,
        "set_at": details.set_at,
        "set_by": details.set_by,
        "confirmed_at": details.confirmed_at,
        "confirmed_by": details.confirmed_by,
    }
