"""Keeping a server process to one processor.

A server's work is one thread's, Python's; gRPC has threads beside it that wake it and are woken by it for every call.
Spread over processors they wake each other across them, and what one has at hand the other has to fetch: a call then
costs a tenth to a fifth more (docs/performance.md). The kernel cannot know that and spreads them.
"""

from __future__ import annotations

import os

from exchange.config import SettingsRefused


def keep_to_one(index: int) -> int:
    """Binds this process, with the threads it will start, to one of the processors it may use; answers which.

    Processes of one server get different ones while there are enough, from the last on: interrupts mostly come to the
    first. To be called before any thread is started.

    Args:
        index: of the process among its siblings, from 0.

    Raises:
        SettingsRefused: this system does not bind processes to processors.
    """
    if not hasattr(os, "sched_setaffinity"):
        raise SettingsRefused("pin_processes: this system binds no process to a processor")
    allowed = sorted(os.sched_getaffinity(0), reverse=True)
    chosen = allowed[index % len(allowed)]
    os.sched_setaffinity(0, {chosen})
    return chosen
