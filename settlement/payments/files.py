"""Files that were made and payments as they stand: reading them back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.payments import sql
from settlement.payments.formats.registry import FORMATS
from settlement.payments.model import AttemptState, Leg, LegView
from settlement.run.life import INSTRUCTED
from settlement.run.model import Run


class PaymentFile(NamedTuple):
    """A file that was made; its content is read apart. `control_sum` in minor units."""

    message_id: str
    run_id: UUID
    currency: str
    batch_no: int
    format: str
    execution_date: date
    created_at: datetime
    created_by: str
    created_person: str
    payments: int
    control_sum: int
    sha256: str
    bytes: int

    @property
    def name(self) -> str:
        """Resource name."""
        return f"paymentFiles/{self.message_id}"

    @property
    def file_name(self) -> str:
        """What to call it on a disk."""
        return f"{self.message_id}.{FORMATS[self.format].suffix}"


async def files_of(connection: AsyncConnection, run_id: UUID) -> list[PaymentFile]:
    """A run's files by currency and batch."""
    return [file_of(row) for row in await connection.execute(sql.FILES, {"run_id": run_id})]


def file_of(row: Row[Any]) -> PaymentFile:
    """A row as a file."""
    return PaymentFile(
        message_id=row.message_id,
        run_id=row.run_id,
        currency=row.currency_code,
        batch_no=row.batch_no,
        format=row.format,
        execution_date=row.execution_date,
        created_at=row.created_at,
        created_by=row.created_by,
        created_person=row.created_person,
        payments=row.payments,
        control_sum=int(row.control_sum),
        sha256=row.sha256,
        bytes=row.bytes,
    )


async def legs_paid(connection: AsyncConnection, run_id: UUID) -> list[LegView]:
    """The legs of an instructed run, each with its newest attempt and what of it its payee bears."""
    return _views(await connection.execute(sql.LEGS, {"run_id": run_id}))


async def legs_to_pay(connection: AsyncConnection, run: Run) -> list[LegView]:
    """The legs a run asks for, instructed or not: none is in a file before, but others may stand in for it."""
    if run.life.state in INSTRUCTED:
        return await legs_paid(connection, run.run_id)
    return _views(await connection.execute(sql.LEGS_ASKED, {"run_id": run.run_id}))


def _views(rows: Iterable[Row[Any]]) -> list[LegView]:
    return [
        LegView(
            leg=Leg(row.leg_no, row.currency_code, row.payer, row.payee, row.minor_units),
            attempt=row.attempt or 0,
            end_to_end_id=row.end_to_end_id or "",
            message_id=row.message_id or "",
            state=AttemptState(row.state),
            booked_on=row.booked_on,
            reason=row.reason,
            borne=row.borne,
        )
        for row in rows
    ]
