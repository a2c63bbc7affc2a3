"""The database lets nobody leave whom nobody let, or whose money is here, and books nothing for whoever has left."""

from __future__ import annotations

from uuid import UUID

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import funds_pb2 as funds
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.money import deposit
from tests.contract.settled import Finance
from tests.contract.stillness import connected
from tests.integration.settlement.stopping import stopped
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


async def leave_without_money(server: Server, approved: UUID) -> None:
    """As if the money had gone: by whoever may switch the check off."""
    async with connected(server.url) as connection, connection.transaction():
        await connection.execute("ALTER TABLE settlement.exits DISABLE TRIGGER check_exit")
        await connection.execute(LEAVE, "GEN", approved)
        await connection.execute("ALTER TABLE settlement.exits ENABLE TRIGGER check_exit")
