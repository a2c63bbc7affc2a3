"""Use cases of proposals: one person proposes what shall hold, another decides. The database holds this too."""

from __future__ import annotations

import hashlib
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from exchange.refusals import ResourceNotFound
from settlement import exchange_ledger
from settlement.actors import Actor
from settlement.defaults.model import DefaultDeclaration
from settlement.defaults.service import declare, planned
from settlement.exits.model import ParticipantExit
from settlement.exits.service import certified, leave
from settlement.funds.model import FundsMovement, FundsTerms
from settlement.funds.service import bind_caps, post_movement, require_movement
from settlement.fx.model import FxChoice, FxSet
from settlement.proposals import sql
from settlement.proposals.content import kind_of, written
from settlement.proposals.model import (
    STANDS_ALONE,
    Content,
    Exclusions,
    Kind,
    Proposal,
    ProposalState,
    SpecialClosing,
    Terms,
)
from settlement.proposals.standing import fx_set_in_force, proposal_of
from settlement.refusals import DigestMismatch, SamePerson, WrongState
from settlement.run.steps import take_turns, void_where_excluded_differ


class Proposals:
    """Proposing, deciding, reading. A repeat of a step answers what it did: (…, True)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def propose(self, content: Content, actor: Actor, reason: str) -> tuple[Proposal, bool]:
        """Put a document before the checkers. It replaces the one of its kind that holds now, whole.

        Raises:
            PersonUnknown: the credential names nobody.
            ResourceNotFound: it names a participant or a window there is not.
            WrongState: it asks leave to close a window that is closed, or is no newer version of a set of rates.
        """
        person = actor.require_person()
        kind = kind_of(content)
        async with self._database.write() as connection:
            await take_turns(connection)
            await _require_sense(connection, content)
            if isinstance(content, DefaultDeclaration):
                content = await planned(connection, content)
            if isinstance(content, ParticipantExit):
                content = await certified(connection, content)
            text = written(content)
            present = None
            if kind not in STANDS_ALONE:
                present = (await connection.execute(sql.STANDING, {"kind": kind.value})).first()
            values = {
                "kind": kind.value,
                "digest": hashlib.sha256(text.encode()).hexdigest(),
                "replaces": present.proposal_id if present else None,
                "person": person,
            }
            same = (await connection.execute(sql.SAME_WAITING, values)).first()
            if same is not None:
                return proposal_of(same), True
            proposal_id = uuid4()
            added = {"proposal_id": proposal_id, "content": text, "actor": actor.name, "reason": reason}
            await connection.execute(sql.PROPOSE, {**values, **added})
            return await read_proposal(connection, proposal_id), False

    async def approve(self, proposal_id: UUID, digest: str, actor: Actor, reason: str) -> tuple[Proposal, bool]:
        """Let a document hold from now on. Runs that a change of exclusions makes wrong are voided with it.

        Raises:
            ResourceNotFound: there is no such proposal.
            PersonUnknown: the credential names nobody.
            SamePerson: it is the person's own.
            DigestMismatch: another document was looked at.
            WrongState: it is decided, or does not replace the document that holds now.
        """
        return await self._decide(proposal_id, ProposalState.APPROVED, digest, actor, reason)

    async def reject(self, proposal_id: UUID, digest: str, actor: Actor, reason: str) -> tuple[Proposal, bool]:
        """Say no to a document.

        Raises:
            ResourceNotFound, PersonUnknown, SamePerson, DigestMismatch, WrongState: as for `approve`.
        """
        return await self._decide(proposal_id, ProposalState.REJECTED, digest, actor, reason)

    async def withdraw(self, proposal_id: UUID, actor: Actor, reason: str) -> tuple[Proposal, bool]:
        """Take a document back that nobody has decided on: any maker may.

        Raises:
            ResourceNotFound, PersonUnknown, WrongState: as for `approve`.
        """
        return await self._decide(proposal_id, ProposalState.WITHDRAWN, None, actor, reason)

    async def _decide(
        self, proposal_id: UUID, verdict: ProposalState, digest: str | None, actor: Actor, reason: str
    ) -> tuple[Proposal, bool]:
        person = actor.require_person()
        async with self._database.write() as connection:
            await take_turns(connection)
            proposal = await read_proposal(connection, proposal_id)
            if digest not in {None, proposal.digest}:
                raise DigestMismatch(resource=proposal.name, digest=proposal.digest)
            if proposal.decision and (proposal.decision.person, proposal.state) == (person, verdict):
                return proposal, True
            if verdict is not ProposalState.WITHDRAWN and person == proposal.proposed.person:
                raise SamePerson(resource=proposal.name, person=person)
            await _require_waiting(connection, proposal, verdict)
            said = {"verdict": verdict.value, "digest": proposal.digest, "reason": reason}
            by = {"actor": actor.name, "person": person}
            await connection.execute(sql.DECIDE, {"proposal_id": proposal_id, **said, **by})
            if verdict is ProposalState.APPROVED:
                await _carry_out(connection, proposal, actor)
            return await read_proposal(connection, proposal_id), False

    async def read(self, proposal_id: UUID) -> Proposal:
        """A proposal by id.

        Raises:
            ResourceNotFound: there is none.
        """
        async with self._database.read() as connection:
            return await read_proposal(connection, proposal_id)

    async def page(self, kind: Kind | None, *, waiting: bool, before: int, limit: int) -> list[tuple[int, Proposal]]:
        """Proposals before a place, newest first, each with its place; `waiting`: only those nobody has decided on."""
        values = {"kind": kind.value if kind else None, "waiting": waiting, "before": before, "limit": limit}
        async with self._database.read() as connection:
            return [(row.order_no, proposal_of(row)) for row in await connection.execute(sql.PAGE, values)]


async def read_proposal(connection: AsyncConnection, proposal_id: UUID) -> Proposal:
    """A proposal by id, as the caller's transaction sees it.

    Raises:
        ResourceNotFound: there is none.
    """
    row = (await connection.execute(sql.PROPOSAL, {"proposal_id": proposal_id})).first()
    if row is None:
        raise ResourceNotFound(resource=f"proposals/{proposal_id}", field="name")
    return proposal_of(row)


async def _require_waiting(connection: AsyncConnection, proposal: Proposal, verdict: ProposalState) -> None:
    if proposal.state is not ProposalState.WAITING:
        raise WrongState(resource=proposal.name, state=proposal.state, needed=ProposalState.WAITING)
    if verdict is not ProposalState.APPROVED:
        return
    if isinstance(proposal.content, FxSet):
        await _require_newer(connection, proposal.content)
    if proposal.kind not in STANDS_ALONE:
        present = (await connection.execute(sql.STANDING, {"kind": proposal.kind.value})).first()
        if (present.proposal_id if present else None) != proposal.replaces:
            raise WrongState(resource=proposal.name, state="OUTDATED", needed=ProposalState.WAITING)


async def _require_newer(connection: AsyncConnection, fx: FxSet) -> None:
    """A version that was approved never changes, and none comes to stand before it."""
    present = await fx_set_in_force(connection, fx.name)
    if present is not None and fx.version <= present.fx.version:
        raise WrongState(resource=f"fxSets/{fx.title}", state="OUTDATED", needed=f"above {present.fx.version}")


async def _require_fx(connection: AsyncConnection, fx: FxChoice) -> None:
    path = "proposal.terms.conversion"
    if await fx_set_in_force(connection, fx.fx_set) is None:
        raise ResourceNotFound(resource=f"fxSets/{fx.fx_set}", field=f"{path}.fx_set")
    known = await exchange_ledger.participants(connection)
    for place, name in enumerate(fx.into):
        if name not in known:
            field = f"{path}.settlement_currencies[{place}].participant"
            raise ResourceNotFound(resource=f"merchants/{name}", field=field)


async def _require_sense(connection: AsyncConnection, content: Content) -> None:
    """What a document names must be there."""
    if isinstance(content, Exclusions):
        known = await exchange_ledger.participants(connection)
        named = {
            **{f"excluded[{place}]": one.participant for place, one in enumerate(content.excluded)},
            **{f"released[{place}]": one.participant for place, one in enumerate(content.released)},
        }
        for place, name in named.items():
            if name not in known:
                path = f"proposal.exclusions.{place}.participant"
                raise ResourceNotFound(resource=f"merchants/{name}", field=path)
    if isinstance(content, FxSet):
        await _require_newer(connection, content)
    if isinstance(content, Terms) and content.fx is not None:
        await _require_fx(connection, content.fx)
    if isinstance(content, SpecialClosing):
        window = await exchange_ledger.read_window(connection, content.window_no, "proposal.special_closing.window")
        if window.closed_at is not None:
            raise WrongState(resource=window.name, state="CLOSED", needed="OPEN")
    if isinstance(content, FundsMovement):
        await require_movement(connection, content)


async def _carry_out(connection: AsyncConnection, proposal: Proposal, actor: Actor) -> None:
    """What follows at once from a document's approval."""
    if isinstance(proposal.content, Exclusions):
        await void_where_excluded_differ(connection, proposal.content, actor, proposal.name)
    if isinstance(proposal.content, FundsMovement):
        await post_movement(connection, proposal.proposal_id, proposal.content, actor)
    if isinstance(proposal.content, DefaultDeclaration):
        await declare(connection, proposal.proposal_id, proposal.content, actor)
    if isinstance(proposal.content, ParticipantExit):
        await leave(connection, proposal.proposal_id, proposal.content)
    if isinstance(proposal.content, FundsTerms | FundsMovement | DefaultDeclaration):
        await bind_caps(connection, actor, proposal.name)
