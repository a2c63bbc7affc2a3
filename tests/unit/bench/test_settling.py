"""The files that netting is measured with."""

from __future__ import annotations

from pathlib import Path

from bench.settling_files import write_obligations
from settlement.csv_rows import as_text
from settlement.netting.files import read_gross


def test_a_file_is_the_same_again_and_nobody_owes_itself(tmp_path: Path) -> None:
    """Else two runs would measure different things, or the command would refuse what it is measured with."""
    first, again = tmp_path / "first.csv", tmp_path / "again.csv"

    write_obligations(first, 500, 3)
    write_obligations(again, 500, 3)

    assert first.read_bytes() == again.read_bytes()
    with as_text(first.open("rb")) as text:
        gross = read_gross(text, first.name)["CNY"]
    assert gross.participants == ["M0000", "M0001", "M0002"]
    assert len(gross.pairs) == 6
