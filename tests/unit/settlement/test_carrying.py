"""What is too small to pay waits as items of a pair, remembers since when, and does not wait for ever."""

from datetime import date, timedelta
from typing import Any

import pytest

from settlement.run.model import CarryFigures, Chosen
from tests.unit.settlement.windows import FIRST_DAY, items, owes, payments, window

MINIMUM: dict[str, Any] = {"minimums": {"CNY": 100}}


def test_an_item_leaves_one_window_and_enters_the_next() -> None:
    """As it left: who, whom, how much, since when and why."""
    (first,) = window(1, owes("CAF owes TEL 60"), **MINIMUM)
    (second,) = window(2, before=[first], **MINIMUM)

    assert first.carried == [
        CarryFigures("CAF", "OPR", 60, 1, "2026-03-01", "minimum"),
        CarryFigures("OPR", "TEL", 60, 1, "2026-03-01", "minimum"),
    ]
    assert second.carried_in == first.carried
    assert (first.payments, second.payments) == ([], [])
    assert [(pair.debtor, pair.creditor, pair.carried_in) for pair in second.pairs] == [
        ("CAF", "OPR", 60),
        ("OPR", "TEL", 60),
    ]


def test_what_is_carried_again_keeps_its_age() -> None:
    """The part of each window stands beside the other."""
    (first,) = window(1, owes("CAF owes TEL 30"), **MINIMUM)
    (second,) = window(2, owes("CAF owes AIR 40"), before=[first], **MINIMUM)

    assert items(second.carried) == [
        "OPR owes AIR 40 since 2",
        "CAF owes OPR 30 since 1",
        "CAF owes OPR 40 since 2",
        "OPR owes TEL 30 since 1",
    ]


def test_the_oldest_part_is_set_off_first() -> None:
    """Of 30 old and 40 new, 35 owed the other way leave 35 of the new."""
    (first,) = window(1, owes("CAF owes TEL 30"), **MINIMUM)
    (second,) = window(2, owes("CAF owes AIR 40"), owes("GRO owes CAF 35"), before=[first], **MINIMUM)

    assert [item for item in items(second.carried) if "CAF" in item] == ["CAF owes OPR 35 since 2"]


@pytest.mark.parametrize("mode", ["gross", "bilateral", "setoff"])
def test_a_mode_that_pays_by_pair_carries_by_pair(mode: str) -> None:
    """The debt stays with the two it was between."""
    (first,) = window(1, owes("CAF owes TEL 30"), owes("GRO owes TEL 500"), mode=mode, **MINIMUM)
    (second,) = window(2, owes("CAF owes TEL 40"), before=[first], mode=mode, **MINIMUM)

    assert items(first.carried) == ["CAF owes TEL 30 since 1"]
    assert items(second.carried) == ["CAF owes TEL 30 since 1", "CAF owes TEL 40 since 2"]
    assert payments(first) == {"GRO>TEL": 500}


def test_what_has_waited_long_enough_is_paid_however_small() -> None:
    """On the very day, and not a day before; whoever has not waited as long goes on waiting."""
    terms: dict[str, Any] = {**MINIMUM, "maximum_carry_days": {"CNY": 30}}
    (first,) = window(1, owes("CAF owes OPR 60"), **terms)
    eve, due = FIRST_DAY + timedelta(days=29), FIRST_DAY + timedelta(days=30)

    (too_early,) = window(2, owes("GRO owes OPR 20"), before=[first], on=eve, **terms)
    (on_time,) = window(2, owes("GRO owes OPR 20"), before=[first], on=due, **terms)

    assert (payments(too_early), items(too_early.carried)) == (
        {},
        ["CAF owes OPR 60 since 1", "GRO owes OPR 20 since 2"],
    )
    assert (payments(on_time), items(on_time.carried)) == ({"CAF>OPR": 60}, ["GRO owes OPR 20 since 2"])


