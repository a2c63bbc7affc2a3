"""Windows one after the other: whatever is carried, held, released or forced out, nothing is lost or doubled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from settlement.netting.registry import MODES
from settlement.run.canonical import canonical, parsed
from settlement.run.legal import BY_MODE
from settlement.run.model import Adjusted, CarryFigures, Configuration, CurrencyResult, Disputed, HeldOut
from settlement.run.rules import Inputs, calculate
from tests.unit.settlement.windows import FEN, FIRST_DAY, Total

NAMES = ["A", "B", "C", "D", "OPR"]
pairs = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1])
totals = st.lists(
    st.builds(lambda pair, micros: Total("CNY", pair[0], pair[1], micros), pair=pairs, micros=st.integers(1, 60 * FEN)),
    max_size=6,
)
some_names = st.sets(st.sampled_from(NAMES[:4]), max_size=2).map(lambda names: tuple(sorted(names)))
adjustments = st.lists(
    st.builds(
        lambda pair, amount: Adjusted("", pair[0], pair[1], "CNY", amount, "agreed"),
        pair=pairs,
        amount=st.integers(1, 60),
    ),
    max_size=2,
)
waits = st.booleans().map(lambda waiting: ("CNY",) if waiting else ())


def disputes_of(draw: st.DrawFn, number: int, arose: list[Total], before: list[CurrencyResult]) -> Disputed:
    """Some of what arose is held out, some of what was held comes back, somebody owes beside it."""
    owed: Counter[tuple[str, str]] = Counter()
    for total in arose:
        owed[total.debtor, total.creditor] += total.micros // FEN
    held_out = [
        HeldOut(f"{number}-{place}", debtor, creditor, "CNY", draw(st.integers(1, whole)))
        for place, ((debtor, creditor), whole) in enumerate(sorted(owed.items()))
        if whole and draw(st.booleans())
    ]
    waiting = sorted({item.dispute for one in before for item in one.held_items if item.dispute})
    released = [dispute for dispute in waiting if draw(st.booleans())]
    added = [one._replace(adjustment=f"{number}-{place}") for place, one in enumerate(draw(adjustments))]
    return Disputed(tuple(held_out), tuple(released), tuple(added))


@st.composite
def a_row_of_windows(draw: st.DrawFn) -> list[Inputs]:
    """Inputs of up to five windows, each of the one before."""
    found: list[Inputs] = []
    day: date = FIRST_DAY
    before: list[CurrencyResult] = []
    for number in range(1, draw(st.integers(1, 5)) + 1):
        mode = draw(st.sampled_from(sorted(MODES)))
        day += timedelta(days=draw(st.integers(0, 20)))
        configuration = Configuration(
            mode=mode,
            legal_model=BY_MODE[mode],
            minimums={"CNY": draw(st.sampled_from([0, 20, 100]))},
            maximum_carry_days={"CNY": draw(st.sampled_from([0, 10, 30]))},
            excluded=draw(some_names),
            released=draw(some_names),
            waiting=draw(waits),
        )
        arose = draw(totals)
        configuration = replace(configuration, disputed=disputes_of(draw, number, arose, before))
        inputs = Inputs(number, day, arose, before, configuration, "OPR")
        before = calculate(inputs)
        found.append(inputs)
    return found


def left(one: CurrencyResult) -> list[CarryFigures]:
    """All that leaves for the next window."""
    return [*one.carried, *one.held_items]


def by_participant(rows: Iterable[tuple[str, str, int]]) -> Counter[str]:
    """What each is owed less what it owes, zero left out."""
    found: Counter[str] = Counter()
    for debtor, creditor, amount in rows:
        found[debtor] -= amount
        found[creditor] += amount
    return Counter({name: net for name, net in found.items() if net})


@given(a_row_of_windows())
def test_what_leaves_a_window_enters_the_next(row: list[Inputs]) -> None:
    """Item by item, with its age; nothing comes in that did not leave."""
    for inputs in row:
        old = [item for one in inputs.before for item in left(one)]
        came_in = [item for one in calculate(inputs) for item in (*one.carried_in, *one.held_in)]
        assert sorted(came_in) == sorted(old)


@given(a_row_of_windows())
def test_over_all_windows_everybody_is_left_with_what_arose(row: list[Inputs]) -> None:
    """Rounded claims less debts of all windows = what was received less paid + what still waits."""
    arose: Counter[str] = Counter()
    settled: Counter[str] = Counter()
    last: list[CurrencyResult] = []
    for inputs in row:
        last = calculate(inputs)
        for one in last:
            new = [(p.debtor, p.creditor, p.arisen + p.adjusted) for p in one.pairs]
            arose.update(by_participant(new))
            settled.update(by_participant((p.payer, p.payee, p.amount) for p in one.payments))
    settled.update(by_participant((item.debtor, item.creditor, item.amount) for one in last for item in left(one)))

    assert {n: v for n, v in arose.items() if v} == {n: v for n, v in settled.items() if v}


@given(a_row_of_windows())
def test_a_window_adds_up(row: list[Inputs]) -> None:
    """Gross = offset + settled + carried + held, in all and for each participant; exact = rounded and its residue."""
    for one in calculate(row[-1]):
        assert one.gross == sum(pair.gross for pair in one.pairs)
        assert one.held == sum(pair.held for pair in one.pairs) == sum(item.amount for item in one.held_items)
        assert sum(p.receivable for p in one.positions) == sum(p.payable for p in one.positions) == one.gross - one.held
        for position in one.positions:
            legs = [p.amount for p in one.payments if position.participant in {p.payer, p.payee}]
            waits = [i.amount for i in one.carried if position.participant in {i.debtor, i.creditor}]
            if position.participant != "OPR":
                offset = position.receivable + position.payable - sum(legs) - sum(waits)
                assert offset >= 0
                assert offset % 2 == 0, "what is set off is so much owed and so much claimed"
        exact = Counter({(p.debtor, p.creditor): p.micros for p in one.pairs})
        rounded = Counter({(p.debtor, p.creditor): p.arisen * FEN for p in one.pairs})
        assert by_participant((*pair, micros) for pair, micros in exact.items()) == by_participant(
            [*((*pair, micros) for pair, micros in rounded.items()), *one.residue]
        )
        assert all(0 < item.micros <= FEN // 2 for item in one.residue)


@given(a_row_of_windows())
def test_nothing_waits_longer_than_it_may_nor_is_carried_that_could_be_paid(row: list[Inputs]) -> None:
    """What is carried as too small is below the minimum and younger than the limit; ages never lie in the future."""
    inputs = row[-1]
    least = inputs.configuration.minimums["CNY"]
    limit = inputs.configuration.maximum_carry_days["CNY"]
    for one in calculate(inputs):
        small: Counter[tuple[str, str]] = Counter()
        for item in one.carried:
            age = (inputs.closed_on - date.fromisoformat(item.since)).days
            assert 1 <= item.since_window <= inputs.window_no
            assert age >= 0
            if item.because == "minimum":
                small[item.debtor, item.creditor] += item.amount
                assert not limit or age < limit
        assert all(0 < amount < least for amount in small.values())


@given(a_row_of_windows())
def test_an_excluded_participant_neither_pays_nor_is_paid(row: list[Inputs]) -> None:
    """And what is held is released only by name, for everybody it is held for."""
    for inputs in row:
        out = set(inputs.configuration.excluded)
        for one in calculate(inputs):
            assert not out & {name for payment in one.payments for name in (payment.payer, payment.payee)}
            assert not out & {name for item in one.carried for name in (item.debtor, item.creditor)}
            stays = [item for item in one.held_in if not set(item.parties) <= set(inputs.configuration.released)]
            held = Counter({(i.debtor, i.creditor, i.since_window): 0 for i in one.held_items})
            for item in one.held_items:
                held[item.debtor, item.creditor, item.since_window] += item.amount
            for item in stays:
                assert held[item.debtor, item.creditor, item.since_window] >= item.amount


@given(st.data(), a_row_of_windows())
def test_the_order_in_which_totals_come_changes_no_byte(data: st.DataObject, row: list[Inputs]) -> None:
    """And what was written reads back as it was."""
    inputs = row[-1]
    shuffled = replace(inputs, totals=data.draw(st.permutations(inputs.totals)))

    document = canonical(inputs, None, calculate(inputs))

    assert canonical(shuffled, None, calculate(shuffled)) == document
    assert canonical(inputs, None, parsed(document.decode(), FIRST_DAY)) == document


@given(a_row_of_windows())
def test_what_is_disputed_is_held_exactly_until_it_is_released(row: list[Inputs]) -> None:
    """Dispute by dispute, whoever is excluded or released meanwhile; what is held is never netted nor lost."""
    waiting: Counter[str] = Counter()
    for inputs in row:
        disputed = inputs.configuration.disputed
        for dispute in disputed.released:
            del waiting[dispute]
        waiting.update({one.dispute: one.amount for one in disputed.held_out})
        held: Counter[str] = Counter()
        for one in calculate(inputs):
            held.update({item.dispute: item.amount for item in one.held_items if item.dispute})
            assert all((item.because == "disputed") == bool(item.dispute) for item in one.held_items)
            assert sum(pair.adjusted for pair in one.pairs) == sum(a.amount for a in disputed.adjustments)
        assert held == waiting
