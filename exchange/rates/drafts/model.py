from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from exchange.callers import Caller, CallerRole
from exchange.directory.model import Directory
from exchange.rates.model import Rate
from exchange.rates.proofs import Problem, RoundTrip
from exchange.rates.proposed import Proposal
from exchange.rates.rules import Spread

RATES_MAX = 100
"""Rates in one draft."""
WAITING_MAX = 100
"""Drafts of one merchant, or of the operator, that are neither approved nor withdrawn."""


class DraftState(enum.IntEnum):
    """How far a draft has come; numbered as `exchange.v1.RateDraft.State`."""

    PROPOSED = 1
    VALIDATED = 2
    APPROVED = 3
    WITHDRAWN = 4


WAITING = (DraftState.PROPOSED, DraftState.VALIDATED)


class Wanted(NamedTuple):
    """A rate as a caller words it: currencies by code, their numbers not yet looked up."""

    source: str
    target: str
    proposal: Proposal


@dataclass(frozen=True, slots=True)
class Draft:
    """Rates to be published together, never changed: other terms are another draft.

    Attributes:
        draft_id: its id.
        merchant_no: who proposed it; None: the operator.
        proposed_by: the credential it was proposed with.
        proposed_person: who held it; None: a merchant's system.
        note: why, in the proposer's words.
        proposed_at: when.
        digest: of the terms; whoever approves says which ones he saw.
        state: how far it has come.
        decided_by: the credential it was approved or withdrawn with; empty while it waits.
        decided_person: who held it; None: nobody is named.
        decided_at: when; None while it waits.
        reason: why, in the decider's words.
        proposals: the rates, in the proposer's order; their ids are those they get when they are published.
    """

    draft_id: UUID
    merchant_no: int | None
    proposed_by: str
    proposed_person: str | None
    note: str
    proposed_at: datetime
    digest: str
    state: DraftState
    decided_by: str
    decided_person: str | None
    decided_at: datetime | None
    reason: str
    proposals: Sequence[Proposal]

    @property
    def name(self) -> str:
        """Resource name."""
        return f"rateDrafts/{self.draft_id}"

    def is_of(self, caller: Caller) -> bool:
        """Whether the caller may see it: its merchant, the operator, an auditor."""
        return caller.role is not CallerRole.MERCHANT or caller.merchant_no == self.merchant_no


class Report(NamedTuple):
    """What came of looking at a draft.

    Attributes:
        problems: why it cannot be published as things stand; empty: it can.
        spreads: for each rate what it leaves the operator when that is least; None: there are no prices.
        round_trips: by place of a rate that closes a cycle, the cycle that loses least, or one that gains.
    """

    problems: Sequence[Problem]
    spreads: Sequence[Spread | None]
    round_trips: Sequence[tuple[int, RoundTrip]]


_NOT_TERMS = {"rate_id", "source_no", "target_no", "effective_at", "ends_at", "published_at", "draft_id", "revoked_at"}
TERMS = tuple(field for field in Rate._fields if field not in _NOT_TERMS)
"""Fields of a rate that say its terms as they stand; currencies and times are worded for themselves."""


def terms_of(proposal: Proposal, directory: Directory) -> dict[str, object]:
    """A rate's terms in words and figures."""
    rate = proposal.rate
    terms = {name: getattr(rate, name) for name in TERMS}
    return terms | {
        "source": directory.currencies[rate.source_no].code,
        "target": directory.currencies[rate.target_no].code,
        "begins": proposal.begins and proposal.begins.isoformat(),
        "ends": rate.ends_at and rate.ends_at.isoformat(),
    }


def digest_of(proposals: Sequence[Proposal], directory: Directory) -> str:
    """SHA-256 of the terms, in hexadecimal: the same terms in the same order give the same digest."""
    terms = [terms_of(proposal, directory) for proposal in proposals]
    return hashlib.sha256(json.dumps(terms, default=str, sort_keys=True).encode()).hexdigest()
