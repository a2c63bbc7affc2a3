"""Nobody leaves in the middle of a dispute, nor before what was won has been settled; afterwards none begins."""

from __future__ import annotations

import pytest

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import disputes_pb2 as disputes
from settlement.v1 import funds_pb2 as funds
from settlement.v1 import settlement_service_pb2 as pb
from tests.banks import debit, statement
from tests.contract.disputed import ANSWER, a_claim, adjustments, an_adjustment, answered, opened, withdrawn
from tests.contract.paid import Treasury, treasury_of
from tests.contract.refusals import Refused, refusal
from tests.movements import a_key
from tests.worlds import World

EXIT = funds.ParticipantExit


@pytest.fixture
async def treasury(own_world: World) -> Treasury:
    """A treasury whose first window, still open, had the rulebook's period A."""
    return await treasury_of(own_world, closed=False)


async def paid(treasury: Treasury, window: str) -> None:
    """Close a window, and let banks book all of it."""
    await treasury.finance.close(window)
    _, ordered = await treasury.instructed(window)
    await treasury.record(statement(*map(debit, ordered.values())))


def leaving() -> pb.Proposal:
    """That GRO leaves, though members still hold points it paid for."""
    why = funds.ExitWaiver(subject=EXIT.SUBJECT_POINTS_FUNDED, reason="TEL gives no share when they expire")
    return pb.Proposal(participant_exit=EXIT(participant="merchants/GRO", waivers=[why]))


async def test_what_was_settled_first_keeps_both_sides_until_it_is_adjusted(treasury: Treasury) -> None:
    """Open, contested, won, netted, paid: the refusals name the dispute and then the adjustment; GRO leaves at last."""
    finance = treasury.finance
    cast, told = finance.cast, list[Refused]()
    award = (await cast.gro.earn(finance.member, "500 TEL")).transfer
    await paid(treasury, "windows/1")
    suspend = directory.SuspendMerchantRequest(name="merchants/GRO", reason="leaves")
    await cast.world.operator.ask(cast.world.stubs.directory.SuspendMerchant, suspend)

    dispute = await opened(finance, cast.tel, award, 250)
    told.append(await refusal(finance.propose(leaving())))
    await answered(finance, cast.gro, dispute, ANSWER.ANSWER_CONTEST)
    told.append(await refusal(finance.propose(leaving())))
    decision = pb.Proposal(dispute_decision=disputes.DisputeDecision(dispute=dispute.name, upheld_minor_units=250))
    await finance.agree(decision)
    (adjustment,) = await adjustments(finance, finance.maker)
    told.append(await refusal(finance.propose(leaving())))
    await finance.close("windows/2")
    told.append(await refusal(finance.propose(leaving())))
    _, ordered = await treasury.instructed("windows/2")
    told.append(await refusal(finance.propose(leaving())))
    await treasury.record(statement(*map(debit, ordered.values())))
    certificate = await finance.agree(leaving())

    assert dispute.treatment == disputes.DISPUTE_TREATMENT_SETTLE_THEN_ADJUST
    assert [(no.reason, no.metadata["subjects"], no.metadata.get("names")) for no in told] == [
        ("EXIT_NOT_ZERO", "DISPUTES", dispute.name),
        ("EXIT_NOT_ZERO", "DISPUTES", dispute.name),
        ("EXIT_NOT_ZERO", "ADJUSTMENTS", adjustment.name),
        ("EXIT_NOT_ZERO", "ADJUSTMENTS", adjustment.name),
        ("EXIT_NOT_ZERO", "PAYMENTS", None),
    ]
    assert certificate.state == pb.Proposal.STATE_APPROVED


async def test_what_comes_up_between_two_persons_stops_an_exit(treasury: Treasury) -> None:
    """A dispute, and an adjustment that waits for a checker and then for its window; at last nobody is in its way."""
    finance = treasury.finance
    cast = finance.cast
    award = (await cast.gro.earn(finance.member, "500 TEL")).transfer
    await paid(treasury, "windows/1")
    suspend = directory.SuspendMerchantRequest(name="merchants/GRO", reason="leaves")
    await cast.world.operator.ask(cast.world.stubs.directory.SuspendMerchant, suspend)
    proposed = await finance.propose(leaving())

    dispute = await opened(finance, cast.gro, award, 1)
    disputed = await refusal(finance.approve_proposal(proposed))
    await withdrawn(finance, cast.gro, dispute)
    waiting = await finance.propose(an_adjustment("CAF", "GRO", 5))
    not_decided = await refusal(finance.approve_proposal(proposed))
    await finance.approve_proposal(waiting)
    not_netted = await refusal(finance.approve_proposal(proposed))
    await paid(treasury, "windows/2")
    await finance.approve_proposal(proposed)
    claimed = await refusal(cast.tel.ask(finance.stub.OpenDispute, a_claim(award, 1, a_key())))
    adjusted = await refusal(finance.propose(an_adjustment("GRO", "CAF", 5)))

    found = [(no.metadata["subjects"], no.metadata["names"]) for no in (disputed, not_decided)]
    assert found == [("DISPUTES", dispute.name), ("PROPOSALS", waiting.name)]
    assert not_netted.metadata["subjects"] == "ADJUSTMENTS"
    assert {(no.reason, no.metadata["resource"], no.metadata["state"]) for no in (claimed, adjusted)} == {
        ("WRONG_STATE", "merchants/GRO/exit", "EXITED")
    }
