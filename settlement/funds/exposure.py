"""What participants owe or may come to owe: payments not made yet, and what no run has netted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.money.currencies import micros_per_minor
from settlement import exchange_ledger
from settlement.disputes.inputs import disputed
from settlement.funds import sql
from settlement.run.life import INSTRUCTED
from settlement.run.model import CurrencyResult, Run
from settlement.run.service import read_run

Exposures = Mapping[tuple[str, str], int]
"""Minor units by currency and participant; who owes nothing is left out."""


async def exposures(connection: AsyncConnection) -> Exposures:
    """By currency and participant: what is to be paid, what is claimed of it, and the net of what no run has netted.

    To be paid is what runs ask for, no bank has booked and nobody stands in for. What is carried or held, and what
    stands in windows without a run, the open one too, is set off against what the participant is owed of the same kind;
    what is to be paid is not, for the money is to come before any goes out.
    """
    unpaid: dict[tuple[str, str], int] = {}
    rows = list(await connection.execute(sql.UNPAID_RUNS))
    newest: Run | None = None
    for row in rows:
        newest = await read_run(connection, row.run_id)
        for currency, payer, amount in await _unpaid(connection, row, newest):
            unpaid[currency, payer] = unpaid.get((currency, payer), 0) + amount
    for claimed in await connection.execute(sql.CLAIMED):
        key = (claimed.currency_code, claimed.defaulter)
        unpaid[key] = unpaid.get(key, 0) + int(claimed.minor_units)
    waiting = await _waiting(connection, newest)
    for (currency, name), micros in waiting.items():
        if micros > 0:
            unit = micros_per_minor(currency)
            unpaid[currency, name] = unpaid.get((currency, name), 0) + -(-micros // unit)
    return {key: amount for key, amount in unpaid.items() if amount}


async def _unpaid(connection: AsyncConnection, row: Row[Any], run: Run) -> list[tuple[str, str, int]]:
    if row.state in INSTRUCTED:
        legs = await connection.execute(sql.UNPAID_LEGS, {"run_id": run.run_id})
        return [(leg.currency_code, leg.payer, int(leg.minor_units)) for leg in legs]
    asked = [(one.currency, p.payer, p.amount) for one in run.result for p in one.payments]
    defaulted = await connection.execute(sql.DEFAULTED, {"run_id": run.run_id})
    return asked + [(one.currency_code, one.payer, -one.minor_units) for one in defaulted]


async def _waiting(connection: AsyncConnection, newest: Run | None) -> dict[tuple[str, str], int]:
    """Micro-units everybody owes net of what no run has netted; below 0: is owed."""
    found = net_left(newest.result) if newest else {}
    last = await exchange_ledger.open_window_no(connection)
    for window_no in range((newest.window_no if newest else 0) + 1, last + 1):
        for pair in await exchange_ledger.pair_micros(connection, window_no):
            _owe(found, pair.currency, pair.debtor, pair.creditor, pair.micros)
        for one in (await disputed(connection, window_no)).adjustments:
            _owe(found, one.currency, one.debtor, one.creditor, one.amount * micros_per_minor(one.currency))
    return found


def net_left(result: Iterable[CurrencyResult]) -> dict[tuple[str, str], int]:
    """What a run leaves carried or held, net by currency and participant, micro-units."""
    found: dict[tuple[str, str], int] = {}
    for one in result:
        unit = micros_per_minor(one.currency)
        for item in (*one.carried, *one.held_items):
            _owe(found, one.currency, item.debtor, item.creditor, item.amount * unit)
    return found


def _owe(found: dict[tuple[str, str], int], currency: str, debtor: str, creditor: str, micros: int) -> None:
    found[currency, debtor] = found.get((currency, debtor), 0) + micros
    found[currency, creditor] = found.get((currency, creditor), 0) - micros
