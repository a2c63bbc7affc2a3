"""The database lets through a default as it was approved, once, and no other line of the book."""

from __future__ import annotations

from uuid import UUID

import pytest

from settlement.v1 import funds_pb2 as funds
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.money import deposit
from tests.contract.settled import Finance
from tests.contract.stillness import connected
from tests.integration.settlement.stopping import stopped
from tests.integration.settlement.test_funds_in_the_database import POST, decided
from tests.servers import Server

DECLARE = """
INSERT INTO settlement.defaults (participant, window_no, proposal_id, run_id, at) VALUES ($1, $2, $3, $4, now())
"""
END_RUN = """
INSERT INTO settlement.run_transitions (run_id, step_no, from_state, to_state, at, actor, person, reason)
VALUES ($1, 4, 'APPROVED', $2, now(), 'FINANCE_MAKER:x', 'zoe', '')
"""
TAKEN = ("DEFAULT", "GRO", "COLLATERAL", "GRO", "DEFAULT_COVER", 500, "windows/1")


async def test_a_default_past_the_code_is_stopped(server: Server, finance: Finance) -> None:
    """Without approval, of another window, participant or run, or with other lines than were approved."""
    await finance.agree(deposit("GRO", funds.FUNDS_PURPOSE_COLLATERAL, 500))
    run = await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    run_id = UUID(run.name.removeprefix("runs/"))
    declaration = funds.DefaultDeclaration(participant="merchants/GRO", window="windows/1")
    proposed = await finance.propose(pb.Proposal(default_declaration=declaration))
    waiting = UUID(proposed.name.removeprefix("proposals/"))
    assert await stopped(server, DECLARE, "GRO", 1, waiting, run_id)

    approved = await decided(server, proposed)

    assert await stopped(server, POST, approved, *TAKEN)
    assert await stopped(server, DECLARE, "TEL", 1, approved, run_id)
    assert await stopped(server, DECLARE, "GRO", 2, approved, run_id)
    async with connected(server.url) as connection:
        await connection.execute(DECLARE, "GRO", 1, approved, run_id)
    assert not await stopped(server, POST, approved, *TAKEN)
    for place, wrong in ((1, "TEL"), (2, "PREFUNDING"), (5, 499)):
        asked: list[object] = list(TAKEN)
        asked[place] = wrong
        assert await stopped(server, POST, approved, *asked), wrong
    assert await stopped(server, "DELETE FROM settlement.defaults")
    assert await stopped(server, "UPDATE settlement.defaults SET window_no = 2")


@pytest.mark.parametrize("ended", ["CANCELLED", "VOIDED"])
async def test_a_run_others_stand_in_for_is_not_ended_past_the_code(
    server: Server, finance: Finance, ended: str
) -> None:
    """Before the default was declared it could be."""
    first = await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    await finance.agree(deposit("GRO", funds.FUNDS_PURPOSE_COLLATERAL, 500))
    run_id = UUID(first.name.removeprefix("runs/"))
    assert not await stopped(server, END_RUN, run_id, ended)

    declaration = funds.DefaultDeclaration(participant="merchants/GRO", window="windows/1")
    await finance.agree(pb.Proposal(default_declaration=declaration))

    assert await stopped(server, END_RUN, run_id, ended)
