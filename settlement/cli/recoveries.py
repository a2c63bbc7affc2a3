"""`settlement recover | write-off`: money came back from a defaulter, or is claimed no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.files import refused
from settlement.cli.ledger import identified, on_ledger, window_number
from settlement.cli.proposals import show_asked
from settlement.cli.words import Why, in_one_line

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.defaults.model import DefaultRecovery
    from settlement.defaults.write_off_model import DefaultWriteOff
    from settlement.proposals.model import Proposal


def recover(
    merchant: Annotated[str, typer.Argument(help="Id of the merchant that had defaulted.")],
    window: Annotated[str, typer.Argument(help="Number of the window whose run it had not paid.")],
    currency: Annotated[str, typer.Argument(help="Settlement currency, such as CNY.")],
    amount: Annotated[int, typer.Argument(help="Minor units that came.", min=1)],
    reference: Annotated[str, typer.Option(help="What the bank calls it.")],
    value_date: Annotated[str, typer.Option(help="The day the bank gives it, 2026-03-05.")],
    reason: Why = "",
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Say that money came back from a defaulter: the proposal shows who is repaid, another person approves it.

    Whoever stood in last is repaid first, and nobody gets more than it gave. `funds` tells what is still claimed.
    """
    recovery = _recovery((merchant, window, currency, amount), reference, value_date)

    async def work(database: Database) -> Proposal:
        from settlement.proposals.service import Proposals

        actor = await identified(database, "FINANCE_MAKER")
        return (await Proposals(database).propose(recovery, actor, reason))[0]

    found = on_ledger(work)
    show_asked(found, json=json)


def write_off(
    merchant: Annotated[str, typer.Argument(help="Id of the merchant that had defaulted.")],
    window: Annotated[str, typer.Argument(help="Number of the window whose run it had not paid.")],
    currency: Annotated[str, typer.Argument(help="Settlement currency, such as CNY.")],
    amount: Annotated[int, typer.Argument(help="Minor units that are claimed no more.", min=1)],
    reason: Annotated[str, typer.Option(help="Why nobody expects it to be paid.", callback=in_one_line(1))],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Give up a claim of a defaulter, or a part: the proposal shows whose loss that is, another person approves it.

    Whoever would be repaid last bears it first. Should it come back all the same, `recover` repays them.
    """
    asked = _write_off((merchant, window, currency, amount))

    async def work(database: Database) -> Proposal:
        from settlement.proposals.service import Proposals

        actor = await identified(database, "FINANCE_MAKER")
        return (await Proposals(database).propose(asked, actor, reason))[0]

    found = on_ledger(work)
    show_asked(found, json=json)


def _write_off(what: tuple[str, str, str, int]) -> DefaultWriteOff:
    """What was typed, checked as the wire checks it."""
    from exchange.refusals import InvalidField
    from exchange.serving.checks import Violations
    from settlement.api import default_wire
    from settlement.api.funds_wire import MINOR_UNITS_MAX
    from settlement.v1 import funds_pb2 as pb

    merchant, window, currency, amount = what
    check = Violations()
    asked = pb.DefaultWriteOff(
        participant=f"merchants/{merchant}",
        window=f"windows/{_defaulted_on(window)}",
        currency_code=currency,
        minor_units=min(amount, MINOR_UNITS_MAX + 1),
    )
    found = default_wire.write_off(check, asked, "write_off")
    try:
        check.raise_if_any()
    except InvalidField as wrong:
        refused(str(wrong), wrong)
    return found


def _defaulted_on(window: str) -> int:
    number = window_number(window)
    if number is None:
        refused("nobody defaults on the open window: say the number of one that was run")
    assert number is not None
    return number


def _recovery(what: tuple[str, str, str, int], reference: str, value_date: str) -> DefaultRecovery:
    """What was typed, checked as the wire checks it."""
    from exchange.refusals import InvalidField
    from exchange.serving.checks import Violations
    from settlement.api import default_wire
    from settlement.api.funds_wire import MINOR_UNITS_MAX
    from settlement.v1 import funds_pb2 as pb

    merchant, window, currency, amount = what
    check = Violations()
    asked = pb.DefaultRecovery(
        participant=f"merchants/{merchant}",
        window=f"windows/{_defaulted_on(window)}",
        currency_code=currency,
        minor_units=min(amount, MINOR_UNITS_MAX + 1),
        reference=reference,
        value_date=value_date,
    )
    found = default_wire.recovery(check, asked, "recovery")
    try:
        check.raise_if_any()
    except InvalidField as wrong:
        refused(str(wrong), wrong)
    return found
