"""Use cases of breakage: estimates said by one person and confirmed by another, and the income they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from exchange.refusals import ResourceNotFound
from settlement import exchange_directory
from settlement.actors import Actor
from settlement.breakage import sql
from settlement.breakage.model import Estimate, Recognition, Usage
from settlement.breakage.rules import recognitions
from settlement.liability.model import NOTHING, Figure, Movement
from settlement.liability.rules import classified
from settlement.liability.service import Liability
from settlement.refusals import SamePerson, WrongState


class Breakage:
    """Estimates and what they make recognised."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def set(
        self, currency: str, expected_bps: int, from_window: int, reason: str, actor: Actor
    ) -> tuple[Estimate, bool]:
        """Say what share of a currency's points will never be used; it counts once another person confirmed it.

        (…, True) when the same person said the very same last.

        Raises:
            PersonUnknown: the credential names nobody.
            ResourceNotFound: there is no such currency.
            WrongState: an earlier estimate begins later: estimates follow one another.
        """
        person = actor.require_person()
        async with self._database.write() as connection:
            await connection.execute(sql.TAKE_TURNS, {"currency": currency})
            await exchange_directory.money_of(connection, currency)
            newest = await _found(connection, sql.NEWEST, {"currency": currency})
            said = (expected_bps, from_window, reason, person)
            if newest is not None:
                if (newest.expected_bps, newest.from_window, newest.reason, newest.set_person) == said:
                    return newest, True
                if newest.confirmed_at is not None and newest.from_window > from_window:
                    raise WrongState(resource=newest.name, state=f"FROM windows/{newest.from_window}", needed="EARLIER")
            version = newest.version + 1 if newest else 1
            values = {"currency": currency, "version": version, "from_window": from_window, "reason": reason}
            by = {"expected_bps": expected_bps, "set_by": actor.name, "set_person": person}
            await connection.execute(sql.ADD, {**values, **by})
            return await _version(connection, currency, version), False

    async def confirm(self, currency: str, version: int, actor: Actor) -> tuple[Estimate, bool]:
        """Confirm the newest estimate; (…, True) when it was confirmed before.

        Raises:
            PersonUnknown, SamePerson: not another pair of eyes.
            ResourceNotFound: there is no such version.
            WrongState: a newer one was set.
        """
        person = actor.require_person()
        async with self._database.write() as connection:
            await connection.execute(sql.TAKE_TURNS, {"currency": currency})
            estimate = await _version(connection, currency, version)
            if estimate.confirmed_at is not None:
                return estimate, True
            newest = await _found(connection, sql.NEWEST, {"currency": currency})
            if newest is None or newest.version != version:
                raise WrongState(resource=estimate.name, state="SUPERSEDED", needed="NEWEST")
            if estimate.set_person == person:
                raise SamePerson(resource=estimate.name, person=person)
            by = {"set_person": estimate.set_person, "confirmed_by": actor.name, "confirmed_person": person}
            await connection.execute(sql.CONFIRM, {"currency": currency, "version": version, **by})
            return await _version(connection, currency, version), False

    async def page(self, currency: str | None, after: tuple[str, int], limit: int) -> list[Estimate]:
        """Estimates by currency and version, after one of them; None: of every currency."""
        values = {"currency": currency, "after_currency": after[0], "after_version": after[1], "limit": limit}
        async with self._database.read() as connection:
            return [Estimate._make(row) for row in await connection.execute(sql.PAGE, values)]

    async def recognised(self, currency: str, last: int) -> list[Recognition]:
        """What each closed window up to `last` recognised, by the estimates in force.

        Raises:
            ResourceNotFound: there is no such currency or window.
            WindowState: the last window is still open.
        """
        async with self._database.read() as connection:
            await exchange_directory.money_of(connection, currency)
            rows = await connection.execute(sql.OF_CURRENCY, {"currency": currency})
            estimates = [Estimate._make(row) for row in rows]
        movements = await Liability(self._database).movements(last)
        return recognitions(usages_of(currency, movements, last), estimates)


def usages_of(currency: str, movements: Iterable[Movement], last: int) -> list[Usage]:
    """What each window up to `last` did to a currency's points, at issue prices; windows without movements too."""
    by_window: dict[int, dict[str, Figure]] = {number: {} for number in range(1, last + 1)}
    for movement in movements:
        if movement.owner.currency == currency:
            figures = by_window[movement.window_no]
            for name, figure in classified(movement):
                figures[name] = figures.get(name, NOTHING).plus(figure)
    return [_usage(number, figures) for number, figures in by_window.items()]


def _usage(window_no: int, figures: Mapping[str, Figure]) -> Usage:
    def sum_of(*names: str) -> int:
        return sum(figures.get(name, NOTHING).micros for name in names)

    return Usage(
        window_no=window_no,
        issued=sum_of("issued", "converted_in", "added"),
        taken_back=sum_of("taken_back", "repaid", "removed"),
        used=sum_of("redeemed", "converted_out"),
        given_back=sum_of("given_back"),
        expired=sum_of("expired"),
    )


async def _found(connection: AsyncConnection, statement: Any, values: Mapping[str, object]) -> Estimate | None:
    row = (await connection.execute(statement, values)).first()
    return Estimate._make(row) if row is not None else None


async def _version(connection: AsyncConnection, currency: str, version: int) -> Estimate:
    estimate = await _found(connection, sql.VERSION, {"currency": currency, "version": version})
    if estimate is None:
        raise ResourceNotFound(resource=f"currencies/{currency}/breakageEstimates/{version}", field="name")
    return estimate
