"""A run as tables for people, and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from exchange.money.currencies import MINOR_EXPONENT
from settlement.cli.tables import listing
from settlement.run.canonical import plain, written
from settlement.run.legal import BY_MODE
from settlement.run.life import Decision, RunState, Transition
from settlement.run.model import Chosen, CurrencyResult, Run


def to_json(run: Run, *, replayed: bool, liquidity: Mapping[str, object] | None = None) -> str:
    """The run as one JSON document; amounts are minor units, `micros` micro-units. `liquidity`: where it was asked."""
    return json.dumps(
        {
            "run": run.name,
            "window": f"windows/{run.window_no}",
            "digest": run.digest,
            "state": run.life.state,
            "etag": run.etag,
            "checkers_needed": run.life.checkers_needed,
            "steps": [_plain(one) for one in run.life.transitions],
            "decisions": [_plain(one) for one in run.life.decisions],
            **written(run.configuration),
            "created": run.created_at.isoformat(),
            "created_by": run.created_by,
            "replayed": replayed,
            "closed_on": run.closed_on.isoformat(),
            "currencies": {one.currency: plain(one) for one in run.result},
            **({} if liquidity is None else {"liquidity": liquidity}),
        },
        ensure_ascii=False,
    )


def show_run(run: Run, *, replayed: bool) -> None:
    """Print each currency: the figures, then positions, pairs, payments and what is carried."""
    console = Console()
    again = ", made before" if replayed else ""
    configuration = run.configuration
    legal = "" if configuration.legal_model is BY_MODE[configuration.mode] else f" as {configuration.legal_model}"
    console.print(f"{run.name} of windows/{run.window_no}, {configuration.mode}{legal}{again}")
    for what, names in (
        ("excluded", configuration.excluded),
        ("of them suspended in the exchange", configuration.suspended),
        ("released", configuration.released),
        ("released items", [_chosen(one) for one in configuration.chosen]),
    ):
        if names:
            console.print(f"{what}: {', '.join(names)}", soft_wrap=True)
    if configuration.fx is not None:
        console.print(f"converted by {configuration.fx.fx.title}, {configuration.fx.basis.replace('_', ' ')}")
    console.print(f"digest {run.digest}")
    console.print(where_it_stands(run))
    if not run.result:
        console.print("Nothing is owed: an empty window settles without a payment.")
    for one in run.result:
        console.rule(one.currency)
        for table in _tables(one):
            console.print(table)


def _chosen(one: Chosen) -> str:
    """What is chosen of somebody's held items, in words."""
    parts = [
        one.currency,
        f"owed by {one.debtor}" if one.debtor else "",
        f"owed to {one.creditor}" if one.creditor else "",
        f"since windows/{one.since_window}" if one.since_window else "",
        f"of {one.at_least} and more" if one.at_least else "",
        f"of {one.at_most} and less" if one.at_most else "",
    ]
    return f"{one.participant} ({' '.join(part for part in parts if part)})"


def _plain(one: Transition | Decision) -> dict[str, object]:
    return {**one._asdict(), "at": one.at.isoformat()}


def where_it_stands(run: Run) -> str:
    """One line: the state, who made it, who has checked it, and how many are still missing."""
    life = run.life
    last = life.transitions[-1]
    text = f"{life.state.lower()} by {last.person or last.actor}"
    if life.submission is not None:
        said = ", ".join(decision.person for decision in life.approvals) or "nobody yet"
        submitted = f"submitted by {life.submission.person}"
        approved = f"approved by {said} of {life.checkers_needed} needed"
        both = f"{submitted}, {approved}"
        # The step that is its state is not told a second time.
        text = {RunState.SUBMITTED: both, RunState.APPROVED: f"{approved}; {submitted}"}.get(
            life.state, f"{text}; {both}"
        )
    return text + (f": {last.reason}" if last.reason else "")


def money(amount: int, currency: str) -> str:
    """Minor units as people write the currency: 131755 fen are 1,317.55."""
    places = MINOR_EXPONENT[currency]
    whole, rest = divmod(abs(amount), 10**places)
    text = f"{whole:,}" + (f".{rest:0{places}}" if places else "")
    return f"-{text}" if amount < 0 else text


def _tables(one: CurrencyResult) -> list[Table]:
    code = one.currency
    figures = Table.grid(padding=(0, 2))
    figures.add_column()
    figures.add_column(justify="right")
    for name, amount in (("owed in all", one.gross), ("left by pair", one.bilateral), ("paid", one.paid)):
        figures.add_row(name, money(amount, code))
    if one.held:
        figures.add_row("of it held, not netted", money(one.held, code))
    if one.pay_date:
        figures.add_row("to be paid on", one.pay_date)
    figures.add_row("obligations behind it", f"{one.obligations:,}")
    positions = [(p.participant, money(p.receivable - p.payable, code)) for p in one.positions]
    pairs = [(p.debtor, p.creditor, money(p.gross, code)) for p in one.pairs]
    payments = [(p.payer, p.payee, money(p.amount, code)) for p in one.payments]
    tables = [
        figures,
        listing("Net positions", ("participant", "net"), positions),
        listing("Directed pairs", ("debtor", "creditor", "owed"), pairs),
        listing(f"Payments: {len(payments)}", ("from", "to", "amount"), payments),
    ]
    if one.converted:
        names = ("participant", "into", "rate", "net", "per item", "per position", "difference")
        both_ways = [
            (c.participant, c.into_currency, f"{c.numerator}/{c.denominator}", money(c.net, code),
             money(c.per_item, c.into_currency), money(c.per_position, c.into_currency),
             money(c.difference, c.into_currency))
            for c in one.converted
        ]  # fmt: skip
        tables.append(listing("Converted", names, both_ways))
    for title, items in (("Carried into the next window", one.carried), ("Held", one.held_items)):
        if items:
            rows = [(c.debtor, c.creditor, f"windows/{c.since_window}", c.since, money(c.amount, code)) for c in items]
            tables.append(listing(title, ("debtor", "creditor", "first unpaid in", "on", "amount"), rows))
    return tables
