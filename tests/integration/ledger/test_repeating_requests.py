"""One key, one effect, one answer: repeats in one batch, at once from two servers, and long after."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from exchange.earning.model import Earn
from exchange.ledger.model import Receipt
from exchange.refusals import Refusal
from tests.integration.ledger.ledgers import Ledger, a_server_on, at_once, moved, reasons
from tests.unit.rules.rulebook import convert, earn, redeem


def of_another_body(command: Earn, units: int) -> Earn:
    """Another request under the same key."""
    return replace(command, units=units, fingerprint=b"another")


async def test_repeats_in_one_call_have_one_effect(ledger: Ledger) -> None:
    """Five of the same in a batch: the first moves, the others are told the very same transfer."""
    ada = await ledger.member()

    first, *others = await ledger.api.poster.post_all([earn("5 TEL", "GRO", key="k", member_id=ada)] * 5, atomic=False)

    assert isinstance(first, Receipt)
    assert not first.replayed
    assert others == [Receipt(first.transfer, replayed=True)] * 4
    assert await ledger.balances(ada) == {"TEL": 5}


async def test_repeats_at_once_from_two_servers_have_one_effect(servers: list[Ledger]) -> None:
    """Thirty keys, each asked three times of each server, all together."""
    members = await servers[0].members(5)
    commands = [earn("5 TEL", "GRO", key=f"k{number}", member_id=members[number % 5]) for number in range(30)]

    answers = await at_once(*(server.told(command) for command in commands for server in servers for _ in range(3)))

    assert len(moved(answers)) == 30
    told = [answer.transfer for answer in answers if isinstance(answer, Receipt)]
    assert [told.count(transfer) for transfer in told] == [6] * 180
    for member in members:
        assert await servers[0].balances(member) == {"TEL": 30}


async def test_a_key_used_for_two_members_at_once_moves_one_of_them(servers: list[Ledger]) -> None:
    """Nothing but the key makes the two meet: no account is common to them."""
    members = await servers[0].members(2)

    for number in range(20):
        key = f"k{number}"
        wanted = [earn("5 TEL", "GRO", key=key, member_id=member) for member in members]
        wanted[1].fingerprint = b"another member"
        answers = await at_once(*(server.told(command) for server, command in zip(servers, wanted, strict=True)))
        assert len(moved(answers)) == 1
        assert reasons(answers) == ["REQUEST_ID_REUSED"]

    held = [(await servers[0].balances(member)).get("TEL", 0) for member in members]
    assert sum(held) == 100


async def test_a_refusal_asked_of_two_servers_at_once_is_one_refusal(servers: list[Ledger]) -> None:
    """While points are coming in: whichever answer was first is the answer of all."""
    ada = await servers[0].member()

    for number in range(20):
        spend = redeem("7 TEL", "CAF", key=f"k{number}", member_id=ada)
        calls = [server.told(spend) for server in servers for _ in range(2)]
        answers = await at_once(*calls, servers[0].told(earn("1 TEL", "GRO", member_id=ada)))
        told = [answer.reason if isinstance(answer, Refusal) else "moved" for answer in answers[:4]]
        assert len(set(told)) == 1


@pytest.mark.parametrize("later", ["restarted", "window closed", "merchant suspended", "points gone"])
async def test_a_late_repeat_gets_the_first_answer_whatever_has_happened_since(ledger: Ledger, later: str) -> None:
    """The very same yes and the very same no, down to the last figure."""
    ada = await ledger.member()
    await ledger.post(earn("300 BNK", "BNK", member_id=ada))
    yes = convert("61 BNK", "AIR", by="BNK", key="yes", member_id=ada)
    no = redeem("301 BNK", "BNK", key="no", member_id=ada)
    first_yes, first_no = await ledger.post(yes), await ledger.told(no)

    if later == "window closed":
        await ledger.close_window()
    elif later == "merchant suspended":
        await ledger.suspend("BNK")
    elif later == "points gone":
        await ledger.post(redeem("240 BNK", "CAF", member_id=ada))
    async with a_server_on(ledger.url) as other:
        server = other if later == "restarted" else ledger
        again_yes, again_no = await server.told(yes), await server.told(no)

    assert again_yes == Receipt(first_yes.transfer, replayed=True)
    assert isinstance(first_no, Refusal)
    assert isinstance(again_no, Refusal)
    assert (again_no.reason, again_no.category, again_no.data) == (first_no.reason, first_no.category, first_no.data)
    assert str(again_no) == str(first_no)


async def test_a_refused_request_stays_refused_when_it_could_be_done(ledger: Ledger) -> None:
    """A till that was told no has sent the customer away: a repeat must not take the points after all."""
    ada = await ledger.member()
    spend = redeem("5 TEL", "CAF", key="k", member_id=ada)
    assert reasons([await ledger.told(spend)]) == ["INSUFFICIENT_POINTS"]
    await ledger.post(earn("50 TEL", "GRO", member_id=ada))

    answer = await ledger.told(spend)

    assert reasons([answer]) == ["INSUFFICIENT_POINTS"]
    assert await ledger.balances(ada) == {"TEL": 50}


async def test_another_request_under_a_used_key_changes_nothing(ledger: Ledger) -> None:
    """And the first request is still answered as it was."""
    ada = await ledger.member()
    award = earn("5 TEL", "GRO", key="k", member_id=ada)
    await ledger.post(award)

    answers = [await ledger.told(of_another_body(award, 6)), await ledger.told(award)]

    assert reasons(answers) == ["REQUEST_ID_REUSED"]
    assert isinstance(answers[1], Receipt)
    assert await ledger.balances(ada) == {"TEL": 5}


async def test_a_key_of_a_group_that_was_not_done_can_be_used_again(servers: list[Ledger]) -> None:
    """At the other server, for the same request: only the refused item has its answer."""
    ada = await servers[0].member()
    award = earn("5 TEL", "GRO", key="award", member_id=ada)
    spend = redeem("6 TEL", "CAF", key="spend", member_id=ada)
    outcomes = await servers[0].api.poster.post_all([award, spend], atomic=True)
    assert reasons(outcomes) == ["BATCH_NOT_APPLIED", "INSUFFICIENT_POINTS"]
    assert await servers[1].balances(ada) == {}

    answers = [await servers[1].told(award), await servers[1].told(spend)]

    assert len(moved(answers)) == 1
    assert reasons(answers) == ["INSUFFICIENT_POINTS"]
    assert await servers[0].balances(ada) == {"TEL": 5}


async def test_a_group_and_a_single_request_that_share_a_key_have_one_effect(servers: list[Ledger]) -> None:
    """Sent at once to two servers: the key's request is done once, by whichever came first."""
    ada = await servers[0].member()

    for number in range(15):
        shared = earn("1 TEL", "GRO", key=f"shared-{number}", member_id=ada)
        group = [earn("1 TEL", "GRO", key=f"own-{number}", member_id=ada), shared]
        single, outcomes = await asyncio.gather(
            servers[0].told(shared), servers[1].api.poster.post_all(group, atomic=True)
        )
        assert len(moved([single, outcomes[1]])) == 1

    assert await servers[0].balances(ada) == {"TEL": 30}


async def test_a_trial_neither_moves_anything_nor_uses_its_key(ledger: Ledger) -> None:
    """What it told is not kept: the real request under the same key is decided afresh."""
    ada = await ledger.member()
    tried = [
        await ledger.told(redeem("5 TEL", "CAF", key="k", member_id=ada, trial=True)),
        await ledger.told(earn("5 TEL", "GRO", key="k2", member_id=ada, trial=True)),
    ]
    assert reasons(tried) == ["INSUFFICIENT_POINTS"]
    assert await ledger.balances(ada) == {}
    await ledger.post(earn("5 TEL", "GRO", key="k2", member_id=ada))

    answer = await ledger.post(redeem("5 TEL", "CAF", key="k", member_id=ada))

    assert not answer.replayed
    assert await ledger.value("SELECT count(*) FROM exchange.transfers") == 2
