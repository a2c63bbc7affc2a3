"""Running a plan: sockets, clock and the loop between them."""

import gc
import random
import select
import socket
import time
from collections import Counter, deque
from collections.abc import Iterator

from bench import cpu
from bench.load.connection import Connection, Tally
from bench.load.plan import MACHINE, Outcome, Plan

# A larger buffer is mapped anew for every read: 20 microseconds each.
_READ_BYTES = 1 << 16
_CONNECT_SECONDS_MAX = 10.0
_DRAIN_SECONDS_MAX = 20.0
_WAIT_SECONDS_MAX = 0.05
# How often an open loop looks, where that many calls or more fall due between two looks. Woken for each of them the
# generator would take the processor from whom it measures: ten times as much as when it handles a few at once.
_LOOK_SECONDS = 0.001
_DUE_AT_A_LOOK_MIN = 2
_NS = 1_000_000_000
_USER_AGENT = b"bench-load/1"
_DEADLINE = b"30S"


class _Peer:
    """A connection with its socket."""

    def __init__(self, connection: Connection, port: int) -> None:
        self.connection = connection
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_CONNECT_SECONDS_MAX)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.unsent = b""
        self.lost = False

    def fileno(self) -> int:
        """For select."""
        return self.socket.fileno()

    def read(self, now: int) -> None:
        try:
            chunk = self.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if chunk:
            reply = self.connection.receive(chunk, now)
            if reply:
                self.write(reply)
        else:
            self.lost = True
            self.connection.lose()

    def write(self, octets: bytes) -> None:
        self.unsent += octets
        try:
            sent = self.socket.send(self.unsent)
        except BlockingIOError:
            return
        except OSError:
            return  # the next read finds the connection gone and counts what it took with it
        self.unsent = self.unsent[sent:]


class _ClosedLoop:
    """Keeps a fixed number of calls in flight."""

    def __init__(self, peers: list[_Peer], in_flight: int) -> None:
        share, more = divmod(in_flight, len(peers))
        self._shares = [(peer, share + (number < more)) for number, peer in enumerate(peers)]

    def feed(self, now: int) -> None:
        for peer, share in self._shares:
            room = share - peer.connection.open
            if room > 0:
                calls = peer.connection.submit(room, now)
                if calls:
                    peer.write(calls)

    def wait_seconds(self, _now: int) -> float:
        return _WAIT_SECONDS_MAX


class _OpenLoop:
    """Starts calls when they are due, whether the earlier ones have ended or not."""

    def __init__(self, peers: list[_Peer], per_second: float, begin: int) -> None:
        self._peers = peers
        self._due = self._instants(per_second, begin)
        self._next = next(self._due)
        self._turn = 0
        self._late: list[deque[int]] = [deque() for _ in peers]

    @staticmethod
    def _instants(per_second: float, begin: int) -> Iterator[int]:
        draw = random.Random(begin)
        at = float(begin)
        while True:
            at += draw.expovariate(per_second) * _NS
            yield int(at)

    def feed(self, now: int) -> None:
        while self._next <= now:
            self._late[self._turn].append(self._next)
            self._turn = (self._turn + 1) % len(self._peers)
            self._next = next(self._due)
        for peer, late in zip(self._peers, self._late, strict=True):
            calls = b""
            while late and (call := peer.connection.submit(1, late[0])):
                late.popleft()
                calls += call
            if calls:
                peer.write(calls)

    def wait_seconds(self, now: int) -> float:
        return min(max(self._next - now, 0) / _NS, _WAIT_SECONDS_MAX)


def drive(plan: Plan) -> Outcome:
    """Run a plan and tell what happened.

    Raises:
        ProtocolError: the server's HTTP/2 made no sense.
        OSError: nobody listens on the port, or it said nothing for ten seconds.
    """
    tally = Tally()
    peers = [
        _Peer(
            Connection(
                number,
                _headers(plan, lane.secret),
                lane.bodies,
                tally,
                keep_bodies=plan.inspect is not None,
                streams=lane.streams,
            ),
            plan.port,
        )
        for number, lane in enumerate(plan.lanes)
    ]
    # Collecting garbage would stop the clock's loop for milliseconds; what a run allocates it holds to its end anyway.
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        _greet(peers)
        return _measure(plan, peers, tally)
    finally:
        gc.enable()
        gc.unfreeze()
        for peer in peers:
            peer.socket.close()


def _headers(plan: Plan, secret: str | None) -> list[tuple[bytes, bytes]]:
    """What a gRPC client sends with each call, a deadline included."""
    headers = [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", plan.path.encode()),
        (b":authority", f"127.0.0.1:{plan.port}".encode()),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        (b"user-agent", _USER_AGENT),
        (b"grpc-timeout", _DEADLINE),
    ]
    return headers if secret is None else [*headers, (b"authorization", f"Bearer {secret}".encode())]


