"""The database lets through a default as it was approved, once, and no other line of the book."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import pytest

from settlement.v1 import funds_pb2 as funds
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.money import deposit
from tests.contract.settled import Finance
from tests.contract.stillness import connected
from tests.integration.settlement.stopping import stopped
from tests.integration.settlement.test_funds_in_the_database import DECIDE, POST, decided, id_of
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


DEFAULT_LEG = """
INSERT INTO settlement.defaulted_legs (run_id, leg_no, proposal_id, currency_code, payer, payee, minor_units)
VALUES ($1, $2, $3, 'CNY', $4, $5, $6)
"""
RECOVER = """
INSERT INTO settlement.recoveries (proposal_id, default_id, currency_code, minor_units, reference, value_date, at)
VALUES ($1, $2, 'CNY', $3, $4, '2026-03-09', now())
"""
REPAY = """
INSERT INTO settlement.funds_postings (proposal_id, line_no, way, currency_code, debit_participant, debit_purpose,
    credit_participant, credit_purpose, minor_units, reference, value_date, at, actor, person)
VALUES ($1, $2, 'RECOVERY', 'CNY', 'OPR', 'CLEARING_ACCOUNT', $3, $4, $5, 'BACK-1', '2026-03-09', now(), 'x', 'zoe')
"""
FORGED = """
INSERT INTO settlement.proposals (proposal_id, kind, content, digest, at, actor, person, reason)
VALUES ($1, 'DEFAULT_RECOVERY', $2, encode(sha256(convert_to($2, 'UTF8')), 'hex'), now(), 'FINANCE_MAKER:x', 'max', '')
"""


async def test_only_what_a_default_is_about_is_nobodys_to_pay(server: Server, finance: Finance) -> None:
    """Past the code no other payment of the run is marked, and no attempt is made of one that is."""
    run = await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    run_id = UUID(run.name.removeprefix("runs/"))
    declaration = funds.DefaultDeclaration(participant="merchants/GRO", window="windows/1")
    approved = await decided(server, await finance.propose(pb.Proposal(default_declaration=declaration)))
    async with connected(server.url) as connection:
        await connection.execute(DECLARE, "GRO", 1, approved, run_id)
        asked = await connection.fetch("SELECT * FROM settlement.legs_asked($1)", run_id)
    legs = [(leg["leg_no"], approved, leg["payer"], leg["payee"], leg["minor_units"]) for leg in asked]
    (own,) = [leg for leg in legs if leg[2] == "GRO"]
    others = [leg for leg in legs if leg[2] != "GRO"]

    assert not await stopped(server, DEFAULT_LEG, run_id, *own)
    assert others
    for wrong in (*others, (*own[:4], own[4] - 1), (own[0] + 100, *own[1:])):
        assert await stopped(server, DEFAULT_LEG, run_id, *wrong), wrong
    assert await stopped(server, "DELETE FROM settlement.defaulted_legs")


async def test_a_recovery_past_the_code_is_stopped(server: Server, finance: Finance) -> None:
    """Without approval, of another amount; repaying somebody else, more than was taken, or out of turn."""
    await finance.agree(deposit("OPR", funds.FUNDS_PURPOSE_OPERATOR_LAYER, 200))
    await finance.agree(deposit("TEL", funds.FUNDS_PURPOSE_GUARANTEE, 300))
    await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    declaration = funds.DefaultDeclaration(participant="merchants/GRO", window="windows/1")
    declared = id_of(await finance.agree(pb.Proposal(default_declaration=declaration)))
    loss = 600
    back = funds.DefaultRecovery(
        participant="merchants/GRO",
        window="windows/1",
        currency_code="CNY",
        minor_units=loss,
        reference="BACK-1",
        value_date="2026-03-09",
    )
    proposed = await finance.propose(pb.Proposal(default_recovery=back))
    assert await stopped(server, RECOVER, id_of(proposed), declared, loss, "BACK-1")

    approved = await decided(server, proposed)

    assert await stopped(server, RECOVER, approved, declared, loss - 1, "BACK-1")
    assert await stopped(server, RECOVER, approved, declared, loss, "BACK-2")
    assert await stopped(server, REPAY, approved, 1, "GRO", "DEFAULT_COVER", 100)
    async with connected(server.url) as connection:
        await connection.execute(RECOVER, approved, declared, loss, "BACK-1")
    assert not await stopped(server, REPAY, approved, 1, "GRO", "DEFAULT_COVER", 100)
    assert await stopped(server, REPAY, approved, 1, "GRO", "DEFAULT_COVER", 101)
    assert await stopped(server, REPAY, approved, 2, "TEL", "GUARANTEE", 300), "before the cover"
    assert await stopped(server, REPAY, approved, 3, "OPR", "OPERATOR_LAYER", 200), "before TEL"
    assert await stopped(server, "DELETE FROM settlement.recoveries")


async def test_nobody_is_repaid_more_than_it_gave_whatever_was_approved(server: Server, finance: Finance) -> None:
    """A recovery two people approved, but the code never worked out."""
    await finance.agree(deposit("TEL", funds.FUNDS_PURPOSE_GUARANTEE, 600))
    await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    declaration = funds.DefaultDeclaration(participant="merchants/GRO", window="windows/1")
    declared = id_of(await finance.agree(pb.Proposal(default_declaration=declaration)))
    line = {
        "way": "RECOVERY",
        "currency": "CNY",
        "debit_participant": "OPR",
        "debit_purpose": "CLEARING_ACCOUNT",
        "credit_participant": "TEL",
        "credit_purpose": "GUARANTEE",
        "minor_units": 601,
    }
    said = {"participant": "GRO", "window_no": 1, "currency": "CNY", "minor_units": 601, "reference": "BACK-1"}
    forged = uuid4()
    content = json.dumps({**said, "value_date": "2026-03-09", "claimed": 600, "postings": [line]})
    async with connected(server.url) as connection:
        await connection.execute(FORGED, forged, content)
        digest = await connection.fetchval("SELECT digest FROM settlement.proposals WHERE proposal_id = $1", forged)
        await connection.execute(DECIDE, forged, digest)
        await connection.execute(RECOVER, forged, declared, 601, "BACK-1")

    assert await stopped(server, REPAY, forged, 1, "TEL", "GUARANTEE", 601)
