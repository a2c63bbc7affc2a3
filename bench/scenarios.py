"""What is measured: each scenario drives one thing for some seconds and gives one sample."""

import multiprocessing
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from bench import requests
from bench.baselines import orm_service, pgbench, raw_sql
from bench.load.drive import drive
from bench.load.plan import MACHINE, Lane, Outcome, Plan
from bench.noop import service as noop
from bench.processes import Server
from bench.rig import Rig

_TRANSFERS = "/exchange.v1.TransferService/"
CONVERT = _TRANSFERS + "ConvertPoints"
EARN = _TRANSFERS + "EarnPoints"
REDEEM = _TRANSFERS + "RedeemPoints"
BATCH = _TRANSFERS + "BatchTransfer"

# Ten connections of at most fifty calls; see connection.py about gRPC's limit of a hundred.
_CONNECTIONS = 2
_IN_FLIGHT = 480
_GATHER_SECONDS = 0.003
# More of them only make each wait: the service is no faster.
_ORM_IN_FLIGHT = 20
_LATENCY_LOAD = 0.8

# How many requests to prepare for each second: well above what any server here reaches.
_UNARY_PREPARED = 18_000
_CEILING_PREPARED = 300_000
_BULK_PREPARED = 80_000
_ORM_PREPARED = 3_000
_CANNED_STREAMS_MAX = 100_000
_CEILING_SECONDS_MAX = 1.0
_WARMUP_SECONDS = 0.5


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


def _driven(plan: Plan) -> Outcome:
    """Run the load generator in a process of its own, so that its processor time is its own too."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(drive, plan).result()


def _sample(outcome: Outcome, operations: int, **notes: float) -> Sample:
    """`operations` is what the outcome's OK answers amount to."""
    spent = {**outcome.cpu_seconds, "generator": outcome.generator_cpu_seconds}
    everybody = spent.pop(MACHINE)
    if everybody is not None:
        others = everybody - sum(seconds or 0 for seconds in spent.values())
        notes["others"] = others / outcome.seconds / (os.cpu_count() or 1)
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


def _unary(rig: Rig, path: str, build: requests.Build, seconds: float, *, per_second: float | None = None) -> Sample:
    count = int((per_second or _UNARY_PREPARED) * (seconds + _WARMUP_SECONDS) * 1.2)
    outcome = _driven(
        Plan(
            port=rig.exchange.port,
            path=path,
            lanes=requests.lanes(rig.parties, build, count, connections=_CONNECTIONS),
            in_flight=_IN_FLIGHT,
            seconds=seconds,
            warmup_seconds=_WARMUP_SECONDS,
            per_second=per_second,
            gather_seconds=0.0 if per_second else _GATHER_SECONDS,
            watched=_watched(rig, rig.exchange),
        )
    )
    return _sample(outcome, outcome.ok)


def _watched(rig: Rig, server: Server) -> dict[str, int]:
    return {"server": server.pid, "postgres": rig.databases.pid}


def unary(path: str, build: requests.Build) -> Callable[[Rig, float, Earlier], Sample]:
    """Unary calls at saturation."""
    return lambda rig, seconds, _earlier: _unary(rig, path, build, seconds)


def at_load(name: str, path: str) -> Callable[[Rig, float, Earlier], Sample]:
    """Conversions at a share of the rate that the scenario `name` has just reached: for their latency."""
    return lambda rig, seconds, earlier: _unary(
        rig, path, requests.converts, seconds, per_second=_LATENCY_LOAD * earlier[name].per_second
    )


def duplicates(rig: Rig, seconds: float, _earlier: Earlier) -> Sample:
    """Conversions of which one in twenty is said again."""
    outcome = _driven(
        Plan(
            port=rig.exchange.port,
            path=CONVERT,
            lanes=requests.lanes(
                rig.parties,
                requests.with_duplicates(0.05),
                int(_UNARY_PREPARED * (seconds + _WARMUP_SECONDS)),
                connections=_CONNECTIONS,
            ),
            in_flight=_IN_FLIGHT,
            seconds=seconds,
            warmup_seconds=_WARMUP_SECONDS,
            gather_seconds=_GATHER_SECONDS,
            watched=_watched(rig, rig.exchange),
            inspect=requests.replayed_of,
        )
    )
    return _sample(outcome, outcome.ok, replayed=outcome.counts["replayed"] / max(outcome.ok, 1))


def bulk(size: int, in_flight: int) -> Callable[[Rig, float, Earlier], Sample]:
    """BatchTransfer of `size` conversions; the sample counts conversions."""

    def run(rig: Rig, seconds: float, _earlier: Earlier) -> Sample:
        outcome = _driven(
            Plan(
                port=rig.exchange.port,
                path=BATCH,
                lanes=requests.lanes(
                    rig.parties, requests.batches(size), int(_BULK_PREPARED * (seconds + _WARMUP_SECONDS))
                ),
                in_flight=in_flight,
                seconds=seconds,
                warmup_seconds=_WARMUP_SECONDS,
                watched=_watched(rig, rig.exchange),
                inspect=requests.items_of,
            )
        )
        refused = outcome.counts.get("items refused", 0)
        sample = _sample(outcome, outcome.counts["items"])
        return sample if not refused else _with_failed(sample, "items refused", refused)

    return run


