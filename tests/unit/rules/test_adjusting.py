"""Adjustments: who pays for points given, who gets what is left of points taken, and who may say yes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from exchange.adjustment.model import Adjustment, Credit, Debit, Direction, Reason, State, Terms
from exchange.adjustment.rules import proposed, require_approvable
from exchange.callers import Caller, CallerRole
from exchange.four_eyes import require_waiting, state_at
from exchange.refusals import (
    DigestMismatch,
    InsufficientPoints,
    MerchantSuspended,
    NotOwnCurrency,
    PersonUnknown,
    ProposalLapsed,
    Refusal,
    ResourceNotFound,
    SamePerson,
    WrongState,
)
from tests.unit.rules.days import Day, hold, legs, owed, owing, reverse, terms
from tests.unit.rules.rulebook import ADA, MERCHANT_NO, NOON, SECOND, _common, coalition, currency, earn, lot, member

OPERATOR = Caller(CallerRole.OPERATOR, "apiKeys/1", person="li.wei")
ANOTHER = Caller(CallerRole.OPERATOR, "apiKeys/2", person="wang.fang")
ISSUER = Caller(CallerRole.MERCHANT, "apiKeys/3", MERCHANT_NO["TEL"], "TEL")


def credit(points: str, funder: str = "TEL") -> Credit:
    """Give points that somebody pays for."""
    return Credit(**_common(points, "TEL", None, ADA, trial=False), funder_no=MERCHANT_NO[funder])  # type: ignore[arg-type]


def debit(points: str) -> Debit:
    """Take points."""
    return Debit(**_common(points, "TEL", None, ADA, trial=False))  # type: ignore[arg-type]


def test_points_given_at_the_issuers_cost_leave_nothing_owing() -> None:
    """A lot like any other, and the issuer's own debt is nobody's."""
    day = Day()

    given = day.do(credit("50 TEL"))

    assert legs(given) == [("CIRCULATION", "DEBIT", 50), ("MEMBER", "CREDIT", 50)]
    assert (owed(given), day.balance()) == ([], (50, 0, 0))


def test_another_funder_owes_the_issuer_the_issue_price() -> None:
    """As if it had awarded them; and the lot is its own."""
    day = Day()

    given = day.do(credit("50 TEL", "GRO"))

    assert owed(given) == [("GRO", "TEL", "ADJUSTMENT", 50 * 12_000)]
    (made,) = day.facts.accounts[13].known.values()
    assert (made.funder_no, made.price_micros) == (MERCHANT_NO["GRO"], 12_000)


def test_points_given_pay_what_the_member_owes_first() -> None:
    """As any other points do."""
    day = Day(owing())
    award = day.do(earn("30 TEL", "GRO"))
    day.do(debit("30 TEL"))
    assert day.balance() == (0, 0, 0)
    another = day.do(earn("10 TEL", "GRO"))
    day.do(hold("10 TEL"))
    day.do(reverse(another))

    day.do(credit("25 TEL"))

    assert day.balance() == (15, 10, 0)
    del award


def test_points_taken_end_nearest_expiry_first_and_leave_funders_their_share() -> None:
    """Of 1 000 TEL of GRO's and TEL's: 40 % of the issue price of what was GRO's."""
    world = coalition(currencies=[terms(currency("TEL", explicit=True), breakage=4_000)])
    later, sooner = lot(600, expires=NOON + timedelta(days=9)), lot(500, funder="TEL", expires=NOON + timedelta(days=1))
    day = Day(world, member(TEL=[later, sooner]))

    taken = day.do(debit("700 TEL"))

    assert owed(taken) == [("TEL", "GRO", "BREAKAGE", 200 * 12_000 * 4_000 // 10_000)]
    assert day.lots() == [(0, 0), (400, 0)]


def test_more_than_is_spendable_is_not_taken() -> None:
    """What is reserved stays reserved."""
    day = Day(facts=member(TEL=100))
    day.do(hold("60 TEL"))

    with pytest.raises(InsufficientPoints):
        day.do(debit("41 TEL"))
    day.do(debit("40 TEL"))

    assert day.balance() == (0, 60, 0)


def test_an_award_taken_by_an_adjustment_is_not_taken_again_by_its_reversal() -> None:
    """Also where members may owe points: the member would pay twice."""
    day = Day(owing())
    award = day.do(earn("100 TEL", "GRO"))
    day.do(debit("70 TEL"))

    back = day.do(reverse(award))

    assert day.balance() == (0, 0, 0)
    assert legs(back) == [("MEMBER", "DEBIT", 30), ("CIRCULATION", "CREDIT", 30)]


@pytest.mark.parametrize("rule", [credit("1 TEL"), credit("1 TEL", "GRO"), debit("1 TEL")])
def test_a_suspended_issuer_or_funder_has_nothing_adjusted(rule: Credit | Debit) -> None:
    """It stands still until the operator lets it act again."""
    name = "GRO" if isinstance(rule, Credit) and rule.funder_no == MERCHANT_NO["GRO"] else "TEL"
    day = Day(coalition(suspended=[name]), member(TEL=5))

    with pytest.raises(MerchantSuspended):
        day.do(rule)


TERMS = Terms(
    bucket=1,
    member_id=ADA,
    currency="TEL",
    direction=Direction.CREDIT,
    units=5,
    reason=Reason.GOODWILL,
    note="cold coffee",
    funder="",
)


@pytest.mark.parametrize(
    ("caller", "terms", "no"),
    [
        (replace(OPERATOR, person=None), TERMS, PersonUnknown),
        (Caller(CallerRole.MERCHANT, "apiKeys/4", MERCHANT_NO["GRO"], "GRO"), TERMS, NotOwnCurrency),
        (ISSUER, replace(TERMS, funder="GRO"), NotOwnCurrency),
        (ISSUER, replace(TERMS, currency="NIX"), ResourceNotFound),
        (OPERATOR, replace(TERMS, funder="NIX"), ResourceNotFound),
    ],
)
def test_who_may_propose_what(caller: Caller, terms: Terms, no: type[Refusal]) -> None:
    """The issuer its own points at its own cost; the operator any, by name."""
    directory = coalition().directory

    assert proposed(TERMS, ISSUER, directory).funder == "TEL"
    assert proposed(replace(TERMS, funder="GRO"), OPERATOR, directory).funder == "GRO"
    assert proposed(replace(TERMS, direction=Direction.DEBIT), OPERATOR, directory).funder == ""
    with pytest.raises(no):
        proposed(terms, caller, directory)


def waiting(by: Caller = OPERATOR) -> Adjustment:
    """Proposed at noon, for an hour."""
    return Adjustment(
        adjustment_id=UUID(int=1),
        terms=TERMS,
        merchant_no=by.merchant_no,
        request_id="1",
        proposed_by=by.credential,
        proposed_person=by.person,
        proposed_at=NOON,
        expires_at=NOON + timedelta(hours=1),
        state=State.PROPOSED,
    )


def test_somebody_else_approves_exactly_what_was_proposed() -> None:
    """A merchant's system names nobody, so that anybody at the operator is somebody else."""
    digest = TERMS.digest()

    require_approvable(waiting(), ANOTHER, digest, NOON)
    require_approvable(waiting(ISSUER), OPERATOR, digest, NOON)

    with pytest.raises(SamePerson):
        require_approvable(waiting(), replace(ANOTHER, person="li.wei"), digest, NOON)
    with pytest.raises(PersonUnknown):
        require_approvable(waiting(), replace(ANOTHER, person=None), digest, NOON)
    with pytest.raises(DigestMismatch):
        require_approvable(waiting(), ANOTHER, replace(TERMS, units=6).digest(), NOON)
    with pytest.raises(WrongState):
        require_approvable(replace(waiting(), state=State.WITHDRAWN), ANOTHER, digest, NOON)


def test_a_proposal_lapses_at_its_very_instant() -> None:
    """Not a second earlier; what was decided does not lapse."""
    ends = waiting().expires_at

    require_waiting(waiting(), ends - SECOND)
    with pytest.raises(ProposalLapsed):
        require_waiting(waiting(), ends)

    assert state_at(waiting(), ends) is State.LAPSED
    assert state_at(replace(waiting(), state=State.POSTED), ends) is State.POSTED


@pytest.mark.parametrize("field", [name for name in Terms.__slots__ if name != "bucket"])
def test_every_term_belongs_to_the_digest(field: str) -> None:
    """Whoever approves has seen all of it."""
    others = {
        "member_id": UUID(int=7),
        "currency": "AIR",
        "direction": Direction.DEBIT,
        "units": 6,
        "reason": Reason.OTHER,
        "note": "hot coffee",
        "funder": "GRO",
    }

    changed = replace(TERMS, **{field: others[field]})  # type: ignore[arg-type]

    assert changed.digest() != TERMS.digest()
