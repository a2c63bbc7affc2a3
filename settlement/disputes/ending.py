"""Ending a dispute and making an adjustment: in the caller's transaction, one at a time for all of settlement."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement import exchange_directory, exchange_ledger
from settlement.actors import Actor
from settlement.disputes import rules, sql
from settlement.disputes.model import (
    AdjustmentCause,
    AgreedAdjustment,
    Dispute,
    DisputeDecision,
    State,
    Step,
)
from settlement.disputes.reading import read_dispute, standing_of
from settlement.disputes.rules import End
from settlement.disputes.telling import tell_step


async def end(
    connection: AsyncConnection,
    dispute: Dispute,
    how: End,
    actor: Actor,
    note: str,
    *,
    evidence: str = "",
    proposal: UUID | None = None,
) -> None:
    """End a dispute in the open window: there what was held out is netted again, and what was won goes back.

    Both fall into the same window, so that of a claim which is upheld whole nobody pays anything. Both sides are told:
    lock nothing afterwards.
    """
    now = (await exchange_directory.coalition(connection)).now
    window_no = await exchange_ledger.open_window_no(connection)
    upheld = how.upheld if how.state is State.UPHELD else None
    last = dispute.steps[-1]
    told = (now, actor.name, actor.person, note, evidence)
    step = Step(last.step_no + 1, last.to_state, how.state, how.cause, *told, None, upheld, window_no, proposal)
    await take(connection, dispute, step)
    if upheld:
        owed = dispute.obligation
        why = _Why(AdjustmentCause.UPHELD, dispute.dispute_id, None, owed.transfer)
        await _adjust(connection, window_no, (owed.creditor, owed.debtor, owed.currency), upheld, why, actor)
    await tell_step(connection, replace(dispute, steps=[*dispute.steps, step]))


async def take(connection: AsyncConnection, dispute: Dispute, step: Step) -> None:
    """Note a step; the database refuses one there is not."""
    values = {**step._asdict(), "to_state": step.to_state.value, "cause": step.cause.value}
    values |= {"upheld_minor_units": step.upheld, "proposal_id": step.proposal, "dispute_id": dispute.dispute_id}
    await connection.execute(sql.STEP, values)


async def decide(connection: AsyncConnection, decision: DisputeDecision, proposal: UUID, actor: Actor) -> None:
    """Do what finance agreed to.

    Raises:
        ResourceNotFound: there is no such dispute.
        WrongState: it does not wait for a decision any more.
        ClaimExceeds: reversals have left less to win than was agreed to.
    """
    dispute = await read_dispute(connection, decision.dispute)
    standing = await standing_of(connection, dispute.obligation)
    how = rules.decided(dispute, decision.upheld_minor_units, standing)
    await end(connection, dispute, how, actor, f"proposals/{proposal}", proposal=proposal)


async def agree(connection: AsyncConnection, agreed: AgreedAdjustment, proposal: UUID, actor: Actor) -> None:
    """Make an adjustment that finance agreed to, in the open window."""
    window_no = await exchange_ledger.open_window_no(connection)
    why = _Why(AdjustmentCause.AGREED, None, proposal, agreed.transfer)
    pair = (agreed.debtor, agreed.creditor, agreed.currency)
    await _adjust(connection, window_no, pair, agreed.minor_units, why, actor)


async def overtake(connection: AsyncConnection, window_no: int, actor: Actor) -> None:
    """Before a window is netted, let what its reversals gave back a second time be owed again.

    A reversal is never refused for the sake of a dispute: members wait for it. So a dispute may have won what a later
    reversal gives back as well; both stand in the books, and so does this. Doing it again changes nothing.
    """
    if not (await connection.execute(sql.EVER_WON)).scalar_one():
        return
    for row in list(await connection.execute(sql.OVERTAKEN, {"window_no": window_no})):
        why = _Why(AdjustmentCause.OVERTAKEN, row.dispute_id, None, row.transfer_id)
        pair = (row.debtor, row.creditor, row.currency_code)
        await _adjust(connection, window_no, pair, row.excess, why, actor)


class _Why(NamedTuple):
    """What an adjustment is about."""

    cause: AdjustmentCause
    dispute: UUID | None
    proposal: UUID | None
    transfer: UUID | None


async def _adjust(
    connection: AsyncConnection, window_no: int, pair: tuple[str, str, str], minor_units: int, why: _Why, actor: Actor
) -> None:
    debtor, creditor, currency = pair
    # Made of what it is about: the same thing has the same name on every machine, so results have one form.
    about = f"adjustment {why.cause.value} {why.dispute or why.proposal} windows/{window_no}"
    values = {"adjustment_id": uuid5(NAMESPACE_URL, about), "window_no": window_no, "minor_units": minor_units}
    values |= {"debtor": debtor, "creditor": creditor, "currency_code": currency}
    values |= {"cause": why.cause.value, "dispute_id": why.dispute, "proposal_id": why.proposal}
    values |= {"transfer_id": why.transfer, "actor": actor.name}
    await connection.execute(sql.ADJUST, values)
