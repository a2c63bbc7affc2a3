"""What has fallen due, done at the command line: progress while it runs, a table or JSON when it is done."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from exchange.app import opened
from exchange.config import Settings
from exchange.due import Done
from exchange.extensions import load
from exchange.ledger.model import Account, ObligationKind, Receipt, Side, TransferKind


class Ended(NamedTuple):
    """What a run did: how much, which points ended by currency code, and what their funders are owed in micro-units."""

    done: Done
    points: dict[str, int]
    breakage: dict[str, int]


def run(settings: Settings, url: str, *, as_json: bool) -> int:
    """Lapse holds and end points that have reached their end; safe beside servers and other runs.

    Raises:
        StartRefused: the database cannot be used, or its schema is behind.
    """
    ended = asyncio.run(_run(settings, url))
    if as_json:
        plain = {"holds": ended.done.holds, "accounts": ended.done.accounts}
        print(json.dumps({**plain, "points": ended.points, "breakage_micros": ended.breakage}))  # noqa: T201
    else:
        _print(ended)
    return 0


async def _run(settings: Settings, url: str) -> Ended:
    points: Counter[int] = Counter()
    breakage: Counter[str] = Counter()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with opened(settings, url, load(settings.service_extensions)) as api:
        waiting = await api.due.waiting()
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("holds and accounts", total=sum(waiting))

            def told(receipts: Sequence[Receipt]) -> None:
                bar.advance(task, len(receipts))
                for receipt in receipts:
                    transfer = receipt.transfer
                    if transfer.kind == TransferKind.EXPIRE:
                        for leg in transfer.legs:
                            if leg.account == Account.MEMBER and leg.side == Side.DEBIT:
                                points[leg.currency_no] += leg.units
                    for owed in transfer.obligations:
                        if owed.kind == ObligationKind.BREAKAGE:
                            breakage[owed.currency_code] += owed.micros

            done = await api.due.run(told)
        currencies = (await api.source.current()).directory.currencies
    named = {currencies[number].code: units for number, units in points.items()}
    return Ended(done, dict(sorted(named.items())), dict(sorted(breakage.items())))


def _print(ended: Ended) -> None:
    table = Table("what fell due", "done", title="Expiry")
    table.add_row("holds that lapsed", str(ended.done.holds))
    table.add_row("accounts of which points ended", str(ended.done.accounts))
    for code, units in ended.points.items():
        table.add_row(f"{code} that ended", str(units))
    for money, micros in ended.breakage.items():
        table.add_row(f"owed to funders, millionths of {money}", str(micros))
    Console().print(table)
