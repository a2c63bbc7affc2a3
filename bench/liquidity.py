"""`python -m bench.liquidity`: how many queues of whole items are proven best, and for how much work.

Queues of every shape in `bench.liquidity_queues`, of 50 to 400 items, are answered as `settlement liquidity` answers
them, each in a process of its own. Every answer is added up again; and beside each queue a small one of the same kind
is answered and compared with trying all its choices. Time is counted in seconds of a core, which a busy machine leaves
as they are.
"""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench import machine
from bench.liquidity_queues import AMOUNTS, FUNDS, SHAPES, Case
from settlement.liquidity.model import Queue
from settlement.liquidity.registry import WHOLE, settle_all

_RESULTS = Path(__file__).parent / "results"
SIZES = ((50, 5), (100, 10), (200, 20), (300, 20), (400, 40))
"""Items among so many participants."""

_SMALL = (14, 5)
"""Of these every choice is tried."""


@dataclass(frozen=True, slots=True)
class Row:
    """How a queue was answered: what settles, what cannot be exceeded, and the work in seconds of a core."""

    case: Case
    gross: int
    settled: int
    bound: int
    cpu_s: float

    @property
    def gap(self) -> float:
        """What might be missed, of what could settle at most."""
        return (self.bound - self.settled) / self.bound if self.bound else 0.0


def main() -> int:
    """Answer all, print, write JSON. 1: an answer is wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.liquidity", description=__doc__)
    parser.add_argument("--full", action="store_true", help="every size of every kind (some hours of a core)")
    parser.add_argument("--amounts", choices=AMOUNTS, action="append", help="only these amounts")
    parser.add_argument("--funds", choices=FUNDS, action="append", help="only these funds")
    parser.add_argument("--workers", type=int, default=1, help="how many queues at a time")
    parser.add_argument("--output", type=Path, default=_RESULTS / "liquidity.json", help="file for the JSON")
    parser.add_argument("--answer", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.answer:
        print(json.dumps(asdict(answered(Case(**json.loads(chosen.answer))))))
        return 0
    cases = [
        case
        for case in corpus(every_size=chosen.full)
        if case.amounts in (chosen.amounts or AMOUNTS) and case.funds in (chosen.funds or FUNDS)
    ]
    with ThreadPoolExecutor(chosen.workers) as workers:
        rows = list(track(workers.map(_apart, cases), total=len(cases), console=Console(stderr=True)))
    _show(rows)
    document = {"machine": machine.description(), "rows": [asdict(row) for row in rows]}
    chosen.output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


def corpus(*, every_size: bool) -> Iterator[Case]:
    """Every shape with all amounts and funds, of every size or of one in turn."""
    for shape_number, shape in enumerate(SHAPES):
        for amounts_number, amounts in enumerate(AMOUNTS):
            for funds_number, funds in enumerate(FUNDS):
                turn = (shape_number + 2 * amounts_number + funds_number) % len(SIZES)
                for items, participants in SIZES if every_size else SIZES[turn : turn + 1]:
                    yield Case(shape, amounts, items, participants, funds)


def answered(case: Case) -> Row:
    """The answer to a queue, looked through, and how much work it was."""
    small = replace(case, items=_SMALL[0], participants=_SMALL[1]).queue
    tried = _best_of_all(small)
    found = settle_all([small], WHOLE)[0]
    assert found.optimal, f"not proven: {small}"
    assert found.settled_value == tried, f"{found.settled_value} is called best, {tried} is: {small}"
    queue = case.queue
    before = _cpu()
    result = settle_all([queue], WHOLE)[0]
    cpu_s = _cpu() - before
    after = dict(queue.funds)
    for item in queue.items:
        amount = item.amount if item.id in result.settled else 0
        after[item.debtor] = after.get(item.debtor, 0) - amount
        after[item.creditor] = after.get(item.creditor, 0) + amount
    assert min(after.values()) >= 0, f"not affordable: {case}"
    assert result.settled_value <= result.ceiling, f"more than is proven possible: {case}"
    return Row(case, result.gross, result.settled_value, result.ceiling, round(cpu_s, 2))


def _best_of_all(queue: Queue) -> int:
    """The most that can settle, by trying every choice."""
    names = sorted({name for item in queue.items for name in (item.debtor, item.creditor)})
    flows = np.zeros((len(queue.items), len(names)), np.int64)
    for number, item in enumerate(queue.items):
        flows[number, names.index(item.debtor)] -= item.amount
        flows[number, names.index(item.creditor)] += item.amount
    choices = (np.arange(2 ** len(queue.items))[:, None] >> np.arange(len(queue.items))) & 1
    after = choices @ flows + np.array([queue.funds.get(name, 0) for name in names], np.int64)
    values = choices @ np.array([item.amount for item in queue.items], np.int64)
    return int(values[(after >= 0).all(axis=1)].max())


def _cpu() -> float:
    """Seconds of a core so far, of this process and those it ran."""
    spent = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in spent)


def _apart(case: Case) -> Row:
    """The same by a process of its own."""
    command = [sys.executable, "-m", "bench.liquidity", "--answer", json.dumps(asdict(case))]
    told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
    return Row(**told | {"case": Case(**told["case"])})


def _show(rows: Sequence[Row]) -> None:
    console = Console()
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.case.amounts, row.case.funds), []).append(row)
    table = Table("amounts", "funds", "queues", "proven", "widest gap", "median CPU s", "most CPU s")
    for (amounts, funds), theirs in groups.items():
        table.add_row(amounts, funds, *_figures(theirs).values())
    table.add_row("all", "", *_figures(rows).values())
    console.print(table)
    for row in rows:
        if row.gap:
            console.print(f"open: {row.case.name}: {row.gap:.3%} after {row.cpu_s} s")


def _figures(rows: Sequence[Row]) -> Mapping[str, str]:
    return {
        "queues": str(len(rows)),
        "proven": str(sum(not row.gap for row in rows)),
        "gap": f"{max(row.gap for row in rows):.3%}",
        "median": f"{median(row.cpu_s for row in rows):.1f}",
        "most": f"{max(row.cpu_s for row in rows):.1f}",
    }


if __name__ == "__main__":
    sys.exit(main())
