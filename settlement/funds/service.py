"""Use cases of funds: what is approved is posted, what is asked is read. Proposals say who may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from exchange.refusals import InvalidField, ResourceExists
from settlement import exchange_directory
from settlement.actors import Actor
from settlement.defaults.model import Claim
from settlement.defaults.reading import claims
from settlement.funds import rules, sql
from settlement.funds.exposure import Exposures, exposures
from settlement.funds.model import (
    COVERING,
    OF_PARTICIPANTS,
    Account,
    FundsMovement,
    FundsTerms,
    LiquidityCheck,
    Posted,
    Posting,
    Purpose,
    Way,
)
from settlement.proposals.standing import standing
from settlement.refusals import ExposureUncovered, FundsInsufficient, LiquidityShort, WrongState
from settlement.run.model import Run
from settlement.run.service import read_run


class Cover(NamedTuple):
    """What a participant owes or may come to owe in a currency, what covers it, and its net debit cap."""

    currency: str
    participant: str
    exposure: int
    cover: int
    cap: int


class FundsView(NamedTuple):
    """The book as it stands, with what it is measured against."""

    book: dict[tuple[str, Account], int]
    terms: FundsTerms
    exposures: Exposures
    operator: str
    claims: Sequence[Claim] = ()

    def claims_about(self, participant: str | None) -> list[Claim]:
        """What is or was claimed of a participant, or of others for whom it stood in; None: all."""
        return [
            one
            for one in self.claims
            if participant in {None, one.participant, *(stake.participant for stake in one.stakes)}
        ]

    def covers(self, participant: str | None) -> list[Cover]:
        """Of one participant or of all: who owes something or left something, by currency and name."""
        having = {(currency, account.participant) for currency, account in self.book if account.purpose in COVERING}
        return [
            Cover(
                currency,
                name,
                self.exposures.get((currency, name), 0),
                rules.balance(self.book, currency, name, *COVERING),
                rules.cap(self.book, self.terms.of(currency), name),
            )
            for currency, name in sorted(having | self.exposures.keys())
            if participant in {None, name} and name != self.operator
        ]


class Funds:
    """Reading the book and checking a run against it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def view(self) -> FundsView:
        """Every balance, with exposures and terms, as of one instant."""
        async with self._database.read() as connection:
            return await view(connection)

    async def page(self, participant: str | None, before: int, limit: int) -> list[Posted]:
        """Postings before a number, newest first; None: everybody's."""
        values = {"participant": participant, "before": before, "limit": limit}
        async with self._database.read() as connection:
            rows = await connection.execute(sql.PAGE, values)
            return [
                Posted(
                    row.posting_no,
                    row.proposal_id,
                    Posting(
                        Way(row.way),
                        row.currency_code,
                        Account(row.debit_participant, Purpose(row.debit_purpose)),
                        Account(row.credit_participant, Purpose(row.credit_purpose)),
                        row.minor_units,
                    ),
                    *row[9:],
                )
                for row in rows
            ]

    async def check(self, run_id: UUID) -> tuple[Run, list[LiquidityCheck]]:
        """A run's payments against what those who pay have.

        Raises:
            ResourceNotFound: there is no such run.
        """
        async with self._database.read() as connection:
            run = await read_run(connection, run_id, "run")
            return run, await checked(connection, run)


async def book_of(connection: AsyncConnection) -> dict[tuple[str, Account], int]:
    """Every balance that was ever posted to."""
    rows = await connection.execute(sql.BOOK)
    return {(row.currency_code, Account(row.participant, Purpose(row.purpose))): int(row.minor_units) for row in rows}


async def terms_of(connection: AsyncConnection) -> FundsTerms:
    """What holds about funds."""
    found = await standing(connection, FundsTerms)
    return found[1] if found else FundsTerms()


async def view(connection: AsyncConnection) -> FundsView:
    """The book with what it is measured against, as the caller's transaction sees it."""
    return FundsView(
        await book_of(connection),
        await terms_of(connection),
        await exposures(connection),
        (await exchange_directory.coalition(connection)).operator,
        await claims(connection),
    )


async def checked(connection: AsyncConnection, run: Run) -> list[LiquidityCheck]:
    """A run's payments against what those who pay have, as the caller's transaction sees it."""
    operator = (await exchange_directory.coalition(connection)).operator
    return rules.liquidity(run.result, await book_of(connection), await terms_of(connection), operator)


