"""Use cases of adjustments: propose, approve, withdraw, and put what was approved into the ledger.

Approving is written down first, then posted under a key of its own: whoever dies between the two is followed by the
server's upkeep, and the key sees to it that nothing is posted twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.adjustment import sql
from exchange.adjustment.model import (
    DECIDED,
    LIFETIME,
    WAITING_MAX,
    Adjustment,
    Credit,
    Debit,
    Direction,
    Reason,
    State,
    Terms,
)
from exchange.adjustment.rules import proposed, require_approvable
from exchange.callers import Caller
from exchange.clock import coalition_now
from exchange.db.engine import Database
from exchange.directory.change import log
from exchange.four_eyes import require_waiting
from exchange.ledger.ids import new_id
from exchange.ledger.model import OWN_REQUESTS, MemberKey, Receipt
from exchange.ledger.poster import Poster
from exchange.rates.model import Coalition
from exchange.rates.source import CoalitionSource
from exchange.refusals import DEFINITE, Refusal, RequestIdReused, ResourceNotFound, TooManyDrafts

CREDENTIAL = "exchange/adjustment"


class Adjustments:
    """Adjustments of all members' points.

    Args:
        database: where.
        source: the directory.
        poster: puts what was approved into the ledger.
    """

    def __init__(self, database: Database, source: CoalitionSource, poster: Poster[Coalition]) -> None:
        self._database, self._source, self._poster = database, source, poster

    async def propose(self, caller: Caller, request_id: str, terms: Terms) -> tuple[Adjustment, bool]:
        """Keep terms for approval, or (…, True) what was proposed under the key before. Nothing is moved.

        Raises:
            PersonUnknown, ResourceNotFound, MerchantSuspended, NotOwnCurrency: see `rules.proposed`.
            RequestIdReused: the key was used for other terms.
            TooManyDrafts: as many as may wait do so already.
        """
        terms = proposed(terms, caller, (await self._source.fresh()).directory)
        async with self._database.write() as connection:
            await connection.execute(sql.ONE_AT_A_TIME)
            key = {"request_id": request_id, "merchant_no": caller.merchant_no}
            known = (await connection.execute(sql.BY_KEY, key)).first()
            if known is not None:
                if (adjustment := _adjustment(known)).terms != terms:
                    raise RequestIdReused(request_id=request_id)
                return adjustment, True
            now = await coalition_now(connection)
            waiting = (await connection.execute(sql.WAITING, {**key, "now": now})).scalar_one()
            if waiting >= WAITING_MAX:
                raise TooManyDrafts(waiting=waiting, most=WAITING_MAX)
            adjustment = Adjustment(
                adjustment_id=new_id(),
                terms=terms,
                merchant_no=caller.merchant_no,
                request_id=request_id,
                proposed_by=caller.credential,
                proposed_person=caller.person,
                proposed_at=now,
                expires_at=now + LIFETIME,
                state=State.PROPOSED,
            )
            await connection.execute(sql.ADD, _values(adjustment))
            said = {"digest": terms.digest(), "units": terms.units, "currency": terms.currency}
            action = f"propose {terms.direction.name.lower()} adjustment"
            await log(connection, caller, action, adjustment.name, said, f"{terms.reason.name}: {terms.note}")
        return adjustment, False

    async def find(self, caller: Caller, adjustment_id: UUID) -> tuple[Adjustment, Any]:
        """An adjustment, and what time it is.

        Raises:
            ResourceNotFound: there is none, or none of the caller's.
        """
        async with self._database.read() as connection:
            return await _found(connection, caller, adjustment_id), await coalition_now(connection)

    async def page(self, caller: Caller, state: int, after: UUID, limit: int) -> tuple[list[Adjustment], Any]:
        """Adjustments the caller may see, oldest first, and what time it is; `state` 0: of any."""
        values = {"merchant_no": caller.merchant_no, "state": state, "after": after, "limit": limit}
        async with self._database.read() as connection:
            rows = await connection.execute(sql.PAGE, values)
            return [_adjustment(row) for row in rows], await coalition_now(connection)

    async def approve(
        self, caller: Caller, adjustment_id: UUID, digest: str, note: str
    ) -> tuple[Adjustment, Receipt, bool]:
        """Write the yes down, and put it into the ledger. Approved again by the same caller: the first answer.

        Raises:
            ResourceNotFound: no such adjustment.
            WrongState, ProposalLapsed, PersonUnknown, SamePerson, DigestMismatch: see `rules.require_approvable`.
            Refusal: the ledger's no, kept with the adjustment; or one that leaves it approved and to be posted.
        """
        async with self._database.write() as connection:
            adjustment = await _found(connection, caller, adjustment_id, to_decide=True)
            repeated = adjustment.state in DECIDED and adjustment.decided_by == caller.credential
            if not repeated:
                now = await coalition_now(connection)
                require_approvable(adjustment, caller, digest, now)
                await _decide(connection, caller, adjustment, State.APPROVED, note)
                await log(connection, caller, "approve adjustment", adjustment.name, {"digest": digest}, note)
        receipt = await self._put_in(adjustment)
        async with self._database.read() as connection:
            return await _found(connection, caller, adjustment_id), receipt, repeated

    async def withdraw(self, caller: Caller, adjustment_id: UUID, note: str) -> tuple[Adjustment, bool]:
        """Take a proposal back, as its merchant or the operator. Withdrawn again by the same caller, it is given back.

        Raises:
            ResourceNotFound: no such adjustment of the caller's.
            WrongState, ProposalLapsed: it does not wait any more.
        """
        async with self._database.write() as connection:
            adjustment = await _found(connection, caller, adjustment_id, to_decide=True)
            if adjustment.state is State.WITHDRAWN and adjustment.decided_by == caller.credential:
                return adjustment, True
            require_waiting(adjustment, await coalition_now(connection))
            await _decide(connection, caller, adjustment, State.WITHDRAWN, note)
            await log(connection, caller, "withdraw adjustment", adjustment.name, {}, note)
            return await _found(connection, caller, adjustment_id), False

    async def run(self) -> int:
        """Put into the ledger what was approved by somebody who was gone before it answered; how many it was."""
        async with self._database.look() as connection:
            unanswered = [_adjustment(row) for row in await connection.execute(sql.UNANSWERED)]
        for adjustment in unanswered:
            try:
                await self._put_in(adjustment)
            except Refusal as refusal:
                if refusal.category not in DEFINITE:
                    raise
        return len(unanswered)

    async def _put_in(self, adjustment: Adjustment) -> Receipt:
        """Post what was approved, under its own key, and note what the ledger answered."""
        noted: dict[str, object] = {"adjustment_id": adjustment.adjustment_id, "transfer_id": None, "refusal": ""}
        try:
            receipt = await self._poster.post(_command(adjustment, await self._source.fresh()))
        except Refusal as refusal:
            if refusal.category in DEFINITE:
                await self._note(noted | {"state": State.REFUSED, "refusal": refusal.reason})
            raise
        await self._note(noted | {"state": State.POSTED, "transfer_id": receipt.transfer.transfer_id})
        return receipt

    async def _note(self, values: dict[str, object]) -> None:
        async with self._database.look() as connection:
            await connection.execute(sql.NOTE_ANSWER, values)


def _command(adjustment: Adjustment, coalition: Coalition) -> Credit | Debit:
    terms, directory = adjustment.terms, coalition.directory
    currency = directory.currency(terms.currency)
    common: dict[str, Any] = {
        "merchant_no": currency.issuer_no,
        "credential": CREDENTIAL,
        "request_id": f"{OWN_REQUESTS}adjustment/{adjustment.adjustment_id}",
        "fingerprint": adjustment.adjustment_id.bytes,
        "member": MemberKey(currency.issuer_no, terms.member_id, None),
        "located": (terms.bucket, terms.member_id),
        "currency": currency.code,
        "units": terms.units,
    }
    if terms.direction is Direction.DEBIT:
        return Debit(**common)
    return Credit(**common, funder_no=directory.merchant(terms.funder).number)


async def _found(
    connection: AsyncConnection, caller: Caller, adjustment_id: UUID, *, to_decide: bool = False
) -> Adjustment:
    statement = sql.TO_DECIDE if to_decide else sql.BY_NAME
    row = (await connection.execute(statement, {"adjustment_id": adjustment_id})).first()
    if row is not None and (adjustment := _adjustment(row)).is_of(caller):
        return adjustment
    raise ResourceNotFound(resource=f"adjustments/{adjustment_id}", field="name")


def _values(adjustment: Adjustment) -> dict[str, object]:
    terms = adjustment.terms
    fields: Sequence[str] = Terms.__slots__
    return {name: getattr(terms, name) for name in fields} | {
        "adjustment_id": adjustment.adjustment_id,
        "merchant_no": adjustment.merchant_no,
        "request_id": adjustment.request_id,
        "digest": terms.digest(),
        "proposed_by": adjustment.proposed_by,
        "proposed_person": adjustment.proposed_person,
        "proposed_at": adjustment.proposed_at,
        "expires_at": adjustment.expires_at,
        "state": adjustment.state,
    }


def _adjustment(row: Row[Any]) -> Adjustment:
    return Adjustment(
        adjustment_id=row.adjustment_id,
        terms=Terms(
            bucket=row.bucket,
            member_id=row.member_id,
            currency=row.currency,
            direction=Direction(row.direction),
            units=row.units,
            reason=Reason(row.reason),
            note=row.note,
            funder=row.funder,
        ),
        merchant_no=row.merchant_no,
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
        transfer_id=row.transfer_id,
        refusal=row.refusal,
    )


async def _decide(connection: AsyncConnection, caller: Caller, adjustment: Adjustment, state: State, note: str) -> None:
    values = {
        "adjustment_id": adjustment.adjustment_id,
        "state": state,
        "decided_by": caller.credential,
        "decided_person": caller.person,
        "decided_at": await coalition_now(connection),
        "decision_note": note,
    }
    await connection.execute(sql.DECIDE, values)
