"""Earn rules: so many points for each full so much spent, with the rest of the amount carried to the next one."""

from typing import Any

import pytest

from exchange.v1 import directory_service_pb2 as directory_pb
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast
from tests.contract.pages import every_page
from tests.contract.refusals import refusal
from tests.contract.stillness import nothing_changes
from tests.movements import Member, a_key, a_reversal
from tests.servers import Server
from tests.worlds import Merchant, World


async def a_rule(world: World, rule_id: str, merchant: Merchant, currency: str, **terms: Any) -> directory_pb.EarnRule:
    """A point for each ¥1 000.00, unless the terms say otherwise."""
    rule = directory_pb.EarnRule(
        name=f"earnRules/{rule_id}",
        merchant=merchant.name,
        currency=f"currencies/{currency}",
        **{"per_minor_units": 100_000, "points_units": 1, "carry_remainder": True, **terms},
    )
    request = directory_pb.CreateEarnRuleRequest(earn_rule=rule)
    return (await world.operator.ask(world.stubs.directory.CreateEarnRule, request)).earn_rule


def spending(
    member: Member, rule: str, minor_units: int, key: str | None = None, **fields: Any
) -> pb.EarnPointsRequest:
    """The request of an award by spend."""
    spend = types.Spend(rule=f"earnRules/{rule}", minor_units=minor_units)
    return pb.EarnPointsRequest(request_id=key or a_key(), member=member.name, spend=spend, **fields)


async def test_the_rulebooks_spend_makes_two_points_and_two(cast: Cast, world: World) -> None:
    """¥2 700 gives 2 and carries 700; ¥1 450 more gives 2 and carries 150."""
    await world.currency("VIP", cast.gro, issue=1_000_000)
    await a_rule(world, "vip-spend", cast.caf, "VIP")
    ada = await cast.member()

    earned = [(await cast.caf.post(spending(ada, "vip-spend", amount))).transfer for amount in (270_000, 145_000)]

    assert [transfer.legs[1].points.units for transfer in earned] == [2, 2]
    assert [transfer.spend.carried_minor_units for transfer in earned] == [70_000, 15_000]
    assert [transfer.spend.minor_units for transfer in earned] == [270_000, 145_000]
    assert {transfer.spend.rule for transfer in earned} == {"earnRules/vip-spend"}
    assert [transfer.obligations[0].amount.micros for transfer in earned] == [2_000_000, 2_000_000]
    assert await cast.caf.balances(ada) == {"VIP": 4}


async def test_too_little_spent_makes_no_points_and_is_carried(cast: Cast, world: World) -> None:
    """¥999.99 is nothing yet; one fen more makes the point."""
    await a_rule(world, "slow", cast.caf, "TEL")
    ada = await cast.member()

    first = (await cast.caf.post(spending(ada, "slow", 99_999))).transfer
    second = (await cast.caf.post(spending(ada, "slow", 1))).transfer

    assert (list(first.legs), list(first.obligations), first.spend.carried_minor_units) == ([], [], 99_999)
    assert (second.legs[1].points.units, second.spend.carried_minor_units) == (1, 0)


async def test_without_carrying_each_amount_stands_alone(cast: Cast, world: World) -> None:
    """What is left of it is lost."""
    await a_rule(world, "alone", cast.caf, "TEL", carry_remainder=False, points_units=3)
    ada = await cast.member()

    earned = [(await cast.caf.post(spending(ada, "alone", 199_999))).transfer for _ in range(2)]

    assert [transfer.legs[1].points.units for transfer in earned] == [3, 3]
    assert [transfer.spend.carried_minor_units for transfer in earned] == [0, 0]


async def test_a_repeated_spend_counts_once(cast: Cast, world: World, server: Server) -> None:
    """Neither points nor remainder twice; another amount under the key is another request."""
    await a_rule(world, "once", cast.caf, "TEL")
    ada = await cast.member()
    request = spending(ada, "once", 150_000)
    first = await cast.caf.post(request)

    async with nothing_changes(server):
        again = await cast.caf.post(request)
        reused = await refusal(cast.caf.post(spending(ada, "once", 150_001, request.request_id)))
        tried = await cast.caf.post(spending(ada, "once", 50_000, validate_only=True))

    assert (again.transfer, again.replayed) == (first.transfer, True)
    assert reused.reason == "REQUEST_ID_REUSED"
    assert tried.transfer.legs[1].points.units == 1


async def test_carried_amounts_are_of_one_member_and_one_rule(cast: Cast, world: World) -> None:
    """Ada's ¥700 are not Bob's, and not another rule's."""
    await a_rule(world, "one", cast.caf, "TEL")
    await a_rule(world, "two", cast.caf, "TEL")
    ada, bob = await cast.member(), await cast.member()
    await cast.caf.post(spending(ada, "one", 70_000))

    others = [await cast.caf.post(spending(bob, "one", 30_000)), await cast.caf.post(spending(ada, "two", 30_000))]
    own = await cast.caf.post(spending(ada, "one", 30_000))

    assert [answer.transfer.spend.carried_minor_units for answer in others] == [30_000, 30_000]
    assert own.transfer.legs[1].points.units == 1


