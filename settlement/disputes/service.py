"""Use cases of disputes. Each is one transaction, and the database holds every rule a second time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from exchange.money.currencies import micros_per_minor
from exchange.refusals import RequestIdReused, ResourceNotFound
from settlement import exchange_directory, exchange_ledger
from settlement.actors import Actor
from settlement.disputes import rules, sql
from settlement.disputes.ending import end, take
from settlement.disputes.model import (
    WAITING,
    Adjustment,
    Cause,
    Dispute,
    DisputePolicy,
    Obligation,
    Reason,
    State,
    Step,
    Treatment,
    Verdict,
)
from settlement.disputes.reading import adjustment_of, disputes_of, read_dispute, standing_of, window_of
from settlement.disputes.telling import tell_step
from settlement.exits.service import require_there
from settlement.proposals.standing import standing
from settlement.run.life import RunState
from settlement.run.steps import end as end_run
from settlement.run.steps import take_turns

NO_POLICY = DisputePolicy()
PRELIMINARY = frozenset({RunState.CALCULATED, RunState.SUBMITTED})
"""A run in one of these gives way to a dispute; what was approved stands, and disputes of it are settled later."""


class Claim(NamedTuple):
    """What somebody claims: the debtor does not owe the creditor `minor_units` of an obligation.

    Attributes:
        request_id: the claimant's own key: asked again with it, the same dispute is answered.
        evidence: where what proves it is kept; may be empty.
    """

    request_id: str
    obligation: Obligation
    minor_units: int
    reason: Reason
    statement: str
    evidence: str


class Wanted(NamedTuple):
    """Which disputes to list; None stands for any. `waiting`: only those in which somebody has something to do."""

    party: str | None = None
    window_no: int | None = None
    transfer_id: UUID | None = None
    waiting: bool = False


class Disputes:
    """Claiming, answering, withdrawing, reading. A repeat of a step answers what it did: (…, True)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, claim: Claim, claimant: str, actor: Actor) -> tuple[Dispute, bool]:
        """Claim that something is not owed. A run that nobody approved yet is voided when the claim is held out of it.

        Raises:
            ResourceNotFound: the transfer left no such thing owing, or the claimant is no party of it.
            RequestIdReused: the claimant used the request_id for another claim.
            DisputePeriodOver: its window was cut off too long ago.
            ClaimExceeds: so much is not left to claim.
            WrongState: the other side has left the coalition, or the claimant has.
        """
        async with self._database.write() as connection:
            await take_turns(connection)
            row = (await connection.execute(sql.BY_KEY, {"claimant": claimant, "request_id": claim.request_id})).first()
            if row is not None:
                found = (await disputes_of(connection, [row]))[0]
                if _claim_of(found) != claim:
                    raise RequestIdReused(request_id=claim.request_id)
                return found, True
            window_no = await _window_of(connection, claim.obligation, claimant)
            await require_there(connection, claim.obligation.debtor, claim.obligation.creditor)
            policy = await _policy(connection)
            name = f"transfers/{claim.obligation.transfer}"
            window = await exchange_ledger.read_window(connection, window_no)
            now = (await exchange_directory.coalition(connection)).now
            rules.require_period(name, window.closed_at, now, policy)
            rules.require_claimable(name, claim.minor_units, await standing_of(connection, claim.obligation))
            dispute_id = uuid5(NAMESPACE_URL, f"dispute {claimant} {claim.request_id}")
            treatment = await _make_room(connection, window_no, claim.reason, policy, actor, f"disputes/{dispute_id}")
            values = _values(claim, claimant, window_no, policy, treatment, now)
            by = {"dispute_id": dispute_id, "actor": actor.name, "person": actor.person}
            await connection.execute(sql.OPEN, {**values, **by})
            dispute = await read_dispute(connection, dispute_id)
            await tell_step(connection, dispute)
            return dispute, False

    async def answer(
        self, dispute_id: UUID, party: str, actor: Actor, *, accepts: bool, note: str, evidence: str
    ) -> tuple[Dispute, bool]:
        """Say yes to a claim, which ends it, or no, which brings it before finance.

        Raises:
            ResourceNotFound: there is no such dispute, or the caller is no party of it.
            WrongParty: the other side answers.
            WrongState: it was answered otherwise, or has ended.
        """
        async with self._database.write() as connection:
            await take_turns(connection)
            dispute = await _dispute_of(connection, dispute_id, party)
            rules.require_party(dispute, party, dispute.respondent)
            if _answered(dispute, actor, accepts=accepts, note=note, evidence=evidence):
                return dispute, True
            rules.require_state(dispute, {State.OPEN})
            if accepts:
                standing = await standing_of(connection, dispute.obligation)
                how = rules.end_by(Cause.ANSWER, Verdict.UPHELD, dispute.minor_units, standing)
                await end(connection, dispute, how, actor, note, evidence=evidence)
            else:
                now = (await exchange_directory.coalition(connection)).now
                due = now + timedelta(days=dispute.decision_days)
                told = (now, actor.name, actor.person, note, evidence)
                step = Step(2, State.OPEN, State.CONTESTED, Cause.ANSWER, *told, due, None, None, None)
                await take(connection, dispute, step)
                await tell_step(connection, await read_dispute(connection, dispute_id))
            return await read_dispute(connection, dispute_id), False

    async def withdraw(self, dispute_id: UUID, party: str, actor: Actor, note: str) -> tuple[Dispute, bool]:
        """Take a claim back.

        Raises:
            ResourceNotFound: there is no such dispute, or the caller is no party of it.
            WrongParty: the other side made the claim.
            WrongState: it has ended otherwise.
        """
        async with self._database.write() as connection:
            await take_turns(connection)
            dispute = await _dispute_of(connection, dispute_id, party)
            rules.require_party(dispute, party, dispute.claimant)
            if dispute.state is State.WITHDRAWN:
                return dispute, True
            rules.require_state(dispute, WAITING)
            how = rules.End(State.WITHDRAWN, 0, Cause.WITHDRAWAL)
            await end(connection, dispute, how, actor, note)
            return await read_dispute(connection, dispute_id), False

    async def assign(self, dispute_id: UUID, owner: str, actor: Actor) -> tuple[Dispute, bool]:
        """Name who looks after a dispute.

        Raises:
            PersonUnknown: the credential names nobody.
            ResourceNotFound: there is no such dispute.
            WrongState: it has ended.
        """
        person = actor.require_person()
        async with self._database.write() as connection:
            await take_turns(connection)
            dispute = await read_dispute(connection, dispute_id)
            if dispute.owner == owner:
                return dispute, True
            rules.require_state(dispute, WAITING)
            values = {"dispute_id": dispute_id, "owner": owner, "actor": actor.name, "person": person}
            await connection.execute(sql.ASSIGN, values)
            return await read_dispute(connection, dispute_id), False

    async def read(self, dispute_id: UUID, party: str | None) -> Dispute:
        """A dispute by id, as a party sees it; None sees all.

        Raises:
            ResourceNotFound: there is none, or the party has no part in it.
        """
        async with self._database.read() as connection:
            return await _dispute_of(connection, dispute_id, party)

    async def page(self, wanted: Wanted, before: int, limit: int) -> list[Dispute]:
        """Disputes before a place, newest first."""
        async with self._database.read() as connection:
            rows = await connection.execute(sql.PAGE, {**wanted._asdict(), "before": before, "limit": limit})
            return await disputes_of(connection, list(rows))

    async def adjustments(self, party: str | None, window_no: int | None, before: int, limit: int) -> list[Adjustment]:
        """Adjustments before a place, newest first; None stands for any."""
        values = {"party": party, "window_no": window_no, "before": before, "limit": limit}
        async with self._database.read() as connection:
            return [adjustment_of(row) for row in await connection.execute(sql.ADJUSTMENTS_PAGE, values)]


