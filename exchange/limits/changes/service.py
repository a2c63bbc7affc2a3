"""Use cases of changes of caps: propose, approve, withdraw. Each is one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.callers import Caller
from exchange.clock import coalition_now
from exchange.db.engine import Database
from exchange.directory.change import changing, log
from exchange.directory.service import Reloads
from exchange.directory.snapshot import read_directory
from exchange.four_eyes import require_waiting
from exchange.ledger.ids import new_id
from exchange.limits.changes import sql
from exchange.limits.changes.model import LIFETIME, WAITING_MAX, Asked, CapChange, State
from exchange.limits.changes.rules import require_approvable, require_unchanged
from exchange.limits.model import Position
from exchange.limits.service import positions, present_cap, put_cap, take_cap
from exchange.refusals import PersonUnknown, RequestIdReused, ResourceNotFound, TooManyDrafts


class Seen(NamedTuple):
    """A change, and the coalition's time by which its state is told."""

    change: CapChange
    now: datetime


class CapChanges:
    """Changes of everybody's caps; `source` is this process's copy of the directory, read anew after each."""

    def __init__(self, database: Database, source: Reloads) -> None:
        self._database, self._source = database, source

    async def propose(self, caller: Caller, request_id: str, asked: Asked) -> tuple[Seen, bool]:
        """Keep a change for approval, or (…, True) what was proposed under the key before. No cap is changed.

        Raises:
            PersonUnknown: the credential names nobody, so that nobody could tell who else may approve.
            ResourceNotFound: no such merchant, or no cap to take away.
            RequestIdReused: the key was used for another change.
            TooManyDrafts: as many as may wait do so already.
        """
        if caller.person is None:
            raise PersonUnknown(credential=caller.credential)
        async with self._database.write() as connection:
            await connection.execute(sql.ONE_AT_A_TIME)
            now = await coalition_now(connection)
            known = (await connection.execute(sql.BY_KEY, {"request_id": request_id})).first()
            if known is not None:
                if (change := _change(known)).asked != asked:
                    raise RequestIdReused(request_id=request_id)
                return Seen(change, now), True
            waiting = (await connection.execute(sql.WAITING, {"now": now})).scalar_one()
            if waiting >= WAITING_MAX:
                raise TooManyDrafts(waiting=waiting, most=WAITING_MAX)
            merchant = (await read_directory(connection)).merchant(asked.merchant, "merchant")
            before = await present_cap(connection, merchant.number, asked.currency_code)
            if before is None and asked.cap_micros is None:
                resource = f"{merchant.name}/exposures/{asked.currency_code}"
                raise ResourceNotFound(resource=resource, field="currency_code")
            change = CapChange(
                change_id=new_id(),
                asked=asked,
                merchant_no=merchant.number,
                before_micros=before,
                request_id=request_id,
                proposed_by=caller.credential,
                proposed_person=caller.person,
                proposed_at=now,
                expires_at=now + LIFETIME,
                state=State.PROPOSED,
            )
            await connection.execute(sql.ADD, _values(change))
            await log(connection, caller, "propose net debit cap", change.name, _said(change), asked.reason)
        return Seen(change, now), False

    async def approve(
        self, caller: Caller, change_id: UUID, digest: str, note: str
    ) -> tuple[Seen, Position | None, bool]:
        """Let the cap hold from now on, in every server; (…, how it is used, None: there is none; approved before).

        Raises:
            ResourceNotFound: no such change.
            WrongState, ProposalLapsed, PersonUnknown, SamePerson, DigestMismatch: see `rules.require_approvable`; the
                state is OUTDATED when another cap holds by now than was looked at.
        """
        async with self._database.write() as connection:
            change = await _found(connection, change_id, to_decide=True)
            repeated = change.state is State.APPROVED and change.decided_by == caller.credential
            if repeated:
                found = await positions(connection, change.merchant_no, change.asked.currency_code)
                return Seen(change, await coalition_now(connection)), found[0] if found else None, True
            require_approvable(change, caller, digest, await coalition_now(connection))
            subject = f"merchants/{change.asked.merchant}"
            async with changing(connection, caller, "approve net debit cap", subject, _said(change), note):
                present = await present_cap(connection, change.merchant_no, change.asked.currency_code)
                require_unchanged(change, present)
                position = await _carry_out(connection, change)
                await _decide(connection, caller, change, State.APPROVED, note)
            seen = Seen(await _found(connection, change_id), await coalition_now(connection))
        await self._source.reload()
        return seen, position, False

    async def withdraw(self, caller: Caller, change_id: UUID, note: str) -> tuple[Seen, bool]:
        """Take a proposal back, or say no to it: one person may. Withdrawn again by the same caller, it is given back.

        Raises:
            ResourceNotFound: no such change.
            WrongState, ProposalLapsed: it does not wait any more.
        """
        async with self._database.write() as connection:
            change, now = await _found(connection, change_id, to_decide=True), await coalition_now(connection)
            if change.state is State.WITHDRAWN and change.decided_by == caller.credential:
                return Seen(change, now), True
            require_waiting(change, now)
            await _decide(connection, caller, change, State.WITHDRAWN, note)
            await log(connection, caller, "withdraw net debit cap", change.name, {}, note)
            return Seen(await _found(connection, change_id), now), False

    async def find(self, change_id: UUID) -> Seen:
        """A change.

        Raises:
            ResourceNotFound: there is none.
        """
        async with self._database.read() as connection:
            return Seen(await _found(connection, change_id), await coalition_now(connection))

    async def page(self, state: int, after: UUID, limit: int) -> tuple[list[CapChange], datetime]:
        """Changes, oldest first, and what time it is; `state` 0: of any."""
        async with self._database.read() as connection:
            rows = await connection.execute(sql.PAGE, {"state": state, "after": after, "limit": limit})
            return [_change(row) for row in rows], await coalition_now(connection)


