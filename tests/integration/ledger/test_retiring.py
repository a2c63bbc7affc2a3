"""Old transfers leave the ledger for an archive: nothing is lost, nobody waits, and whoever asks for them is told."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from exchange.ledger import reads
from exchange.ledger.model import Command, Receipt, Transfer, TransferKind
from exchange.refusals import Refusal, TransferRetired
from exchange.retention import archive, detaching, rules, service, sql
from exchange.retention.archive import ArchiveDiffers
from exchange.retention.model import Step
from exchange.retention.service import RetirementRefused, Retirements
from exchange.retention.verifying import verify
from exchange.sandbox.processes import answer_of, environment
from exchange.statements.service import Wanted, page
from tests.integration.ledger.ledgers import OPERATOR, Ledger, differences, going_on, owner_of
from tests.integration.ledger.months import job, next_month, this_month
from tests.integration.ledger.retiring import LI_WEI, MA_LI, candidate, cut, done_with, keeping, retired
from tests.unit.rules.days import capture, hold, release, reverse
from tests.unit.rules.rulebook import convert, earn, redeem

PAIRS = "SELECT * FROM exchange.clearing_totals_v1 ORDER BY window_no, debtor, creditor, kind"
ATTACHED = "SELECT count(*) FROM exchange.ledger_parts_v1"


@pytest.fixture(autouse=True)
def _clocks_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's partition ended a moment ago."""
    monkeypatch.setattr(rules, "CLOCKS_DISAGREE", timedelta(0))


@pytest.fixture
async def retirements(ledger: Ledger) -> AsyncIterator[Retirements]:
    """Who lets its partitions leave."""
    async with keeping(ledger) as retirements:
        yield retirements


@pytest.fixture
async def old(ledger: Ledger) -> dict[str, Transfer]:
    """Transfers of a part of the ledger that has ended, by what they are, before one of the next; all of one member."""
    ada = await ledger.member("ada")
    made = {
        "earn": await ledger.post(earn("90 BNK", "CAF", member_id=ada, key="old")),
        "convert": await ledger.post(convert("30 BNK", "AIR", by="BNK", member_id=ada)),
        "redeem": await ledger.post(redeem("10 BNK", "GRO", member_id=ada)),
    }
    held = await ledger.post(hold("20 BNK", member_id=ada))
    await ledger.post(capture(held.transfer, 15))
    await cut(ledger)
    await ledger.post(earn("7 BNK", "CAF", member_id=ada, key="new"))
    await done_with(ledger)
    return {name: receipt.transfer for name, receipt in made.items()}


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


async def test_what_still_needs_transfers_keeps_them(ledger: Ledger, retirements: Retirements, tmp_path: Path) -> None:
    """Each thing that could come to look at them is named until it is over, and nothing leaves before."""
    ada = await ledger.member("ada")
    await ledger.post(earn("90 BNK", "CAF", member_id=ada))
    held = await ledger.post(hold("20 BNK", member_id=ada))
    name = await cut(ledger)
    found = await candidate(retirements)

    assert [words.split(":")[0] for words in found.hindrances] == [
        "window 1 is open",
        "1 holds have not ended",
        f"watchers may still ask for events up to place {found.content.last_sequence}",
        f"no month after {found.content.last_occurred_at:%Y-%m-%d} has all its member statements",
    ]
    with pytest.raises(RetirementRefused):
        await retirements.retire(found, LI_WEI, tmp_path)
    # Nor if somebody took it for free of all that a moment ago.
    with pytest.raises(RetirementRefused, match="holds have not ended"):
        await retirements.retire(found._replace(hindrances=[]), LI_WEI, tmp_path)
    await ledger.post(release(held.transfer))
    await done_with(ledger)
    async with keeping(ledger, timedelta(days=30)) as longer:
        assert (await candidate(longer)).hindrances[0].endswith("their first answer")
    assert (await candidate(retirements)).hindrances == []
    assert (await retired(ledger, tmp_path)).part_name == name


async def test_a_nameless_operator_begins_nothing(
    retirements: Retirements, old: dict[str, Transfer], tmp_path: Path
) -> None:
    """Letting go of transfers takes two, and two nameless ones may be one."""
    assert old

    with pytest.raises(RetirementRefused, match="names no person"):
        await retirements.retire(await candidate(retirements), OPERATOR, tmp_path)

    assert await retirements.all() == []


