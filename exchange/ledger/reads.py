"""Reading the ledger: balances, lots, transfers. Each use case reads one snapshot."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.ledger.bonus_rows import by_transfer
from exchange.ledger.bonuses import Bonus
from exchange.ledger.keys import restored, transfer_of_columns
from exchange.ledger.model import Transfer, key_bucket, member_bucket, transfer_bucket
from exchange.ledger.sql import TRANSFER_COLUMNS
from exchange.money.limits import INT64_MAX
from exchange.refusals import Refusal, StateTooOld

EARLIEST = datetime.min.replace(tzinfo=UTC)

_TRANSFER = f"\nSELECT {TRANSFER_COLUMNS}\nFROM exchange.transfers t\n"

# One instant for all of them. What is pending may be of a currency the member never had. Each conversion was begun
# while there was room for it; all of them together may pass 64 bits, and then not all of them can be completed.
BALANCES = text(f"""
WITH moment AS MATERIALIZED (
    SELECT exchange.coalition_now() AS now
), owned AS (
    SELECT a.currency_no, a.last_sequence, a.held_units,
           coalesce((SELECT sum(l.remaining_units) FROM exchange.lots l
                     WHERE l.bucket = a.bucket AND l.member_id = a.member_id AND l.currency_no = a.currency_no
                       AND l.is_open AND coalesce(l.expires_at, e.ends_at, 'infinity') > m.now), 0)::bigint
               - a.overdrawn_units AS available
    FROM exchange.accounts a
    LEFT JOIN exchange.account_ends e USING (bucket, member_id, currency_no)
    CROSS JOIN moment m
    WHERE a.bucket = :bucket AND a.member_id = :member_id AND a.last_sequence > 0
), pending AS (
    SELECT c.target_no AS currency_no, least(sum(c.received_units), {INT64_MAX})::bigint AS units
    FROM exchange.external_conversions c
    WHERE c.bucket = :bucket AND c.member_id = :member_id AND c.is_debit AND c.transfer_id IS NULL
    GROUP BY c.target_no
)
SELECT currency_no, coalesce(o.last_sequence, 0), coalesce(o.held_units, 0), coalesce(o.available, 0),
       coalesce(p.units, 0), m.now
FROM owned o FULL JOIN pending p USING (currency_no) CROSS JOIN moment m
""")

# A lot that ends at midnight can be used on the day before.
EXPIRING = text("""
SELECT l.currency_no, ((l.ends_at - interval '1 microsecond') AT TIME ZONE c.time_zone)::date AS last_date,
       sum(l.remaining_units)::bigint AS units
FROM (SELECT o.currency_no, o.remaining_units, coalesce(o.expires_at, e.ends_at) AS ends_at
      FROM exchange.lots o LEFT JOIN exchange.account_ends e USING (bucket, member_id, currency_no)
      WHERE o.bucket = :bucket AND o.member_id = :member_id AND o.is_open) l
CROSS JOIN exchange.coalition c
WHERE l.ends_at > :now AND l.ends_at <= :now + make_interval(days => :days)
GROUP BY l.currency_no, last_date ORDER BY l.currency_no, last_date
""")

HAS_TRANSFER = text("""
SELECT EXISTS (SELECT FROM exchange.transfers
               WHERE bucket = :bucket AND member_id = :member_id AND ledger_sequence = :sequence)
       AND (CAST(:merchant_no AS integer) IS NULL
            OR EXISTS (SELECT FROM exchange.member_links WHERE merchant_no = :merchant_no AND member_id = :member_id))
    OR EXISTS (SELECT FROM exchange.transfers WHERE merchant_no = :merchant_no AND ledger_sequence = :sequence)
""")

LOTS = text("""
SELECT lot_id, units, remaining_units, funder_no, price_micros, earned_at, expires_at, transfer_id,
       coalesce(expires_at, e.ends_at)
FROM exchange.lots l LEFT JOIN exchange.account_ends e USING (bucket, member_id, currency_no)
WHERE bucket = :bucket AND member_id = :member_id AND currency_no = :currency_no AND l.is_open
  AND (coalesce(expires_at, 'infinity'), earned_at, lot_id)
    > (coalesce(CAST(:expires_at AS timestamptz), 'infinity'), CAST(:earned_at AS timestamptz), CAST(:lot_id AS uuid))
