"""The page of the what-if commands is typed as it stands, and what it says of the keys holds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from settlement.cli import app
from settlement.netting.registry import MODES
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "what_if.md"
EXAMPLES = [example.partition("\n")[::2] for example in blocks(PAGE, "console")]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The page's two files in one place."""
    for name, text in zip(("window.csv", "funds.csv"), blocks(PAGE, "csv"), strict=True):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def typed(files: Path, command: str) -> str:
    """What a command of the page prints."""
    words = command.removeprefix("$ python -m settlement ").split()
    arguments = [str(files / word) if word.endswith(".csv") else word for word in words]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def keys_of_tables() -> list[set[str]]:
    """What stands in backquotes first in the rows of each of the page's tables."""
    tables = re.findall(r"(?:^\|.*\n)+", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [set(re.findall(r"^\| `([\w-]+)`", table, re.MULTILINE)) for table in tables]


@pytest.mark.parametrize(("command", "shown"), EXAMPLES, ids=["net", "liquidity"])
def test_the_examples_of_the_page_come_out_as_it_shows(files: Path, command: str, shown: str) -> None:
    """To the byte."""
    assert typed(files, command) == shown


def test_the_page_tells_every_mode_and_every_key(files: Path) -> None:
    """Those there are and no other; `fx` and `bound` come with files of another kind."""
    modes, netted, ways, settled = keys_of_tables()

    of_net: dict[str, Any] = json.loads(typed(files, EXAMPLES[0][0]))["CNY"]
    of_liquidity: dict[str, Any] = json.loads(typed(files, EXAMPLES[1][0]))["CNY"]

    assert modes == {*MODES}
    assert ways == {"--whole", "--divisible", "--pro-rata"}
    assert netted == {*of_net, "fx"}
    assert settled == {*of_liquidity, "bound"}


def test_the_sum_of_the_certificate_is_what_the_page_works_out(files: Path) -> None:
    """Over its own rows."""
    found = json.loads(typed(files, EXAMPLES[0][0]))["CNY"]
    rows = [line.split(",") for line in blocks(PAGE, "csv")[0].splitlines()[1:]]

    terms = [
        (int(amount), max(0, 1 - (found["certificate"][debtor] - found["certificate"][creditor])))
        for _, debtor, creditor, _, amount, held in rows
        if not held
    ]

    worked_out = " + ".join(f"{amount} \N{MULTIPLICATION SIGN} {factor}" for amount, factor in terms)
    assert f"{worked_out} = {found['cleared']}" in " ".join(PAGE.read_text(encoding="utf-8").split())
    assert sum(amount * factor for amount, factor in terms) == found["cleared"]
