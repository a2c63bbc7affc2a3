"""Evidence packs that are not what was written: every tampered byte named, and age told from what was taken away."""

from __future__ import annotations

import random
import shutil
import zipfile
from pathlib import Path

import pytest

from settlement.evidence.ages import CAME_LATER, too_old_for
from settlement.evidence.model import MANIFEST, SEAL
from settlement.evidence.parts import PARTS, Made, Table
from settlement.evidence.reading import Pack
from settlement.evidence.service import Evidence
from settlement.evidence.verify import verify, with_database
from tests.golden.test_evidence_packs import PACK
from tests.integration.settlement.packs import (
    Packed,
    a_copy,
    change_cell,
    change_document,
    files_differ,
    flip,
    leave_out,
    seal_again,
)


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


def test_an_archive_that_somebody_packed_anew_is_no_pack(packed: Packed, tmp_path: Path) -> None:
    """Compressed it could unfold to any size: it is not read."""
    anew = tmp_path / "pack.zip"
    with zipfile.ZipFile(anew, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in Pack(packed.folder).names():
            archive.writestr(name, (packed.folder / name).read_bytes())

    (first, *_) = verify(anew).differences

    assert (first.part, first.found, first.expected) == (MANIFEST, "compressed", "stored")


@pytest.mark.parametrize("known", range(len(CAME_LATER)))
async def test_a_pack_of_before_is_identical_in_what_it_holds(packed: Packed, tmp_path: Path, known: int) -> None:
    """From its files and against the database; told is what it could not know, and how much there is of it by now."""
    folder = a_copy(packed, tmp_path)
    without = [name for group in CAME_LATER[known:] for name in group]
    leave_out(folder, without, by_another_program=True)

    found = with_database(verify(folder), await Evidence(packed.server.api.database).compare(Pack(folder)))

    there = [name for name in ("looks.csv", "recounts.csv") if name in without]
    assert list(found.differences) == []
    assert f"it was written before packs had {', '.join(without)}: of those it says nothing" in found.notes
    said = "1 in the database, of which a pack this old says nothing"
    assert sorted(found.later) == [f"{name}: {said}" for name in there]


@pytest.mark.parametrize(
    ("gone", "by_another_program"),
    [
        (["adjustments.csv"], True),
        (["disputes.csv", "dispute_steps.csv", "adjustments.csv"], True),
        (["recounts.csv"], True),
        (["pairs.csv"], True),
        ([*CAME_LATER[-1]], False),
    ],
    ids=["one of its group", "a group before others", "what came early", "what was always there", "by this program"],
)
async def test_what_was_taken_away_is_no_sign_of_age(
    packed: Packed, tmp_path: Path, gone: list[str], *, by_another_program: bool
) -> None:
    """Though the manifest does not know it either: whoever wrote the later parts wrote the earlier ones."""
    folder = a_copy(packed, tmp_path)
    leave_out(folder, gone, by_another_program=by_another_program)

    alone = {(one.part, one.found) for one in verify(folder).differences}
    compared = await Evidence(packed.server.api.database).compare(Pack(folder))

    assert {(name, "missing") for name in gone} <= alone
    assert {(name, "missing") for name in gone} <= {(one.part, one.found) for one in compared.differences}


def test_whatever_came_later_is_listed_as_such() -> None:
    """Held by the pack of then: a part that is added and not listed would make every pack there is a damaged one."""
    pack = Pack(PACK)
    tables = {part.name for part in PARTS if isinstance(part, Table | Made)}

    assert tables - {*pack.names()} == {*too_old_for(pack)}