async def _policy(connection: AsyncConnection) -> DisputePolicy:
    found = await standing(connection, DisputePolicy)
    return found[1] if found else NO_POLICY


async def _window_of(connection: AsyncConnection, obligation: Obligation, claimant: str) -> int:
    """The window of an obligation the claimant is a party of; others cannot be told from what there is not."""
    found = await window_of(connection, obligation)
    if found is None or claimant not in (obligation.debtor, obligation.creditor):
        raise ResourceNotFound(resource=f"transfers/{obligation.transfer}", field="transfer")
    return found


async def _dispute_of(connection: AsyncConnection, dispute_id: UUID, party: str | None) -> Dispute:
    dispute = await read_dispute(connection, dispute_id)
    if party not in (None, dispute.obligation.debtor, dispute.obligation.creditor):
        raise ResourceNotFound(resource=dispute.name, field="name")
    return dispute


def _answered(dispute: Dispute, actor: Actor, *, accepts: bool, note: str, evidence: str) -> bool:
    """Whether this very answer was given before; a yes that reversals left nothing for was one too."""
    for step in dispute.steps:
        own = step.cause is Cause.ANSWER or (step.cause is Cause.REVERSAL and step.actor == actor.name)
        if own and step.from_state == State.OPEN:
            said_yes = step.to_state is not State.CONTESTED
            return (said_yes, step.note, step.evidence) == (accepts, note, evidence)
    return False


async def _make_room(
    connection: AsyncConnection, window_no: int, reason: Reason, policy: DisputePolicy, actor: Actor, because: str
) -> Treatment:
    """What becomes of the amount meanwhile; a run it has to be held out of is voided, unless it was approved."""
    run = (await connection.execute(sql.STATE_OF_WINDOW, {"window_no": window_no})).first()
    is_final = run is not None and run.state not in PRELIMINARY
    treatment = rules.treatment_of(reason, policy, is_final=is_final)
    if run is not None and treatment is Treatment.HOLD_OUT:
        await end_run(connection, run.run_id, RunState.VOIDED, actor, because)
    return treatment


def _claim_of(dispute: Dispute) -> Claim:
    told = (dispute.reason, dispute.statement, dispute.evidence)
    return Claim(dispute.request_id, dispute.obligation, dispute.minor_units, *told)


def _values(
    claim: Claim, claimant: str, window_no: int, policy: DisputePolicy, treatment: Treatment, now: datetime
) -> dict[str, object]:
    obligation = claim.obligation
    return {
        "transfer_id": obligation.transfer,
        "window_no": window_no,
        "debtor": obligation.debtor,
        "creditor": obligation.creditor,
        "currency_code": obligation.currency,
        "unit_micros": micros_per_minor(obligation.currency),
        "minor_units": claim.minor_units,
        "claimant": claimant,
        "request_id": claim.request_id,
        "reason": claim.reason.value,
        "statement": claim.statement,
        "evidence": claim.evidence,
        "treatment": treatment.value,
        "owner": policy.owner,
        "answer_due": now + timedelta(days=policy.answer_days),
        "decision_days": policy.decision_days,
        "unanswered": policy.unanswered.value,
        "undecided": policy.undecided.value,
        "at": now,
    }
