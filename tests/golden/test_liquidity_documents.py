"""The written form of what can settle now, byte for byte.

To accept a difference: run the command in the failing line with `--json` and put its output in place of the document.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from settlement.cli import app

DOCUMENTS = Path(__file__).parent / "liquidity"


@pytest.mark.parametrize("way", ["whole", "divisible", "pro-rata"])
@pytest.mark.parametrize("queue", ["presolve_trap", "two_currencies"])
def test_a_queue_is_answered_as_before(queue: str, way: str) -> None:
    """Every way, over the queue below and one of two currencies with ids and a held item."""
    items, funds = DOCUMENTS / f"{queue}.csv", DOCUMENTS / f"{queue}.funds.csv"

    result = CliRunner().invoke(app, ["liquidity", str(items), "--funds", str(funds), f"--{way}", "--json"])

    assert result.stdout == (DOCUMENTS / f"{queue}.{way}.json").read_text(encoding="utf-8")


def test_the_queue_on_which_the_solvers_presolve_proves_a_wrong_optimum_is_solved() -> None:
    """With its presolve OR-tools 9.15 calls 5 122 573 521 546 the best; trying all 2^20 choices finds this."""
    document = json.loads((DOCUMENTS / "presolve_trap.whole.json").read_text(encoding="utf-8"))["CNY"]

    assert (document["settled_value"], document["optimal"]) == (6_731_519_103_552, True)
