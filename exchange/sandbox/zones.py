"""A time zone for a clock's offset: a coalition's day needs a zone, a scenario file gives an offset."""

from __future__ import annotations

from datetime import timedelta

_HOUR = timedelta(hours=1)
_NAMED = {
    timedelta(0): "UTC",
    timedelta(hours=8): "Asia/Shanghai",
    timedelta(hours=-9, minutes=-30): "Pacific/Marquesas",
    timedelta(hours=3, minutes=30): "Asia/Tehran",
    timedelta(hours=4, minutes=30): "Asia/Kabul",
    timedelta(hours=5, minutes=30): "Asia/Kolkata",
    timedelta(hours=5, minutes=45): "Asia/Kathmandu",
    timedelta(hours=6, minutes=30): "Asia/Yangon",
    timedelta(hours=8, minutes=45): "Australia/Eucla",
    timedelta(hours=9, minutes=30): "Australia/Darwin",
}
_WEST_MAX, _EAST_MAX = -12, 14


def zone_of(offset: timedelta) -> str | None:
    """A zone that keeps this offset the whole year; None when the world has none."""
    if offset in _NAMED:
        return _NAMED[offset]
    hours, rest = divmod(offset, _HOUR)
    if rest or not _WEST_MAX <= hours <= _EAST_MAX:
        return None
    # These names count westwards: Etc/GMT-8 is eight hours east of Greenwich.
    return f"Etc/GMT{-hours:+d}"
