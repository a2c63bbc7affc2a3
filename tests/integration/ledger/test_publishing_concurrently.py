"""Publications at once, and movements meanwhile: two that are harmless alone never make a circle together."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest

from exchange.ledger.model import Receipt
from exchange.rates.drafts.model import Draft, DraftState, Wanted
from exchange.rates.model import Rate
from exchange.rates.proposed import Proposal
from exchange.rates.sql import PUBLISHING
from exchange.refusals import Refusal
from tests.integration.ledger.ledgers import OPERATOR, PRICES, Ledger, at_once, going_on, owner_of, reasons
from tests.integration.ledger.pausing import paused
from tests.unit.rules.rulebook import convert, earn, rate

PROPOSER = replace(OPERATOR, person="li.wei")
APPROVER = replace(OPERATOR, person="wang.fang")
CHANGES = 6


async def drafted(ledger: Ledger, source: str, target: str, supersedes: Rate | None = None) -> Draft:
    """A validated draft of one rate: `drafted(ledger, "30 BNK", "1 AIR")`."""
    codes = [words.split()[-1] for words in (source, target)]
    wanted = Wanted(codes[0], codes[1], Proposal(rate(source, target, supersedes=supersedes), None))
    draft = await ledger.api.drafts.propose(PROPOSER, [wanted], "")
    validated, report = await ledger.api.drafts.validate(PROPOSER, draft.draft_id)
    assert not report.problems
    return validated


async def told_of_approving(ledger: Ledger, draft: Draft) -> Draft | Refusal:
    """The approved draft, or why it was not approved."""
    try:
        return (await ledger.api.drafts.approve(APPROVER, draft.draft_id, draft.digest, ""))[0]
    except Refusal as refusal:
        return refusal


async def test_two_drafts_that_gain_together_are_not_both_published(servers: list[Ledger]) -> None:
    """BNK to TEL and TEL to BNK, each harmless alone, approved at once at two servers: one of the two is refused."""
    for code, prices in (("BNK", 100_000), ("TEL", 100_000)):
        price = replace(PRICES[code], conversion_out_micros=prices)
        await servers[0].api.changes.publish_price(OPERATOR, code, price)
    drafts = [await drafted(servers[0], "10 BNK", "11 TEL"), await drafted(servers[1], "1 TEL", "1 BNK")]

    told = await at_once(*(told_of_approving(*one) for one in zip(servers, drafts, strict=True)))

    assert sorted(type(answer) is Draft for answer in told) == [False, True]
    assert reasons(answer for answer in told if isinstance(answer, Refusal)) == ["ROUND_TRIP_GAINS"]
    published = "SELECT count(*) FROM exchange.rates WHERE draft_id IS NOT NULL"
    assert await servers[0].value(published) == 1


async def test_a_draft_is_either_approved_or_withdrawn(servers: list[Ledger]) -> None:
    """Both at once, again and again: what the draft says in the end is what one of the two was told."""
    for number in range(CHANGES):
        draft = await drafted(servers[0], "60 BNK", f"{number + 1} TEL")
        withdrawing = servers[1].api.drafts.withdraw(PROPOSER, draft.draft_id, "")

        told = await asyncio.gather(told_of_approving(servers[0], draft), withdrawing, return_exceptions=True)

        yes = [answer for answer in told if not isinstance(answer, Refusal)]
        assert len(yes) == 1
        state = DraftState(
            await servers[0].value("SELECT state FROM exchange.rate_drafts ORDER BY draft_id DESC LIMIT 1")
        )
        count = await servers[0].value("SELECT count(*) FROM exchange.rates WHERE draft_id IS NOT NULL")
        assert (state is DraftState.APPROVED) == isinstance(yes[0], Draft) == (count == 1)
        await servers[0].rows("UPDATE exchange.rates SET draft_id = NULL, ends_at = effective_at")


async def test_while_a_publication_is_looked_at_points_go_on_moving(ledger: Ledger) -> None:
    """The fence, which stops the posters, is taken only for what is written in the end."""
    ada = await ledger.member()
    draft = await drafted(ledger, "6 TEL", "1 AIR")

    async with owner_of(ledger.url) as elsewhere, owner_of(ledger.url) as observer, elsewhere.transaction():
        # Somebody else's publication is being looked at, for as long as we like.
        await elsewhere.execute("SELECT pg_advisory_xact_lock($1)", PUBLISHING)
        async with going_on(told_of_approving(ledger, draft)) as (approving,):
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            while not await observer.fetchval(waiting):
                await asyncio.sleep(0.01)
            moved = await ledger.post(earn("5 TEL", "GRO", member_id=ada))
            assert not approving.done()
            await elsewhere.execute("COMMIT; BEGIN")
            published = await approving

    assert moved.transfer.ledger_sequence
    assert isinstance(published, Draft)
    assert published.state is DraftState.APPROVED


async def test_a_publication_waits_for_what_was_decided_before_it(ledger: Ledger) -> None:
    """A poster that decided by the old rate writes first; the new rate begins after it."""
    ada = await ledger.member()
    await ledger.post(earn("300 BNK", "BNK", member_id=ada))
    old = next(iter((await ledger.api.source.current()).rates.values()))[0]
    draft = await drafted(ledger, "60 BNK", "1 AIR", supersedes=old)

    async with paused(ledger) as pause:
        posting = asyncio.create_task(ledger.post(convert("60 BNK", "AIR", by="BNK", member_id=ada)))
        await pause.until_waiting("relation")
        approving = asyncio.create_task(told_of_approving(ledger, draft))
        await pause.until_waiting("advisory")
        await pause.end()
        before, published = await posting, await approving
    after = await ledger.post(convert("60 BNK", "AIR", by="BNK", member_id=ada))

    assert isinstance(published, Draft)
    assert (before.transfer.rate_id, after.transfer.rate_id) == (old.rate_id, published.proposals[0].rate.rate_id)
    assert before.transfer.occurred_at < published.proposals[0].rate.effective_at <= after.transfer.occurred_at


async def converting(stop: asyncio.Event, server: Ledger, member: UUID) -> list[Receipt | Refusal]:
    """What a caller is told that converts without a pause."""
    told = []
    while not stop.is_set():
        told.append(await server.told(convert("30 BNK", "AIR", by="BNK", member_id=member)))
    return told


async def test_successors_take_over_under_load_without_a_gap(servers: list[Ledger]) -> None:
    """Two servers convert while the rate is superseded again and again: there is always one, and each in its time."""
    members = await servers[0].members(4)
    for member in members:
        await servers[0].post(earn("1 000 000 BNK", "BNK", member_id=member))
    current = next(iter((await servers[0].api.source.current()).rates.values()))[0]
    stop = asyncio.Event()

    async with going_on(*(converting(stop, servers[place % 2], members[place]) for place in range(4))) as callers:
        for number in range(CHANGES):
            draft = await drafted(servers[number % 2], "30 BNK", "1 AIR", supersedes=current)
            published = await told_of_approving(servers[number % 2], draft)
            assert isinstance(published, Draft)
            current = published.proposals[0].rate
        stop.set()
        told = [answer for caller in await asyncio.gather(*callers) for answer in caller]

    assert reasons(told) == []
    misfits = await servers[0].rows("""
        SELECT t.transfer_id FROM exchange.transfers t LEFT JOIN exchange.rates r USING (rate_id)
        WHERE t.kind = 4 AND (r.rate_id IS NULL OR t.occurred_at < r.effective_at OR t.occurred_at >= r.ends_at)
    """)
    assert misfits == []
    assert await servers[0].value("SELECT count(DISTINCT rate_id) FROM exchange.transfers WHERE kind = 4") > 1


async def test_nobody_approves_his_own_draft_even_past_the_rules(ledger: Ledger) -> None:
    """The table itself refuses an approval by whoever proposed."""
    draft = await drafted(ledger, "6 TEL", "1 AIR")
    approve = """
        UPDATE exchange.rate_drafts SET state = 3, decided_at = now(), decided_by = 'console', decided_person = $2
        WHERE draft_id = $1
    """

    async with owner_of(ledger.url) as owner:
        with pytest.raises(asyncpg.CheckViolationError):
            await owner.execute(approve, draft.draft_id, PROPOSER.person)