async def _carry_out(connection: AsyncConnection, change: CapChange) -> Position | None:
    cap, code = change.asked.cap_micros, change.asked.currency_code
    if cap is None:
        await take_cap(connection, change.merchant_no, code)
        return None
    return await put_cap(connection, change.merchant_no, code, cap)


async def _found(connection: AsyncConnection, change_id: UUID, *, to_decide: bool = False) -> CapChange:
    statement = sql.TO_DECIDE if to_decide else sql.BY_NAME
    row = (await connection.execute(statement, {"change_id": change_id})).first()
    if row is None:
        raise ResourceNotFound(resource=f"netDebitCapChanges/{change_id}", field="name")
    return _change(row)


def _said(change: CapChange) -> dict[str, object]:
    """What the audit log tells of it."""
    return {
        "currency_code": change.asked.currency_code,
        "before_micros": change.before_micros,
        "cap_micros": change.asked.cap_micros,
        "change": change.name,
    }


def _values(change: CapChange) -> dict[str, object]:
    return {
        "change_id": change.change_id,
        "request_id": change.request_id,
        "merchant_no": change.merchant_no,
        "currency_code": change.asked.currency_code,
        "before_micros": change.before_micros,
        "cap_micros": change.asked.cap_micros,
        "reason": change.asked.reason,
        "digest": change.digest(),
        "proposed_by": change.proposed_by,
        "proposed_person": change.proposed_person,
        "proposed_at": change.proposed_at,
        "expires_at": change.expires_at,
    }


def _change(row: Row[Any]) -> CapChange:
    return CapChange(
        change_id=row.change_id,
        asked=Asked(
            merchant=row.merchant_id, currency_code=row.currency_code, cap_micros=row.cap_micros, reason=row.reason
        ),
        merchant_no=row.merchant_no,
        before_micros=row.before_micros,
        request_id=row.request_id,
        proposed_by=row.proposed_by,
        proposed_person=row.proposed_person,
        proposed_at=row.proposed_at,
        expires_at=row.expires_at,
        state=State(row.state),
        decided_by=row.decided_by,
        decided_person=row.decided_person,
        decided_at=row.decided_at,
        decision_note=row.decision_note,
    )


async def _decide(connection: AsyncConnection, caller: Caller, change: CapChange, state: State, note: str) -> None:
    values = {
        "change_id": change.change_id,
        "state": state,
        "decided_by": caller.credential,
        "decided_person": caller.person,
        "decided_at": await coalition_now(connection),
        "decision_note": note,
    }
    await connection.execute(sql.DECIDE, values)
