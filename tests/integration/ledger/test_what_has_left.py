"""What has left the ledger for an archive: nothing of it is lost, and whoever asks for it is told."""

from __future__ import annotations

import random
from pathlib import Path
from uuid import UUID

import pytest

from exchange.ledger import reads
from exchange.ledger.model import Command, Receipt, Transfer, TransferKind
from exchange.refusals import Refusal, TransferRetired
from exchange.retention import service
from exchange.retention.model import Step
from exchange.statements.service import Wanted, page
from tests.integration.ledger.ledgers import Ledger, differences, owner_of
from tests.integration.ledger.months import job, next_month, statements, this_month
from tests.integration.ledger.retiring import LI_WEI, candidate, cut, done_with, keeping, retired
from tests.unit.rules.days import hold, release, reverse
from tests.unit.rules.rulebook import convert, earn, redeem

PAIRS = "SELECT * FROM exchange.clearing_totals_v1 ORDER BY window_no, debtor, creditor, kind"
ATTACHED = "SELECT count(*) FROM exchange.ledger_parts_v1"


async def test_what_is_kept_and_what_has_left_add_up_to_what_there_was(
    ledger: Ledger, old: dict[str, Transfer], tmp_path: Path
) -> None:
    """Balances and totals stay, the audit finds nothing, and the archive has every row; so it goes on."""
    ada = old["earn"].member_id
    balances, pairs, before = await ledger.balances(ada), await ledger.rows(PAIRS), await ledger.value(ATTACHED)

    gone = await retired(ledger, tmp_path)

    assert (gone.step, gone.transfers, gone.began_by) == (Step.DETACHED, 5, "li.wei")
    assert await ledger.value(ATTACHED) == before - 1
    assert await ledger.value("SELECT count(*) FROM exchange.transfers") == 1
    assert await ledger.balances(ada) == balances
    assert await ledger.rows(PAIRS) == pairs
    assert await differences(ledger.url) == {}
    await ledger.post(redeem("40 BNK", "GRO", member_id=ada))
    assert (await ledger.balances(ada))["BNK"] == balances["BNK"] - 40


async def test_what_has_left_is_neither_shown_nor_repeated_nor_reversed(
    ledger: Ledger, old: dict[str, Transfer], tmp_path: Path
) -> None:
    """Each with the one reason that names the archive; a repeat has no second effect."""
    earned = old["earn"]
    assert earned.transfer_id is not None
    before = await ledger.told(earn("90 BNK", "CAF", member_id=earned.member_id, key="old"))
    assert isinstance(before, Receipt)
    assert before.replayed
    balances = await ledger.balances(earned.member_id)
    await retired(ledger, tmp_path)

    repeated = await ledger.told(earn("90 BNK", "CAF", member_id=earned.member_id, key="old"))
    reversed_ = await ledger.told(reverse(old["redeem"]))
    other_body = await ledger.told(earn("91 BNK", "CAF", member_id=earned.member_id, key="old"))
    async with ledger.database.read() as connection:
        with pytest.raises(TransferRetired) as looked_up:
            await reads.answer_to(connection, earned.merchant_no, "old")
        with pytest.raises(TransferRetired):
            await reads.transfers(
                connection, merchant_no=None, member_id=None, window_no=1, reference=None, after=0, limit=9
            )
        kept = await reads.transfers(
            connection, merchant_no=None, member_id=earned.member_id, window_no=None, reference=None, after=0, limit=9
        )

    assert isinstance(repeated, TransferRetired)
    assert repeated.data["resource"] == f"transfers/{earned.transfer_id}" == looked_up.value.data["resource"]
    assert repeated.data["archive"] == "transfers_first"
    assert isinstance(reversed_, TransferRetired)
    assert isinstance(other_body, Refusal)
    assert other_body.reason == "REQUEST_ID_REUSED"
    assert [transfer.request_id for transfer in kept] == ["new"]
    assert await ledger.balances(earned.member_id) == balances


async def test_statements_open_with_what_has_left(ledger: Ledger, old: dict[str, Transfer], tmp_path: Path) -> None:
    """From the beginning, from an instant, from a number; what would lack lines is refused."""
    ada = old["earn"].member_id
    number = next(leg.currency_no for leg in old["redeem"].legs)
    async with ledger.database.read() as connection:
        whole = await page(connection, Wanted(ada, number), None, 50)
    gone_lines = [line for line in whole.lines if line.transfer.request_id != "new"]
    left_at = gone_lines[-1].after
    await retired(ledger, tmp_path)

    async with ledger.database.read() as connection:
        kept = await page(connection, Wanted(ada, number), None, 50)
        after = await page(connection, Wanted(ada, number, after_sequence=left_at.sequence), None, 50)
        since = await page(connection, Wanted(ada, number, begins=whole.lines[-1].transfer.occurred_at), None, 50)
        for lacking in (
            Wanted(ada, number, begins=gone_lines[-1].transfer.occurred_at),
            Wanted(ada, number, after_sequence=left_at.sequence - 1),
        ):
            with pytest.raises(TransferRetired):
                await page(connection, lacking, None, 50)

    for shown in (kept, after, since):
        assert shown.opening == left_at
        assert [line.after for line in shown.lines] == [whole.lines[-1].after]
        assert shown.closing == whole.closing


