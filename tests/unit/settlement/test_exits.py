"""What is found to be left of a participant, and what may be left."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from settlement.exits import rules
from settlement.exits.content import exit_of, plain
from settlement.exits.model import Finding, ParticipantExit, Subject, Unit
from settlement.exits.rules import Awaiting, Facts, Owed, Points, Unended, Unpaid
from settlement.funds.model import Account, Purpose
from settlement.run.model import Configuration
from settlement.run.rules import Inputs, calculate
from tests.unit.settlement.settlements import owed

NOTHING = Facts(
    suspended=True,
    owed=(),
    newest=(),
    newest_window=0,
    unpaid=(),
    claims=(),
    disputes=(),
    adjustments=(),
    waiting=(),
    book={},
    points=(),
)


def subjects(facts: Facts) -> list[tuple[Subject, str, int]]:
    """What is left of GRO: of what, where, how much."""
    return [(one.subject, one.what, one.amount) for one in rules.findings("GRO", facts)]


def test_nothing_left_is_nothing_found() -> None:
    """Others' affairs, and accounts that came back to 0, are not its."""
    others = replace(
        NOTHING,
        owed=[Owed(2, "CNY", "TEL", "AIR", 5)],
        unpaid=[Unpaid(1, "CNY", "TEL", "OPR", 5)],
        disputes=[Unended("disputes/1", "CNY", "TEL", "AIR", 5)],
        adjustments=[Awaiting("settlementAdjustments/1", 2, "CNY", "TEL", "AIR", 5)],
        book={("CNY", Account("GRO", Purpose.PREFUNDING)): 0, ("CNY", Account("TEL", Purpose.COLLATERAL)): 9},
        points=[Points("AIR", "AIR", "TEL", 7), Points("TEL", "TEL", "GRO", 0)],
    )

    assert rules.findings("GRO", NOTHING) == []
    assert rules.findings("GRO", others) == []


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (replace(NOTHING, suspended=False), (Subject.BUSINESS, "is active", 1)),
        (
            replace(NOTHING, owed=[Owed(3, "CNY", "GRO", "TEL", 1)]),
            (Subject.OBLIGATIONS, "windows/3 owes TEL", 1),
        ),
        (
            replace(NOTHING, owed=[Owed(3, "CNY", "TEL", "GRO", 1)]),
            (Subject.OBLIGATIONS, "windows/3 is owed by TEL", 1),
        ),
        (
            replace(NOTHING, unpaid=[Unpaid(2, "CNY", "OPR", "GRO", 4)]),
            (Subject.PAYMENTS, "windows/2 is paid by OPR", 4),
        ),
        (
            replace(NOTHING, disputes=[Unended("disputes/1", "CNY", "TEL", "GRO", 4)]),
            (Subject.DISPUTES, "disputes/1 of what TEL owes GRO", 4),
        ),
        (
            replace(NOTHING, adjustments=[Awaiting("settlementAdjustments/1", 3, "CNY", "TEL", "GRO", 4)]),
            (Subject.ADJUSTMENTS, "settlementAdjustments/1 windows/3 is owed by TEL", 4),
        ),
        (replace(NOTHING, waiting=["proposals/1"]), (Subject.PROPOSALS, "proposals/1", 1)),
        (
            replace(NOTHING, book={("CNY", Account("GRO", Purpose.GUARANTEE)): 1}),
            (Subject.FUNDS, "guarantee", 1),
        ),
        (
            replace(NOTHING, points=[Points("VIP", "GRO", "CAF", 2), Points("VIP", "GRO", "GRO", 3)]),
            (Subject.POINTS_ISSUED, "members hold", 5),
        ),
        (
            replace(NOTHING, points=[Points("TEL", "TEL", "GRO", 2)]),
            (Subject.POINTS_FUNDED, "members hold of TEL", 2),
        ),
    ],
)
def test_whatever_is_left_is_found(facts: Facts, found: tuple[Subject, str, int]) -> None:
    """Each by itself, however little, in either direction."""
    assert subjects(facts) == [found]


def test_what_a_run_carries_or_holds_is_found() -> None:
    """A fen below the minimum, and a debt of somebody who is excluded."""
    totals = [owed("GRO", "TEL", "earn", 50), owed("GRO", "AIR", "earn", 700)]
    configuration = Configuration(mode="gross", minimums={"CNY": 100}, excluded=("AIR",))
    result = calculate(Inputs(4, date(2026, 4, 1), totals, (), configuration, "OPR"))

    assert subjects(replace(NOTHING, newest=result, newest_window=4)) == [
        (Subject.CARRIED, "windows/4 owes TEL since windows/4", 50),
        (Subject.HELD, "windows/4 owes AIR since windows/4", 700),
    ]


def test_what_has_a_name_is_named() -> None:
    """Disputes, adjustments and proposals, in the order they are looked at; money has none."""
    facts = replace(
        NOTHING,
        owed=[Owed(3, "CNY", "GRO", "TEL", 1)],
        disputes=[Unended("disputes/1", "CNY", "GRO", "AIR", 4), Unended("disputes/2", "CNY", "TEL", "GRO", 4)],
        adjustments=[Awaiting("settlementAdjustments/1", 3, "CNY", "TEL", "GRO", 4)],
        waiting=["proposals/1"],
    )

    named = rules.names(rules.findings("GRO", facts))

    assert named == ["disputes/1", "disputes/2", "settlementAdjustments/1", "proposals/1"]


def test_only_what_has_a_reason_may_be_left() -> None:
    """Of the subject the reason is for."""
    found = rules.findings(
        "GRO", replace(NOTHING, points=[Points("VIP", "GRO", "GRO", 3), Points("TEL", "TEL", "GRO", 2)])
    )

    left = rules.not_waived(found, {Subject.POINTS_ISSUED: "AIR takes them over"})

    assert [one.subject for one in left] == [Subject.POINTS_FUNDED]


def test_a_certificate_is_read_back_as_it_was_written() -> None:
    """With everything that was looked at, and what was left with a reason."""
    finding = Finding(Subject.POINTS_ISSUED, "members hold", "VIP", 3, Unit.POINTS)
    certificate = ParticipantExit("GRO", {Subject.POINTS_ISSUED: "AIR takes them over"}, 7, [finding])

    assert exit_of(plain(certificate)) == certificate
    assert plain(certificate)["looked_at"] == list(Subject)