def test_what_was_set_off_does_not_make_the_rest_old() -> None:
    """The old part is gone, so nothing of what is left has waited long."""
    terms: dict[str, Any] = {**MINIMUM, "maximum_carry_days": {"CNY": 1}}
    (first,) = window(1, owes("CAF owes OPR 30"), **MINIMUM)
    (second,) = window(2, owes("CAF owes OPR 40"), owes("OPR owes CAF 30"), before=[first], **terms)

    assert (payments(second), items(second.carried)) == ({}, ["CAF owes OPR 40 since 2"])


def test_a_currency_that_is_not_due_waits_as_it_was_owed() -> None:
    """Pair by pair, however much it is; due again, it is netted with what came after."""
    (first,) = window(1, owes("CAF owes TEL 900"), owes("TEL owes CAF 300"), waiting=("CNY",))
    (second,) = window(2, owes("CAF owes TEL 10"), before=[first])

    assert items(first.carried) == ["CAF owes TEL 900 since 1", "TEL owes CAF 300 since 1"]
    assert {item.because for item in first.carried} == {"not_due"}
    assert (first.paid, payments(second)) == (0, {"CAF>OPR": 610, "OPR>TEL": 610})


def test_currencies_wait_each_by_itself() -> None:
    """Yuan are due, yen are not."""
    yen = owes("CAF owes TEL 900000000µ", "JPY")

    cny, jpy = window(1, owes("CAF owes TEL 5"), yen, waiting=("JPY",), pay_dates={"CNY": date(2026, 3, 4)})

    assert (cny.currency, cny.paid, cny.pay_date) == ("CNY", 5, "2026-03-04")
    assert (jpy.currency, jpy.paid, jpy.pay_date, items(jpy.carried)) == (
        "JPY", 0, None, ["CAF owes TEL 900 since 1"],
    )  # fmt: skip


def test_what_an_excluded_participant_owes_or_is_owed_is_held() -> None:
    """It is shown and takes no part: everybody else's positions are as if it were not there."""
    (one,) = window(1, owes("CAF owes TEL 900"), owes("TEL owes GRO 400"), owes("GRO owes CAF 50"), excluded=("CAF",))

    assert (one.gross, one.held, one.paid) == (1350, 950, 400)
    assert items(one.held_items) == ["CAF owes TEL 900 since 1", "GRO owes CAF 50 since 1"]
    assert {item.parties for item in one.held_items} == {("CAF",)}
    assert payments(one) == {"TEL>OPR": 400, "OPR>GRO": 400}
    caf = next(position for position in one.positions if position.participant == "CAF")
    assert (caf.receivable, caf.payable, caf.held_receivable, caf.held_payable) == (0, 0, 50, 900)


def test_what_is_held_does_not_enter_netting_again_by_itself() -> None:
    """Readmitted, the participant's new debts are netted; the old ones wait until they are released by name."""
    (first,) = window(1, owes("CAF owes TEL 900"), excluded=("CAF",))
    (readmitted,) = window(2, owes("CAF owes TEL 7"), before=[first])
    (released,) = window(3, owes("CAF owes TEL 2"), before=[readmitted], released=("CAF",))

    assert (payments(readmitted), items(readmitted.held_items)) == (
        {"CAF>OPR": 7, "OPR>TEL": 7},
        ["CAF owes TEL 900 since 1"],
    )
    assert (payments(released), items(released.held_items)) == ({"CAF>OPR": 902, "OPR>TEL": 902}, [])
    assert [(pair.held_in, pair.held) for pair in released.pairs] == [(900, 0)]


CHOICES: list[tuple[Chosen, list[str]]] = [
    (Chosen("CAF", since_window=1), ["CAF owes AIR 30 since 2", "CAF owes TEL 7 since 2"]),
    (Chosen("CAF", creditor="TEL"), ["CAF owes AIR 30 since 2", "GRO owes CAF 50 since 1"]),
    (Chosen("CAF", debtor="GRO"), ["CAF owes AIR 30 since 2", "CAF owes TEL 7 since 2", "CAF owes TEL 900 since 1"]),
    (Chosen("CAF", at_least=30, at_most=50), ["CAF owes TEL 7 since 2", "CAF owes TEL 900 since 1"]),
    (Chosen("CAF", currency="CNY", creditor="TEL", at_most=7), ["CAF owes AIR 30 since 2", "CAF owes TEL 900 since 1",
                                                                 "GRO owes CAF 50 since 1"]),
    (Chosen("CAF", currency="USD"), ["CAF owes AIR 30 since 2", "CAF owes TEL 7 since 2", "CAF owes TEL 900 since 1",
                                     "GRO owes CAF 50 since 1"]),
]  # fmt: skip


