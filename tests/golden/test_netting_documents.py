"""The written form of a netting, byte for byte. A difference here is a change finance and auditors will see.

To accept one: run the command in the failing line with `--json` and put its output in place of the document.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from settlement.cli import app
from settlement.netting.registry import MODES

DOCUMENTS = Path(__file__).parent / "netting"
WINDOWS = ("period_a", "period_b", "two_currencies")


@pytest.mark.parametrize("minimum", [0, 1000])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("window", WINDOWS)
def test_a_netting_is_written_as_before(window: str, mode: str, minimum: int) -> None:
    """Every mode, with and without a minimum, over the rulebook's periods and a window of two currencies."""
    source = DOCUMENTS / f"{window}.csv"

    result = CliRunner().invoke(app, ["net", str(source), "--mode", mode, "--minimum", str(minimum), "--json"])

    document = DOCUMENTS / f"{window}.{mode}.minimum_{minimum}.json"
    assert result.stdout == document.read_text(encoding="utf-8")


@pytest.mark.parametrize("per", ["item", "position"])
def test_a_window_brought_into_one_currency_is_written_as_before(per: str) -> None:
    """Yen through dollars into yuan; the rates used and both ways of rounding stand last."""
    source, rates = DOCUMENTS / "two_currencies.csv", DOCUMENTS / "month_end.fx.yaml"

    options = ["--fx", str(rates), "--into", "CNY", "--per", per, "--json"]
    result = CliRunner().invoke(app, ["net", str(source), *options])

    document = DOCUMENTS / f"two_currencies.into_CNY.per_{per}.json"
    assert result.stdout == document.read_text(encoding="utf-8")
