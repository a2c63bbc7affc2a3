"""A net debit cap is lowered by one person, and raised or taken away by two."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from grpc import aio

from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import limit_service_pb2 as pb
from tests.contract.capped import STATE, agreed, approved, lowered, lowering, proposed, withdrawn
from tests.contract.cast import Cast, a_cast
from tests.contract.pages import every_page
from tests.contract.refusals import refusal
from tests.contract.stillness import connected, nothing_changes
from tests.servers import Server
from tests.worlds import EARNING, Merchant, Party, World


@pytest.fixture
async def kiosk(world: World, request: pytest.FixtureRequest) -> Merchant:
    """A merchant for one test's caps; it may owe ¥10."""
    merchant = await world.merchant(f"C{abs(hash(request.node.name)) % 10**10}", EARNING)
    await lowered(world.operator, merchant, 10_000_000)
    return merchant


async def cap_of(world: World, merchant: Merchant) -> int:
    """Micro-yuan it may owe."""
    request = pb.GetExposureRequest(merchant=merchant.name, currency_code="CNY")
    return int((await world.operator.ask(world.stubs.limits.GetExposure, request)).exposure.cap_micros)


@pytest.mark.provokes("CAP_RAISE")
async def test_one_person_lowers_a_cap_and_does_nothing_else(server: Server, world: World, kiosk: Merchant) -> None:
    """A higher one and none at all are refused with what to do instead; the same again and a lower one are not."""
    stubs, operator = world.stubs.limits, world.operator
    remove = pb.RemoveNetDebitCapRequest(merchant=kiosk.name, currency_code="CNY", reason="test")
    async with nothing_changes(server):
        higher = await refusal(operator.ask(stubs.SetNetDebitCap, lowering(kiosk, 10_000_001)))
        none = await refusal(operator.ask(stubs.RemoveNetDebitCap, remove))

    same = await lowered(operator, kiosk, 10_000_000)
    lower = await lowered(operator, kiosk, 1)

    told = {"merchant": kiosk.name, "currency_code": "CNY", "cap": "10000000", "propose": "ProposeNetDebitCap"}
    assert (higher.reason, higher.metadata) == ("CAP_RAISE", {**told, "requested": "10000001"})
    assert (none.reason, none.metadata) == ("CAP_RAISE", {**told, "requested": "none"})
    assert (same.cap_micros, lower.cap_micros) == (10_000_000, 1)


async def test_a_cap_is_raised_once_another_person_has_approved(
    server: Server, world: World, kiosk: Merchant, maker: Party, checker: Party
) -> None:
    """Proposed, nothing holds yet; approved, it holds at once; both stand in the log with the cap before and after."""
    change = await proposed(maker, kiosk, cap_micros=20_000_000)
    before = await cap_of(world, kiosk)
    answer = await approved(checker, change, "seen the deposit")
    again = await approved(checker, change)

    assert (change.state, change.before_micros, change.cap_micros) == (STATE.STATE_PROPOSED, 10_000_000, 20_000_000)
    assert (change.reason, change.HasField("decide_time")) == ("paid a deposit", False)
    assert (before, answer.exposure.cap_micros, await cap_of(world, kiosk)) == (10_000_000, 20_000_000, 20_000_000)
    assert (answer.change.state, answer.change.decision_note) == (STATE.STATE_APPROVED, "seen the deposit")
    assert answer.change.proposer != answer.change.decider
    assert (again.replayed, again.change, again.exposure) == (True, answer.change, answer.exposure)
    async with connected(server.url) as connection:
        query = "SELECT action, after FROM exchange.audit_log WHERE after ->> 'change' = $1 ORDER BY 1 DESC"
        log = [row["action"] for row in await connection.fetch(query, change.name)]
    assert log == ["propose net debit cap", "approve net debit cap"]


async def test_a_cap_is_taken_away_by_two_persons(world: World, kiosk: Merchant, maker: Party, checker: Party) -> None:
    """Then there is none to read or to take away; the next one is set by one person."""
    change = await proposed(maker, kiosk, no_cap=True)
    answer = await approved(checker, change)
    gone = await refusal(cap_of(world, kiosk))
    nothing = await refusal(proposed(maker, kiosk, no_cap=True))
    anew = await lowered(world.operator, kiosk, 10**12)

    assert (change.no_cap, answer.HasField("exposure")) == (True, False)
    assert (gone.reason, nothing.reason, nothing.metadata["field"]) == (
        "RESOURCE_NOT_FOUND",
        "RESOURCE_NOT_FOUND",
        "currency_code",
    )
    assert anew.cap_micros == 10**12


@pytest.mark.provokes("SAME_PERSON")
async def test_nobody_approves_his_own_change(server: Server, world: World, kiosk: Merchant, checker: Party) -> None:
    """Nor with another key, nor with one that names nobody; nobody in particular proposes."""
    li, li_again = [await world.party(directory.CALLER_ROLE_OPERATOR, "li.wei.caps") for _ in range(2)]
    nobody = await world.party(directory.CALLER_ROLE_OPERATOR, "")
    change = await proposed(li, kiosk, cap_micros=20_000_000)

    async with nothing_changes(server):
        refused = [
            await refusal(approved(li, change)),
            await refusal(approved(li_again, change)),
            await refusal(approved(nobody, change)),
            await refusal(approved(kiosk, change)),
            await refusal(proposed(nobody, kiosk, cap_micros=1)),
        ]
        other = pb.NetDebitCapChange(name=change.name, digest="0" * 64)
        mistaken = await refusal(approved(checker, other))

    assert [no.reason for no in refused] == [
        "SAME_PERSON", "SAME_PERSON", "PERSON_UNKNOWN", "METHOD_NOT_ALLOWED", "PERSON_UNKNOWN",
    ]  # fmt: skip
    assert (mistaken.reason, mistaken.metadata["digest"]) == ("DIGEST_MISMATCH", change.digest)


