"""Counts calls for Prometheus, in plain ints: the client library's counters cost more than the rest of the guard."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import grpc
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

# Bucket n holds calls that took less than 2^n microseconds: a bit length finds it. What took longer than those that are
# shown, half an hour, were streams.
_BUCKETS = 64
_BUCKETS_SHOWN = 31
_MICROSECONDS_PER_SECOND = 1_000_000


class Tally:
    """The calls of one method."""

    __slots__ = ("answered", "by_duration", "method", "refused", "seconds")

    def __init__(self, method: str) -> None:
        self.method = method
        self.answered = 0
        self.refused: dict[grpc.StatusCode, int] = {}
        self.by_duration = [0] * _BUCKETS
        self.seconds = 0.0

    def answer(self, seconds: float) -> None:
        """Counts a call that was answered OK, which took so many seconds."""
        self.answered += 1
        self.by_duration[int(seconds * _MICROSECONDS_PER_SECOND).bit_length()] += 1
        self.seconds += seconds

    def refuse(self, code: grpc.StatusCode, seconds: float) -> None:
        """Counts a call that ended otherwise."""
        self.refused[code] = self.refused.get(code, 0) + 1
        self.by_duration[int(seconds * _MICROSECONDS_PER_SECOND).bit_length()] += 1
        self.seconds += seconds


class Meter(Collector):
    """Tallies of all methods, as Prometheus reads them. Written by the event loop, read by the metrics thread."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}
        self._gauges: dict[str, tuple[str, Callable[[], float]]] = {}

    def tally(self, method: str) -> Tally:
        """The one tally of a method, "/exchange.v1.TransferService/EarnPoints"."""
        return self._tallies.setdefault(method, Tally(method))

    @property
    def ended(self) -> int:
        """Calls that have ended so far, however."""
        return sum(tally.answered + sum(tally.refused.values()) for tally in self._tallies.values())

    def gauge(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Shows a figure as it is at the time of reading; `read` is called from another thread."""
        self._gauges[name] = (meaning, read)

    def collect(self) -> Iterator[Metric]:
        """What Prometheus asks for."""
        calls = CounterMetricFamily("exchange_calls", "Calls ended.", labels=["method", "code"])
        durations = HistogramMetricFamily("exchange_call_seconds", "Seconds from arrival to answer.", labels=["method"])
        for tally in list(self._tallies.values()):
            calls.add_metric([tally.method, grpc.StatusCode.OK.name], tally.answered)
            for code, count in list(tally.refused.items()):
                calls.add_metric([tally.method, code.name], count)
            total, buckets = 0, []
            for exponent, count in enumerate(tally.by_duration[:_BUCKETS_SHOWN]):
                total += count
                buckets.append((str(2**exponent / _MICROSECONDS_PER_SECOND), float(total)))
            buckets.append(("+Inf", float(sum(tally.by_duration))))
            durations.add_metric([tally.method], buckets, tally.seconds)
        yield calls
        yield durations
        for name, (meaning, read) in self._gauges.items():
            yield GaugeMetricFamily(name, meaning, value=read())
