"""Evidence packs: the same bytes again, computed again from the files alone, and every tampered byte named."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import tracemalloc
import zipfile
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from exchange.db.engine import Database
from exchange.v1 import types_pb2 as types
from settlement.evidence.checks.registry import CHECKS
from settlement.evidence.model import MANIFEST, SEAL, Cell
from settlement.evidence.parts import PARTS
from settlement.evidence.reading import Pack
from settlement.evidence.service import Evidence
from settlement.evidence.verify import verify
from settlement.evidence.writing import Folder
from tests.banks import Booking, credit, debit, orders, statement
from tests.contract.currencies import into, rates
from tests.contract.disputed import ANSWER, answered, opened
from tests.contract.paid import treasury_of
from tests.database import Databases
from tests.docs.pages import ROOT
from tests.integration.settlement.packs import (
    Packed,
    a_copy,
    change_cell,
    change_document,
    files_differ,
    flip,
    seal_again,
)
from tests.integration.settlement.test_commands import settlement
from tests.integration.settlement.test_papers import names_in
from tests.servers import a_server
from tests.worlds import a_world


@pytest.fixture(scope="module")
async def packed(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Packed]:
    """Period A approved, instructed, booked but for one payment; a fee that somebody looked at."""
    name = await databases.clone()
    root = tmp_path_factory.mktemp("packs")
    async with (
        a_server(databases.url_of(name)) as server,
        a_world(server.address, server.operator_secret) as world,
    ):
        treasury = await treasury_of(world)
        _, told = await treasury.instructed()
        first, *others = [debit(order) for order in told.values()]
        fee = Booking("622200000001", "DBIT", "25.00", reference="FEE")
        await treasury.record(statement(first, *others[1:], fee))
        (found,) = await treasury.exceptions()
        await treasury.resolve(found, note="=monthly fee of the bank")
        database = Database(server.url)
        for target in (root / "folder", root / "pack.zip"):
            await Evidence(database).write(1, target)
        await database.dispose()
        yield Packed(root / "folder", root / "pack.zip", server, treasury)
    await databases.drop(name)


async def test_the_same_state_gives_the_same_bytes(packed: Packed, tmp_path: Path) -> None:
    """Folder and archive, also over an older pack; nothing is left beside them."""
    shutil.copytree(packed.folder, tmp_path / "folder")
    database = Database(packed.server.url)
    await Evidence(database).write(1, tmp_path / "folder")
    await Evidence(database).write(1, tmp_path / "pack.zip")
    await database.dispose()

    names = sorted(path.relative_to(packed.folder) for path in packed.folder.rglob("*"))
    again = sorted(path.relative_to(tmp_path / "folder") for path in (tmp_path / "folder").rglob("*"))
    assert names == again
    assert all((packed.folder / n).read_bytes() == (tmp_path / "folder" / n).read_bytes() for n in names if n.suffix)
    assert packed.archive.read_bytes() == (tmp_path / "pack.zip").read_bytes()
    assert names_in(tmp_path) == {"folder", "pack.zip"}


def test_a_pack_holds_every_part_and_says_what_it_is(packed: Packed) -> None:
    """Of a first window all but the result of the one before; each named with its SHA-256."""
    pack = Pack(packed.folder)
    manifest, _ = pack.manifest()

    folders = {name.partition("/")[0] + "/" for name in pack.names() if "/" in name}
    there = {name for name in pack.names() if "/" not in name} | folders
    assert there == {part.name for part in PARTS} - {"before.json"} | {MANIFEST, SEAL}
    assert {stored.name for stored in manifest.parts} == {*pack.names()} - {MANIFEST, SEAL}
    assert all(stored.about for stored in manifest.parts)
    assert "'=monthly fee" in pack.content("resolutions.csv").decode()


def test_it_is_identical_from_the_files_alone(packed: Packed) -> None:
    """Folder and archive; every check ran."""
    for path in (packed.folder, packed.archive):
        found = verify(path)

        assert list(found.differences) == []
        assert (found.window, list(found.checks), list(found.notes)) == ("windows/1", list(CHECKS), [])


async def test_verifying_asks_no_database_and_no_network(packed: Packed) -> None:
    """With a database that is none, and exit code 0; a fingerprint that was noted down is held against it."""
    fingerprint = verify(packed.archive).fingerprint

    async def typed(*words: str) -> tuple[int | None, str]:
        environment = {**os.environ, "EXCHANGE_DATABASE_URL": "postgresql://127.0.0.1:1/none"}
        process = await create_subprocess_exec(
            *(sys.executable, "-m", "settlement", "verify", *words), cwd=ROOT, env=environment, stdout=PIPE, stderr=PIPE
        )
        output, errors = await process.communicate()
        assert not errors, errors
        return process.returncode, output.decode()

    status, told = await typed(str(packed.archive), "--fingerprint", fingerprint[:12], "--json")
    wrong, named = await typed(str(packed.archive), "--fingerprint", "0" * 12)

    assert (status, json.loads(told)["identical"]) == (0, True)
    assert (wrong, "manifest.json, sha256: " in named) == (1, True)


def test_any_flipped_byte_of_a_folder_names_its_file(packed: Packed, tmp_path: Path) -> None:
    """First, last and some bytes between of every file; the seal and the manifest too."""
    folder, draw = a_copy(packed, tmp_path), random.Random(7)
    for name in sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()):
        path = folder / name
        size = path.stat().st_size
        for at in {0, size - 1, *(draw.randrange(size) for _ in range(6))} if size else ():
            bits = draw.choice([1, 2, 16, 128])
            flip(path, at, bits)
            named = [difference.part for difference in files_differ(folder)]
            assert name in named or (name == SEAL and named == [MANIFEST]), f"byte {at} of {name}: {named}"
            flip(path, at, bits)
    assert files_differ(folder) == []


def test_any_flipped_byte_of_an_archive_is_named(packed: Packed, tmp_path: Path) -> None:
    """Contents, names, headers, the directory at its end: wherever it lies."""
    archive, draw = tmp_path / "pack.zip", random.Random(11)
    shutil.copy(packed.archive, archive)
    size = archive.stat().st_size
    everywhere = [draw.randrange(size) for _ in range(120)] + list(range(60)) + list(range(size - 180, size))
    for at in everywhere:
        flip(archive, at)
        assert files_differ(archive), f"byte {at} of {size}"
        flip(archive, at)
    assert files_differ(archive) == []


def test_a_file_that_is_gone_or_was_put_in_is_named(packed: Packed, tmp_path: Path) -> None:
    """Whether or not anything reads it."""
    folder = a_copy(packed, tmp_path)
    (folder / "decisions.csv").unlink()
    (folder / "bank" / "letter.txt").write_text("to whom it may concern")

    named = {difference.part: difference.found for difference in verify(folder).differences}

    assert (named["decisions.csv"], named["bank/letter.txt"]) == ("missing", "there")


TABLES = [
    ("entries.csv", 2, "micros", "micros"),
    ("entries.csv", 3, "price_micros", "price_micros"),
    ("kinds.csv", 2, "obligations", "obligations"),
    ("pairs.csv", 3, "micros", "micros"),
    ("payments.csv", 2, "minor_units", "minor_units"),
    ("files.csv", 2, "control_sum", "control_sum"),
    ("runs.csv", 2, "digest", "digest"),
]


@pytest.mark.parametrize(("part", "line", "column", "figure"), TABLES)
def test_a_figure_changed_by_somebody_who_seals_again_is_named(
    packed: Packed, tmp_path: Path, part: str, line: int, column: str, figure: str
) -> None:
    """No hash tells any more: what is computed again does, with file, line and figure."""
    folder = a_copy(packed, tmp_path)
    change_cell(folder, part, line, column, lambda value: str(int(value) + 1) if value.isdigit() else "0" * 64)

    found = verify(folder).differences

    assert (part, line, figure) in {(one.part, one.line, one.figure) for one in found}, found


def test_a_result_changed_and_sealed_again_is_named_by_its_path(packed: Packed, tmp_path: Path) -> None:
    """The payment that was made larger, and the digests that no longer fit."""
    folder = a_copy(packed, tmp_path)

    def larger(result: dict[str, list[dict[str, list[dict[str, int]]]]]) -> None:
        result["currencies"][0]["payments"][0]["amount"] += 100

    change_document(folder, "result.json", larger)

    found = verify(folder).differences

    assert ("result.json", "currencies[0].payments[0].amount") in {(one.part, one.figure) for one in found}
    assert ("manifest.json", "digest") in {(one.part, one.figure) for one in found}
    assert any(one.part in {"decisions.csv", "runs.csv"} for one in found)


def test_one_person_in_two_roles_is_named(packed: Packed, tmp_path: Path) -> None:
    """A maker put in as checker; whoever approved put in as exporter."""
    folder = a_copy(packed, tmp_path)
    makers = [row.text("person") for row in Pack(folder).rows("steps.csv") if row.text("to_state") == "SUBMITTED"]
    checkers = [row.text("person") for row in Pack(folder).rows("decisions.csv")]
    change_cell(folder, "files.csv", 2, "created_person", lambda _: checkers[0])
    exporter = {(one.part, one.figure) for one in verify(folder).differences}
    change_cell(folder, "decisions.csv", 2, "person", lambda _: makers[0])
    maker = {(one.part, one.figure) for one in verify(folder).differences}

    assert ("files.csv", "created_person") in exporter
    assert ("decisions.csv", "person") in maker


def test_a_bank_answer_rewritten_is_named(packed: Packed, tmp_path: Path) -> None:
    """A message under its own name and with its own hash, that says something else than was recorded."""
    folder = a_copy(packed, tmp_path)
    (message,) = (folder / "bank").iterdir()
    message.write_bytes(message.read_bytes().replace(b"25.00", b"26.00"))
    seal_again(folder)

    parts = {one.part for one in verify(folder).differences}

    assert f"bank/{message.name}" in parts
    assert "lines.csv" in parts


@pytest.mark.timeout(400)
async def test_the_database_is_held_against_it_and_what_came_later_is_no_difference(
    packed: Packed, tmp_path: Path
) -> None:
    """Identical; then the bank books the rest; then a pack that was tampered with all through."""
    server, treasury = packed.server, packed.treasury
    before = await settlement(server, "verify", str(packed.archive), "--database", "--json")
    files = (await settlement(server, "payments", "1", "--json")).document["files"]
    told = orders((packed.folder / "files" / f"{files[0]['message_id']}.xml").read_bytes())
    await treasury.record(statement(*(credit(order) for order in told), bank_id="STMT-2"))
    after = await settlement(server, "verify", str(packed.archive), "--database", "--json")
    folder = a_copy(packed, tmp_path)
    change_cell(folder, "prices.csv", 2, "published_at", lambda _: "2020-01-01T00:00:00.000000+00:00")
    forged = await settlement(server, "verify", str(folder), "--database", "--json")

    assert (before.status, before.document["later"]) == (0, [])
    assert after.status == 0, after.output
    assert [one.partition(":")[0] for one in after.document["later"]] == [
        "steps.csv", "events.csv", "messages.csv", "bank/", "lines.csv",
    ]  # fmt: skip
    assert (forged.status, forged.document["identical"]) == (1, False)
    assert ("prices.csv", 2, "published_at") in {
        (one["part"], one["line"], one["figure"]) for one in forged.document["differences"]
    }


async def test_a_large_table_is_written_and_summed_in_little_memory(tmp_path: Path) -> None:
    """Sixty thousand obligations: what is held at a time does not grow with them."""

    async def rows() -> AsyncIterator[Sequence[Cell]]:
        for number in range(1, 60_001):
            yield (number, 1, UUID(int=number), "2026-03-01", "fee", "GRO", "TEL", "CNY", 10_000, 0, 0)

    columns = ("sequence", "position", "transfer", "occurred", "kind", "debtor", "creditor", "currency", "micros",
               "points", "price_micros")  # fmt: skip
    folder = Folder(tmp_path)
    tracemalloc.start()
    await folder.table("entries.csv", "", columns, rows())
    total = ["CNY,GRO,TEL,fee,600000000,60000", "CNY,GRO,TEL,600000000,60000"]
    folder.content("kinds.csv", "", f"currency,debtor,creditor,kind,micros,obligations\n{total[0]}\n".encode())
    folder.content("pairs.csv", "", f"currency,debtor,creditor,micros,obligations\n{total[1]}\n".encode())
    differences = list(CHECKS["totals"](Pack(tmp_path)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert differences == []
    assert folder.stored[0].lines == 60_000
    assert most < 2_000_000 < folder.stored[0].bytes


@pytest.mark.timeout(400)
async def test_there_is_no_evidence_of_what_was_never_run(packed: Packed, tmp_path: Path) -> None:
    """Nor is anything written; what is no pack is not overwritten."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine")

    open_window = await settlement(packed.server, "evidence", "2", "--out", str(tmp_path / "pack"))
    taken = await settlement(packed.server, "evidence", "1", "--out", str(tmp_path / "mine"))

    assert (open_window.status, taken.status) == (2, 2)
    assert "windows/2" in open_window.errors
    assert "is no evidence pack" in taken.errors
    assert names_in(tmp_path) == {"mine"}


