"""How often one merchant may call, and how many of its calls may be under way: counted by each server process."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from time import monotonic_ns
from typing import NamedTuple

from exchange.callers import Caller
from exchange.refusals import CallRateExceeded, TooManyCalls

_NANO = 1_000_000_000
_NANO_PER_MS = 1_000_000
RETRY_MS_MAX = 60_000


class CallQuota(NamedTuple):
    """A merchant's quota in one server process; 0: no such limit.

    Attributes:
        calls_per_second: how fast tokens come back; each call takes one, and each item of a batch or stream.
        burst_calls: most tokens that gather while the merchant is quiet.
        concurrent_calls: calls under way at once, streams among them.
    """

    calls_per_second: int
    burst_calls: int
    concurrent_calls: int


class _Bucket:
    """Tokens of one merchant, in billionths: so many come back each nanosecond, and nothing is rounded."""

    __slots__ = ("at", "nano_tokens", "quota")

    def __init__(self, quota: CallQuota, at: int) -> None:
        self.quota, self.nano_tokens, self.at = quota, quota.burst_calls * _NANO, at


class Gate:
    """Lets merchants with a quota through as often as it says, and everybody else always.

    Args:
        quotas: by merchant number, as they are now; read at each call.
        clock: nanoseconds that only go forward.
    """

    def __init__(
        self, quotas: Callable[[], Mapping[int, CallQuota]] = dict, clock: Callable[[], int] = monotonic_ns
    ) -> None:
        self._quotas, self._clock = quotas, clock
        self._buckets: dict[int, _Bucket] = {}
        self._under_way: dict[int, int] = {}
        self._places: dict[Hashable, int] = {}

    def enter(self, caller: Caller, call: Hashable) -> None:
        """Count a call that begins; `leave` with the same `call` when it has ended, refused or not.

        Raises:
            TooManyCalls, CallRateExceeded: the merchant's quota is used up.
        """
        quota = self._quotas().get(caller.merchant_no or 0)
        if quota is None:
            return
        assert caller.merchant_no is not None
        if quota.concurrent_calls:
            under_way = self._under_way.get(caller.merchant_no, 0)
            if under_way >= quota.concurrent_calls:
                raise TooManyCalls(merchant=f"merchants/{caller.merchant_id}", concurrent_calls=quota.concurrent_calls)
            self._under_way[caller.merchant_no] = under_way + 1
            self._places[call] = caller.merchant_no
        self._take(caller, quota, 1, needed=1)

    def leave(self, call: Hashable) -> None:
        """A call has ended; one that never took a place changes nothing."""
        number = self._places.pop(call, None) if self._places else None
        if number is not None:
            self._under_way[number] -= 1

    def charge(self, caller: Caller, items: int, *, may_wait: bool = False) -> None:
        """Count the items of a call that was let through. They make a debt if need be, which later calls wait for.

        Args:
            caller: whose call.
            items: how many.
            may_wait: refuse them while there is a debt, because the call can go on without them.

        Raises:
            CallRateExceeded: the merchant's quota is used up.
        """
        quota = self._quotas().get(caller.merchant_no or 0)
        if quota is not None and items > 0:
            self._take(caller, quota, items, needed=int(may_wait))

    def _take(self, caller: Caller, quota: CallQuota, calls: int, *, needed: int) -> None:
        if not quota.calls_per_second:
            return
        assert caller.merchant_no is not None
        now, bucket = self._clock(), self._buckets.get(caller.merchant_no)
        if bucket is None or bucket.quota != quota:
            bucket = self._buckets[caller.merchant_no] = _Bucket(quota, now)
        gathered = bucket.nano_tokens + (now - bucket.at) * quota.calls_per_second
        bucket.nano_tokens, bucket.at = min(gathered, quota.burst_calls * _NANO), now
        missing = needed * _NANO - bucket.nano_tokens
        if needed and missing > 0:
            wait_ms = -(-missing // (quota.calls_per_second * _NANO_PER_MS))
            raise CallRateExceeded(
                merchant=f"merchants/{caller.merchant_id}",
                calls_per_second=quota.calls_per_second,
                burst_calls=quota.burst_calls,
            ).after(min(wait_ms, RETRY_MS_MAX))
        bucket.nano_tokens -= calls * _NANO
