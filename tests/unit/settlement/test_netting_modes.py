"""What each netting mode does with small windows one can check by hand."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from settlement.netting.direct import fewest_payments
from settlement.netting.model import Carry, Gross, NettingResult, Obligation, Payment, Terms
from settlement.netting.registry import MODES, net_all
from settlement.netting.tally import tally

PERIOD_A = "GRO>TEL 144000, CAF>AIR 50100, TEL>CAF 50000, BNK>GRO 60000, TEL>GRO 12345, AIR>TEL 20000"
PERIOD_B = "GRO>TEL 720, CAF>TEL 1080, TEL>BNK 1000, TEL>GRO 240, CAF>GRO 400, GRO>BNK 4590"
NAMES_BEYOND_EXACT = [f"M{number:02}" for number in range(40)]


def window(text: str, *, currency: str = "CNY") -> Gross:
    """`A>B 50, B>C 30 held` as one currency's obligations."""
    return tally(_obligations(text, currency))[currency]


def _obligations(text: str, currency: str) -> Iterable[Obligation]:
    for item in text.split(", "):
        pair, amount, *held = item.split()
        debtor, creditor = pair.split(">")
        yield Obligation(debtor, creditor, currency, int(amount), held=bool(held))


def net(text: str, mode: str, *, minimum: int = 0) -> NettingResult:
    """A window in words, netted."""
    return MODES[mode](window(text), Terms(minimum=minimum))


def paid(result: NettingResult) -> list[str]:
    """The payments in the same words."""
    return [f"{p.payer}>{p.payee} {p.amount}" for p in result.payments]


@pytest.mark.parametrize("mode", MODES)
def test_period_a_of_the_rulebook_has_the_same_positions_in_every_mode(mode: str) -> None:
    """Nets, gross and what must move at least are facts of the window; a mode only decides who pays whom."""
    result = net(PERIOD_A, mode)

    assert result.nets == {"AIR": 30_100, "BNK": -60_000, "CAF": -100, "GRO": -71_655, "TEL": 101_655}
    assert (result.gross, result.net_needed) == (336_445, 131_755)
    assert result.pairs[("GRO", "TEL")] == 131_655


@pytest.mark.parametrize("mode", MODES)
def test_period_b_of_the_rulebook_has_the_same_positions_in_every_mode(mode: str) -> None:
    """The second worked period: 6 150 is paid."""
    result = net(PERIOD_B, mode)

    assert result.nets == {"BNK": 5_590, "CAF": -1_480, "GRO": -4_670, "TEL": 560}
    assert result.net_needed == 6_150


def test_the_star_saves_what_the_rulebook_says() -> None:
    """Period A: 204 690 of 336 445 needs no payment, 60.84 %."""
    result = net(PERIOD_A, "multilateral")

    assert (result.left, result.offset) == (131_755, 204_690)


def test_gross_pays_each_directed_pair_in_full() -> None:
    """Nothing is set off, not even between two who owe each other."""
    result = net("A>B 100, B>A 70, A>B 5", "gross")

    assert paid(result) == ["A>B 105", "B>A 70"]
    assert result.offset == 0


def test_bilateral_pays_the_difference_of_each_pair() -> None:
    """A pair that owes each other the same is settled without a payment."""
    result = net("A>B 100, B>A 70, B>C 40, C>B 40", "bilateral")

    assert paid(result) == ["A>B 30"]
    assert result.pairs == {("A", "B"): 30}


def test_multilateral_goes_through_the_clearing_account() -> None:
    """Debtors pay in, creditors are paid out, and who comes to zero does neither."""
    result = net("A>B 100, B>C 100, C>D 60", "multilateral")

    assert paid(result) == ["A>OPR 100", "OPR>C 40", "OPR>D 60"]


def test_the_operator_keeps_its_own_net_in_the_clearing_account() -> None:
    """The operator earns conversion spread: it does not pay itself, its part stays in the account."""
    result = net("A>OPR 30, A>B 70", "multilateral")

    assert paid(result) == ["A>OPR 100", "OPR>B 70"]
    assert result.nets["OPR"] == 30


def test_multilateral_carries_small_nets_against_the_operator() -> None:
    """CAF owes 100 and waits; the others are settled in full, so the operator bridges 100 and CAF owes it."""
    result = net(PERIOD_A, "multilateral", minimum=101)

    assert result.carried == (Carry("CAF", "OPR", 100),)
    assert paid(result) == ["BNK>OPR 60000", "GRO>OPR 71655", "OPR>AIR 30100", "OPR>TEL 101655"]


def test_a_small_creditor_is_owed_by_the_operator() -> None:
    """What a creditor does not get yet is a debt of the clearing account, never a lost entry."""
    result = net("A>B 100, A>C 5", "multilateral", minimum=10)

    assert result.carried == (Carry("OPR", "C", 5),)
    assert paid(result) == ["A>OPR 105", "OPR>B 100"]


@pytest.mark.parametrize("mode", MODES)
def test_exactly_the_minimum_is_paid(mode: str) -> None:
    """The minimum is the least that is paid, not the most that is carried."""
    result = net("A>B 100", mode, minimum=100)

    assert result.carried == ()


