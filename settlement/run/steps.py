"""Taking a run from one state to the next: in the caller's transaction, one at a time for all of settlement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.refusals import WindowState
from settlement.actors import Actor
from settlement.run import sql
from settlement.run.canonical import configuration_of
from settlement.run.life import CANCELLABLE, DEAD, PREVIEW, Decision, Life, RunState, Transition
from settlement.run.model import Chosen


async def take_turns(connection: AsyncConnection) -> None:
    """Wait until nobody else takes a step; held until the transaction ends."""
    await connection.execute(sql.TAKE_TURNS)


async def life_of(connection: AsyncConnection, run_id: UUID) -> Life:
    """What happened to a run so far."""
    transitions = await connection.execute(sql.TRANSITIONS, {"run_id": run_id})
    decisions = await connection.execute(sql.DECISIONS, {"run_id": run_id})
    return Life([Transition._make(row) for row in transitions], [Decision._make(row) for row in decisions])


async def step(
    connection: AsyncConnection,
    run_id: UUID,
    to: RunState,
    actor: Actor,
    reason: str,
    *,
    checkers_needed: int | None = None,
) -> None:
    """Note that a run is in another state now; the database refuses a step there is not."""
    await connection.execute(
        sql.STEP,
        {
            "run_id": run_id,
            "to_state": to.value,
            "actor": actor.name,
            "person": actor.person,
            "reason": reason,
            "checkers_needed": checkers_needed,
        },
    )


async def end(connection: AsyncConnection, run_id: UUID, to: RunState, actor: Actor, reason: str) -> None:
    """Reject, cancel or void a run, and with it the previews of later windows that were built on it.

    Raises:
        WindowState: somebody put his name to a run of a later window that builds on this one, or somebody's default on
            this one was declared: others stand in for it by then.
    """
    assert to in DEAD, f"{to} does not end a run"
    defaulted = (await connection.execute(sql.DEFAULTED, {"run_id": run_id})).scalar()
    if defaulted is not None:
        raise WindowState(window=f"windows/{defaulted}", state="a default was declared", needed="no default")
    await _void_what_builds_on(connection, run_id, actor)
    await step(connection, run_id, to, actor, reason)


async def _void_what_builds_on(connection: AsyncConnection, run_id: UUID, actor: Actor) -> None:
    for later in await _standing_on(connection, run_id):
        if later.state not in PREVIEW:
            raise WindowState(window=f"windows/{later.window_no}", state=later.state, needed=RunState.CALCULATED)
        await _void_what_builds_on(connection, later.run_id, actor)
        await step(connection, later.run_id, RunState.VOIDED, actor, f"runs/{run_id}, which it builds on, has ended")


class Excludes(Protocol):
    """Who is excluded, and whose items come back in a window."""

    def names(self) -> tuple[str, ...]:
        """Who is excluded."""
        ...

    def released_in(self, window_no: int) -> tuple[str, ...]:
        """Whose items all enter netting again in a window."""
        ...

    def chosen_in(self, window_no: int) -> tuple[Chosen, ...]:
        """What of others' items enters netting again in a window."""
        ...


async def void_where_excluded_differ(
    connection: AsyncConnection, exclusions: Excludes, actor: Actor, because: str
) -> None:
    """Void every run that nets somebody who is excluded now, or that a release names, with all built upon it.

    Whoever is readmitted stays held where he was: what he owes from now on is netted. What was instructed is not
    touched, nor what it was built on: the money is on its way. Nor is a run on which a default was declared: whoever
    defaulted is excluded after it, and others stand in for what it says.
    """
    standing = list(await connection.execute(sql.ALL_STANDING))
    final = _final(standing)
    wrong = [run.window_no for run in standing if run.window_no > final and _differ(run, exclusions)]
    if wrong:
        # From the newest window back: nothing may be left building on what has ended.
        for run in reversed([run for run in standing if run.window_no >= min(wrong)]):
            await step(connection, run.run_id, RunState.VOIDED, actor, because)


async def require_changeable(connection: AsyncConnection, windows: Sequence[int]) -> None:
    """The runs of these windows, if there are any, can still come out otherwise.

    Raises:
        WindowState: one cannot: money was instructed for it or for a later window, or a default was declared.
    """
    standing = {run.window_no: run for run in await connection.execute(sql.ALL_STANDING)}
    final = _final(standing.values())
    for run in (standing[window_no] for window_no in sorted(windows) if window_no <= final and window_no in standing):
        by = standing[final]
        what = f"windows/{final} is {'defaulted on' if by.is_defaulted else by.state}"
        state = run.state if run.state not in CANCELLABLE else what
        raise WindowState(window=f"windows/{run.window_no}", state=state, needed="nothing instructed yet")


def _final(standing: Iterable[Row[Any]]) -> int:
    """The last window whose run stays what it is, with those of all windows before; 0: none."""
    return max((run.window_no for run in standing if run.state not in CANCELLABLE or run.is_defaulted), default=0)


def _differ(run: Row[Any], exclusions: Excludes) -> bool:
    made_with = configuration_of(json.loads(run.configuration))
    newly = set(exclusions.names()) - set(made_with.excluded)
    netted = {
        name
        for one in json.loads(run.result)["currencies"]
        for pair in one["pairs"]
        for name in (pair["debtor"], pair["creditor"])
    }
    released = exclusions.released_in(run.window_no), exclusions.chosen_in(run.window_no)
    return bool(newly & netted) or (made_with.released, made_with.chosen) != released


async def _standing_on(connection: AsyncConnection, run_id: UUID) -> list[Row[Any]]:
    return list(await connection.execute(sql.STANDING_ON, {"run_id": run_id}))
