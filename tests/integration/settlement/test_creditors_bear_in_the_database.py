"""The database makes no payment smaller than two people approved, and none that is on its way."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

from settlement.v1 import funds_pb2 as funds
from tests.contract.money import demanding, deposit
from tests.contract.paid import Treasury
from tests.contract.recovered import GRO, pay_the_others, rejected
from tests.contract.settled import Finance
from tests.contract.stillness import connected
from tests.contract.test_defaults import default
from tests.integration.settlement.stopping import stopped
from tests.integration.settlement.test_defaults_in_the_database import DECLARE
from tests.integration.settlement.test_funds_in_the_database import DECIDE, decided
from tests.servers import Server

REDUCE = """
INSERT INTO settlement.leg_reductions (run_id, leg_no, proposal_id, currency_code, from_attempt, minor_units)
VALUES ($1, $2, $3, 'CNY', $4, $5)
"""
FORGED = """
INSERT INTO settlement.proposals (proposal_id, kind, content, digest, at, actor, person, reason)
VALUES ($1, 'DEFAULT_DECLARATION', $2, encode(sha256(convert_to($2, 'UTF8')), 'hex'), now(), 'FINANCE_MAKER:x', 'max',
        '')
"""
ATTEMPT = """
INSERT INTO settlement.payment_attempts (end_to_end_id, run_id, leg_no, attempt, currency_code, message_id, block_id,
    payer_version, payee_version)
SELECT 'W1-X', run_id, $2, 9, currency_code, message_id, 'B', 1, 1 FROM settlement.payment_attempts
WHERE run_id = $1 LIMIT 1
"""
CREDITORS = demanding(funds.LIQUIDITY_DEMAND_SHOW, residual=funds.RESIDUAL_LOSS_CREDITORS)


async def approved(finance: Finance) -> UUID:
    """The run of the first window, in which GRO pays the clearing account ¥6.00 (1), and that TEL (2)."""
    run = await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    return UUID(run.name.removeprefix("runs/"))


async def test_no_payment_becomes_smaller_past_the_code(server: Server, finance: Finance) -> None:
    """Without a default, of another payment, by another amount, from another attempt, or twice."""
    await finance.agree(CREDITORS)
    await finance.agree(deposit("GRO", funds.FUNDS_PURPOSE_COLLATERAL, 500))
    run_id = await approved(finance)
    proposed = await finance.propose(default())
    own = await decided(server, proposed)
    assert await stopped(server, REDUCE, run_id, 2, own, 1, 100)

    async with connected(server.url) as connection:
        await connection.execute(DECLARE, "GRO", 1, own, run_id)

    assert not await stopped(server, REDUCE, run_id, 2, own, 1, 100)
    for wrong in ((1, own, 1, 100), (2, own, 1, 99), (2, own, 2, 100), (2, uuid4(), 1, 100)):
        assert await stopped(server, REDUCE, run_id, *wrong), wrong
    async with connected(server.url) as connection:
        await connection.execute(REDUCE, run_id, 2, own, 1, 100)
    assert await stopped(server, REDUCE, run_id, 2, own, 1, 100)
    assert await stopped(server, "DELETE FROM settlement.leg_reductions")
    assert await stopped(server, "UPDATE settlement.leg_reductions SET minor_units = 1")


async def test_what_creditors_bear_is_what_is_posted_and_paid_less(server: Server, finance: Finance) -> None:
    """A default two people approved that says three different things is not declared."""
    await finance.agree(CREDITORS)
    run_id = await approved(finance)
    proposed = await finance.propose(default())
    async with connected(server.url) as connection:
        said = json.loads(
            await connection.fetchval(
                "SELECT content FROM settlement.proposals WHERE proposal_id = $1",
                UUID(proposed.name.removeprefix("proposals/")),
            )
        )

    async def declared(document: object) -> bool:
        forged = uuid4()
        async with connected(server.url) as connection:
            await connection.execute(FORGED, forged, json.dumps(document))
            digest = await connection.fetchval("SELECT digest FROM settlement.proposals WHERE proposal_id = $1", forged)
            await connection.execute(DECIDE, forged, digest)
        return not await stopped(server, DECLARE, "GRO", 1, forged, run_id)

    assert await declared(said)
    (fall,) = said["currencies"]
    assert fall["allocated"] == {"TEL": 600}
    wrongs: list[dict[str, object]] = [
        {"allocated": {"TEL": 599}},
        {"reductions": []},
        {"allocated": {"TEL": 600, "AIR": 1}},
    ]
    for wrong in wrongs:
        assert not await declared({**said, "currencies": [fall | wrong]}), wrong
    assert not await declared({**said, "postings": []})


async def test_what_is_on_its_way_is_not_made_smaller_nor_paid_when_nothing_is_left(
    server: Server, treasury: Treasury
) -> None:
    """A booked payment keeps its size whoever approved; no attempt is made of what its payee bears whole."""
    await treasury.finance.agree(CREDITORS)
    run, ordered = await treasury.instructed()
    await treasury.record(rejected(ordered[GRO]))
    await treasury.record(rejected(ordered["OPR", "AIR"]))
    await pay_the_others(treasury, {pair: one for pair, one in ordered.items() if pair != ("OPR", "AIR")})
    run_id = UUID(run.name.removeprefix("runs/"))
    legs = await treasury.legs(run)
    assert not await stopped(server, ATTEMPT, run_id, legs["OPR", "AIR"].leg)

    declared = await treasury.finance.agree(default())

    assert await stopped(server, ATTEMPT, run_id, legs["OPR", "AIR"].leg)
    own = UUID(declared.name.removeprefix("proposals/"))
    assert await stopped(server, REDUCE, run_id, legs["OPR", "TEL"].leg, own, 2, 1)
