"""Rules of the funds book: what goes where, what covers what, and what a run's payers lack."""

from datetime import date

import pytest

from settlement.funds import rules
from settlement.funds.content import movement_of, plain_movement, plain_terms, terms_of
from settlement.funds.model import (
    Account,
    CurrencyTerms,
    FundsMovement,
    FundsTerms,
    Liquidity,
    Posting,
    Purpose,
    Residual,
    Shortfall,
    Way,
)
from settlement.run.model import Configuration, CurrencyResult
from settlement.run.rules import Inputs, calculate
from tests.unit.settlement.settlements import PERIOD_A, owed

CLEARING, OWN = Account("OPR", Purpose.CLEARING_ACCOUNT), Account("OPR", Purpose.OWN_ACCOUNT)


def moved(way: Way, participant: str, purpose: Purpose, amount: int) -> Posting:
    """What a movement of fen posts."""
    movement = FundsMovement(way, participant, purpose, "CNY", amount, "B-1", date(2026, 3, 2))
    return rules.posting_of(movement, "OPR")


def period_a() -> list[CurrencyResult]:
    """The rulebook's first period, netted: GRO, BNK and CAF pay, TEL and AIR are paid."""
    return calculate(Inputs(1, date(2026, 4, 1), PERIOD_A, (), Configuration(), "OPR"))


def test_a_deposit_debits_the_bank_and_a_withdrawal_credits_it() -> None:
    """Only the operator's own money lies on its own account; its layer lies with everybody's."""
    gro = Account("GRO", Purpose.PREFUNDING)

    assert moved(Way.DEPOSIT, "GRO", Purpose.PREFUNDING, 5)[2:4] == (CLEARING, gro)
    assert moved(Way.WITHDRAWAL, "GRO", Purpose.PREFUNDING, 5)[2:4] == (gro, CLEARING)
    assert moved(Way.DEPOSIT, "OPR", Purpose.OPERATOR_OWN, 5).debit == OWN
    assert moved(Way.DEPOSIT, "OPR", Purpose.OPERATOR_LAYER, 5).debit == CLEARING


def test_every_account_grows_on_its_own_side() -> None:
    """At a bank by debits, of a participant by credits."""
    book = rules.posted(
        {},
        [
            moved(Way.DEPOSIT, "GRO", Purpose.PREFUNDING, 500),
            moved(Way.WITHDRAWAL, "GRO", Purpose.PREFUNDING, 200),
            moved(Way.DEPOSIT, "OPR", Purpose.OPERATOR_OWN, 70),
        ],
    )

    assert book == {
        ("CNY", CLEARING): 300,
        ("CNY", Account("GRO", Purpose.PREFUNDING)): 300,
        ("CNY", OWN): 70,
        ("CNY", Account("OPR", Purpose.OPERATOR_OWN)): 70,
    }
    assert rules.unsound(book) == []


def test_a_book_whose_accounts_do_not_hold_what_they_owe_is_not_sound() -> None:
    """Participants' money on the operator's account, and an account below nothing, are told by name."""
    book = {
        ("CNY", OWN): 5,
        ("CNY", Account("GRO", Purpose.PREFUNDING)): 5,
        ("CNY", Account("TEL", Purpose.COLLATERAL)): -1,
    }

    assert rules.unsound(book) == [
        "CNY TEL collateral is below 0",
        "CNY clearing_account has 0 and owes 4",
        "CNY own_account has 5 and owes 0",
    ]


def test_a_cap_is_a_share_of_prefunding_and_collateral() -> None:
    """Rounded down; the guarantee contribution stands in for others and gives no room of one's own."""
    book = {
        ("CNY", Account("GRO", Purpose.PREFUNDING)): 100,
        ("CNY", Account("GRO", Purpose.COLLATERAL)): 11,
        ("CNY", Account("GRO", Purpose.GUARANTEE)): 1_000,
    }

    caps = [rules.cap(book, CurrencyTerms("CNY", cap_bps=bps), "GRO") for bps in (0, 5_000, 10_000, 15_000)]

    assert caps == [0, 55, 111, 166]


def test_caps_bind_whoever_ever_left_anything_where_the_terms_say_so() -> None:
    """Also who took it back; a guarantee contribution is no reason."""
    book = {
        ("CNY", Account("GRO", Purpose.PREFUNDING)): 100,
        ("CNY", Account("GRO", Purpose.COLLATERAL)): 50,
        ("CNY", Account("TEL", Purpose.COLLATERAL)): 0,
        ("CNY", Account("AIR", Purpose.GUARANTEE)): 70,
        ("USD", Account("AIR", Purpose.PREFUNDING)): 70,
    }

    binding = rules.binding_caps(book, FundsTerms([CurrencyTerms("CNY", cap_bps=5_000, cap_binds=True)]))

    assert binding == {("CNY", "GRO"): 75, ("CNY", "TEL"): 0}


def test_everything_moves_at_once_so_the_clearing_account_needs_nothing() -> None:
    """What debtors have is all that counts: with enough nothing is missing, and all payments can be made."""
    book = {
        ("CNY", Account(name, Purpose.PREFUNDING)): amount
        for name, amount in (("GRO", 71_655), ("BNK", 60_000), ("CAF", 100))
    }

    (check,) = rules.liquidity(period_a(), book, FundsTerms(), "OPR")

    assert (check.to_pay, check.missing, check.shortfalls) == (131_755, 0, [])
    assert check.settles_now == check.payments == 2 * 131_755


@pytest.mark.parametrize(("collateral_pays", "missing"), [(True, 0), (False, 60_000)])
def test_collateral_pays_where_the_terms_say_so(*, collateral_pays: bool, missing: int) -> None:
    """BNK has left its ¥600.00 as collateral."""
    book = {
        ("CNY", Account("GRO", Purpose.PREFUNDING)): 71_655,
        ("CNY", Account("CAF", Purpose.PREFUNDING)): 100,
        ("CNY", Account("BNK", Purpose.COLLATERAL)): 60_000,
    }
    terms = FundsTerms([CurrencyTerms("CNY", Liquidity.REFUSE, collateral_pays=collateral_pays)])

    (check,) = rules.liquidity(period_a(), book, terms, "OPR")

    assert (check.demands, check.missing) == (Liquidity.REFUSE, missing)


def test_the_operator_pays_with_its_own_and_with_nobody_elses() -> None:
    """It owes TEL ¥1.00 net: its layer on the clearing account is not for that."""
    result = calculate(Inputs(1, date(2026, 4, 1), [owed("OPR", "TEL", "fee", 100)], (), Configuration(), "OPR"))
    layer = {("CNY", Account("OPR", Purpose.OPERATOR_LAYER)): 100}
    own = {("CNY", Account("OPR", Purpose.OPERATOR_OWN)): 100}

    (with_layer,) = rules.liquidity(result, layer, FundsTerms(), "OPR")
    (with_own,) = rules.liquidity(result, own, FundsTerms(), "OPR")

    assert with_layer.shortfalls == [Shortfall("OPR", 100, 0)]
    assert with_own.shortfalls == []


def test_documents_are_read_back_as_they_were_written() -> None:
    """Both kinds, with nothing left at what it is when left out."""
    movement = FundsMovement(Way.WITHDRAWAL, "GRO", Purpose.GUARANTEE, "JPY", 7, "B-9", date(2026, 2, 28))
    terms = FundsTerms([CurrencyTerms("CNY", Liquidity.REFUSE, True, 12_000, 5_000, Residual.CREDITORS, True)])

    assert movement_of(plain_movement(movement)) == movement
    assert terms_of(plain_terms(terms)) == terms
