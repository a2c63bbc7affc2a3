"""The files that netting is measured with, and the chart of windows."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from bench import settling_chart
from bench.settling import goals
from bench.settling_files import FileRow, write_obligations
from bench.settling_windows import WindowRow
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


def test_each_window_stands_in_the_chart_beside_its_yardsticks(tmp_path: Path) -> None:
    """A step that takes twice its yardstick's time has a bar of twice, or half, its length."""
    path = tmp_path / "settling.svg"

    settling_chart.write_svg(path, [WindowRow(1_000_000, 0.2, 0.1, 2, 4, 2, 0.5, 0)])

    bars = [bar for bar in ET.parse(path).getroot().iter() if bar.get("class") in {"ours", "other"}]
    assert [bar.get("class") for bar in bars] == ["ours", "other", "ours", "other"]
    closing, small, recount, plain = (float(bar.get("width", "")) for bar in bars)
    assert (closing, recount) == (2 * small, plain / 2)


def test_files_stand_in_the_chart_when_they_were_netted(tmp_path: Path) -> None:
    """One bar for each mode, in milliseconds."""
    path = tmp_path / "settling.svg"

    settling_chart.write_svg(
        path, [WindowRow(10_000, 0.2, 0.1, 2, 4, 2, 0.5, 0)], [FileRow(20, "setoff", 190, 3.4, 9.0, 133)]
    )

    shown = [each.text for each in ET.parse(path).getroot().iter() if each.tag.endswith("text")]
    assert shown[-2:] == ["setoff, 20 participants", "3,400"]


def test_every_window_is_judged_by_its_own_yardsticks() -> None:
    """Small windows for closing, the GROUP BY for the recount; a size that misses is told as missed."""
    flat, slow = WindowRow(10_000, 0.1, 0.1, 1.0, 4, 2, 0.5, 0), WindowRow(1_000_000, 0.3, 0.1, 3.0, 4, 3, 0.75, 0)

    assert [(goal.goal.rpartition(": ")[2], goal.met) for goal in goals([flat, slow])] == [
        ("10,000 / 1,000", True),
        ("1,000,000 / 1,000", False),
        ("10,000", False),
        ("1,000,000", True),
    ]
