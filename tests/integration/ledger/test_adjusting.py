"""Adjustments whose approver's server dies before the ledger has answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exchange.adjustment.model import Direction, Reason, State, Terms
from exchange.callers import Caller, CallerRole
from exchange.ledger.model import member_bucket
from exchange.refusals import ServerDraining
from tests.integration.ledger.ledgers import Ledger
from tests.unit.rules.rulebook import earn

MAKER = Caller(CallerRole.OPERATOR, "console", person="li.wei")
CHECKER = replace(MAKER, person="wang.fang")


async def test_what_was_approved_on_a_dying_server_is_posted_by_another(servers: list[Ledger]) -> None:
    """Once, however many look after it."""
    dying, other = servers
    ada = await dying.member()
    await dying.post(earn("5 TEL", "TEL", member_id=ada))
    terms = Terms(
        bucket=member_bucket(ada),
        member_id=ada,
        currency="TEL",
        direction=Direction.CREDIT,
        units=40,
        reason=Reason.SYSTEM_FAULT,
        note="lost",
        funder="GRO",
    )
    proposal, _ = await dying.api.adjustments.propose(MAKER, "1", terms)
    await dying.api.poster.drain()

    with pytest.raises(ServerDraining):
        await dying.api.adjustments.approve(CHECKER, proposal.adjustment_id, terms.digest(), "")
    approved, _ = await other.api.adjustments.find(CHECKER, proposal.adjustment_id)
    done = [await other.api.adjustments.run(), await other.api.adjustments.run()]
    posted, receipt, repeated = await other.api.adjustments.approve(CHECKER, proposal.adjustment_id, "", "")

    assert (approved.state, done, posted.state) == (State.APPROVED, [1, 0], State.POSTED)
    assert (receipt.transfer.transfer_id, repeated) == (posted.transfer_id, True)
    assert await other.balances(ada) == {"TEL": 45}
