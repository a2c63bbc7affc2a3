"""`settlement accounts | set-account | confirm-account`: where participants are paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.files import refused
from settlement.cli.ledger import identified, on_ledger
from settlement.cli.words import NUMBER_MAX

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.bank_details.model import BankDetails

ROWS_MAX = 10_000

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Merchant = Annotated[str, typer.Argument(help="Id of a merchant; the operator's is that of the clearing account.")]
Currency = Annotated[str, typer.Argument(help="Settlement currency, such as CNY.")]


def accounts(
    merchant: Annotated[str | None, typer.Argument(help="Id of a merchant. Left out: everybody.")] = None,
    *,
    json: Json = False,
) -> None:
    """Show where participants are paid, every version with who set and who confirmed it."""

    async def work(database: Database) -> list[BankDetails]:
        from settlement.bank_details.service import BankDetailsBook

        return await BankDetailsBook(database).page(merchant, ("", "", 0), ROWS_MAX)

    found = on_ledger(work)
    from settlement.cli import payment_tables

    if json:
        typer.echo(payment_tables.accounts_to_json(found))
        return
    payment_tables.show_accounts(found)


def set_account(
    merchant: Merchant,
    currency: Currency,
    holder: Annotated[str, typer.Option(help="Whose account it is, as the bank writes it.")],
    iban: Annotated[str, typer.Option(help="International number; else --number.")] = "",
    number: Annotated[str, typer.Option(help="Domestic number; else --iban.")] = "",
    bic: Annotated[str, typer.Option(help="The bank's code; else --clearing-system and --clearing-member.")] = "",
    clearing_system: Annotated[str, typer.Option(help="Code of a clearing system, such as CNAPS.")] = "",
    clearing_member: Annotated[str, typer.Option(help="The bank's number in it.")] = "",
    *,
    json: Json = False,
) -> None:
    """Set where a participant is paid. It counts once another person has confirmed it."""
    from exchange.money.currencies import MINOR_EXPONENT
    from settlement.bank_details.model import BankAccount, flaws

    account = BankAccount(holder, iban, number, bic, clearing_system, clearing_member)
    wrong = [f"--{field.replace('_', '-')} {what}" for field, what in flaws(account)]
    if currency not in MINOR_EXPONENT:
        wrong.append(f"{currency} is no ISO 4217 currency")
    if wrong:
        refused("; ".join(wrong))

    async def work(database: Database) -> BankDetails:
        from settlement.bank_details.service import BankDetailsBook

        actor = await identified(database, "OPERATOR")
        return (await BankDetailsBook(database).set(merchant, currency, account, actor))[0]

    details = on_ledger(work)
    _say(details, json=json)
    if not json and details.confirmed_at is None:
        command = f"confirm-account {merchant} {currency} --version {details.version}"
        typer.echo(f"Next, by another person: python -m settlement {command}")


def confirm_account(
    merchant: Merchant,
    currency: Currency,
    version: Annotated[int, typer.Option(help="Which version was looked at.", min=1, max=NUMBER_MAX)],
    *,
    json: Json = False,
) -> None:
    """Confirm the newest account somebody else set, by the version that was looked at."""

    async def work(database: Database) -> BankDetails:
        from settlement.bank_details.service import BankDetailsBook

        actor = await identified(database, "FINANCE_CHECKER")
        return (await BankDetailsBook(database).confirm(merchant, currency, version, actor))[0]

    _say(on_ledger(work), json=json)


def _say(details: BankDetails, *, json: bool) -> None:
    from settlement.cli import payment_tables

    if json:
        typer.echo(payment_tables.accounts_to_json([details]))
        return
    payment_tables.show_accounts([details])
