"""A participant leaves when nothing is left between it and the coalition; two people certify it."""

import pytest

from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import types_pb2 as types
from settlement.v1 import funds_pb2 as funds
from settlement.v1 import payments_pb2 as payments
from settlement.v1 import settlement_service_pb2 as pb
from tests.banks import debit, orders, statement
from tests.contract.money import deposit, withdrawal
from tests.contract.paid import Treasury, treasury_of
from tests.contract.promoted import owed
from tests.contract.refusals import refusal
from tests.contract.settled import Finance
from tests.movements import a_reversal
from tests.worlds import World

EXIT = funds.ParticipantExit
PREFUNDING = funds.FUNDS_PURPOSE_PREFUNDING


@pytest.fixture
async def treasury(own_world: World) -> Treasury:
    """A treasury whose first window had the rulebook's period A and is closed."""
    return await treasury_of(own_world)


async def suspend(finance: Finance, name: str) -> None:
    """Let a merchant make no new business."""
    world = finance.cast.world
    request = directory.SuspendMerchantRequest(name=f"merchants/{name}", reason="leaves")
    await world.operator.ask(world.stubs.directory.SuspendMerchant, request)


def leaving(name: str, **waivers: str) -> pb.Proposal:
    """That somebody leaves, with reasons by subject."""
    return pb.Proposal(
        participant_exit=EXIT(
            participant=f"merchants/{name}",
            waivers=[
                funds.ExitWaiver(subject=EXIT.Subject.Value(f"SUBJECT_{subject.upper()}"), reason=why)
                for subject, why in waivers.items()
            ],
        )
    )


@pytest.mark.provokes("EXIT_NOT_ZERO")
async def test_nobody_leaves_while_anything_is_left(treasury: Treasury) -> None:
    """GRO is active, is to pay ¥716.55, left ¥1.50 and paid for points of TEL: one after the other comes to nothing."""
    finance = treasury.finance
    await finance.agree(deposit("GRO", PREFUNDING, 150))
    told = [await refusal(finance.propose(leaving("GRO")))]

    await suspend(finance, "GRO")
    told.append(await refusal(finance.propose(leaving("GRO"))))
    _, ordered = await treasury.instructed()
    told.append(await refusal(finance.propose(leaving("GRO"))))
    await treasury.record(statement(*map(debit, ordered.values())))
    told.append(await refusal(finance.propose(leaving("GRO"))))
    waiting = await finance.propose(withdrawal("GRO", PREFUNDING, 150))
    told.append(await refusal(finance.propose(leaving("GRO"))))
    await finance.approve_proposal(waiting)
    told.append(await refusal(finance.propose(leaving("GRO"))))
    certificate = await finance.agree(leaving("GRO", points_funded="TEL gives no share when they expire"))

    assert [no.metadata["subjects"] for no in told] == [
        "BUSINESS, OBLIGATIONS, FUNDS, POINTS_FUNDED",
        "OBLIGATIONS, FUNDS, POINTS_FUNDED",
        "PAYMENTS, FUNDS, POINTS_FUNDED",
        "FUNDS, POINTS_FUNDED",
        "PROPOSALS, FUNDS, POINTS_FUNDED",
        "POINTS_FUNDED",
    ]
    assert {no.reason for no in told} == {"EXIT_NOT_ZERO"}
    (left,) = certificate.participant_exit.findings
    assert (left.subject, left.currency_code, left.amount) == (EXIT.SUBJECT_POINTS_FUNDED, "TEL", 57_655)
    assert certificate.state == pb.Proposal.STATE_APPROVED
    assert certificate.participant_exit.open_window == "windows/2"


