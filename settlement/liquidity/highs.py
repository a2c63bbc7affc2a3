"""Choosing whole items by HiGHS: branch and cut in floating point, kept where that is safe.

Why its proofs hold although it reckons in doubles:

- It is given integers, those of each limit scaled by a power of two, so that all are exact.
- It takes a count for whole that is within TOLERANCE of it. Where the integers of a limit sum to EXACT_MAX at most,
  that moves the limit by half a unit at most; as the limit is a whole number, what is taken for a choice is one, and
  no branch is closed on something that is none.
- Scaled to LIMIT_BITS, rounding errors are a hundredth of TOLERANCE. Left as they are, large amounts are wrong: HiGHS
  was seen to close branches that held the best choice, because rounding errors were more than its tolerance.
- Each limit is given HEADROOM of a small part of a unit, which lets no further choice in and keeps choices that use the
  limit up clear of the edge where an error could cut them off.
- The value is an integer too, and a proof is read off in whole units. All items together are worth VALUE_MAX at most,
  of which rounding errors are a hundredth of a unit.

Limits and values beyond those are rounded to a coarser unit, each in the direction that lets more settle. What is
proven of that holds of the queue itself. It is no less than the best; it is the best where the choice found obeys the
limits as they are, which with hundreds of items it nearly always does, and the values were not rounded.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import Any

from settlement.liquidity.program import Program

TOLERANCE = 1e-9
"""For counts, and for limits as they are scaled."""

LIMIT_BITS = 14
"""The weights of a limit are scaled to sum to a number of so many bits."""

EXACT_MAX = 5 * 10**8
"""Of what the weights of one limit sum to, for all its items, before they are scaled."""

VALUE_MAX = 10**12
"""Of what all items sum to."""

HEADROOM = 2.0**-10
"""Of a unit."""

LOTS_MAX = 2_000
"""Beyond it even the first cuts take minutes."""


def prove(program: Program, effort: int) -> tuple[list[int] | None, int]:
    """The best choice found, if any, and what no choice exceeds. The caller has to add the choice up.

    effort: how often HiGHS may ask whether to go on, times the number of lots: in a second of a core it does so
        200 000 to 300 000 times, whatever the number of lots.
    """
    if not effort or len(program.lots) > LOTS_MAX:
        return None, program.ceiling
    done = subprocess.run(
        [sys.executable, "-m", "settlement.liquidity.highs_process"],
        input=json.dumps(question(program, effort)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return reading(program, json.loads(done.stdout))


def question(program: Program, effort: int) -> dict[str, Any]:
    """What the process is asked."""
    grain = _grain(program)
    value_grain = _value_grain(program)
    return {
        "values": [-(-amount // value_grain) for amount in program.amounts],
        "counts": [len(lot) for lot in program.lots],
        "limits": [
            (list(limit.weights), [weight // grain for weight in limit.weights.values()], limit.at_most // grain)
            for limit in program.limits
        ],
        "tolerance": TOLERANCE,
        "limit_bits": LIMIT_BITS,
        "headroom": HEADROOM,
        "effort": effort,
    }


def reading(program: Program, answer: dict[str, Any]) -> tuple[list[int] | None, int]:
    """What its answer means for the program."""
    if answer["bound"] is None:
        return answer["counts"], program.ceiling
    # Errors in the value are far below a hundredth of a unit.
    return answer["counts"], min(program.ceiling, math.floor(answer["bound"] + 0.01) * _value_grain(program))


def _grain(program: Program) -> int:
    """How many units of the limits to reckon in at a time; 1 where no limit's weights sum to more than EXACT_MAX."""
    sizes = [len(lot) for lot in program.lots]
    busiest = max(sum(abs(weight) * sizes[lot] for lot, weight in limit.weights.items()) for limit in program.limits)
    return -(-busiest // EXACT_MAX)


def _value_grain(program: Program) -> int:
    """How many units of value to reckon in at a time; 1 where all items sum to VALUE_MAX at most."""
    most = sum(amount * len(lot) for amount, lot in zip(program.amounts, program.lots, strict=True))
    return -(-most // VALUE_MAX)
