"""Queues from two CSV files: items as netting reads them, and funds: participant,currency,available."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import IO

from settlement.csv_rows import CsvRows
from settlement.liquidity.model import Queue
from settlement.netting.model import Obligation

Funds = Mapping[str, Mapping[str, int]]
"""By currency and participant."""

_ALSO = {"amount": "available", "amount available": "available", "amount_available": "available"}
"""Treasury systems head the column so too."""


def read_funds(text: IO[str], file: str) -> Funds:
    """What each participant has available by currency; zero may be said, or left out.

    Raises:
        BadFile: at the first row that cannot be taken, also at a second one for a participant and currency.
    """
    rows = CsvRows(text, file, ("participant", "currency", "available"), also=_ALSO)
    funds: dict[str, dict[str, int]] = {}
    for participant, currency, available in rows:
        name = rows.name(participant, "participant")
        of_currency = funds.setdefault(rows.currency(currency), {})
        if name in of_currency:
            raise rows.bad("participant", f"{name!r} has an earlier row for {currency.strip()}")
        of_currency[name] = rows.amount(available, "available", least=0)
    return funds


def queues(obligations: Sequence[Obligation], funds: Funds) -> list[Queue]:
    """One queue for each currency that has items, in the order of their codes; its items in the order of their ids.

    So that the same items give the same answer whatever order the rows come in; rows without ids, which are numbered,
    keep theirs.
    """
    items: dict[str, list[Obligation]] = {}
    for obligation in sorted(obligations, key=lambda item: _natural(item.id)):
        items.setdefault(obligation.currency, []).append(obligation)
    return [Queue(currency, items[currency], funds.get(currency, {})) for currency in sorted(items)]


def _natural(item_id: str) -> tuple[list[tuple[int, str]], str]:
    """A place in the order people expect of ids: p2 before p10. Ids that only differ in leading zeros keep apart."""
    parts = re.split("([0-9]+)", item_id)
    return [(int(part), "") if place % 2 else (-1, part) for place, part in enumerate(parts)], item_id
