"""What is measured: each scenario drives one thing for some seconds and gives one sample."""

from collections.abc import Callable

from bench import requests
from bench.baselines import direct_sql, django_hordak, orm_service, pgbench, raw_sql
from bench.calls import (
    CONNECTIONS,
    CONVERT,
    EARN,
    GATHER_SECONDS,
    HOLD,
    IN_FLIGHT,
    REDEEM,
    UNARY_PREPARED,
    WARMUP_SECONDS,
    alone,
    at_load,
    bulk,
    captures,
    duplicates,
    hot,
    on_processes,
    overload,
    streams,
    unary,
)
from bench.load.plan import Lane, Plan
from bench.noop import service as noop
from bench.rig import Rig
from bench.samples import Earlier, Sample, Scenario, driven, sample_of, watched

# More of them only make each wait: the service is no faster.
_ORM_IN_FLIGHT = 20
_ORM_PREPARED = 3_000
_HORDAK_PROCESSES = 3
_CANNED_STREAMS_MAX = 100_000
# The canned server takes so many calls a connection, and a fast machine makes a million a second.
_CEILING_SECONDS_MAX = 0.4


def ceiling(rig: Rig, seconds: float, _earlier: Earlier) -> Sample:
    """The load generator against a server that only sends prepared bytes: as fast as it can get."""
    seconds = min(seconds, _CEILING_SECONDS_MAX)
    bodies = requests.orm_lanes(1, _CANNED_STREAMS_MAX - 1)[0].bodies
    outcome = driven(
        Plan(
            port=rig.canned.port,
            path=noop.METHOD,
            lanes=tuple(Lane(bodies, party.secret) for party in rig.parties),
            in_flight=IN_FLIGHT // CONNECTIONS,
            seconds=seconds,
            warmup_seconds=0.1,
            watched={"server": rig.canned.pid},
        )
    )
    return sample_of(outcome, outcome.ok)


def bare_noop(rig: Rig, seconds: float, _earlier: Earlier) -> Sample:
    """The no-op on a gRPC server that has nothing else: no credentials, no limits, no metrics."""
    count = int(UNARY_PREPARED * (seconds + WARMUP_SECONDS))
    outcome = driven(
        Plan(
            port=rig.bare.port,
            path=noop.METHOD,
            lanes=requests.lanes(rig.parties, requests.converts, count, connections=CONNECTIONS),
            in_flight=IN_FLIGHT,
            seconds=seconds,
            warmup_seconds=WARMUP_SECONDS,
            gather_seconds=GATHER_SECONDS,
            watched={"server": rig.bare.pid},
        )
    )
    return sample_of(outcome, outcome.ok)


def orm(rig: Rig, seconds: float, _earlier: Earlier) -> Sample:
    """The ORM service."""
    outcome = driven(
        Plan(
            port=rig.orm.port,
            path=orm_service.METHOD,
            lanes=requests.orm_lanes(len(rig.parties), int(_ORM_PREPARED * (seconds + WARMUP_SECONDS))),
            in_flight=_ORM_IN_FLIGHT,
            seconds=seconds,
            warmup_seconds=WARMUP_SECONDS,
            watched=watched(rig, rig.orm),
        )
    )
    return sample_of(outcome, outcome.ok)


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


def by_hordak(rig: Rig, seconds: float, _earlier: Earlier) -> Sample:
    """django-hordak in a few processes: more are no faster."""
    result = django_hordak.run(rig.databases.hordak, processes=_HORDAK_PROCESSES, seconds=seconds)
    return Sample(per_second=result.per_second)


PGBENCH_CLIENTS = (1, 8, 32)

SCENARIOS = (
    Scenario("ceiling", "load generator alone, canned answers", ceiling),
    Scenario("noop_bare", "no-op RPC, bare gRPC server", bare_noop),
    Scenario("noop", "no-op RPC, the exchange's server", unary(noop.METHOD, requests.converts)),
    Scenario("convert", "ConvertPoints", unary(CONVERT, requests.converts)),
    Scenario("earn", "EarnPoints", unary(EARN, requests.earns)),
    Scenario("redeem", "RedeemPoints", unary(REDEEM, requests.redeems)),
    Scenario("hold", "HoldPoints", unary(HOLD, requests.holds)),
    Scenario("capture", "CaptureHold", captures),
    Scenario("hot_merchant", "ConvertPoints of one merchant", hot(CONVERT, requests.converts)),
    Scenario("hot_member", "ConvertPoints of one member", hot(CONVERT, requests.converts, members=1)),
    Scenario("two_processes", "ConvertPoints, two server processes", on_processes(2, CONVERT, requests.converts)),
    Scenario("overload", "ConvertPoints at twice the load", overload("convert", CONVERT, requests.converts)),
    Scenario("duplicates", "ConvertPoints, 5 % duplicates", duplicates),
    Scenario("noop_at_load", "no-op RPC at 80 % load", at_load("noop", noop.METHOD)),
    Scenario("convert_at_load", "ConvertPoints at 80 % load", at_load("convert", CONVERT)),
    Scenario(
        "direct_alone", "direct SQL on the same server, one at a time", alone(direct_sql.METHOD, requests.directly)
    ),
    Scenario("convert_alone", "ConvertPoints, one at a time", alone(CONVERT, requests.converts)),
    Scenario("batch_100", "BatchTransfer of 100", bulk(100, 20)),
    Scenario("batch_1000", "BatchTransfer of 1 000", bulk(1_000, 5)),
    Scenario("stream", "StreamTransfers of 500", streams(500, 5)),
    Scenario("orm", "ORM session per request", orm),
    *([Scenario("hordak", "django-hordak, one transfer each", by_hordak)] if django_hordak.installed() else []),
    *(
        Scenario(f"pgbench_{clients}", f"pgbench, one transfer each, {clients} clients", by_pgbench(clients))
        for clients in PGBENCH_CLIENTS
    ),
    Scenario("raw_1", "raw SQL, 1 000 a transaction, 1 connection", raw(1)),
    Scenario("raw_2", "raw SQL, 1 000 a transaction, 2 connections", raw(2)),
)
