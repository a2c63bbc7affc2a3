"""Samples to figures: medians with their spread, and the goals as ratios within a round."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.scenarios import PGBENCH_CLIENTS, Sample

Round = Mapping[str, Sample]
"""One repetition of everything: scenario to sample."""


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of several samples, with the least and the greatest."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Figure":
        """At least one value."""
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Summary:
    """A scenario over all rounds.

    Attributes:
        per_second: transfers or calls.
        latency_ms: medians, by quantile.
        cpu_us: medians for each operation, by who used it.
        failed: sums, by why.
        notes: medians.
    """

    per_second: Figure
    latency_ms: Mapping[str, float]
    cpu_us: Mapping[str, float]
    failed: Mapping[str, int]
    notes: Mapping[str, float]


def summary(rounds: Sequence[Round], name: str) -> Summary:
    """What became of one scenario."""
    samples = [each[name] for each in rounds]
    return Summary(
        per_second=Figure.of([sample.per_second for sample in samples]),
        latency_ms=_medians([sample.latency_ms for sample in samples]),
        cpu_us=_medians([sample.cpu_us for sample in samples]),
        failed=_sums([sample.failed for sample in samples]),
        notes=_medians([sample.notes for sample in samples]),
    )


def _medians(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: statistics.median(row[name] for row in rows if name in row) for name in names}


def _sums(rows: Sequence[Mapping[str, int]]) -> dict[str, int]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: sum(row.get(name, 0) for row in rows) for name in names}


Measure = Callable[[Round], float]


@dataclass(frozen=True, slots=True)
class Goal:
    """Something to reach: so many times a yardstick, or so many a second when there is none.

    A ratio is taken within each round, so that a slow minute of the machine slows both sides of it.
    """

    title: str
    wanted: float
    ours: Measure
    yardstick: Measure | None = None

    def reached(self, each: Round) -> float:
        """What was reached in one round."""
        return self.ours(each) / (self.yardstick(each) if self.yardstick else 1)


def _rate_of(*names: str) -> Measure:
    """The fastest of the scenarios."""
    return lambda each: max(each[name].per_second for name in names)


_UNARY = Goal("unary ConvertPoints / no-op RPC on the same server", 0.5, _rate_of("convert"), _rate_of("noop"))
_UNARY_BESIDE_ORM = Goal("unary ConvertPoints / ORM session per request", 8, _rate_of("convert"), _rate_of("orm"))
_BULK_BESIDE_PGBENCH = Goal(
    "BatchTransfer of 1 000 / best pgbench",
    1,
    _rate_of("batch_1000"),
    _rate_of(*(f"pgbench_{clients}" for clients in PGBENCH_CLIENTS)),
)
_BULK_BESIDE_RAW = Goal(
    "BatchTransfer of 1 000 / raw SQL, 1 connection", 0.6, _rate_of("batch_1000"), _rate_of("raw_1")
)

GUARDED = (_UNARY, _UNARY_BESIDE_ORM, _BULK_BESIDE_PGBENCH, _BULK_BESIDE_RAW)
"""Ratios that `make bench-smoke` holds against floors."""

GOALS = (
    _UNARY,
    _UNARY_BESIDE_ORM,
    Goal("BatchTransfer of 1 000, conversions a second", 12_000, _rate_of("batch_1000")),
    _BULK_BESIDE_PGBENCH,
    _BULK_BESIDE_RAW,
    Goal(
        "load generator alone / fastest unary answer",
        3,
        _rate_of("ceiling"),
        _rate_of("noop_bare", "noop", "convert", "earn", "redeem"),
    ),
)


def figure_of(measure: Measure, rounds: Sequence[Round]) -> Figure:
    """A measure over all rounds."""
    return Figure.of([measure(each) for each in rounds])
