"""Reading the ledger: balances, lots, transfers. Each use case reads one snapshot."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.ledger import reads_sql as sql
from exchange.ledger.bonus_rows import by_transfer
from exchange.ledger.bonuses import Bonus
from exchange.ledger.key_rows import transfer_of_columns
from exchange.ledger.keys import restored
from exchange.ledger.model import Transfer, key_bucket, member_bucket, transfer_bucket
from exchange.ledger.retired import require_kept, require_window_kept
from exchange.money.limits import INT64_MAX
from exchange.refusals import Refusal, StateTooOld

EARLIEST = datetime.min.replace(tzinfo=UTC)


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
    rows = await connection.execute(sql.BALANCES, {"bucket": member_bucket(member_id), "member_id": member_id})
    return [Balance(*row) for row in rows]


async def expiring(connection: AsyncConnection, member_id: UUID, now: datetime, days: int) -> list[Expiring]:
    """What of the member's points ends within so many days from an instant, nearest first in each currency."""
    values = {"bucket": member_bucket(member_id), "member_id": member_id, "now": now, "days": days}
    return [Expiring(*row) for row in await connection.execute(sql.EXPIRING, values)]


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
    if not (await connection.execute(sql.HAS_TRANSFER, values)).scalar_one():
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
        sql.LOTS,
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
    return {row.lot_id: row.promotion_no for row in await connection.execute(sql.PROMOTIONS_OF_LOTS, asked)}


async def bonuses(connection: AsyncConnection, found: Sequence[Transfer]) -> dict[UUID, list[Bonus]]:
    """What promotions did in transfers, by transfer; those in which they did nothing are left out."""
    asked = {"buckets": [one.bucket for one in found], "transfers": [one.transfer_id for one in found]}
    return by_transfer(tuple(row) for row in await connection.execute(sql.BONUSES, asked))


async def linked_members(connection: AsyncConnection, merchant_no: int, members: Collection[UUID]) -> frozenset[UUID]:
    """Which of the members a merchant has linked."""
    rows = await connection.execute(sql.LINKED_MEMBERS, {"merchant_no": merchant_no, "members": list(members)})
    return frozenset(rows.scalars())


async def transfer(connection: AsyncConnection, transfer_id: UUID) -> Transfer | None:
    """A transfer by id."""
    named = {"bucket": transfer_bucket(transfer_id), "transfer_id": transfer_id}
    row = (await connection.execute(sql.TRANSFER_BY_NAME, named)).first()
    return None if row is None else _transfer(row)


async def answer_to(connection: AsyncConnection, merchant_no: int, request_id: str) -> Transfer | Refusal | None:
    """What a request was answered; None: its key is unused.

    Raises:
        TransferRetired: by a transfer that has left the ledger.
    """
    values = {"bucket": key_bucket(merchant_no, request_id), "merchant_no": merchant_no, "request_id": request_id}
    row = (await connection.execute(sql.KEY, values)).first()
    if row is None:
        return None
    if row.refusal is not None:
        return restored(row.refusal)
    named = {"bucket": row.transfer_bucket, "transfer_id": row.transfer_id}
    found = (await connection.execute(sql.TRANSFER_BY_NAME, named)).first()
    if found is None:
        await require_kept(connection, row.transfer_id)
    assert found is not None, f"transfer {row.transfer_id} is nowhere"
    return _transfer(found)


async def transfers_by_reference(
    connection: AsyncConnection, merchant_no: int, reference: str, limit: int
) -> list[Transfer]:
    """The newest transfers with a merchant's own reference, in ledger order."""
    values = {"merchant_no": merchant_no, "reference": reference, "limit": limit}
    return [_transfer(row) for row in await connection.execute(sql.TRANSFERS_BY_REFERENCE, values)]


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
    """A page in ledger order: of a merchant or its own reference, of a member, or all; of what is in the ledger.

    Raises:
        TransferRetired: some of the window's have left it.
    """
    values: dict[str, object] = {"window_no": window_no, "after": after, "before": INT64_MAX, "limit": limit}
    if window_no is not None:
        window = (await connection.execute(sql.WINDOW, {"window_no": window_no})).first()
        if window is None:
            return []
        await require_window_kept(connection, window_no)
        values["after"] = max(after, window.first_sequence - 1)
        values["before"] = window.next_first_sequence or INT64_MAX
    if reference is not None:
        assert merchant_no is not None, "a reference is its merchant's own"
        statement = sql.TRANSFERS_OF_REFERENCE
        values |= {"merchant_no": merchant_no, "member_id": member_id, "reference": reference}
    elif member_id is not None:
        await connection.execute(sql.IN_ORDER)
        statement = sql.TRANSFERS_OF_MEMBER if merchant_no is None else sql.TRANSFERS_OF_BOTH
        values |= {"bucket": member_bucket(member_id), "member_id": member_id}
        values |= {} if merchant_no is None else {"merchant_no": merchant_no}
    elif merchant_no is not None:
        statement = sql.TRANSFERS_OF_MERCHANT
        values |= {"merchant_no": merchant_no}
    else:
        statement = sql.TRANSFERS
    return [_transfer(row) for row in await connection.execute(statement, values)]
