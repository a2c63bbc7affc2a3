"""What issuers that keep balances themselves are told, what they answer, and what is shown of it to whom."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from exchange.ledger.halting import halt
from exchange.v1 import external_ledger_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast
from tests.contract.outside import (
    ANSWERED,
    APPLIED,
    COMPLETED,
    REJECTED,
    UNKNOWN,
    Outside,
    outside,
    upkeep,
)
from tests.contract.pages import every_page
from tests.contract.refusals import refusal
from tests.servers import Server
from tests.worlds import Merchant, World

Kind = types.Transfer.Kind


@pytest.fixture
async def out(cast: Cast) -> Outside:
    """AIR keeps the source: conversions take points from AIR's own books and give points here."""
    return await outside(cast.world, cast.air, cast.bnk, is_source=True)


async def test_an_answer_that_does_not_come_is_asked_for(own_world: World, own_server: Server) -> None:
    """After its time the conversion is unknown; each query is a new instruction about the first, ever more seldom."""
    where = await _own_outside(own_world)
    ada = await where.pair.member()
    begun = await where.begun(ada, 10)

    told = []
    for minutes in (2, 1, 2):
        await own_world.set_clock(await own_world.now() + timedelta(minutes=minutes))
        await upkeep(own_server)
        told.append(len(await where.unanswered()))
    stuck = await where.read(begun, own_world.operator)
    pending = (await where.balance(ada)).pending_units
    query = (await where.unanswered())[-1]
    answer = await where.answer(query.name, APPLIED)

    assert told == [2, 2, 3], "one minute is sooner than the second query, two more are not"
    assert pending == stuck.received.units > 0, "an unknown outcome is no rejection"
    assert (stuck.state, stuck.queries, stuck.age.ToTimedelta() >= timedelta(minutes=5)) == (UNKNOWN, 2, True)
    assert (query.kind, query.subject, query.points.units) == (pb.Instruction.KIND_QUERY, begun.instruction, 10)
    assert answer.instruction.name == begun.instruction
    assert (await where.read(begun)).state == COMPLETED
    assert await where.unanswered() == []


async def _own_outside(world: World) -> Outside:
    exchange = types.MERCHANT_ROLE_EXCHANGE
    earning = types.MERCHANT_ROLE_EARNING
    air, bnk = await world.merchant("AIR", exchange), await world.merchant("BNK", exchange, earning)
    return await outside(world, air, bnk, is_source=True)


async def test_what_was_answered_is_ended_by_upkeep_when_nobody_else_could(
    own_world: World, own_server: Server
) -> None:
    """While the ledger is halted the answer is kept; afterwards it is posted once, also by two that look at once."""
    where = await _own_outside(own_world)
    ada = await where.pair.member()
    begun = await where.begun(ada, 10)

    await halt(own_server.api.database, halted=True)
    await where.answer(begun.instruction)
    between = await where.read(begun)
    await halt(own_server.api.database, halted=False)
    await asyncio.gather(upkeep(own_server), upkeep(own_server))

    assert between.state == ANSWERED
    assert (await where.read(begun)).state == COMPLETED
    assert await where.asker.balances(ada) == {where.pair.target: 5}


def told_names(answers: list[pb.WatchInstructionsResponse]) -> list[str]:
    """Names of the instructions told."""
    return [one.name for answer in answers for one in answer.instructions]


async def watched(where: Outside, party: Merchant, count: int, **fields: Any) -> list[pb.WatchInstructionsResponse]:
    """Watch until so many instructions of the pair's external currency were told."""
    stub: Any = where.world.stubs.external
    call = stub.WatchInstructions(pb.WatchInstructionsRequest(**fields), metadata=party.metadata, timeout=30)
    answers: list[pb.WatchInstructionsResponse] = []
    async for answer in call:
        answers.append(answer)
        if len(told_names(answers)) >= count:
            break
    call.cancel()
    return answers


async def test_instructions_are_told_in_order_and_again_from_a_cursor(cast: Cast, out: Outside) -> None:
    """At least once: whoever resumes misses none."""
    ada = await cast.member()
    now = await watched(out, out.issuer, 0, from_now=True)
    begun = [(await out.begun(ada, 10 * (n + 1))).instruction for n in range(3)]

    first = await watched(out, out.issuer, 1, cursor=now[0].cursor)
    rest = await watched(out, out.issuer, 3 - len(told_names(first)), cursor=first[-1].cursor)
    again = await watched(out, out.issuer, 3, cursor=now[0].cursor)

    assert told_names(first) + told_names(rest) == begun
    assert told_names(again) == begun


async def test_nobody_else_sees_an_issuers_instructions(cast: Cast, out: Outside) -> None:
    """Not the asking merchant, not another issuer: neither told, nor listed, nor answered for."""
    ada = await cast.member()
    begun = await out.begun(ada, 10)
    stubs = cast.world.stubs.external

    for other in (cast.bnk, cast.tel):
        listed = await other.ask(stubs.ListInstructions, pb.ListInstructionsRequest(page_size=1_000))
        refused = await refusal(
            other.ask(
                stubs.AcknowledgeInstruction,
                pb.AcknowledgeInstructionRequest(name=begun.instruction, outcome=REJECTED),
            )
        )
        assert begun.instruction not in {one.name for one in listed.instructions}
        assert refused.reason == "RESOURCE_NOT_FOUND"
    unseen = await refusal(out.read(begun, cast.tel))
    assert unseen.reason == "RESOURCE_NOT_FOUND"
    for party in (cast.bnk, cast.air, cast.world.operator, await cast.world.auditor()):
        assert (await out.read(begun, party)).name == begun.name


async def test_the_other_issuer_is_not_told_whose_points(cast: Cast) -> None:
    """Who asked and who is instructed have linked the member; the third sees the conversion and not the person."""
    ben = await cast.world.member("ben", [cast.air])
    out = await outside(cast.world, cast.air, cast.bnk, is_source=True)

    begun = (await cast.air.convert(ben, f"10 {out.external}", out.pair.target)).external_conversion
    seen = await out.read(begun, cast.bnk)

    assert begun.member == ben.name
    assert (seen.name, seen.member) == (begun.name, "")
    await out.answer(begun.instruction, REJECTED)


async def test_the_stuck_are_listed(cast: Cast, out: Outside) -> None:
    """Page by page, of one currency, only the open ones; to whom they concern."""
    ada = await cast.member()
    begun = [await out.begun(ada, 10) for _ in range(3)]
    await out.answer(begun[1].instruction)
    stubs = cast.world.stubs.external
    named = {"currency": f"currencies/{out.external}"}

    open_only = await every_page(
        cast.world.operator,
        stubs.ListExternalConversions,
        pb.ListExternalConversionsRequest,
        1,
        open_only=True,
        **named,
    )
    own = await every_page(cast.air, stubs.ListExternalConversions, pb.ListExternalConversionsRequest, 2, **named)
    others = await every_page(cast.tel, stubs.ListExternalConversions, pb.ListExternalConversionsRequest, 2, **named)

    assert [one.name for page in open_only for one in page.conversions] == [begun[0].name, begun[2].name]
    assert [one.name for page in own for one in page.conversions] == [one.name for one in begun]
    assert [one.name for page in others for one in page.conversions] == []
