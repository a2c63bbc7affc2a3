"""The most that can settle when an item settles whole or not at all: a choice among items, solved by CP-SAT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import gcd
from typing import Any

from settlement.circulation import SOLVER_MAX, AmountsTooLarge
from settlement.liquidity.divisible import most_by_pair, pair_totals
from settlement.liquidity.model import Choice
from settlement.netting.model import Obligation

EFFORT_MAX = 20.0
"""When to stop looking for a proof, in the solver's own measure: one to two seconds of a core each.

It counts work and not time, so that the same queue gives the same answer on a busy machine. Queues of 300 items mostly
need less than one; hundreds of items whose debtors can pay hardly anything may need all of it."""

PROVABLE_ITEMS_MAX = 1_000
"""Beyond it a proof is not to be hoped for, and the effort goes into finding good choices instead."""


def settle_whole(items: Sequence[Obligation], funds: Mapping[str, int]) -> Choice:
    """Choose the items whose sum is largest. The answer does not depend on the order of items with given ids.

    The ceiling is what the solver proved, or what parts of items could settle if that is less; on queues where the
    proof takes more than EFFORT_MAX the choice may fall short of it.

    Raises:
        AmountsTooLarge: the items sum to more than the solver can take.
    """
    ceiling = sum(most_by_pair(pair_totals(items), funds).values())
    ordered = sorted(items, key=lambda item: (item.debtor, item.creditor, item.amount, item.id))
    chosen, proven = _choose(ordered, funds)
    return Choice({item.id: item.amount for item in chosen}, min(ceiling, proven))


def _choose(items: Sequence[Obligation], funds: Mapping[str, int]) -> tuple[list[Obligation], int]:
    """The chosen items, and the value the solver proved no choice exceeds."""
    from ortools.sat.python import cp_model

    unit = gcd(*(item.amount for item in items))
    model = cp_model.CpModel()
    takes = [model.new_bool_var(item.id) for item in items]
    amounts = [item.amount // unit for item in items]
    if sum(amounts) > SOLVER_MAX // 2:
        raise AmountsTooLarge("all items together", sum(amounts))
    out: dict[str, list[tuple[Any, int]]] = {}
    for item, take, amount in zip(items, takes, amounts, strict=True):
        out.setdefault(item.debtor, []).append((take, amount))
        out.setdefault(item.creditor, []).append((take, -amount))
    for name, terms in sorted(out.items()):
        variables, weights = zip(*terms, strict=True)
        model.add(cp_model.LinearExpr.weighted_sum(variables, weights) <= funds.get(name, 0) // unit)
    model.maximize(cp_model.LinearExpr.weighted_sum(takes, amounts))
    solver = cp_model.CpSolver()
    _configure(solver.parameters, len(items))
    status = solver.solve(model)
    if status == cp_model.UNKNOWN:
        return [], sum(item.amount for item in items)
    assert status in (cp_model.OPTIMAL, cp_model.FEASIBLE), f"choosing nothing is possible, yet: {status}"
    chosen = [item for item, take in zip(items, takes, strict=True) if solver.boolean_value(take)]
    proven = -int(solver.response_proto.inner_objective_lower_bound) * unit
    return chosen, proven


def _configure(parameters: Any, items: int) -> None:
    """Settings under which the same queue gives the same answer every time, and a proof can be trusted."""
    parameters.random_seed = 0
    parameters.max_deterministic_time = EFFORT_MAX
    # Cuts pay off: the limits are knapsacks.
    parameters.linearization_level = 2
    # Several workers find better choices, one proves faster; taking turns they do not race for the answer.
    parameters.num_workers = 1 if items <= PROVABLE_ITEMS_MAX else 4
    parameters.interleave_search = items > PROVABLE_ITEMS_MAX
    # OR-tools 9.15 proves wrong optima when its presolve merges overlapping limits (google/or-tools issue 5293); a test
    # holds a queue on which it does. Without presolve the proof is sound, and on these queues no slower.
    parameters.cp_model_presolve = False