async def test_a_reversed_spend_takes_its_carry_back(cast: Cast, world: World) -> None:
    """¥2 700, of which 700 helped ¥1 450 to their second point: taken back, the carry lacks 550, and ¥551 leave 1."""
    await a_rule(world, "returned", cast.caf, "TEL")
    ada = await cast.member()
    first, second = [(await cast.caf.post(spending(ada, "returned", money))).transfer for money in (270_000, 145_000)]

    back = (await cast.caf.post(a_reversal(first))).transfer
    last = (await cast.caf.post(spending(ada, "returned", 55_100))).transfer

    assert second.spend.carried_minor_units == 15_000
    assert (back.spend.rule, back.spend.minor_units) == ("earnRules/returned", 270_000)
    assert (back.spend.carried_minor_units, last.spend.carried_minor_units) == (-55_000, 100)
    assert (back.legs[0].points.units, list(last.legs)) == (2, [])
    assert await cast.caf.balances(ada) == {"TEL": 2}


async def test_a_spend_that_made_no_points_is_reversed_once(cast: Cast, world: World) -> None:
    """A transfer without legs; the second time there is nothing left of it."""
    await a_rule(world, "tiny", cast.caf, "TEL")
    ada = await cast.member()
    small = (await cast.caf.post(spending(ada, "tiny", 99_999))).transfer

    back = (await cast.caf.post(a_reversal(small))).transfer
    refused = await refusal(cast.caf.post(a_reversal(small)))
    after = (await cast.caf.post(spending(ada, "tiny", 1))).transfer

    assert (list(back.legs), back.original, back.spend.carried_minor_units) == ([], small.name, 0)
    assert refused.reason == "ALREADY_REVERSED"
    assert (list(after.legs), after.spend.carried_minor_units) == ([], 1)


async def test_a_rule_is_its_merchants_own(cast: Cast, world: World, server: Server) -> None:
    """To another merchant it does not exist."""
    await a_rule(world, "cafs", cast.caf, "TEL")
    ada = await cast.member()

    async with nothing_changes(server):
        hidden = await refusal(cast.gro.post(spending(ada, "cafs", 100_000)))
        missing = await refusal(cast.gro.post(spending(ada, "none", 100_000)))

    assert hidden.metadata == {"resource": "earnRules/cafs", "field": "spend.rule"}
    assert repr(hidden).replace("cafs", "none") == repr(missing)


async def test_what_a_spend_would_make_never_passes_64_bits(cast: Cast, world: World, server: Server) -> None:
    """The points, or the money they leave owing."""
    await a_rule(world, "huge", cast.caf, "TEL", per_minor_units=1, points_units=2)
    ada = await cast.member()

    async with nothing_changes(server):
        refused = [
            await refusal(cast.caf.post(spending(ada, "huge", amount))) for amount in (2**63 - 1, (2**63 - 1) // 12_000)
        ]

    assert [(no.reason, no.metadata["figure"]) for no in refused] == [
        ("AMOUNT_OVERFLOW", "points"),
        ("AMOUNT_OVERFLOW", "obligation"),
    ]


@pytest.mark.parametrize(
    ("merchant", "currency", "reason"),
    [("merchants/CAF", "currencies/TEL", "RESOURCE_EXISTS"), ("merchants/NIX", "currencies/TEL", "RESOURCE_NOT_FOUND"),
     ("merchants/CAF", "currencies/NIX", "RESOURCE_NOT_FOUND")],
)  # fmt: skip
async def test_a_rule_is_made_once_by_those_there_are(
    cast: Cast, world: World, server: Server, merchant: str, currency: str, reason: str
) -> None:
    """An id is taken once; merchant and currency must exist."""
    rule_id = f"twice-{merchant[-3:]}-{currency[-3:]}"
    if reason == "RESOURCE_EXISTS":
        await a_rule(world, rule_id, cast.caf, "TEL")
    rule = directory_pb.EarnRule(
        name=f"earnRules/{rule_id}", merchant=merchant, currency=currency, per_minor_units=1, points_units=1
    )
    request = directory_pb.CreateEarnRuleRequest(earn_rule=rule)

    async with nothing_changes(server):
        refused = await refusal(world.operator.ask(world.stubs.directory.CreateEarnRule, request))

    assert refused.reason == reason


async def test_rules_are_listed_by_id_to_those_they_concern(own_world: World) -> None:
    """The operator sees all, a merchant its own."""
    one, two = await own_world.merchant("ONE"), await own_world.merchant("TWO")
    await own_world.currency("PTS", one)
    made = [await a_rule(own_world, rule_id, owner, "PTS") for rule_id, owner in (("b", one), ("a", two), ("c", one))]

    stub, request = own_world.stubs.directory.ListEarnRules, directory_pb.ListEarnRulesRequest
    seen_by_all = await every_page(own_world.operator, stub, request, 2)
    seen_by_one = await every_page(one, stub, request, 1)

    assert [list(page.earn_rules) for page in seen_by_all] == [[made[1], made[0]], [made[2]]]
    assert [list(page.earn_rules) for page in seen_by_one] == [[made[0]], [made[2]]]
