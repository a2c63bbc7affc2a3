"""Whatever banks say, in whatever order: payments go only the ways there are, and money moves by bookings alone."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from settlement.payments.matching import Advance, Book, ExceptionKind, Known, Sent, Unmatched
from settlement.payments.model import NEXT, AttemptState
from settlement.payments.reading.model import EntryLine, Line, StatusLine

CLEARING, FILE, DAY = "OPR-1", "M1", date(2026, 3, 2)
SENT = [
    Sent("E1", FILE, "M1.1", AttemptState.EXPORTED, "CNY", 500, "GRO-1", CLEARING, DAY),
    Sent("E2", FILE, "M1.2", AttemptState.EXPORTED, "CNY", 300, CLEARING, "TEL-1", DAY),
    Sent("E3", FILE, "M1.2", AttemptState.EXPORTED, "CNY", 300, CLEARING, "AIR-1", DAY),
]
ACCOUNTS = ("GRO-1", CLEARING, "TEL-1", "AIR-1", "XXX-1")

statuses = st.builds(
    StatusLine,
    message_id=st.sampled_from([FILE, "M9"]),
    block_id=st.sampled_from(["", "M1.1", "M1.2", "M9.9"]),
    end_to_end_id=st.sampled_from(["", "E1", "E2", "E3", "E9"]),
    status=st.sampled_from(["ACSP", "ACSC", "RJCT", "PDNG", "PART", "WHAT"]),
    reason=st.sampled_from(["", "AC04"]),
)
entries = st.builds(
    EntryLine,
    account=st.sampled_from(ACCOUNTS),
    end_to_end_id=st.sampled_from(["", "E1", "E2", "E3", "E9"]),
    currency=st.sampled_from(["CNY", "CNY", "CNY", "USD"]),
    amount=st.sampled_from([Decimal("5.00"), Decimal("3.00"), Decimal("3.00"), Decimal("0.005"), None]),
    is_credit=st.booleans(),
    booked_on=st.sampled_from([DAY, DAY + timedelta(days=3), DAY + timedelta(days=30), None]),
    reference=st.sampled_from(["", "R1", "R2"]),
    returned=st.booleans(),
    reason=st.just(""),
    counterparty=st.sampled_from(["", *ACCOUNTS]),
)
messages = st.lists(st.one_of(statuses, entries), max_size=20)


def book() -> Book:
    """Three payments under way, two of them alike but for the payee."""
    return Book({one.end_to_end_id: one for one in SENT})


@given(lines=messages)
def test_payments_go_only_the_ways_there_are(lines: list[Line]) -> None:
    """Each step is one of the table, from where the payment stood; nothing moves but by a step."""
    there = book()

    for line in lines:
        before = {name: one.state for name, one in there.sent.items()}
        outcomes = there.judge(line)
        steps = {o.end_to_end_id: o.to_state for o in outcomes if isinstance(o, Advance)}
        assert all(to_state in NEXT[before[name]] for name, to_state in steps.items())
        assert {name: one.state for name, one in there.sent.items()} == before | steps
        assert outcomes, "every line is answered for"


@given(lines=messages)
def test_money_arrives_by_bookings_alone(lines: list[Line]) -> None:
    """Settled or returned is only what was booked on one of its own accounts, with its own amount."""
    there = book()

    for line in lines:
        for outcome in there.judge(line):
            if isinstance(outcome, Advance) and outcome.to_state in {AttemptState.SETTLED, AttemptState.RETURNED}:
                one = there.sent[outcome.end_to_end_id]
                assert isinstance(line, EntryLine)
                assert line.account in {one.payer_account, one.payee_account}
                assert line.amount == Decimal(one.minor_units) / 100
                assert one.bookings


@given(lines=messages, repeated=entries)
def test_a_booking_told_twice_moves_nothing_more(lines: list[Line], repeated: EntryLine) -> None:
    """Whatever came in between: what one line booked, the same line books no second time."""
    there = book()
    named = repeated._replace(end_to_end_id=repeated.end_to_end_id or "E1")
    (first,) = there.judge(named)
    for line in lines:
        there.judge(line)

    (second,) = there.judge(named)

    if isinstance(first, Advance | Known):
        assert not isinstance(second, Advance)


@given(line=entries)
def test_two_that_fit_are_never_guessed_between(line: EntryLine) -> None:
    """A booking without a name on the shared account, of the shared amount, that does not say whom it was for."""
    nameless = line._replace(
        account=CLEARING, end_to_end_id="", amount=Decimal("3.00"), currency="CNY", is_credit=False, booked_on=DAY,
        returned=False, counterparty="",
    )  # fmt: skip

    assert book().judge(nameless) == [Unmatched(ExceptionKind.AMBIGUOUS, None)]
    (found,) = book().judge(nameless._replace(counterparty="TEL-1"))
    assert found == Advance("E2", AttemptState.SETTLED, DAY, "")


@given(reference=st.sampled_from(["", "R1"]))
def test_both_sides_statements_tell_of_one_payment(reference: str) -> None:
    """The payer's debit settles it, the payee's credit is known; the same debit again is known, another is not."""
    there = book()
    debit = EntryLine("GRO-1", "E1", "CNY", Decimal("5.00"), False, DAY, reference, False, "", "")
    credit = debit._replace(account=CLEARING, is_credit=True, reference="C1")

    outcomes = [there.judge(line)[0] for line in (debit, credit, debit, debit._replace(booked_on=None, reference="R9"))]

    assert outcomes[0] == Advance("E1", AttemptState.SETTLED, DAY, "")
    assert outcomes[1:3] == [Known("E1"), Known("E1")]
    assert outcomes[3] == Unmatched(ExceptionKind.DOUBLE_BOOKING, "E1")
