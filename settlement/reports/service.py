"""Use cases of reports: gather what a report is made of, and make it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from exchange.refusals import ResourceNotFound
from settlement import exchange_directory, exchange_ledger
from settlement.breakage.service import Breakage
from settlement.defaults import sql as defaults_sql
from settlement.journal.model import PaymentEvent
from settlement.liability.service import Liability
from settlement.payments import sql as payments_sql
from settlement.payments.exceptions import Exceptions
from settlement.reports import books, figures, points, queue, statement
from settlement.reports.lines import KindTotal
from settlement.reports.model import Report
from settlement.reports.settled import Borne, SettledWindow
from settlement.run.model import Run
from settlement.run.service import read_run

EXCEPTIONS_MAX = 100_000
NEVER = datetime(1970, 1, 1, tzinfo=UTC)

OF_WINDOW = {
    "settlement-summary": figures.settlement_summary,
    "net-positions": figures.net_positions,
    "bilateral-matrix": figures.bilateral_matrix,
    "ageing": figures.ageing,
}
"""Reports made of a run alone. A new one is a pure function and a line here."""


class Reports:
    """What finance and merchants receive."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_window(self, name: str, run_id: UUID) -> Report:
        """A report of OF_WINDOW, by name.

        Raises:
            ResourceNotFound: there is no such run.
        """
        return OF_WINDOW[name](await self._settled(run_id))

    async def merchant_statement(self, run_id: UUID, participant: str) -> Report:
        """A participant's statement.

        Raises:
            ResourceNotFound: there is no such run, or nobody of that id takes part.
        """
        settled = await self._settled(run_id)
        if participant not in settled.names:
            raise ResourceNotFound(resource=f"merchants/{participant}", field="merchant")
        return statement.merchant_statement(settled, participant)

    async def journal(self, run_id: UUID) -> Report:
        """The journal of a window with what banks booked of it so far.

        Raises:
            ResourceNotFound: there is no such run.
        """
        settled = await self._settled(run_id)
        async with self._database.read() as connection:
            rows = await connection.execute(payments_sql.EVENTS, {"run_id": run_id})
            events = [
                PaymentEvent(
                    end_to_end_id=row.end_to_end_id,
                    currency=row.currency_code,
                    payer=row.payer,
                    payee=row.payee,
                    minor_units=row.minor_units,
                    booked_on=row.booked_on or row.at.astimezone(settled.time_zone).date(),
                    returned=row.to_state == "RETURNED",
                )
                for row in rows
                if row.to_state in {"SETTLED", "RETURNED"}
            ]
        return books.journal(settled, events)

    async def exceptions(self) -> Report:
        """The exceptions queue, ended ones too."""
        found = await Exceptions(self._database).page(0, EXCEPTIONS_MAX, ended=True)
        async with self._database.read() as connection:
            coalition = await exchange_directory.coalition(connection)
        moments = [moment for one in found for moment in (one.raised_at, one.resolved_at) if moment is not None]
        return queue.exceptions(found, coalition.time_zone, max(moments, default=NEVER))

    async def liability(self, first: int, last: int) -> Report:
        """The points liability rolled forward over closed windows.

        Raises:
            ResourceNotFound, WindowState: there is no such window, or it is open.
        """
        rolls = await Liability(self._database).roll(first, last)
        return points.liability(rolls, first, last, await self._closed_at(last))

    async def breakage(self, currency: str, last: int) -> Report:
        """Breakage income of a points currency up to a closed window.

        Raises:
            ResourceNotFound, WindowState: there is no such currency or window, or it is open.
        """
        rows = await Breakage(self._database).recognised(currency, last)
        async with self._database.read() as connection:
            money = await exchange_directory.money_of(connection, currency)
        return points.breakage(currency, rows, money, await self._closed_at(last))

    async def participants(self, run_id: UUID) -> list[str]:
        """Everybody with a part in a run: with a position, or with an item that is carried, for or against it.

        Raises:
            ResourceNotFound: there is no such run.
        """
        async with self._database.read() as connection:
            run = await read_run(connection, run_id, "run")
        names = {position.participant for one in run.result for position in one.positions}
        names |= {name for one in run.result for item in one.carried for name in (item.debtor, item.creditor)}
        return sorted(names)

    async def _settled(self, run_id: UUID) -> SettledWindow:
        async with self._database.read() as connection:
            return await settled_window(connection, await read_run(connection, run_id, "run"))

    async def _closed_at(self, window_no: int) -> datetime:
        async with self._database.read() as connection:
            window = await exchange_ledger.require_closed(connection, window_no, "window")
        assert window.closed_at is not None
        return window.closed_at


async def settled_window(connection: AsyncConnection, run: Run) -> SettledWindow:
    """A run with what stands around it, as the caller's transaction sees it."""
    window = await exchange_ledger.require_closed(connection, run.window_no, "window")
    coalition = await exchange_directory.coalition(connection)
    assert window.closed_at is not None
    return SettledWindow(
        run=run,
        opened_at=window.opened_at,
        closed_at=window.closed_at,
        operator=coalition.operator,
        time_zone=coalition.time_zone,
        names=await exchange_directory.display_names(connection),
        kinds=[KindTotal(*row) for row in await exchange_ledger.kind_micros(connection, run.window_no)],
        borne=[
            Borne(
                one.currency_code,
                one.defaulter,
                one.participant,
                one.payer,
                one.borne,
                one.at.astimezone(coalition.time_zone).date(),
                one.repaid,
                one.written_off,
            )
            for one in await connection.execute(defaults_sql.BORNE, {"run_id": run.run_id})
        ],
    )
