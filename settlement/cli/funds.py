"""`settlement funds | deposit | withdraw-funds`: money participants leave with the clearing house."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.files import refused
from settlement.cli.ledger import as_json, identified, on_ledger
from settlement.cli.proposals import show_asked
from settlement.cli.words import Why

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.funds.model import FundsMovement, Posted
    from settlement.funds.service import FundsView
    from settlement.proposals.model import Proposal

POSTINGS_MAX = 10_000
NEWEST = 2**62

Merchant = Annotated[str, typer.Argument(help="Id of a merchant; the operator's for its layer and its own money.")]
Currency = Annotated[str, typer.Argument(help="Settlement currency, such as CNY.")]
Amount = Annotated[int, typer.Argument(help="Minor units.", min=1)]
Reference = Annotated[str, typer.Option(help="What the bank calls it.")]
Day = Annotated[str, typer.Option(help="The day the bank gives it, 2026-03-05.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


class For(StrEnum):
    """What money is for."""

    PREFUNDING = "prefunding"
    COLLATERAL = "collateral"
    GUARANTEE = "guarantee"
    OPERATOR_LAYER = "operator_layer"
    OPERATOR_OWN = "operator_own"
    DEFAULT_COVER = "default_cover"
    LOSS_REPAID = "loss_repaid"


Purpose = Annotated[For, typer.Option("--for", help="What it is for.")]


def funds(
    merchant: Annotated[str | None, typer.Argument(help="Id of a merchant. Left out: everybody.")] = None,
    *,
    postings: Annotated[bool, typer.Option("--postings", help="Also the book, line by line.")] = False,
    json: Json = False,
) -> None:
    """Show what participants left, what it covers, and that it lies apart from the operator's own.

    Exit code 1 when the book is not sound: an account below 0, or a bank account that does not hold what it owes.
    """

    async def work(database: Database) -> tuple[FundsView, list[Posted]]:
        from settlement.funds.service import Funds

        book = Funds(database)
        return await book.view(), await book.page(merchant, NEWEST, POSTINGS_MAX) if postings else []

    view, lines = on_ledger(work)
    from settlement.cli import funds_tables

    if json:
        typer.echo(as_json(funds_tables.plain(view, lines, merchant)))
    else:
        funds_tables.show(view, lines, merchant)
    if funds_tables.unsound(view):
        raise typer.Exit(1)


def deposit(
    merchant: Merchant,
    currency: Currency,
    amount: Amount,
    purpose: Purpose,
    reference: Reference,
    value_date: Day,
    reason: Why = "",
    *,
    json: Json = False,
) -> None:
    """Say that money came to the bank; another person approves the proposal, and it is posted."""
    _propose("DEPOSIT", (merchant, currency, amount), purpose, (reference, value_date, reason), json=json)


def withdraw_funds(
    merchant: Merchant,
    currency: Currency,
    amount: Amount,
    purpose: Purpose,
    reference: Reference,
    value_date: Day,
    reason: Why = "",
    *,
    json: Json = False,
) -> None:
    """Ask that money leaves; refused where what is left would not cover what the participant owes."""
    _propose("WITHDRAWAL", (merchant, currency, amount), purpose, (reference, value_date, reason), json=json)


def _propose(way: str, what: tuple[str, str, int], purpose: For, said: tuple[str, str, str], *, json: bool) -> None:
    movement = _movement(way, what, purpose, said)

    async def work(database: Database) -> Proposal:
        from settlement.proposals.service import Proposals

        actor = await identified(database, "FINANCE_MAKER")
        return (await Proposals(database).propose(movement, actor, said[2]))[0]

    found = on_ledger(work)
    show_asked(found, json=json)


def _movement(way: str, what: tuple[str, str, int], purpose: For, said: tuple[str, str, str]) -> FundsMovement:
    """What was typed, checked as the wire checks it."""
    from exchange.refusals import InvalidField
    from exchange.serving.checks import Violations
    from settlement.api import funds_wire
    from settlement.v1 import funds_pb2 as pb

    merchant, currency, amount = what
    reference, value_date, _ = said
    check = Violations()
    asked = pb.FundsMovement(
        way=pb.FundsMovement.Way.Value(f"WAY_{way}"),
        participant=f"merchants/{merchant}",
        purpose=pb.FundsPurpose.Value(f"FUNDS_PURPOSE_{purpose.name}"),
        currency_code=currency,
        reference=reference,
        value_date=value_date,
        minor_units=min(amount, funds_wire.MINOR_UNITS_MAX + 1),
    )
    found = funds_wire.movement(check, asked, way.lower())
    try:
        check.raise_if_any()
    except InvalidField as wrong:
        refused(str(wrong), wrong)
    return found
