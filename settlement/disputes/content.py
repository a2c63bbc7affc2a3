"""The written forms of the documents about disputes, and reading them back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from settlement.disputes.model import AgreedAdjustment, DisputeDecision, DisputePolicy, Reason, Verdict


def plain(content: DisputePolicy | DisputeDecision | AgreedAdjustment) -> dict[str, Any]:
    """A document as plain values, lists in an order of their own."""
    match content:
        case DisputePolicy():
            return {**asdict(content), "held_out": sorted(content.held_out)}
        case DisputeDecision():
            return {"dispute": str(content.dispute), "upheld_minor_units": content.upheld_minor_units}
        case AgreedAdjustment():
            return {**asdict(content), "transfer": str(content.transfer) if content.transfer else None}


def policy_of(values: Mapping[str, Any]) -> DisputePolicy:
    """A policy read back."""
    verdicts = {name: Verdict(values[name]) for name in ("unanswered", "undecided")}
    return DisputePolicy(**{**values, **verdicts, "held_out": tuple(map(Reason, values["held_out"]))})


def decision_of(values: Mapping[str, Any]) -> DisputeDecision:
    """A decision read back."""
    return DisputeDecision(UUID(values["dispute"]), values["upheld_minor_units"])


def adjustment_of(values: Mapping[str, Any]) -> AgreedAdjustment:
    """An adjustment that was proposed, read back."""
    transfer = values["transfer"]
    return AgreedAdjustment(**{**values, "transfer": UUID(transfer) if transfer else None})
