"""Disputes and adjustments, as other rooms read them in their own transactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.money.currencies import micros_per_minor
from exchange.refusals import ResourceNotFound
from settlement.disputes import sql
from settlement.disputes.model import (
    Adjustment,
    AdjustmentCause,
    Cause,
    Dispute,
    Obligation,
    Reason,
    State,
    Step,
    Treatment,
    Verdict,
)
from settlement.disputes.rules import Standing
from settlement.exchange_ledger import require_kept


async def read_dispute(connection: AsyncConnection, dispute_id: UUID, field: str = "name") -> Dispute:
    """A dispute by id; `field` named it.

    Raises:
        ResourceNotFound: there is none.
    """
    row = (await connection.execute(sql.DISPUTE, {"dispute_id": dispute_id})).first()
    if row is None:
        raise ResourceNotFound(resource=f"disputes/{dispute_id}", field=field)
    return (await disputes_of(connection, [row]))[0]


async def disputes_of(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> list[Dispute]:
    """Rows of disputes with their steps, in their order."""
    steps: dict[UUID, list[Step]] = {row.dispute_id: [] for row in rows}
    for row in await connection.execute(sql.STEPS, {"disputes": list(steps)}):
        _, step_no, from_state, to_state, cause, *rest = row
        steps[row.dispute_id].append(Step(step_no, from_state, State(to_state), Cause(cause), *rest))
    return [_dispute(row, steps[row.dispute_id]) for row in rows]


def _dispute(row: Row[Any], steps: list[Step]) -> Dispute:
    return Dispute(
        dispute_id=row.dispute_id,
        obligation=Obligation(row.transfer_id, row.debtor, row.creditor, row.currency_code),
        window_no=row.window_no,
        minor_units=row.minor_units,
        claimant=row.claimant,
        request_id=row.request_id,
        reason=Reason(row.reason),
        statement=row.statement,
        evidence=row.evidence,
        treatment=Treatment(row.treatment),
        owner=row.owner,
        answer_due=row.answer_due,
        decision_days=row.decision_days,
        unanswered=Verdict(row.unanswered),
        undecided=Verdict(row.undecided),
        steps=steps,
        order_no=row.order_no,
    )


def adjustment_of(row: Row[Any]) -> Adjustment:
    """A row of an adjustment."""
    adjustment = Adjustment._make(row)
    return adjustment._replace(cause=AdjustmentCause(row.cause))


async def window_of(connection: AsyncConnection, obligation: Obligation) -> int | None:
    """The window an obligation is in; None: the transfer left no such thing owing.

    Raises:
        TransferRetired: the transfer has left the ledger.
    """
    found: int | None = (await connection.execute(sql.WINDOW_OF, obligation._asdict())).scalar_one()
    if found is None:
        await require_kept(connection, obligation.transfer)
    return found


async def require_transfer(connection: AsyncConnection, transfer_id: UUID, field: str) -> None:
    """A transfer of this id left something owing; `field` named it.

    Raises:
        TransferRetired: it has left the ledger.
        ResourceNotFound: there is none.
    """
    if (await connection.execute(sql.TRANSFER, {"transfer": transfer_id})).first() is None:
        await require_kept(connection, transfer_id)
        raise ResourceNotFound(resource=f"transfers/{transfer_id}", field=field)


async def standing_of(connection: AsyncConnection, obligation: Obligation) -> Standing:
    """How an obligation stands now."""
    values = {**obligation._asdict(), "up_to": sql.EVER, "unit": micros_per_minor(obligation.currency)}
    return Standing(*(await connection.execute(sql.STANDING, values)).one())
