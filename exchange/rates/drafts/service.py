"""Use cases of drafts: propose, look at, approve, withdraw. Each is one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.callers import Caller
from exchange.db.engine import Database
from exchange.directory.change import changing, log
from exchange.directory.snapshot import read_directory
from exchange.ledger.ids import new_id
from exchange.rates.drafts import sql
from exchange.rates.drafts.model import WAITING, WAITING_MAX, Draft, DraftState, Report, Wanted, digest_of, terms_of
from exchange.rates.drafts.rules import proposed, require_approvable, require_waiting
from exchange.rates.model import Rate
from exchange.rates.proofs import Ground, Problem, least_spreads, problems, require_no_gain, round_trips, wanted_at
from exchange.rates.proposed import Proposal
from exchange.rates.service import proven, publish_proven, read_ground
from exchange.rates.source import CoalitionSource
from exchange.rates.sql import ONE_AT_A_TIME
from exchange.refusals import ResourceNotFound, RoundTripGains, TooManyDrafts


class Drafts:
    """Rates on their way to publication.

    Args:
        database: where.
        source: this process's copy of the rates, read anew after an approval.
    """

    def __init__(self, database: Database, source: CoalitionSource) -> None:
        self._database, self._source = database, source

    async def propose(self, caller: Caller, wanted: Sequence[Wanted], note: str) -> Draft:
        """Keep rates for approval. They are not looked at yet but for who may propose them.

        Raises:
            PersonUnknown, ResourceNotFound, MerchantSuspended, RoleMissing, NotTheIssuer: see `rules.proposed`.
            TooManyDrafts: as many as may wait do so already.
        """
        async with self._database.write() as connection:
            # Counted under the lock: two proposals at once are two.
            await connection.execute(ONE_AT_A_TIME)
            directory = await read_directory(connection)
            proposals = [
                proposal._replace(rate=proposal.rate._replace(rate_id=new_id()))
                for proposal in proposed(wanted, caller, directory)
            ]
            await _require_room(connection, caller)
            draft_id, digest = new_id(), digest_of(proposals, directory)
            values = {
                "draft_id": draft_id,
                "merchant_no": caller.merchant_no,
                "proposed_by": caller.credential,
                "proposed_person": caller.person,
                "note": note,
                "digest": digest,
                "state": DraftState.PROPOSED,
            }
            await connection.execute(sql.ADD_DRAFT, values)
            for place, (rate, begins) in enumerate(proposals):
                row = {**rate._asdict(), "draft_id": draft_id, "place": place, "begins_at": begins}
                await connection.execute(sql.ADD_PROPOSAL, row)
            terms = {"digest": digest, "rates": [terms_of(proposal, directory) for proposal in proposals]}
            await log(connection, caller, "propose rates", f"rateDrafts/{draft_id}", terms, note)
            return await _found(connection, caller, draft_id)

    async def find(self, caller: Caller, draft_id: UUID) -> Draft:
        """A draft.

        Raises:
            ResourceNotFound: there is none, or none of the caller's.
        """
        async with self._database.read() as connection:
            return await _found(connection, caller, draft_id)

    async def page(self, caller: Caller, state: int, after: UUID, limit: int) -> list[Draft]:
        """Drafts the caller may see, oldest first; `state` 0: of any."""
        values = {"merchant_no": caller.merchant_no, "state": state, "after": after, "limit": limit}
        async with self._database.read() as connection:
            rows = (await connection.execute(sql.DRAFTS, values)).all()
            return await _with_proposals(connection, rows)

    async def validate(self, caller: Caller, draft_id: UUID) -> tuple[Draft, Report]:
        """Look at a draft as things stand: everything against it, and how close it comes. Nothing is published.

        Raises:
            ResourceNotFound: no such draft of the caller's.
            WrongState: it is approved or withdrawn.
        """
        async with self._database.read() as connection:
            draft = await _found(connection, caller, draft_id)
            require_waiting(draft)
            ground = await read_ground(connection)
        report = await asyncio.to_thread(_report, draft, ground)
        state = DraftState.PROPOSED if report.problems else DraftState.VALIDATED
        async with self._database.write() as connection:
            draft = await _found(connection, caller, draft_id, to_decide=True)
            require_waiting(draft)
            await connection.execute(sql.SET_STATE, {"draft_id": draft_id, "state": state})
        return replace(draft, state=state), report

    async def approve(self, caller: Caller, draft_id: UUID, digest: str, reason: str) -> tuple[Draft, bool]:
        """Publish a draft: everything is shown once more, then all its rates are published together or none.

        Approved again by the same caller, it is given back; the flag says so.

        Raises:
            ResourceNotFound: no such draft.
            WrongState, PersonUnknown, SamePerson, DigestMismatch: see `rules.require_approvable`.
            TooLate, SettlementCurrencyMismatch, SupersedesMismatch, RateOverlap, NoPrice, NegativeSpread,
                RateOutOfBounds, RoundTripGains: see `proofs`; it still waits.
        """
        async with self._database.write() as connection:
            await connection.execute(ONE_AT_A_TIME)
            draft = await _found(connection, caller, draft_id, to_decide=True)
            if _is_done(draft, caller, DraftState.APPROVED):
                return draft, True
            require_approvable(draft, caller, digest)
            paths = _paths(draft)
            proposals = [one._replace(rate=one.rate._replace(draft_id=draft_id)) for one in draft.proposals]
            await proven(connection, proposals, paths)
            after = {"digest": digest, "rates": [one.rate.name for one in proposals]}
            async with changing(connection, caller, "approve rates", draft.name, after, reason):
                await publish_proven(connection, proposals, paths)
                await _decide(connection, caller, draft, DraftState.APPROVED, reason)
            draft = await _found(connection, caller, draft_id)
        await self._source.reload()
        return draft, False

    async def withdraw(self, caller: Caller, draft_id: UUID, reason: str) -> tuple[Draft, bool]:
        """Take a draft back, as its merchant or the operator. Withdrawn again by the same caller, it is given back.

        Raises:
            ResourceNotFound: no such draft of the caller's.
            WrongState: it is approved, or withdrawn by somebody else.
        """
        async with self._database.write() as connection:
            draft = await _found(connection, caller, draft_id, to_decide=True)
            if _is_done(draft, caller, DraftState.WITHDRAWN):
                return draft, True
            require_waiting(draft)
            await _decide(connection, caller, draft, DraftState.WITHDRAWN, reason)
            await log(connection, caller, "withdraw rates", draft.name, {}, reason)
            return await _found(connection, caller, draft_id), False


def _paths(draft: Draft) -> list[str]:
    return [f"rates[{place}]" for place in range(len(draft.proposals))]


def _is_done(draft: Draft, caller: Caller, state: DraftState) -> bool:
    return draft.state is state and draft.decided_by == caller.credential


def _report(draft: Draft, ground: Ground) -> Report:
    wanted = wanted_at(draft.proposals, ground.now)
    found = list(problems(draft.proposals, ground, _paths(draft)))
    try:
        require_no_gain(wanted, ground)
    except RoundTripGains as refusal:
        found.append(Problem(None, refusal))
    return Report(found, least_spreads(wanted, ground.directory), round_trips(wanted, ground))


async def _require_room(connection: AsyncConnection, caller: Caller) -> None:
    values = {"merchant_no": caller.merchant_no, "states": list(WAITING)}
    waiting = (await connection.execute(sql.WAITING, values)).scalar_one()
    if waiting >= WAITING_MAX:
        raise TooManyDrafts(waiting=waiting, most=WAITING_MAX)


async def _found(connection: AsyncConnection, caller: Caller, draft_id: UUID, *, to_decide: bool = False) -> Draft:
    statement = sql.DRAFT_TO_DECIDE if to_decide else sql.DRAFT
    rows = (await connection.execute(statement, {"draft_id": draft_id})).all()
    for draft in await _with_proposals(connection, rows):
        if draft.is_of(caller):
            return draft
    raise ResourceNotFound(resource=f"rateDrafts/{draft_id}", field="name")


async def _with_proposals(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> list[Draft]:
    proposals: dict[UUID, list[Proposal]] = {row.draft_id: [] for row in rows}
    for row in await connection.execute(sql.PROPOSALS, {"draft_ids": list(proposals)}):
        draft_id, begins, *rate = row
        proposals[draft_id].append(Proposal(Rate._make((*rate, None)), begins))
    return [
        Draft(
            draft_id=row.draft_id,
            merchant_no=row.merchant_no,
            proposed_by=row.proposed_by,
            proposed_person=row.proposed_person,
            note=row.note,
            proposed_at=row.proposed_at,
            digest=row.digest,
            state=DraftState(row.state),
            decided_by=row.decided_by,
            decided_person=row.decided_person,
            decided_at=row.decided_at,
            reason=row.reason,
            proposals=proposals[row.draft_id],
        )
        for row in rows
    ]


async def _decide(connection: AsyncConnection, caller: Caller, draft: Draft, state: DraftState, reason: str) -> None:
    values = {
        "draft_id": draft.draft_id,
        "state": state,
        "decided_by": caller.credential,
        "decided_person": caller.person,
        "reason": reason,
    }
    await connection.execute(sql.DECIDE, values)
