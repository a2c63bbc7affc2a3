"""The one line that says where a run stands: each step once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from settlement.cli.run_tables import where_it_stands
from settlement.run.life import Decision, Life, Transition
from settlement.run.model import Configuration, Run

AT = datetime(2026, 3, 1, tzinfo=UTC)


def stands(*steps: tuple[str, str, str], approvals: tuple[str, ...] = ()) -> str:
    """The line of a run that took steps (state, person, reason), with these checkers' yes."""
    states = ["", *(state for state, _, _ in steps)]
    transitions = [
        Transition(place + 1, states[place], state, AT, "FINANCE_MAKER:k", person, reason, 2)
        for place, (state, person, reason) in enumerate(steps)
    ]
    decisions = [Decision(person, "APPROVED", "d", AT, "FINANCE_CHECKER:k", "") for person in approvals]
    life = Life(transitions, decisions)
    return where_it_stands(Run(UUID(int=1), 1, Configuration(), "d", AT, "k", (), life, date(2026, 3, 1)))


MADE, ASKED = ("CALCULATED", "ann", ""), ("SUBMITTED", "ann", "March")


@pytest.mark.parametrize(
    ("line", "steps", "approvals"),
    [
        ("calculated by ann", [MADE], ()),
        ("submitted by ann, approved by nobody yet of 2 needed: March", [MADE, ASKED], ()),
        ("submitted by ann, approved by zoe of 2 needed: March", [MADE, ASKED], ("zoe",)),
        (
            "approved by zoe, bob of 2 needed; submitted by ann",
            [MADE, ASKED, ("APPROVED", "bob", "")],
            ("zoe", "bob"),
        ),
        (
            "cancelled by ann; submitted by ann, approved by zoe of 2 needed: typo",
            [MADE, ASKED, ("CANCELLED", "ann", "typo")],
            ("zoe",),
        ),
    ],
)
def test_who_did_what_is_said_once(line: str, steps: list[tuple[str, str, str]], approvals: tuple[str, ...]) -> None:
    """The last step, who asked for approval, who gave it, how many are needed, and why."""
    assert stands(*steps, approvals=approvals) == line
