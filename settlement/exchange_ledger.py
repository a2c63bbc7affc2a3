"""The only door to the exchange's ledger: cut off, read the clearing views, tell what happened and what was paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.ledger.event_kinds import EventKind
from exchange.ledger.model import ObligationKind, TransferKind
from exchange.ledger.retired import require_kept, require_window_kept
from exchange.ledger.telling import Happening, tell
from exchange.ledger.windows import Window, close_window, open_window_no, read_window
from exchange.limits.discharges import Discharge, discharge
from exchange.refusals import WindowState

__all__ = [
    "KIND_NAMES",
    "Discharge",
    "Entry",
    "EventKind",
    "Happening",
    "KindMicros",
    "PairMicros",
    "Window",
    "close_window",
    "discharge",
    "entries",
    "kind_micros",
    "kind_name",
    "open_window_no",
    "pair_micros",
    "points_outstanding",
    "read_window",
    "require_closed",
    "require_kept",
    "require_window_kept",
    "tell",
    "transfer_kind_name",
    "windows_before",
]

KIND_NAMES = {kind.value: kind.name.lower() for kind in ObligationKind}
"""Kinds of obligations by number, as statements call them: "cash_out_fee"."""

WINDOWS_BEFORE = text("""
SELECT window_no, opened_at, closed_at, closed_by FROM exchange.clearing_windows_v1
WHERE window_no < :before ORDER BY window_no DESC LIMIT :limit
""")

PAIR_MICROS = text("""
SELECT currency_code, debtor, creditor, sum(micros)::text AS micros, sum(obligations)::bigint AS obligations
FROM exchange.clearing_totals_v1 WHERE window_no = :window_no
GROUP BY currency_code, debtor, creditor ORDER BY currency_code, debtor, creditor
""")

# The names are matched outside the view's joins by their ids; NULL stands for anybody.
ENTRIES = text("""
SELECT transfer_id, ledger_sequence, window_no, occurred_at, position, kind, debtor, creditor, currency_code, micros,
       points_units, price_micros
FROM exchange.clearing_entries_v1
WHERE window_no = :window_no
  AND (CAST(:debtor AS text) IS NULL OR debtor = :debtor)
  AND (CAST(:creditor AS text) IS NULL OR creditor = :creditor)
  AND (CAST(:party AS text) IS NULL OR debtor = :party OR creditor = :party)
  AND (CAST(:kind AS smallint) IS NULL OR kind = :kind)
  AND (CAST(:currency AS text) IS NULL OR currency_code = :currency)
  AND (ledger_sequence, position) > (:after_sequence, :after_position)
ORDER BY ledger_sequence, position LIMIT :limit
""")

KIND_MICROS = text("""
SELECT currency_code, debtor, creditor, kind, sum(micros)::text AS micros, sum(obligations)::bigint AS obligations
FROM exchange.clearing_totals_v1 WHERE window_no = :window_no
GROUP BY currency_code, debtor, creditor, kind ORDER BY currency_code, debtor, creditor, kind
""")

POINTS_OUTSTANDING = text("""
SELECT currency, issuer, funder, units::text AS units FROM exchange.points_outstanding_v1
WHERE :merchant_id IN (issuer, funder) ORDER BY currency, issuer, funder
""")


class PairMicros(NamedTuple):
    """What a directed pair owes in a window, exact, in micro-units; and how many obligations that is."""

    currency: str
    debtor: str
    creditor: str
    micros: int
    obligations: int


class Entry(NamedTuple):
    """One obligation and the transfer behind it."""

    transfer_id: UUID
    ledger_sequence: int
    window_no: int
    occurred_at: datetime
    position: int
    kind: int
    debtor: str
    creditor: str
    currency: str
    micros: int
    points_units: int
    price_micros: int


class KindMicros(NamedTuple):
    """What a directed pair owes in a window for one kind of obligation, exact; `kind` by name, "cash_out_fee"."""

    currency: str
    debtor: str
    creditor: str
    kind: str
    micros: int
    obligations: int


async def windows_before(connection: AsyncConnection, before: int, limit: int) -> Sequence[Window]:
    """Windows with smaller numbers, newest first."""
    rows = await connection.execute(WINDOWS_BEFORE, {"before": before, "limit": limit})
    return [Window(*row) for row in rows]


async def pair_micros(connection: AsyncConnection, window_no: int) -> list[PairMicros]:
    """A window's totals as they were kept while posting: time does not depend on the number of transfers."""
    rows = await connection.execute(PAIR_MICROS, {"window_no": window_no})
    return [PairMicros(code, debtor, creditor, int(micros), count) for code, debtor, creditor, micros, count in rows]


async def entries(
    connection: AsyncConnection,
    window_no: int,
    *,
    debtor: str | None,
    creditor: str | None,
    party: str | None,
    kind: int | None = None,
    currency: str | None = None,
    after: tuple[int, int],
    limit: int,
) -> list[Entry]:
    """A window's obligations in ledger order after a position (sequence, place in the transfer); None: any.

    Raises:
        TransferRetired: some of the window's transfers have left the ledger.
    """
    await require_window_kept(connection, window_no)
    rows = await connection.execute(
        ENTRIES,
        {
            "window_no": window_no,
            "debtor": debtor,
            "creditor": creditor,
            "party": party,
            "kind": kind,
            "currency": currency,
            "after_sequence": after[0],
            "after_position": after[1],
            "limit": limit,
        },
    )
    return [Entry(*row) for row in rows]


async def points_outstanding(connection: AsyncConnection, merchant_id: str) -> list[tuple[str, str, str, int]]:
    """Points members hold that a merchant issued or paid for: currency, issuer, funder and how many."""
    rows = await connection.execute(POINTS_OUTSTANDING, {"merchant_id": merchant_id})
    return [(row.currency, row.issuer, row.funder, int(row.units)) for row in rows]


async def kind_micros(connection: AsyncConnection, window_no: int) -> list[KindMicros]:
    """A window's kept totals by pair and kind, kinds in the order of the chart of obligations."""
    rows = await connection.execute(KIND_MICROS, {"window_no": window_no})
    return [
        KindMicros(code, debtor, creditor, kind_name(kind), int(micros), count)
        for code, debtor, creditor, kind, micros, count in rows
    ]


def kind_name(number: int) -> str:
    """An obligation's kind by name, "cash_out_fee"."""
    return KIND_NAMES[number]


def transfer_kind_name(number: int) -> str:
    """A transfer's kind by name, "cash_out"."""
    return TransferKind(number).name.lower()


async def require_closed(connection: AsyncConnection, window_no: int, field: str) -> Window:
    """A window that is cut off.

    Raises:
        ResourceNotFound: there is none of this number; `field` named it.
        WindowState: it is still open.
    """
    window = await read_window(connection, window_no, field)
    if window.closed_at is None:
        raise WindowState(window=window.name, state="OPEN", needed="CLOSED")
    return window
