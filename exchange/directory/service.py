"""Use cases of the operator on merchants, currencies, prices and keys. One transaction each, alone behind the fence."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.callers import Caller, CallerRole
from exchange.clock import coalition_now
from exchange.db.engine import Database
from exchange.directory import sql
from exchange.directory.change import change
from exchange.directory.model import Credential, Currency, Directory, EarnRule, Merchant, MerchantRole, Price
from exchange.directory.snapshot import read_directory
from exchange.ledger.event_kinds import EventKind
from exchange.ledger.ids import new_id
from exchange.ledger.outbox import note
from exchange.refusals import ResourceExists, ResourceNotFound, TooLate, WrongState

KEY_BYTES = 32
KEY_PREFIX = "cpx_"

PriceCheck = Callable[[AsyncConnection, Directory], Awaitable[None]]


class Reloads(Protocol):
    """Reads the directory anew after a change of our own."""

    async def reload(self) -> object:
        """Read anew."""
        ...


def hash_of(secret: str) -> bytes:
    """How a key is stored. A 256-bit random key needs no salt and no slow hash: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCurrency:
    """What the operator says of a currency to issue."""

    code: str
    issuer_id: str
    display_name: str
    settlement_currency: str
    expiry_kind: int
    expiry_days: int
    breakage_share_bps: int
    negative_balances: bool
    fiscal_year_end_month: int = 0
    fiscal_year_end_day: int = 0
    grace_months: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPrice:
    """What the operator says of a price; `effective_at` None: now."""

    effective_at: datetime | None
    issue_micros: int
    redeem_micros: int
    conversion_in_micros: int
    conversion_out_micros: int
    cash_out_micros: int
    cash_out_fee_bps: int