async def preview(packed: Packed, target: Path) -> None:
    """Close the window that is open, run it, and write its pack."""
    closed = (await packed.treasury.finance.close()).window.name
    await packed.treasury.finance.start(closed)
    database = Database(packed.server.url)
    await Evidence(database).write(int(closed.removeprefix("windows/")), target)
    await database.dispose()


async def test_a_run_that_nobody_saw_yet_has_its_evidence_too(packed: Packed, tmp_path: Path) -> None:
    """Of a later window, with the result of the one before; nothing is approved or paid, and it is identical."""
    finance = packed.treasury.finance
    await finance.cast.gro.earn(finance.member, "500 TEL")
    await preview(packed, tmp_path / "pack.zip")

    found = verify(tmp_path / "pack.zip")

    assert list(found.differences) == []
    assert "before.json" in Pack(tmp_path / "pack.zip").names()


async def test_a_run_that_converts_has_its_set_of_rates(packed: Packed, tmp_path: Path) -> None:
    """With both persons, and identical; another rate than was approved is named."""
    finance, world = packed.treasury.finance, packed.treasury.finance.cast.world
    usa = await world.merchant("USA", types.MERCHANT_ROLE_EARNING, types.MERCHANT_ROLE_EXCHANGE)
    await world.currency("USA", usa, money="USD", issue=10_000, redeem=10_000)
    member = await world.member("bob", [usa, finance.cast.gro])
    await finance.cast.gro.earn(member, "1 USA")
    agreed = await finance.agree(rates())
    await finance.agree(into(USA="CNY"))
    await preview(packed, tmp_path / "pack")

    identical = verify(tmp_path / "pack")
    held = Pack(tmp_path / "pack").document("documents.json")
    (place,) = (place for place, one in enumerate(held) if one["kind"] == "FX_SET")
    assert held[place]["digest"] == agreed.digest

    def dearer(result: dict[str, Any]) -> None:
        result["fx"]["set"]["rates"][0]["numerator"] += 1

    change_document(tmp_path / "pack", "result.json", dearer)
    forged = {(one.part, one.figure) for one in verify(tmp_path / "pack").differences}

    assert list(identical.differences) == []
    assert {("result.json", "fx"), ("manifest.json", "digest")} <= forged


