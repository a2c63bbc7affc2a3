"""What can settle now: queues small enough to check by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from settlement.liquidity.model import Queue
from settlement.liquidity.pro_rata import clearing_fractions
from settlement.liquidity.registry import WAYS, settle_all
from settlement.netting.model import Obligation
from tests.unit.settlement.queues import queue, settle


@pytest.mark.parametrize("way", WAYS)
def test_a_ring_of_equal_debts_settles_without_any_funds(way: str) -> None:
    """Everything settles at one moment: what comes in pays what goes out."""
    result = settle(way, "A>B 100, B>C 100, C>A 100")

    assert result.settled == {"1": 100, "2": 100, "3": 100}
    assert result.balances == {"A": 0, "B": 0, "C": 0}
    assert result.optimal


@pytest.mark.parametrize("way", WAYS)
def test_all_settle_when_the_funds_just_reach(way: str) -> None:
    """A needs 20 of its own beside what it receives, and has exactly that."""
    result = settle(way, "A>B 100, B>A 80", "A 20")

    assert (result.unsettled, result.balances) == ({}, {"A": 0, "B": 20})


@pytest.mark.parametrize("way", WAYS)
def test_nothing_settles_without_funds_or_a_ring(way: str) -> None:
    """Who has no line in the funds has nothing."""
    result = settle(way, "A>B 100, B>C 50")

    assert (result.settled_value, result.unsettled) == (0, {"1": 100, "2": 50})


@pytest.mark.parametrize("way", WAYS)
def test_held_items_stay_whatever_the_funds(way: str) -> None:
    """They count in gross and in what stays, and bring their creditor nothing."""
    result = settle(way, "A>B 100 held, B>C 100", "A 1000")

    assert result.gross == 200
    assert result.unsettled == {"1": 100, "2": 100}


def test_whole_items_fill_the_funds_as_far_as_they_can() -> None:
    """60 and 40 make 100; taking the largest, 70, first would leave 30 unused."""
    result = settle("whole", "A>B 70, A>C 60, A>D 40", "A 100")

    assert result.settled == {"2": 60, "3": 40}
    assert result.optimal


def test_whole_items_pay_on_what_they_receive() -> None:
    """B's item settles with what A pays it."""
    result = settle("whole", "A>B 70, B>C 60, B>D 30", "A 80")

    assert result.settled == {"1": 70, "2": 60}
    assert result.balances == {"A": 10, "B": 10, "C": 60, "D": 0}


def test_divisible_items_use_every_last_unit() -> None:
    """A pays what it has, B passes on all it received."""
    result = settle("divisible", "A>B 70, B>C 60, B>D 30", "A 50")

    assert result.settled_value == 100
    assert result.settled["1"] == 50
    assert result.balances["A"] == result.balances["B"] == 0


def test_divisible_items_between_the_same_two_settle_in_file_order() -> None:
    """The one that waited longer goes first."""
    result = settle("divisible", "A>B 30, A>B 30, A>B 30", "A 50")

    assert result.settled == {"1": 30, "2": 20}
    assert result.unsettled == {"2": 10, "3": 30}


def test_pro_rata_pays_every_creditor_the_same_fraction() -> None:
    """A can pay half; B passes on the 25 it gets, which is a quarter of its debt."""
    result = settle("pro-rata", "A>B 50, A>C 150, B>C 100", "A 100")

    assert result.settled == {"1": 25, "2": 75, "3": 25}
    assert result.balances == {"A": 0, "B": 0, "C": 100}


def test_pro_rata_settles_a_ring_in_full_beside_somebody_who_cannot_pay() -> None:
    """A ring could keep to any fraction; the greatest is all of it."""
    result = settle("pro-rata", "A>B 100, B>A 100, D>A 10")

    assert result.settled == {"1": 100, "2": 100}


def test_pro_rata_rounds_the_largest_remainder_up() -> None:
    """10 over debts of 7, 7 and 1: 4.67, 4.67 and 0.67 become 5, 5 and 0 or 5, 4 and 1, never 15 of 10."""
    result = settle("pro-rata", "A>B 7, A>B 7, A>B 1", "A 10")

    assert result.settled == {"1": 5, "2": 5}


def test_pro_rata_gives_a_pair_what_its_items_can_take() -> None:
    """Five items that are each hardly less than whole units, and together too little less to be rounded alike."""
    largest, even = 2**63 - 1, 5_193_743_734_873_177_027
    to_c = ", ".join(f"A>C {amount}" for amount in [largest] * 24 + [3_877_957_576_822_139_456])

    result = settle("pro-rata", ", ".join([f"A>B {even}"] * 5) + f", {to_c}", "A 2370")

    assert [result.settled[str(number)] for number in range(1, 6)] in ([49] * 5, [49] * 4 + [48])
    assert (result.settled_value, result.balances["A"]) == (2370, 0)


def test_pro_rata_is_exact_where_stepwise_payment_would_crawl() -> None:
    """A and B owe each other a thousand million and A eleven more to C: the fraction is 5/11, found at once."""
    waiting = queue("A>B 1000000000, B>A 1000000000, A>C 11", "A 5")
    owed = {(item.debtor, item.creditor): item.amount for item in waiting.items}

    fractions = clearing_fractions(owed, waiting.funds)
    result = settle_all([waiting], "pro-rata")[0]

    assert all(abs(Fraction(fraction) - Fraction(5, 11)) < Fraction(1, 10**40) for fraction in fractions.values())
    assert result.settled == {"1": 454_545_455, "2": 454_545_455, "3": 5}


def test_currencies_do_not_pay_for_each_other() -> None:
    """Each queue has its own funds."""
    yuan = Queue("CNY", [Obligation("A", "B", "CNY", 5, "1")], {})
    yen = Queue("JPY", [Obligation("A", "B", "JPY", 5, "2")], {"A": 5})

    results = settle_all([yuan, yen], "whole")

    assert [result.settled for result in results] == [{}, {"2": 5}]


def test_parts_of_amounts_beyond_64_bits_settle_to_the_unit() -> None:
    """B can pass on what it has and receives, and C what reaches it: nothing is rounded, wrapped or refused."""
    most = 2**63 - 1
    result = settle("divisible", f"A>B {most}, B>C {most}, C>D {most}, D>A {most - 7}", f"A 3, B {most - 5}")

    assert result.settled == {"1": most - 4, "2": most, "3": most, "4": most - 7}
    assert result.balances == {"A": 0, "B": most - 9, "C": 0, "D": 7}
    assert result.optimal


@pytest.mark.parametrize("way", WAYS)
def test_sums_the_solver_cannot_hold_settle_all_the_same_when_all_can(way: str) -> None:
    """All or nothing is plain addition."""
    result = settle(way, f"A>B {2**62}, B>A {2**62}")

    assert result.optimal