async def test_posters_and_readers_go_on_while_a_partition_leaves(
    ledger: Ledger, old: dict[str, Transfer], tmp_path: Path
) -> None:
    """Every posting succeeds, and every audit beside it finds the same sums, before, between and after."""
    ada = old["earn"].member_id
    outcomes: list[object] = []
    found: list[object] = []
    ended = asyncio.Event()

    async def post() -> None:
        while not ended.is_set():
            outcomes.append(await ledger.told(earn("1 BNK", "CAF", member_id=ada)))

    async def look() -> None:
        while not ended.is_set():
            found.append(await differences(ledger.url))

    async with going_on(post(), post(), look()) as tasks:
        await retired(ledger, tmp_path)
        count = len(found)
        while len(found) < count + 2:
            await asyncio.sleep(0.01)
        ended.set()
        await asyncio.gather(*tasks)

    assert outcomes
    assert all(isinstance(one, Receipt) for one in outcomes)
    assert all(one == {} for one in found)


@pytest.mark.parametrize(
    "stopped_at", ["_checkpoint", "_archive", "finish", "ARCHIVED", "pending", "detach", "DETACHED"]
)
async def test_whoever_is_interrupted_goes_on_where_he_was(
    ledger: Ledger,
    retirements: Retirements,
    old: dict[str, Transfer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stopped_at: str,
) -> None:
    """Between any two steps, and within those that take a while; the sums are the same, and there is one retirement."""
    balances = await ledger.balances(old["earn"].member_id)
    with monkeypatch.context() as broken:
        _break(broken, stopped_at)
        with pytest.raises(_Killed):
            await retired(ledger, tmp_path)
    assert await differences(ledger.url) == {}
    unfinished = await retirements.unfinished()
    assert unfinished is not None

    gone = await retirements.go_on(unfinished, tmp_path)

    assert gone.step is Step.DETACHED
    assert len(await retirements.all()) == 1
    assert await ledger.balances(old["earn"].member_id) == balances
    assert await differences(ledger.url) == {}
    assert gone.archive == str(tmp_path / "transfers_first")


class _Killed(Exception):
    """Stands for the end of the process."""


def _break(broken: pytest.MonkeyPatch, at: str) -> None:
    async def killed(*_: object, **__: object) -> None:
        raise _Killed

    def killed_now(*_: object, **__: object) -> bytes:
        raise _Killed

    match at:
        case "_checkpoint" | "_archive":
            broken.setattr(service.Retirements, at, killed)
        case "finish":
            broken.setattr(archive.Writer, at, killed_now)
        case "pending":
            # After the first of PostgreSQL's two steps.
            broken.setattr(detaching, "_until_gone", killed)
        case "detach":
            broken.setattr(service, at, killed)
        case _:
            real = getattr(sql, at)
            broken.setattr(sql, at, _Breaking(real))


class _Breaking:
    """A statement at which the process ends."""

    def __init__(self, statement: object) -> None:
        self._statement = statement

    def __getattr__(self, _: str) -> object:
        raise _Killed


async def test_a_tampered_archive_is_named(
    ledger: Ledger, retirements: Retirements, old: dict[str, Transfer], tmp_path: Path
) -> None:
    """A line changed, a file gone or one too many, another manifest; and nobody drops the table then."""
    assert old
    gone = await retired(ledger, tmp_path)
    folder = tmp_path / gone.part_name
    assert await verify(retirements._database, gone, folder, gone.archive_digest) == 5
    files = sorted(folder.glob("*.gz"))
    whole = files[0].read_bytes()

    with gzip.open(files[0], "rt") as file:
        lines = file.read()
    files[0].write_bytes(gzip.compress(lines.replace('"units":90', '"units":91').encode()))
    with pytest.raises(ArchiveDiffers, match=files[0].name):
        await retirements.drop(gone.part_name, MA_LI)
    files[0].unlink()
    with pytest.raises(ArchiveDiffers, match=f"{files[0].name}: is missing"):
        await verify(retirements._database, gone, folder, gone.archive_digest)
    files[0].write_bytes(whole)
    (folder / "99.jsonl.gz").write_bytes(whole)
    with pytest.raises(ArchiveDiffers, match=r"99\.jsonl\.gz: is no part"):
        await verify(retirements._database, gone, folder, gone.archive_digest)
    (folder / "99.jsonl.gz").unlink()
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"transfers": 5', '"transfers": 6'))
    with pytest.raises(ArchiveDiffers, match=r"manifest\.json"):
        await verify(retirements._database, gone, folder, gone.archive_digest)
    assert await ledger.value("SELECT to_regclass('exchange.transfers_first') IS NOT NULL")


async def test_the_table_is_dropped_by_somebody_else(
    ledger: Ledger, retirements: Retirements, old: dict[str, Transfer], tmp_path: Path
) -> None:
    """Not by who began, nor before it has left; afterwards everything still adds up."""
    assert old
    with pytest.raises(RetirementRefused, match="no detached"):
        await retirements.drop("transfers_first", MA_LI)
    gone = await retired(ledger, tmp_path)
    with pytest.raises(RetirementRefused, match="somebody else"):
        await retirements.drop(gone.part_name, LI_WEI)

    assert (await retirements.drop(gone.part_name, MA_LI)).step is Step.DROPPED

    assert await ledger.value("SELECT to_regclass('exchange.transfers_first') IS NULL")
    assert await differences(ledger.url) == {}
    async with ledger.database.read() as connection:
        with pytest.raises(TransferRetired):
            await reads.answer_to(connection, old["earn"].merchant_no, "old")


async def test_nothing_is_posted_into_what_leaves(ledger: Ledger, old: dict[str, Transfer], tmp_path: Path) -> None:
    """From the checkpoint on: a server whose clock is behind posts nothing, and nobody changes a row."""
    assert old
    with pytest.MonkeyPatch.context() as broken:
        _break(broken, "detach")
        with pytest.raises(_Killed):
            await retired(ledger, tmp_path)

    async with owner_of(ledger.url) as connection:
        for statement in (
            "UPDATE exchange.transfers SET window_no = 1 WHERE window_no = 1",
            "DELETE FROM exchange.transfers WHERE window_no = 1 AND kind = 1",
        ):
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute(statement)


async def test_the_commands_show_verify_and_drop(ledger: Ledger, old: dict[str, Transfer], tmp_path: Path) -> None:
    """What is too young stays, and the shell is told so; an archive is verified wherever it was taken to."""
    assert old
    environ = environment(database_url=ledger.url)
    young = await answer_of(("retire", "--before", "2100-01-01", "--json"), environ)
    refused = await answer_of(("retire", "--before", "2100-01-01", "--archive", str(tmp_path), "--really"), environ)
    nowhere = await answer_of(("retire", "--before", "2100-01-01", "--really"), environ)
    assert (young[0], refused[0], nowhere[0]) == (1, 1, 2), young[2] + refused[2]
    first = json.loads(young[1])[0]
    assert (first["partition"], first["transfers"]) == ("transfers_first", 5)
    assert "kept 1096 days" in first["hindrances"][0]
    assert "1096 days" in refused[1]
    (tmp_path / "archives").mkdir()
    gone = await retired(ledger, tmp_path / "archives")
    taken = (tmp_path / "archives" / gone.part_name).rename(tmp_path / "taken")

    missing = await answer_of(("verify-archive", gone.part_name), environ)
    verified = await answer_of(("verify-archive", gone.part_name, "--archive", str(taken)), environ)
    taken.rename(tmp_path / "archives" / gone.part_name)
    unknown = await answer_of(("drop-retired", gone.part_name), environ | {"OPERATOR_KEY": "no key"})
    dropped = await answer_of(("drop-retired", gone.part_name), environ)
    again = await answer_of(("drop-retired", gone.part_name), environ)

    assert (missing[0], verified[0], unknown[0], dropped[0], again[0]) == (1, 0, 2, 0, 1), verified[2] + dropped[2]
    assert "manifest.json" in missing[2]
    assert "5 transfers, as they left" in verified[1]
    assert (gone.digest or b"").hex() in dropped[1]
    made = await answer_of(("ledger-parts",), environ | {"EXCHANGE_LEDGER_PARTS_AHEAD": "4"})
    assert made[0] == 0, made[2]
    assert "2 partitions made" in made[1]


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
