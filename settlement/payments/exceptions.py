"""Use cases of the exceptions queue: what no rule could match is looked at by somebody, and ended once."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from exchange.refusals import ResourceNotFound
from settlement.actors import Actor
from settlement.payments import sql
from settlement.payments.answers import advance, book_of
from settlement.payments.formats.amounts import minor_units_of
from settlement.payments.matching import Advance, Sent
from settlement.payments.model import NEXT, AttemptState
from settlement.payments.progress import follow
from settlement.refusals import PaymentMismatch, SamePerson, WrongState
from settlement.run.steps import take_turns


class PaymentException(NamedTuple):
    """A bank's line that waits for somebody, or was ended by somebody (`resolved_at`).

    `end_to_end_id` is the attempt it seems to be about, `matched_to` the one it was found to be.
    """

    exception_no: int
    kind: str
    end_to_end_id: str | None
    raised_at: datetime
    sha256: str
    line_no: int
    message: str
    bank_message_id: str
    said: str
    currency: str | None
    amount: Decimal | None
    account: str | None
    is_credit: bool | None
    booked_on: date | None
    reference: str | None
    matched_to: str | None
    note: str | None
    resolved_at: datetime | None
    resolved_by: str | None

    @property
    def name(self) -> str:
        """Resource name."""
        return f"paymentExceptions/{self.exception_no}"


class Exceptions:
    """Looking at exceptions and ending them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, after: int, limit: int, *, ended: bool) -> list[PaymentException]:
        """Exceptions after a number, oldest first; with those that have `ended` or without."""
        async with self._database.read() as connection:
            rows = await connection.execute(sql.EXCEPTIONS, {"after": after, "limit": limit, "all": ended})
            return [PaymentException._make(row) for row in rows]

    async def resolve(
        self, exception_no: int, payment: str | None, note: str, actor: Actor
    ) -> tuple[PaymentException, bool]:
        """End an exception: the line was this payment's booking after all, or (None) is none of ours.

        (…, True) when it was ended so before.

        Raises:
            PersonUnknown, SamePerson: whoever exported a payment does not confirm it by hand.
            ResourceNotFound: there is no such exception, or no such payment.
            WrongState: it was ended otherwise, or the payment is not where a booking would take it on.
            PaymentMismatch: the line is of another amount, currency or account than the payment, or no booking.
        """
        person = actor.require_person()
        async with self._database.write() as connection:
            await take_turns(connection)
            found = await _read(connection, exception_no)
            if found.resolved_at is not None:
                if (found.matched_to, found.note) == (payment, note):
                    return found, True
                raise WrongState(resource=found.name, state="RESOLVED", needed="OPEN")
            if payment is not None:
                await _match(connection, found, payment, actor)
            values = {"exception_no": exception_no, "end_to_end_id": payment, "note": note}
            by = {"resolved_by": actor.name, "resolved_person": person}
            await connection.execute(sql.RESOLVE, {**values, **by})
            return await _read(connection, exception_no), False


async def _match(connection: AsyncConnection, found: PaymentException, payment: str, actor: Actor) -> None:
    book, runs = await book_of(connection, [payment], [])
    sent = book.sent.get(payment)
    if sent is None:
        raise ResourceNotFound(resource=f"payments/{payment}", field="end_to_end_id")
    exporter = (await connection.execute(sql.EXPORTER, {"end_to_end_id": payment})).scalar_one()
    if exporter == actor.person:
        raise SamePerson(resource=found.name, person=exporter)
    to_state = _meant(found, sent)
    if to_state not in NEXT[sent.state]:
        raise WrongState(resource=f"payments/{payment}", state=sent.state, needed=f"a state before {to_state}")
    moved = Advance(payment, to_state, found.booked_on, found.said)
    await advance(connection, sent.state, moved, f"{found.sha256}:{found.line_no}", actor)
    await follow(connection, [runs[payment]], actor, [(payment, to_state)])


def _meant(found: PaymentException, sent: Sent) -> AttemptState:
    """What a booking would make of the payment, once somebody says that it is the payment's."""
    if found.account is None or found.amount is None or found.currency is None:
        raise PaymentMismatch(resource=found.name, figure="line", expected="a booking", found=found.said[:200])
    minor = minor_units_of(found.amount, found.currency)
    for figure, expected, there in (
        ("currency", sent.currency, found.currency),
        ("minor_units", str(sent.minor_units), str(minor)),
        ("account", f"{sent.payer_account} or {sent.payee_account}", found.account),
    ):
        if there not in expected.split(" or "):
            raise PaymentMismatch(resource=found.name, figure=figure, expected=expected, found=there)
    is_itself = sent.leaves(found.account, is_credit=bool(found.is_credit))
    return AttemptState.SETTLED if is_itself else AttemptState.RETURNED


async def _read(connection: AsyncConnection, exception_no: int) -> PaymentException:
    row: Row[Any] | None = (await connection.execute(sql.EXCEPTION, {"exception_no": exception_no})).first()
    if row is None:
        raise ResourceNotFound(resource=f"paymentExceptions/{exception_no}", field="name")
    return PaymentException._make(row)
