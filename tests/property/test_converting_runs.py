"""Windows of several currencies, some of whose participants settle in one: nothing is lost, and each sums to zero."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from exchange.money.currencies import micros_per_minor
from settlement.fx.model import Basis, FxRate, FxSet, FxTerms
from settlement.run.canonical import canonical, configuration_of, parsed, written
from settlement.run.model import Adjusted, Configuration, CurrencyResult, Disputed, HeldOut
from settlement.run.rules import Inputs, calculate
from tests.unit.settlement.windows import FIRST_DAY, Total

NAMES = ["A", "B", "C", "OPR"]
CURRENCIES = ["CNY", "JPY", "USD"]
pairs = st.permutations(NAMES).map(lambda names: (names[0], names[1]))
totals = st.lists(
    st.builds(
        lambda pair, code, micros: Total(code, pair[0], pair[1], micros),
        pair=pairs,
        code=st.sampled_from(CURRENCIES),
        micros=st.integers(1, 90_000_000),
    ),
    max_size=8,
)
figures = st.integers(1, 500)


@st.composite
def how(draw: st.DrawFn) -> FxTerms:
    """Rates every way through dollars; who chose which currency."""
    ways = [("USD", "CNY"), ("USD", "JPY"), ("CNY", "USD"), ("JPY", "USD")]
    rates = tuple(FxRate(*way, draw(figures), draw(figures), "desk", "2026-03-01") for way in ways)
    into = draw(st.dictionaries(st.sampled_from(NAMES[:3]), st.sampled_from(CURRENCIES)))
    return FxTerms(FxSet("drawn", 1, "USD", rates), "d" * 64, draw(st.sampled_from(list(Basis))), into)


def disputes_of(draw: st.DrawFn, number: int, arose: list[Total], before: list[CurrencyResult]) -> Disputed:
    """Some of what arose is held out, some of what was held comes back, somebody owes beside it; in any currency."""
    owed: Counter[tuple[str, str, str]] = Counter()
    for total in arose:
        owed[total.debtor, total.creditor, total.currency] += total.micros // micros_per_minor(total.currency)
    held_out = [
        HeldOut(f"{number}-{place}", *key, draw(st.integers(1, whole)))
        for place, (key, whole) in enumerate(sorted(owed.items()))
        if whole and draw(st.booleans())
    ]
    waiting = sorted({item.dispute for one in before for item in one.held_items if item.dispute})
    released = [dispute for dispute in waiting if draw(st.booleans())]
    added = [
        Adjusted(f"{number}-{place}", *draw(pairs), draw(st.sampled_from(CURRENCIES)), draw(figures), "agreed")
        for place in range(draw(st.integers(0, 2)))
    ]
    return Disputed(tuple(held_out), tuple(released), tuple(added))


@st.composite
def windows(draw: st.DrawFn) -> list[Inputs]:
    """Up to three windows in a row, each with rates and choices of its own."""
    found: list[Inputs] = []
    before: list[CurrencyResult] = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        configuration = Configuration(
            minimums=dict.fromkeys(CURRENCIES, draw(st.sampled_from([0, 30, 3_000]))),
            maximum_carry_days=dict.fromkeys(CURRENCIES, draw(st.sampled_from([0, 5]))),
            excluded=draw(st.sampled_from([(), ("C",)])),
            waiting=draw(st.sampled_from([(), ("JPY",), ("CNY",)])),
            fx=draw(how()),
        )
        day = FIRST_DAY + timedelta(days=4 * number)
        arose = draw(totals)
        configuration = replace(configuration, disputed=disputes_of(draw, number, arose, before))
        inputs = Inputs(number, day, arose, before, configuration, "OPR")
        before = calculate(inputs)
        found.append(inputs)
    return found


def fx_of(inputs: Inputs) -> FxTerms:
    """How a window converts."""
    assert inputs.configuration.fx is not None
    return inputs.configuration.fx


@given(windows())
def test_every_currency_sums_to_zero_and_is_paid_or_carried_whole(row: list[Inputs]) -> None:
    """Receivable = payable; payments and carried items leave everybody with exactly their position."""
    for inputs in row:
        for one in calculate(inputs):
            assert sum(p.receivable for p in one.positions) == sum(p.payable for p in one.positions)
            nets = Counter({p.participant: p.receivable - p.payable for p in one.positions})
            left: Counter[str] = Counter()
            moves = [(p.payer, p.payee, p.amount) for p in one.payments]
            for debtor, creditor, amount in [*moves, *(item[:3] for item in one.carried)]:
                left[debtor] -= amount
                left[creditor] += amount
            assert {n: v for n, v in nets.items() if v} == {n: v for n, v in left.items() if v}


@given(windows())
def test_a_position_is_what_is_owed_and_what_conversion_made_of_it(row: list[Inputs]) -> None:
    """Told apart: pairs without a leg in them, and legs with the operator on one side."""
    for inputs in row:
        for one in calculate(inputs):
            position: Counter[str] = Counter()
            moves = [(p.debtor, p.creditor, p.gross - p.held) for p in one.pairs]
            for debtor, creditor, amount in [*moves, *(leg[:3] for leg in one.legs)]:
                position[debtor] -= amount
                position[creditor] += amount
            assert {p.participant: p.receivable - p.payable for p in one.positions} == {
                p.participant: position[p.participant] for p in one.positions
            }
            assert all("OPR" in leg[:2] and leg.amount > 0 for leg in one.legs)


@given(windows())
def test_what_is_disputed_waits_in_its_own_currency(row: list[Inputs]) -> None:
    """Whole, until its dispute has ended; no leg is made of it before."""
    waiting: dict[str, tuple[str, int]] = {}
    for inputs in row:
        disputed = inputs.configuration.disputed
        waiting |= {one.dispute: (one.currency, one.amount) for one in disputed.held_out}
        for dispute in disputed.released:
            del waiting[dispute]
        held = [(item.dispute, (one.currency, item.amount)) for one in calculate(inputs) for item in one.held_items]
        assert sorted(pair for pair in held if pair[0]) == sorted(waiting.items())


@given(windows())
def test_who_chose_a_currency_is_settled_in_no_other_that_is_due(row: list[Inputs]) -> None:
    """Its position there is zero; in its own it has what the basis makes of the others."""
    for inputs in row:
        fx, result = fx_of(inputs), {one.currency: one for one in calculate(inputs)}
        came: Counter[tuple[str, str]] = Counter()
        for one in result.values():
            for position in one.positions:
                chosen = fx.into.get(position.participant, one.currency)
                if one.currency not in (chosen, *inputs.configuration.waiting):
                    assert position.receivable == position.payable
            for conversion in one.converted:
                came[conversion.participant, conversion.into_currency] += conversion.by(fx.basis)
                assert one.currency not in inputs.configuration.waiting
        told: Counter[tuple[str, str]] = Counter()
        for one in result.values():
            for leg in one.legs:
                if leg.because != "converted_out":
                    name = leg.creditor if leg.debtor == "OPR" else leg.debtor
                    told[name, one.currency] += leg.amount if leg.creditor == name else -leg.amount
        assert (+came, -came) == (+told, -told)


@given(windows())
def test_no_age_is_made_younger_than_it_may_be(row: list[Inputs]) -> None:
    """What comes in from another currency keeps the age of what it was, so that it is paid in time."""
    for inputs in row:
        for one in calculate(inputs):
            limit = inputs.configuration.maximum_carry_days[one.currency]
            for item in one.carried:
                age = (inputs.closed_on - date.fromisoformat(item.since)).days
                assert not limit or item.because != "minimum" or age < limit


@given(st.data(), windows())
def test_the_order_of_input_changes_no_byte_and_it_reads_back(data: st.DataObject, row: list[Inputs]) -> None:
    """With the rates in another order too; the configuration reads back with its rates."""
    inputs = row[-1]
    shuffled = replace(inputs, totals=data.draw(st.permutations(inputs.totals)))

    document = canonical(inputs, None, calculate(inputs))

    assert canonical(shuffled, None, calculate(shuffled)) == document
    assert canonical(inputs, None, parsed(document.decode(), FIRST_DAY)) == document
    again = written(configuration_of(json.loads(json.dumps(written(inputs.configuration)))))
    assert again == written(inputs.configuration)