ORDER BY expires_at, earned_at, lot_id
LIMIT :limit
""")

KEY = text("""
SELECT transfer_bucket, transfer_id, refusal FROM exchange.request_keys
WHERE bucket = :bucket AND merchant_no = :merchant_no AND request_id = :request_id
""")

TRANSFER_BY_NAME = text(_TRANSFER + "WHERE t.bucket = :bucket AND t.transfer_id = :transfer_id")

TRANSFERS_BY_REFERENCE = text(f"""
SELECT * FROM ({_TRANSFER} WHERE t.merchant_no = :merchant_no AND t.reference = :reference
               ORDER BY t.ledger_sequence DESC LIMIT :limit) newest
ORDER BY ledger_sequence
""")

# Four lists, four indexes; the filters of each are always given, or wide open.
_PAGE = " AND t.ledger_sequence > :after AND (CAST(:window_no AS bigint) IS NULL OR t.window_no = :window_no)"
# A merchant in whose name the exchange ended a member's points need not have linked the person.
_OF_LINKED = """ AND (CAST(:member_id AS uuid) IS NULL OR t.member_id = :member_id AND EXISTS (
    SELECT FROM exchange.member_links WHERE merchant_no = :merchant_no AND member_id = :member_id))"""
_ORDER = " ORDER BY t.ledger_sequence LIMIT :limit"
TRANSFERS_OF_MERCHANT = text(_TRANSFER + "WHERE t.merchant_no = :merchant_no" + _OF_LINKED + _PAGE + _ORDER)
TRANSFERS_OF_REFERENCE = text(
    _TRANSFER + "WHERE t.merchant_no = :merchant_no AND t.reference = :reference" + _OF_LINKED + _PAGE + _ORDER
)
TRANSFERS_OF_MEMBER = text(_TRANSFER + "WHERE t.bucket = :bucket AND t.member_id = :member_id" + _PAGE + _ORDER)
TRANSFERS = text(_TRANSFER + "WHERE true" + _PAGE + _ORDER)


# In the order the promotions were made.
BONUSES = text("""
SELECT b.transfer_id, b.promotion_no, b.currency_no, b.given_units, b.returned_units, b.lot_id
FROM unnest(CAST(:buckets AS smallint[]), CAST(:transfers AS uuid[])) AS asked (bucket, transfer_id)
JOIN exchange.bonus_entries b USING (bucket, transfer_id)
ORDER BY b.transfer_id, b.promotion_no
""")

PROMOTIONS_OF_LOTS = text("""
SELECT lot_id, promotion_no FROM exchange.bonus_entries
WHERE bucket = :bucket AND lot_id = ANY(:lots) AND given_units > 0
""")


LINKED_MEMBERS = text("""
SELECT member_id FROM exchange.member_links WHERE merchant_no = :merchant_no AND member_id = ANY(:members)
""")


class Balance(NamedTuple):
    """Points of one currency at an instant: spendable (less what is owed), held, and the latest transfer's number.

    `pending`: what conversions under way will give, out of currencies that are kept elsewhere.
    """

    currency_no: int
    sequence: int
    held: int
    available: int
    pending: int
    at: datetime


class Expiring(NamedTuple):
    """Available points of one currency that end after a day of the coalition's."""

    currency_no: int
    last_date: date
    units: int


class LotView(NamedTuple):
    """A lot with points left. `ends_at` is its expiry, or when its account ends unless something is done with it."""

    lot_id: UUID
    units: int
    remaining: int
    funder_no: int
    price_micros: int
    earned_at: datetime
    expires_at: datetime | None
    transfer_id: UUID
    ends_at: datetime | None


def _transfer(row: Row[Any]) -> Transfer:
    return transfer_of_columns(tuple(row))


async def balances(connection: AsyncConnection, member_id: UUID) -> list[Balance]:
    """Every currency the member ever had, or is about to get."""
    rows = await connection.execute(BALANCES, {"bucket": member_bucket(member_id), "member_id": member_id})
    return [Balance(*row) for row in rows]


async def expiring(connection: AsyncConnection, member_id: UUID, now: datetime, days: int) -> list[Expiring]:
    """What of the member's points ends within so many days from an instant, nearest first in each currency."""
    values = {"bucket": member_bucket(member_id), "member_id": member_id, "now": now, "days": days}
    return [Expiring(*row) for row in await connection.execute(EXPIRING, values)]


async def require_transfer(
    connection: AsyncConnection, sequence: int, *, merchant_no: int | None, member_id: UUID | None
) -> None:
    """Whether the state that is read has a transfer the caller knows of; 0: it knows of none.

    Every read asks the primary, whose every state has what was acknowledged before the call. So this only ever refuses
    after an older state was put back, by an operator's replica that lags, or for a number that was made up.

    Args:
        connection: of the read; its snapshot is what is looked at.
        sequence: ledger sequence of a transfer the merchant made or that moved the member's points.
        merchant_no: the calling merchant.
        member_id: the member that is read.

    Raises:
        StateTooOld: it has not.
    """
    if not sequence:
        return
    values = {
        "bucket": None if member_id is None else member_bucket(member_id),
        "member_id": member_id,
        "merchant_no": merchant_no,
        "sequence": sequence,
    }
    if not (await connection.execute(HAS_TRANSFER, values)).scalar_one():
        raise StateTooOld(min_ledger_sequence=sequence)


