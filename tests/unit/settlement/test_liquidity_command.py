"""`python -m settlement liquidity`, as finance types it."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from settlement.cli import app

FUNDS = "participant,currency,available\nA,CNY,100\nB,CNY,0\nZ,JPY,7\n"


def run(*arguments: object) -> Result:
    """`python -m settlement liquidity ARGUMENTS`."""
    return CliRunner().invoke(app, ["liquidity", *(str(argument) for argument in arguments)])


@pytest.fixture
def items(tmp_path: Path) -> Path:
    """Three items of A, one of B; the funds are beside them."""
    (tmp_path / "funds.csv").write_text(FUNDS)
    file = tmp_path / "items.csv"
    file.write_text("debtor,creditor,currency,amount\nA,B,CNY,70\nA,C,CNY,60\nA,B,CNY,40\nB,C,CNY,110\n")
    return file


def test_whole_items_are_listed_by_id_or_number(items: Path) -> None:
    """Keys in the documented order; whole is what is meant when nothing is said."""
    result = run(items, "--funds", items.with_name("funds.csv"), "--json")

    assert result.exit_code == 0
    assert list(json.loads(result.stdout)["CNY"].items()) == [
        ("gross", 280),
        ("settled_value", 100),
        ("settled", ["2", "3"]),
        ("unsettled", ["1", "4"]),
        ("balances", {"A": 0, "B": 40, "C": 60}),
        ("optimal", True),
    ]


@pytest.mark.parametrize(
    ("way", "settled", "unsettled"),
    [
        ("--divisible", {"1": 70, "3": 30, "4": 100}, {"2": 60, "3": 10, "4": 10}),
        ("--pro-rata", {"1": 41, "2": 35, "3": 24, "4": 65}, {"1": 29, "2": 25, "3": 16, "4": 45}),
    ],
)
def test_divided_items_come_with_their_amounts(
    items: Path, way: str, settled: dict[str, int], unsettled: dict[str, int]
) -> None:
    """Both what settles of each item and what stays of it."""
    figures = json.loads(run(items, "--funds", items.with_name("funds.csv"), way, "--json").stdout)["CNY"]

    assert (figures["settled"], figures["unsettled"]) == (settled, unsettled)


@pytest.mark.parametrize("way", ["--whole", "--divisible", "--pro-rata"])
def test_tables_show_what_settles_and_what_stays(items: Path, way: str) -> None:
    """With the share of gross and everybody's balance."""
    result = run(items, "--funds", items.with_name("funds.csv"), way)

    assert result.exit_code == 0
    assert all(words in result.stdout for words in ("Settles now", "Stays", "Balances afterwards", "280", " %"))


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("A,CNY,1", "line 5, column participant: 'A' has an earlier row for CNY"),
        ("C,CNY,-1", "line 5, column available: '-1' is not a whole number that is not negative"),
        ("C,CNY,1.5", "line 5, column available"),
        (",CNY,1", "line 5, column participant: is empty"),
        ("C,yuan,1", "line 5, column currency"),
        ("C,CNY", "line 5: 2 cells where the header has 3"),
    ],
)
def test_a_wrong_row_of_the_funds_is_refused(items: Path, row: str, problem: str) -> None:
    """Exit code 2 and one plain line, as for the items."""
    funds = items.with_name("funds.csv")
    funds.write_text(f"{FUNDS}{row}\n")

    result = run(items, "--funds", funds, "--json")

    assert (result.exit_code, result.stdout) == (2, "")
    assert problem in result.stderr


def test_a_wrong_row_of_the_items_is_refused(items: Path) -> None:
    """A duplicate id could not be told apart in the answer."""
    items.write_text("debtor,creditor,currency,amount,id\nA,B,CNY,70,x\nA,C,CNY,60,x\n")

    result = run(items, "--funds", items.with_name("funds.csv"))

    assert result.exit_code == 2
    assert "line 3, column id: 'x' is the id of an earlier row" in result.stderr


@pytest.mark.parametrize("way", ["--whole", "--divisible", "--pro-rata"])
def test_the_order_of_the_rows_changes_no_byte(items: Path, way: str) -> None:
    """Items that have ids are chosen, paid and shown in the order of those: p2 before p10."""
    header, *rows = [
        "id,debtor,creditor,currency,amount",
        "p2,A,B,CNY,70",
        "p10,A,B,CNY,40",
        "p9,A,C,CNY,60",
        "q,B,C,CNY,1",
    ]
    said = []
    for shuffled in permutations(rows):
        items.write_text("\n".join([header, *shuffled]))
        said.append(run(items, "--funds", items.with_name("funds.csv"), way, "--json").stdout)

    assert len({*said}) == 1
    shown = json.loads(said[0])["CNY"]
    assert sorted([*{*shown["settled"], *shown["unsettled"]}]) == ["p10", "p2", "p9", "q"]
    assert [name for name in ("p2", "p9", "p10", "q") if name in shown["settled"]] == [*shown["settled"]]


def test_only_one_way_can_be_asked_for(items: Path) -> None:
    """Two ways have two answers."""
    result = run(items, "--funds", items.with_name("funds.csv"), "--whole", "--pro-rata")

    assert result.exit_code == 2
    assert "choose one of --whole, --pro-rata" in result.stderr


@pytest.mark.parametrize("column", ["amount", "amount available", "amount_available"])
def test_the_column_of_funds_goes_by_other_names_too(items: Path, column: str) -> None:
    """What treasury systems write; one name at a time."""
    items.with_name("other.csv").write_text(FUNDS.replace("available", column))
    items.with_name("both.csv").write_text(f"participant,currency,available,{column}\nA,CNY,1,1\n")

    other = run(items, "--funds", items.with_name("other.csv"), "--json")
    both = run(items, "--funds", items.with_name("both.csv"), "--json")

    assert other.stdout == run(items, "--funds", items.with_name("funds.csv"), "--json").stdout
    assert "column available appears twice" in both.output


def test_names_and_ids_are_one_however_their_accents_are_written(tmp_path: Path) -> None:
    """Funds from one program pay what another one says is owed; who has two rows that look alike is refused."""
    composed, decomposed = "Caf\N{LATIN SMALL LETTER E WITH ACUTE}", "Cafe\N{COMBINING ACUTE ACCENT}"
    items, funds, twice = tmp_path / "items.csv", tmp_path / "funds.csv", tmp_path / "twice.csv"
    items.write_text(f"debtor,creditor,currency,amount,id\n{composed},B,CNY,70,{decomposed}\n", encoding="utf-8")
    funds.write_text(f"participant,currency,available\n{decomposed},CNY,70\n", encoding="utf-8")
    twice.write_text(f"{funds.read_text(encoding='utf-8')}{composed},CNY,1\n", encoding="utf-8")

    shown = json.loads(run(items, "--funds", funds, "--json").stdout)["CNY"]
    refused = run(items, "--funds", twice)

    assert (shown["settled"], shown["balances"]) == ([composed], {"B": 70, composed: 0})
    assert f"line 3, column participant: '{composed}' has an earlier row for CNY" in refused.stderr


def test_funds_must_be_named(items: Path) -> None:
    """Without funds there is no question."""
    assert run(items, "--json").exit_code == 2
