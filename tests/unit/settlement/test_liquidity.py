"""What can settle now: queues small enough to check by hand."""

from __future__ import annotations

import random
from fractions import Fraction
from functools import partial

import pytest

from settlement.circulation import AmountsTooLarge
from settlement.liquidity import highs
from settlement.liquidity.model import LiquidityResult, Queue
from settlement.liquidity.preparing import prepare
from settlement.liquidity.pro_rata import clearing_fractions
from settlement.liquidity.registry import WAYS, settle_all
from settlement.liquidity.rendering import to_plain
from settlement.liquidity.rules import settle as settle_queue
from settlement.liquidity.whole import Effort, settle_whole
from settlement.netting.model import Obligation


def queue(items: str, funds: str = "") -> Queue:
    """Items `A>B 50` numbered from 1, funds `A 10`; both separated by commas."""
    obligations = []
    for number, item in enumerate(items.split(", "), start=1):
        pair, amount, *held = item.split()
        debtor, creditor = pair.split(">")
        obligations.append(Obligation(debtor, creditor, "CNY", int(amount), str(number), bool(held)))
    available = [line.split() for line in funds.split(", ") if line]
    return Queue("CNY", obligations, {name: int(amount) for name, amount in available})


def settle(way: str, items: str, funds: str = "") -> LiquidityResult:
    """A queue in words, settled."""
    return settle_all([queue(items, funds)], way)[0]


def starved(items: int, participants: int, share: str, digits_min: int, digits_max: int) -> Queue:
    """Random amounts between two powers of ten; everybody has a share of what it owes."""
    chance = random.Random(f"cents/{items}/{participants}/{share}/2")
    names = [f"P{number:02}" for number in range(participants)]
    obligations = []
    for number in range(items):
        debtor, creditor = chance.sample(names, 2)
        obligations.append(
            Obligation(debtor, creditor, "CNY", int(10 ** chance.uniform(digits_min, digits_max)), str(number))
        )
    owes = {name: sum(item.amount for item in obligations if item.debtor == name) for name in names}
    return Queue("CNY", obligations, {name: int(owed * float(share)) for name, owed in owes.items()})


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


