"""Rates between settlement currencies: exact until one rounding, in their own direction, through a stated base only."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from exchange.money.limits import INT64_MAX
from exchange.refusals import AmountOverflow
from settlement.cli import app
from settlement.cli.net import Per
from settlement.fx.into_one import Item, into_one, summed
from settlement.fx.model import Basis, Cross, FxRate, FxSet
from settlement.fx.rules import exchanged, problems
from settlement.refusals import FxRateMissing

YUAN = FxRate("USD", "CNY", 72, 10, "desk", "2026-03-31")
YEN = FxRate("JPY", "USD", 1, 150, "desk", "2026-03-31")
RATES = FxSet("month-end", 1, "USD", (YUAN, YEN))


def net(*options: object) -> Result:
    """`python -m settlement net ARGUMENTS`."""
    return CliRunner().invoke(app, ["net", *map(str, options)])


@pytest.fixture
def window(tmp_path: Path) -> Path:
    """A owes B three times a dollar cent in yuan's favour; B owes C yuan; one item is held."""
    file = tmp_path / "window.csv"
    file.write_text(
        "debtor,creditor,currency,amount,held\nA,B,USD,1,\nA,B,USD,1,\nA,B,USD,1,\nB,C,CNY,90,\nC,A,USD,100,true\n"
    )
    return file


def written(folder: Path, **changed: Any) -> Path:
    """A file of the rates, with fields changed."""
    rate = {"from_currency_code": "USD", "to_currency_code": "CNY", "numerator": 72, "denominator": 10}
    document = {"name": "month-end", "version": 1, "rates": [{**rate, "source": "desk", "as_of_date": "2026-03-31"}]}
    file = folder / "rates.json"
    file.write_text(json.dumps(document | changed))
    return file


def test_an_amount_is_rounded_half_up_to_the_other_currencys_minor_unit() -> None:
    """7.2 yuan a dollar; yen have no minor unit, so 75 yen are 50 cents, and 1 yen is two thirds of one."""
    assert exchanged(1_000, "USD", "CNY", Cross(72, 10)) == 7_200
    assert exchanged(75, "JPY", "USD", Cross(1, 150)) == 50
    assert exchanged(1, "JPY", "USD", Cross(1, 150)) == 1
    assert exchanged(5, "USD", "CNY", Cross(1, 10)) == 1
    assert exchanged(4, "USD", "CNY", Cross(1, 10)) == 0


def test_what_has_no_rate_goes_through_the_base_with_one_rounding() -> None:
    """1 yen is 4.8 fen; rounded to a cent on the way it would be 7."""
    cross = RATES.cross("JPY", "CNY")

    assert cross == Cross(6, 125, "USD")
    assert exchanged(1, "JPY", "CNY", cross) == 5


@pytest.mark.parametrize(
    ("fx", "way"),
    [
        (RATES, ("CNY", "USD")),
        (RATES, ("EUR", "CNY")),
        (replace(RATES, base=""), ("JPY", "CNY")),
        (replace(RATES, base="EUR"), ("JPY", "CNY")),
    ],
    ids=["turned round", "unknown", "no base", "another base"],
)
def test_a_missing_rate_is_refused_by_name(fx: FxSet, way: tuple[str, str]) -> None:
    """No rate is turned round, and nothing is gone through that was not stated."""
    with pytest.raises(FxRateMissing, match=f"from_currency {way[0]}, fx_set month-end/1, to_currency {way[1]}"):
        fx.cross(*way)


