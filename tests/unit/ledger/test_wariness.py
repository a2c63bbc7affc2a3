"""When batches go the safer way: after others were in the way, and the longer the oftener they were."""

from __future__ import annotations

from exchange.ledger.wariness import BATCHES, BATCHES_MAX, Wariness


def wary_batches(wariness: Wariness) -> int:
    """How many batches go the safer way until one goes the quicker."""
    batches = 0
    while wariness.is_wary():
        batches += 1
    return batches


def in_vain(wariness: Wariness, times: int) -> list[int]:
    """How many batches go the safer way after each of so many tries in vain."""
    taken = []
    for _ in range(times):
        wariness.was_in_vain()
        taken.append(wary_batches(wariness))
    return taken


def test_nobody_is_wary_before_somebody_was_in_the_way() -> None:
    """Nor after a batch that went well."""
    wariness = Wariness(forgives=True)

    assert not wariness.is_wary()
    wariness.was_right()
    assert wary_batches(wariness) == 0


def test_it_lasts_for_a_few_batches_and_for_twice_as_many_when_it_was_in_vain_again() -> None:
    """Up to the most; who forgives begins anew with the first try that was not in vain."""
    wariness = Wariness(forgives=True)

    taken = in_vain(wariness, 9)

    assert taken == [4, 8, 16, 32, 64, 128, 256, 256, 256]
    assert (taken[0], taken[-1]) == (BATCHES, BATCHES_MAX)

    wariness.was_right()
    assert in_vain(wariness, 1) == [BATCHES]


def test_who_does_not_forgive_is_wary_half_as_long_after_a_try_that_was_not_in_vain() -> None:
    """So that what fails every second time is tried seldom, and what has ceased to fail often, again."""
    wariness = Wariness(forgives=False)
    in_vain(wariness, 9)

    wariness.was_right()
    assert in_vain(wariness, 1) == [128]

    for _ in range(9):
        wariness.was_right()
    assert in_vain(wariness, 1) == [BATCHES]
