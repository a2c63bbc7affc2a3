"""Items that are done together or not at all: what is undone, what is kept, which keys stay unused."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from tests.unit.ledger.batches import FIRST_SEQUENCE, a_batch, decided, made_lots, receipt, told, written
from tests.unit.rules.rulebook import (
    coalition,
    convert,
    earn,
    member,
    rate,
    redeem,
)


def test_an_atomic_group_is_done_whole() -> None:
    """Later items build on earlier ones."""
    group = [earn("4 TEL", "GRO"), redeem("9 TEL", "CAF")]

    assert told(decided(a_batch(member(TEL=5)), group)) == ["moved", "moved"]


def test_an_atomic_group_with_a_refusal_is_not_done_at_all() -> None:
    """Its item tells why, the others tell which item it was; what came before and after the group stands."""
    batch = a_batch(member(TEL=5))
    group = [redeem("1 TEL", "CAF"), earn("2 TEL", "GRO"), redeem("9 TEL", "CAF"), redeem("1 TEL", "CAF")]

    outcomes = decided(batch, redeem("1 TEL", "CAF"), group, redeem("4 TEL", "CAF"))

    refused = "BATCH_NOT_APPLIED"
    assert told(outcomes) == ["moved", refused, refused, "INSUFFICIENT_POINTS", refused, "moved"]
    assert outcomes[1].data == {"item": "2"}  # type: ignore[union-attr]
    effects = batch.effects()
    assert (written(batch), made_lots(batch)) == ({"TEL": (0, 2)}, [])
    assert (len(effects.transfers), sum(row[6] for row in effects.totals)) == (2, 50_000)
    assert receipt(outcomes[-1]).transfer.ledger_sequence == FIRST_SEQUENCE + 1


def test_the_keys_of_a_group_that_was_not_done_are_unused_but_for_the_refused_one() -> None:
    """What was told a no stays a no; the others were told nothing and may be asked again."""
    batch = a_batch(member(TEL=5))
    group = [redeem("1 TEL", "CAF", key="a"), redeem("9 TEL", "CAF", key="b"), redeem("1 TEL", "CAF", key="c")]

    decided(batch, group)
    outcomes = decided(
        batch,
        redeem("1 TEL", "CAF", key="a"),
        redeem("9 TEL", "CAF", key="b"),
        redeem("2 TEL", "CAF", key="c"),
    )

    assert told(outcomes) == ["moved", "INSUFFICIENT_POINTS", "moved"]
    assert sorted(row[2] for row in batch.effects().keys) == ["a", "b", "c"]


def test_a_repeat_inside_a_group_that_was_not_done_keeps_its_first_answer() -> None:
    """The key was used before the group came, and undoing the group does not undo that."""
    batch = a_batch(member(TEL=5))
    decided(batch, redeem("2 TEL", "CAF", key="old"))

    decided(batch, [redeem("2 TEL", "CAF", key="old"), redeem("9 TEL", "CAF")])

    assert told(decided(batch, redeem("2 TEL", "CAF", key="old"))) == ["replayed"]
    assert written(batch)["TEL"][0] == 3


def test_a_trial_in_a_group_that_was_not_done_does_not_free_the_key_it_shares() -> None:
    """What the item with the same key was told stays its answer: the key is written once."""
    batch = a_batch(member(TEL=5))
    trial = replace(redeem("1 TEL", "CAF", key="k"), validate_only=True)

    decided(batch, [trial, redeem("9 TEL", "CAF", key="k")])
    decided(batch, redeem("2 TEL", "CAF", key="k"))

    assert [row[2] for row in batch.effects().keys] == ["k"]


def test_lots_born_before_a_group_are_as_they_were_after_it_failed() -> None:
    """The group spends from a lot of the same batch and is undone."""
    batch = a_batch(member())
    decided(batch, earn("10 TEL", "GRO"))

    decided(batch, [redeem("4 TEL", "CAF"), redeem("9 TEL", "CAF")])

    assert made_lots(batch) == [(10, 10)]
    assert told(decided(batch, redeem("10 TEL", "CAF"))) == ["moved"]


def test_a_daily_cap_used_by_a_group_that_was_not_done_is_free_again() -> None:
    """60 of 100 were tried with; all 100 are there afterwards."""
    world = coalition(rate("30 BNK", "1 AIR", daily_cap=100))
    batch = a_batch(member(BNK=500))
    group = [convert("60 BNK", "AIR", by="BNK"), redeem("1 TEL", "CAF")]

    failed = decided(batch, group, world=world)
    (after,) = decided(batch, convert("90 BNK", "AIR", by="BNK"), world=world)

    assert told(failed) == ["BATCH_NOT_APPLIED", "INSUFFICIENT_POINTS"]
    assert told([after]) == ["moved"]
    assert [row[4] for row in batch.effects().daily] == [90]


def test_two_commands_of_a_batch_share_a_daily_cap() -> None:
    """The second is told what the first has used."""
    world = coalition(rate("30 BNK", "1 AIR", daily_cap=100))

    outcomes = decided(
        a_batch(member(BNK=500)),
        convert("60 BNK", "AIR", by="BNK"),
        convert("60 BNK", "AIR", by="BNK"),
        world=world,
    )

    assert told(outcomes) == ["moved", "DAILY_CAP_EXCEEDED"]
    assert outcomes[1].data["used"] == "60"  # type: ignore[union-attr]


def test_a_group_over_two_members_is_undone_for_both_and_touches_nobody_else() -> None:
    """Ada and Ben are as they were; of Cid, whom the group does not name, not even a copy was made."""
    ben, cid = uuid4(), uuid4()
    of_cid = member(TEL=5, member_id=cid)
    batch = a_batch(member(TEL=5), member(TEL=5, member_id=ben), of_cid)
    group = [
        redeem("3 TEL", "CAF"),
        redeem("3 TEL", "CAF", member_id=ben),
        redeem("3 TEL", "CAF", member_id=ben),
    ]

    failed = decided(batch, group)
    after = decided(batch, redeem("5 TEL", "CAF"), redeem("5 TEL", "CAF", member_id=ben))

    assert told(failed)[2] == "INSUFFICIENT_POINTS"
    assert told(after) == ["moved", "moved"]
    assert batch.facts[cid] is of_cid
