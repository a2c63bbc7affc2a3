"""Two persons: nobody checked what he made, enough said yes, and every yes was to this very digest."""

from __future__ import annotations

from collections.abc import Iterator

from settlement.evidence.model import Difference
from settlement.evidence.reading import Pack, Row
from settlement.run.life import RunState

STEPS, DECISIONS = "steps.csv", "decisions.csv"


def steps(pack: Pack) -> Iterator[Difference]:
    """Each run's steps follow one another without a gap; the last state of the run is the manifest's."""
    manifest, _ = pack.manifest()
    last: dict[str, tuple[int, str]] = {}
    for row in pack.rows(STEPS):
        run = row.text("run_id")
        number, state = last.get(run, (0, ""))
        if row.whole("step_no") != number + 1:
            yield row.differs("step_no", row.whole("step_no"), number + 1)
        if row.text("from_state") != state:
            yield row.differs("from_state", row.text("from_state"), state)
        last[run] = (row.whole("step_no"), row.text("to_state"))
    state = last.get(manifest.run.removeprefix("runs/"), (0, "no step"))[1]
    if state != manifest.state:
        yield Difference("manifest.json", 0, "state", manifest.state, f"{state}, the last of {STEPS}")


def four_eyes(pack: Pack) -> Iterator[Difference]:
    """Of the run of this pack, and of whatever was approved before it."""
    digests = {row.text("run_id"): row.text("digest") for row in pack.rows("runs.csv")}
    makers = _makers(pack)
    approved: dict[str, set[str]] = {}
    for row in pack.rows(DECISIONS):
        run, person = row.text("run_id"), row.text("person")
        if row.text("digest") != digests.get(run):
            yield row.differs("digest", row.text("digest"), f"{digests.get(run)}, that of the run")
        if person in makers.get(run, set()):
            yield row.differs("person", person, "somebody who had no hand in it")
        if row.text("verdict") == RunState.APPROVED:
            approved.setdefault(run, set()).add(person)
    for row in pack.rows(STEPS):
        if row.text("to_state") == RunState.APPROVED:
            run = row.text("run_id")
            needed, said = _needed(pack, run), len(approved.get(run, set()))
            if said < needed:
                yield Difference(DECISIONS, 0, "verdict", f"{said} approvals of run {run}", f"{needed} at least")
    yield from _exporters(pack, approved)


def _needed(pack: Pack, run: str) -> int:
    asked = [row for row in pack.rows(STEPS) if row.text("run_id") == run and row.text("to_state") == "SUBMITTED"]
    return max((row.whole("checkers_needed") for row in asked), default=1)


def _makers(pack: Pack) -> dict[str, set[str]]:
    closed_by = pack.document("window.json")["closed_person"]
    found: dict[str, set[str]] = {}
    for row in pack.rows("runs.csv"):
        found[row.text("run_id")] = {name for name in (closed_by, row.text("created_person")) if name}
    for row in pack.rows(STEPS):
        if row.text("to_state") == RunState.SUBMITTED:
            found.setdefault(row.text("run_id"), set()).add(row.text("person"))
    return found


def _exporters(pack: Pack, approved: dict[str, set[str]]) -> Iterator[Difference]:
    manifest, _ = pack.manifest()
    checkers = approved.get(manifest.run.removeprefix("runs/"), set())
    rows: list[tuple[Row, str, str]] = [
        *((row, "created_person", "somebody who did not approve") for row in pack.rows("files.csv"))
    ]
    for row, column, expected in rows:
        if row.text(column) in checkers:
            yield row.differs(column, row.text(column), expected)
    for row in pack.rows("accounts.csv"):
        if row.text("set_person") == row.text("confirmed_person"):
            yield row.differs("confirmed_person", row.text("confirmed_person"), "somebody else than who set it")
