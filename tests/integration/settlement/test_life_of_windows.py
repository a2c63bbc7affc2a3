"""Windows driven at random through the real server: what a small model allows is done, and all else is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from grpc import aio
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import payments_pb2 as payments
from settlement.v1 import settlement_service_pb2 as pb
from tests.banks import Order, debit, orders, statement, status_report
from tests.contract.paid import Treasury
from tests.contract.refusals import refusal_of
from tests.contract.settled import finance_of
from tests.servers import Server
from tests.worlds import Party, World, a_world

MAKER, CHECKER = directory.CALLER_ROLE_FINANCE_MAKER, directory.CALLER_ROLE_FINANCE_CHECKER
MODES = [pb.NETTING_MODE_MULTILATERAL, pb.NETTING_MODE_BILATERAL]
DEAD, INSTRUCTED = {"REJECTED", "VOIDED", "CANCELLED"}, {"INSTRUCTED", "PARTIALLY_SETTLED", "SETTLED"}
NO = {"SAME_PERSON", "WRONG_STATE", "WINDOW_STATE", "DIGEST_MISMATCH", "ETAG_MISMATCH"}
"""What may be said no to."""
T = TypeVar("T")
makers, checkers = st.sampled_from(["ann", "bob"]), st.sampled_from(["ann", "zoe", "max"])


class Stage:
    """The coalition all examples play on, each with a window of its own. Ann holds two keys: she is one person."""

    def __init__(self, treasury: Treasury, people: dict[tuple[str, str], Party]) -> None:
        self.treasury, self.people = treasury, people
        self.loop = asyncio.get_running_loop()
        self.window_no = 0
        self.reached: set[str] = set()
        self.refused: set[str] = set()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for the server's answer; the machine lives in a thread of its own."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def maybe(self, work: Coroutine[Any, Any, T], *, allowed: bool) -> T | None:
        """The answer, if the model allows the step; else a refusal, and nothing."""
        try:
            answer = self.do(work)
        except aio.AioRpcError as error:
            reason = refusal_of(error).reason
            assert not allowed, reason
            assert reason in NO
            self.refused.add(reason)
            return None
        assert allowed, answer
        return answer


class Life(RuleBasedStateMachine):
    """One window from its cut-off on; the runs it has had, and what people said of the newest."""

    stage: Stage

    def __init__(self) -> None:
        super().__init__()
        self.finance = self.stage.treasury.finance
        self.state, self.runs, self.mode = "CLOSED", list[pb.Run](), 0
        self.calculated = self.submitted = self.approved = ""
        self.legs: dict[str, str] = {}
        self.answers = 0
        self.stage.window_no += 1
        self.window = f"windows/{self.stage.window_no}"
        self.stage.do(self.finance.cast.gro.earn(self.finance.member, "500 TEL"))
        self.stage.do(self.finance.close(self.window))

    @property
    def run(self) -> pb.Run:
        """The newest run as it stands."""
        return self.stage.do(self.finance.read(self.runs[-1]))

    def maker(self, name: str) -> Party:
        """A person with a maker's key."""
        return self.stage.people[name, "maker"]

    @rule(who=makers, mode=st.sampled_from(MODES))
    def net(self, who: str, mode: pb.NettingMode.ValueType) -> None:
        """Another run voids the one that stands, the same is answered again; not once money was instructed."""
        request = pb.StartRunRequest(window=self.window, configuration=pb.RunConfiguration(mode=mode))
        asked = self.maker(who).ask(self.finance.stub.StartRun, request)
        again = self.state not in DEAD | {"CLOSED"} and mode == self.mode
        answer = self.stage.maybe(asked, allowed=again or self.state not in INSTRUCTED)
        if answer is None:
            return
        assert answer.replayed == again
        if again:
            assert answer.run.name == self.runs[-1].name
            return
        self.runs.append(answer.run)
        self.state, self.mode = "CALCULATED", mode
        self.calculated, self.submitted, self.approved = who, "", ""

    @rule(who=makers)
    def submit(self, who: str) -> None:
        """Once; the same person may repeat it."""
        if self.runs:
            again = self.submitted == who and self.state not in DEAD
            request = pb.SubmitRunRequest(name=self.runs[-1].name, result_digest=self.runs[-1].result_digest)
            asked = self.maker(who).ask(self.finance.stub.SubmitRun, request)
            if self.stage.maybe(asked, allowed=again or self.state == "CALCULATED") and not again:
                self.state, self.submitted = "SUBMITTED", who

    @rule(who=checkers, yes=st.booleans(), stale=st.sampled_from([False, False, False, True]))
    def check(self, who: str, *, yes: bool, stale: bool) -> None:
        """Somebody who had no hand in it, of exactly what is there; a yes may be repeated while it holds."""
        if not self.runs:
            return
        kind, method = (
            (pb.ApproveRunRequest, self.finance.stub.ApproveRun)
            if yes
            else (pb.RejectRunRequest, self.finance.stub.RejectRun)
        )
        digest = "0" * 64 if stale else self.runs[-1].result_digest
        request = kind(name=self.runs[-1].name, result_digest=digest, etag=self.run.etag)
        if not yes:
            request.reason = "no"
        said = (self.approved == who and self.state not in DEAD) if yes else False
        rejected = not yes and self.state == "REJECTED" and self.approved == f"no {who}"
        again = (said or rejected) and not stale
        apart = who not in {self.calculated, self.submitted}
        asked = self.stage.people[who, "checker"].ask(method, request)
        fresh = self.state == "SUBMITTED" and apart and not stale
        if self.stage.maybe(asked, allowed=again or fresh) and not again:
            self.state, self.approved = ("APPROVED", who) if yes else ("REJECTED", f"no {who}")

    @rule(who=makers)
    def cancel(self, who: str) -> None:
        """Before anything was instructed."""
        if self.runs:
            request = pb.CancelRunRequest(name=self.runs[-1].name, reason="changed my mind")
            asked = self.maker(who).ask(self.finance.stub.CancelRun, request)
            allowed = self.state not in INSTRUCTED | DEAD or self.state == "CANCELLED"
            if self.stage.maybe(asked, allowed=allowed):
                self.state = "CANCELLED"

    @rule(who=makers)
    def instruct(self, who: str) -> None:
        """What is approved, by whoever did not approve it; again: the very same files."""
        if self.runs:
            newest = self.runs[-1]
            allowed = self.state in INSTRUCTED or (self.state == "APPROVED" and self.approved != who)
            told = self.stage.maybe(
                self.stage.treasury.export(newest, self.maker(who), execution_date=""), allowed=allowed
            )
            if told and self.state == "APPROVED":
                self.state = "INSTRUCTED"
                self.legs = dict.fromkeys((order.end_to_end_id for order in self.ordered()), "EXPORTED")

    @rule(data=st.data(), books=st.booleans())
    def answer(self, data: st.DataObject, *, books: bool) -> None:
        """The bank books a payment, or says no to it."""
        waiting = [order for order in self.ordered() if self.legs.get(order.end_to_end_id) == "EXPORTED"]
        if not waiting:
            return
        order = data.draw(st.sampled_from(waiting))
        self.answers += 1
        named = f"{self.stage.window_no}-{self.answers}"
        content = (
            statement(debit(order), bank_id=f"S{named}")
            if books
            else status_report(order.message_id, payments=[(order.end_to_end_id, "RJCT", "AC04")], bank_id=f"B{named}")
        )
        recorded = self.stage.do(self.stage.treasury.record(content))
        assert (recorded.applied_count, recorded.exception_count) == (1, 0)
        self.legs[order.end_to_end_id] = "SETTLED" if books else "REJECTED"
        self._settle()

    @rule(who=makers)
    def retry(self, who: str) -> None:
        """Only what failed, and nothing before it was instructed."""
        if self.runs:
            failed = [name for name, state in self.legs.items() if state == "REJECTED"]
            request = payments.RetryPaymentsRequest(run=self.runs[-1].name, execution_date="")
            asked = self.maker(who).ask(self.finance.stub.RetryPayments, request)
            told = self.stage.maybe(asked, allowed=self.state in INSTRUCTED and self.approved != who)
            if told is not None:
                assert sum(file.payment_count for file in told.files) == len(failed)
                new = {order.end_to_end_id for order in self.ordered()} - self.legs.keys()
                self.legs = {name: state for name, state in self.legs.items() if state != "REJECTED"}
                self.legs |= dict.fromkeys(new, "EXPORTED")

    @rule(steps=st.integers(1, 3), yes=st.sampled_from([True, False, True]), who=makers)
    def go_on(self, steps: int, *, yes: bool, who: str = "bob") -> None:
        """Everybody does what is to be done next: else few would ever come to the bank."""
        for _ in range(steps):
            if self.state in DEAD | {"CLOSED"}:
                self.net(who, MODES[0])
            elif self.state == "CALCULATED":
                self.submit(who)
                if who == "ann":
                    self.check(who, yes=True, stale=False)
            elif self.state == "SUBMITTED":
                self.check("zoe", yes=yes, stale=False)
            elif self.state == "APPROVED":
                self.instruct("bob")

    @invariant()
    def it_stands_where_the_model_says(self) -> None:
        """Run and window; every earlier run is dead, and nothing counts as approved but by another's yes to it."""
        self.stage.reached.add(self.state)
        request = pb.GetWindowRequest(name=self.window)
        window = self.stage.do(self.finance.maker.ask(self.finance.stub.GetWindow, request)).window
        if not self.runs:
            assert window.state == pb.Window.STATE_CLOSED
            return
        run = self.run
        assert pb.Run.State.Name(run.state) == f"STATE_{self.state}"
        alive = self.state in INSTRUCTED | {"CALCULATED", "APPROVED"}
        shown = f"STATE_{self.state}" if alive else {"SUBMITTED": "STATE_CALCULATED"}.get(self.state, "STATE_CLOSED")
        assert pb.Window.State.Name(window.state) == shown
        for before in self.runs[:-1]:
            assert self.stage.do(self.finance.read(before)).state in {
                pb.Run.STATE_VOIDED, pb.Run.STATE_REJECTED, pb.Run.STATE_CANCELLED,
            }  # fmt: skip
        yes = [one for one in run.decisions if one.approved]
        if self.state in INSTRUCTED | {"APPROVED"}:
            assert [one.result_digest for one in yes] == [run.result_digest]
            assert not {step.person for step in run.steps[:2]} & {one.person for one in yes}

    def teardown(self) -> None:
        """Somebody finishes the window, so that the next one can be netted."""
        self.go_on(3, yes=True)

    def ordered(self) -> list[Order]:
        """Every payment the bank was told of."""
        if self.state not in INSTRUCTED:
            return []
        treasury = self.stage.treasury
        request = payments.ListPaymentFilesRequest(run=self.runs[-1].name)
        files = self.stage.do(self.finance.maker.ask(self.finance.stub.ListPaymentFiles, request)).files
        return [order for file in files for order in orders(self.stage.do(treasury.content(file)))]

    def _settle(self) -> None:
        settled = list(self.legs.values()).count("SETTLED")
        self.state = "SETTLED" if settled == len(self.legs) else "PARTIALLY_SETTLED" if settled else "INSTRUCTED"


