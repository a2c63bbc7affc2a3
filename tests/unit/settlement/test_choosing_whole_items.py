"""Which whole items settle: what needs no search, what is searched and proven, and what says that it was not."""

from __future__ import annotations

from functools import partial

import pytest

from settlement.circulation import AmountsTooLarge
from settlement.liquidity import highs
from settlement.liquidity.preparing import prepare
from settlement.liquidity.registry import settle_all
from settlement.liquidity.rendering import to_plain
from settlement.liquidity.rules import settle as settle_queue
from settlement.liquidity.whole import Effort, settle_whole
from tests.unit.settlement.queues import queue, settle, starved


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


def test_whole_items_that_the_solver_cannot_hold_are_refused() -> None:
    """Refused by name, never wrapped."""
    with pytest.raises(AmountsTooLarge):
        settle("whole", f"A>B {2**62}, A>C {2**62 - 1}", f"A {2**62}")


def test_a_common_unit_does_not_count_towards_what_the_solver_holds() -> None:
    """Amounts are chosen among in the largest unit they all are a multiple of."""
    result = settle("whole", f"A>B {2**62}, A>C {2**61}, A>D {2**61}", f"A {2**62 + 5}")

    assert result.settled_value == 2**62
    assert result.optimal
