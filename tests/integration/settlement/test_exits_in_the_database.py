"""The database lets nobody leave whom nobody let, or whose money is here, and books nothing for whoever has left."""

from __future__ import annotations

from uuid import UUID, uuid4

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import funds_pb2 as funds
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.disputed import an_adjustment, opened, withdrawn
from tests.contract.money import deposit
from tests.contract.settled import Finance
from tests.contract.stillness import connected
from tests.integration.settlement.stopping import stopped
from tests.integration.settlement.test_disputes import ADJUST, CLAIM
from tests.integration.settlement.test_funds_in_the_database import POST, decided
from tests.servers import Server

LEAVE = "INSERT INTO settlement.exits (participant, proposal_id, at) VALUES ($1, $2, now())"
PREFUNDING = funds.FUNDS_PURPOSE_PREFUNDING


async def test_an_exit_past_the_code_is_stopped(server: Server, finance: Finance) -> None:
    """Without approval, for somebody else, or while money is left."""
    world = finance.cast.world
    suspend = directory.SuspendMerchantRequest(name="merchants/GEN", reason="leaves")
    await world.operator.ask(world.stubs.directory.SuspendMerchant, suspend)
    leaving = pb.Proposal(participant_exit=funds.ParticipantExit(participant="merchants/GEN"))
    proposed = await finance.propose(leaving)
    assert await stopped(server, LEAVE, "GEN", UUID(proposed.name.removeprefix("proposals/")))
    late = await finance.propose(deposit("GEN", PREFUNDING, 7, "B-7"))

    approved = await decided(server, proposed)

    assert not await stopped(server, LEAVE, "GEN", approved)
    assert await stopped(server, LEAVE, "TEL", approved)
    money = await finance.propose(deposit("GEN", PREFUNDING, 5))
    await finance.approve_proposal(money)
    assert await stopped(server, LEAVE, "GEN", approved)
    await leave_without_money(server, approved)
    booked = ("DEPOSIT", "OPR", "CLEARING_ACCOUNT", "GEN", "PREFUNDING", 7, "B-7")
    assert await stopped(server, POST, await decided(server, late), *booked)
    assert await stopped(server, "DELETE FROM settlement.exits")


async def test_nobody_leaves_in_the_middle_of_a_dispute_past_the_code(server: Server, finance: Finance) -> None:
    """Nor before an adjustment was netted; once somebody has left, nothing is claimed of him or adjusted."""
    world, cast = finance.cast.world, finance.cast
    suspend = directory.SuspendMerchantRequest(name="merchants/CAF", reason="leaves")
    await world.operator.ask(world.stubs.directory.SuspendMerchant, suspend)
    leaving = pb.Proposal(participant_exit=funds.ParticipantExit(participant="merchants/CAF"))
    approved = await decided(server, await finance.propose(leaving))
    activate = directory.ActivateMerchantRequest(name="merchants/CAF")
    await world.operator.ask(world.stubs.directory.ActivateMerchant, activate)
    award = (await cast.caf.earn(finance.member, "100 AIR")).transfer
    late = await finance.propose(an_adjustment("CAF", "TEL", 7))
    agreed = await decided(server, late)

    dispute = await opened(finance, cast.air, award, 10)
    disputed = await stopped(server, LEAVE, "CAF", approved)
    await withdrawn(finance, cast.air, dispute)
    await finance.agree(an_adjustment("CAF", "TEL", 5))
    adjusted = await stopped(server, LEAVE, "CAF", approved)
    await finance.start("windows/1")
    await finance.close("windows/2")
    await finance.start("windows/2")
    gone = await stopped(server, LEAVE, "CAF", approved)

    assert (disputed, adjusted, gone) == (True, True, False)
    async with connected(server.url) as connection:
        await connection.execute(LEAVE, "CAF", approved)
    claim = CLAIM.replace("$2, 2, 'GRO', 'TEL'", "$2, 2, 'CAF', 'AIR'").replace("'GRO', $4", "'CAF', $4")
    assert await stopped(server, claim, uuid4(), UUID(award.name.removeprefix("transfers/")), 1, "k")
    adjust = ADJUST.replace("$2, 'TEL', 'GRO'", "$2, 'CAF', 'TEL'")
    assert await stopped(server, adjust, uuid4(), 3, 7, "AGREED", None, agreed, None)


async def leave_without_money(server: Server, approved: UUID) -> None:
    """As if the money had gone: by whoever may switch the check off."""
    async with connected(server.url) as connection, connection.transaction():
        await connection.execute("ALTER TABLE settlement.exits DISABLE TRIGGER check_exit")
        await connection.execute(LEAVE, "GEN", approved)
        await connection.execute("ALTER TABLE settlement.exits ENABLE TRIGGER check_exit")
