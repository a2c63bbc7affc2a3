"""`settlement disputes | dispute | assign-dispute | decide-dispute | end-disputes | adjustments | adjust`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from settlement.cli.files import refused
from settlement.cli.ledger import as_json, identified, on_ledger, window_number
from settlement.cli.proposals import show_asked
from settlement.cli.words import MINOR_UNITS_MAX, Why, in_one_line

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.disputes.model import Adjustment, Dispute
    from settlement.proposals.model import Content, Proposal

OWNER_MAX = 64
ROWS_MAX = 10_000
NEWEST = 2**62

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Name = Annotated[str, typer.Argument(help="disputes/ID", metavar="DISPUTE")]
OfWindow = Annotated[str, typer.Option(help="Only of this window: its number.")]


def disputes(
    window: OfWindow = "",
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    json: Json = False,
) -> None:
    """List the disputes in which somebody has something to do, newest first."""
    number = window_number(window) if window else None

    async def work(database: Database) -> list[Dispute]:
        from settlement.disputes.service import Disputes, Wanted

        wanted = Wanted(window_no=number, waiting=not everything)
        return await Disputes(database).page(wanted, NEWEST, ROWS_MAX)

    found = on_ledger(work)
    from settlement.cli import dispute_tables

    if json:
        typer.echo(as_json([dispute_tables.plain(one) for one in found]))
        return
    dispute_tables.show_disputes(found)


def dispute(name: Name, *, json: Json = False) -> None:
    """Show a dispute with everything that happened to it."""
    dispute_id = id_in(name)

    async def work(database: Database) -> Dispute:
        from settlement.disputes.service import Disputes

        return await Disputes(database).read(dispute_id, None)

    _show(on_ledger(work), json=json)


def assign_dispute(
    name: Name,
    owner: Annotated[str, typer.Argument(help="Who looks after it from now on.", callback=in_one_line(1, OWNER_MAX))],
    *,
    json: Json = False,
) -> None:
    """Name who looks after a dispute."""
    dispute_id = id_in(name)

    async def work(database: Database) -> Dispute:
        from settlement.disputes.service import Disputes

        actor = await identified(database, "FINANCE_MAKER")
        return (await Disputes(database).assign(dispute_id, owner, actor))[0]

    _show(on_ledger(work), json=json)


def decide_dispute(
    name: Name,
    upheld: Annotated[
        int, typer.Option(min=0, max=MINOR_UNITS_MAX, help="Minor units that are not owed; 0 rejects the claim.")
    ],
    reason: Why = "",
    *,
    json: Json = False,
) -> None:
    """Put a decision of a contested dispute before the checkers: approved by somebody else, it ends the dispute."""
    from settlement.disputes.model import DisputeDecision

    _propose(DisputeDecision(id_in(name), upheld), reason, json=json)


def adjust(
    debtor: Annotated[str, typer.Argument(help="Who owes: GRO.")],
    creditor: Annotated[str, typer.Argument(help="Whom: TEL.")],
    amount: Annotated[int, typer.Argument(min=1, max=MINOR_UNITS_MAX, help="How much more, in minor units.")],
    currency: Annotated[str, typer.Argument(help="ISO 4217 code.")],
    evidence: Annotated[str, typer.Option(help="Where what proves it is kept.")],
    reason: Why = "",
    transfer: Annotated[str, typer.Option(help="transfers/ID it is about. Left out: none.")] = "",
    *,
    json: Json = False,
) -> None:
    """Put an adjustment before the checkers: approved by somebody else, it is netted with the window open then."""
    from exchange.refusals import InvalidField
    from exchange.serving.checks import Violations
    from settlement.api import dispute_wire
    from settlement.v1 import disputes_pb2 as pb

    check = Violations()
    asked = pb.AgreedAdjustment(
        debtor=f"merchants/{debtor.removeprefix('merchants/')}",
        creditor=f"merchants/{creditor.removeprefix('merchants/')}",
        currency_code=currency,
        minor_units=amount,
        evidence=evidence,
        transfer=transfer,
    )
    agreed = dispute_wire.agreed(check, asked, "adjust")
    try:
        check.raise_if_any()
    except InvalidField as wrong:
        refused(str(wrong), wrong)
    _propose(agreed, reason, json=json)


def end_disputes(*, json: Json = False) -> None:
    """End disputes whose deadline passed unused, or of which reversals left nothing. The scheduler does the same."""

    async def work(database: Database) -> tuple[str, ...]:
        from settlement.disputes.deadlines import Deadlines
        from settlement.windows.scheduler import SCHEDULER

        return await Deadlines(database, SCHEDULER).look()

    ended = on_ledger(work)
    typer.echo(as_json({"ended": ended}) if json else "\n".join(f"ended {name}" for name in ended) or "nothing is due")


def adjustments(window: OfWindow = "", *, json: Json = False) -> None:
    """List what is owed beside what transfers say, newest first."""
    number = window_number(window) if window else None

    async def work(database: Database) -> list[Adjustment]:
        from settlement.disputes.service import Disputes

        return await Disputes(database).adjustments(None, number, NEWEST, ROWS_MAX)

    found = on_ledger(work)
    from settlement.cli import dispute_tables

    if json:
        typer.echo(as_json([dispute_tables.plain_adjustment(one) for one in found]))
        return
    dispute_tables.show_adjustments(found)


def id_in(name: str) -> UUID:
    """The id in a dispute's name; anything else ends the command."""
    try:
        return UUID(name.removeprefix("disputes/"))
    except ValueError as wrong:
        refused(f"{name} is no dispute: say disputes/ID", wrong)
        raise


def _propose(content: Content, reason: str, *, json: bool) -> None:
    async def work(database: Database) -> Proposal:
        from settlement.proposals.service import Proposals

        actor = await identified(database, "FINANCE_MAKER")
        return (await Proposals(database).propose(content, actor, reason))[0]

    show_asked(on_ledger(work), json=json)


def _show(found: Any, *, json: bool) -> None:
    from settlement.cli import dispute_tables

    if json:
        typer.echo(as_json(dispute_tables.plain(found)))
        return
    dispute_tables.show_dispute(found)