async def lots(
    connection: AsyncConnection,
    member_id: UUID,
    currency_no: int,
    after: tuple[datetime | None, datetime, UUID] | None,
    limit: int,
) -> list[LotView]:
    """Open lots in spending order, after a position (expiry, earned, id)."""
    expires_at, earned_at, lot_id = after or (EARLIEST, EARLIEST, UUID(int=0))
    rows = await connection.execute(
        LOTS,
        {
            "bucket": member_bucket(member_id),
            "member_id": member_id,
            "currency_no": currency_no,
            "expires_at": expires_at,
            "earned_at": earned_at,
            "lot_id": lot_id,
            "limit": limit,
        },
    )
    return [LotView(*row) for row in rows]


async def promotions_of(connection: AsyncConnection, member_id: UUID, found: Sequence[LotView]) -> dict[UUID, int]:
    """Promotion numbers by lot, of those of a member's lots that are bonuses."""
    asked = {"bucket": member_bucket(member_id), "lots": [lot.lot_id for lot in found]}
    return {row.lot_id: row.promotion_no for row in await connection.execute(PROMOTIONS_OF_LOTS, asked)}


async def bonuses(connection: AsyncConnection, found: Sequence[Transfer]) -> dict[UUID, list[Bonus]]:
    """What promotions did in transfers, by transfer; those in which they did nothing are left out."""
    asked = {"buckets": [one.bucket for one in found], "transfers": [one.transfer_id for one in found]}
    return by_transfer(tuple(row) for row in await connection.execute(BONUSES, asked))


async def linked_members(connection: AsyncConnection, merchant_no: int, members: Collection[UUID]) -> frozenset[UUID]:
    """Which of the members a merchant has linked."""
    rows = await connection.execute(LINKED_MEMBERS, {"merchant_no": merchant_no, "members": list(members)})
    return frozenset(rows.scalars())


async def transfer(connection: AsyncConnection, transfer_id: UUID) -> Transfer | None:
    """A transfer by id."""
    named = {"bucket": transfer_bucket(transfer_id), "transfer_id": transfer_id}
    row = (await connection.execute(TRANSFER_BY_NAME, named)).first()
    return None if row is None else _transfer(row)


async def answer_to(connection: AsyncConnection, merchant_no: int, request_id: str) -> Transfer | Refusal | None:
    """What a request was answered; None: its key is unused."""
    values = {"bucket": key_bucket(merchant_no, request_id), "merchant_no": merchant_no, "request_id": request_id}
    row = (await connection.execute(KEY, values)).first()
    if row is None:
        return None
    if row.refusal is not None:
        return restored(row.refusal)
    named = {"bucket": row.transfer_bucket, "transfer_id": row.transfer_id}
    return _transfer((await connection.execute(TRANSFER_BY_NAME, named)).one())


async def transfers_by_reference(
    connection: AsyncConnection, merchant_no: int, reference: str, limit: int
) -> list[Transfer]:
    """The newest transfers with a merchant's own reference, in ledger order."""
    values = {"merchant_no": merchant_no, "reference": reference, "limit": limit}
    return [_transfer(row) for row in await connection.execute(TRANSFERS_BY_REFERENCE, values)]


async def transfers(
    connection: AsyncConnection,
    *,
    merchant_no: int | None,
    member_id: UUID | None,
    window_no: int | None,
    reference: str | None,
    after: int,
    limit: int,
) -> Sequence[Transfer]:
    """A page in ledger order: of a merchant or its own reference, of a member, or all."""
    values: dict[str, object] = {"window_no": window_no, "after": after, "limit": limit}
    if reference is not None:
        assert merchant_no is not None, "a reference is its merchant's own"
        statement = TRANSFERS_OF_REFERENCE
        values |= {"merchant_no": merchant_no, "member_id": member_id, "reference": reference}
    elif merchant_no is not None:
        statement = TRANSFERS_OF_MERCHANT
        values |= {"merchant_no": merchant_no, "member_id": member_id}
    elif member_id is not None:
        statement = TRANSFERS_OF_MEMBER
        values |= {"bucket": member_bucket(member_id), "member_id": member_id}
    else:
        statement = TRANSFERS
    return [_transfer(row) for row in await connection.execute(statement, values)]
