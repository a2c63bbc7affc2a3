"""Runs in which somebody settles in one currency: legs, ages, papers."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.money.limits import INT64_MAX
from exchange.refusals import AmountOverflow, InvalidField
from settlement.fx.model import Basis, FxRate, FxSet, FxTerms
from settlement.journal.rules import journal_of
from settlement.payments.rules import Ended, ended_by_conversion
from settlement.proposals.model import Exclusions, Terms
from settlement.refusals import FxRateMissing
from settlement.reports.figures import settlement_summary
from settlement.reports.formats.registry import FORMATS
from settlement.reports.statement import merchant_statement
from settlement.run.asked import Asked, Due, resolved
from settlement.run.legal import LegalModel
from settlement.run.model import Configuration, CurrencyResult
from tests.unit.settlement.settlements import owed, settled_window
from tests.unit.settlement.test_reports import table_of
from tests.unit.settlement.windows import items, owes, payments, window

RATES = FxSet("month-end", 3, "", (FxRate("USD", "CNY", 72, 10, "desk", "2026-03-31"),))


def into(basis: Basis = Basis.PER_POSITION, **chosen: str) -> FxTerms:
    """Who settles in which currency."""
    return FxTerms(RATES, "d" * 64, basis, chosen)


def legs(one: CurrencyResult) -> list[str]:
    """What is owed because of conversions, as one reads it."""
    return [f"{leg.debtor} owes {leg.creditor} {leg.amount} {leg.because}" for leg in one.legs]


def by_code(result: list[CurrencyResult]) -> dict[str, CurrencyResult]:
    """Results by currency."""
    return {one.currency: one for one in result}


def test_the_operator_takes_a_position_over_and_gives_what_it_comes_to() -> None:
    """TEL is owed $1.04 and takes ¥7.49; GRO pays dollars as ever."""
    found = by_code(window(1, owes("GRO owes TEL 104", "USD"), fx=into(TEL="CNY")))

    assert legs(found["USD"]) == ["TEL owes OPR 104 converted_out"]
    assert legs(found["CNY"]) == ["OPR owes TEL 749 converted_in"]
    assert payments(found["USD"]) == {"GRO>OPR": 104}
    assert payments(found["CNY"]) == {"OPR>TEL": 749}
    assert (found["USD"].gross, found["CNY"].gross, found["CNY"].obligations) == (104, 0, 0)


def test_item_by_item_the_difference_is_a_leg_of_its_own() -> None:
    """A cent from each of three is 7 fen each; the position of three is 22."""
    totals = [owes(f"{name} owes TEL 1", "USD") for name in ("AIR", "BNK", "CAF")]

    by_item = by_code(window(1, *totals, fx=into(Basis.PER_ITEM, TEL="CNY")))
    by_position = by_code(window(1, *totals, fx=into(TEL="CNY")))

    assert legs(by_item["CNY"]) == ["OPR owes TEL 22 converted_in", "TEL owes OPR 1 fx_difference"]
    assert payments(by_item["CNY"]) == {"OPR>TEL": 21}
    assert payments(by_position["CNY"]) == {"OPR>TEL": 22}
    assert by_item["USD"].converted == by_position["USD"].converted
    assert by_item["USD"].converted[0].difference == -1


def test_what_was_carried_keeps_its_age_in_the_other_currency() -> None:
    """The cent of the first window is the older part of what is carried in yuan, and is paid when that is too old."""
    first = window(1, owes("TEL owes GRO 1", "USD"), minimums={"USD": 100})
    second = window(
        2, owes("TEL owes GRO 2", "USD"), before=first, minimums={"USD": 100, "CNY": 100}, fx=into(TEL="CNY", GRO="CNY")
    )
    third = window(3, before=second, minimums={"CNY": 100}, maximum_carry_days={"CNY": 14}, fx=into())

    assert items(by_code(second)["CNY"].carried) == [
        "OPR owes GRO 7 since 1",
        "OPR owes GRO 15 since 2",
        "TEL owes OPR 7 since 1",
        "TEL owes OPR 15 since 2",
    ]
    assert by_code(second)["USD"].carried == []
    assert payments(by_code(third)["CNY"]) == {"TEL>OPR": 22, "OPR>GRO": 22}


def test_nothing_leaves_a_currency_that_is_not_due_and_what_comes_into_one_waits_there() -> None:
    """Dollars wait as dollars; yuan that dollars became wait as yuan."""
    total = owes("GRO owes TEL 100", "USD")

    dollars = by_code(window(1, total, waiting=("USD",), fx=into(TEL="CNY")))
    yuan = by_code(window(1, total, waiting=("CNY",), fx=into(TEL="CNY")))

    assert items(dollars["USD"].carried) == ["GRO owes TEL 100 since 1"]
    assert list(dollars) == ["USD"]
    assert items(yuan["CNY"].carried) == ["OPR owes TEL 720 since 1"]
    assert payments(yuan["USD"]) == {"GRO>OPR": 100}


def test_held_items_are_not_converted() -> None:
    """They are shown in their own currency until they are released."""
    found = by_code(window(1, owes("GRO owes TEL 100", "USD"), excluded=("GRO",), fx=into(TEL="CNY")))

    assert items(found["USD"].held_items) == ["GRO owes TEL 100 since 1"]
    assert list(found) == ["USD"]


def test_a_rate_that_is_missing_and_an_amount_too_large_are_refused() -> None:
    """By name; who chose nothing needs no rate."""
    with pytest.raises(FxRateMissing, match="from_currency CNY, fx_set month-end/3, to_currency USD"):
        window(1, owes("GRO owes TEL 100"), fx=into(GRO="USD"))
    with pytest.raises(AmountOverflow):
        window(1, owes(f"GRO owes TEL {INT64_MAX}", "USD"), fx=into(GRO="CNY"))

    assert legs(window(1, owes("GRO owes TEL 100"), fx=into(CAF="USD"))[0]) == []


@pytest.mark.parametrize("mode", ["gross", "bilateral", "direct", "setoff"])
def test_conversion_goes_with_the_clearing_account_only(mode: str) -> None:
    """Elsewhere nobody stands in the middle to take a position over."""
    terms = Terms("multilateral", LegalModel.NOVATION)

    with pytest.raises(InvalidField, match=r"configuration\.mode"):
        resolved(Asked(mode), terms, Exclusions(), Due({}, ()), 1, into(TEL="CNY"))


def test_without_conversion_a_result_has_no_word_of_it() -> None:
    """Digests of before stay what they were."""
    from settlement.run.canonical import plain, written

    (one,) = window(1, owes("GRO owes TEL 100"))

    assert not {"converted", "legs"} & plain(one).keys()
    assert "fx" not in written(Configuration())


KINDS = [
    owed("AIR", "TEL", "redeem", 1, "USD"),
    owed("BNK", "TEL", "redeem", 1, "USD"),
    owed("CAF", "TEL", "discount", 1, "USD"),
    owed("TEL", "GRO", "earn", 5),
]


@pytest.fixture(params=list(Basis))
def settled(request: Any) -> Any:
    """TEL, owed three cents and owing five fen, settles in yuan."""
    return settled_window(KINDS, Configuration(fx=into(request.param, TEL="CNY")))


def test_a_statement_adds_up_and_tells_the_rate(settled: Any) -> None:
    """Lines of each currency sum to its total; the position leaves dollars whole."""
    statement = merchant_statement(settled, "TEL")

    lines = table_of(statement, "lines")
    for code in ("CNY", "USD"):
        of_it = {str(row["line"]): row for row in lines if row["currency"] == code}
        for side in ("receivable", "payable"):
            parts = [row[side] for name, row in of_it.items() if name not in {"total", "net", "paid", "carried"}]
            assert sum(int(str(part)) for part in parts) == of_it["total"][side]
    (row,) = table_of(statement, "conversions")
    assert (row["rate"], row["from_receive"], row["position_receive"], row["item_receive"]) == ("72/10", 3, 22, 21)
    assert (row["gain"], row["loss"]) == (0, 1)
    assert any("month-end/3" in note and "d" * 64 in note for note in statement.notes)
    assert not [table for table in merchant_statement(settled, "GRO").tables if table.name == "conversions"]


def test_a_summary_tells_every_rate_of_the_set(settled: Any) -> None:
    """With its source and day, in every format."""
    summary = settlement_summary(settled)

    assert table_of(summary, "rates") == [
        {"from_currency": "USD", "to_currency": "CNY", "numerator": 72, "denominator": 10, "source": "desk",
         "as_of": "2026-03-31"}
    ]  # fmt: skip
    assert all(chosen.render(summary) == chosen.render(summary) for chosen in FORMATS.values())


def test_the_journal_balances_in_every_currency_and_settles_to_zero(settled: Any) -> None:
    """What one currency gave another took: the account between participants ends at zero in everybody's books."""
    entries = journal_of(settled, [])

    sums: dict[tuple[str, str], int] = {}
    for entry in entries:
        for posting in entry.postings:
            if posting.account == "assets:coalition:settlement":
                key = (entry.entity, entry.currency)
                sums[key] = sums.get(key, 0) + posting.debit - posting.credit
    assert set(sums.values()) == {0}
    accounts = {posting.account for entry in entries for posting in entry.postings}
    by_item = settled.run.configuration.fx.basis is Basis.PER_ITEM
    assert "equity:conversion" in accounts
    assert ("expenses:fx_difference" in accounts) == by_item


def test_conversion_ends_a_debt_in_one_currency_and_makes_it_in_the_other() -> None:
    """TEL owed $0.03 and owes ¥0.22 instead: that is what its net debit cap sees."""
    found = by_code(window(7, owes("TEL owes GRO 3", "USD"), fx=into(TEL="CNY")))

    assert ended_by_conversion(7, "USD", found["USD"].legs) == [
        Ended("conversion/7/CNY/converted_out", "TEL", "OPR", "USD", 30_000)
    ]
    assert ended_by_conversion(7, "CNY", found["CNY"].legs) == [
        Ended("conversion/7/USD/converted_in", "OPR", "TEL", "CNY", 220_000)
    ]
