"""When batches take locks: after others were in the way, and the longer the oftener they were."""

from __future__ import annotations

from exchange.ledger.wariness import BATCHES, BATCHES_MAX, Wariness


def locked(wariness: Wariness) -> int:
    """How many batches take locks until one is read without."""
    batches = 0
    while wariness.takes_locks():
        wariness.was_right(is_locked=True)
        batches += 1
    return batches


def test_nobody_takes_locks_before_somebody_was_in_the_way() -> None:
    """Nor after a batch that went well without."""
    wariness = Wariness()

    assert not wariness.takes_locks()
    wariness.was_right(is_locked=False)
    assert locked(wariness) == 0


def test_locks_are_taken_for_a_few_batches_and_for_twice_as_many_when_it_was_in_vain_again() -> None:
    """Up to the most; one look that was not in vain, and it begins anew."""
    wariness = Wariness()
    taken = []
    for _ in range(9):
        wariness.was_in_vain()
        taken.append(locked(wariness))

    assert taken == [4, 8, 16, 32, 64, 128, 256, 256, 256]
    assert (taken[0], taken[-1]) == (BATCHES, BATCHES_MAX)

    wariness.was_right(is_locked=False)
    wariness.was_in_vain()
    assert locked(wariness) == BATCHES
