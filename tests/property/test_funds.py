"""Whatever is booked: each bank account holds what is owed of it, and a check agrees with what is shown of it."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from settlement.funds import rules
from settlement.funds.model import (
    OF_OPERATOR,
    OF_PARTICIPANTS,
    Account,
    CurrencyTerms,
    FundsMovement,
    FundsTerms,
    Purpose,
    Way,
)
from settlement.netting.registry import MODES
from settlement.run.model import Configuration
from settlement.run.rules import Inputs, calculate
from tests.unit.settlement.settlements import owed

NAMES = ("AIR", "BNK", "CAF", "GRO", "TEL")
DAY = date(2026, 3, 2)


@st.composite
def movements(draw: st.DrawFn) -> list[FundsMovement]:
    """Deposits and withdrawals, each possible when its turn comes."""
    found: list[FundsMovement] = []
    there: dict[tuple[str, Purpose, str], int] = {}
    for number in range(draw(st.integers(0, 20))):
        purpose = draw(st.sampled_from((*OF_PARTICIPANTS, *OF_OPERATOR)))
        name = "OPR" if purpose in OF_OPERATOR else draw(st.sampled_from(NAMES))
        key = (name, purpose, draw(st.sampled_from(("CNY", "USD"))))
        has = there.get(key, 0)
        leaves = bool(has) and draw(st.booleans())
        amount = draw(st.integers(1, has if leaves else 10**9))
        there[key] = has - amount if leaves else has + amount
        way = Way.WITHDRAWAL if leaves else Way.DEPOSIT
        found.append(FundsMovement(way, name, purpose, key[2], amount, f"B-{number}", DAY))
    return found


@given(movements())
def test_bank_accounts_hold_what_is_owed_of_them_whatever_is_booked(booked: list[FundsMovement]) -> None:
    """And participants' money is never on the operator's account, nor the other way round."""
    book = rules.posted({}, [rules.posting_of(one, "OPR") for one in booked])

    assert rules.unsound(book) == []
    for held, owing in rules.sides(book).values():
        assert held == owing


@given(
    debts=st.dictionaries(
        st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1]),
        st.integers(1, 10**6),
        max_size=12,
    ),
    funds=st.dictionaries(st.sampled_from(NAMES), st.integers(0, 10**6)),
    mode=st.sampled_from(sorted(MODES)),
)
def test_what_is_missing_and_what_settles_agree(
    debts: dict[tuple[str, str], int], funds: dict[str, int], mode: str
) -> None:
    """Everything settles exactly when nothing is missing; with what is missing added, everything does."""
    totals = [owed(debtor, creditor, "earn", amount) for (debtor, creditor), amount in debts.items()]
    result = calculate(Inputs(1, DAY, totals, (), Configuration(mode=mode), "OPR"))
    book = {("CNY", Account(name, Purpose.PREFUNDING)): amount for name, amount in funds.items()}
    terms = FundsTerms([CurrencyTerms("CNY")])

    for check in rules.liquidity(result, book, terms, "OPR"):
        assert (check.missing == 0) == (check.settles_now == check.payments)
        enough = dict(book)
        for short in check.shortfalls:
            assert short.missing > 0
            key = ("CNY", Account(short.participant, Purpose.PREFUNDING))
            enough[key] = enough.get(key, 0) + short.missing
        (again,) = rules.liquidity(result, enough, terms, "OPR")
        assert again.missing == 0
