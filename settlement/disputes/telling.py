"""Telling both sides, by the exchange's events, what becomes of their dispute."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.disputes.model import Cause, Dispute, State
from settlement.exchange_ledger import EventKind, Happening, tell


async def tell_step(connection: AsyncConnection, dispute: Dispute) -> None:
    """Make events of a dispute's newest step; in the caller's transaction, last."""
    happening = Happening(dispute.name, {dispute.obligation.debtor, dispute.obligation.creditor}, _detail(dispute))
    for kind in kinds_of(dispute):
        await tell(connection, kind, [happening])


def kinds_of(dispute: Dispute) -> Iterator[EventKind]:
    """What its newest step is; an acceptance is an answer and the end, in this order."""
    step = dispute.steps[-1]
    if step.to_state is State.OPEN:
        yield EventKind.DISPUTE_OPENED
    if step.cause is Cause.ANSWER:
        yield EventKind.DISPUTE_ANSWERED
    if dispute.due is None:
        yield EventKind.DISPUTE_DECIDED


def _detail(dispute: Dispute) -> dict[str, object]:
    """The fields of `exchange.v1.SettlementDispute`; of the words on both sides an event tells nothing."""
    step, owed = dispute.steps[-1], dispute.obligation
    detail: dict[str, object] = {
        "transfer": f"transfers/{owed.transfer}",
        "window": f"windows/{dispute.window_no}",
        "debtor": f"merchants/{owed.debtor}",
        "creditor": f"merchants/{owed.creditor}",
        "claimant": f"merchants/{dispute.claimant}",
        "currency_code": owed.currency,
        "minor_units": dispute.minor_units,
        "state": f"STATE_{step.to_state.name}",
        "cause": f"CAUSE_{step.cause.name}",
        "upheld_minor_units": step.upheld or 0,
    }
    if dispute.due is not None:
        detail["due_time"] = {"seconds": int(dispute.due.timestamp()), "nanos": dispute.due.microsecond * 1_000}
    if step.release_window is not None:
        detail["release_window"] = f"windows/{step.release_window}"
    return detail
