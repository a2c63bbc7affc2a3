"""Use cases of bank details: said by one person, confirmed by another, never changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from exchange.refusals import ResourceNotFound
from settlement import exchange_directory
from settlement.actors import Actor
from settlement.bank_details import sql
from settlement.bank_details.model import BankAccount, BankDetails
from settlement.refusals import BankDetailsMissing, SamePerson, WrongState


class BankDetailsBook:
    """Where participants are paid."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def set(
        self, participant: str, currency: str, account: BankAccount, actor: Actor
    ) -> tuple[BankDetails, bool]:
        """Say where a participant is paid; payments go by it once another person has confirmed it.

        (…, True) when the same person said the very same last.

        Raises:
            PersonUnknown: the credential names nobody.
            ResourceNotFound: there is no such merchant.
        """
        person = actor.require_person()
        async with self._database.write() as connection:
            key = {"participant": participant, "currency_code": currency}
            await connection.execute(sql.TAKE_TURNS, key)
            await exchange_directory.require_merchant(connection, participant, "merchant")
            newest = await _found(connection, sql.NEWEST, key)
            if newest is not None and (newest.account, newest.set_person) == (account, person):
                return newest, True
            version = newest.version + 1 if newest else 1
            by = {"version": version, "set_by": actor.name, "set_person": person}
            await connection.execute(sql.ADD, {**key, **asdict(account), **by})
            return await _version(connection, participant, currency, version), False

    async def confirm(self, participant: str, currency: str, version: int, actor: Actor) -> tuple[BankDetails, bool]:
        """Confirm the newest version; (…, True) when it was confirmed before.

        Raises:
            PersonUnknown, SamePerson: not another pair of eyes.
            ResourceNotFound: there is no such version.
            WrongState: a newer version was set.
        """
        person = actor.require_person()
        async with self._database.write() as connection:
            key = {"participant": participant, "currency_code": currency}
            await connection.execute(sql.TAKE_TURNS, key)
            details = await _version(connection, participant, currency, version)
            if details.confirmed_at is not None:
                return details, True
            newest = await _found(connection, sql.NEWEST, key)
            if newest is None or newest.version != version:
                raise WrongState(resource=details.name, state="SUPERSEDED", needed="NEWEST")
            if details.set_person == person:
                raise SamePerson(resource=details.name, person=person)
            by = {"set_person": details.set_person, "confirmed_by": actor.name, "confirmed_person": person}
            await connection.execute(sql.CONFIRM, {**key, "version": version, **by})
            return await _version(connection, participant, currency, version), False

    async def page(self, participant: str | None, after: tuple[str, str, int], limit: int) -> list[BankDetails]:
        """Versions by participant, currency and number, after one of them; None: of everybody."""
        values = {"participant": participant, "limit": limit}
        keys = dict(zip(("after_participant", "after_currency", "after_version"), after, strict=True))
        async with self._database.read() as connection:
            return [_details(row) for row in await connection.execute(sql.PAGE, {**values, **keys})]


async def confirmed(
    connection: AsyncConnection, currency: str, participants: Collection[str]
) -> dict[str, BankDetails]:
    """Where each of them is paid in a currency.

    Raises:
        BankDetailsMissing: nobody confirmed any for one of them.
    """
    names = sorted(participants)
    rows = await connection.execute(sql.CONFIRMED, {"currency_code": currency, "participants": names})
    found = {row.participant: _details(row) for row in rows}
    missing = [name for name in names if name not in found]
    if missing:
        raise BankDetailsMissing(participants=", ".join(missing[:20]), currency=currency)
    return found


async def _found(connection: AsyncConnection, statement: Any, values: Mapping[str, object]) -> BankDetails | None:
    row = (await connection.execute(statement, values)).first()
    return _details(row) if row is not None else None


async def _version(connection: AsyncConnection, participant: str, currency: str, version: int) -> BankDetails:
    values = {"participant": participant, "currency_code": currency, "version": version}
    details = await _found(connection, sql.VERSION, values)
    if details is None:
        name = f"merchants/{participant}/bankDetails/{currency}/{version}"
        raise ResourceNotFound(resource=name, field="name")
    return details


def _details(row: Row[Any]) -> BankDetails:
    return BankDetails(
        participant=row.participant,
        currency=row.currency_code,
        version=row.version,
        account=BankAccount(row.holder, row.iban, row.number, row.bic, row.clearing_system, row.clearing_member),
        set_at=row.set_at,
        set_by=row.set_by,
        set_person=row.set_person,
        confirmed_at=row.confirmed_at,
        confirmed_by=row.confirmed_by,
        confirmed_person=row.confirmed_person,
    )
