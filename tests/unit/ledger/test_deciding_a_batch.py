"""One batch, decided command by command: later ones see what earlier ones did, and each answers for itself."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from exchange.ledger.facts import MemberFacts
from exchange.ledger.keys import KnownKeys
from exchange.ledger.model import Command, ObligationKind, Posting, Receipt
from exchange.movements import decide
from exchange.refusals import Category, CredentialUnknown, StoredRefusal
from tests.unit.ledger.batches import (
    FIRST_SEQUENCE,
    WINDOW_NO,
    a_batch,
    decided,
    decided_in,
    left_of_lots,
    made_lots,
    receipt,
    told,
    written,
)
from tests.unit.rules.rulebook import (
    MERCHANT_NO,
    coalition,
    discount,
    earn,
    member,
    redeem,
)


def test_a_command_sees_what_the_ones_before_it_left() -> None:
    """Of 5 points 3 are spent, so 3 more are not there, until 1 more is earned."""
    batch = a_batch(member(TEL=5))

    outcomes = decided(
        batch, redeem("3 TEL", "CAF"), redeem("3 TEL", "CAF"), earn("1 TEL", "GRO"), redeem("3 TEL", "CAF")
    )

    assert told(outcomes) == ["moved", "INSUFFICIENT_POINTS", "moved", "moved"]
    assert written(batch) == {"TEL": (0, 3)}


def test_transfers_of_a_batch_follow_one_another_in_the_ledger() -> None:
    """Refusals take no place; all are in the open window."""
    batch = a_batch(member(TEL=5))

    outcomes = decided(batch, redeem("1 TEL", "CAF"), redeem("9 TEL", "CAF"), redeem("1 TEL", "CAF"))

    transfers = [receipt(outcomes[place]).transfer for place in (0, 2)]
    assert [transfer.ledger_sequence for transfer in transfers] == [FIRST_SEQUENCE, FIRST_SEQUENCE + 1]
    assert {transfer.window_no for transfer in transfers} == {WINDOW_NO}


def test_an_answer_of_an_earlier_batch_keeps_its_place_in_the_ledger() -> None:
    """Also where that is a number such as the batch's own transfers have until it is written."""
    old, new = redeem("1 TEL", "CAF", key="old"), redeem("1 TEL", "CAF", key="new")
    (first,) = decided_in(
        a_batch(member(TEL=5)),
        [((old,), False)],
        lambda command, facts: decide(command, facts, coalition()),
        first_sequence=0,
    )
    known = KnownKeys()
    known.remember((old.merchant_no, old.request_id), old.fingerprint, receipt(first).transfer)

    moved, again = decided(a_batch(member(TEL=4), known=known), new, old)

    assert receipt(moved).transfer.ledger_sequence == FIRST_SEQUENCE
    assert receipt(again) == Receipt(receipt(first).transfer, replayed=True)
    assert receipt(again).transfer.ledger_sequence == 0


def test_points_born_and_spent_in_one_batch_are_written_once_with_what_is_left() -> None:
    """The lot is made with its remainder; there is nothing in the database yet to update."""
    batch = a_batch(member())

    decided(batch, earn("10 TEL", "GRO"), redeem("4 TEL", "CAF"))

    assert made_lots(batch) == [(10, 6)]
    assert left_of_lots(batch) == {}


def test_debts_of_a_batch_are_summed_by_pair_and_kind() -> None:
    """One row for each, whatever the number of transfers."""
    batch = a_batch(member(TEL=5))

    decided(batch, redeem("1 TEL", "CAF"), redeem("2 TEL", "CAF"), discount("2 TEL", "CAF"), earn("1 TEL", "CAF"))

    tel, caf = MERCHANT_NO["TEL"], MERCHANT_NO["CAF"]
    assert sorted(row[2:] for row in batch.effects().totals) == [
        (tel, caf, "CNY", ObligationKind.REDEEM, 30_000, 2),
        (tel, caf, "CNY", ObligationKind.DISCOUNT, 20_000, 1),
        (caf, tel, "CNY", ObligationKind.EARN, 12_000, 1),
    ]


def test_a_member_nobody_linked_is_not_found() -> None:
    """And the rest of the batch is not disturbed."""
    stranger = earn("1 TEL", "GRO", member_id=uuid4())

    assert told(decided(a_batch(member()), stranger, earn("1 TEL", "GRO"))) == ["RESOURCE_NOT_FOUND", "moved"]


# ------------------------------------------------------------------------------------------------ repeats
def test_a_repeat_in_the_same_batch_gets_the_first_answer() -> None:
    """The very same transfer, told to be a repeat, and one effect."""
    batch = a_batch(member(TEL=5))

    first, again = decided(batch, redeem("3 TEL", "CAF", key="k"), redeem("3 TEL", "CAF", key="k"))

    assert receipt(again) == Receipt(receipt(first).transfer, replayed=True)
    assert len(batch.effects().transfers) == len(batch.effects().keys) == 1


