"""Items that are held, as people choose some of them: `held` shows what `release` would let enter netting again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.files import refused
from settlement.cli.ledger import window_number
from settlement.cli.words import MINOR_UNITS_MAX

if TYPE_CHECKING:
    from settlement.proposals.model import Release

HeldFor = Annotated[str, typer.Argument(help="Id of the merchant for whose sake items are held.")]
OfCurrency = Annotated[str, typer.Option(help="Only items of this settlement currency.")]
OwedBy = Annotated[str, typer.Option(help="Only what this merchant owes.")]
OwedTo = Annotated[str, typer.Option(help="Only what is owed to this merchant.")]
Since = Annotated[str, typer.Option(help="Only what was first left unpaid in this window.")]
Minor = Annotated[int, typer.Option(help="Minor units.", min=0, max=MINOR_UNITS_MAX)]


def asked_release(named: tuple[str, str], chosen: tuple[str, str, str, str], amounts: tuple[int, int]) -> Release:
    """What was typed, checked as the wire checks it."""
    from exchange.refusals import InvalidField
    from exchange.serving.checks import Violations
    from settlement.api import exclusion_wire
    from settlement.v1 import settlement_service_pb2 as pb

    currency, debtor, creditor, since = chosen
    check = Violations()
    asked = pb.Release(
        participant=f"merchants/{named[0]}",
        window=_window(named[1]),
        currency_code=currency,
        debtor=f"merchants/{debtor}" if debtor else "",
        creditor=f"merchants/{creditor}" if creditor else "",
        since_window=_window(since) if since else "",
        at_least_minor_units=amounts[0],
        at_most_minor_units=amounts[1],
    )
    found = exclusion_wire.release(check, asked, "release")
    try:
        check.raise_if_any()
    except InvalidField as wrong:
        refused(str(wrong), wrong)
    return found


def _window(text: str) -> str:
    number = window_number(text)
    if number is None:
        refused("say the window by its number")
    return f"windows/{number}"