@pytest.mark.parametrize("effort", [0.0, 0.002])
def test_a_choice_given_up_before_its_proof_says_so(effort: float) -> None:
    """With hardly any effort allowed the answer can be afforded but is not called the best, and a limit is told."""
    names = [f"M{number:02}" for number in range(30)]
    items = ", ".join(
        f"{names[at % 30]}>{names[(at * 7 + 1 + at // 30) % 30]} {1009 + at * at * 37 % 99991}"
        for at in range(300)
        if (at * 7 + 1 + at // 30) % 30 != at % 30
    )

    waiting = queue(items, ", ".join(f"{name} {60_000 + 997 * at}" for at, name in enumerate(names)))
    hardly_any = partial(settle_whole, effort=Effort(first=effort, listed=effort, cuts=0, last=effort))

    result = settle_queue(waiting, hardly_any, divided=False)

    assert not result.optimal
    assert to_plain(result)["bound"] == result.ceiling
    assert result.settled_value < result.ceiling < result.gross
    assert min(result.balances.values()) >= 0


def test_who_can_pay_everything_does_and_what_nobody_can_reach_stays_without_any_search() -> None:
    """A pays all it owes, which pays all of B's; D could not pay its item even if everything due to it came."""
    certain, programs = prepare(queue("A>B 100, B>C 90, D>E 50, C>D 20").items, {"A": 100, "B": 5})

    assert [item.id for item in certain] == ["1", "2", "4"]
    assert programs == []


def test_debtors_who_have_nothing_to_do_with_each_other_are_chosen_for_by_themselves() -> None:
    """A and B are short and share a creditor only; C is short and receives from A. Each part has a unit of its own."""
    items = queue("A>C 60, A>Z 90, B>Z 500, B>Y 400, C>Z 45").items

    _, programs = prepare(items, {"A": 100, "B": 600, "C": 10})

    parts = [sorted(item.id for lot in program.lots for item in lot) for program in programs]
    assert parts == [["1", "2", "5"], ["3", "4"]]
    assert [program.unit for program in programs] == [15, 100]


def test_what_comes_out_even_in_no_combination_stays_without_any_search() -> None:
    """Nobody has anything. C can pay 4 out of 4 only, so its 9 falls, and A has only 5 and 2 to pay 7 from."""
    _, (program,) = prepare(queue("A>B 7, B>A 5, B>A 2, B>C 4, C>B 4, C>A 9, C>D 1").items, {})

    assert sorted(item.id for lot in program.lots for item in lot) == ["1", "2", "3", "4", "5"]
    assert [limit.debtor for limit in program.limits] == ["A", "B", "C"]
    assert [limit.combinations for limit in program.limits] == [
        [(0, 0, 0), (1, 1, 1)],
        [(0, 0, 0, 0, 0), (0, 0, 0, 1, 1), (1, 1, 1, 0, 0), (1, 1, 1, 1, 1)],
        [(0, 0), (1, 1)],
    ]


def test_items_alike_are_one_lot_of_which_the_first_settle() -> None:
    """Which of them settles makes no difference to anybody, so it is not searched for."""
    result = settle("whole", "A>B 30, A>B 30, A>B 30, A>C 50", "A 80")

    assert result.settled == {"1": 30, "4": 50}
    assert len(prepare(queue("A>B 30, A>B 30, A>C 40").items, {"A": 80})[1][0].lots) == 2


@pytest.mark.parametrize(
    ("items", "participants", "share", "best"),
    [(300, 8, "0.01", 282_771_168), (200, 8, "0.005", 172_718_629)],
)
def test_starved_queues_of_hundreds_of_items_are_proven(items: int, participants: int, share: str, best: int) -> None:
    """Debtors have a hundredth of what they owe, or less. The second solver alone, so that it is seen to do it."""
    waiting = starved(items, participants, share, 3, 7)
    _, (program,) = prepare(waiting.items, waiting.funds)

    counts, proven = highs.prove(program, effort=8_000_000)

    assert counts is not None
    assert program.allows(counts)
    assert program.value(counts) == proven == best


def test_a_search_that_is_given_up_stops_at_the_same_place_every_time() -> None:
    """Every solver is cut off in the midst of its work, by work and not by the clock: the choice is the same."""
    waiting = starved(120, 12, "0.01", 1, 3)
    little = Effort(first=0.02, listed=0.02, cuts=5_000, last=0.02)

    first, second = (settle_whole(waiting.items, waiting.funds, little) for _ in range(2))

    assert first == second
    assert 0 < sum(first.settled.values()) < first.ceiling


def test_a_queue_without_any_funds_is_proven() -> None:
    """Random amounts from 0.10 to 10.00 hardly ever come out even: the few combinations that do are soon compared."""
    result = settle_queue(starved(100, 10, "0", 1, 3), settle_whole, divided=False)

    assert (result.settled_value, result.optimal) == (10_872, True)


def test_what_is_proven_of_amounts_beyond_exact_figures_still_holds() -> None:
    """Unscaled and with the least tolerance HiGHS says 1 535 247 974 550 is the most here. It is not."""
    to_and_fro = (
        "A>B 277944721887, B>A 37463242059, B>A 383651241066, B>A 961060981968, B>A 468535313310, A>B 377430390259, "
        "A>B 78338988470, B>A 332998559261, B>A 499973950777"
    )
    waiting = queue(to_and_fro, "A 25818230897, B 106287238215")
    _, (program,) = prepare(waiting.items, waiting.funds)

    counts, proven = highs.prove(program, effort=1_000_000)
    result = settle_all([waiting], "whole")[0]

    assert counts is not None
    assert proven >= result.settled_value == 1_572_711_215_246
    assert result.optimal


def test_currencies_do_not_pay_for_each_other() -> None:
    """Each queue has its own funds."""
    yuan = Queue("CNY", [Obligation("A", "B", "CNY", 5, "1")], {})
    yen = Queue("JPY", [Obligation("A", "B", "JPY", 5, "2")], {"A": 5})

    results = settle_all([yuan, yen], "whole")

    assert [result.settled for result in results] == [{}, {"2": 5}]


def test_whole_items_that_the_solver_cannot_hold_are_refused() -> None:
    """Refused by name, never wrapped."""
    with pytest.raises(AmountsTooLarge):
        settle("whole", f"A>B {2**62}, A>C {2**62 - 1}", f"A {2**62}")


def test_a_common_unit_does_not_count_towards_what_the_solver_holds() -> None:
    """Amounts are chosen among in the largest unit they all are a multiple of."""
    result = settle("whole", f"A>B {2**62}, A>C {2**61}, A>D {2**61}", f"A {2**62 + 5}")

    assert result.settled_value == 2**62
    assert result.optimal


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
