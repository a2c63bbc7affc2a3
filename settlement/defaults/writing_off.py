"""Use case of write-offs: a claim nobody expects to be paid is asked no more, and who bears it bears it for good."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement import exchange_directory
from settlement.actors import Actor
from settlement.defaults import rules, sql
from settlement.defaults.model import Claim
from settlement.defaults.reading import declared_claim, defaulted_run
from settlement.defaults.write_off_model import DefaultWriteOff
from settlement.funds import service as funds
from settlement.refusals import WriteOffExceeds, WrongState


async def planned_write_off(connection: AsyncConnection, asked: DefaultWriteOff) -> DefaultWriteOff:
    """A write-off with whose loss is final by it now, for the checkers to see.

    Raises:
        ResourceNotFound: there is no such participant, or its default on the window was never declared.
        WriteOffExceeds: more than is claimed and borne by somebody.
    """
    return (await _planned(connection, asked))[0]


async def write_off(connection: AsyncConnection, proposal_id: UUID, shown: DefaultWriteOff, actor: Actor) -> UUID:
    """Note what was approved, in the transaction that approves it, if it is still what follows; the run it is of.

    Raises:
        ResourceNotFound, WriteOffExceeds: as `planned_write_off`.
        WrongState: OUTDATED: something has come back, or was written off, since it was proposed.
    """
    planned, claim = await _planned(connection, shown)
    if planned != shown:
        raise WrongState(resource=f"proposals/{proposal_id}", state="OUTDATED", needed="WAITING")
    amount = {"currency_code": shown.currency, "minor_units": shown.minor_units}
    await connection.execute(sql.WRITE_OFF, {"proposal_id": proposal_id, "default_id": claim.default_id, **amount})
    coalition = await exchange_directory.coalition(connection)
    today = coalition.now.astimezone(coalition.time_zone).date()
    said: dict[str, object] = {"reference": f"windows/{shown.window_no}", "value_date": today}
    await funds.post(connection, proposal_id, shown.postings, actor, said)
    return await defaulted_run(connection, shown.participant, shown.window_no)


async def _planned(connection: AsyncConnection, asked: DefaultWriteOff) -> tuple[DefaultWriteOff, Claim]:
    claim = await declared_claim(connection, asked, "proposal.default_write_off")
    borne = claim.remaining - claim.missing if claim else 0
    if claim is None or asked.minor_units > borne:
        raise WriteOffExceeds(
            resource=asked.default,
            currency=asked.currency,
            borne=str(borne),
            missing=str(claim.missing if claim else 0),
            requested=str(asked.minor_units),
        )
    losses = rules.given_up(claim.stakes, asked.minor_units)
    return replace(asked, claimed=claim.remaining, losses=losses), claim
