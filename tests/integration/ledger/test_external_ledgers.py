"""Conversions with an issuer's own ledger while many answer, ask and look at once, on two servers."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from exchange.conversion.model import Convert
from exchange.external import reads
from exchange.external.model import Answer, ConversionState
from exchange.ledger.model import Receipt
from exchange.refusals import InstructionContradicted
from tests.integration.ledger.capping import cap, exposure
from tests.integration.ledger.ledgers import OPERATOR, Ledger, at_once, in_turn, moved, reasons
from tests.integration.ledger.outside import APPLIED, REJECTED, TEL, issue_outside, publish, read, say
from tests.integration.ledger.pausing import paused
from tests.unit.rules.rulebook import MERCHANT_NO, convert, earn

NO_LIMITS = {"member_earn_units": 0, "member_use_units": 0, "issuance_units": 0}
ENDS = "SELECT count(*) FROM exchange.transfers WHERE kind = 151 OR (kind = 9 AND original_id IS NOT NULL)"
QUERIES = "SELECT count(*) FROM exchange.external_instructions WHERE kind = 3"


async def _begun(servers: list[Ledger], count: int, *, out: bool) -> list[Receipt]:
    """So many conversions of ten points by one member, who has just enough."""
    await issue_outside(servers[0])
    ada = await servers[0].member()
    await servers[0].post(earn(f"{count * 10} BNK", "CAF", member_id=ada))
    source, target = ("OUT", "BNK") if out else ("BNK", "OUT")
    asked = [convert(f"10 {source}", target, by="BNK", member_id=ada) for _ in range(count)]
    return moved(await at_once(*in_turn(servers, asked)))


@pytest.mark.parametrize("out", [True, False], ids=["debits", "credits"])
async def test_answers_that_come_at_once_end_each_conversion_once(servers: list[Ledger], out: bool) -> None:  # noqa: FBT001
    """The same answer from two sides of two servers, with upkeep in between."""
    begun = await _begun(servers, 12, out=out)

    said = await at_once(*(say(server, one) for one in begun for server in servers for _ in range(2)))
    await at_once(*(server.api.external.run() for server in servers))

    assert (len(begun), said.count(False)) == (12, 12), "of the answers to one instruction one is the first"
    assert await servers[0].value(ENDS) == 12
    assert {(await read(servers[1], one)).state for one in begun} == {ConversionState.COMPLETED}
    balance = (await servers[0].balances(begun[0].transfer.member_id))["BNK"]
    assert balance == (240 if out else 0)


async def test_of_opposite_answers_one_stands(servers: list[Ledger]) -> None:
    """Whichever came first; the other is refused, and that it was said is kept."""
    begun = await _begun(servers, 8, out=False)

    answers = await asyncio.gather(
        *(
            say(server, one, answer)
            for one in begun
            for server, answer in zip(servers, (APPLIED, REJECTED), strict=True)
        ),
        return_exceptions=True,
    )
    await servers[0].api.external.run()

    assert sum(isinstance(one, InstructionContradicted) for one in answers) == 8
    ended = [await read(servers[0], one) for one in begun]
    assert await servers[0].value(ENDS) == 8
    assert all(one.contradicted_at is not None for one in ended)
    rejected = sum(one.state is ConversionState.REJECTED for one in ended)
    assert (await servers[0].balances(begun[0].transfer.member_id))["BNK"] == rejected * 10


async def test_two_servers_ask_about_each_conversion_once_at_a_time(servers: list[Ledger]) -> None:
    """However many look; and not again until the pause is over."""
    begun = await _begun(servers, 6, out=True)
    now = await servers[0].value("SELECT exchange.coalition_now()")
    await servers[0].api.changes.set_clock(OPERATOR, now + timedelta(minutes=2))

    await at_once(*(server.api.external.run() for server in servers * 3))

    assert await servers[0].value(QUERIES) == 6
    assert {(await read(servers[0], one)).state for one in begun} == {ConversionState.UNKNOWN}


async def test_reserved_points_are_spent_once_whoever_asks(servers: list[Ledger]) -> None:
    """Twice as many conversions as there are points for: half are begun, and the others refused."""
    await issue_outside(servers[0])
    ada = await servers[0].member()
    await servers[0].post(earn("100 BNK", "CAF", member_id=ada))

    answers = await at_once(*in_turn(servers, [convert("10 BNK", "OUT", by="BNK", member_id=ada) for _ in range(20)]))

    assert (len(moved(answers)), reasons(answers)) == (10, ["INSUFFICIENT_POINTS"] * 10)
    assert (await servers[0].balances(ada))["BNK"] == 0


async def test_an_instruction_is_there_only_when_its_conversion_is(servers: list[Ledger]) -> None:
    """Nothing is told of a conversion whose transaction has not committed."""
    await issue_outside(servers[0])
    ada = await servers[0].member()

    async with paused(servers[0]) as pause:
        under_way = asyncio.create_task(servers[0].post(convert("10 OUT", "BNK", by="BNK", member_id=ada)))
        await pause.until_waiting("relation")
        before = await _told(servers[1])
        await pause.end()
        await under_way

    assert (before, len(await _told(servers[1]))) == ([], 1)


async def _told(ledger: Ledger) -> list[object]:
    async with ledger.database.read() as connection:
        return list(
            await reads.instructions(connection, issuer_no=MERCHANT_NO["TEL"], unanswered_only=False, after=0, limit=10)
        )


async def test_what_changes_meanwhile_does_not_stop_what_was_begun(ledger: Ledger) -> None:
    """Everybody suspended: the issuer has moved its side, so ours follows."""
    begun = await _begun([ledger], 1, out=True)
    for merchant in ("BNK", "TEL"):
        await ledger.suspend(merchant)

    await ledger.api.external.acknowledge(TEL, begun[0].transfer.transfer_id, APPLIED)  # type: ignore[arg-type]

    assert (await read(ledger, begun[0])).state is ConversionState.COMPLETED


@pytest.mark.parametrize("answer", [APPLIED, REJECTED], ids=["applied", "rejected"])
async def test_what_waits_counts_against_the_cap_and_its_end_is_never_refused(ledger: Ledger, answer: Answer) -> None:
    """OUT at 2 250 a point: TEL may owe for ten, a second conversion is refused, and the first one ends as it must."""
    await issue_outside(ledger)
    ada = await ledger.member()
    await cap(ledger, "TEL", 22_500)

    begun = await ledger.post(convert("10 OUT", "BNK", by="BNK", member_id=ada))
    more = await ledger.told(convert("1 OUT", "BNK", by="BNK", member_id=ada))
    waiting = await exposure(ledger, "TEL")
    await cap(ledger, "TEL", 0)
    await say(ledger, begun, answer)
    after = await exposure(ledger, "TEL")

    assert reasons([more]) == ["NET_DEBIT_CAP_EXCEEDED"]
    assert (waiting.reserved_micros, waiting.payable_micros) == (22_500, 0)
    assert after.reserved_micros == 0
    assert after.payable_micros == (22_500 if answer is APPLIED else 0)


@pytest.mark.parametrize(
    ("figure", "out", "reason"),
    [("issuance_units", True, "ISSUANCE_LIMIT_EXCEEDED"), ("member_use_units", False, "MEMBER_LIMIT_EXCEEDED")],
    ids=["made", "used"],
)
async def test_daily_limits_count_what_is_begun_and_not_what_is_called_off(
    ledger: Ledger,
    figure: str,
    out: bool,  # noqa: FBT001
    reason: str,
) -> None:
    """A hundred points a day: sixty leave no room for sixty more, until they are called off; completed, they count."""
    await issue_outside(ledger)
    ada = await ledger.member()
    await ledger.post(earn("200 BNK", "CAF", member_id=ada))
    await ledger.api.limits.set_points_limits(OPERATOR, "BNK", {**NO_LIMITS, figure: 100}, "test")
    source, target = ("OUT", "BNK") if out else ("BNK", "OUT")

    def asked() -> Convert:
        return convert(f"60 {source}", target, by="BNK", member_id=ada)

    first = await ledger.post(asked())
    refused = [await ledger.told(asked())]
    await say(ledger, first, REJECTED)
    second = await ledger.post(asked())
    await say(ledger, second, APPLIED)
    refused.append(await ledger.told(asked()))

    assert reasons(refused) == [reason] * 2
    assert [(await read(ledger, one)).state for one in (first, second)] == [
        ConversionState.REJECTED,
        ConversionState.COMPLETED,
    ]


async def test_a_cap_that_comes_later_in_the_day_counts_what_was_begun_before(ledger: Ledger) -> None:
    """Sixty of a hundred are used by what waits; what was called off is not."""
    rate = await issue_outside(ledger)
    ada = await ledger.member()
    await ledger.post(convert("60 OUT", "BNK", by="BNK", member_id=ada))
    await say(ledger, await ledger.post(convert("30 OUT", "BNK", by="BNK", member_id=ada)), REJECTED)
    assert rate.rate_id is not None
    await ledger.api.rates.end(OPERATOR, rate.rate_id, None)
    await publish(ledger, "OUT", "BNK", daily_cap=100)

    answers = [await ledger.told(convert(f"{units} OUT", "BNK", by="BNK", member_id=ada)) for units in (41, 40)]

    assert (reasons(answers), len(moved(answers))) == (["DAILY_CAP_EXCEEDED"], 1)
