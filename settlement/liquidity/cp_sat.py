"""Choosing whole items by OR-tools' CP-SAT: exact in integers, whatever the amounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from settlement.circulation import SOLVER_MAX, AmountsTooLarge
from settlement.liquidity.program import Program

PROVABLE_LOTS_MAX = 1_000
"""Beyond it a proof is not to be hoped for, and the effort goes into finding good choices instead."""


def prove(program: Program, effort: float) -> tuple[list[int] | None, int]:
    """The best choice found, if any, and what no choice exceeds: the same, if proven.

    Raises:
        AmountsTooLarge: the items sum to more than the solver can take.
    """
    # One worker proves fastest; several find better choices.
    return _solved(program, effort, workers=1 if len(program.lots) <= PROVABLE_LOTS_MAX else 4, hint=None)


def improve(program: Program, known: Sequence[int], effort: float) -> tuple[list[int] | None, int]:
    """The same, starting from a choice that is known."""
    return _solved(program, effort, workers=8, hint=known)


def _solved(
    program: Program, effort: float, *, workers: int, hint: Sequence[int] | None
) -> tuple[list[int] | None, int]:
    from ortools.sat.python import cp_model

    most = sum(amount * len(lot) for amount, lot in zip(program.amounts, program.lots, strict=True))
    if most > SOLVER_MAX // 2:
        raise AmountsTooLarge("all items together", most)
    model = cp_model.CpModel()
    spare = sum(limit.at_most for limit in program.limits)
    takes = [model.new_int_var(0, len(lot), lot[0].id) for lot in program.lots]
    for limit in program.limits:
        variables = [takes[lot] for lot in limit.weights]
        paid = cp_model.LinearExpr.weighted_sum(variables, list(limit.weights.values()))
        # Nobody ends with more than all have together; where lists pay off, that is little.
        least = limit.at_most - spare if program.narrow else -most
        model.add_linear_constraint(paid, least, limit.at_most)
        if program.narrow and limit.combinations is not None:
            model.add_allowed_assignments(variables, limit.combinations)
    model.maximize(cp_model.LinearExpr.weighted_sum(takes, list(program.amounts)))
    for take, count in zip(takes, hint or (), strict=False):
        model.add_hint(take, count)
    solver = cp_model.CpSolver()
    _configure(solver.parameters, effort, workers)
    # Cuts pay off: the limits are knapsacks. Lists are not.
    solver.parameters.linearization_level = 0 if program.narrow else 2
    status = solver.solve(model)
    if status == cp_model.UNKNOWN:
        return None, program.ceiling
    assert status in (cp_model.OPTIMAL, cp_model.FEASIBLE), f"choosing nothing is possible, yet: {status}"
    return [solver.value(take) for take in takes], -int(solver.response_proto.inner_objective_lower_bound)


def _configure(parameters: Any, effort: float, workers: int) -> None:
    """Settings under which the same queue gives the same answer every time, and a proof can be trusted."""
    parameters.random_seed = 0
    parameters.max_deterministic_time = effort
    # Taking turns, workers do not race for the answer.
    parameters.num_workers = workers
    parameters.interleave_search = workers > 1
    # OR-tools 9.15 proves wrong optima when its presolve merges overlapping limits (google/or-tools issue 5293); a test
    # holds a queue on which it does. Without presolve the proof is sound, and on these queues no slower.
    parameters.cp_model_presolve = False
