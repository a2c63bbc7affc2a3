"""Use cases of proposals: one person proposes what shall hold, another decides. The database holds this too."""

from __future__ import annotations

import hashlib
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from exchange.refusals import ResourceNotFound
from settlement.actors import Actor
from settlement.fx.model import FxSet
from settlement.proposals import sql
from settlement.proposals.content import kind_of, written
from settlement.proposals.effects import require_newer, require_room, require_sense, take_effect
from settlement.proposals.model import STANDS_ALONE, Content, Exclusions, Kind, Proposal, ProposalState, Release
from settlement.proposals.standing import exclusions, proposal_of
from settlement.refusals import DigestMismatch, SamePerson, WrongState
from settlement.run.steps import take_turns


class Proposals:
    """Proposing, deciding, reading. A repeat of a step answers what it did: (…, True)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def propose(self, content: Content, actor: Actor, reason: str) -> tuple[Proposal, bool]:
        """Put a document before the checkers. It replaces the one of its kind that holds now, whole.

        Raises:
            PersonUnknown: the credential names nobody.
            ResourceNotFound: it names a participant, a window or a dispute there is not.
            WrongState: it asks leave to close a window that is closed, decides a dispute that is not contested, or is
                no newer version of a set of rates.
            WindowState: it releases items in a window that has been instructed.
            ClaimExceeds: it upholds more of a dispute than is left to win.
        """
        async with self._database.write() as connection:
            await take_turns(connection)
            return await _propose(connection, content, actor, reason)

    async def propose_release(self, asked: Release, actor: Actor, reason: str) -> tuple[Proposal, bool]:
        """Put what holds now of exclusions and releases before the checkers, with one more release in it.

        Nobody else's document comes to hold between reading the one that does and proposing this one.

        Raises:
            PersonUnknown, ResourceNotFound, WindowState: as of `propose`.
            WrongState: the participant is excluded, or just that is released already.
        """
        async with self._database.write() as connection:
            await take_turns(connection)
            present = await exclusions(connection)
            whose = f"merchants/{asked.participant}"
            if asked.participant in present.names():
                raise WrongState(resource=whose, state="EXCLUDED", needed="NOT_EXCLUDED")
            if asked in present.released:
                raise WrongState(resource=f"{whose} in windows/{asked.window_no}", state="RELEASED", needed="HELD")
            content = Exclusions(present.excluded, [*present.released, asked])
            return await _propose(connection, content, actor, reason)

    async def approve(self, proposal_id: UUID, digest: str, actor: Actor, reason: str) -> tuple[Proposal, bool]:
        """Let a document hold from now on, and do what it says at once, if that is what it is for.

        Raises:
            ResourceNotFound: there is no such proposal.
            PersonUnknown: the credential names nobody.
            SamePerson: it is the person's own.
            DigestMismatch: another document was looked at.
            WrongState: it is decided, does not replace the document that holds now, or the dispute has ended.
            WindowState: a window it releases items in has been instructed meanwhile.
            ClaimExceeds: reversals have left less to win than it upholds.
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
                await take_effect(connection, proposal, actor)
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


async def _propose(connection: AsyncConnection, content: Content, actor: Actor, reason: str) -> tuple[Proposal, bool]:
    kind, person = kind_of(content), actor.require_person()
    content = await require_sense(connection, content)
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
        await require_newer(connection, proposal.content)
    if isinstance(proposal.content, Exclusions):
        await require_room(connection, proposal.content)
    if proposal.kind not in STANDS_ALONE:
        present = (await connection.execute(sql.STANDING, {"kind": proposal.kind.value})).first()
        if (present.proposal_id if present else None) != proposal.replaces:
            raise WrongState(resource=proposal.name, state="OUTDATED", needed=ProposalState.WAITING)