async def test_whoever_has_left_leaves_no_second_time_and_no_money(own_world: World) -> None:
    """GEN, which never did anything, leaves; nothing is booked for it from then on."""
    finance = (await treasury_of(own_world)).finance
    await suspend(finance, "GEN")
    await finance.agree(leaving("GEN"))

    again = await refusal(finance.propose(leaving("GEN")))
    money = await refusal(finance.propose(deposit("GEN", PREFUNDING, 1)))

    assert (again.reason, again.metadata["state"]) == ("WRONG_STATE", "EXITED")
    assert (money.reason, money.metadata["state"]) == ("WRONG_STATE", "EXITED")


async def test_what_a_reversal_would_owe_to_whoever_has_left_the_operator_gets(own_world: World) -> None:
    """GEN paid for a bonus of CAF's award and left when that was settled; CAF takes the award back. GEN stays gone."""
    treasury = await treasury_of(own_world, closed=False)
    finance, cast = treasury.finance, treasury.finance.cast
    await own_world.promotion("K1", "AIR", at=cast.caf, bonus_bps=10_000, sponsors={cast.gen: 10_000})
    award = await cast.caf.earn(finance.member, "100 AIR")
    await suspend(finance, "GEN")
    await finance.close("windows/1")
    account = payments.BankAccount(holder="General", iban="NL91ABNA0417164300", bic="ABNANL2A")
    await treasury.confirm(await treasury.set("GEN", account))
    (file,) = (await treasury.export(await treasury.approved())).files
    await treasury.record(statement(*map(debit, orders(await treasury.content(file)))))
    await finance.agree(leaving("GEN", points_funded="they were given for good"))

    back = await cast.caf.post(a_reversal(award.transfer))
    activate = directory.ActivateMerchantRequest(name="merchants/GEN")
    active = await refusal(own_world.operator.ask(own_world.stubs.directory.ActivateMerchant, activate))

    assert owed(award.transfer)[1:] == [(types.Obligation.KIND_PROMOTION, "GEN", "AIR", 6_000_000)]
    assert owed(back.transfer) == [
        (types.Obligation.KIND_REVERSAL, "AIR", "CAF", 6_000_000),
        (types.Obligation.KIND_REVERSAL, "AIR", "OPR", 6_000_000),
    ]
    assert active.metadata == {"resource": "merchants/GEN/exit", "state": "EXITED", "needed": "PARTICIPANT"}


async def test_what_comes_up_before_the_approval_stops_it(own_world: World) -> None:
    """Money that was booked meanwhile, or a merchant that is active again."""
    finance = (await treasury_of(own_world)).finance
    await suspend(finance, "GEN")
    proposed = await finance.propose(leaving("GEN"))
    await finance.agree(deposit("GEN", PREFUNDING, 1))
    money = await refusal(finance.approve_proposal(proposed))
    await finance.agree(withdrawal("GEN", PREFUNDING, 1))
    world = finance.cast.world
    activate = directory.ActivateMerchantRequest(name="merchants/GEN")
    await world.operator.ask(world.stubs.directory.ActivateMerchant, activate)
    active = await refusal(finance.approve_proposal(proposed))
    await suspend(finance, "GEN")

    approved = await finance.approve_proposal(proposed)

    assert (money.metadata["subjects"], active.metadata["subjects"]) == ("FUNDS", "BUSINESS")
    assert approved.state == pb.Proposal.STATE_APPROVED


async def test_only_points_may_be_left_and_only_with_a_reason(own_world: World) -> None:
    """Money is not waived; who is not there does not leave, nor does the operator."""
    finance = (await treasury_of(own_world)).finance

    waived = await refusal(finance.propose(leaving("GEN", funds="never mind")))
    unexplained = await refusal(finance.propose(leaving("GEN", points_issued="")))
    nobody = await refusal(finance.propose(leaving("XXX")))
    operator = await refusal(finance.propose(leaving("OPR")))

    path = "proposal.participant_exit"
    assert waived.fields == (f"{path}.waivers[0].subject",)
    assert unexplained.fields == (f"{path}.waivers[0].reason",)
    assert nobody.reason == "RESOURCE_NOT_FOUND"
    assert operator.fields == (f"{path}.participant",)
