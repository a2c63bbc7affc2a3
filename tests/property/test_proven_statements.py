"""Statements of any windows against their heads: what is true is found true, and no table may say something else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from settlement.proofs.model import Head
from settlement.proofs.offline import FIRST, Untrue, check, head_of, leaf_hash
from settlement.proofs.rules import Tree, pair_leaf
from settlement.reports.formats.registry import FORMATS
from settlement.reports.lines import KindTotal
from settlement.reports.settled import SettledWindow
from settlement.reports.statement import merchant_statement
from settlement.run.rules import Inputs
from tests.property import test_converting_runs as converting
from tests.property.test_papers import settled_rows
from tests.property.test_windows_in_a_row import NAMES
from tests.unit.settlement.settlements import settled_window


@st.composite
def converted_rows(draw: st.DrawFn) -> list[SettledWindow]:
    """Windows of several currencies one after the other, some of whose positions are converted."""
    found: list[SettledWindow] = []
    inputs: Inputs
    for inputs in draw(converting.windows()):
        owed: dict[tuple[str, str, str], int] = {}
        for total in inputs.totals:
            key = (total.currency, total.debtor, total.creditor)
            owed[key] = owed.get(key, 0) + total.micros
        kinds = [KindTotal(*key, "earn", micros, 1) for key, micros in sorted(owed.items())]
        before = found[-1].run.result if found else ()
        found.append(settled_window(kinds, inputs.configuration, before, inputs.window_no))
    return found


def statements(settled: SettledWindow) -> Iterator[tuple[Any, Any, str]]:
    """Everybody's statement, with its proof and the head."""
    items = [
        f"{place}|{place}|1|2026-03-01|{one.kind}|{one.debtor}|{one.creditor}|{one.currency}|{one.micros}|1|1"
        for place, one in enumerate(settled.kinds)
    ]
    owed: dict[tuple[str, str, str], list[int]] = {}
    for one in settled.kinds:
        figures = owed.setdefault((one.currency, one.debtor, one.creditor), [0, 0])
        figures[:] = figures[0] + one.micros, figures[1] + one.obligations
    pairs = [pair_leaf(*pair, *figures) for pair, figures in sorted(owed.items())]
    trees = [Tree(leaf_hash(leaf.encode()) for leaf in leaves) for leaves in (items, pairs)]
    number = settled.run.window_no
    told = Head(number, "now", FIRST, trees[0].size, trees[0].root, trees[1].size, trees[1].root, "").told
    for name in NAMES:
        proof: dict[str, Any] = {"participant": name, "head": told}
        for what, leaves, tree, first in (("items", items, trees[0], 5), ("pairs", pairs, trees[1], 1)):
            own = [(place, leaf) for place, leaf in enumerate(leaves) if name in leaf.split("|")[first : first + 2]]
            proof[what] = {"leaves": own, "hashes": tree.hashes_beside([place for place, _ in own])}
        statement = json.loads(FORMATS["json"].render(merchant_statement(settled, name)))
        yield statement, proof, head_of(told)


@given(row=st.one_of(settled_rows(), converted_rows()))
def test_every_statement_is_true(row: list[SettledWindow]) -> None:
    """Whatever is carried, held, disputed, adjusted or converted, in every mode."""
    for settled in row:
        for statement, proof, head in statements(settled):
            assert check(statement, proof, head) == len(proof["items"]["leaves"])


FIGURES = {
    "lines": ("receivable", "payable", "items", "receivable_micros", "payable_micros"),
    "counterparties": ("receivable", "payable", "held", "obligations"),
    "payments": ("amount",),
    "disputed": ("amount",),
    "adjustments": ("amount",),
}
CHANGES: list[Callable[[Any, str, int], object]] = [
    lambda row, figure, by: row.update({figure: row[figure] + by}),
    lambda row, figure, by: row.update({figure: row[figure] - by}),
]


@given(row=st.one_of(settled_rows(), converted_rows()), data=st.data())
def test_no_figure_of_a_table_may_be_another(row: list[SettledWindow], data: st.DataObject) -> None:
    """One figure of one row, more or less by any amount: the statement is found untrue."""
    told = [one for settled in row for one in statements(settled)]
    places = [
        (one, row, figure)
        for one in told
        for table, figures in FIGURES.items()
        for row in one[0].get(table, ())
        for figure in figures
        if row[figure] is not None
    ]
    if not places:
        return
    (statement, proof, head), changed, figure = data.draw(st.sampled_from(places))
    data.draw(st.sampled_from(CHANGES))(changed, figure, data.draw(st.integers(1, 10**9)))

    try:
        check(statement, proof, head)
    except Untrue:
        return
    raise AssertionError(f"{figure} of {changed} is not looked at")