@pytest.mark.parametrize("mode", ["gross", "bilateral", "direct", "setoff"])
def test_other_modes_carry_small_payments_between_the_same_two(mode: str) -> None:
    """Without a clearing account in the middle the paired item stays between debtor and creditor."""
    result = net("A>B 100, A>C 5", mode, minimum=10)

    assert result.carried == (Carry("A", "C", 5),)
    assert paid(result) == ["A>B 100"]


def test_held_items_count_in_gross_and_are_not_netted() -> None:
    """Held means shown: it is part of what came in, and of nothing else."""
    result = net("A>B 100, B>A 1000 held", "bilateral")

    assert (result.gross, result.held, result.bilateral) == (1_100, 1_000, 100)
    assert result.nets == {"A": -100, "B": 100}
    assert paid(result) == ["A>B 100"]


def test_a_currency_with_only_held_items_still_gets_its_figures() -> None:
    """An empty window settles without a payment and is reported all the same."""
    result = net("A>B 100 held", "setoff")

    assert (result.gross, result.held, result.payments, result.nets) == (100, 100, (), {})


def test_direct_finds_the_groups_that_settle_among_themselves() -> None:
    """Three groups of three need six payments; paying the largest first would make it eight."""
    nets = {"A": -18, "B": 3, "C": 15, "D": -13, "E": 6, "F": 7, "G": -11, "H": 2, "I": 9}

    payments = fewest_payments(nets)

    assert [f"{debtor}>{creditor} {amount}" for (debtor, creditor), amount in payments.items()] == [
        "A>B 3",
        "A>C 15",
        "D>E 6",
        "D>F 7",
        "G>H 2",
        "G>I 9",
    ]


def test_direct_pays_exact_opposites_first_however_many_there_are() -> None:
    """Twenty pairs of opposites are twenty payments, also beyond the exact search."""
    debts = {name: -(100 + number) for number, name in enumerate(NAMES_BEYOND_EXACT[:20])}
    claims = {name: 100 + number for number, name in enumerate(NAMES_BEYOND_EXACT[20:])}

    payments = fewest_payments(debts | claims)

    assert len(payments) == 20


def test_direct_stays_below_the_number_of_participants_when_the_exact_search_is_too_long() -> None:
    """Greedy closes one participant with every payment and two with the last."""
    nets = {name: -(number + 1) for number, name in enumerate(NAMES_BEYOND_EXACT[:-1])}
    nets[NAMES_BEYOND_EXACT[-1]] = -sum(nets.values())

    payments = fewest_payments(nets)

    assert len(payments) == len(nets) - 1


def test_set_off_clears_a_cycle_and_leaves_debts_with_who_owed_them() -> None:
    """A owes B owes C owes A: the smallest debt of the cycle falls off all three."""
    result = net("A>B 100, B>C 80, C>A 60", "setoff")

    assert result.set_off is not None
    assert result.set_off.cleared == 180
    assert result.set_off.remainder == {("A", "B"): 40, ("B", "C"): 20}
    assert paid(result) == ["A>B 40", "B>C 20"]


def test_set_off_takes_the_long_cycle_when_it_clears_more() -> None:
    """Taking the short cycle A>B>A first would block the long one, which clears 40 instead of 20."""
    result = net("A>B 10, B>A 10, B>C 10, C>D 10, D>A 10", "setoff")

    assert result.set_off is not None
    assert result.set_off.cleared == 40


def test_set_off_proves_its_answer() -> None:
    """The certificate's ceiling, worked out here from the raw obligations, is what was cleared."""
    result = net(PERIOD_A, "setoff")

    assert result.set_off is not None
    pi = result.set_off.certificate
    ceiling = sum(amount * max(0, 1 - (pi[d] - pi[c])) for (d, c), amount in window(PERIOD_A).pairs.items())
    assert ceiling == result.set_off.cleared == 84_690


def test_set_off_names_everybody_in_its_certificate() -> None:
    """Those of held items too, so that whoever checks the file misses no name."""
    result = net("A>B 1, C>D 1 held", "setoff")

    assert result.set_off is not None
    assert list(result.set_off.certificate) == ["A", "B", "C", "D"]


def test_set_off_of_sums_beyond_64_bits_is_exact() -> None:
    """A ring of the largest amounts a file may have, but for a few units: the least of them goes round in full."""
    most = 2**63 - 1

    result = net(f"A>B {most}, A>C {most}, B>C {most - 3}, C>A {most - 7}, C>D {most}", "setoff")

    assert result.set_off is not None
    assert result.set_off.cleared == 3 * (most - 7)
    assert result.set_off.remainder[("C", "D")] == most


@pytest.mark.parametrize("mode", ["gross", "bilateral", "multilateral", "direct"])
def test_sums_beyond_64_bits_are_exact_where_no_solver_is_needed(mode: str) -> None:
    """Whole numbers here have no upper end."""
    result = net(f"A>B {2**63 - 1}, A>C {2**63 - 1}", mode)

    assert result.nets["A"] == -(2**64 - 2)


def test_currencies_never_mix() -> None:
    """What A owes B in yuan is not set off against what B owes A in yen."""
    obligations = [Obligation("A", "B", "JPY", 100), Obligation("B", "A", "CNY", 100)]

    results = net_all(tally(obligations), "bilateral", Terms())

    assert [(r.currency, r.payments) for r in results] == [
        ("CNY", (Payment("B", "A", 100),)),
        ("JPY", (Payment("A", "B", 100),)),
    ]
