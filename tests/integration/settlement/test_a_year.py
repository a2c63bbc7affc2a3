"""A year of windows in which everything happens: awards, reversals, carries, disputes, adjustments, a default.

What happens is drawn by a seed. After every window everything is counted again from what the wire tells, and has to
come out the same.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from settlement.disputes.deadlines import Deadlines
from settlement.v1 import disputes_pb2 as pb
from settlement.windows.scheduler import SCHEDULER
from tests.contract.disputed import STATE, a_policy, adjustments, listed
from tests.contract.proposed import exclusions
from tests.contract.settled import finance_of
from tests.integration.settlement.counting_again import Books, reversed_micros
from tests.integration.settlement.happenings import WAITING, Year
from tests.servers import Server
from tests.worlds import a_world

WINDOWS, QUIET, EVENTS_A_WINDOW = 12, 3, 16
"""Months in which things happen, then months in which deadlines end what is left."""
DEFAULT, RELEASE = 8, 13
"""The month whose largest payer does not pay, and the one from which what was held for it is netted again."""
MINIMUM = 900
EXPECTED = {
    "CLAIM_EXCEEDS",
    "ALREADY_REVERSED",
    "REVERSAL_EXCEEDS",
    "INSUFFICIENT_POINTS",
    "WRONG_STATE",
    "DISPUTE_PERIOD_OVER",
}
"""What may be said no to, when events meet one another."""


@pytest.mark.timeout(300)
async def test_a_year_of_windows_loses_and_doubles_nothing(server: Server) -> None:
    """Twelve months, then quiet ones in which deadlines end what is left: nothing is held for a dispute any more."""
    async with a_world(server.address, server.operator_secret) as world:
        finance = await finance_of(world)
        year, books = Year(finance, seed=2030), Books(finance)
        deadlines = Deadlines(server.api.database, SCHEDULER)
        await finance.agree(a_policy(answer_days=35, decision_days=35, held_out_reasons=[pb.DISPUTE_REASON_FRAUD]))
        await year.provide()
        paying: list[set[str]] = []
        defaulter, covered = "", 0
        for _ in range(3):
            await year.award()
        start = await world.now()
        for number in range(1, WINDOWS + QUIET + 1):
            for _ in range(EVENTS_A_WINDOW if number <= WINDOWS else 0):
                await year.happen()
            await world.set_clock(start + timedelta(days=30 * number))
            await deadlines.look()
            await finance.close(f"windows/{number}")
            run = (await finance.start(f"windows/{number}", minimum_minor_units={"CNY": MINIMUM})).run
            again = await finance.start(f"windows/{number}", minimum_minor_units={"CNY": MINIMUM})
            assert (again.replayed, again.run.result_digest) == (True, run.result_digest)
            approved = await finance.approve(await finance.submit(run))
            await books.close(run)
            if number == DEFAULT:
                defaulter, covered = await year.default(approved)
            if number == RELEASE - 1:
                await finance.agree(exclusions(released={defaulter.removeprefix("merchants/"): f"windows/{RELEASE}"}))
            (payments,) = await finance.rows(finance.maker, run, "payments")
            paying.append({one.payer for one in payments} | {one.payee for one in payments})
        await books.funds_are_sound(4 * 1_600 + 150, covered)
        await books.no_value_twice(year.made, await reversed_micros(finance, WINDOWS + QUIET))

        disputes = await listed(finance, finance.maker)
        causes = {step.cause for dispute in disputes for step in dispute.steps}
        made = {one.cause for one in await adjustments(finance, finance.maker)}
    held = paying[DEFAULT : RELEASE - 1]
    assert all(defaulter not in parties for parties in held)
    assert any(defaulter in parties for parties in paying[RELEASE - 1 :])
    assert year.refused.keys() <= EXPECTED
    assert not [dispute for dispute in disputes if dispute.state in WAITING]
    assert {dispute.state for dispute in disputes} == {STATE.STATE_UPHELD, STATE.STATE_REJECTED, STATE.STATE_WITHDRAWN}
    assert causes >= {pb.DisputeStep.CAUSE_ANSWER, pb.DisputeStep.CAUSE_DEADLINE, pb.DisputeStep.CAUSE_DECISION}
    assert made == {pb.Adjustment.CAUSE_UPHELD, pb.Adjustment.CAUSE_OVERTAKEN, pb.Adjustment.CAUSE_AGREED}
