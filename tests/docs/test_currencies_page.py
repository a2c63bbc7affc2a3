"""The page of currencies is typed as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from typer.testing import CliRunner

from settlement.cli import app
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "currencies.md"


def test_the_window_of_the_page_is_netted_as_it_shows(tmp_path: Path) -> None:
    """Its set of rates, its obligations, its command."""
    (tmp_path / "rates.yaml").write_text(blocks(PAGE, "yaml")[0], encoding="utf-8")
    (tmp_path / "window.csv").write_text(blocks(PAGE, "csv")[0], encoding="utf-8")
    command, _, shown = blocks(PAGE, "console")[0].partition("\n")
    words = command.removeprefix("$ python -m settlement ").split()
    arguments = [str(tmp_path / word) if word.endswith((".csv", ".yaml")) else word for word in words]

    answer = CliRunner().invoke(app, arguments).stdout

    assert re.fullmatch(".*".join(map(re.escape, shown.split("…"))), answer, re.DOTALL), answer
