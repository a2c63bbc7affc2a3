"""Reports: the rulebook's figures in every format, the same bytes again, nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pypdf
import pytest

from settlement.reports import books
from settlement.reports.figures import ageing, bilateral_matrix, net_positions, settlement_summary
from settlement.reports.formats import hledger
from settlement.reports.formats.registry import FORMATS
from settlement.reports.lines import lines_of, shared_out
from settlement.reports.model import Column, Kind, Report, Table
from settlement.reports.settled import Borne
from settlement.reports.statement import merchant_statement
from settlement.run.model import Adjusted, Configuration, Disputed
from tests.golden.test_report_documents import reports
from tests.unit.settlement.settlements import CLOSED_AT, PERIOD_A, owed, settled_window


def table_of(report: Report, name: str) -> list[dict[str, object]]:
    """A table's rows by the columns' keys."""
    (table,) = (table for table in report.tables if table.name == name)
    return [dict(zip(table.keys, row, strict=True)) for row in table.rows]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("name", reports())
def test_a_report_comes_out_again_to_the_byte(name: str, format_: str) -> None:
    """Workbooks and PDFs too: the instant in them is the cut-off's, not the clock's."""
    render = FORMATS[format_].render

    assert render(reports()[name]) == render(reports()[name])


def test_a_statement_tells_the_rulebooks_figures() -> None:
    """TEL in period A: owed 1 640.00, owes 623.45, receives 1 016.55; line by line."""
    statement = merchant_statement(settled_window(PERIOD_A, Configuration()), "TEL")

    lines = {str(row["line"]): (row["receivable"], row["payable"]) for row in table_of(statement, "lines")}
    assert lines == {
        "earn": (144_000, 0),
        "redeem": (20_000, 50_000),
        "discount": (0, 12_345),
        "total": (164_000, 62_345),
        "net": (101_655, 0),
        "paid": (101_655, 0),
    }
    assert [(row["payer"], row["amount"]) for row in table_of(statement, "payments")] == [("OPR", 101_655)]
    assert {row["legal_counterparty"] for row in table_of(statement, "counterparties")} == {"OPR"}
    assert any("clearing account of OPR" in note for note in statement.notes)


def test_what_is_carried_and_held_stands_in_the_statement() -> None:
    """CAF's yuan is below the minimum; a merchant that is excluded has everything held."""
    carried = merchant_statement(settled_window(PERIOD_A, Configuration(minimums={"CNY": 1_000})), "CAF")
    held = merchant_statement(settled_window(PERIOD_A, Configuration(excluded=("CAF",))), "AIR")

    of_caf = {str(row["line"]): (row["receivable"], row["payable"]) for row in table_of(carried, "lines")}
    of_air = {str(row["line"]): (row["receivable"], row["payable"]) for row in table_of(held, "lines")}
    assert (of_caf["net"], of_caf["carried"], of_caf["paid"]) == ((0, 100), (0, 100), (0, 0))
    assert (of_air["total"], of_air["held"], of_air["net"]) == ((50_100, 20_000), (50_100, 0), (0, 20_000))


def test_who_bridges_what_others_carry_is_told_so_though_nobody_owed_it() -> None:
    """GRO and CAF owe TEL 0.30, each less than the minimum: the operator pays it, and has it carried in afterwards."""
    agreed = Disputed(adjustments=(Adjusted("1-0", "CAF", "TEL", "CNY", 1, "agreed"),))
    terms = Configuration(minimums={"CNY": 30}, disputed=agreed)
    first = settled_window([owed("GRO", "TEL", "earn", 29)], terms)
    second = settled_window([], Configuration(minimums={"CNY": 30}), before=first.run.result, window_no=2)

    told, later, other = (
        {str(row["line"]): (row["receivable"], row["payable"]) for row in table_of(statement, "lines")}
        for statement in (merchant_statement(first, "OPR"), merchant_statement(second, "OPR"),
                          merchant_statement(first, "AIR"))
    )  # fmt: skip
    assert told == {"total": (0, 0), "net": (0, 0), "carried": (30, 0), "paid": (0, 30)}
    assert later["carried_in"] == told["carried"]
    assert other == {}


