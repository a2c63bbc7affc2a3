"""The windows and files of `bench.settling` as bars, in SVG: steps beside their yardsticks, for each size."""

from collections.abc import Sequence
from pathlib import Path

from bench.chart import Bar, write_panels
from bench.results import Figure
from bench.settling_files import FileRow
from bench.settling_windows import SMALL, WindowRow


def write_svg(path: Path, rows: Sequence[WindowRow], files: Sequence[FileRow] = ()) -> None:
    """Draw and write the chart: windows, and files netted in each mode when there are any."""
    closing, counting = [], []
    for row in rows:
        closing.append(_bar(f"{row.transfers:,} transfers", 1_000 * row.close_and_run_s))
        closing.append(_bar(f"{SMALL:,} just before and after", 1_000 * row.small_close_and_run_s, ours=False))
        counting.append(_bar(f"{row.transfers:,} transfers", row.transfers / row.recount_s))
        counting.append(_bar("plain GROUP BY of them", row.transfers / row.group_by_s, ours=False))
    panels = {"Close and run, milliseconds": closing, "Recount, transfers per second": counting}
    if files:
        panels["Netting a file, milliseconds of processor time"] = [
            _bar(f"{row.mode}, {row.participants:,} participants", 1_000 * row.cpu_s) for row in files
        ]
    write_panels(path, panels)


def _bar(title: str, value: float, *, ours: bool = True) -> Bar:
    return Bar(title, Figure(value, value, value), ours)
