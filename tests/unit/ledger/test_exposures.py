"""What postings make of capped merchants' exposure; a property over any sequence of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.ledger.exposures import Exposure, Exposures, NotLocked
from exchange.ledger.model import OWN_REQUESTS, Command, Obligation, ObligationKind, Posting
from exchange.movements import RULES
from exchange.refusals import NetDebitCapExceeded
from tests.unit.rules.days import Day, capture, hold, release
from tests.unit.rules.rulebook import MERCHANT_NO, earn, lot, member

GRO, TEL, CAF = MERCHANT_NO["GRO"], MERCHANT_NO["TEL"], MERCHANT_NO["CAF"]


def owes(debtor: int, creditor: int, micros: int, currency: str = "CNY") -> Obligation:
    """Debtor owes creditor so much."""
    return Obligation(ObligationKind.EARN, debtor, creditor, currency, micros)


def exposures(**caps: int) -> Exposures:
    """`exposures(GRO=100)`: whoever is named has a cap in yuan and owes nothing yet."""
    locked = {(MERCHANT_NO[name], "CNY"): Exposure(micros, 0, 0, 0) for name, micros in caps.items()}
    return Exposures(frozenset(locked), locked, lambda number: f"merchants/{number}")


def take(these: Exposures, *obligations: Obligation, own: bool = False, **others: Any) -> None:
    """Post it if there is room."""
    posting = Posting(legs=[], obligations=list(obligations), **others)
    command = earn("1 TEL", "GRO", key=f"{OWN_REQUESTS}x" if own else None)
    these.require_room(command, posting, member())
    these.use(command, posting, member())


def test_the_very_cap_may_be_owed_and_not_a_micro_unit_more() -> None:
    """At the cap there is no headroom."""
    these = exposures(GRO=100)
    take(these, owes(GRO, TEL, 99))

    take(these, owes(GRO, TEL, 1))
    with pytest.raises(NetDebitCapExceeded) as refused:
        take(these, owes(GRO, TEL, 1))

    assert refused.value.data["headroom"] == "0"
    assert these.changed() == [(GRO, "CNY", 100, 0, 0)]


def test_only_the_net_of_a_posting_counts() -> None:
    """Owing and being owed at once; another settlement currency is another matter."""
    these = exposures(GRO=10)

    take(these, owes(GRO, TEL, 50), owes(CAF, GRO, 40), owes(GRO, TEL, 1_000, "USD"))

    assert these.changed() == [(GRO, "CNY", 50, 40, 0)]


def test_above_a_cap_only_what_lowers_the_exposure_is_taken() -> None:
    """A cap set below what is owed, or what the exchange did by itself."""
    these = exposures(GRO=10)
    take(these, owes(GRO, TEL, 500), own=True)

    take(these, owes(TEL, GRO, 1))
    take(these, owes(GRO, TEL, 5), owes(TEL, GRO, 5))

    with pytest.raises(NetDebitCapExceeded):
        take(these, owes(GRO, TEL, 5), owes(TEL, GRO, 4))


def test_a_merchant_nobody_foresaw_is_told_apart_from_one_without_a_cap() -> None:
    """Its row must be locked before anything is decided on it, also when it only comes to be owed."""
    these = Exposures(frozenset({(GRO, "CNY")}), {}, str)

    take(these, owes(CAF, TEL, 5))
    for posting in ((owes(GRO, TEL, 5),), (owes(TEL, GRO, 5),)):
        with pytest.raises(NotLocked):
            take(these, *posting)


def decided(day: Day, command: Command) -> Posting:
    """What its rule says, carried out nowhere."""
    return RULES[type(command)](command, day.facts, day.world)


def test_a_hold_promises_what_its_end_frees() -> None:
    """Whole, whether captured in part or given back: at the frozen price, and nothing at the issuer's own."""
    for end in (capture, release):
        day = Day(facts=member(TEL=[lot(300), lot(200)]))
        promised = decided(day, hold("400 TEL", "CAF"))
        held = day.do(hold("400 TEL", "CAF"))

        freed = decided(day, end(held))

        assert promised.promised == freed.freed
        assert [(one.debtor_no, one.creditor_no, one.micros) for one in freed.freed] == [(TEL, CAF, 4_000_000)]
    assert not decided(Day(facts=member(TEL=500)), hold("400 TEL", "TEL")).promised


PARTIES = st.sampled_from([GRO, TEL, CAF])
POSTINGS = st.lists(st.tuples(PARTIES, PARTIES, st.integers(1, 60)).filter(lambda one: one[0] != one[1]), max_size=40)


@given(POSTINGS, st.integers(0, 100), st.integers(0, 100))
def test_no_sequence_of_postings_passes_a_cap(postings: list[tuple[int, int, int]], gro: int, tel: int) -> None:
    """Whatever is refused would have passed one, and whatever is taken is counted exactly."""
    these = exposures(GRO=gro, TEL=tel)
    net, caps = {GRO: 0, TEL: 0, CAF: 0}, {GRO: gro, TEL: tel}

    for debtor, creditor, micros in postings:
        fits = debtor not in caps or net[debtor] + micros <= caps[debtor]
        try:
            take(these, owes(debtor, creditor, micros))
        except NetDebitCapExceeded:
            assert not fits
        else:
            assert fits
            net[debtor] += micros
            net[creditor] -= micros

    assert all(net[one] <= caps[one] for one in caps)
    assert all(payable - receivable == net[number] for number, _, payable, receivable, _ in these.changed())