async def require_movement(connection: AsyncConnection, movement: FundsMovement) -> None:
    """A movement can be posted now.

    Raises:
        ResourceNotFound: nobody of this name takes part.
        InvalidField: the purpose is not for this participant.
        WrongState: the participant has left.
        ResourceExists: the bank's reference was booked before.
        FundsInsufficient: there is less than is to be withdrawn.
        ExposureUncovered: what would be left does not cover what the participant owes or may owe.
    """
    seen = await view(connection)
    await exchange_directory.require_merchant(connection, movement.participant, "proposal.funds_movement.participant")
    if flaw := rules.flaw_of_owner(movement, seen.operator):
        raise InvalidField({"proposal.funds_movement.purpose": flaw})
    if (await connection.execute(sql.LEFT, {"participant": movement.participant})).first() is not None:
        raise WrongState(resource=f"merchants/{movement.participant}/exit", state="EXITED", needed="PARTICIPANT")
    same = {"currency_code": movement.currency, "reference": movement.reference}
    if (await connection.execute(sql.REFERENCE, same)).first() is not None:
        raise ResourceExists(resource=f"funds/{movement.currency}/{movement.reference}")
    if movement.way is Way.WITHDRAWAL:
        _require_left(seen, movement)


def _require_left(seen: FundsView, movement: FundsMovement) -> None:
    currency, name = movement.currency, movement.participant
    there = rules.balance(seen.book, currency, name, movement.purpose)
    if there < movement.minor_units:
        raise FundsInsufficient(resource=movement.name, available=str(there), requested=str(movement.minor_units))
    if movement.purpose not in OF_PARTICIPANTS:
        return
    exposure = seen.exposures.get((currency, name), 0)
    after = rules.posted(seen.book, [rules.posting_of(movement, seen.operator)])
    if not rules.covers(after, currency, name, exposure):
        left = rules.balance(after, currency, name, *COVERING)
        raise ExposureUncovered(resource=movement.name, exposure=str(exposure), left=str(left))


async def post_movement(connection: AsyncConnection, proposal_id: UUID, movement: FundsMovement, actor: Actor) -> None:
    """Post what was approved, in the transaction that approves it.

    Raises:
        ResourceNotFound, InvalidField, ResourceExists, FundsInsufficient, ExposureUncovered: as `require_movement`.
    """
    await require_movement(connection, movement)
    operator = (await exchange_directory.coalition(connection)).operator
    said = {"reference": movement.reference, "value_date": movement.value_date}
    await post(connection, proposal_id, [rules.posting_of(movement, operator)], actor, said)


async def post(
    connection: AsyncConnection,
    proposal_id: UUID,
    postings: Sequence[Posting],
    actor: Actor,
    said: dict[str, object],
) -> None:
    """Write lines of the book; the database refuses what was not approved, and what an account does not have."""
    by = {"proposal_id": proposal_id, "actor": actor.name, "person": actor.require_person(), **said}
    for line_no, one in enumerate(postings, start=1):
        accounts = {
            "debit_participant": one.debit.participant,
            "debit_purpose": one.debit.purpose.value,
            "credit_participant": one.credit.participant,
            "credit_purpose": one.credit.purpose.value,
        }
        amount = {"way": one.way.value, "currency_code": one.currency, "minor_units": one.minor_units}
        await connection.execute(sql.ADD, {"line_no": line_no, **by, **accounts, **amount})


async def bind_caps(connection: AsyncConnection, actor: Actor, because: str) -> None:
    """Hold participants to the caps their funds give, where the terms say so; last in a transaction."""
    caps = rules.binding_caps(await book_of(connection), await terms_of(connection))
    if caps:
        await exchange_directory.bind_caps(connection, actor.name, caps, because)


async def look(connection: AsyncConnection, run: Run, person: str, *, acknowledged: bool) -> None:
    """Note that a checker saw what of a run's payments has no funds behind it, before he says yes.

    Raises:
        LiquidityShort: the terms refuse it, or want it acknowledged and it was not.
    """
    checks = await checked(connection, run)
    for one in checks:
        if one.missing and (one.demands == "REFUSE" or (one.demands == "ACKNOWLEDGE" and not acknowledged)):
            raise LiquidityShort(
                resource=run.name,
                currency=one.currency,
                missing=str(one.missing),
                participants=", ".join(short.participant for short in one.shortfalls[:20]),
                demands=one.demands.value,
            )
    missing = str(sum(one.missing for one in checks))
    noted = {"run_id": run.run_id, "person": person, "missing": missing, "acknowledged": acknowledged}
    await connection.execute(sql.LOOK, noted)
