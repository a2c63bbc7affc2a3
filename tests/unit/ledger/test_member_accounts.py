"""A member's account within a batch: which lots give, what is left, how entries are numbered."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest

from exchange.ledger.facts import MemberAccount, MemberFacts, apply, spending_order
from exchange.ledger.ids import new_id
from exchange.ledger.legs import credited, debited
from exchange.ledger.model import DailyUse, Lot, NewLot, Posting
from exchange.money.limits import INT64_MAX
from exchange.refusals import AmountOverflow, InsufficientPoints
from tests.unit.rules.rulebook import CURRENCY_NO, LONG_AGO, MERCHANT_NO, NOON, SECOND, lot, member

TEL, AIR = CURRENCY_NO["TEL"], CURRENCY_NO["AIR"]


def account_of(*lots: Lot) -> MemberAccount:
    """An account in TEL holding the lots, in spending order."""
    return member(TEL=lots).accounts[TEL]


def put(facts: MemberFacts, units: int, *, expires: datetime | None = None) -> UUID:
    """Award points the way a batch does; the lot's id."""
    new = NewLot(new_id(), TEL, units, MERCHANT_NO["GRO"], 12_000, expires)
    apply(Posting(credited(new), new_lots=[new]), facts, {})
    return new.lot_id


def spend(facts: MemberFacts, units: int, changed: dict[UUID, tuple[int, int]] | None = None) -> list[int | None]:
    """Take points the way a batch does; the sequence numbers of its legs."""
    account = facts.accounts[TEL]
    legs = apply(Posting(debited(TEL, account.take("TEL", units))), facts, {} if changed is None else changed)
    return [leg.account_sequence for leg in legs]


def test_lots_are_spent_by_expiry_then_age_then_id() -> None:
    """What never ends comes last."""
    first = lot(1, expires=NOON, earned=NOON)
    second = lot(1, expires=NOON + SECOND, earned=LONG_AGO)
    third = lot(1, expires=NOON + SECOND, earned=NOON)
    fourth = lot(1, expires=NOON + SECOND, earned=NOON)
    fifth = lot(1, earned=LONG_AGO)

    assert sorted([fifth, fourth, third, second, first], key=spending_order) == [first, second, third, fourth, fifth]


@pytest.mark.parametrize(
    ("units", "parts"), [(1, [1]), (3, [3]), (4, [3, 1]), (8, [3, 5]), (9, [3, 5, 1]), (15, [3, 5, 7])]
)
def test_a_lot_is_emptied_before_the_next_is_touched(units: int, parts: list[int]) -> None:
    """Of lots of 3, 5 and 7."""
    taken = account_of(lot(3), lot(5), lot(7)).take("TEL", units)

    assert [part for _, part in taken] == parts


def test_more_than_all_lots_hold_is_refused_with_both_figures() -> None:
    """So that a till can say what is there."""
    with pytest.raises(InsufficientPoints) as caught:
        account_of(lot(3), lot(5)).take("TEL", 9)

    assert caught.value.data == {"currency": "currencies/TEL", "available": "8", "requested": "9"}


def test_room_ends_where_64_bits_end() -> None:
    """A balance may reach the largest number and not pass it."""
    account = account_of(lot(INT64_MAX - 3))

    account.require_room(3)
    with pytest.raises(AmountOverflow):
        account.require_room(4)


def test_an_award_can_be_spent_by_the_next_command_of_the_batch() -> None:
    """In its place by expiry: before what ends later, after what ends sooner."""
    sooner, later = lot(2, expires=NOON + SECOND), lot(2)
    ada = member(TEL=[sooner, later])

    awarded = put(ada, 2, expires=NOON + 2 * SECOND)

    assert [one.lot_id for one in ada.accounts[TEL].lots] == [sooner.lot_id, awarded, later.lot_id]
    assert ada.accounts[TEL].spendable == ada.accounts[TEL].available == 6


def test_an_award_that_ends_with_others_is_younger_than_they() -> None:
    """Two awards of one batch keep their order too."""
    older = lot(1)
    ada = member(TEL=[older])

    awards = [put(ada, 1), put(ada, 1)]

    assert [one.lot_id for one in ada.accounts[TEL].lots] == [older.lot_id, *awards]


def test_a_spent_lot_is_gone_and_a_half_spent_one_keeps_the_rest() -> None:
    """What the database will be told is what is left of each."""
    small, large = lot(3), lot(5)
    ada = member(TEL=[small, large])
    changed: dict[UUID, tuple[int, int]] = {}

    spend(ada, 4, changed)

    account = ada.accounts[TEL]
    assert changed == {small.lot_id: (account.bucket, 0), large.lot_id: (account.bucket, 4)}
    assert [one.remaining for one in account.lots] == [4]
    assert account.available == 4


def test_each_transfer_has_the_next_number_on_its_account_whatever_the_legs() -> None:
    """Two lots of one account, one number; circulation has none."""
    ada = member(TEL=[lot(3), lot(5)])

    numbers = [spend(ada, 4), spend(ada, 4)]

    assert numbers == [[1, 1, None], [2, None]]


def test_a_transfer_over_two_accounts_is_numbered_on_each() -> None:
    """One account is at its first entry, the other at its eighth."""
    ada = member(TEL=5)
    ada.accounts[AIR].sequence = 7
    new = NewLot(new_id(), AIR, 2, MERCHANT_NO["TEL"], 55_000, None)
    posting = Posting(debited(TEL, ada.accounts[TEL].take("TEL", 5)) + credited(new), new_lots=[new])

    legs = apply(posting, ada, {})

    assert [leg.account_sequence for leg in legs] == [1, None, None, 8]


def test_only_accounts_that_moved_are_written() -> None:
    """Looking at an account is no entry."""
    ada = member(TEL=5, AIR=5)
    ada.accounts[AIR].take("AIR", 5)

    spend(ada, 1)

    assert [number for number, account in ada.accounts.items() if account.touched] == [TEL]


def test_what_was_used_of_a_daily_cap_is_carried_to_the_next_command() -> None:
    """And marked for writing."""
    ada = member(TEL=5)
    use = DailyUse(TEL, AIR, ada.today, 40)

    apply(Posting([], daily_use=use), ada, {})

    assert ada.daily_used == {(TEL, AIR): 40}
    assert ada.daily_changed == {(TEL, AIR)}


def test_a_copy_stands_still_while_the_original_moves() -> None:
    """What an atomic group is undone to."""
    ada = member(TEL=[lot(3), lot(5)])
    before = ada.accounts[TEL].copy()

    spend(ada, 4)
    put(ada, 9)

    assert [one.remaining for one in before.lots] == [3, 5]
    assert (before.available, before.sequence, before.touched) == (8, 0, False)


def test_a_rule_that_takes_what_it_was_not_shown_is_a_programming_error() -> None:
    """Neither another lot nor more than a lot holds; nothing is quietly put right."""
    ada = member(TEL=[lot(3)])

    with pytest.raises(AssertionError, match="not shown"):
        apply(Posting(debited(TEL, [(lot(3), 1)])), ada, {})
    with pytest.raises(AssertionError, match="more than a lot holds"):
        apply(Posting(debited(TEL, [(ada.accounts[TEL].lots[0], 4)])), ada, {})
