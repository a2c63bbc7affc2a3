"""What holds now, as other rooms read it in their own transactions."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.fx.model import FxSet
from settlement.proposals import content, sql
from settlement.proposals.content import KINDS
from settlement.proposals.model import (
    Content,
    Exclusions,
    Kind,
    Proposal,
    ProposalState,
    Said,
    SpecialClosing,
    Tiers,
)


class ApprovedFxSet(NamedTuple):
    """A version of a set of rates, with the digest it was approved by."""

    fx: FxSet
    digest: str


T = TypeVar("T", bound=Content)
NO_EXCLUSIONS, NO_TIERS = Exclusions(), Tiers(())


async def standing(connection: AsyncConnection, kind: type[T]) -> tuple[UUID, T] | None:
    """The document of a kind that holds now, with its id; None: none was ever approved."""
    row = (await connection.execute(sql.STANDING, {"kind": KINDS[kind].value})).first()
    if row is None:
        return None
    found = content.read(KINDS[kind], row.content)
    assert isinstance(found, kind)
    return row.proposal_id, found


async def exclusions(connection: AsyncConnection) -> Exclusions:
    """Who is excluded now."""
    found = await standing(connection, Exclusions)
    return found[1] if found else NO_EXCLUSIONS


async def tiers(connection: AsyncConnection) -> Tiers:
    """How many must approve."""
    found = await standing(connection, Tiers)
    return found[1] if found else NO_TIERS


async def leave_to_close(connection: AsyncConnection, window_no: int) -> tuple[UUID, SpecialClosing] | None:
    """Leave to close a window off the calendar; None: nobody gave it."""
    row = (await connection.execute(sql.LEAVE, {"window_no": window_no})).first()
    if row is None:
        return None
    found = content.read(Kind.SPECIAL_CLOSING, row.content)
    assert isinstance(found, SpecialClosing)
    return row.proposal_id, found


async def fx_set_in_force(connection: AsyncConnection, name: str) -> ApprovedFxSet | None:
    """The newest approved version of a set of rates; None: there is none."""
    row = (await connection.execute(sql.FX_SET, {"name": name})).first()
    if row is None:
        return None
    found = content.read(Kind.FX_SET, row.content)
    assert isinstance(found, FxSet)
    return ApprovedFxSet(found, row.digest)


def proposal_of(row: Row[Any]) -> Proposal:
    """A row of `sql.COLUMNS`."""
    decided = None
    if row.verdict is not None:
        decided = Said(row.decided_at, row.decided_actor, row.decided_person, row.decided_reason)
    return Proposal(
        proposal_id=row.proposal_id,
        kind=Kind(row.kind),
        content=content.read(Kind(row.kind), row.content),
        digest=row.digest,
        replaces=row.replaces,
        proposed=Said(row.at, row.actor, row.person, row.reason),
        decision=decided,
        state=ProposalState(row.verdict or "WAITING"),
        in_force=bool(row.in_force),
    )
