"""The ways a figure is rounded. Each is used in one place of the rulebook; no other rounding exists."""

from __future__ import annotations

from collections.abc import Sequence


def floor_ratio(amount: int, numerator: int, denominator: int) -> int:
    """⌊amount x numerator / denominator⌋, exact."""
    return amount * numerator // denominator


def ceil_ratio(amount: int, numerator: int, denominator: int) -> int:
    """⌈amount x numerator / denominator⌉, exact."""
    return -(-amount * numerator // denominator)


def half_up(amount: int, unit: int) -> int:
    """How many `unit`s a non-negative amount is, a half counting as a whole one."""
    assert amount >= 0
    return (2 * amount + unit) // (2 * unit)


def apportioned(amount: int, weights: Sequence[int]) -> list[int]:
    """A non-negative amount in whole parts by weight that are together exactly the amount.

    Each part is rounded down; what is left goes one by one to the largest remainders, the first of equal ones.
    """
    whole = sum(weights)
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: -(amount * weights[place] % whole))
    for place in by_remainder[: amount - sum(parts)]:
        parts[place] += 1
    return parts
