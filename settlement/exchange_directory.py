"""The only door to the exchange's directory: who takes part and is suspended, whose a key is, caps, and who leaves."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.callers import Caller, CallerRole
from exchange.directory import departing as leaving
from exchange.limits import binding
from exchange.money.currencies import micros_per_minor
from exchange.money.limits import INT64_MAX
from exchange.refusals import CredentialUnknown, ResourceNotFound

COALITION = text("""
SELECT m.merchant_id, c.time_zone, exchange.coalition_now() AS now
FROM exchange.coalition c JOIN exchange.merchants m ON m.merchant_no = c.operator_no
""")

KEY = text("""
SELECT key_id, caller_role, holder FROM exchange.api_keys
WHERE secret_hash = :secret_hash AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
""")

PARTICIPANTS = text("""
SELECT merchant_id FROM exchange.merchants WHERE merchant_no <> (SELECT operator_no FROM exchange.coalition)
""")

NAMES = text("SELECT merchant_id, display_name FROM exchange.merchants ORDER BY merchant_id")

MERCHANT = text("SELECT 1 FROM exchange.merchants WHERE merchant_id = :merchant_id")

SUSPENDED = text("SELECT suspended FROM exchange.merchants WHERE merchant_id = :merchant_id")

ALL_SUSPENDED = text("SELECT merchant_id FROM exchange.merchants WHERE suspended ORDER BY merchant_id")

CURRENCY = text("SELECT settlement_currency FROM exchange.currencies WHERE code = :code")


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


async def coalition(connection: AsyncConnection) -> Coalition:
    """Who operates, where, and what time it is."""
    operator, time_zone, now = (await connection.execute(COALITION)).one()
    return Coalition(operator, ZoneInfo(time_zone), now.astimezone(UTC))


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


async def participants(connection: AsyncConnection) -> frozenset[str]:
    """Everybody who may be debtor or creditor, by id; the operator is not excluded from its own clearing."""
    return frozenset((await connection.execute(PARTICIPANTS)).scalars())


async def display_names(connection: AsyncConnection) -> dict[str, str]:
    """What people call each participant, by id."""
    return {row.merchant_id: row.display_name for row in await connection.execute(NAMES)}


async def require_merchant(connection: AsyncConnection, merchant_id: str, field: str) -> None:
    """Raises ResourceNotFound when nobody of this id takes part; `field` named it."""
    if (await connection.execute(MERCHANT, {"merchant_id": merchant_id})).first() is None:
        raise ResourceNotFound(resource=f"merchants/{merchant_id}", field=field)


async def is_suspended(connection: AsyncConnection, merchant_id: str) -> bool:
    """Whether a merchant that takes part is suspended."""
    return bool((await connection.execute(SUSPENDED, {"merchant_id": merchant_id})).scalar_one())


async def suspended(connection: AsyncConnection) -> list[str]:
    """Merchants that are suspended now, by id."""
    return list((await connection.execute(ALL_SUSPENDED)).scalars())


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


async def money_of(connection: AsyncConnection, code: str, field: str = "currency") -> str:
    """The settlement currency a points currency is priced in.

    Raises:
        ResourceNotFound: there is no points currency of this code; `field` named it.
    """
    money = (await connection.execute(CURRENCY, {"code": code})).scalar_one_or_none()
    if money is None:
        raise ResourceNotFound(resource=f"currencies/{code}", field=field)
    return str(money)
