"""Evidence packs: the same bytes again, computed again from the files alone, and held against the database."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tracemalloc
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
from tests.banks import credit, orders, statement
from tests.contract.currencies import into, rates
from tests.contract.disputed import ANSWER, answered, opened
from tests.docs.pages import ROOT
from tests.integration.settlement.packs import (
    Packed,
    a_copy,
    change_cell,
    change_document,
)
from tests.integration.settlement.test_commands import settlement
from tests.integration.settlement.test_papers import names_in


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
