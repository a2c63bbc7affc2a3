"""Samples to figures: medians with their spread, and the goals as ratios within a round."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.samples import Sample
from bench.scenarios import PGBENCH_CLIENTS

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
    """Something to reach: so many times a yardstick, or so much when there is none.

    A ratio is taken within each round, so that a slow minute of the machine slows both sides of it.

    Attributes:
        title: what is compared with what.
        wanted: the figure to reach.
        ours: what is measured.
        yardstick: what it is held against; None: it stands alone.
        at_most: the figure may not be passed; else it must be.
        cores_min: on a machine with fewer the figure is told and not judged.
    """

    title: str
    wanted: float
    ours: Measure
    yardstick: Measure | None = None
    at_most: bool = False
    cores_min: int = 1

    def reached(self, each: Round) -> float:
        """What was reached in one round."""
        return self.ours(each) / (self.yardstick(each) if self.yardstick else 1)

    def is_met_by(self, reached: float) -> bool:
        """Whether a figure is good enough."""
        return reached <= self.wanted if self.at_most else reached >= self.wanted


def _rate_of(*names: str) -> Measure:
    """The fastest of the scenarios."""
    return lambda each: max(each[name].per_second for name in names)


def _latency_of(name: str, quantile: str = "p99") -> Measure:
    """99 of 100 calls of a scenario are faster, or as many as the quantile says."""
    return lambda each: each[name].latency_ms[quantile]


def _cpu_of(name: str, who: str) -> Measure:
    """Microseconds of processor time for each operation; where nobody can tell, nothing."""
    return lambda each: each[name].cpu_us.get(who, math.nan)


_UNARY = Goal("unary ConvertPoints / no-op RPC on the same server", 0.75, _rate_of("convert"), _rate_of("noop"))
_UNARY_BESIDE_ORM = Goal("unary ConvertPoints / ORM session per request", 12, _rate_of("convert"), _rate_of("orm"))
_BULK_BESIDE_PGBENCH = Goal(
    "BatchTransfer of 1 000 / best pgbench",
    2,
    _rate_of("batch_1000"),
    _rate_of(*(f"pgbench_{clients}" for clients in PGBENCH_CLIENTS)),
)
_BULK_BESIDE_RAW = Goal(
    "BatchTransfer of 1 000 / raw SQL, 1 connection", 0.6, _rate_of("batch_1000"), _rate_of("raw_1")
)

GUARDED = (_UNARY, _UNARY_BESIDE_ORM, _BULK_BESIDE_PGBENCH, _BULK_BESIDE_RAW)
"""Ratios that `make bench-smoke` holds against floors."""

_OTHERS = {"earn": "EarnPoints", "redeem": "RedeemPoints", "hold": "HoldPoints", "capture": "CaptureHold"}
"""Unary movements beside the conversion, which all are held against the same no-op: of a conversion's size."""

GOALS = (
    _UNARY,
    *(Goal(f"unary {title} / no-op RPC", 0.75, _rate_of(name), _rate_of("noop")) for name, title in _OTHERS.items()),
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
    Goal(
        "p99 at 80 % load: ConvertPoints / no-op",
        3,
        _latency_of("convert_at_load"),
        _latency_of("noop_at_load"),
        at_most=True,
    ),
    Goal(
        "p50 of one call at a time: ConvertPoints / direct SQL",
        1.5,
        _latency_of("convert_alone", "p50"),
        _latency_of("direct_alone", "p50"),
        at_most=True,
    ),
    Goal(
        "server CPU: ConvertPoints / no-op", 1.4, _cpu_of("convert", "server"), _cpu_of("noop", "server"), at_most=True
    ),
    Goal("PostgreSQL CPU of a unary conversion, µs", 60, _cpu_of("convert", "postgres"), at_most=True),
    Goal("PostgreSQL CPU of a conversion in bulk, µs", 45, _cpu_of("batch_1000", "postgres"), at_most=True),
    Goal("ConvertPoints: one merchant / all of them", 0.9, _rate_of("hot_merchant"), _rate_of("convert")),
    Goal("ConvertPoints: done at twice the load / done", 0.8, _rate_of("overload"), _rate_of("convert")),
    Goal("ConvertPoints: two server processes / one", 1.6, _rate_of("two_processes"), _rate_of("convert"), cores_min=4),
)


def figure_of(measure: Measure, rounds: Sequence[Round]) -> Figure:
    """A measure over all rounds."""
    return Figure.of([measure(each) for each in rounds])