class DirectoryChanges:
    """The operator's changes.

    Args:
        database: where the directory is.
        source: this process's copy, read anew after each change.
        check_spreads: refuses a price that would leave a published rate with a negative spread.
    """

    def __init__(self, database: Database, source: Reloads, check_spreads: PriceCheck) -> None:
        self._database, self._source, self._check_spreads = database, source, check_spreads

    async def create_merchant(
        self, caller: Caller, merchant_id: str, display_name: str, roles: Sequence[int], *, cash_agent: bool
    ) -> Merchant:
        """Take a merchant in.

        Raises:
            ResourceExists: the id is taken, in whatever case.
        """
        subject = f"merchants/{merchant_id}"
        values = {"merchant_id": merchant_id, "display_name": display_name, "roles": roles, "cash_agent": cash_agent}
        async with change(self._database, caller, "create merchant", subject, values) as connection:
            if (await connection.execute(sql.ADD_MERCHANT, values)).first() is None:
                raise ResourceExists(resource=subject)
            directory = await read_directory(connection)
        await self._source.reload()
        return directory.merchant(merchant_id)

    async def set_roles(
        self, caller: Caller, merchant_id: str, roles: Sequence[MerchantRole], *, cash_agent: bool
    ) -> Merchant:
        """Say anew which roles a merchant holds."""
        values = {"roles": roles, "cash_agent": cash_agent}
        async with change(self._database, caller, "set roles", f"merchants/{merchant_id}", values) as connection:
            number = (await read_directory(connection)).merchant(merchant_id).number
            await connection.execute(sql.SET_ROLES, {**values, "number": number})
            directory = await read_directory(connection)
        await self._source.reload()
        return directory.merchant(merchant_id)

    async def suspend_merchant(self, caller: Caller, merchant_id: str, reason: str, *, suspended: bool) -> Merchant:
        """Stop a merchant at once, everywhere, or let it act again.

        Raises:
            WrongState: it has left for good.
        """
        action = "suspend merchant" if suspended else "activate merchant"
        after = {"suspended": suspended}
        async with change(self._database, caller, action, f"merchants/{merchant_id}", after, reason) as connection:
            merchant = (await read_directory(connection)).merchant(merchant_id)
            if merchant.has_left and not suspended:
                raise WrongState(resource=f"{merchant.name}/exit", state="EXITED", needed="PARTICIPANT")
            await connection.execute(sql.SUSPEND_MERCHANT, {"number": merchant.number, "suspended": suspended})
            directory = await read_directory(connection)
            kind = EventKind.MERCHANT_SUSPENDED if suspended else EventKind.MERCHANT_ACTIVATED
            await note(connection, kind, f"merchants/{merchant_id}")
        await self._source.reload()
        return directory.merchant(merchant_id)

    async def create_currency(self, caller: Caller, new: NewCurrency) -> Currency:
        """Let a merchant issue a currency.

        Raises:
            ResourceExists: the code is taken.
            ResourceNotFound: no such issuer.
        """
        subject = f"currencies/{new.code}"
        values = {field: getattr(new, field) for field in NewCurrency.__slots__ if field != "issuer_id"}
        async with change(self._database, caller, "create currency", subject, values) as connection:
            issuer = (await read_directory(connection)).merchant(new.issuer_id, "currency.issuer")
            if (await connection.execute(sql.ADD_CURRENCY, {**values, "issuer_no": issuer.number})).first() is None:
                raise ResourceExists(resource=subject)
            directory = await read_directory(connection)
        await self._source.reload()
        return directory.currency(new.code)

    async def suspend_currency(self, caller: Caller, code: str, reason: str, *, suspended: bool) -> Currency:
        """Stop every movement of a currency at once, or let it move again."""
        action = "suspend currency" if suspended else "activate currency"
        after = {"suspended": suspended}
        async with change(self._database, caller, action, f"currencies/{code}", after, reason) as connection:
            number = (await read_directory(connection)).currency(code).number
            await connection.execute(sql.SUSPEND_CURRENCY, {"number": number, "suspended": suspended})
            directory = await read_directory(connection)
            kind = EventKind.CURRENCY_SUSPENDED if suspended else EventKind.CURRENCY_ACTIVATED
            await note(connection, kind, f"currencies/{code}")
        await self._source.reload()
        return directory.currency(code)

    async def publish_price(self, caller: Caller, code: str, new: NewPrice) -> Price:
        """Set what a point costs from an instant on.

        Raises:
            TooLate: the instant has passed: what happened keeps its price.
            ResourceExists: there is a price from that very instant.
            NegativeSpread: a published rate would lose money for the operator.
        """
        values = {field: getattr(new, field) for field in NewPrice.__slots__}
        async with change(self._database, caller, "publish price", f"currencies/{code}", values) as connection:
            currency = (await read_directory(connection)).currency(code, "currency")
            values["effective_at"] = await not_past(connection, new.effective_at, "price.effective_time")
            values["currency_no"] = currency.number
            price_no = (await connection.execute(sql.ADD_PRICE, values)).scalar()
            if price_no is None:
                raise ResourceExists(resource=f"currencies/{code}/prices/…", effective_time=values["effective_at"])
            directory = await read_directory(connection)
            await self._check_spreads(connection, directory)
            await note(connection, EventKind.PRICE_PUBLISHED, f"currencies/{code}/prices/{price_no}")
        await self._source.reload()
        return next(price for price in directory.currency(code).prices if price.price_no == price_no)

    async def create_earn_rule(self, caller: Caller, rule: EarnRule, merchant_id: str, code: str) -> EarnRule:
        """Make an earn rule; merchant and currency numbers of `rule` are filled in here.

        Raises:
            ResourceExists: the id is taken.
            ResourceNotFound: no such merchant or currency.
        """
        async with change(self._database, caller, "create earn rule", rule.name, rule._asdict()) as connection:
            directory = await read_directory(connection)
            rule = rule._replace(
                merchant_no=directory.merchant(merchant_id, "earn_rule.merchant").number,
                currency_no=directory.currency(code, "earn_rule.currency").number,
            )
            if (await connection.execute(sql.ADD_EARN_RULE, rule._asdict())).first() is None:
                raise ResourceExists(resource=rule.name)
        await self._source.reload()
        return rule

    async def issue_key(
        self,
        caller: Caller,
        role: CallerRole,
        merchant_id: str | None,
        display_name: str,
        expires_at: datetime | None,
        holder: str | None = None,
    ) -> tuple[Credential, str]:
        """Make a key; its secret is given once and stored hashed. `holder`: the person it is given to.

        Raises:
            ResourceNotFound: no such merchant.
        """
        secret = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
        key_id = new_id()
        values = {
            "key_id": key_id,
            "caller_role": role,
            "display_name": display_name,
            "expires_at": expires_at,
            "holder": holder,
        }
        async with change(self._database, caller, "issue key", f"apiKeys/{key_id}", values) as connection:
            merchant_no = None
            if merchant_id is not None:
                merchant = (await read_directory(connection)).merchant(merchant_id, "api_key.merchant")
                merchant_no = merchant.number
            hashed = hash_of(secret)
            await connection.execute(sql.ADD_KEY, {**values, "secret_hash": hashed, "merchant_no": merchant_no})
            directory = await read_directory(connection)
        await self._source.reload()
        return directory.credentials[hashed], secret

    async def revoke_key(self, caller: Caller, key_id: UUID) -> Credential:
        """End a key at once, everywhere.

        Raises:
            ResourceNotFound: no such key.
        """
        name = f"apiKeys/{key_id}"
        async with change(self._database, caller, "revoke key", name, {}) as connection:
            await connection.execute(sql.REVOKE_KEY, {"key_id": key_id})
            directory = await read_directory(connection)
            found = next((held for held in directory.credentials.values() if held.key_id == key_id), None)
            if found is None:
                raise ResourceNotFound(resource=name, field="name")
        await self._source.reload()
        return found

    async def set_clock(self, caller: Caller, time: datetime) -> datetime:
        """Move the sandbox's clock; backwards only while nothing has moved.

        Raises:
            TooLate: the instant has passed.
        """
        async with change(self._database, caller, "set clock", "sandbox/clock", {"time": time}) as connection:
            if (await connection.execute(sql.SET_CLOCK, {"time": time})).first() is None:
                raise TooLate(field="time", earliest=(await coalition_now(connection)).isoformat())
            return await coalition_now(connection)


async def not_past(connection: AsyncConnection, at: datetime | None, field: str) -> datetime:
    """An instant from which something new may hold: now when none is given.

    Raises:
        TooLate: it has passed.
    """
    now = await coalition_now(connection)
    if at is None:
        return now
    if at < now:
        raise TooLate(field=field, earliest=now.isoformat())
    return at