async def test_a_month_that_has_left_gets_no_statements_any_more(
    ledger: Ledger, old: dict[str, Transfer], tmp_path: Path
) -> None:
    """Those that were made stay; the next month's tie to the ledger."""
    await retired(ledger, tmp_path)
    long_ago = (await this_month(ledger)).before.before.before.before

    with pytest.raises(TransferRetired):
        await job(ledger).make(long_ago)

    await ledger.post(earn("1 BNK", "CAF", member_id=old["earn"].member_id))
    newest = await next_month(ledger)
    await job(ledger).make(newest)
    assert all(one.ties for one in await job(ledger).summary(newest))


async def test_a_month_that_would_open_with_what_has_left_gets_no_statements(ledger: Ledger, tmp_path: Path) -> None:
    """It lies between what has left and the first month that has statements: only from those on is all there."""
    ada = await ledger.member("ada")
    await ledger.post(earn("90 BNK", "CAF", member_id=ada))
    await cut(ledger)
    await next_month(ledger)
    between = await next_month(ledger)
    await done_with(ledger)
    await retired(ledger, tmp_path)

    with pytest.raises(TransferRetired) as refused:
        await job(ledger).make(between)
    await job(ledger).make(await next_month(ledger))

    assert refused.value.data["resource"] == f"statements of {between.name}"
    assert {one.opening.available for one in await statements(ledger, ada, "BNK")} == {90}
    assert await differences(ledger.url) == {}


async def test_statements_are_not_made_of_what_leaves_meanwhile(
    ledger: Ledger, old: dict[str, Transfer], tmp_path: Path
) -> None:
    """Somebody began a month's statements and was gone; what he had not made is not made of half the ledger."""
    ada = old["earn"].member_id
    half = (await this_month(ledger)).before.before
    async with owner_of(ledger.url) as connection:
        await connection.execute("DELETE FROM exchange.member_statements WHERE month = $1", half.first)
        await connection.execute("DELETE FROM exchange.statement_parts WHERE month = $1", half.first)
        await connection.execute(
            "UPDATE exchange.statement_runs SET ended_at = NULL, statements = NULL WHERE month = $1", half.first
        )
    async with keeping(ledger) as retirements:
        kept_by = (await candidate(retirements)).hindrances
        with pytest.MonkeyPatch.context() as unseen:
            unseen.setattr(service, "hindrances", lambda *_: [])
            await retirements.retire(await candidate(retirements), LI_WEI, tmp_path)

    with pytest.raises(TransferRetired):
        await job(ledger).make(half)

    assert [words.split(":")[0] for words in kept_by] == [
        "the member statements of 1 months were begun and are not all made"
    ]
    assert half.first not in {one.month for one in await statements(ledger, ada)}


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_was_posted_is_conserved(ledger: Ledger, tmp_path: Path, seed: int) -> None:
    """Movements drawn at random over three parts, reversals of older parts among them; two parts leave in turn."""
    drawn = random.Random(seed)
    people = await ledger.members(4)
    posted: list[Receipt] = []
    for part in range(3):
        for _ in range(40):
            answer = await ledger.told(_drawn(drawn, people, posted))
            if isinstance(answer, Receipt):
                posted.append(answer)
        for receipt in posted:
            if receipt.transfer.kind == TransferKind.HOLD:
                await ledger.told(release(receipt.transfer))
        if part < 2:
            await cut(ledger)
    await done_with(ledger)
    balances = [await ledger.balances(one) for one in people]
    pairs = await ledger.rows(PAIRS)

    for _ in range(2):
        await retired(ledger, tmp_path)
        assert await differences(ledger.url) == {}

    assert [await ledger.balances(one) for one in people] == balances
    assert await ledger.rows(PAIRS) == pairs
    kept = await ledger.value("SELECT count(*) FROM exchange.transfers")
    left = await ledger.value("SELECT sum(transfers) FROM exchange.retirements")
    assert kept + left == await ledger.value("SELECT count(*) FROM exchange.request_keys WHERE transfer_id IS NOT NULL")
    assert left > 0


def _drawn(drawn: random.Random, people: list[UUID], posted: list[Receipt]) -> Command:
    member = drawn.choice(people)
    units = drawn.randint(1, 60)
    match drawn.randrange(6 if posted else 2):
        case 0 | 1:
            return earn(f"{units} BNK", "CAF", member_id=member)
        case 2:
            return redeem(f"{units} BNK", "GRO", member_id=member)
        case 3:
            return convert("30 BNK", "AIR", by="BNK", member_id=member)
        case 4:
            return hold(f"{units} BNK", member_id=member)
        case _:
            return reverse(drawn.choice(posted).transfer)
