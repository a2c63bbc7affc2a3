"""`python -m settlement net`, as finance types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from settlement.cli import COMMANDS, app
from settlement.cli.net import Mode
from settlement.netting.registry import MODES


def run(*arguments: object) -> Result:
    """`python -m settlement ARGUMENTS`."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def window(tmp_path: Path) -> Path:
    """Four who owe each other, one item of them held."""
    file = tmp_path / "window.csv"
    file.write_text("debtor,creditor,currency,amount,held\nA,B,CNY,100,\nB,A,CNY,70,\nB,C,CNY,90,\nC,A,CNY,5,true\n")
    return file


def test_the_default_mode_is_the_star_through_the_operator(window: Path) -> None:
    """Keys come in the documented order, amounts as integers."""
    result = run("net", window, "--json")

    assert result.exit_code == 0
    figures = json.loads(result.stdout)["CNY"]
    assert list(figures.items()) == [
        ("gross", 265),
        ("held", 5),
        ("bilateral", 120),
        ("net_needed", 90),
        ("pairs", {"A>B": 30, "B>C": 90}),
        ("nets", {"A": -30, "B": -60, "C": 90}),
        (
            "payments",
            [
                {"from": "A", "to": "OPR", "amount": 30},
                {"from": "B", "to": "OPR", "amount": 60},
                {"from": "OPR", "to": "C", "amount": 90},
            ],
        ),
        ("carried", {}),
    ]


def test_the_operator_is_one_however_its_accents_are_written(tmp_path: Path) -> None:
    """Typed on another keyboard than the file was made on, it still neither pays nor is paid by its own account."""
    composed, decomposed = "Op\N{LATIN SMALL LETTER E WITH ACUTE}ra", "Ope\N{COMBINING ACUTE ACCENT}ra"
    file = tmp_path / "window.csv"
    file.write_text(f"debtor,creditor,currency,amount\nA,{composed},CNY,100\n", encoding="utf-8")

    figures = json.loads(run("net", file, "--operator", f" {decomposed}", "--json").stdout)["CNY"]
    excluded = json.loads(run("net", file, "--exclude", decomposed, "--json").stdout)["CNY"]

    assert figures["payments"] == [{"from": "A", "to": composed, "amount": 100}]
    assert (excluded["held"], excluded["payments"]) == (100, [])


def test_a_header_alone_is_an_empty_document(tmp_path: Path) -> None:
    """No obligations are nothing to pay, and no error."""
    file = tmp_path / "window.csv"
    file.write_text("debtor,creditor,currency,amount\n")

    result = run("net", file, "--json")

    assert (result.exit_code, json.loads(result.stdout)) == (0, {})


def test_set_off_adds_its_proof_after_the_common_figures(window: Path) -> None:
    """cleared, remainder and certificate come last, and only in this mode."""
    figures = json.loads(run("net", window, "--mode", "setoff", "--json").stdout)["CNY"]

    assert list(figures)[-4:] == ["carried", "cleared", "remainder", "certificate"]
    assert figures["cleared"] == 140
    assert figures["remainder"] == {"A>B": 30, "B>C": 90}
    assert sorted(figures["certificate"]) == ["A", "B", "C"]


def test_the_star_can_go_through_another_operator(window: Path) -> None:
    """The operator's name is the coalition's own."""
    figures = json.loads(run("net", window, "--operator", "HUB", "--minimum", 50, "--json").stdout)["CNY"]

    assert figures["payments"] == [
        {"from": "B", "to": "HUB", "amount": 60},
        {"from": "HUB", "to": "C", "amount": 90},
    ]
    assert figures["carried"] == {"A": -30}


def test_carried_pairs_are_named_by_debtor_and_creditor(window: Path) -> None:
    """Where there is no clearing account between them, both sides of a carried item are shown."""
    figures = json.loads(run("net", window, "--mode", "bilateral", "--minimum", 50, "--json").stdout)["CNY"]

    assert figures["carried"] == {"A>B": 30}


@pytest.mark.parametrize("mode", MODES)
def test_tables_show_what_was_saved(window: Path, mode: str) -> None:
    """People get the figures, the positions and the payments."""
    result = run("net", window, "--mode", mode)

    assert result.exit_code == 0
    assert all(word in result.stdout for word in ("saved", "Net positions", "Payments", "265"))


def test_whoever_is_excluded_has_its_items_held(window: Path) -> None:
    """Those it owes and those owed to it, beside what the file holds itself."""
    figures = json.loads(run("net", window, "--exclude", "C", "--json").stdout)["CNY"]

    assert (figures["gross"], figures["held"]) == (265, 95)
    assert (figures["pairs"], figures["nets"]) == ({"A>B": 30}, {"A": -30, "B": 30})


def test_several_may_be_excluded(window: Path) -> None:
    """Nothing may be left to net."""
    figures = json.loads(run("net", window, "--exclude", "A", "--exclude", "B", "--json").stdout)["CNY"]

    assert (figures["gross"], figures["held"], figures["payments"]) == (265, 265, [])


def test_whoever_is_excluded_must_be_in_the_file(window: Path) -> None:
    """A misspelt name would look like an answer."""
    result = run("net", window, "--exclude", "c", "--json")

    assert (result.exit_code, result.stdout) == (2, "")
    assert f"--exclude c: nobody in {window} is called so" in result.stderr


def test_a_bad_row_is_one_plain_line_and_nothing_computed(window: Path) -> None:
    """Exit code 2, the line and the column; no traceback, and no half answer on standard output."""
    window.write_text(window.read_text() + "A,B,CNY,12.50,\n")

    result = run("net", window, "--json")

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == (
        f"Refused: {window}, line 6, column amount: "
        "'12.50' is not a positive whole number of minor units, written in digits only. "
        "Next: mend that line and type the same again; nothing was computed\n"
    )


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """As plain as a bad row."""
    result = run("net", tmp_path / "absent.csv")

    assert result.exit_code == 2
    assert "absent.csv: No such file or directory" in result.stderr


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_takes_sums_beyond_64_bits(window: Path, mode: str) -> None:
    """The largest amount a file may have, three times round: to the unit."""
    most = 2**63 - 1
    rows = "".join(f"{pair},CNY,{most}\n" for pair in ("A,B", "B,C", "C,A", "A,C"))
    window.write_text(f"debtor,creditor,currency,amount\n{rows}")

    taken = run("net", window, "--mode", mode, "--json")

    figures = json.loads(taken.stdout)["CNY"]
    assert (figures["gross"], figures["nets"]) == (4 * most, {"A": -most, "C": most})


@pytest.mark.parametrize(
    "arguments", [["--mode", "magic"], ["--minimum", "-1"], ["--minimum", "x"], ["--operator"], ["--operator", ""]]
)
def test_wrong_options_are_refused(window: Path, arguments: list[str]) -> None:
    """With the same exit code as wrong input."""
    assert run("net", window, *arguments).exit_code == 2


def test_every_mode_of_the_registry_can_be_asked_for() -> None:
    """The command lists the modes itself so that help is quick; this holds the two lists together."""
    assert [mode.value for mode in Mode] == list(MODES)


def test_every_command_explains_itself() -> None:
    """Help is the handbook's first page."""
    for name in COMMANDS:
        result = run(name, "--help")
        assert result.exit_code == 0
        assert "--json" in result.stdout
