"""The independent check before anybody approves: every obligation counted again, and the run made of that."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement import exchange_evidence, exchange_ledger
from settlement.exchange_ledger import PairMicros
from settlement.month_end.model import Progress
from settlement.run.canonical import canonical, digest_of
from settlement.run.model import Run
from settlement.run.rules import Inputs, calculate
from settlement.run.service import read_run

AT_ONCE = 2_000
Key = tuple[str, str, str, str]
"""Currency, debtor, creditor, kind."""


class Recount(NamedTuple):
    """How many obligations there are, and where they are not what was kept while posting; none: all ties."""

    obligations: int
    differences: tuple[str, ...]


async def recount(connection: AsyncConnection, run: Run, progress: Progress) -> Recount:
    """Count a closed window from its transfers; memory grows with its pairs, not with its transfers."""
    kept = await exchange_ledger.kind_micros(connection, run.window_no)
    there = sum(total.obligations for total in kept)
    counted: dict[Key, tuple[int, int]] = {}
    number = 0
    async for one in exchange_evidence.every_entry(connection, run.window_no, AT_ONCE):
        key = (one.currency, one.debtor, one.creditor, exchange_ledger.kind_name(one.kind))
        micros, count = counted.get(key, (0, 0))
        counted[key] = (micros + one.micros, count + 1)
        number += 1
        if number % AT_ONCE == 0:
            progress("recount", number, there)
    differences = [*_unlike(counted, {row[:4]: (row.micros, row.obligations) for row in kept})]
    digest = await _digest(connection, run, counted)
    if digest != run.digest:
        differences.append(f"the run made of the recount has digest {digest}, and the run that stands {run.digest}")
    return Recount(number, tuple(differences))


def _unlike(counted: dict[Key, tuple[int, int]], kept: dict[Key, tuple[int, int]]) -> list[str]:
    return [
        f"{key[0]} {key[1]} owes {key[2]} for {key[3]}: {here[0]} in {here[1]}, kept {there[0]} in {there[1]}"
        for key in sorted(counted.keys() | kept.keys())
        for here, there in [(counted.get(key, (0, 0)), kept.get(key, (0, 0)))]
        if here != there
    ]


async def _digest(connection: AsyncConnection, run: Run, counted: dict[Key, tuple[int, int]]) -> str:
    before = await read_run(connection, run.before_run) if run.before_run else None
    coalition = await exchange_ledger.coalition(connection)
    inputs = Inputs(
        window_no=run.window_no,
        closed_on=run.closed_on,
        totals=[PairMicros(*key[:3], micros, count) for key, (micros, count) in counted.items()],
        before=before.result if before else (),
        configuration=run.configuration,
        operator=coalition.operator,
    )
    return digest_of(canonical(inputs, before.digest if before else None, calculate(inputs)))
