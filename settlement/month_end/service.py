"""The walk: what is done already is passed over, what can be done is done, what is somebody else's is said.

It keeps no state of its own. Every step looks at the database and is one use case, so that a walk that was cut off
anywhere is gone on with by walking again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from exchange.db.engine import Database
from settlement.approval.service import Approvals
from settlement.board.model import Todo, Who, WindowFacts
from settlement.board.rules import DIGITS, todo_of
from settlement.board.service import unfinished
from settlement.evidence.service import Evidence
from settlement.exchange_ledger import read_window
from settlement.funds.model import LiquidityCheck
from settlement.funds.service import Funds
from settlement.month_end.model import Progress, State, Told, Walk
from settlement.month_end.papers import put, write_papers
from settlement.month_end.shortfalls import demanded, told_of
from settlement.payments.exceptions import Exceptions
from settlement.payments.model import DONE
from settlement.payments.service import Instructing, Payments
from settlement.recount.service import Recounts, is_recounted
from settlement.run.asked import Asked
from settlement.run.life import DEAD, INSTRUCTED, RunState
from settlement.run.model import Run
from settlement.run.service import Runs
from settlement.windows.service import Windows

SOMEBODYS = frozenset({RunState.REJECTED, RunState.CANCELLED})
"""Somebody ended it for a reason: the same again would be the same."""
UNDECIDED = frozenset({RunState.CALCULATED})


class MonthEnd:
    """Walks one window from open to paid, as far as it goes."""

    def __init__(self, database: Database, walk: Walk, progress: Progress) -> None:
        self._database, self._walk, self._progress = database, walk, progress
        self._checks: tuple[LiquidityCheck, ...] = ()

    async def steps(self) -> AsyncIterator[Told]:
        """Take the steps; the last one told waits for somebody, or is the evidence.

        Raises:
            ResourceNotFound: there is no such window yet.
            NotDue, WindowState, SamePerson, PersonUnknown, BankDetailsMissing, FormatMismatch: as of each step's own
                use case.
        """
        for take in (
            self._close,
            self._run,
            self._recount,
            self._funds,
            self._submit,
            self._approve,
            self._export,
            self._payments,
            self._papers,
            self._evidence,
        ):
            told = await take()
            yield told
            if told.state is State.WAITS and told.step != "payments":
                return

    async def _close(self) -> Told:
        number = self._walk.window_no
        async with self._database.read() as connection:
            window = await read_window(connection, number, "window")
        if window.closed_at is not None:
            moment = window.closed_at.isoformat(timespec="seconds")
            return Told("close", State.BEFORE, f"{window.name} closed at {moment} by {window.closed_by}")
        if self._walk.dry:
            return Told("close", State.WOULD, f"{window.name} is open and would be cut off")
        window, following, _ = await Windows(self._database).close(number, self._walk.actor)
        return Told("close", State.DONE, f"{window.name} is cut off for ever; windows/{following} is open")

    async def _run(self) -> Told:
        facts = await self._facts()
        run = facts.run if facts else await Runs(self._database).newest(self._walk.window_no)
        if run is not None and run.life.state not in DEAD:
            return Told("run", State.BEFORE, f"{run.name}, digest {run.digest[:DIGITS]}")
        if facts is not None and run is not None and run.life.state in SOMEBODYS:
            todo = todo_of(facts, facts.opened_at)
            return self._waits("run", f"{todo.because}: mend what was wrong, then run it", todo)
        if self._walk.dry:
            return Told("run", State.WOULD, "the window would be netted by the coalition's terms")
        made, _ = await Runs(self._database).start(self._walk.window_no, Asked(), self._walk.actor)
        return Told("run", State.DONE, f"{made.name}, digest {made.digest[:DIGITS]}")

    async def _recount(self) -> Told:
        run = await self._standing()
        if run is None:
            return Told("recount", State.WOULD, "every obligation would be counted again from its transfer")
        async with self._database.read() as connection:
            if await is_recounted(connection, run.run_id):
                return Told("recount", State.BEFORE, "the transfers say what the run says")
        if self._walk.dry:
            return Told("recount", State.WOULD, "every obligation would be counted again from its transfer")
        found = await Recounts(self._database).recount(run.run_id, self._walk.actor, self._counting)
        if not found.passed:
            first = found.mismatches[0]
            pair = f"{first.pair.currency} {first.pair.debtor} owes {first.pair.creditor}"
            figures = f"the run says {first.run.micros} micro-units, the transfers {first.transfers.micros}"
            text = f"pairs that differ: {len(found.mismatches)}; {pair}: {figures}. Nobody can submit it"
            return Told("recount", State.WAITS, text, "operator", "python -m exchange audit")
        count = found.counted
        text = (
            f"the transfers say what the run says (transfers: {count.transfers:,}, obligations: {count.obligations:,})"
        )
        return Told("recount", State.DONE, text)

    def _counting(self, done: int, of: int) -> None:
        self._progress("recount", done, of)

    async def _funds(self) -> Told:
        run = await self._standing()
        if run is None:
            return Told("funds", State.WOULD, "what payers have would be held against what they pay")
        if run.life.state not in UNDECIDED | {RunState.SUBMITTED}:
            return Told("funds", State.BEFORE, "who approved it looked at what payers have")
        told = told_of((await Funds(self._database).check(run.run_id))[1], run.window_no)
        self._checks = told.checks
        return told

    async def _submit(self) -> Told:
        facts, run = await self._facts(), await self._standing()
        if run is None:
            return Told("submit", State.WOULD, "the run would be put before the checkers")
        if run.life.state not in UNDECIDED:
            assert run.life.submission is not None
            return Told("submit", State.BEFORE, f"by {run.life.submission.person}")
        assert facts is not None, "what is not submitted is not finished"
        if facts.before:
            return self._waits("submit", "the window before comes first", todo_of(facts, facts.opened_at))
        if self._walk.dry:
            return Told("submit", State.WOULD, f"{run.name} would be put before the checkers")
        run, _ = await Approvals(self._database).submit(run.run_id, run.digest, self._walk.actor, self._walk.reason)
        return Told("submit", State.DONE, f"before the checkers; it takes {run.life.checkers_needed}")

    async def _approve(self) -> Told:
        facts, run = await self._facts(), await self._standing()
        if run is None or run.life.state in UNDECIDED:
            return Told("approve", State.WOULD, "a finance checker would say yes to the digest")
        if run.life.state is RunState.SUBMITTED:
            assert facts is not None, "what is not approved is not finished"
            todo = todo_of(facts, facts.opened_at)
            words, added = demanded(self._checks)
            text = "; ".join(filter(None, ("somebody else looks at it and says yes", words)))
            return self._waits("approve", text, todo._replace(command=todo.command + added))
        names = ", ".join(decision.person for decision in run.life.approvals)
        return Told("approve", State.BEFORE, f"by {names}, digest {run.digest[:DIGITS]}")

    async def _export(self) -> Told:
        run, walk = await self._standing(), self._walk
        if run is None or (walk.dry and run.life.state not in INSTRUCTED):
            return Told("export", State.WOULD, f"payment files would be written as {walk.format}")
        book = Payments(self._database)
        before = run.life.state in INSTRUCTED
        if not before:
            await book.export(run.run_id, run.digest, Instructing(walk.actor, walk.format, walk.pay_on))
        written = []
        for file in await book.files(run.run_id):
            path = walk.into / "payments" / file.file_name
            if not walk.dry:
                put(path, (await book.content(file.message_id))[1])
            written.append(str(path))
        text = f"payment files for the bank: {len(written)}" if written else "nothing is to be paid"
        return Told("export", State.BEFORE if before else State.DONE, text, files=tuple(written))

    async def _payments(self) -> Told:
        facts, run = await self._facts(), await self._standing()
        if run is None or run.life.state not in INSTRUCTED:
            return Told("payments", State.WOULD, "what banks answer would be awaited")
        waiting = await Exceptions(self._database).page(0, 1, ended=False)
        if facts is None and waiting:
            text = "all payments are booked; bank lines that fit no payment wait"
            return Told("payments", State.BEFORE, text, Who.CHECKER.value, "exceptions")
        if facts is None:
            return Told("payments", State.BEFORE, "all payments are booked")
        open_ = sum(view.state not in DONE for view in facts.legs)
        look = "; exceptions wait too: python -m settlement exceptions" if waiting else ""
        text = f"not booked: {open_} of {len(facts.legs)} payments{look}"
        return self._waits("payments", text, todo_of(facts, facts.opened_at))

    async def _papers(self) -> Told:
        run, walk = await self._standing(), self._walk
        if walk.dry or run is None:
            return Told("papers", State.WOULD, "reports, statements, journal and liability would be written")
        files = await write_papers(self._database, walk.window_no, run.run_id, walk.into, self._progress)
        return Told("papers", State.DONE, f"files in {walk.into}: {len(files)}", files=files)

    async def _evidence(self) -> Told:
        walk = self._walk
        path = walk.into / f"W{walk.window_no}-evidence.zip"
        if walk.dry:
            return Told("evidence", State.WOULD, f"the evidence pack would be written to {path}")
        written = await Evidence(self._database).write(walk.window_no, path, self._progress)
        return Told("evidence", State.DONE, f"fingerprint {written.fingerprint}", files=(str(path),))

    async def _facts(self) -> WindowFacts | None:
        """The window, unless it is finished."""
        async with self._database.read() as connection:
            found = await unfinished(connection, self._walk.window_no)
        return found[0] if found else None

    async def _standing(self) -> Run | None:
        """The run that stands; None: a dry walk made none."""
        facts = await self._facts()
        run = facts.run if facts else await Runs(self._database).newest(self._walk.window_no)
        return run if run is not None and run.life.state not in DEAD else None

    def _waits(self, step: str, text: str, todo: Todo) -> Told:
        because = f" ({todo.because})" if todo.because and todo.because not in text else ""
        return Told(step, State.WAITS, text + because, todo.who, todo.command)
