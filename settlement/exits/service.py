"""Use cases of exits: looking at what is left, and the certificate once nothing is."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from exchange.refusals import InvalidField
from settlement import exchange_directory, exchange_ledger
from settlement.actors import Actor
from settlement.defaults.reading import claims
from settlement.exits import rules, sql
from settlement.exits.model import Finding, ParticipantExit, Subject
from settlement.exits.rules import Awaiting, Facts, Owed, Points, Unended, Unpaid
from settlement.funds import sql as funds_sql
from settlement.funds.service import book_of
from settlement.refusals import ExitNotZero, WrongState
from settlement.run.life import INSTRUCTED
from settlement.run.model import Run
from settlement.run.service import read_run

NAMES_MAX = 10
"""Of disputes, adjustments and proposals that a refusal names; a drill names all."""


class Exits:
    """Trying an exit out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def drill(self, participant: str) -> ParticipantExit:
        """What is left of a participant now; its certificate where that is nothing. Reads only.

        Raises:
            ResourceNotFound: there is no such participant.
        """
        async with self._database.read() as connection:
            await exchange_directory.require_merchant(connection, participant, "participant")
            return await _looked_at(connection, ParticipantExit(participant))


async def certified(connection: AsyncConnection, asked: ParticipantExit) -> ParticipantExit:
    """The certificate of an exit, for a checker to see.

    Raises:
        ResourceNotFound: there is no such participant.
        InvalidField: it is the operator.
        WrongState: it has left before.
        ExitNotZero: something is left, and no reason was given that may be.
    """
    await exchange_directory.require_merchant(connection, asked.participant, "proposal.participant_exit.participant")
    if asked.participant == (await exchange_directory.coalition(connection)).operator:
        raise InvalidField({"proposal.participant_exit.participant": "is the operator, who does not leave"})
    await require_there(connection, asked.participant)
    found = await _looked_at(connection, replace(asked, window_no=0, findings=()))
    left = rules.not_waived(found.findings, asked.waivers)
    if left:
        subjects = ", ".join(dict.fromkeys(one.subject.value for one in left))
        named = rules.names(left)[:NAMES_MAX]
        also = {"names": ", ".join(named)} if named else {}
        raise ExitNotZero(resource=asked.name, subjects=subjects, findings=str(len(left)), **also)
    used = {one.subject for one in found.findings}
    return replace(found, waivers={subject: why for subject, why in asked.waivers.items() if subject in used})


async def leave(connection: AsyncConnection, proposal_id: UUID, shown: ParticipantExit, actor: Actor) -> None:
    """Note that a participant has left, in the transaction that approves it, if nothing has come up since.

    The exchange knows it from then on. Posters wait while what they can change is looked at once more, the open window:
    nothing slips in between.

    Raises:
        ResourceNotFound, InvalidField, WrongState, ExitNotZero: as `certified`; the state is OUTDATED when what is left
            with a reason has changed since it was proposed.
    """
    now = await certified(connection, shown)
    if (now.findings, now.waivers) != (shown.findings, shown.waivers):
        raise WrongState(resource=f"proposals/{proposal_id}", state="OUTDATED", needed="WAITING")
    name = shown.participant
    async with exchange_directory.departing(connection, actor.name, name, f"proposals/{proposal_id}"):
        last = await exchange_ledger.open_window_no(connection)
        owed = [
            one
            for one in await _owed(connection, min(now.window_no, last) - 1)
            if one.micros and name in (one.debtor, one.creditor)
        ]
        if owed:
            raise ExitNotZero(resource=shown.name, subjects=Subject.OBLIGATIONS.value, findings=str(len(owed)))
    await connection.execute(sql.LEAVE, {"participant": name, "proposal_id": proposal_id})


async def has_left(connection: AsyncConnection, participant: str) -> bool:
    """Whether a participant has left."""
    return (await connection.execute(sql.EXITED, {"participant": participant})).first() is not None


async def require_there(connection: AsyncConnection, *participants: str) -> None:
    """Raises WrongState when one of these has left: nothing comes up between it and the coalition any more."""
    for name in participants:
        if await has_left(connection, name):
            raise WrongState(resource=ParticipantExit(name).name, state="EXITED", needed="PARTICIPANT")


async def _looked_at(connection: AsyncConnection, asked: ParticipantExit) -> ParticipantExit:
    found: list[Finding] = rules.findings(asked.participant, await _facts(connection, asked.participant))
    return replace(asked, window_no=await exchange_ledger.open_window_no(connection), findings=found)


async def _facts(connection: AsyncConnection, participant: str) -> Facts:
    unpaid: list[Unpaid] = []
    newest: Run | None = None
    for row in list(await connection.execute(funds_sql.UNPAID_RUNS)):
        newest = await read_run(connection, row.run_id)
        unpaid += await _unpaid(connection, row, newest)
    of = {"participant": participant}
    disputes = await connection.execute(sql.DISPUTES, of)
    after = newest.window_no if newest else 0
    adjustments = await connection.execute(sql.ADJUSTMENTS, {**of, "after": after})
    waiting = await connection.execute(sql.WAITING, of)
    return Facts(
        suspended=await exchange_directory.is_suspended(connection, participant),
        owed=await _owed(connection, after),
        newest=newest.result if newest else (),
        newest_window=after,
        unpaid=unpaid,
        disputes=[Unended(f"disputes/{row[0]}", *row[1:]) for row in disputes],
        adjustments=[Awaiting(f"settlementAdjustments/{row[0]}", *row[1:]) for row in adjustments],
        claims=await claims(connection),
        waiting=[f"proposals/{row.proposal_id}" for row in waiting],
        book=await book_of(connection),
        points=[Points(*one) for one in await exchange_ledger.points_outstanding(connection, participant)],
    )


async def _unpaid(connection: AsyncConnection, row: Row[tuple[object, ...]], run: Run) -> list[Unpaid]:
    if row.state in INSTRUCTED:
        return [Unpaid(*leg) for leg in await connection.execute(sql.UNPAID_LEGS, {"run_id": run.run_id})]
    return [Unpaid(run.window_no, one.currency, p.payer, p.payee, p.amount) for one in run.result for p in one.payments]


async def _owed(connection: AsyncConnection, after: int) -> list[Owed]:
    """What windows owe that come after the newest run."""
    last = await exchange_ledger.open_window_no(connection)
    return [
        Owed(window_no, pair.currency, pair.debtor, pair.creditor, pair.micros)
        for window_no in range(after + 1, last + 1)
        for pair in await exchange_ledger.pair_micros(connection, window_no)
    ]
