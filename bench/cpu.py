"""How much processor time processes have used, from /proc; where there is no /proc, nobody knows."""

import os
from pathlib import Path

_PROC = Path("/proc")
_TRIES_MAX = 10
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def used(pid: int) -> float | None:
    """Processor seconds of a process, its living children, and its children that ended and were waited for.

    So a PostgreSQL is the number of its first process, and a server that forks is its parent's. None: not Linux, or
    the process is gone.
    """
    for _ in range(_TRIES_MAX):
        before = _row(_PROC / str(pid))
        living = sum(row[2] for row in map(_row, _PROC.glob("[0-9]*")) if row is not None and row[1] == pid)
        after = _row(_PROC / str(pid))
        if before is None or after is None:
            return None
        # A child that was waited for between the two looks may stand in neither place, or in both.
        if before[3] == after[3]:
            return (after[2] + after[3] + living) / _TICKS_PER_SECOND
    return None


def of_machine() -> float | None:
    """Processor seconds that all processes together have used, on all cores; None when it is not Linux."""
    try:
        total = (_PROC / "stat").read_text().splitlines()[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _idle, _waiting, irq, softirq, stolen = (int(field) for field in total[:8])
    return (user + nice + system + irq + softirq + stolen) / _TICKS_PER_SECOND


def _row(process: Path) -> tuple[int, int, int, int] | None:
    """Number, parent, own ticks, ticks of ended children; None when the process has just ended."""
    try:
        text = (process / "stat").read_text()
    except OSError:
        return None
    # The command's name stands in parentheses and may hold anything, spaces and parentheses too.
    fields = text[text.rindex(")") + 2 :].split()
    parent, user, system, user_ended, system_ended = (int(fields[each]) for each in (1, 11, 12, 13, 14))
    return int(process.name), parent, user + system, user_ended + system_ended