def test_a_no_stays_a_no_even_when_it_would_be_a_yes_by_now() -> None:
    """Points came in between the refusal and its repeat."""
    batch = a_batch(member())

    outcomes = decided(batch, redeem("3 TEL", "CAF", key="k"), earn("9 TEL", "GRO"), redeem("3 TEL", "CAF", key="k"))

    assert told(outcomes) == ["INSUFFICIENT_POINTS", "moved", "INSUFFICIENT_POINTS"]
    assert outcomes[0] is outcomes[2]


def test_another_request_under_the_key_changes_nothing() -> None:
    """Neither after a yes nor after a no, and the first answer stays what it was."""
    batch = a_batch(member(TEL=5))

    outcomes = decided(
        batch,
        redeem("3 TEL", "CAF", key="yes"),
        redeem("2 TEL", "CAF", key="yes"),
        redeem("9 TEL", "CAF", key="no"),
        redeem("1 TEL", "CAF", key="no"),
        redeem("3 TEL", "CAF", key="yes"),
    )

    assert told(outcomes) == ["moved", "REQUEST_ID_REUSED", "INSUFFICIENT_POINTS", "REQUEST_ID_REUSED", "replayed"]
    assert written(batch)["TEL"][0] == 2


def test_two_merchants_may_use_the_same_key() -> None:
    """A key belongs to whoever was authenticated."""
    outcomes = decided(a_batch(member(TEL=5)), redeem("1 TEL", "CAF", key="k"), redeem("1 TEL", "GRO", key="k"))

    assert told(outcomes) == ["moved", "moved"]


def test_what_was_answered_in_an_earlier_batch_is_answered_so_again() -> None:
    """A refusal read back from the ledger has its reason and its figures."""
    known = KnownKeys()
    asked = redeem("3 TEL", "CAF", key="k")
    figures = {"available": "2", "requested": "3"}
    known.remember(
        (asked.merchant_no, "k"), asked.fingerprint, StoredRefusal("INSUFFICIENT_POINTS", Category.FAILED, figures)
    )
    batch = a_batch(member(TEL=5), known=known)

    (outcome,) = decided(batch, asked)

    assert told([outcome]) == ["INSUFFICIENT_POINTS"]
    assert isinstance(outcome, StoredRefusal)
    assert (outcome.data, outcome.sentence) == (figures, "Too few points:")
    assert not batch.writes_something


def test_an_undecided_refusal_leaves_the_key_unused() -> None:
    """A revoked key is no business no: with a good credential the same request may still be made."""
    batch = a_batch(member(TEL=5))
    revoked = replace(redeem("1 TEL", "CAF", key="k"), credential="apiKeys/gone")
    batch.ended = {"apiKeys/gone": CredentialUnknown()}

    outcomes = decided(batch, revoked, redeem("1 TEL", "CAF", key="k"))

    assert told(outcomes) == ["CREDENTIAL_UNKNOWN", "moved"]


# ------------------------------------------------------------------------------------------------ trials
def test_a_trial_is_decided_and_forgotten() -> None:
    """Neither its yes nor its no uses the key, and it takes no place in the ledger."""
    batch = a_batch(member(TEL=5))

    outcomes = decided(
        batch,
        redeem("5 TEL", "CAF", key="k", trial=True),
        redeem("9 TEL", "CAF", key="k", trial=True),
        redeem("4 TEL", "CAF", key="k"),
    )

    assert told(outcomes) == ["moved", "INSUFFICIENT_POINTS", "moved"]
    tried = receipt(outcomes[0]).transfer
    assert (tried.transfer_id, tried.ledger_sequence) == (None, 0)
    assert receipt(outcomes[2]).transfer.ledger_sequence == FIRST_SEQUENCE
    assert written(batch)["TEL"][0] == 1


def test_trials_alone_write_nothing() -> None:
    """Not even an untouched account."""
    batch = a_batch(member(TEL=5))

    decided(batch, redeem("5 TEL", "CAF", trial=True), redeem("9 TEL", "CAF", trial=True))

    assert not batch.writes_something


# ------------------------------------------------------------------------------------------------ faults
@pytest.mark.parametrize("atomic", [False, True])
def test_a_fault_of_a_rule_is_the_answer_of_its_item_alone(atomic: bool) -> None:  # noqa: FBT001
    """Nothing is kept of it, so the request may be repeated once the fault is mended."""
    poison = redeem("1 TEL", "CAF", key="poison")

    def rule(command: Command, facts: MemberFacts) -> Posting:
        if command is poison:
            raise ZeroDivisionError
        return decide(command, facts, coalition())

    batch = a_batch(member(TEL=5))
    before, after = redeem("2 TEL", "CAF"), redeem("2 TEL", "CAF")

    outcomes = decided(batch, before, [poison] if atomic else poison, after, rule=rule)

    assert told(outcomes) == ["moved", "ZeroDivisionError", "moved"]
    assert sorted(row[2] for row in batch.effects().keys) == sorted([before.request_id, after.request_id])