def test_what_does_not_fit_64_bits_is_refused() -> None:
    """An item, and items that fit by themselves but not together."""
    dear = FxSet("dear", 1, "", (FxRate("USD", "CNY", 2, 1, "desk", "2026-03-31"),))
    half = Item("A", "B", "USD", INT64_MAX // 4 + 1)

    with pytest.raises(AmountOverflow):
        exchanged(INT64_MAX, "USD", "CNY", Cross(2, 1))
    with pytest.raises(AmountOverflow):
        into_one(summed([half, half], dear, "CNY"), dear, "CNY", Basis.PER_ITEM, "OPR")


def test_a_position_is_rounded_once_and_the_operator_stands_opposite() -> None:
    """Three times a cent: 7 fen each by item, 22 by position; the operator has what the others' rounding leaves."""
    totals = summed([Item("A", "B", "USD", 1)] * 3 + [Item("C", "B", "USD", 2)], RATES, "CNY")

    by_item = into_one(totals, RATES, "CNY", Basis.PER_ITEM, "OPR")
    by_position = into_one(totals, RATES, "CNY", Basis.PER_POSITION, "OPR")

    assert dict(by_item.gross.pairs) == {("A", "B"): 21, ("C", "B"): 14}
    assert dict(by_position.gross.pairs) == {("A", "OPR"): 22, ("C", "OPR"): 14, ("OPR", "B"): 36}
    shown = [(one.participant, one.per_item, one.per_position, one.difference) for one in by_item.positions]
    assert shown == [("A", -21, -22, 1), ("B", 35, 36, -1), ("C", -14, -14, 0), ("OPR", 0, 0, 0)]
    assert by_item.positions == by_position.positions


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (replace(RATES, name="Month end"), "name"),
        (replace(RATES, version=0), "version"),
        (replace(RATES, base="XXX"), "base_currency_code"),
        (replace(RATES, rates=()), "rates"),
        (replace(RATES, rates=(YUAN, YUAN)), "rates[1].to_currency_code"),
        (replace(RATES, rates=(YUAN._replace(from_currency="CNY"),)), "rates[0].to_currency_code"),
        (replace(RATES, rates=(YUAN._replace(from_currency=""),)), "rates[0].from_currency_code"),
        (replace(RATES, rates=(YUAN._replace(numerator=0),)), "rates[0].numerator"),
        (replace(RATES, rates=(YUAN._replace(denominator=INT64_MAX + 1),)), "rates[0].denominator"),
        (replace(RATES, rates=(YUAN._replace(source=" "),)), "rates[0].source"),
        (replace(RATES, rates=(YUAN._replace(as_of="31/03/2026"),)), "rates[0].as_of_date"),
        (replace(RATES, rates=(YUAN,) * 1_001), "rates"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_set_that_cannot_be_used_says_which_field_is_wrong(wrong: FxSet, field: str) -> None:
    """The first problem is this one; a good set has none."""
    assert next(problems(wrong))[0] == field
    assert list(problems(RATES)) == []


def test_a_window_is_netted_in_one_currency(window: Path, tmp_path: Path) -> None:
    """Held items are shown converted; rates and both ways of rounding stand last."""
    rates = written(tmp_path)

    by_item = json.loads(net(window, "--fx", rates, "--into", "CNY", "--json").stdout)
    by_position = json.loads(net(window, "--fx", rates, "--into", "CNY", "--per", "position", "--json").stdout)

    assert list(by_item) == ["CNY"]
    assert (by_item["CNY"]["nets"], by_item["CNY"]["held"]) == ({"A": -21, "B": -69, "C": 90}, 720)
    assert by_position["CNY"]["nets"] == {"A": -22, "B": -68, "C": 90}
    assert list(by_position["CNY"])[-1] == "fx"
    assert by_position["CNY"]["fx"]["rates"] == [
        {"from": "USD", "to": "CNY", "numerator": 72, "denominator": 10, "via": ""}
    ]
    assert by_item["CNY"]["fx"]["positions"] == by_position["CNY"]["fx"]["positions"]


def test_whoever_is_excluded_is_held_in_one_currency_too(window: Path, tmp_path: Path) -> None:
    """Its items are shown converted, and convert no position; it must be there."""
    rates = written(tmp_path)

    without = json.loads(net(window, "--fx", rates, "--into", "CNY", "--exclude", "C", "--json").stdout)["CNY"]
    nobody = net(window, "--fx", rates, "--into", "CNY", "--exclude", "D", "--json")

    assert without["gross"] - without["held"] == sum(without["pairs"].values())
    assert "C" not in without["nets"]
    assert "C" not in {position["participant"] for position in without["fx"]["positions"]}
    assert (nobody.exit_code, "--exclude D: nobody in" in nobody.stderr) == (2, True)


def test_tables_show_rates_and_both_ways(window: Path, tmp_path: Path) -> None:
    """For people."""
    shown = net(window, "--fx", written(tmp_path), "--into", "CNY").stdout

    assert "72/10" in shown
    assert "Brought into CNY, per item" in shown


def test_a_window_without_items_or_other_currencies_converts_nothing(tmp_path: Path) -> None:
    """An empty file, and one in the currency itself."""
    rates, file = written(tmp_path), tmp_path / "window.csv"

    file.write_text("debtor,creditor,currency,amount\n")
    empty = net(file, "--fx", rates, "--into", "CNY", "--json")
    file.write_text("debtor,creditor,currency,amount\nA,B,CNY,5\n")
    same = net(file, "--fx", rates, "--into", "CNY")

    assert json.loads(empty.stdout) == {}
    assert "Nothing was converted." in same.stdout


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--into", "CNY"], "go together"),
        (["--fx", "RATES"], "go together"),
        (["--fx", "RATES", "--into", "XXX"], "no ISO 4217 currency"),
        (["--fx", "RATES", "--into", "JPY"], "from_currency USD, fx_set month-end/1, to_currency JPY"),
        (["--fx", "RATES", "--into", "CNY", "--per", "position", "--mode", "bilateral"], "does not go with"),
        (["--fx", "nowhere.yaml", "--into", "CNY"], "No such file"),
    ],
)
def test_what_cannot_be_converted_ends_with_one_plain_line(
    window: Path, tmp_path: Path, options: list[str], told: str
) -> None:
    """Exit code 2, nothing printed."""
    rates = str(written(tmp_path))

    result = net(window, *(rates if option == "RATES" else option for option in options))

    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"rates": "72"}, "rates is no list"),
        ({"rates": [7.2]}, "rates[0] is no mapping"),
        ({"rates": [{"numerator": 7.2}]}, "rates[0].numerator is no whole number"),
        ({"version": True}, "version is no whole number"),
        ({"name": 5}, "name is no text"),
        ({"nam": "x"}, "nam is unknown"),
        ({"name": "Month End"}, "name is not of 1 to 63"),
    ],
)
def test_a_file_that_is_no_set_of_rates_says_where(
    window: Path, tmp_path: Path, changed: dict[str, Any], told: str
) -> None:
    """A rate is never read from a number with a point in it."""
    result = net(window, "--fx", written(tmp_path, **changed), "--into", "CNY")

    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.parametrize("text", ["{", "[1, 2]", "", "\xff"])
def test_a_file_that_is_no_document_is_refused(window: Path, tmp_path: Path, text: str) -> None:
    """Neither YAML nor JSON, no mapping, empty, no UTF-8."""
    file = tmp_path / "rates.yaml"
    file.write_bytes(text.encode("latin-1"))

    result = net(window, "--fx", file, "--into", "CNY")

    assert (result.exit_code, result.stdout) == (2, "")


def test_the_command_knows_both_ways_of_rounding() -> None:
    """`--per` offers what the rules know."""
    assert [f"per_{one}" for one in Per] == list(Basis)
