"""Points for money, and points for taking part."""

import pytest

from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast
from tests.contract.refusals import refusal
from tests.contract.stillness import nothing_changes
from tests.movements import a_campaign_use, a_cash_out
from tests.servers import Server
from tests.worlds import DISCOUNT, REDEMPTION, Merchant, World

Obligation = types.Obligation


async def an_agent(world: World, merchant_id: str) -> Merchant:
    """A merchant that may pay out cash."""
    return await world.merchant(merchant_id, REDEMPTION, cash_agent=True)


async def test_the_rulebooks_cash_out(cast: Cast, world: World) -> None:
    """75 points at 600 000 micro-yuan and a fee of 2 %: the issuer owes the agent ¥45.00 and ¥0.90."""
    await world.currency("CSH", cast.gro, issue=1, cash_out=600_000, cash_out_fee=200)
    agent = await an_agent(world, "Agent1")
    ada = await world.member("ada", [cast.gro, agent])
    await cast.gro.earn(ada, "100 CSH")

    paid = (await agent.post(a_cash_out(ada, "75 CSH", reference="teller 1"))).transfer

    assert (paid.kind, paid.merchant, paid.reference) == (types.Transfer.KIND_CASH_OUT, agent.name, "teller 1")
    assert [(o.kind, o.debtor, o.creditor, o.amount.micros, o.points_units) for o in paid.obligations] == [
        (Obligation.KIND_CASH_OUT, "merchants/GRO", agent.name, 45_000_000, 75),
        (Obligation.KIND_CASH_OUT_FEE, "merchants/GRO", agent.name, 900_000, 0),
    ]
    assert await agent.balances(ada) == {"CSH": 25}


async def test_a_handling_fee_is_rounded_half_up_to_the_micro_unit(cast: Cast, world: World) -> None:
    """1 point at 5 micro-units and 10 % is half a micro-unit of fee: one."""
    await world.currency("CSF", cast.gro, issue=1, cash_out=5, cash_out_fee=1_000)
    agent = await an_agent(world, "Agent2")
    ada = await world.member("ada", [cast.gro, agent])
    await cast.gro.earn(ada, "1 CSF")

    paid = (await agent.post(a_cash_out(ada, "1 CSF"))).transfer

    assert [owed.amount.micros for owed in paid.obligations] == [5, 1]


@pytest.mark.provokes("NO_CASH_OUT")
async def test_a_currency_without_a_cash_out_price_is_not_paid_out(cast: Cast, world: World, server: Server) -> None:
    """Zero: no cash-out."""
    agent = await an_agent(world, "Agent3")
    ada = await world.member("ada", [cast.tel, agent])
    await cast.tel.earn(ada, "5 TEL")

    async with nothing_changes(server):
        refused = await refusal(agent.post(a_cash_out(ada, "5 TEL")))

    assert refused.metadata == {"currency": "currencies/TEL"}


async def test_only_a_redeeming_cash_agent_pays_out(cast: Cast, world: World, server: Server) -> None:
    """The redemption role alone is not enough, and neither is being an agent."""
    agent_without_role = await world.merchant("Agent4", DISCOUNT, cash_agent=True)
    ada = await world.member("ada", [cast.caf, agent_without_role, cast.tel])

    async with nothing_changes(server):
        no_agent = await refusal(cast.caf.post(a_cash_out(ada, "5 TEL")))
        no_role = await refusal(agent_without_role.post(a_cash_out(ada, "5 TEL")))

    assert [(no.reason, no.metadata["role"]) for no in (no_agent, no_role)] == [
        ("ROLE_MISSING", "CASH_AGENT"),
        ("ROLE_MISSING", "REDEMPTION"),
    ]


async def test_a_campaign_use_is_owed_as_a_redemption(cast: Cast) -> None:
    """50 TEL at a redeem price of 10 000, under a kind of its own."""
    ada = await cast.member("80 TEL")

    used = (await cast.caf.post(a_campaign_use(ada, "50 TEL", reference="draw 1"))).transfer

    (owed,) = used.obligations
    assert (used.kind, used.reference) == (types.Transfer.KIND_CAMPAIGN, "draw 1")
    assert (owed.kind, owed.debtor, owed.creditor) == (Obligation.KIND_CAMPAIGN, "merchants/TEL", "merchants/CAF")
    assert (owed.amount.micros, owed.points_units, owed.price_micros) == (500_000, 50, 10_000)
    assert await cast.caf.balances(ada) == {"TEL": 30}


async def test_a_campaign_asks_for_the_redemption_role(cast: Cast, server: Server) -> None:
    """GRO takes points as cash, not for campaigns."""
    ada = await cast.member("80 TEL")

    async with nothing_changes(server):
        refused = await refusal(cast.gro.post(a_campaign_use(ada, "50 TEL")))

    assert (refused.reason, refused.metadata["role"]) == ("ROLE_MISSING", "REDEMPTION")
