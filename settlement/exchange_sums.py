"""The door to the exchange, as the recount looks through it: a window's obligations, summed from the transfers.

PostgreSQL sums, because it does so where the rows are; it is asked for some pages of the table at a time, because then
whoever waits hears how far it is. The kept totals are not looked at.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.exchange_ledger import require_window_kept

PAGES_AT_ONCE = 16_384
"""As many as one statement reads at most, 128 MiB: some two hundred thousand transfers."""
SCANS_AT_ONCE = 8
"""Parts of a statement, which PostgreSQL does side by side where it has workers to spare."""

# The ledger is kept in partitions by id, and a place is one of a partition's own: each is asked by itself.
PARTS = text("SELECT from_id, to_id FROM exchange.ledger_parts_v1 ORDER BY to_id")

EXTENT = text("""
SELECT min(place)::text AS first, max(place)::text AS last, coalesce(sum(cardinality(obligations)), 0) AS obligations,
       count(*) FILTER (WHERE cardinality(obligations) > 0) AS transfers
FROM exchange.clearing_transfers_v2
WHERE window_no = :window_no AND transfer_id >= :from_id AND transfer_id < :to_id
""")

# What other windows left on these pages comes to nothing. As a condition on the rows it would be weighed by statistics
# that do not know a window of today yet: they make it seem free to look it up by number for each piece, and to sort.
# Taken apart among the columns, and not by a join, obligations cost a quarter less.
_SCAN = """
SELECT (o).currency_code, (o).debtor_no, (o).creditor_no, sum((o).micros) AS micros, count(*) AS obligations
FROM (SELECT unnest(CASE WHEN window_no = :window_no THEN obligations END) AS o
      FROM exchange.clearing_transfers_v2
      WHERE place >= CAST(:place_{} AS tid) AND place < CAST(:place_{} AS tid)
        AND transfer_id >= :from_id AND transfer_id < :to_id) owed
GROUP BY (o).currency_code, (o).debtor_no, (o).creditor_no
"""
_SUMS = """
SELECT currency_code, debtor_no, creditor_no, sum(micros)::text AS micros, sum(obligations)::bigint AS obligations
FROM ({}) scans GROUP BY currency_code, debtor_no, creditor_no
"""

MERCHANTS = text("SELECT merchant_no, merchant_id FROM exchange.merchants")


class Stretch(NamedTuple):
    """Where in a partition a window's transfers lie.

    Attributes:
        from_id: the least id of the partition.
        to_id: the least id of the next.
        pages: of its table, from the first that has one of them to the last.
    """

    from_id: UUID
    to_id: UUID
    pages: range


class Extent(NamedTuple):
    """Where a window's transfers lie, and how much of it there is.

    Attributes:
        stretches: one for each partition that has any of them; none for an empty window.
        transfers: how many left anything owing.
        obligations: how many they left.
    """

    stretches: Sequence[Stretch]
    transfers: int
    obligations: int


Sum = tuple[str, str, str, int, int]
"""currency, debtor, creditor, micro-units, obligations: of some transfers, so a pair comes more than once."""


async def extent(connection: AsyncConnection, window_no: int) -> Extent:
    """How much a window holds; it holds for this snapshot, as places do.

    Raises:
        TransferRetired: some of it has left the ledger.
    """
    await require_window_kept(connection, window_no)
    stretches, transfers, obligations = [], 0, 0
    for from_id, to_id in (await connection.execute(PARTS)).all():
        values = {"window_no": window_no, "from_id": from_id, "to_id": to_id}
        found = (await connection.execute(EXTENT, values)).one()
        if found.first is not None:
            pages = range(_page(found.first), _page(found.last) + 1)
            stretches.append(Stretch(from_id, to_id, pages))
            transfers, obligations = transfers + found.transfers, obligations + found.obligations
    return Extent(stretches, transfers, obligations)


async def sums(
    connection: AsyncConnection, window_no: int, stretches: Sequence[Stretch]
) -> AsyncIterator[Sequence[Sum]]:
    """What these stretches come to for a window, some pages at a time, each page once; all in one snapshot.

    Sums are exact however large. Somebody the directory does not know is told as "#" and his number: nobody else's id
    can be that.
    """
    if not stretches:
        return
    name_of = {row.merchant_no: str(row.merchant_id) for row in await connection.execute(MERCHANTS)}
    scans = " UNION ALL ".join(_SCAN.format(scan, scan + 1) for scan in range(SCANS_AT_ONCE))
    statement = text(_SUMS.format(scans))
    for from_id, to_id, pages in stretches:
        for places in _pieces(pages):
            values = {"window_no": window_no, "from_id": from_id, "to_id": to_id, **places}
            rows = await connection.execute(statement, values)
            yield [
                (code, name_of.get(owing, f"#{owing}"), name_of.get(owed, f"#{owed}"), int(micros), obligations)
                for code, owing, owed, micros, obligations in rows
            ]


def _pieces(pages: range) -> Iterator[dict[str, tuple[int, int]]]:
    """Bounds of scans, piece by piece; of one size, that no worker waits for another's."""
    pieces = -(-len(pages) // PAGES_AT_ONCE)
    step = -(-len(pages) // (pieces * SCANS_AT_ONCE))
    for first in range(pages.start, pages.stop, step * SCANS_AT_ONCE):
        bounds = (min(first + step * scan, pages.stop) for scan in range(SCANS_AT_ONCE + 1))
        yield {f"place_{number}": (page, 0) for number, page in enumerate(bounds)}


def _page(place: str) -> int:
    """The page of a place, "(page,row)"."""
    return int(place[1 : place.index(",")])
