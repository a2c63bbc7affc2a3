"""Playing past days again. Reads one snapshot and writes nothing: its transaction may not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from exchange.db.engine import Database
from exchange.directory.snapshot import read_directory
from exchange.ledger.retired import require_times_kept
from exchange.promotions.snapshot import read_promotions
from exchange.rates.model import Coalition, Rate
from exchange.rates.sql import RATES
from exchange.simulation.model import Comparison, Draft
from exchange.simulation.overlay import overlaid
from exchange.simulation.reading import PastDays
from exchange.simulation.rules import Replay


async def simulate(
    database: Database,
    draft: Draft,
    since: datetime,
    until: datetime,
    progress: Callable[[datetime, int], None] = lambda _day, _count: None,
) -> tuple[Comparison, Coalition]:
    """Play what happened from an instant until before another again under a draft.

    Args:
        database: where it happened.
        draft: what is to be tried.
        since: the first instant; what happened earlier stays, and what follows it follows it as it was.
        until: the first instant that is not played.
        progress: hears the day and how many movements more were played.

    Returns:
        Both sides, and the coalition whose numbers they speak in.

    Raises:
        ResourceNotFound, NoPrice: see `overlaid`.
        TransferRetired: movements of those days, or what they follow, have left the ledger.
    """
    comparison = Comparison()
    async with database.read() as connection:
        await require_times_kept(connection, since, f"days since {since.isoformat()}")
        directory = await read_directory(connection)
        rates = [Rate(*row) for row in await connection.execute(RATES)]
        coalition = Coalition.of(directory, rates, await read_promotions(connection))
        past = PastDays(connection, coalition, since)
        replay = Replay(overlaid(coalition, draft, since), since, await past.begin())
        day = since
        # Day by day: so much is put in order at once, and no more.
        while day < until:
            end = min(day + timedelta(days=1), until)
            async for chunk in past.between(day, end):
                for happened in chunk:
                    replay.count(happened, comparison)
                progress(day, len(chunk))
            day = end
    return comparison, coalition
