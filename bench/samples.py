"""One sample of one scenario, and how the load generator is made to take it."""

import multiprocessing
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace

from bench.load.drive import drive
from bench.load.plan import MACHINE, Outcome, Plan
from bench.processes import Server
from bench.rig import Rig


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One repetition of one scenario.

    Attributes:
        per_second: transfers, or calls that move nothing, done in a second.
        latency_ms: "p50", "p99" and the like; pgbench and raw SQL tell a mean at most.
        cpu_us: microseconds of processor time for each of them, by who used it.
        failed: what was not answered OK, by why.
        notes: further figures, such as the share of the machine that other programs used.
    """

    per_second: float
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    cpu_us: Mapping[str, float] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, float] = field(default_factory=dict)


Earlier = Mapping[str, Sample]
"""The samples of the same round, by scenario."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A name for the results, a title for people, and how to take a sample in so many seconds."""

    name: str
    title: str
    run: Callable[[Rig, float, Earlier], Sample]


def driven(plan: Plan) -> Outcome:
    """Run the load generator in a process of its own, so that its processor time is its own too."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(drive, plan).result()


def sample_of(outcome: Outcome, operations: int, **notes: float) -> Sample:
    """`operations` is what the outcome's OK answers amount to."""
    spent = {**outcome.cpu_seconds, "generator": outcome.generator_cpu_seconds}
    everybody = spent.pop(MACHINE)
    if everybody is not None:
        others = everybody - sum(seconds or 0 for seconds in spent.values())
        notes["others"] = others / outcome.seconds / (os.cpu_count() or 1)
    if outcome.wanted is not None:
        notes["started"] = outcome.sent / outcome.wanted
    ran_out = {"requests ran out": 1} if outcome.ran_out else {}
    return Sample(
        per_second=operations / outcome.seconds,
        latency_ms=outcome.latency_ms,
        cpu_us={
            who: seconds / operations * 1e6 for who, seconds in spent.items() if seconds is not None and operations
        },
        failed={**outcome.failed, **ran_out},
        notes=notes,
    )


def watched(rig: Rig, server: Server) -> dict[str, int]:
    """Whose processor time counts: a server's and PostgreSQL's."""
    return {"server": server.pid, "postgres": rig.databases.pid}


def with_failed(sample: Sample, why: str, count: int) -> Sample:
    """The same, with so many more operations that failed."""
    return replace(sample, failed={**sample.failed, why: count}) if count else sample
