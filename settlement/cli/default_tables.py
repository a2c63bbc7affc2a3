"""What a default would come to, as tables and as JSON."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from settlement.cli.funds_tables import book
from settlement.cli.run_tables import money
from settlement.cli.tables import listing
from settlement.defaults.content import plain_posting, plain_waterfall
from settlement.defaults.model import Change, Waterfall
from settlement.defaults.service import Drill


def plain(found: Drill) -> dict[str, Any]:
    """A drill as JSON shows it; amounts are minor units."""
    declaration = found.declaration
    falls = {fall.currency: fall for fall in declaration.waterfalls}
    return {
        "dry_run": True,
        "participant": declaration.participant,
        "window": f"windows/{declaration.window_no}",
        "run": found.run.name,
        "digest": found.run.digest,
        "currencies": {
            currency: {
                "waterfall": plain_waterfall(falls[currency]) if currency in falls else None,
                "postings": [plain_posting(one) for one in falls[currency].postings(declaration.participant)]
                if currency in falls
                else [],
                "recast": {
                    change.participant: {"before": change.before._asdict(), "after": change.after._asdict()}
                    for change in changes
                },
            }
            for currency, changes in found.recast.changes.items()
        },
    }


def show(found: Drill) -> None:
    """Print each currency: the layers, the postings, and everybody else with and without the defaulter."""
    console = Console()
    declaration = found.declaration
    console.print(
        f"Dry run: {declaration.participant} does not pay {found.run.name} of windows/{declaration.window_no}. "
        "Nothing is written.",
        soft_wrap=True,
    )
    if not declaration.waterfalls:
        console.print(f"{declaration.participant} has nothing left to pay in it.")
    for fall in declaration.waterfalls:
        console.rule(fall.currency)
        _show_waterfall(console, fall, declaration.participant)
    for currency, changes in found.recast.changes.items():
        console.print(
            f"{currency}: the run without {declaration.participant}, a simulation that is never posted", soft_wrap=True
        )
        columns = ("participant", "pays", "receives", "without: pays", "held for it", "held of it", "receives")
        console.print(listing("", columns, [_row(change, currency) for change in changes]))


def _show_waterfall(console: Console, fall: Waterfall, defaulter: str) -> None:
    code, left, rows = fall.currency, fall.loss, []
    for take in fall.takes:
        left -= take.taken
        figures = (take.holds, take.at_most, take.taken, left)
        rows.append((take.layer.lower().replace("_", " "), take.participant, *(money(one, code) for one in figures)))
    console.print(f"not paid: {money(fall.loss, code)}")
    columns = ("layer", "whose", "holds", "at most", "taken", "left to cover")
    console.print(listing("Who stands in", columns, rows))
    if fall.allocated:
        allocated = [(name, money(amount, code)) for name, amount in fall.allocated.items()]
        console.print(listing("Paid less to", ("participant", "amount"), allocated))
    console.print(f"left open: {money(fall.open, code)}")
    postings = fall.postings(defaulter)
    if postings:
        console.print(book([(str(number), one, "") for number, one in enumerate(postings, start=1)]))


def _row(change: Change, code: str) -> tuple[str, ...]:
    before, after = change.before, change.after
    figures = (before.pays, before.receives, after.pays, after.held_receivable, after.held_payable, after.receives)
    return (change.participant, *(money(one, code) for one in figures))