async def _stage(world: World) -> Stage:
    finance = await finance_of(world)
    people = {(name, "maker"): await world.party(MAKER, name) for name in ("ann", "bob")}
    people |= {(name, "checker"): await world.party(CHECKER, name) for name in ("ann", "zoe", "max")}
    treasury = Treasury(finance, await world.party(directory.CALLER_ROLE_OPERATOR), await world.party(MAKER))
    await treasury.know("OPR", "GRO", "TEL")
    return Stage(treasury, people)


@pytest.mark.timeout(300)
async def test_a_window_goes_only_the_ways_there_are(server: Server) -> None:
    """Netting, submitting, checking, cancelling, paying, the bank's answers and retries in any order by anybody."""
    async with a_world(server.address, server.operator_secret) as world:
        stage = await _stage(world)
        machine = type("LifeOnStage", (Life,), {"stage": stage})
        how = settings(
            max_examples=16, stateful_step_count=14, deadline=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip

        await asyncio.to_thread(run_state_machine_as_test, machine, settings=how)

    assert stage.reached >= {"CLOSED", "CALCULATED", "SUBMITTED", "APPROVED", "REJECTED", "CANCELLED", "INSTRUCTED"}
    assert stage.refused >= {"SAME_PERSON", "WRONG_STATE"}
