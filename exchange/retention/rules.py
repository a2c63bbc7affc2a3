"""When transfers may leave the ledger: when nothing can come that would have to look at them. Pure."""

from __future__ import annotations

from datetime import timedelta

from exchange.retention.model import Content, Part, Surroundings

CLOCKS_DISAGREE = timedelta(days=1)
"""Clocks of servers are nearer to one another than this: nobody makes an id of a time so long past."""


def hindrances(part: Part, content: Content, around: Surroundings, keep: timedelta) -> list[str]:
    """Everything that keeps a partition in the ledger, each with its reason; nothing: it may leave.

    Args:
        part: which.
        content: what stands in it.
        around: what else there is.
        keep: for how long transfers can be looked up, repeated and reversed by the coalition's own terms.
    """
    found = []
    if around.earlier_parts:
        found.append(
            f"{around.earlier_parts} earlier partitions are still there: what is kept begins at one moment, so the"
            " oldest leaves first"
        )
    if part.ends_at > around.now - max(keep, CLOCKS_DISAGREE):
        found.append(
            f"it ends {part.ends_at:%Y-%m-%d}: transfers are kept {keep.days} days, in which they can be reversed and"
            " repeats are given their first answer"
        )
    if not content.transfers:
        return found
    if around.open_window_no <= content.last_window_no:
        found.append(f"window {content.last_window_no} is open: what it owes is not settled before it is closed")
    if around.open_holds:
        found.append(f"{around.open_holds} holds have not ended: capture and release give points back to their lots")
    if around.open_conversions:
        found.append(
            f"{around.open_conversions} conversions wait for issuers' own ledgers: what ends them follows what began"
            " them"
        )
    if around.unfinished_closings:
        found.append(
            f"{around.unfinished_closings} closed memberships are not ended: their holds and points are looked for"
        )
    if around.event_horizon < content.last_sequence:
        found.append(
            f"watchers may still ask for events up to place {content.last_sequence}: they would miss some without"
            " being told (compact-events moves the place from which they are told)"
        )
    return [*found, *_statements(content, around), *around.others]


def _statements(content: Content, around: Surroundings) -> list[str]:
    """What monthly statements still need."""
    found = []
    if around.statements_from is None or around.statements_from <= content.last_occurred_at:
        found.append(
            f"no month after {content.last_occurred_at:%Y-%m-%d} has all its member statements: they begin with what"
            " the ones before ended with, else with the first transfer"
        )
    if around.unfinished_months:
        found.append(
            f"the member statements of {around.unfinished_months} months were begun and are not all made: they are"
            " added up from transfers (python -m exchange statements goes on with them)"
        )
    return found
