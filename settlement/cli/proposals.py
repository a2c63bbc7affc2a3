"""`settlement propose | proposals | withdraw`: what holds until changed, and every change under four eyes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from settlement.cli.files import plain_refusals, refused
from settlement.cli.ledger import as_json, identified, on_ledger
from settlement.cli.plain import PROGRAM
from settlement.cli.words import ForTheRecord, Why

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.proposals.model import Proposal

COLLECTION = "proposals/"
PAGE = 200


class What(StrEnum):
    """What a document is about; as the wire calls it."""

    TERMS = "terms"
    TIERS = "tiers"
    EXCLUSIONS = "exclusions"
    CALENDAR = "calendar"
    SPECIAL_CLOSING = "special_closing"
    FUNDS_TERMS = "funds_terms"
    FUNDS_MOVEMENT = "funds_movement"
    DEFAULT_DECLARATION = "default_declaration"
    FX_SET = "fx_set"
    PARTICIPANT_EXIT = "participant_exit"
    DISPUTE_POLICY = "dispute_policy"
    DISPUTE_DECISION = "dispute_decision"
    ADJUSTMENT = "adjustment"
    DEFAULT_RECOVERY = "default_recovery"
    DEFAULT_WRITE_OFF = "default_write_off"


def propose(
    what: Annotated[What, typer.Argument(help="What the document is about.")],
    file: Annotated[Path, typer.Argument(help="The document as YAML or JSON, with the fields of the wire.")],
    reason: Why = "",
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the proposal as JSON.")] = False,
) -> None:
    """Put a document before the checkers; approved by somebody else it holds, or does what it says.

    docs/operations.md tells where one of each kind is shown. Approve with: settlement approve proposals/ID
    --digest DIGEST
    """
    content = read_document(what, file)

    async def work(database: Database) -> Proposal:
        from settlement.proposals.service import Proposals

        actor = await identified(database, "FINANCE_MAKER")
        return (await Proposals(database).propose(content, actor, reason))[0]

    found = on_ledger(work)
    show_asked(found, json=json)


def proposals(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that were decided.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List what waits for a checker, newest first."""

    async def work(database: Database) -> list[Proposal]:
        from settlement.proposals.service import Proposals

        found = await Proposals(database).page(None, waiting=not everything, before=2**62, limit=PAGE)
        return [proposal for _, proposal in found]

    found = on_ledger(work)
    if json:
        typer.echo(as_json([plain(one) for one in found]))
        return
    from rich.console import Console

    from settlement.cli.tables import listing

    rows = [
        (one.name, one.kind.lower(), one.state.lower() + (", in force" if one.in_force else ""), one.proposed.person,
         one.proposed.at.isoformat(timespec="minutes"), one.digest[:12])
        for one in found
    ]  # fmt: skip
    Console().print(listing("Proposals", ("name", "about", "state", "by", "at", "digest"), rows))


def withdraw(
    proposal: Annotated[str, typer.Argument(help="proposals/ID that nobody has decided on.")],
    reason: ForTheRecord,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the proposal as JSON.")] = False,
) -> None:
    """Take a proposal back."""
    proposal_id = id_in(proposal)

    async def work(database: Database) -> Proposal:
        from settlement.proposals.service import Proposals

        actor = await identified(database, "FINANCE_MAKER")
        return (await Proposals(database).withdraw(proposal_id, actor, reason))[0]

    show(on_ledger(work), json=json)


def read_document(what: What, file: Path) -> Any:
    """The document in a file, checked as the wire checks it; what is wrong ends the command, field by field."""
    from google.protobuf import json_format

    from exchange.refusals import InvalidField
    from exchange.serving.checks import Violations
    from settlement.api import proposal_wire
    from settlement.v1 import settlement_service_pb2 as pb
    from settlement.yaml_documents import BadDocument, read_plain

    check, proposal = Violations(), pb.Proposal()
    try:
        with plain_refusals():
            document = read_plain(file)
        json_format.ParseDict({what.value: document}, proposal)
        content = proposal_wire.content(check, proposal, path=file.name)
        check.raise_if_any()
    except (BadDocument, json_format.ParseError, InvalidField) as wrong:
        refused(f"{file.name}: {wrong}", wrong)
        raise
    return content


def id_in(name: str) -> UUID:
    """The id in a proposal's name; anything else ends the command."""
    try:
        return UUID(name.removeprefix(COLLECTION))
    except ValueError as wrong:
        refused(f"{name} is no proposal: say proposals/ID", wrong)
        raise


def plain(one: Proposal) -> dict[str, Any]:
    """A proposal as JSON shows it."""
    from settlement.proposals.content import plain as plain_content

    said = {"proposed": one.proposed, "decided": one.decision}
    return {
        "proposal": one.name,
        "about": one.kind.lower(),
        "state": one.state,
        "in_force": one.in_force,
        "digest": one.digest,
        "replaces": f"{COLLECTION}{one.replaces}" if one.replaces else None,
        **{name: who and {**who._asdict(), "at": who.at.isoformat()} for name, who in said.items()},
        "content": plain_content(one.content),
    }


def show_asked(one: Proposal, *, json: bool) -> None:
    """What was just put before the checkers, and what another person types to approve it."""
    show(one, json=json)
    if not json and one.decision is None:
        typer.echo(f"Next, by another person: {PROGRAM} approve {one.name} --digest {one.digest[:12]}")


def show(one: Proposal, *, json: bool) -> None:
    """Print a proposal."""
    if json:
        typer.echo(as_json(plain(one)))
        return
    from json import loads

    from yaml import safe_dump

    last = one.decision or one.proposed
    typer.echo(f"{one.name}, {one.kind.lower()}: {one.state.lower()} by {last.person}")
    typer.echo(f"digest {one.digest}")
    # Through JSON, which makes plain text of whatever a document's values are.
    typer.echo(safe_dump(loads(as_json(plain(one)["content"])), allow_unicode=True, sort_keys=False).rstrip())
