"""Funds as tables and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from settlement.cli.run_tables import money
from settlement.cli.tables import listing
from settlement.defaults.model import Claim
from settlement.funds import rules
from settlement.funds.model import AT_BANK, LiquidityCheck, Posted, Posting
from settlement.funds.service import FundsView


def unsound(view: FundsView) -> list[str]:
    """What is wrong with the book."""
    return rules.unsound(view.book)


def plain(view: FundsView, lines: Sequence[Posted], merchant: str | None) -> dict[str, Any]:
    """Funds as JSON shows them; amounts are minor units."""
    return {
        "balances": [
            {"currency": currency, "participant": account.participant, "purpose": account.purpose, "amount": amount}
            for (currency, account), amount in sorted(view.book.items())
            if merchant in {None, account.participant}
        ],
        "covers": [
            one._asdict() for one in view.covers(merchant)
        ],
        "claims": [plain_claim(one) for one in view.claims_about(merchant)],
        "bank_accounts": [
            {"currency": currency, "account": where, "holds": held.get(where, 0), "owes": owed.get(where, 0)}
            for currency, (held, owed) in sorted(rules.sides(view.book).items())
            for where in sorted(AT_BANK)
        ],
        "unsound": unsound(view),
        "postings": [
            {**plain_posting(one.posting), "posting": one.posting_no, "proposal": f"proposals/{one.proposal_id}",
             "reference": one.reference, "value_date": one.value_date.isoformat(), "at": one.at.isoformat(),
             "person": one.person}
            for one in lines
        ],
    }  # fmt: skip


def plain_claim(one: Claim) -> dict[str, Any]:
    """What is claimed of a defaulter as JSON shows it."""
    figures = ("loss", "claimed", "recovered", "written_off", "remaining", "missing")
    return {
        "participant": one.participant,
        "window": f"windows/{one.window_no}",
        "currency": one.currency,
        **{name: getattr(one, name) for name in figures},
        "stakes": [
            {
                "participant": stake.participant,
                "purpose": stake.purpose,
                "borne": stake.borne,
                "repaid": stake.repaid,
                "written_off": stake.written_off,
            }
            for stake in one.stakes
            if stake.borne
        ],
    }


def _show_claims(console: Console, claims: Iterable[Claim]) -> None:
    rows = []
    for one in claims:
        for stake in one.stakes:
            if stake.borne:
                figures = (money(figure, one.currency) for figure in (*stake[3:], stake.left))
                whose = f"{stake.participant} {_words(stake.purpose)}"
                rows.append((one.participant, f"windows/{one.window_no}", one.currency, whose, *figures))
    if rows:
        columns = (
            "defaulter",
            "window",
            "currency",
            "to be repaid, in this order",
            "stood in",
            "repaid",
            "written off",
            "left",
        )
        console.print(listing("Claims of defaulters", columns, rows))


def plain_posting(one: Posting) -> dict[str, Any]:
    """A posting as JSON shows it."""
    return {
        "way": one.way,
        "currency": one.currency,
        "debit": {"participant": one.debit.participant, "purpose": one.debit.purpose},
        "credit": {"participant": one.credit.participant, "purpose": one.credit.purpose},
        "amount": one.minor_units,
    }


def show(view: FundsView, lines: Sequence[Posted], merchant: str | None) -> None:
    """Print balances, what they cover, the accounts at banks, and the book."""
    console = Console()
    if not view.book:
        console.print("Nobody has left any money: nothing was ever booked.")
    owed = [
        (currency, account.participant, _words(account.purpose), money(amount, currency))
        for (currency, account), amount in sorted(view.book.items())
        if account.purpose not in AT_BANK and merchant in {None, account.participant}
    ]
    if owed:
        console.print(listing("Funds", ("currency", "whose", "for", "balance"), owed))
    covers = [
        (code, name, *(money(figure, code) for figure in figures)) for code, name, *figures in view.covers(merchant)
    ]
    if covers:
        columns = ("currency", "participant", "owes or may owe", "covered by", "net debit cap")
        console.print(listing("What it covers", columns, covers))
    _show_claims(console, view.claims_about(merchant))
    if merchant is None:
        rows = [
            (code, _words(where), money(owing.get(where, 0), code), money(held.get(where, 0), code))
            for code, (held, owing) in sorted(rules.sides(view.book).items())
            for where in sorted(AT_BANK)
        ]
        if rows:
            console.print(listing("At banks, apart", ("currency", "account", "owes", "holds"), rows))
    if lines:
        console.print(book([(str(one.posting_no), one.posting, one.reference) for one in lines]))
    for wrong in unsound(view):
        console.print(f"NOT SOUND: {wrong}")


def book(lines: Iterable[tuple[str, Posting, str]]) -> Table:
    """Postings as a table: a number, what is posted, and what it goes by."""
    rows = [
        (number, f"{one.debit.participant} {_words(one.debit.purpose)}",
         f"{one.credit.participant} {_words(one.credit.purpose)}", reference, one.currency,
         money(one.minor_units, one.currency))
        for number, one, reference in lines
    ]  # fmt: skip
    return listing("Postings", ("no", "debit", "credit", "reference", "currency", "amount"), rows)


def show_liquidity(checks: Sequence[LiquidityCheck]) -> None:
    """Print whether those who pay have the money, where anybody lacks any."""
    console = Console()
    for one in checks:
        if not one.shortfalls:
            continue
        code = one.currency
        rows = [
            (short.participant, *(money(figure, code) for figure in (short.to_pay, short.available, short.missing)))
            for short in one.shortfalls
        ]
        settles = f"{money(one.settles_now, code)} of {money(one.payments, code)} could settle now"
        console.print(f"{code}: funds do not reach ({_DEMANDS[one.demands]}); {settles}", soft_wrap=True)
        console.print(listing("", ("payer", "to pay", "has", "missing"), rows))


_DEMANDS = {"SHOW": "shown only", "ACKNOWLEDGE": "to be acknowledged", "REFUSE": "not approved so"}


def plain_liquidity(checks: Sequence[LiquidityCheck]) -> dict[str, Any]:
    """The same as JSON, by currency; minor units."""
    return {
        one.currency: {
            "demands": one.demands,
            "to_pay": one.to_pay,
            "payments": one.payments,
            "settles_now": one.settles_now,
            "missing": one.missing,
            "short": {
                short.participant: {"to_pay": short.to_pay, "available": short.available, "missing": short.missing}
                for short in one.shortfalls
            },
        }
        for one in checks
    }


def _words(purpose: str) -> str:
    return purpose.lower().replace("_", " ")