def _with_failed(sample: Sample, why: str, count: int) -> Sample:
    return Sample(
        per_second=sample.per_second,
        latency_ms=sample.latency_ms,
        cpu_us=sample.cpu_us,
        failed={**sample.failed, why: count},
        notes=sample.notes,
    )


def ceiling(rig: Rig, seconds: float, _earlier: Earlier) -> Sample:
    """The load generator against a server that only sends prepared bytes: as fast as it can get."""
    seconds = min(seconds, _CEILING_SECONDS_MAX)
    bodies = requests.orm_lanes(1, _CANNED_STREAMS_MAX - 1)[0].bodies
    outcome = _driven(
        Plan(
            port=rig.canned.port,
            path=noop.METHOD,
            lanes=tuple(Lane(bodies, party.secret) for party in rig.parties),
            in_flight=_IN_FLIGHT // _CONNECTIONS,
            seconds=seconds,
            warmup_seconds=0.1,
            watched={"server": rig.canned.pid},
        )
    )
    return _sample(outcome, outcome.ok)


def bare_noop(rig: Rig, seconds: float, _earlier: Earlier) -> Sample:
    """The no-op on a gRPC server that has nothing else: no credentials, no limits, no metrics."""
    count = int(_UNARY_PREPARED * (seconds + _WARMUP_SECONDS))
    outcome = _driven(
        Plan(
            port=rig.bare.port,
            path=noop.METHOD,
            lanes=requests.lanes(rig.parties, requests.converts, count, connections=_CONNECTIONS),
            in_flight=_IN_FLIGHT,
            seconds=seconds,
            warmup_seconds=_WARMUP_SECONDS,
            gather_seconds=_GATHER_SECONDS,
            watched={"server": rig.bare.pid},
        )
    )
    return _sample(outcome, outcome.ok)


def orm(rig: Rig, seconds: float, _earlier: Earlier) -> Sample:
    """The ORM service."""
    outcome = _driven(
        Plan(
            port=rig.orm.port,
            path=orm_service.METHOD,
            lanes=requests.orm_lanes(len(rig.parties), int(_ORM_PREPARED * (seconds + _WARMUP_SECONDS))),
            in_flight=_ORM_IN_FLIGHT,
            seconds=seconds,
            warmup_seconds=_WARMUP_SECONDS,
            watched=_watched(rig, rig.orm),
        )
    )
    return _sample(outcome, outcome.ok)


def raw(connections: int) -> Callable[[Rig, float, Earlier], Sample]:
    """Raw set-based SQL over so many connections."""

    def run(rig: Rig, seconds: float, _earlier: Earlier) -> Sample:
        result = raw_sql.run(
            rig.databases.wide, connections=connections, seconds=seconds, postgres_pid=rig.databases.pid
        )
        spent = {"generator": result.client_cpu_seconds, "postgres": result.postgres_cpu_seconds}
        return Sample(
            per_second=result.per_second,
            cpu_us={who: used / result.done * 1e6 for who, used in spent.items() if used is not None},
        )

    return run


def by_pgbench(clients: int) -> Callable[[Rig, float, Earlier], Sample]:
    """The pgbench script with so many clients."""

    def run(rig: Rig, seconds: float, _earlier: Earlier) -> Sample:
        result = pgbench.run(
            rig.databases.wide, clients=clients, seconds=max(round(seconds), 1), postgres_pid=rig.databases.pid
        )
        spent = {"generator": result.client_cpu_seconds, "postgres": result.postgres_cpu_seconds}
        return Sample(
            per_second=result.per_second,
            latency_ms={"mean": result.latency_ms},
            cpu_us={who: used / result.done * 1e6 for who, used in spent.items() if used is not None},
            failed={"failed": result.failed} if result.failed else {},
        )

    return run


PGBENCH_CLIENTS = (1, 8, 32)

SCENARIOS = (
    Scenario("ceiling", "load generator alone, canned answers", ceiling),
    Scenario("noop_bare", "no-op RPC, bare gRPC server", bare_noop),
    Scenario("noop", "no-op RPC, the exchange's server", unary(noop.METHOD, requests.converts)),
    Scenario("convert", "ConvertPoints", unary(CONVERT, requests.converts)),
    Scenario("earn", "EarnPoints", unary(EARN, requests.earns)),
    Scenario("redeem", "RedeemPoints", unary(REDEEM, requests.redeems)),
    Scenario("duplicates", "ConvertPoints, 5 % duplicates", duplicates),
    Scenario("noop_at_load", "no-op RPC at 80 % load", at_load("noop", noop.METHOD)),
    Scenario("convert_at_load", "ConvertPoints at 80 % load", at_load("convert", CONVERT)),
    Scenario("batch_100", "BatchTransfer of 100", bulk(100, 20)),
    Scenario("batch_1000", "BatchTransfer of 1 000", bulk(1_000, 5)),
    Scenario("orm", "ORM session per request", orm),
    *(
        Scenario(f"pgbench_{clients}", f"pgbench, one transfer each, {clients} clients", by_pgbench(clients))
        for clients in PGBENCH_CLIENTS
    ),
    Scenario("raw_1", "raw SQL, 1 000 a transaction, 1 connection", raw(1)),
    Scenario("raw_2", "raw SQL, 1 000 a transaction, 2 connections", raw(2)),
)
