"""Papers from a real ledger: they tie to it, and come out again to the byte."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from exchange.db.engine import Database
from settlement.actors import Actor
from settlement.breakage.service import Breakage
from settlement.liability.service import Liability
from settlement.month_end.papers import write_papers
from settlement.proofs import offline
from settlement.proofs.service import Proofs
from settlement.reports.detail import detail
from settlement.reports.formats.registry import FORMATS
from settlement.reports.service import OF_WINDOW, Reports
from tests.banks import debit, statement
from tests.contract.paid import Treasury
from tests.integration.settlement.test_commands import settlement
from tests.servers import Server


def names_in(folder: Path) -> set[str]:
    """The files in a folder."""
    return {path.name for path in folder.iterdir()}


async def test_every_report_of_a_window_comes_out_again_to_the_byte(server: Server, treasury: Treasury) -> None:
    """From the kept totals, in every format; statements of everybody too."""
    run = await treasury.approved()
    run_id = UUID(run.name.removeprefix("runs/"))
    database = Database(server.url)
    reports = Reports(database)
    made = [[await reports.of_window(name, run_id) for name in OF_WINDOW] for _ in range(2)]
    made[0] += [await reports.merchant_statement(run_id, name) for name in await reports.participants(run_id)]
    made[1] += [await reports.merchant_statement(run_id, name) for name in await reports.participants(run_id)]
    await database.dispose()

    for chosen in FORMATS.values():
        assert [chosen.render(one) for one in made[0]] == [chosen.render(one) for one in made[1]]


async def test_who_bridges_what_others_carry_gets_its_papers_too(
    server: Server, treasury: Treasury, tmp_path: Path
) -> None:
    """CAF's yuan is carried: nobody owed the operator, which is out of pocket by it and can prove so."""
    run = await treasury.approved(minimum_minor_units={"CNY": 1_000})
    database = Database(server.url)
    await write_papers(database, 1, UUID(run.name.removeprefix("runs/")), tmp_path, lambda *_: None)
    head = await Proofs(database).commit(1)
    await database.dispose()

    told, proof = (json.loads((tmp_path / "statements" / f"W1-OPR{end}.json").read_bytes()) for end in ("", "-proof"))
    lines = {line["line"]: (line["receivable"], line["payable"]) for line in told["lines"]}
    receives, pays = lines["paid"]
    assert (lines["total"], lines["net"], lines["carried"]) == ((0, 0), (0, 0), (100, 0))
    assert pays - receives == 100
    assert offline.check(told, proof, head.head) == 0


async def test_a_detail_file_sums_to_the_statement(server: Server, treasury: Treasury) -> None:
    """Line by line, exactly, in micro-units; each row names its transfer."""
    run = await treasury.approved()
    run_id = UUID(run.name.removeprefix("runs/"))
    database = Database(server.url)
    report = await Reports(database).merchant_statement(run_id, "TEL")
    pieces = [piece async for piece in detail(database, 1, "TEL")]
    await database.dispose()

    rows = list(csv.DictReader(io.StringIO("".join(pieces))))
    lines = {str(row[1]): (row[6], row[7]) for row in report.tables[0].rows if row[6] is not None}
    for kind, exact in lines.items():
        own = [row for row in rows if row["line"] == kind]
        sums = [sum(int(Decimal(row[side] or 0) * 10**6) for row in own) for side in ("receivable", "payable")]
        assert tuple(sums) == exact
    assert lines
    assert all(row["transfer"].startswith("transfers/") for row in rows)


async def test_the_liability_ties_to_the_ledger_window_by_window(server: Server, treasury: Treasury) -> None:
    """Issued, redeemed, expired by issuer and funder; one window's closing is the next one's opening."""
    cast, ada = treasury.finance.cast, treasury.finance.member
    await cast.gro.earn(ada, "700 TEL")
    await cast.caf.redeem(ada, "300 TEL")
    await treasury.finance.close("windows/2")
    await cast.gro.earn(ada, "11 TEL")
    database = Database(server.url)
    book = Liability(database)
    first, second, both = await book.roll(1, 1), await book.roll(2, 2), await book.roll(1, 2)
    again = await book.roll(2, 2)
    await database.dispose()

    assert all(roll.ties for rolls in (first, second, both) for roll in rolls)
    closing = {roll.owner: roll.closing for roll in first}
    assert {roll.owner: roll.opening for roll in second if roll.opening.units} == {
        owner: figure for owner, figure in closing.items() if figure.units
    }
    (tel,) = (roll for roll in second if roll.owner == ("TEL", "TEL", "GRO"))
    assert (tel.of("issued").units, tel.of("redeemed").units) == (700, 300)
    assert tel.of("issued").micros == 700 * 12_000
    assert again == second