@pytest.mark.provokes("WRONG_STATE")
async def test_what_was_looked_at_must_still_be_so(world: World, kiosk: Merchant, maker: Party, checker: Party) -> None:
    """Lowered meanwhile, or raised by another proposal: somebody looks again."""
    stale = await proposed(maker, kiosk, cap_micros=20_000_000)
    await lowered(world.operator, kiosk, 5)
    overruled = await refusal(approved(checker, stale))
    first, second = [await proposed(maker, kiosk, cap_micros=figure) for figure in (6, 7)]
    await approved(checker, first)
    overtaken = await refusal(approved(checker, second))

    found = [(no.reason, no.metadata["resource"], no.metadata["state"]) for no in (overruled, overtaken)]
    assert found == [("WRONG_STATE", stale.name, "OUTDATED"), ("WRONG_STATE", second.name, "OUTDATED")]
    assert await cap_of(world, kiosk) == 6


async def test_one_person_takes_a_proposal_back(world: World, kiosk: Merchant, maker: Party, checker: Party) -> None:
    """The proposer or somebody else; then nobody approves it, and a decided one is not taken back."""
    change = await proposed(maker, kiosk, cap_micros=20_000_000)
    gone = await withdrawn(checker, change)
    again = await withdrawn(checker, change)
    late = await refusal(approved(checker, change))
    done = (await approved(checker, await proposed(maker, kiosk, cap_micros=11_000_000))).change
    too_late = await refusal(withdrawn(maker, done))

    assert (gone.change.state, gone.replayed, again.replayed) == (STATE.STATE_WITHDRAWN, False, True)
    assert (late.reason, late.metadata["state"]) == ("WRONG_STATE", "WITHDRAWN")
    assert (too_late.reason, too_late.metadata["state"]) == ("WRONG_STATE", "APPROVED")
    assert await cap_of(world, kiosk) == 11_000_000


@pytest.mark.provokes("REQUEST_ID_REUSED")
async def test_one_key_proposes_one_change(kiosk: Merchant, maker: Party) -> None:
    """Sent again and at once it is the same; another one under it is refused."""
    key = f"raise-{kiosk.name}"
    answers = await asyncio.gather(*(proposed(maker, kiosk, key, cap_micros=12_000_000) for _ in range(4)))
    other = await refusal(proposed(maker, kiosk, key, cap_micros=13_000_000))

    assert len({answer.name for answer in answers}) == 1
    assert (other.reason, other.metadata) == ("REQUEST_ID_REUSED", {"request_id": key})


async def test_changes_are_read_by_whoever_is_no_merchant(
    world: World, kiosk: Merchant, maker: Party, checker: Party
) -> None:
    """Oldest first, page by page, by state."""
    changes = [await proposed(maker, kiosk, cap_micros=figure) for figure in (1, 2, 3)]
    await approved(checker, changes[0])
    await withdrawn(maker, changes[1])
    method, auditor = world.stubs.limits.ListNetDebitCapChanges, await world.auditor()

    async def names(**filters: object) -> list[str]:
        pages = await every_page(auditor, method, pb.ListNetDebitCapChangesRequest, 2, **filters)
        return [one.name for page in pages for one in page.changes if one.merchant == kiosk.name]

    get = pb.GetNetDebitCapChangeRequest(name=changes[2].name)
    found = (await auditor.ask(world.stubs.limits.GetNetDebitCapChange, get)).change
    denied = await refusal(kiosk.ask(world.stubs.limits.GetNetDebitCapChange, get))
    assert await names() == [one.name for one in changes]
    assert await names(state=STATE.STATE_PROPOSED) == [changes[2].name]
    assert await names(state=STATE.STATE_WITHDRAWN) == [changes[1].name]
    assert (found, denied.reason) == (changes[2], "METHOD_NOT_ALLOWED")


@pytest.mark.provokes("PROPOSAL_LAPSED")
async def test_a_proposal_that_nobody_approves_lapses(own_world: World) -> None:
    """After seven days of the coalition's calendar, at that very instant."""
    cast: Cast = await a_cast(own_world)
    ann, zoe = [await own_world.party(directory.CALLER_ROLE_OPERATOR) for _ in range(2)]
    await lowered(own_world.operator, cast.gro, 5)
    change = await proposed(ann, cast.gro, cap_micros=6)
    await own_world.set_clock(await own_world.now() + timedelta(days=8))

    late = await refusal(approved(zoe, change))
    get = pb.GetNetDebitCapChangeRequest(name=change.name)
    found = (await zoe.ask(zoe.stubs.limits.GetNetDebitCapChange, get)).change

    assert (late.reason, late.metadata["resource"]) == ("PROPOSAL_LAPSED", change.name)
    assert found.state == STATE.STATE_LAPSED
    assert (await agreed(own_world, cast.gro, cap_micros=6)).cap_micros == 6


async def test_of_many_who_approve_at_once_one_raises_it(world: World, kiosk: Merchant, maker: Party) -> None:
    """And somebody who lowers it meanwhile is never overruled: what he saw to comes last, or makes it outdated."""
    checkers = [await world.party(directory.CALLER_ROLE_OPERATOR) for _ in range(4)]
    change = await proposed(maker, kiosk, cap_micros=20_000_000)

    answers = await asyncio.gather(
        *(approved(one, change) for one in checkers),
        lowered(world.operator, kiosk, 3),
        return_exceptions=True,
    )

    assert not isinstance(answers[-1], BaseException)
    yes = [answer for answer in answers[:-1] if not isinstance(answer, aio.AioRpcError)]
    assert len(yes) <= 1
    assert await cap_of(world, kiosk) == 3