def test_what_a_creditor_bears_of_a_default_stands_in_its_statement_and_in_the_books() -> None:
    """TEL is paid ¥40.00 less by the clearing account: it claims that of GRO, which owes it no more for the run."""
    window = replace(
        settled_window(PERIOD_A, Configuration()), borne=[Borne("CNY", "GRO", "TEL", "OPR", 4_000, date(2026, 4, 9))]
    )

    told, other = merchant_statement(window, "TEL"), merchant_statement(window, "AIR")
    rows = [row for row in table_of(books.journal(window, ()), "postings") if "borne" in str(row["external_id"])]

    assert table_of(told, "lines")[-1] | {"line": "borne", "receivable": 4_000} == table_of(told, "lines")[-1]
    assert [row["amount"] for row in table_of(told, "borne")] == [4_000]
    assert {table.name for table in other.tables} == {"lines", "counterparties", "payments"}
    assert [(row["entity"], row["account"], row["debit"], row["credit"]) for row in rows] == [
        ("GRO", "liabilities:payments:OPR", 4_000, None),
        ("GRO", "liabilities:claims:TEL", None, 4_000),
        ("OPR", "liabilities:payments:TEL", 4_000, None),
        ("OPR", "assets:payments:GRO", None, 4_000),
        ("TEL", "assets:claims:GRO", 4_000, None),
        ("TEL", "assets:payments:OPR", None, 4_000),
    ]


def test_a_participant_without_a_part_gets_an_empty_statement() -> None:
    """In every format."""
    statement = merchant_statement(settled_window(PERIOD_A, Configuration()), "ZZZ")

    assert table_of(statement, "lines") == []
    assert all(chosen.render(statement) for chosen in FORMATS.values())


def test_an_empty_window_has_reports_too() -> None:
    """It settles without a payment."""
    settled = settled_window([], Configuration())

    for report in (settlement_summary(settled), net_positions(settled), bilateral_matrix(settled), ageing(settled)):
        assert all(chosen.render(report) for chosen in FORMATS.values())


def test_lines_of_a_pair_sum_to_its_one_rounding() -> None:
    """Three thirds of a fen make one, and the largest remainder gets it."""
    settled = settled_window(
        [owed("A", "B", kind, 1, unit=3_400) for kind in ("earn", "fee", "spread")], Configuration()
    )
    (one,) = settled.run.result

    assert [line.minor_units for line in lines_of(one, settled.kinds)] == [1, 0, 0]
    assert one.pairs[0].gross == 1
    assert shared_out(3, [14_000, 16_000], 10_000) == [1, 2]


def test_the_matrix_adds_up_both_ways() -> None:
    """Rows are what debtors owe, columns what creditors are owed."""
    (table,) = bilateral_matrix(settled_window(PERIOD_A, Configuration())).tables

    last = table.rows[-1]
    assert table.keys == ["currency", "debtor", "AIR", "BNK", "CAF", "GRO", "TEL", "total"]
    assert [row[-1] for row in table.rows] == [20_000, 60_000, 50_100, 144_000, 62_345, 336_445]
    assert list(last[2:]) == [50_100, 0, 50_000, 72_345, 164_000, 336_445]


def test_ages_are_counted_to_the_cut_off() -> None:
    """What has waited since an earlier window stands in an older band."""
    first = settled_window(PERIOD_A, Configuration(minimums={"CNY": 1_000}))
    old = list(first.run.result)
    old[0] = old[0].__class__(
        **{f: getattr(old[0], f) for f in old[0].__slots__}
        | {"carried": [item._replace(since="2026-02-15") for item in old[0].carried]}
    )

    later = settled_window([], Configuration(minimums={"CNY": 1_000}), before=old, window_no=2)

    (row,) = table_of(ageing(later), "by_age")
    assert row == {
        "currency": "CNY",
        "because": "minimum",
        "days_0-7": 0,
        "days_8-30": 0,
        "days_31-90": 100,
        "days_91+": 0,
    }
    assert table_of(ageing(later), "waiting")[0]["days"] == 45


