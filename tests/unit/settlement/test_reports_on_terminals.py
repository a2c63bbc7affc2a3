"""Reports as a terminal shows them: whole, however narrow it is."""

from __future__ import annotations

import pytest

from settlement.breakage.model import Recognition
from settlement.cli.report_tables import show_report
from settlement.reports.formats.cells import shown
from settlement.reports.model import Column, Kind, Report, Table
from settlement.reports.points import breakage
from settlement.reports.statement import merchant_statement
from settlement.run.model import Configuration
from tests.unit.settlement.settlements import CLOSED_AT, PERIOD_A, settled_window

ROWS = [Recognition(n, 1, 1_500, *(place * n * 123_456_789_000 for place in range(1, 10))) for n in range(1, 8)]
BREAKAGE = breakage("TEL", ROWS, "CNY", CLOSED_AT)
REPORTS = [BREAKAGE, merchant_statement(settled_window(PERIOD_A, Configuration()), "GRO")]


def on_a_terminal(
    report: Report, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    """The lines of a report, as wide as the terminal at most."""
    monkeypatch.setenv("COLUMNS", str(columns))
    show_report(report)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("columns", [60, 80, 120, 250])
@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_no_heading_and_no_figure_is_cut(
    report: Report, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every word of a heading and every figure stands in one piece, and no line is wider than the terminal."""
    lines = on_a_terminal(report, columns, monkeypatch, capsys)
    words = {word for line in lines[1 + len(report.about) :] for word in line.split()}

    assert all(len(line) <= columns for line in lines[1 + len(report.about) :])
    for table in report.tables:
        headings = {word for column in table.columns for word in column.title.split()}
        assert headings <= words
        assert {figure for row in shown(table) for figure in row if figure[:1].isdigit()} <= words


@pytest.mark.parametrize("columns", [10, 24, 40])
def test_a_screen_too_narrow_for_a_figure_shows_all_of_it_all_the_same(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In as many lines as it takes, each window once."""
    lines = on_a_terminal(BREAKAGE, columns, monkeypatch, capsys)
    told = "".join(line.split("│")[2].strip() for line in lines if "│" in line)

    assert told == "".join("".join(row) for row in shown(BREAKAGE.tables[0]))


def test_a_table_that_fits_has_a_line_for_each_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And one that does not has a line for each heading, as often as it takes."""
    wide = on_a_terminal(BREAKAGE, 250, monkeypatch, capsys)
    narrow = on_a_terminal(BREAKAGE, 80, monkeypatch, capsys)

    assert sum("│ CNY" in line for line in wide) == len(ROWS)
    assert sum("│ Cumulative" in line for line in narrow) == -(-len(ROWS) // 3)


def test_a_name_in_brackets_is_no_colour(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It is shown as it is, in every kind of table."""
    named = (Column("name", "Name"), Column("units", "Units", Kind.WHOLE))
    report = Report("x", "X", (), CLOSED_AT, [Table("t", "T", named, [["[red]Ann[/red]", 5]])])

    for columns in (80, 25):
        assert any("[red]Ann[/" in line for line in on_a_terminal(report, columns, monkeypatch, capsys))
