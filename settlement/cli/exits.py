"""`settlement drill exit` and `settlement exit`: see what is left of a merchant, and certify that nothing is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from settlement.cli.defaults import Json, Merchant, drill
from settlement.cli.files import refused
from settlement.cli.ledger import as_json, identified, on_ledger
from settlement.cli.proposals import show_asked
from settlement.cli.words import Why

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.exits.model import Finding, ParticipantExit, Subject
    from settlement.proposals.model import Proposal


@drill.command("exit")
def drill_exit(merchant: Merchant, *, json: Json = False) -> None:
    """Show what stands between a merchant and leaving, and what to do about each. Nothing is written."""

    async def work(database: Database) -> ParticipantExit:
        from settlement.exits.service import Exits

        return await Exits(database).drill(merchant)

    found = on_ledger(work)
    if json:
        typer.echo(as_json(_plain(found)))
        return
    _show(found)


def leave(
    merchant: Merchant,
    waive: Annotated[
        list[str] | None,
        typer.Option(help="points_issued=REASON or points_funded=REASON: why such points may be left."),
    ] = None,
    reason: Why = "",
    *,
    json: Json = False,
) -> None:
    """Certify that a merchant has left with nothing between it and the coalition; another person approves."""
    waivers = dict(_waiver(text) for text in waive or [])

    async def work(database: Database) -> Proposal:
        from settlement.exits.model import ParticipantExit
        from settlement.proposals.service import Proposals

        actor = await identified(database, "FINANCE_MAKER")
        return (await Proposals(database).propose(ParticipantExit(merchant, waivers), actor, reason))[0]

    found = on_ledger(work)
    show_asked(found, json=json)


def _waiver(text: str) -> tuple[Subject, str]:
    from settlement.api.wire import REASON_MAX
    from settlement.exits.model import WAIVABLE, Subject

    name, _, why = text.partition("=")
    names = {one.lower(): one for one in WAIVABLE}
    if name not in names or not 1 <= len(why) <= REASON_MAX:
        refused(
            f"--waive {text}: say one of {', '.join(sorted(names))}, = and a reason of at most {REASON_MAX} characters"
        )
    return Subject(names[name]), why


def _plain(found: ParticipantExit) -> dict[str, Any]:
    from settlement.exits.content import plain_finding
    from settlement.exits.model import NEXT, Subject

    return {
        "dry_run": True,
        "participant": found.participant,
        "open_window": f"windows/{found.window_no}",
        "zero": not found.findings,
        "subjects": {
            subject: {"left": _count(found, subject), "next": NEXT[subject] if _count(found, subject) else ""}
            for subject in Subject
        },
        "left": [plain_finding(one) for one in found.findings],
    }


def _count(found: ParticipantExit, subject: Subject) -> int:
    return sum(one.subject is subject for one in found.findings)


def _show(found: ParticipantExit) -> None:
    from rich.console import Console

    from settlement.cli.tables import listing
    from settlement.exits.model import NEXT, Subject

    console = Console()
    console.print(f"Dry run: {found.participant} leaves. Nothing is written.", soft_wrap=True)
    rows = [(one.subject.lower().replace("_", " "), one.what, _amount(one)) for one in found.findings]
    if rows:
        console.print(listing("What is left", ("of", "where", "amount"), rows))
    for subject in Subject:
        count = _count(found, subject)
        name = subject.lower().replace("_", " ")
        console.print(f"{name}: {f'{count} left; {NEXT[subject]}' if count else 'nothing left'}", soft_wrap=True)
    if not found.findings:
        console.print(f"Next: python -m settlement exit {found.participant}", soft_wrap=True)


def _amount(one: Finding) -> str:
    from settlement.cli.run_tables import money
    from settlement.exits.model import Unit

    if one.unit is Unit.YES:
        return "yes"
    if one.unit is Unit.MINOR_UNITS:
        return f"{money(one.amount, one.currency)} {one.currency}"
    units = {Unit.MICROS: f"{one.currency} micro-units", Unit.POINTS: one.currency, Unit.ITEMS: ""}[one.unit]
    return f"{one.amount:,} {units}".rstrip()
