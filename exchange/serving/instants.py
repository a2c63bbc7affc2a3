"""Instants on the wire: the other way round from `checks.Violations.instant`."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp


@lru_cache(maxsize=256)
def timestamp(at: datetime | None) -> Timestamp | None:
    """An instant on the wire; None stays absent."""
    if at is None:
        return None
    # Transfers of one batch share their instant, and messages copy what they are given.
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp
