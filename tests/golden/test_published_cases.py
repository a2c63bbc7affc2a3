"""Netting and liquidity cases that others published: their figures, their answers, through the command as typed.

A file holds a case: where it was published, the obligations (and funds, or rates) as the command reads them, and what
is said to come out, by mode or way. Only facts are taken over. `fewest` counts payments; a fact that is not named is
not compared; nets that are zero are left out. Where a publication leaves the answer to the reader it was worked out by
hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from settlement.cli import app
from settlement.liquidity.registry import WAYS
from settlement.netting.registry import MODES

CASES = {path.stem: path for path in sorted((Path(__file__).parent / "published").glob("*.yaml"))}


def read(name: str) -> dict[str, Any]:
    """A case as its file says."""
    case: dict[str, Any] = yaml.safe_load(CASES[name].read_text(encoding="utf-8"))
    return case


NETTED = [name for name in CASES if "net" in read(name)]
QUEUED = [name for name in CASES if "liquidity" in read(name)]


def figures(*arguments: object) -> dict[str, Any]:
    """What the command prints with `--json` for the one currency there is; payments as [from, to, amount]."""
    result = CliRunner().invoke(app, [*(str(argument) for argument in arguments), "--json"])
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout).values()
    if "payments" in found:
        found["fewest"] = len(found["payments"])
        found["payments"] = [[p["from"], p["to"], p["amount"]] for p in found["payments"]]
    plain: dict[str, Any] = found
    return plain


def typed(case: dict[str, Any], directory: Path) -> list[object]:
    """The case's files, written down, as arguments of `net`."""
    obligations = directory / "obligations.csv"
    obligations.write_text(case["obligations"], encoding="utf-8")
    if "rates" not in case:
        return ["net", obligations]
    rates = directory / "rates.yaml"
    rates.write_text(yaml.safe_dump(case["rates"]), encoding="utf-8")
    return ["net", obligations, "--fx", rates, "--into", case["into"]]


@pytest.mark.parametrize("name", NETTED)
def test_a_published_window_nets_to_what_was_published(name: str, tmp_path: Path) -> None:
    """In every mode the case says something of."""
    case = read(name)
    command = typed(case, tmp_path)

    for mode, facts in case["net"].items():
        found = figures(*command, "--mode", mode)
        assert {fact: found[fact] for fact in facts} == facts, mode


@pytest.mark.parametrize("name", NETTED)
def test_every_mode_agrees_on_a_published_window(name: str, tmp_path: Path) -> None:
    """Gross, positions and what must move at least are facts of the window; payments leave everybody at its net."""
    command = typed(read(name), tmp_path)
    common = ("gross", "held", "bilateral", "net_needed", "pairs", "nets")

    by_mode = {mode: figures(*command, "--mode", mode) for mode in MODES}

    first = by_mode["gross"]
    for mode, found in by_mode.items():
        assert [found[fact] for fact in common] == [first[fact] for fact in common], mode
        left = dict.fromkeys(found["nets"], 0)
        for payer, payee, amount in found["payments"]:
            left[payer] = left.get(payer, 0) - amount
            left[payee] = left.get(payee, 0) + amount
        assert {participant: net for participant, net in left.items() if net} == found["nets"], mode
    assert by_mode["direct"]["fewest"] < max(len(first["nets"]), 1)


@pytest.mark.parametrize("name", QUEUED)
def test_a_published_queue_settles_as_published(name: str, tmp_path: Path) -> None:
    """In every way the case says something of."""
    case = read(name)
    items, funds = tmp_path / "items.csv", tmp_path / "funds.csv"
    items.write_text(case["obligations"], encoding="utf-8")
    funds.write_text(case["funds"], encoding="utf-8")

    for way, facts in case["liquidity"].items():
        found = figures("liquidity", items, "--funds", funds, f"--{way}")
        assert {fact: found[fact] for fact in facts} == facts, way


def test_every_case_says_where_it_is_from_and_what_comes_out() -> None:
    """A misspelt mode or a case without facts would prove nothing."""
    for name in CASES:
        case = read(name)
        assert case["source"]
        assert {*case} <= {"source", "obligations", "funds", "rates", "into", "net", "liquidity"}
        assert {*case.get("net", {})} <= {*MODES}
        assert {*case.get("liquidity", {})} <= {*WAYS}
        assert all([*case.get("net", {}).values(), *case.get("liquidity", {}).values()])
        assert "net" in case or "liquidity" in case
