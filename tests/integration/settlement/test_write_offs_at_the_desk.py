"""A claim is given up at the terminal; the database lets nobody give up more, and whoever bears it may leave."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import funds_pb2 as funds
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.money import deposit
from tests.contract.recovered import recovery, write_off
from tests.contract.refusals import refusal
from tests.contract.settled import Finance
from tests.contract.stillness import connected
from tests.contract.test_defaults import default
from tests.integration.settlement.stopping import stopped
from tests.integration.settlement.test_commands import settlement
from tests.integration.settlement.test_funds_in_the_database import DECIDE, decided, id_of
from tests.servers import Server

WRITE_OFF = """
INSERT INTO settlement.write_offs (proposal_id, default_id, currency_code, minor_units, at)
VALUES ($1, $2, 'CNY', $3, now())
"""
FORGED = """
INSERT INTO settlement.proposals (proposal_id, kind, content, digest, at, actor, person, reason)
SELECT $1, 'DEFAULT_WRITE_OFF', $2, encode(sha256(convert_to($2, 'UTF8')), 'hex'), now(), 'FINANCE_MAKER:x', 'max', ''
"""
DEPART = """
INSERT INTO exchange.departures (merchant_no, at)
SELECT merchant_no, now() FROM exchange.merchants WHERE merchant_id = $1
"""
LAYER, GUARANTEE = funds.FUNDS_PURPOSE_OPERATOR_LAYER, funds.FUNDS_PURPOSE_GUARANTEE


def leaving(name: str) -> pb.Proposal:
    """That somebody leaves, with nothing left."""
    return pb.Proposal(participant_exit=funds.ParticipantExit(participant=f"merchants/{name}"))


async def defaulted(finance: Finance) -> UUID:
    """GRO does not pay ¥6.00: GEN stands in with ¥4.00 and the operator with ¥2.00; the id of its default."""
    await finance.agree(deposit("OPR", LAYER, 200))
    await finance.agree(deposit("GEN", GUARANTEE, 400))
    await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    return id_of(await finance.agree(default()))


async def test_nothing_is_given_up_past_the_code(server: Server, finance: Finance) -> None:
    """Without approval, of another amount, twice, or by whoever is repaid first before the others."""
    declared = await defaulted(finance)
    proposed = await finance.propose(write_off(250))
    assert await stopped(server, WRITE_OFF, id_of(proposed), declared, 250)

    approved = await decided(server, proposed)

    assert await stopped(server, WRITE_OFF, approved, declared, 251)
    assert not await stopped(server, WRITE_OFF, approved, declared, 250)
    async with connected(server.url) as connection:
        await connection.execute(WRITE_OFF, approved, declared, 250)
    assert await stopped(server, WRITE_OFF, approved, declared, 250)
    for participant, purpose, amount in (
        ("OPR", "OPERATOR_LAYER", 1),
        ("GEN", "GUARANTEE", 351),
        ("TEL", "GUARANTEE", 1),
    ):
        line = f'"debit_participant": "{participant}", "minor_units": {amount}, "way": "WRITE_OFF"'
        loss = f'"participant": "{participant}", "purpose": "{purpose}", "minor_units": {amount}'
        about = f'"participant": "GRO", "window_no": 1, "currency": "CNY", "minor_units": {amount}'
        forged = uuid4()
        async with connected(server.url) as connection:
            await connection.execute(FORGED, forged, f'{{{about}, "losses": [{{{loss}}}], "postings": [{{{line}}}]}}')
            digest = await connection.fetchval("SELECT digest FROM settlement.proposals WHERE proposal_id = $1", forged)
            await connection.execute(DECIDE, forged, digest)
        assert await stopped(server, WRITE_OFF, forged, declared, amount), participant
    assert await stopped(server, "DELETE FROM settlement.write_offs")


async def test_whoever_bears_it_for_good_may_leave_and_is_not_repaid_then(server: Server, finance: Finance) -> None:
    """GEN leaves when all was given up: money of GRO's that comes later cannot be its any more, which is said."""
    await defaulted(finance)
    await finance.cast.world.suspend(finance.cast.gen)
    claimed = await refusal(finance.propose(leaving("GEN")))
    await finance.agree(write_off(600))
    assert await stopped(server, DEPART, "TEL"), "who is active has not left"
    await finance.agree(leaving("GEN"))

    refused = await refusal(finance.propose(recovery(1, "BACK-1")))

    assert claimed.metadata["subjects"] == "PAYMENTS"
    assert refused.metadata == {"resource": "merchants/GEN/exit", "state": "EXITED", "needed": "PARTICIPANT"}
    assert await stopped(server, "UPDATE exchange.merchants SET suspended = false WHERE merchant_id = 'GEN'")
    world = finance.cast.world
    request = directory.ActivateMerchantRequest(name="merchants/GEN")
    active = await refusal(world.operator.ask(world.stubs.directory.ActivateMerchant, request))
    assert active.metadata["state"] == "EXITED"


@pytest.mark.timeout(300)
async def test_a_claim_is_given_up_as_typed(server: Server, finance: Finance) -> None:
    """The proposal shows whose loss it is; `funds` tells it beside what is still claimed."""
    await defaulted(finance)
    typed = ("write-off", "GRO", "1", "CNY", "250", "--reason", "liquidated")
    too_much = await settlement(
        server, "write-off", "GRO", "1", "CNY", "601", "--reason", "liquidated", key=finance.maker.secret
    )
    proposed = (await settlement(server, *typed, "--json", key=finance.maker.secret)).document
    await settlement(
        server, "approve", proposed["proposal"], "--digest", proposed["digest"], key=finance.checker.secret
    )
    told = (await settlement(server, "funds", "GRO", "--json")).document
    table = await settlement(server, "funds")

    assert too_much.status == 2
    assert "what is claimed" in too_much.errors
    assert [(one["participant"], one["minor_units"]) for one in proposed["content"]["losses"]] == [
        ("OPR", 200),
        ("GEN", 50),
    ]
    (claim,) = told["claims"]
    assert (claim["claimed"], claim["written_off"], claim["remaining"]) == (600, 250, 350)
    assert [(one["participant"], one["written_off"]) for one in claim["stakes"]] == [("GEN", 50), ("OPR", 200)]
    assert told["unsound"] == []
    assert "written" in table.output