def test_a_workbook_opens_with_figures_as_figures_and_a_chart() -> None:
    """Sheets by table; amounts are numbers with the currency's places, names are text; positions are drawn."""
    content = FORMATS["xlsx"].render(reports()["settlement-summary"])

    book = openpyxl.load_workbook(io.BytesIO(content))
    positions = book["Net positions"]
    assert book.sheetnames == [
        "About", "Totals", "Net positions", "Directed pairs", "Payments", "Carried and held", "Chart CNY",
    ]  # fmt: skip
    assert [cell.value for cell in positions[2]][:6] == ["CNY", "AIR", "Air 航空", 501, 200, 301]
    assert positions["D2"].number_format == "#,##0.00"
    assert len(book["Chart CNY"]._charts) == 1
    assert book.properties.created == CLOSED_AT.replace(tzinfo=None)


def test_a_pdf_is_read_back_with_title_figures_and_pages() -> None:
    """The date in it is the cut-off's; the figures are those of the tables."""
    report = reports()["settlement-summary"]

    document = pypdf.PdfReader(io.BytesIO(FORMATS["pdf"].render(report)))
    text = "\n".join(page.extract_text() for page in document.pages)
    assert document.metadata is not None
    assert (document.metadata.title, document.metadata.creation_date) == ("Settlement summary", CLOSED_AT)
    assert all(word in text for word in ("windows/1", "1,016.55", "Net positions, CNY", "Directed pairs", "page 1"))
    assert report.about[3][2] in text


def test_nothing_in_a_report_is_a_formula() -> None:
    """A merchant may call itself as it likes; a spreadsheet must not run it."""
    columns = [Column("name", "Name")]
    evil = Report("evil", "Evil", [], CLOSED_AT, [Table("names", "Names", columns, [['=HYPERLINK("http://x","y")']])])

    sheet = openpyxl.load_workbook(io.BytesIO(FORMATS["xlsx"].render(evil)))["Names"]
    assert (sheet["A2"].data_type, sheet["A2"].value) == ("s", '=HYPERLINK("http://x","y")')
    assert FORMATS["csv"].render(evil).decode().splitlines()[1].startswith("\"'=HYPERLINK")
    assert FORMATS["pdf"].render(evil)


def test_figures_beyond_what_a_spreadsheet_holds_are_written_as_text() -> None:
    """Exactly, and in CSV and JSON as ever."""
    columns = [Column("currency", "Currency"), Column("amount", "Amount", Kind.MONEY)]
    huge = Report("huge", "Huge", [], CLOSED_AT, [Table("t", "T", columns, [["CNY", 2**63 - 1], ["JPY", 5]])])

    sheet = openpyxl.load_workbook(io.BytesIO(FORMATS["xlsx"].render(huge)))["T"]
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"].render(huge).decode())))
    assert (sheet["B2"].value, sheet["B3"].value) == ("92233720368547758.07", 5)
    assert [row["amount"] for row in rows] == ["92233720368547758.07", "5"]
    assert json.loads(FORMATS["json"].render(huge))["t"][0]["amount"] == 2**63 - 1


def test_csv_and_json_of_a_journal_balance() -> None:
    """By entity, currency and day, in whichever form finance imports."""
    journal = reports()["journal"]
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"].render(journal).decode())))

    balance: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        amount = Decimal(row["debit"] or 0) - Decimal(row["credit"] or 0)
        balance[row["entity"], row["currency"], row["on"]] += int(amount * 100)
    assert set(balance.values()) == {0}
    assert {row["entity"] for row in rows} == {"AIR", "BNK", "CAF", "GRO", "OPR", "TEL"}


@pytest.mark.skipif(shutil.which("hledger") is None, reason="hledger is not installed")
def test_hledger_itself_takes_the_journal(tmp_path: Path) -> None:
    """With all its strict checks: accounts and commodities declared, every entry balanced."""
    file = tmp_path / "window.journal"
    file.write_bytes(hledger.render(reports()["journal"]))

    checked = subprocess.run(["hledger", "-f", file, "check", "--strict"], capture_output=True, check=False)

    assert (checked.returncode, checked.stderr) == (0, b"")
