"""The only door to the exchange: cut off, read the clearing views, know a key, tell what was paid, bind caps."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.callers import Caller, CallerRole
from exchange.directory import departing as leaving
from exchange.ledger.event_kinds import EventKind
from exchange.ledger.model import ObligationKind, TransferKind
from exchange.ledger.retired import require_kept, require_window_kept
from exchange.ledger.telling import Happening, tell
from exchange.ledger.windows import Window, close_window, open_window_no, read_window
from exchange.limits import binding
from exchange.limits.discharges import Discharge, discharge
from exchange.money.currencies import micros_per_minor
from exchange.money.limits import INT64_MAX
from exchange.refusals import CredentialUnknown, ResourceNotFound, WindowState

__all__ = [
    "KIND_NAMES",
    "Coalition",
    "Discharge",
    "Entry",
    "EventKind",
    "Happening",
    "Key",
    "KindMicros",
    "PairMicros",
    "Window",
    "bind_caps",
    "close_window",
    "coalition",
    "departing",
    "discharge",
    "display_names",
    "entries",
    "is_suspended",
    "key_of",
    "kind_micros",
    "kind_name",
    "money_of",
    "open_window_no",
    "pair_micros",
    "participants",
    "points_outstanding",
    "read_window",
    "require_closed",
    "require_kept",
    "require_merchant",
    "require_window_kept",
    "suspended",
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

PARTICIPANTS = text("""
SELECT merchant_id FROM exchange.merchants WHERE merchant_no <> (SELECT operator_no FROM exchange.coalition)
""")

KEY = text("""
SELECT key_id, caller_role, holder FROM exchange.api_keys
WHERE secret_hash = :secret_hash AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
""")

COALITION = text("""
SELECT m.merchant_id, c.time_zone, exchange.coalition_now() AS now
FROM exchange.coalition c JOIN exchange.merchants m ON m.merchant_no = c.operator_no
""")

NAMES = text("SELECT merchant_id, display_name FROM exchange.merchants ORDER BY merchant_id")

CURRENCY = text("SELECT settlement_currency FROM exchange.currencies WHERE code = :code")

KIND_MICROS = text("""
SELECT currency_code, debtor, creditor, kind, sum(micros)::text AS micros, sum(obligations)::bigint AS obligations
FROM exchange.clearing_totals_v1 WHERE window_no = :window_no
GROUP BY currency_code, debtor, creditor, kind ORDER BY currency_code, debtor, creditor, kind
""")

MERCHANT = text("SELECT 1 FROM exchange.merchants WHERE merchant_id = :merchant_id")

ALL_SUSPENDED = text("SELECT merchant_id FROM exchange.merchants WHERE suspended ORDER BY merchant_id")

SUSPENDED = text("SELECT suspended FROM exchange.merchants WHERE merchant_id = :merchant_id")

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


class Coalition(NamedTuple):
    """Whose clearing account stands in the middle, the time zone of the coalition's days, and its clock."""

    operator: str
    time_zone: ZoneInfo
    now: datetime


class Key(NamedTuple):
    """An API key: its name, whom it stands for, and the person that holds it, if it names one."""

    name: str
    role: CallerRole
    holder: str | None


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


async def participants(connection: AsyncConnection) -> frozenset[str]:
    """Everybody who may be debtor or creditor, by id; the operator is not excluded from its own clearing."""
    return frozenset((await connection.execute(PARTICIPANTS)).scalars())


async def key_of(connection: AsyncConnection, secret: str) -> Key:
    """The API key with this secret, which still holds.

    Raises:
        CredentialUnknown: unknown, revoked or expired.
    """
    hashed = hashlib.sha256(secret.encode()).digest()
    row = (await connection.execute(KEY, {"secret_hash": hashed})).first()
    if row is None:
        raise CredentialUnknown
    return Key(f"apiKeys/{row.key_id}", CallerRole(row.caller_role), row.holder)


async def coalition(connection: AsyncConnection) -> Coalition:
    """Who operates, where, and what time it is."""
    operator, time_zone, now = (await connection.execute(COALITION)).one()
    return Coalition(operator, ZoneInfo(time_zone), now.astimezone(UTC))


async def require_merchant(connection: AsyncConnection, merchant_id: str, field: str) -> None:
    """Raises ResourceNotFound when nobody of this id takes part; `field` named it."""
    if (await connection.execute(MERCHANT, {"merchant_id": merchant_id})).first() is None:
        raise ResourceNotFound(resource=f"merchants/{merchant_id}", field=field)


async def bind_caps(connection: AsyncConnection, actor: str, caps: Mapping[tuple[str, str], int], reason: str) -> None:
    """Hold merchants to net debit caps from the end of this transaction on; posters wait until then, so call it last.

    Args:
        connection: of the transaction.
        actor: role and credential, "FINANCE_CHECKER:apiKeys/…".
        caps: minor units by settlement currency and merchant; the merchants are there.
        reason: why, for the audit log.
    """
    role, _, credential = actor.partition(":")
    micros = {
        (name, currency): min(cap * micros_per_minor(currency), INT64_MAX) for (currency, name), cap in caps.items()
    }
    await binding.bind_caps(connection, Caller(CallerRole[role], credential), micros, reason)


def departing(
    connection: AsyncConnection, actor: str, merchant_id: str, reason: str
) -> contextlib.AbstractAsyncContextManager[None]:
    """Note in the exchange that a merchant has left, if the block ends well; posters wait until the transaction ends.

    Args:
        connection: of the transaction.
        actor: role and credential, "FINANCE_CHECKER:apiKeys/…".
        merchant_id: who leaves; it is suspended.
        reason: why, for the audit log.
    """
    role, _, credential = actor.partition(":")
    return leaving.departing(connection, Caller(CallerRole[role], credential), merchant_id, reason)


async def is_suspended(connection: AsyncConnection, merchant_id: str) -> bool:
    """Whether a merchant that takes part is suspended."""
    return bool((await connection.execute(SUSPENDED, {"merchant_id": merchant_id})).scalar_one())


async def suspended(connection: AsyncConnection) -> list[str]:
    """Merchants that are suspended now, by id."""
    return list((await connection.execute(ALL_SUSPENDED)).scalars())


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


async def display_names(connection: AsyncConnection) -> dict[str, str]:
    """What people call each participant, by id."""
    return {row.merchant_id: row.display_name for row in await connection.execute(NAMES)}


async def money_of(connection: AsyncConnection, code: str, field: str = "currency") -> str:
    """The settlement currency a points currency is priced in.

    Raises:
        ResourceNotFound: there is no points currency of this code; `field` named it.
    """
    money = (await connection.execute(CURRENCY, {"code": code})).scalar_one_or_none()
    if money is None:
        raise ResourceNotFound(resource=f"currencies/{code}", field=field)
    return str(money)


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
