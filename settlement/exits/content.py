"""An exit's certificate in its one written form, and read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from settlement.exits.model import Finding, ParticipantExit, Subject, Unit


def plain(one: ParticipantExit) -> dict[str, Any]:
    """A certificate as plain values: everything that was looked at, what is left of it, and why that may be."""
    return {
        "participant": one.participant,
        "open_window": one.window_no,
        "looked_at": [subject.value for subject in Subject],
        "left": [plain_finding(finding) for finding in one.findings],
        "waivers": {subject.value: reason for subject, reason in sorted(one.waivers.items())},
    }


def plain_finding(one: Finding) -> dict[str, Any]:
    """Something that is left, as plain values."""
    return {**one._asdict(), "subject": one.subject.value, "unit": one.unit.value}


def exit_of(values: Mapping[str, Any]) -> ParticipantExit:
    """A certificate read back."""
    return ParticipantExit(
        participant=values["participant"],
        waivers={Subject(subject): reason for subject, reason in values["waivers"].items()},
        window_no=values["open_window"],
        findings=[
            Finding(**{**one, "subject": Subject(one["subject"]), "unit": Unit(one["unit"])}) for one in values["left"]
        ],
    )