async def test_breakage_counts_once_two_people_said_so_and_catches_up(server: Server, treasury: Treasury) -> None:
    """A second version changes what was recognised before, in its first window."""
    cast, ada = treasury.finance.cast, treasury.finance.member
    await cast.caf.redeem(ada, "10 000 TEL")
    await treasury.finance.close("windows/2")
    database = Database(server.url)
    book = Breakage(database)
    ann, zoe = Actor("FINANCE_MAKER:x", "ann"), Actor("FINANCE_CHECKER:y", "zoe")
    await book.set("TEL", 2_000, 1, "two years of history", ann)
    unconfirmed = await book.recognised("TEL", 2)
    await book.confirm("TEL", 1, zoe)
    first = await book.recognised("TEL", 2)
    await book.set("TEL", 3_000, 2, "a new study", ann)
    await book.confirm("TEL", 2, zoe)
    second = await book.recognised("TEL", 2)
    await database.dispose()

    assert [row.cumulative for row in unconfirmed] == [0, 0]
    issued, used = 120_000 * 12_000, 62_345 * 12_000
    assert (first[0].issued, first[0].used) == (issued, used)
    assert first[0].recognised == used * 2_000 // 8_000
    assert (first[1].version, first[1].catch_up_recognised) == (1, 0)
    assert second[0] == first[0]
    # used x 3 000 / 7 000, rounded half up, less what the first version had recognised of the same use.
    assert second[1].catch_up_recognised == (2 * used * 3_000 + 7_000) // 14_000 - first[0].cumulative
    assert second[1].version == 2


@pytest.mark.timeout(400)
async def test_finance_writes_its_papers_at_the_keyboard(server: Server, treasury: Treasury, tmp_path: Path) -> None:
    """Summary as a workbook, a statement with its detail, a journal with what the bank booked."""
    run, told = await treasury.instructed()
    await treasury.record(statement(debit(told["OPR", "TEL"])))
    folder = str(tmp_path)

    summary = await settlement(server, "report", "1", "--into", folder)
    stated = await settlement(server, "statement", "1", "TEL", "--detail", "--into", folder)
    kept = await settlement(server, "journal", "1", "--into", folder)
    tied = await settlement(server, "liability", "1", "--json")
    nobody = await settlement(server, "statement", "1", "NOBODY")

    assert run.name
    assert {told_.status for told_ in (summary, stated, kept, tied)} == {0}
    assert names_in(tmp_path) == {
        "W1-settlement-summary.xlsx", "W1-TEL-merchant-statement.pdf", "W1-TEL-detail.csv", "W1-journal.journal",
    }  # fmt: skip
    assert "OPR-settled" in (tmp_path / "W1-journal.journal").read_text(encoding="utf-8")
    assert tied.document["about"]["ties"] == "yes"
    assert (nobody.status, "merchants/NOBODY" in nobody.errors) == (2, True)


@pytest.mark.timeout(400)
async def test_a_paper_is_written_and_printed_when_both_are_asked_for(
    server: Server, treasury: Treasury, tmp_path: Path
) -> None:
    """Standard output is JSON alone, which a program reads; what was written stands beside it."""
    await treasury.approved()
    folder = ("--into", str(tmp_path), "--json")

    stated = await settlement(server, "statement", "1", "TEL", "--detail", *folder)
    kept = await settlement(server, "journal", "1", *folder)
    alone = await settlement(server, "statement", "1", "TEL", "--json")

    names = [["W1-TEL-merchant-statement.pdf", "W1-TEL-detail.csv"], ["W1-journal.journal"]]
    assert [told.errors.split() for told in (stated, kept)] == [[str(tmp_path / one) for one in own] for own in names]
    assert names_in(tmp_path) == {name for own in names for name in own}
    assert stated.output == alone.output
    assert stated.document["about"]["participant"] == "TEL"
    assert kept.document["report"] == "journal"
