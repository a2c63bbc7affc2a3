"""Calls to the exchange as the load generator makes them: unary at saturation or at a set load, bulk, streams."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bench import requests
from bench.load.plan import Lane, Plan
from bench.processes import Server
from bench.rig import Rig
from bench.samples import Earlier, Sample, driven, sample_of, watched, with_failed
from bench.world import Party

_TRANSFERS = "/exchange.v1.TransferService/"
CONVERT = _TRANSFERS + "ConvertPoints"
HOLD = _TRANSFERS + "HoldPoints"
CAPTURE = _TRANSFERS + "CaptureHold"
STREAM = _TRANSFERS + "StreamTransfers"
EARN = _TRANSFERS + "EarnPoints"
REDEEM = _TRANSFERS + "RedeemPoints"
BATCH = _TRANSFERS + "BatchTransfer"

# Ten connections of at most fifty calls; see connection.py about gRPC's limit of a hundred.
CONNECTIONS = 2
IN_FLIGHT = 480
GATHER_SECONDS = 0.003
_LATENCY_LOAD = 0.8
_OVERLOAD = 2.0
# Of a merchant: so many that the calls under way pass what the server admits.
_OVERLOAD_CONNECTIONS = 12
# RESOURCE_EXHAUSTED and UNAVAILABLE, as trailers spell them.
_BUSY = ("8", "14")

# How many requests to prepare for each second: well above what any server here reaches.
UNARY_PREPARED = 18_000
_BULK_PREPARED = 80_000
_STREAMED_PREPARED = 60_000
_ALONE_PREPARED = 3_000
# Each must be held first.
_CAPTURES_PREPARED = 9_000
# For each connection, beyond those that are expected.
_SPARE_PREPARED = 10
WARMUP_SECONDS = 0.5


def unary_sample(
    rig: Rig,
    path: str,
    build: requests.Build,
    seconds: float,
    *,
    per_second: float | None = None,
    parties: Sequence[Party] = (),
    server: Server | None = None,
    connections: int = CONNECTIONS,
) -> Sample:
    """Unary calls to a server, by default the rig's one process and all its merchants, over as many connections.

    With `per_second` they start at that mean rate; without, there are always so many in flight.
    """
    server, parties = server or rig.exchange, parties or rig.parties
    connections = connections * len(rig.parties) // len(parties)
    # Calls that begin by chance begin now sooner, now later; where they are few, a few more than the mean are many.
    count = int((per_second or UNARY_PREPARED) * (seconds + WARMUP_SECONDS) * 1.2)
    count += _SPARE_PREPARED * connections * len(parties)
    outcome = driven(
        Plan(
            port=server.port,
            path=path,
            lanes=requests.lanes(list(parties), build, count, connections=connections),
            in_flight=IN_FLIGHT,
            seconds=seconds,
            warmup_seconds=WARMUP_SECONDS,
            per_second=per_second,
            gather_seconds=0.0 if per_second else GATHER_SECONDS,
            watched=watched(rig, server),
        )
    )
    return sample_of(outcome, outcome.ok)


def unary(path: str, build: requests.Build) -> Callable[[Rig, float, Earlier], Sample]:
    """Unary calls at saturation."""
    return lambda rig, seconds, _earlier: unary_sample(rig, path, build, seconds)


def at_load(name: str, path: str) -> Callable[[Rig, float, Earlier], Sample]:
    """Conversions at a share of the rate that the scenario `name` has just reached: for their latency."""
    return lambda rig, seconds, earlier: unary_sample(
        rig, path, requests.converts, seconds, per_second=_LATENCY_LOAD * earlier[name].per_second
    )


def overload(name: str, path: str, build: requests.Build) -> Callable[[Rig, float, Earlier], Sample]:
    """Calls started at twice the rate that the scenario `name` has just reached; counted are those that were done.

    What the server refuses at once, because it has enough to do, is no failure here: it is what keeps the rest going.
    """

    def run(rig: Rig, seconds: float, earlier: Earlier) -> Sample:
        rate = _OVERLOAD * earlier[name].per_second
        sample = unary_sample(rig, path, build, seconds, per_second=rate, connections=_OVERLOAD_CONNECTIONS)
        refused = sum(sample.failed.get(code, 0) for code in _BUSY)
        failed = {code: count for code, count in sample.failed.items() if code not in _BUSY}
        return replace(sample, failed=failed, notes={**sample.notes, "refused": float(refused)})

    return run


def alone(path: str, build: requests.Build) -> Callable[[Rig, float, Earlier], Sample]:
    """One call at a time, the next when it was answered, on one connection: for its latency."""

    def run(rig: Rig, seconds: float, _earlier: Earlier) -> Sample:
        outcome = driven(
            Plan(
                port=rig.exchange.port,
                path=path,
                lanes=requests.lanes(rig.parties[:1], build, int(_ALONE_PREPARED * (seconds + WARMUP_SECONDS))),
                in_flight=1,
                seconds=seconds,
                warmup_seconds=WARMUP_SECONDS,
                watched=watched(rig, rig.exchange),
            )
        )
        return sample_of(outcome, outcome.ok)

    return run


def duplicates(rig: Rig, seconds: float, _earlier: Earlier) -> Sample:
    """Conversions of which one in twenty is said again."""
    outcome = driven(
        Plan(
            port=rig.exchange.port,
            path=CONVERT,
            lanes=requests.lanes(
                rig.parties,
                requests.with_duplicates(0.05),
                int(UNARY_PREPARED * (seconds + WARMUP_SECONDS)),
                connections=CONNECTIONS,
            ),
            in_flight=IN_FLIGHT,
            seconds=seconds,
            warmup_seconds=WARMUP_SECONDS,
            gather_seconds=GATHER_SECONDS,
            watched=watched(rig, rig.exchange),
            inspect=requests.replayed_of,
        )
    )
    return sample_of(outcome, outcome.ok, replayed=outcome.counts["replayed"] / max(outcome.ok, 1))


def bulk(size: int, in_flight: int) -> Callable[[Rig, float, Earlier], Sample]:
    """BatchTransfer of `size` conversions; the sample counts conversions."""

    def run(rig: Rig, seconds: float, _earlier: Earlier) -> Sample:
        outcome = driven(
            Plan(
                port=rig.exchange.port,
                path=BATCH,
                lanes=requests.lanes(
                    rig.parties, requests.batches(size), int(_BULK_PREPARED * (seconds + WARMUP_SECONDS))
                ),
                in_flight=in_flight,
                seconds=seconds,
                warmup_seconds=WARMUP_SECONDS,
                watched=watched(rig, rig.exchange),
                inspect=requests.items_of,
            )
        )
        sample = sample_of(outcome, outcome.counts["items"])
        return with_failed(sample, "items refused", outcome.counts.get("items refused", 0))

    return run


def streams(size: int, in_flight: int) -> Callable[[Rig, float, Earlier], Sample]:
    """StreamTransfers of `size` conversions a stream; the sample counts conversions."""

    def run(rig: Rig, seconds: float, _earlier: Earlier) -> Sample:
        count = int(_STREAMED_PREPARED * (seconds + WARMUP_SECONDS))
        lanes = requests.lanes(rig.parties, requests.streams(size), count)
        outcome = driven(
            Plan(
                port=rig.exchange.port,
                path=STREAM,
                lanes=tuple(Lane(lane.bodies, lane.secret, streams=True) for lane in lanes),
                in_flight=in_flight,
                seconds=seconds,
                warmup_seconds=WARMUP_SECONDS,
                watched=watched(rig, rig.exchange),
                inspect=requests.streamed_of,
            )
        )
        sample = sample_of(outcome, outcome.counts["items"])
        return with_failed(sample, "items refused", outcome.counts.get("items refused", 0))

    return run


def hot(path: str, build: requests.Build, *, members: int | None = None) -> Callable[[Rig, float, Earlier], Sample]:
    """Unary calls of one merchant alone, over as many connections as all have; on so few members, or on all its own."""

    def run(rig: Rig, seconds: float, _earlier: Earlier) -> Sample:
        (party,) = rig.parties[:1]
        alone = replace(party, members=party.members[:members])
        return unary_sample(rig, path, build, seconds, parties=[alone])

    return run


def on_processes(count: int, path: str, build: requests.Build) -> Callable[[Rig, float, Earlier], Sample]:
    """Unary calls to so many server processes that share a port and the database."""

    def run(rig: Rig, seconds: float, _earlier: Earlier) -> Sample:
        with rig.another(processes=count) as server:
            return unary_sample(rig, path, build, seconds, server=server)

    return run


def captures(rig: Rig, seconds: float, _earlier: Earlier) -> Sample:
    """CaptureHold of holds that were made just before, unmeasured and in bulk."""
    count = int(_CAPTURES_PREPARED * (seconds + WARMUP_SECONDS))
    prepared = requests.held_by_all(rig.exchange.port, rig.parties, count)
    outcome = driven(
        Plan(
            port=rig.exchange.port,
            path=CAPTURE,
            lanes=prepared,
            in_flight=IN_FLIGHT,
            seconds=seconds,
            warmup_seconds=WARMUP_SECONDS,
            gather_seconds=GATHER_SECONDS,
            watched=watched(rig, rig.exchange),
        )
    )
    return sample_of(outcome, outcome.ok)
