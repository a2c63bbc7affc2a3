"""What a run of the load generator is told, and what it tells."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

MACHINE = "machine"
"""Among the processor times of an outcome: what all processes together used, ours and others'."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One connection: as whom it calls, and the serialised requests it will send, in order.

    Attributes:
        bodies: one for each call.
        secret: the API key.
        streams: each body is a whole stream of messages, gRPC's prefix before each of them, and so is each answer.
    """

    bodies: Sequence[bytes]
    secret: str | None = None
    streams: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run against one method of a server on this machine.

    With `per_second` left out the loop is closed: `in_flight` calls, spread over the lanes, each replaced when it ends.
    With it, calls start at random instants of that mean rate whatever the server does, and their latency counts from
    the instant they were due. What the server or the generator cannot take when it falls due is started later;
    `Outcome.sent` beside `Outcome.wanted` tells whether the load was there.
    """

    port: int
    path: str
    lanes: tuple[Lane, ...]
    in_flight: int
    seconds: float
    warmup_seconds: float = 0.5
    per_second: float | None = None
    gather_seconds: float = 0.0
    """Look at the sockets only this often. With hundreds in flight the server has work all the same, and the generator
    handles several answers at each look instead of being woken by every one."""
    watched: Mapping[str, int] = field(default_factory=dict)
    """Processes whose processor time is read at both ends of the measured time: name to process number."""
    inspect: Callable[[bytes], Mapping[str, int]] | None = None
    """Counts things in an OK answer, after the measured time; the sums come back in `Outcome.counts`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happened in the measured time."""

    seconds: float
    ok: int
    """Answers whose trailers said OK."""
    sent: int
    """Calls that were started, whatever became of them."""
    wanted: float | None
    """Calls that fell due, on the average, when the plan says how many a second."""
    failed: Mapping[str, int]
    """Other ends, of the whole run: status code or what befell the stream, to how often."""
    latency_ms: Mapping[str, float]
    """p50, p90, p99 and max, milliseconds."""
    generator_cpu_seconds: float
    cpu_seconds: Mapping[str, float | None]
    counts: Mapping[str, int]
    ran_out: bool
    """The prepared requests did not last: the measured time ended early."""

    @property
    def per_second(self) -> float:
        """OK answers a second."""
        return self.ok / self.seconds