@pytest.mark.parametrize(("chosen", "left"), CHOICES)
def test_only_what_is_chosen_of_held_items_comes_back(chosen: Chosen, left: list[str]) -> None:
    """By pair, currency, window or amount; the others stay held, and what is netted and held is what there was."""
    (first,) = window(1, owes("CAF owes TEL 900"), owes("GRO owes CAF 50"), excluded=("CAF",))
    (second,) = window(2, owes("CAF owes TEL 7"), owes("CAF owes AIR 30"), before=[first], excluded=("CAF",))

    (third,) = window(3, before=[second], chosen=(chosen,))
    (still_out,) = window(3, before=[second], chosen=(chosen,), excluded=("CAF",))
    (for_somebody_else,) = window(3, before=[second], chosen=(chosen._replace(participant="TEL"),))

    assert sorted(items(third.held_items)) == left
    assert (third.gross, third.held) == (987, sum(int(item.split()[3]) for item in left))
    assert still_out.held == for_somebody_else.held == 987


def test_what_is_held_for_two_is_released_for_both() -> None:
    """One name is not enough, and nothing is released for whoever is excluded still."""
    (first,) = window(1, owes("CAF owes TEL 900"), excluded=("CAF", "TEL"))

    (for_one,) = window(2, before=[first], released=("CAF",))
    (still_out,) = window(2, before=[first], released=("CAF", "TEL"), excluded=("TEL",))
    (for_both,) = window(2, before=[first], released=("CAF", "TEL"))

    assert items(for_one.held_items) == items(still_out.held_items) == ["CAF owes TEL 900 since 1"]
    assert payments(for_both) == {"CAF>OPR": 900, "OPR>TEL": 900}


def test_what_was_carried_is_held_when_its_party_is_excluded_and_keeps_its_age() -> None:
    """Carried against the clearing account, it is held against it."""
    (first,) = window(1, owes("CAF owes OPR 60"), **MINIMUM)
    (second,) = window(2, before=[first], excluded=("CAF",), **MINIMUM)

    assert (items(second.carried), items(second.held_items)) == ([], ["CAF owes OPR 60 since 1"])
    assert second.held_items[0].because == "excluded"


def test_rounding_leaves_a_residue_for_each_pair() -> None:
    """Down: the debtor keeps it; up: the creditor has it; exact: nothing. One rounding for each pair, half up."""
    (one,) = window(1, owes("CAF owes TEL 64999µ"), owes("TEL owes AIR 65000µ"), owes("GRO owes AIR 70000µ"))

    assert [(pair.debtor, pair.micros, pair.gross) for pair in one.pairs] == [
        ("CAF", 64_999, 6),
        ("GRO", 70_000, 7),
        ("TEL", 65_000, 7),
    ]
    assert [tuple(item) for item in one.residue] == [("CAF", "TEL", 4_999), ("AIR", "TEL", 5_000)]


def test_what_rounds_to_nothing_is_told_all_the_same() -> None:
    """Whoever has a part in a window gets a position, be it zero."""
    (one,) = window(1, owes("CAF owes TEL 4999µ"))

    assert (one.gross, [position.participant for position in one.positions]) == (0, ["CAF", "TEL"])
    assert [tuple(item) for item in one.residue] == [("CAF", "TEL", 4_999)]


def test_a_set_off_brings_its_proof_along() -> None:
    """A cycle of three is cleared by its smallest debt."""
    debts = [owes("CAF owes TEL 50"), owes("TEL owes GRO 40"), owes("GRO owes CAF 30")]

    (one,) = window(1, *debts, mode="setoff")

    pi = one.certificate
    assert sum(pair.gross * max(0, 1 - (pi[pair.debtor] - pi[pair.creditor])) for pair in one.pairs) == 90
    assert payments(one) == {"CAF>TEL": 20, "TEL>GRO": 10}
