"""The ways a figure is rounded. Each is used in one place of the rulebook; no other rounding exists."""

from __future__ import annotations


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
