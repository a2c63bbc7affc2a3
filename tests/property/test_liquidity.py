"""Laws of settling what the funds allow. A way is tested by being in WAYS; small queues are tried out in full."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.liquidity import cp_sat, highs
from settlement.liquidity.divisible import pair_totals
from settlement.liquidity.model import Queue
from settlement.liquidity.preparing import prepare
from settlement.liquidity.pro_rata import clearing_fractions
from settlement.liquidity.registry import WAYS, settle_all
from settlement.liquidity.rendering import to_json
from settlement.netting.model import Obligation
from tests.solver_process import SolverProcess

NAMES = "ABCDE"
every_way = pytest.mark.parametrize("way", WAYS)
pairs = st.permutations(NAMES).map(lambda names: (names[0], names[1]))


@st.composite
def queues(draw: st.DrawFn, *, items_max: int = 8, amount_max: int = 30) -> Queue:
    """A queue in one currency, some of it held, with scarce funds."""
    rows = draw(
        st.lists(
            st.tuples(pairs, st.integers(1, amount_max), st.sampled_from([False, False, False, True])),
            min_size=1,
            max_size=items_max,
        )
    )
    items = [
        Obligation(debtor, creditor, "CNY", amount, f"i{number}", held)
        for number, ((debtor, creditor), amount, held) in enumerate(rows)
    ]
    return Queue("CNY", items, draw(st.dictionaries(st.sampled_from(NAMES), st.integers(0, amount_max))))


def affordable(items: Sequence[Obligation], settled: Sequence[int], funds: Mapping[str, int]) -> bool:
    """Whether nobody ends below zero, by plain addition."""
    after = dict.fromkeys(NAMES, 0) | dict(funds)
    for item, amount in zip(items, settled, strict=True):
        after[item.debtor] -= amount
        after[item.creditor] += amount
    return min(after.values()) >= 0


def best(queue: Queue, choices: Iterator[tuple[int, ...]]) -> int:
    """The most any of the choices settles that everybody can afford."""
    return max(sum(choice) for choice in choices if affordable(queue.free, choice, queue.funds))


@every_way
@given(queue=queues())
def test_nobody_ends_below_zero_and_nothing_is_lost(way: str, queue: Queue) -> None:
    """Settled and unsettled together are the items; the balances are funds, plus received, minus paid."""
    result = settle_all([queue], way)[0]

    assert min(result.balances.values()) >= 0
    assert sum(result.balances.values()) == sum(queue.funds.values())
    for item in queue.items:
        assert result.settled.get(item.id, 0) + result.unsettled.get(item.id, 0) == item.amount
        assert not (item.held and item.id in result.settled)
    assert result.gross == result.settled_value + sum(result.unsettled.values())
    assert affordable(queue.items, [result.settled.get(item.id, 0) for item in queue.items], queue.funds)


@pytest.mark.parametrize("way", ["divisible", "pro-rata"])
@given(queue=queues(amount_max=2**63 - 1), scarce=st.integers(1, 10**6))
def test_amounts_as_large_as_there_are_settle_as_exactly(way: str, queue: Queue, scarce: int) -> None:
    """Up to 64 bits an item and with next to nothing to pay with: nobody below zero, nothing beyond its amount."""
    poor = replace(queue, funds={name: available // scarce for name, available in queue.funds.items()})

    for waiting in (queue, poor):
        result = settle_all([waiting], way)[0]

        settled = [result.settled.get(item.id, 0) for item in waiting.items]
        assert all(0 <= amount <= item.amount for amount, item in zip(settled, waiting.items, strict=True))
        assert affordable(waiting.items, settled, waiting.funds)
        assert sum(result.balances.values()) == sum(waiting.funds.values())


@every_way
@given(queue=queues())
def test_everything_settles_when_it_can(way: str, queue: Queue) -> None:
    """All or nothing comes first, whatever the way."""
    result = settle_all([queue], way)[0]

    if affordable(queue.free, [item.amount for item in queue.free], queue.funds):
        assert result.settled == {item.id: item.amount for item in queue.free}


@settings(max_examples=60)
@given(queue=queues())
def test_whole_items_settle_as_much_as_trying_every_choice(queue: Queue) -> None:
    """Proven optimal, and not more or less than the best of all subsets."""
    result = settle_all([queue], "whole")[0]

    assert result.optimal
    assert result.settled_value == best(queue, itertools.product(*((0, item.amount) for item in queue.free)))
    assert all(result.settled.get(item.id, item.amount) == item.amount for item in queue.items)


@settings(max_examples=60)
@given(
    queue=st.one_of(queues(items_max=7, amount_max=6), queues(amount_max=3).map(lambda queue: replace(queue, funds={})))
)
def test_the_lists_of_combinations_leave_out_none_that_a_choice_can_have(queue: Queue) -> None:
    """Every choice that can be afforded is in all lists, and what was put aside settles in none."""
    certain, programs = prepare(queue.free, queue.funds)
    funds = dict(queue.funds)
    for item in certain:
        funds[item.debtor] = funds.get(item.debtor, 0) - item.amount
        funds[item.creditor] = funds.get(item.creditor, 0) + item.amount
    rest = [item for item in queue.free if item not in certain]

    for choice in itertools.product(*((0, item.amount) for item in rest)):
        if not affordable(rest, choice, funds):
            continue
        taken = {item.id for item, amount in zip(rest, choice, strict=True) if amount}
        for program in programs:
            counts = [sum(item.id in taken for item in lot) for lot in program.lots]
            for limit in program.limits:
                if limit.combinations is not None:
                    assert tuple(counts[lot] for lot in limit.weights) in limit.combinations
        assert taken <= {item.id for program in programs for lot in program.lots for item in lot}


@pytest.fixture(scope="module")
def solver() -> Iterator[SolverProcess]:
    """HiGHS, for all questions of this module."""
    with SolverProcess() as process:
        yield process


@settings(max_examples=40)
@given(queue=queues(), scale=st.sampled_from([1, 999_983, 10**10 + 19]), slack=st.integers(0, 1_000_000))
def test_neither_solver_proves_less_than_trying_every_choice_finds(
    solver: SolverProcess, queue: Queue, scale: int, slack: int
) -> None:
    """Each by itself and from amounts it can hold exactly to ones it cannot; where it can, it finds the best."""
    items = [replace(item, amount=item.amount * scale + number) for number, item in enumerate(queue.free)]
    funds = {name: available * scale + slack for name, available in queue.funds.items()}
    whole = Queue("CNY", items, funds)

    certain, programs = prepare(items, funds)
    by_cp_sat = by_highs = least_by_highs = sum(item.amount for item in certain)
    for program in programs:
        counts, proven = cp_sat.prove(program, 5.0)
        assert counts is not None
        assert program.allows(counts)
        assert program.value(counts) == proven
        by_cp_sat += proven * program.unit
        taken, most = highs.reading(program, solver.answered(highs.question(program, effort=100_000)))
        by_highs += most * program.unit
        if taken is not None and program.allows(taken):
            least_by_highs += program.value(taken) * program.unit

    real = best(whole, itertools.product(*((0, item.amount) for item in items)))
    assert by_cp_sat == real <= by_highs
    assert scale > 1_000_000 or least_by_highs == by_highs


@settings(max_examples=60)
@given(queue=queues(items_max=5, amount_max=4))
def test_divisible_items_settle_as_much_as_trying_every_part(queue: Queue) -> None:
    """Against every way to cut every item."""
    result = settle_all([queue], "divisible")[0]

    assert result.optimal
    assert result.settled_value == best(queue, itertools.product(*(range(item.amount + 1) for item in queue.free)))


@given(queue=queues())
def test_pro_rata_gives_each_creditor_the_fraction_of_its_debtor(queue: Queue) -> None:
    """To within one unit by item and by pair; and the fractions are the greatest everybody can keep to."""
    result = settle_all([queue], "pro-rata")[0]

    owed = pair_totals(queue.free)
    fractions = {name: Fraction(exact) for name, exact in clearing_fractions(owed, queue.funds).items()}
    paid_by_pair = dict.fromkeys(owed, 0)
    for item in queue.free:
        paid = result.settled.get(item.id, 0)
        assert abs(paid - item.amount * fractions[item.debtor]) < 1
        paid_by_pair[item.debtor, item.creditor] += paid
    for pair, amount in owed.items():
        assert abs(paid_by_pair[pair] - amount * fractions[pair[0]]) < 1
    for name, fraction in fractions.items():
        means = queue.funds.get(name, 0) + sum(a * fractions[d] for (d, c), a in owed.items() if c == name)
        payable = sum(amount for (debtor, _), amount in owed.items() if debtor == name)
        assert abs(fraction - min(Fraction(1), Fraction(means) / payable)) < Fraction(1, 10**40)


@settings(max_examples=50)
@given(queue=queues(amount_max=9))
def test_no_greater_fractions_could_be_kept_to(queue: Queue) -> None:
    """Everybody starting from paying all and giving in step by step comes to rest on the very same fractions."""
    owed = pair_totals(queue.free)
    payable: dict[str, int] = {}
    for (debtor, _), amount in owed.items():
        payable[debtor] = payable.get(debtor, 0) + amount

    stepwise = dict.fromkeys(payable, 1.0)
    for _ in range(3_000):
        means = dict.fromkeys(NAMES, 0.0) | dict(queue.funds)
        for (debtor, creditor), amount in owed.items():
            means[creditor] += amount * stepwise[debtor]
        stepwise = {name: min(1.0, means[name] / payable[name]) for name in payable}

    fractions = clearing_fractions(owed, queue.funds)
    assert all(abs(stepwise[name] - float(fractions[name])) < 1e-3 for name in payable)


@settings(max_examples=40)
@given(queue=queues())
def test_each_way_is_at_least_as_strict_as_the_next(queue: Queue) -> None:
    """Parts settle at least as much as whole items, and at least as much as equal fractions."""
    settled = {way: settle_all([queue], way)[0].settled_value for way in WAYS}

    assert settled["divisible"] >= max(settled["whole"], settled["pro-rata"])


@every_way
@settings(max_examples=25)
@given(queue=queues())
def test_the_same_queue_gives_the_same_bytes(way: str, queue: Queue) -> None:
    """Asked twice, the answer is the same document."""
    assert to_json(settle_all([queue], way)) == to_json(settle_all([queue], way))


@settings(max_examples=40)
@given(data=st.data(), queue=queues())
def test_which_whole_items_settle_does_not_depend_on_their_order(data: st.DataObject, queue: Queue) -> None:
    """Items that have ids can come in any order."""
    shuffled = Queue("CNY", data.draw(st.permutations(queue.items)), queue.funds)

    assert settle_all([queue], "whole")[0].settled == settle_all([shuffled], "whole")[0].settled