def _greet(peers: list[_Peer]) -> None:
    """Open every connection and wait until each server has said its settings."""
    for peer in peers:
        peer.write(peer.connection.opening())
    deadline = time.monotonic() + _CONNECT_SECONDS_MAX
    while not all(peer.connection.ready for peer in peers):
        _turn(peers, _WAIT_SECONDS_MAX)
        if time.monotonic() > deadline or any(peer.lost for peer in peers):
            raise OSError("the server did not answer as HTTP/2")


def _turn(peers: list[_Peer], seconds: float) -> int:
    """Wait for the sockets, at most so long, and serve them; returns the instant they were looked at."""
    alive = [peer for peer in peers if not peer.lost]
    readable, writable, _ = select.select(alive, [peer for peer in alive if peer.unsent], [], seconds)
    now = time.perf_counter_ns()
    for peer in writable:
        peer.write(b"")
    for peer in readable:
        peer.read(now)
    return now


def _loop_of(plan: Plan, peers: list[_Peer], started: int) -> _ClosedLoop | _OpenLoop:
    if plan.per_second is None:
        return _ClosedLoop(peers, plan.in_flight)
    return _OpenLoop(peers, plan.per_second, started)


def _gather_seconds(plan: Plan) -> float:
    if plan.per_second is not None and plan.per_second * _LOOK_SECONDS >= _DUE_AT_A_LOOK_MIN:
        return max(plan.gather_seconds, _LOOK_SECONDS)
    return plan.gather_seconds


def _measure(plan: Plan, peers: list[_Peer], tally: Tally) -> Outcome:
    started = time.perf_counter_ns()
    loop = _loop_of(plan, peers, started)
    gather_seconds = _gather_seconds(plan)

    def until(instant: int) -> bool:
        """Run to an instant; False when calls ran out before."""
        loop.feed(time.perf_counter_ns())
        while True:
            if gather_seconds:
                time.sleep(gather_seconds)
            now = _turn(peers, min(loop.wait_seconds(time.perf_counter_ns()), _WAIT_SECONDS_MAX))
            if now >= instant:
                return True
            if any(not peer.connection.left for peer in peers):
                return False
            loop.feed(now)

    warm = until(started + int(plan.warmup_seconds * _NS))
    first_edge = _Edge(plan, tally, peers)
    lasted = warm and until(first_edge.instant + int(plan.seconds * _NS))
    last_edge = _Edge(plan, tally, peers)
    _drain(peers)
    return _outcome(plan, tally, first_edge, last_edge, ran_out=not lasted)


class _Edge:
    """One end of the measured time: everything that is read there."""

    def __init__(self, plan: Plan, tally: Tally, peers: list[_Peer]) -> None:
        self.ok = len(tally.latencies)
        self.left = sum(peer.connection.left for peer in peers)
        self.instant = time.perf_counter_ns()
        self.own_cpu = time.process_time()
        self.cpu = {name: cpu.used(pid) for name, pid in plan.watched.items()} | {MACHINE: cpu.of_machine()}


def _drain(peers: list[_Peer]) -> None:
    """Wait for the calls under way; those that never end are counted as lost."""
    deadline = time.monotonic() + _DRAIN_SECONDS_MAX
    while any(peer.connection.open for peer in peers) and time.monotonic() < deadline:
        _turn(peers, _WAIT_SECONDS_MAX)
    for peer in peers:
        peer.connection.lose()


def _outcome(plan: Plan, tally: Tally, first: _Edge, last: _Edge, *, ran_out: bool) -> Outcome:
    latencies = sorted(tally.latencies[first.ok : last.ok])
    counts: Counter[str] = Counter()
    if plan.inspect is not None:
        for _, _, body in tally.bodies[first.ok : last.ok]:
            counts.update(plan.inspect(body))

    def quantile(share: float) -> float:
        return latencies[min(int(share * len(latencies)), len(latencies) - 1)] / 1e6 if latencies else 0.0

    return Outcome(
        seconds=(last.instant - first.instant) / _NS,
        ok=len(latencies),
        sent=first.left - last.left,
        wanted=None if plan.per_second is None else plan.per_second * (last.instant - first.instant) / _NS,
        failed=dict(tally.failed),
        latency_ms={"p50": quantile(0.5), "p90": quantile(0.9), "p99": quantile(0.99), "max": quantile(1)},
        generator_cpu_seconds=last.own_cpu - first.own_cpu,
        cpu_seconds={
            name: None if before is None or (after := last.cpu[name]) is None else after - before
            for name, before in first.cpu.items()
        },
        counts=counts,
        ran_out=ran_out,
    )
