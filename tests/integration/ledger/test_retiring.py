"""Old transfers leave the ledger for an archive, step by step: nobody waits, and whoever is interrupted goes on."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from exchange.ledger import reads
from exchange.ledger.model import Receipt, Transfer
from exchange.refusals import TransferRetired
from exchange.retention import archive, detaching, service, sql
from exchange.retention.archive import ArchiveDiffers
from exchange.retention.model import Step
from exchange.retention.service import RetirementRefused, Retirements
from exchange.retention.verifying import verify
from exchange.sandbox.processes import answer_of, environment
from tests.integration.ledger.ledgers import OPERATOR, Ledger, differences, going_on, owner_of
from tests.integration.ledger.retiring import LI_WEI, MA_LI, candidate, cut, done_with, keeping, retired
from tests.unit.rules.days import hold, release
from tests.unit.rules.rulebook import earn


@pytest.fixture
async def retirements(ledger: Ledger) -> AsyncIterator[Retirements]:
    """Who lets its partitions leave."""
    async with keeping(ledger) as retirements:
        yield retirements


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
