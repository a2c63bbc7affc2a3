"""The process HiGHS runs in: a question as JSON on standard input, the answer as JSON on standard output."""

from __future__ import annotations

import json
import math
import os
import sys
from typing import Any

TRIAL_BRANCHES = 500
"""After so many it is known what a branch costs."""


def main() -> None:
    """Answer one question. Whatever the solver prints goes nowhere."""
    answer = os.dup(sys.stdout.fileno())
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    found = answered(json.load(sys.stdin))
    with os.fdopen(answer, "w", encoding="utf-8") as out:
        json.dump(found, out)


def answered(asked: dict[str, Any]) -> dict[str, Any]:
    """The counts of the best choice and what no choice exceeds, each null when there is none.

    It begins anew with more branches as long as, by what the last ones took, at least twice as many are affordable.
    So the same question always stops at the same branch.
    """
    branches_max = TRIAL_BRANCHES
    while True:
        found, open_still, turns = _solved(asked, branches_max)
        affordable = branches_max * asked["turns"] // max(turns, 1)
        if not open_still or affordable < 2 * branches_max:
            return found
        branches_max = affordable


def _solved(asked: dict[str, Any], branches_max: int) -> tuple[dict[str, Any], bool, int]:
    """What was found, whether more may be, and how many simplex iterations it took."""
    from ortools.math_opt.python import mathopt

    model = mathopt.Model()
    takes = [model.add_integer_variable(lb=0, ub=count) for count in asked["counts"]]
    for lots, weights, at_most in asked["limits"]:
        size = sum(abs(weight) * asked["counts"][lot] for lot, weight in zip(lots, weights, strict=True))
        scale = 2.0 ** (asked["limit_bits"] - size.bit_length())
        paid = mathopt.fast_sum(weight * scale * takes[lot] for lot, weight in zip(lots, weights, strict=True))
        model.add_linear_constraint(paid <= (at_most + asked["headroom"]) * scale)
    model.maximize(mathopt.fast_sum(value * take for value, take in zip(asked["values"], takes, strict=True)))
    result = mathopt.solve(model, mathopt.SolverType.HIGHS, params=_parameters(asked["tolerance"], branches_max))
    bound = result.termination.objective_bounds.dual_bound
    counts = None
    if result.has_primal_feasible_solution():
        values = result.variable_values()
        counts = [round(values[take]) for take in takes]
    open_still = result.termination.reason is not mathopt.TerminationReason.OPTIMAL
    found = {"counts": counts, "bound": bound if math.isfinite(bound) else None}
    return found, open_still, result.solve_stats.simplex_iterations


def _parameters(tolerance: float, branches_max: int) -> Any:
    from ortools.math_opt.python import mathopt

    # Values are integers: what is less than one unit better is not better.
    parameters = mathopt.SolveParameters(
        random_seed=1, relative_gap_tolerance=0.0, absolute_gap_tolerance=0.9, node_limit=branches_max
    )
    # The order of its work does not depend on how many cores there are.
    parameters.highs.int_options["threads"] = 1
    parameters.highs.string_options["parallel"] = "off"
    for option in ("mip_feasibility_tolerance", "primal_feasibility_tolerance", "dual_feasibility_tolerance"):
        parameters.highs.double_options[option] = tolerance
    return parameters


if __name__ == "__main__":
    main()
