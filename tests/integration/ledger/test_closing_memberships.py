"""A membership whose closer's server dies before the points have ended."""

from __future__ import annotations

import pytest

from exchange.callers import Caller, CallerRole
from exchange.refusals import MemberClosed, ServerDraining
from tests.integration.ledger.ledgers import Ledger
from tests.unit.rules.days import capture, hold
from tests.unit.rules.rulebook import earn

CLOSER = Caller(CallerRole.OPERATOR, "console", person="li.wei")
FINISHED = "SELECT ended_at IS NOT NULL FROM exchange.closed_members"


async def test_what_a_dying_server_closed_is_ended_by_another(servers: list[Ledger]) -> None:
    """From the first moment nothing moves at either; what is left ends once, however many look after it."""
    dying, other = servers
    ada = await dying.member()
    await dying.post(earn("50 TEL", "GRO", member_id=ada))
    await other.post(earn("7 AIR", "GRO", member_id=ada))
    held = (await other.post(hold("20 TEL", member_id=ada))).transfer
    await dying.api.poster.drain()

    with pytest.raises(ServerDraining):
        await dying.api.closings.close(CLOSER, ada, "asked")
    between = [await other.told(earn("1 TEL", "GRO", member_id=ada)), await other.told(capture(held))]
    unfinished = await other.value(FINISHED)
    done = [await other.api.closings.run(), await other.api.closings.run()]

    assert [type(one) for one in between] == [MemberClosed, MemberClosed]
    assert (unfinished, done, await other.value(FINISHED)) == (False, [1, 0], True)
    assert await other.balances(ada) == {"TEL": 0, "AIR": 0}


async def test_many_holds_are_given_back(ledger: Ledger) -> None:
    """More than fit into one transaction."""
    ada = await ledger.member()
    await ledger.post(earn("2 000 TEL", "GRO", member_id=ada))
    for _ in range(2):
        await ledger.api.poster.post_all([hold("1 TEL", member_id=ada) for _ in range(700)], atomic=False)

    voided, _ = await ledger.api.closings.close(CLOSER, ada, "asked")

    assert len(voided) == 1
    assert await ledger.value("SELECT count(*) FROM exchange.follow_ups WHERE NOT ended") == 0
    assert await ledger.balances(ada) == {"TEL": 0}
