"""Whatever happens to a byte of a pack, verifying names it and never stumbles; whatever a cell holds comes back."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.evidence.model import Cell
from settlement.evidence.reading import Pack
from settlement.evidence.verify import verify
from settlement.evidence.writing import Folder
from tests.golden.test_evidence_packs import PACK
from tests.integration.settlement.packs import files_differ

CONTENT = PACK.read_bytes()
places = st.integers(0, len(CONTENT) - 1)
bits = st.integers(1, 255)


def flipped(at: int, by: int) -> bytes:
    """The archive with one byte changed."""
    return CONTENT[:at] + bytes([CONTENT[at] ^ by]) + CONTENT[at + 1 :]


@settings(max_examples=200, deadline=None)
@given(at=places, by=bits)
def test_any_byte_of_an_archive_that_is_changed_is_found(at: int, by: int) -> None:
    """By the check of files alone, be it in a file, a name, a header or the directory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pack.zip"
        path.write_bytes(flipped(at, by))

        assert files_differ(path)


@settings(max_examples=15, deadline=None)
@given(at=places, by=bits)
def test_verifying_a_changed_archive_names_something_and_raises_nothing(at: int, by: int) -> None:
    """Every check is run over what is left of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pack.zip"
        path.write_bytes(flipped(at, by))

        found = verify(path)

    assert found.differences
    assert all(difference.part for difference in found.differences)


@settings(max_examples=50, deadline=None)
@given(length=st.integers(0, len(CONTENT) - 1))
def test_an_archive_that_was_cut_off_is_found(length: int) -> None:
    """At whatever length."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pack.zip"
        path.write_bytes(CONTENT[:length])

        assert files_differ(path)


def finished(work: Coroutine[Any, Any, None]) -> None:
    """Run what never waits."""
    with pytest.raises(StopIteration):
        work.send(None)


# What PostgreSQL can hold as text: any character but NUL, and no half of a pair.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@settings(deadline=None)
@given(rows=st.lists(st.tuples(texts, texts), max_size=8))
def test_whatever_text_a_cell_holds_comes_back(rows: list[tuple[str, str]]) -> None:
    """Quotes, line ends, formulas, apostrophes; and nothing begins as a formula does."""

    async def given_rows() -> AsyncIterator[Sequence[Cell]]:
        for row in rows:
            yield row

    with tempfile.TemporaryDirectory() as folder:
        finished(Folder(Path(folder)).table("table.csv", "", ["one", "other"], given_rows()))
        read = [(row.text("one"), row.text("other")) for row in Pack(Path(folder)).rows("table.csv")]

    assert read == rows
