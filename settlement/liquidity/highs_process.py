"""The process HiGHS runs in: on each line of standard input a question as JSON, on standard output its answer.

A process of its own because HiGHS and OR-tools, which has another release of it inside, do not load into one, and
because it may print whatever it is told. Nothing of OR-tools may be imported here.
"""

from __future__ import annotations

import json
import math
import os
import sys
from itertools import accumulate
from typing import Any

import highspy
import numpy as np


def main() -> None:
    """Answer every question. Whatever the solver prints goes nowhere."""
    answers = os.dup(sys.stdout.fileno())
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    with os.fdopen(answers, "w", encoding="utf-8") as out:
        for line in sys.stdin:
            out.write(json.dumps(answered(json.loads(line))) + "\n")
            out.flush()


def answered(asked: dict[str, Any]) -> dict[str, Any]:
    """The counts of the best choice and what no choice exceeds, each null when there is none.

    It stops when HiGHS has asked as often as the effort allows whether to go on. It does so at the same points of the
    same search, so the same question always stops at the same place; and of a larger question it asks more rarely.
    """
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # its constructor has no types
    for name, value in _options(asked["tolerance"]).items():
        assert solver.setOptionValue(name, value) == highspy.HighsStatus.kOk, name
    assert solver.passModel(_model(asked)) == highspy.HighsStatus.kOk, "the question is a program"
    left = asked["effort"] // len(asked["counts"])

    def counted(event: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            event.interrupt()

    solver.cbMipInterrupt += counted
    solver.run()
    info = solver.getInfo()
    counts = None
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        counts = [round(value) for value in solver.getSolution().col_value]
    return {"counts": counts, "bound": info.mip_dual_bound if math.isfinite(info.mip_dual_bound) else None}


def _model(asked: dict[str, Any]) -> highspy.HighsLp:
    rows = asked["limits"]
    scales = []
    for lots, weights, _ in rows:
        size = sum(abs(weight) * asked["counts"][lot] for lot, weight in zip(lots, weights, strict=True))
        scales.append(2.0 ** (asked["limit_bits"] - size.bit_length()))
    model = highspy.HighsLp()
    model.sense_ = highspy.ObjSense.kMaximize
    model.num_col_, model.num_row_ = len(asked["counts"]), len(rows)
    model.col_cost_ = np.array(asked["values"], np.double)
    model.col_lower_ = np.zeros(len(asked["counts"]))
    model.col_upper_ = np.array(asked["counts"], np.double)
    model.integrality_ = [highspy.HighsVarType.kInteger] * len(asked["counts"])
    model.row_lower_ = np.full(len(rows), -math.inf)
    model.row_upper_ = np.array([(row[2] + asked["headroom"]) * scale for row, scale in zip(rows, scales, strict=True)])
    matrix = model.a_matrix_
    matrix.format_ = highspy.MatrixFormat.kRowwise
    matrix.start_ = np.array([0, *accumulate(len(lots) for lots, _, _ in rows)])
    matrix.index_ = np.array([lot for lots, _, _ in rows for lot in lots])
    matrix.value_ = np.array([w * scale for row, scale in zip(rows, scales, strict=True) for w in row[1]], np.double)
    return model


def _options(tolerance: float) -> dict[str, Any]:
    return {
        "output_flag": False,
        # The order of its work does not depend on how many cores there are.
        "threads": 1,
        "parallel": "off",
        "random_seed": 1,
        # Values are integers: what is less than one unit better is not better.
        "mip_rel_gap": 0.0,
        "mip_abs_gap": 0.9,
        "mip_feasibility_tolerance": tolerance,
        "primal_feasibility_tolerance": tolerance,
        "dual_feasibility_tolerance": tolerance,
    }


if __name__ == "__main__":
    main()
