"""What of a net debit cap one person may change, and what makes a proposal void."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.callers import Caller, CallerRole
from exchange.limits.changes import rules
from exchange.limits.changes.model import Asked, CapChange, State
from exchange.refusals import CapRaise, DigestMismatch, PersonUnknown, ProposalLapsed, SamePerson, WrongState

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CHANGE = CapChange(
    change_id=UUID(int=1),
    asked=Asked(merchant="GRO", currency_code="CNY", cap_micros=200, reason="left a deposit"),
    merchant_no=7,
    before_micros=100,
    request_id="k",
    proposed_by="apiKeys/1",
    proposed_person="ann",
    proposed_at=NOW,
    expires_at=NOW + timedelta(days=7),
    state=State.PROPOSED,
)
ZOE = Caller(CallerRole.OPERATOR, "apiKeys/2", person="zoe")
caps = st.none() | st.integers(0, 2**63 - 1)


@given(caps, caps)
def test_nobody_lets_a_merchant_owe_more_alone(before: int | None, after: int | None) -> None:
    """No cap lets it owe anything, so it is the highest there is."""
    unlimited = 2**63
    raises = (unlimited if after is None else after) > (unlimited if before is None else before)

    if raises:
        with pytest.raises(CapRaise) as refused:
            rules.require_lowering("merchants/GRO", "CNY", before, after)
        assert refused.value.data["requested"] == ("none" if after is None else str(after))
    else:
        rules.require_lowering("merchants/GRO", "CNY", before, after)


@pytest.mark.parametrize(
    ("change", "caller", "at", "refusal"),
    [
        (CHANGE, replace(ZOE, person="ann"), NOW, SamePerson),
        (CHANGE, replace(ZOE, person=None), NOW, PersonUnknown),
        (CHANGE, ZOE, CHANGE.expires_at, ProposalLapsed),
        (replace(CHANGE, state=State.WITHDRAWN), ZOE, NOW, WrongState),
        (replace(CHANGE, before_micros=99), ZOE, NOW, DigestMismatch),
        (replace(CHANGE, asked=replace(CHANGE.asked, cap_micros=None)), ZOE, NOW, DigestMismatch),
        (replace(CHANGE, asked=replace(CHANGE.asked, reason="other")), ZOE, NOW, DigestMismatch),
    ],
)
def test_what_is_not_approved(change: CapChange, caller: Caller, at: datetime, refusal: type[Exception]) -> None:
    """By himself, by nobody in particular, too late, twice, or something else than was shown."""
    with pytest.raises(refusal):
        rules.require_approvable(change, caller, CHANGE.digest(), at)


def test_somebody_else_approves_in_time_what_still_is_so() -> None:
    """To the last moment; on the cap that was looked at and no other, none included."""
    rules.require_approvable(CHANGE, ZOE, CHANGE.digest(), CHANGE.expires_at - timedelta(microseconds=1))
    rules.require_unchanged(CHANGE, 100)

    for present in (None, 0, 101):
        with pytest.raises(WrongState, match="OUTDATED"):
            rules.require_unchanged(CHANGE, present)
