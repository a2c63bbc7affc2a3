"""Disputes and adjustments as people and programs read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape

from settlement.cli.run_tables import money
from settlement.cli.tables import listing
from settlement.disputes.model import Adjustment, Dispute, Step


def show_disputes(found: Sequence[Dispute]) -> None:
    """A line for each."""
    if not found:
        Console().print("No dispute waits for anybody.")
        return
    rows = [
        (one.name, one.claimant, one.respondent, _words(one.reason), one.state.lower(), escape(one.owner), _at(one.due),
         money(one.minor_units, one.obligation.currency))
        for one in found
    ]  # fmt: skip
    names = ("dispute", "claimant", "respondent", "reason", "state", "owner", "due", "amount")
    Console().print(listing(f"Disputes: {len(found)}", names, rows))


def show_dispute(one: Dispute) -> None:
    """One, with its steps."""
    console, owed = Console(), one.obligation
    console.print(f"{one.name}: {one.state.lower()}; owner {escape(one.owner)}; due {_at(one.due)}")
    amount = f"{owed.currency} {money(one.minor_units, owed.currency)}"
    console.print(f"{one.claimant} says that {owed.debtor} does not owe {owed.creditor} {amount}")
    console.print(f"of transfers/{owed.transfer}, windows/{one.window_no}")
    console.print(f"{_words(one.reason)}: {escape(one.statement or '-')}; evidence: {escape(one.evidence or '-')}")
    console.print(f"Until it has ended: {_words(one.treatment)}")
    rows = [(_at(step.at), step.to_state.lower(), _words(step.cause), step.person or step.actor, escape(step.note),
             money(step.upheld, owed.currency) if step.upheld else "") for step in one.steps]  # fmt: skip
    console.print(listing("Steps", ("at", "state", "because of", "by", "note", "upheld"), rows))


def show_adjustments(found: Sequence[Adjustment]) -> None:
    """A line for each."""
    rows = [
        (one.name, f"windows/{one.window_no}", one.debtor, one.creditor, one.cause.lower(),
         f"disputes/{one.dispute_id}" if one.dispute_id else f"proposals/{one.proposal_id}", one.currency,
         money(one.minor_units, one.currency))
        for one in found
    ]  # fmt: skip
    names = ("adjustment", "window", "debtor", "creditor", "because", "of", "currency", "amount")
    Console().print(listing(f"Adjustments: {len(found)}", names, rows))


def plain(one: Dispute) -> dict[str, Any]:
    """A dispute as JSON shows it."""
    owed, last = one.obligation, one.steps[-1]
    return {
        "dispute": one.name,
        "state": one.state.value,
        "transfer": f"transfers/{owed.transfer}",
        "window": f"windows/{one.window_no}",
        "debtor": owed.debtor,
        "creditor": owed.creditor,
        "currency": owed.currency,
        "minor_units": one.minor_units,
        "claimant": one.claimant,
        "respondent": one.respondent,
        "reason": one.reason.value,
        "statement": one.statement,
        "evidence": one.evidence,
        "treatment": one.treatment.value,
        "owner": one.owner,
        "due": one.due.isoformat() if one.due else None,
        "upheld_minor_units": last.upheld or 0,
        "release_window": f"windows/{last.release_window}" if last.release_window else None,
        "steps": [_plain_step(step) for step in one.steps],
    }


def plain_adjustment(one: Adjustment) -> dict[str, Any]:
    """An adjustment as JSON shows it."""
    return {
        "adjustment": one.name,
        "window": f"windows/{one.window_no}",
        "debtor": one.debtor,
        "creditor": one.creditor,
        "currency": one.currency,
        "minor_units": one.minor_units,
        "cause": one.cause.value,
        "dispute": f"disputes/{one.dispute_id}" if one.dispute_id else None,
        "proposal": f"proposals/{one.proposal_id}" if one.proposal_id else None,
        "transfer": f"transfers/{one.transfer_id}" if one.transfer_id else None,
        "at": one.at.isoformat(),
    }


def _plain_step(step: Step) -> dict[str, Any]:
    return {
        "state": step.to_state.value,
        "cause": step.cause.value,
        "at": step.at.isoformat(),
        "actor": step.actor,
        "person": step.person,
        "note": step.note,
        "evidence": step.evidence,
        "proposal": f"proposals/{step.proposal}" if step.proposal else None,
    }


def _words(name: str) -> str:
    return name.lower().replace("_", " ")


def _at(moment: datetime | None) -> str:
    return moment.isoformat(timespec="minutes") if moment else "-"
