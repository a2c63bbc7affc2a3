"""The page of disputes: its policy is one the wire takes, its commands are there."""

from __future__ import annotations

import re
from pathlib import Path

from settlement.cli import COMMANDS
from settlement.cli.proposals import What, read_document
from settlement.disputes.model import DisputePolicy, Reason, Verdict
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "disputes.md"


def test_the_policy_on_the_page_is_read_as_it_says(tmp_path: Path) -> None:
    """And what the page says of having none is so."""
    file = tmp_path / "policy.yaml"
    file.write_text("".join(blocks(PAGE, "yaml")), encoding="utf-8")

    policy = read_document(What.DISPUTE_POLICY, file)

    assert policy == DisputePolicy(
        answer_days=10,
        decision_days=20,
        claim_days=90,
        unanswered=Verdict.UPHELD,
        undecided=Verdict.REJECTED,
        held_out=(Reason.FRAUD, Reason.DUPLICATE, Reason.NOT_RECOGNISED),
        owner="clearing desk",
    )
    without = DisputePolicy()
    assert (without.answer_days, without.decision_days, without.claim_days) == (10, 20, 90)
    assert (without.unanswered, without.undecided) == (Verdict.UPHELD, Verdict.REJECTED)
    assert set(without.held_out) == set(Reason)


def test_every_command_on_the_page_is_there() -> None:
    """By its name."""
    named = re.findall(r"python -m settlement ([a-z-]+)", PAGE.read_text(encoding="utf-8"))

    assert set(named) <= COMMANDS.keys()
    assert len(named) > 5
