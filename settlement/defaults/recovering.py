"""Use case of recoveries: money that came back from a defaulter repays those who stood in for it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.refusals import ResourceExists
from settlement import exchange_directory
from settlement.actors import Actor
from settlement.defaults import rules, sql
from settlement.defaults.model import Claim, DefaultRecovery
from settlement.defaults.reading import declared_claim, defaulted_run
from settlement.exits.service import require_there
from settlement.funds import service as funds
from settlement.funds import sql as funds_sql
from settlement.funds.model import Way
from settlement.refusals import RecoveryExceeds, WrongState


async def planned_recovery(connection: AsyncConnection, asked: DefaultRecovery) -> DefaultRecovery:
    """A recovery with who is repaid by it now, for the checkers to see.

    Raises:
        ResourceNotFound: there is no such participant, or its default on the window was never declared.
        ResourceExists: the bank's reference was booked before.
        RecoveryExceeds: more came than is still claimed and was ever written off.
        WrongState: EXITED: whom it would repay gave its claim up and has left.
    """
    return (await _planned(connection, asked))[0]


async def recover(connection: AsyncConnection, proposal_id: UUID, shown: DefaultRecovery, actor: Actor) -> UUID:
    """Post what was approved, in the transaction that approves it, if it is still what follows; the run it is of.

    Raises:
        ResourceNotFound, ResourceExists, RecoveryExceeds, WrongState: as `planned_recovery`; the state is OUTDATED when
            more has come back, or was written off, since it was proposed.
    """
    planned, claim = await _planned(connection, shown)
    if planned != shown:
        raise WrongState(resource=f"proposals/{proposal_id}", state="OUTDATED", needed="WAITING")
    said: dict[str, object] = {"reference": shown.reference, "value_date": shown.value_date}
    amount = {"currency_code": shown.currency, "minor_units": shown.minor_units}
    await connection.execute(
        sql.RECOVER, {"proposal_id": proposal_id, "default_id": claim.default_id, **amount, **said}
    )
    await funds.post(connection, proposal_id, shown.postings, actor, said)
    return await defaulted_run(connection, shown.participant, shown.window_no)


async def _planned(connection: AsyncConnection, asked: DefaultRecovery) -> tuple[DefaultRecovery, Claim]:
    claim = await declared_claim(connection, asked, "proposal.default_recovery")
    same = {"currency_code": asked.currency, "reference": asked.reference}
    if (await connection.execute(funds_sql.REFERENCE, same)).first() is not None:
        raise ResourceExists(resource=f"funds/{asked.currency}/{asked.reference}")
    remaining = claim.remaining + claim.written_off if claim else 0
    if claim is None or asked.minor_units > remaining:
        raise RecoveryExceeds(
            resource=asked.default, currency=asked.currency, remaining=str(remaining), came=str(asked.minor_units)
        )
    operator = (await exchange_directory.coalition(connection)).operator
    postings = rules.repayments(claim, asked.minor_units, operator)
    await require_there(connection, *(one.credit.participant for one in postings if one.way is Way.RECOVERY))
    revived = rules.revived(claim, asked.minor_units)
    return replace(asked, claimed=claim.remaining, postings=postings, revived=revived), claim