async def test_what_is_disputed_and_adjusted_has_its_evidence(packed: Packed, tmp_path: Path) -> None:
    """Held out of one window; upheld, netted again and adjusted in the next: identical. A forged figure is named."""
    finance = packed.treasury.finance
    award = (await finance.cast.gro.earn(finance.member, "500 TEL")).transfer
    dispute = await opened(finance, finance.cast.gro, award, 250)
    await preview(packed, tmp_path / "held")
    await answered(finance, finance.cast.tel, dispute, ANSWER.ANSWER_ACCEPT)
    await preview(packed, tmp_path / "upheld")

    held, upheld = (Pack(tmp_path / name).document("result.json") for name in ("held", "upheld"))
    found = [list(verify(tmp_path / name).differences) for name in ("held", "upheld")]
    change_cell(tmp_path / "upheld", "adjustments.csv", 2, "minor_units", lambda _: "251")
    forged = {(one.part, one.line, one.figure) for one in verify(tmp_path / "upheld").differences}

    assert (len(held["held_out"]), len(upheld["released_disputes"]), len(upheld["adjustments"])) == (1, 1, 1)
    assert found == [[], []]
    assert ("adjustments.csv", 2, "minor_units") in forged


def test_an_archive_that_somebody_packed_anew_is_no_pack(packed: Packed, tmp_path: Path) -> None:
    """Compressed it could unfold to any size: it is not read."""
    anew = tmp_path / "pack.zip"
    with zipfile.ZipFile(anew, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in Pack(packed.folder).names():
            archive.writestr(name, (packed.folder / name).read_bytes())

    (first, *_) = verify(anew).differences

    assert (first.part, first.found, first.expected) == (MANIFEST, "compressed", "stored")
