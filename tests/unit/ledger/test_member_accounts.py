"""A member's account within a batch: which lots give, what is left, how entries are numbered."""

from __future__ import annotations

from datetime import datetime

import pytest

from exchange.ledger.decision import Decision
from exchange.ledger.facts import MemberFacts
from exchange.ledger.legs import debited
from exchange.ledger.member_account import MemberAccount, spending_order
from exchange.ledger.model import Account, Command, Lot, Posting, Side
from exchange.money.limits import INT64_MAX
from exchange.refusals import AmountOverflow, InsufficientPoints
from tests.unit.ledger.batches import a_batch, decided, left_of_lots, receipt, written
from tests.unit.rules.rulebook import (
    CURRENCY_NO,
    LONG_AGO,
    NOON,
    SECOND,
    coalition,
    convert,
    currency,
    earn,
    lot,
    member,
    rate,
    redeem,
)

TEL = CURRENCY_NO["TEL"]
DATED = coalition(currencies=[currency("TEL", explicit=True)])


def account_of(*lots: Lot) -> MemberAccount:
    """An account in TEL holding the lots, in spending order."""
    return member(TEL=lots).accounts[TEL]


def taken_by(batch: Decision, command: Command) -> list[tuple[object, int]]:
    """Lots and parts a command takes of the member, in order."""
    transfer = receipt(decided(batch, command, world=DATED)[0]).transfer
    mine = [leg for leg in transfer.legs if leg.account == Account.MEMBER and leg.side == Side.DEBIT]
    return [(leg.lot_id, leg.units) for leg in mine]


def awarded(batch: Decision, units: int, *, expires: datetime | None = None) -> object:
    """Award TEL within the batch; the new lot's id."""
    transfer = receipt(decided(batch, earn(f"{units} TEL", "GRO", expires=expires), world=DATED)[0]).transfer
    return next(leg.lot_id for leg in transfer.legs if leg.account == Account.MEMBER)


def numbers(batch: Decision, command: Command) -> list[int | None]:
    """Sequence numbers of a transfer's legs."""
    world = coalition(rate("30 BNK", "1 AIR"))
    return [leg.account_sequence for leg in receipt(decided(batch, command, world=world)[0]).transfer.legs]


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
    batch = a_batch(member(TEL=[sooner, later]))

    new = awarded(batch, 2, expires=NOON + 2 * SECOND)

    assert taken_by(batch, redeem("5 TEL", "CAF")) == [(sooner.lot_id, 2), (new, 2), (later.lot_id, 1)]


def test_an_award_that_ends_with_others_is_younger_than_they() -> None:
    """Two awards of one batch keep their order too."""
    older = lot(1)
    batch = a_batch(member(TEL=[older]))

    first, second = awarded(batch, 1), awarded(batch, 1)

    assert taken_by(batch, redeem("3 TEL", "CAF")) == [(older.lot_id, 1), (first, 1), (second, 1)]


def test_a_spent_lot_is_gone_and_a_half_spent_one_keeps_the_rest() -> None:
    """What the database will be told is what is left of each, and the sum of it."""
    small, large, untouched = lot(3), lot(5), lot(7)
    batch = a_batch(member(TEL=[small, large, untouched]))

    decided(batch, redeem("4 TEL", "CAF"))

    assert left_of_lots(batch) == {small.lot_id: 0, large.lot_id: 4}
    assert written(batch) == {"TEL": (11, 1)}


def test_each_transfer_has_the_next_number_on_its_account_whatever_the_legs() -> None:
    """Two lots of one account, one number; circulation has none."""
    batch = a_batch(member(TEL=[lot(3), lot(5)]))

    assert numbers(batch, redeem("4 TEL", "CAF")) == [1, 1, None]
    assert numbers(batch, redeem("4 TEL", "CAF")) == [2, None]


def test_a_transfer_over_two_accounts_is_numbered_on_each() -> None:
    """One account is at its first entry, the other at its eighth."""
    ada = member(BNK=60)
    ada.accounts[CURRENCY_NO["AIR"]].sequence = 7

    assert numbers(a_batch(ada), convert("60 BNK", "AIR", by="BNK")) == [1, None, None, 8]


def test_only_accounts_that_moved_are_written() -> None:
    """Looking at an account is no entry, and neither is a refusal."""
    batch = a_batch(member(TEL=5, AIR=5))

    decided(batch, redeem("9 AIR", "CAF"), redeem("1 TEL", "CAF"))

    assert written(batch) == {"TEL": (4, 1)}


def test_a_rule_that_takes_from_a_lot_it_was_not_shown_is_a_programming_error() -> None:
    """Nothing is quietly put right."""

    def wrong(_: Command, __: MemberFacts) -> Posting:
        return Posting(debited(TEL, [(lot(3), 1)]))

    with pytest.raises((AssertionError, KeyError)):
        decided(a_batch(member(TEL=[lot(3)])), redeem("1 TEL", "CAF"), rule=wrong)


def test_a_rule_that_takes_more_than_a_lot_holds_is_a_programming_error() -> None:
    """A balance can therefore never fall below zero, whatever a rule says."""

    def wrong(_: Command, facts: MemberFacts) -> Posting:
        return Posting(debited(TEL, [(facts.accounts[TEL].lots[0], 4)]))

    with pytest.raises(AssertionError, match="more than a lot holds"):
        decided(a_batch(member(TEL=[lot(3)])), redeem("4 TEL", "CAF"), rule=wrong)
