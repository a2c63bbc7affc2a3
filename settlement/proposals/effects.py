"""What a document must make sense of, and what it does at once when it is approved."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.refusals import ResourceNotFound
from settlement import exchange_directory, exchange_ledger
from settlement.actors import Actor
from settlement.calendar.model import Calendar
from settlement.defaults.model import DefaultDeclaration, DefaultRecovery
from settlement.defaults.recovering import planned_recovery, recover
from settlement.defaults.service import declare, planned
from settlement.defaults.write_off_model import DefaultWriteOff
from settlement.defaults.writing_off import planned_write_off, write_off
from settlement.disputes import ending, rules
from settlement.disputes.model import AgreedAdjustment, DisputeDecision, State
from settlement.disputes.reading import read_dispute, require_transfer, standing_of
from settlement.exits.model import ParticipantExit
from settlement.exits.service import certified, leave, require_there
from settlement.funds.model import FundsMovement, FundsTerms
from settlement.funds.service import bind_caps, post_movement, require_movement
from settlement.fx.model import FxChoice, FxSet
from settlement.payments.progress import follow
from settlement.proposals.model import Content, Defaulted, Exclusions, Proposal, SpecialClosing, Terms
from settlement.proposals.standing import exclusions, fx_set_in_force
from settlement.refusals import WrongState
from settlement.run.life import INSTRUCTED
from settlement.run.service import read_run
from settlement.run.steps import require_changeable, void_where_excluded_differ
from settlement.windows.kept import keep


async def require_sense(connection: AsyncConnection, content: Content) -> Content:
    """What a document names must be there; the document, with what is worked out when it is proposed.

    Raises:
        ResourceNotFound: it is not.
        WrongState: the window to close is closed, the dispute to decide is not contested, the version of a set of
            rates is not newer, or a side of an adjustment has left.
        WindowState: the window a release names has been instructed.
        ClaimExceeds: more would be upheld than is left to win.
    """
    match content:
        case Exclusions():
            await _require_participants(connection, content)
            await require_room(connection, content)
        case Terms(fx=FxChoice() as fx):
            await _require_fx(connection, fx)
        case FxSet():
            await require_newer(connection, content)
        case SpecialClosing():
            await _require_open(connection, content)
        case FundsMovement():
            await require_movement(connection, content)
        case DisputeDecision():
            await _require_contested(connection, content)
        case AgreedAdjustment():
            await _require_sides(connection, content)
        case DefaultDeclaration() | DefaultRecovery() | DefaultWriteOff() | ParticipantExit():
            return await _worked_out(connection, content)
    return content


async def _worked_out(connection: AsyncConnection, content: Defaulted | ParticipantExit) -> Content:
    match content:
        case DefaultDeclaration():
            return await planned(connection, content)
        case DefaultRecovery():
            return await planned_recovery(connection, content)
        case DefaultWriteOff():
            return await planned_write_off(connection, content)
        case ParticipantExit():
            return await certified(connection, content)


async def _require_open(connection: AsyncConnection, closing: SpecialClosing) -> None:
    window = await exchange_ledger.read_window(connection, closing.window_no, "proposal.special_closing.window")
    if window.closed_at is not None:
        raise WrongState(resource=window.name, state="CLOSED", needed="OPEN")


async def _require_contested(connection: AsyncConnection, decision: DisputeDecision) -> None:
    dispute = await read_dispute(connection, decision.dispute, "proposal.dispute_decision.dispute")
    rules.require_state(dispute, {State.CONTESTED})
    standing = await standing_of(connection, dispute.obligation)
    rules.require_decidable(dispute, decision.upheld_minor_units, standing)


async def _require_sides(connection: AsyncConnection, agreed: AgreedAdjustment) -> None:
    for side, name in (("debtor", agreed.debtor), ("creditor", agreed.creditor)):
        await exchange_directory.require_merchant(connection, name, f"proposal.adjustment.{side}")
    if agreed.transfer:
        await require_transfer(connection, agreed.transfer, "proposal.adjustment.transfer")
    await require_there(connection, agreed.debtor, agreed.creditor)


async def _require_participants(connection: AsyncConnection, content: Exclusions) -> None:
    known = await exchange_directory.participants(connection)
    named = {
        **{f"excluded[{place}]": one.participant for place, one in enumerate(content.excluded)},
        **{f"released[{place}]": one.participant for place, one in enumerate(content.released)},
    }
    for place, name in named.items():
        if name not in known:
            path = f"proposal.exclusions.{place}.participant"
            raise ResourceNotFound(resource=f"merchants/{name}", field=path)


async def require_room(connection: AsyncConnection, content: Exclusions) -> None:
    """What is released, and was not before, can still enter the runs of the windows it names.

    Raises:
        WindowState: money of one was instructed, or a default on one was declared.
    """
    known = (await exclusions(connection)).released
    await require_changeable(connection, [one.window_no for one in content.released if one not in known])


async def require_newer(connection: AsyncConnection, fx: FxSet) -> None:
    """A version that was approved never changes, and none comes to stand before it."""
    present = await fx_set_in_force(connection, fx.name)
    if present is not None and fx.version <= present.fx.version:
        raise WrongState(resource=f"fxSets/{fx.title}", state="OUTDATED", needed=f"above {present.fx.version}")


async def _require_fx(connection: AsyncConnection, fx: FxChoice) -> None:
    path = "proposal.terms.conversion"
    if await fx_set_in_force(connection, fx.fx_set) is None:
        raise ResourceNotFound(resource=f"fxSets/{fx.fx_set}", field=f"{path}.fx_set")
    known = await exchange_directory.participants(connection)
    for place, name in enumerate(fx.into):
        if name not in known:
            field = f"{path}.settlement_currencies[{place}].participant"
            raise ResourceNotFound(resource=f"merchants/{name}", field=field)


async def take_effect(connection: AsyncConnection, proposal: Proposal, actor: Actor) -> None:
    """Do what was approved; a document that only holds does nothing by itself.

    Raises:
        WrongState, ClaimExceeds: the dispute it decides has ended, or less is left to win; a side of an adjustment
            has left.
    """
    if isinstance(proposal.content, FundsTerms | FundsMovement | Defaulted):
        await _take_effect_on_funds(connection, proposal, actor)
    match proposal.content:
        case Exclusions() as excluding:
            await void_where_excluded_differ(connection, excluding, actor, proposal.name)
        case ParticipantExit() as leaving:
            await leave(connection, proposal.proposal_id, leaving, actor)
        case DisputeDecision() as decision:
            await ending.decide(connection, decision, proposal.proposal_id, actor)
        case Calendar() as calendar:
            await keep(connection, (proposal.proposal_id, calendar))
        case AgreedAdjustment() as agreed:
            await require_there(connection, agreed.debtor, agreed.creditor)
            await ending.agree(connection, agreed, proposal.proposal_id, actor)


async def _take_effect_on_funds(connection: AsyncConnection, proposal: Proposal, actor: Actor) -> None:
    of_run: UUID | None = None
    match proposal.content:
        case FundsMovement() as movement:
            await post_movement(connection, proposal.proposal_id, movement, actor)
        case DefaultDeclaration() as declaration:
            of_run = await declare(connection, proposal.proposal_id, declaration, actor)
        case DefaultRecovery() as recovery:
            of_run = await recover(connection, proposal.proposal_id, recovery, actor)
        case DefaultWriteOff() as given_up:
            of_run = await write_off(connection, proposal.proposal_id, given_up, actor)
    # Before the run is taken along: that holds up movements of capped merchants, and binding waits for those under way.
    await bind_caps(connection, actor, proposal.name)
    if of_run is not None and (await read_run(connection, of_run)).life.state in INSTRUCTED:
        await follow(connection, [of_run], actor, [])
