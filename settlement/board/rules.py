"""Who acts next on a window, and what that person types. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, tzinfo

from settlement.board.model import Line, Todo, Waits, Who, WindowFacts
from settlement.payments.model import DONE, FAILED, AttemptState, LegView
from settlement.payments.rules import legs_of
from settlement.run.ageing import Waiting
from settlement.run.life import DEAD, INSTRUCTED, RunState
from settlement.run.model import Run

DIGITS = 12
CARRIED = frozenset({"minimum", "not_due"})
"""What waits by itself; whatever else waits is held because of somebody."""
UNDECIDED = frozenset({RunState.CALCULATED, RunState.SUBMITTED})
"""Nobody's yes is final: the run may still give way to another of its window."""
NOTHING = Todo("none", Who.NOBODY, "")


def todo_of(facts: WindowFacts, now: datetime) -> Todo:
    """The next thing to do about a window."""
    number = facts.window_no
    if facts.closed_at is None:
        if facts.due_at is not None and now < facts.due_at:
            return Todo("close", Who.NOBODY, "", f"not due before {facts.due_at.isoformat(timespec='minutes')}")
        return Todo("close", Who.MAKER, f"close-window {number}")
    run = facts.run
    if run is None or run.life.state in DEAD:
        because = f"the run before was {_ended(run)}" if run else ""
        return Todo("run", Who.MAKER, f"run {number}", because)
    return _todo_of_run(facts, run)


def _todo_of_run(facts: WindowFacts, run: Run) -> Todo:
    number, digest = facts.window_no, run.digest[:DIGITS]
    if facts.overtaken and run.life.state in UNDECIDED:
        because = f"it nets {', '.join(facts.overtaken)}, suspended since: the terms want that held"
        return Todo("run", Who.MAKER, f"run {number}", because)
    match run.life.state:
        case RunState.CALCULATED if facts.before:
            return Todo("submit", Who.NOBODY, "", f"windows/{number - 1} is {facts.before}, and comes first")
        case RunState.CALCULATED:
            return Todo("submit", Who.MAKER, f"submit {number} --digest {digest}")
        case RunState.SUBMITTED:
            said = f"{len(run.life.approvals)} of {run.life.checkers_needed} said yes"
            not_by = sorted({*facts.makers, *(decision.person for decision in run.life.approvals)})
            but = f"; not by {', '.join(not_by)}" if not_by else ""
            return Todo("approve", Who.CHECKER, f"approve {number} --digest {digest}", said + but)
        case RunState.APPROVED:
            approvers = ", ".join(decision.person for decision in run.life.approvals)
            return Todo("export", Who.PAYER, f"export {number} --digest {digest}", f"not by {approvers}")
    return _todo_of_payments(facts)


def _todo_of_payments(facts: WindowFacts) -> Todo:
    failed = [view for view in facts.legs if view.state in FAILED]
    if failed:
        why = ", ".join(sorted({f"{view.state.lower()} {view.reason}".strip() for view in failed}))
        return Todo("retry", Who.PAYER, f"retry {facts.window_no}", f"came to nothing: {len(failed)}, {why}")
    if any(view.state not in DONE | {AttemptState.UNCOVERED} for view in facts.legs):
        return Todo("book", Who.BANK, "import-status FILE", "as soon as the bank sends what it booked")
    uncovered = [view.leg for view in facts.legs if view.state is AttemptState.UNCOVERED]
    if uncovered:
        command = f"recover {uncovered[0].payer} {facts.window_no} {uncovered[0].currency} AMOUNT"
        whose = ", ".join(sorted({leg.payer for leg in uncovered}))
        return Todo("recover", Who.MAKER, command, f"those who stand in for {whose} do not reach")
    return NOTHING


def line_of(facts: WindowFacts, now: datetime, zone: tzinfo) -> Line:
    """A window as the board shows it; days are those of the zone."""
    today = now.astimezone(zone).date()
    legs = _legs(facts)
    unpaid = [view for view in legs if view.state not in DONE]
    todo = todo_of(facts, now)
    due = _due(facts)
    return Line(
        window=facts.name,
        state=_state(facts),
        since=_since(facts),
        age_days=None if facts.closed_at is None else (today - facts.closed_at.astimezone(zone).date()).days,
        due=due,
        late=due is not None and (due <= now if isinstance(due, datetime) else due < today),
        to_pay=_sums(legs),
        unpaid=_sums(unpaid),
        payments=len(legs),
        payments_open=len(unpaid),
        todo=todo,
        suspended=facts.run.configuration.suspended if facts.run and facts.run.life.state not in DEAD else (),
    )


def overtaken(run: Run, suspended: Collection[str]) -> list[str]:
    """Who of those suspended now has something in a run that does not hold it."""
    there = {position.participant for one in run.result for position in one.positions}
    return sorted(there & set(suspended) - set(run.configuration.excluded))


def waits_of(items: Sequence[Waiting]) -> list[Waits]:
    """What is carried and held, by currency."""
    found = []
    for code in sorted({one.currency for one in items}):
        own = [one for one in items if one.currency == code]
        held = sum(one.item.amount for one in own if one.item.because not in CARRIED)
        whole = sum(one.item.amount for one in own)
        found.append(Waits(code, whole - held, held, max(one.days for one in own)))
    return found


def _legs(facts: WindowFacts) -> Sequence[LegView]:
    """What was instructed; before, what the run asks for."""
    run = facts.run
    if run is None or run.life.state in DEAD:
        return ()
    if facts.legs or run.life.state in INSTRUCTED:
        return facts.legs
    return [LegView(leg, 0, "", "", AttemptState.CREATED, None, "") for leg in legs_of(run.result)]


def _sums(legs: Sequence[LegView]) -> dict[str, int]:
    found: dict[str, int] = {}
    for view in legs:
        found[view.leg.currency] = found.get(view.leg.currency, 0) + view.due.minor_units
    return dict(sorted(found.items()))


def _state(facts: WindowFacts) -> str:
    if facts.closed_at is None:
        return "OPEN"
    return "CLOSED" if facts.run is None or facts.run.life.state in DEAD else facts.run.life.state.value


def _since(facts: WindowFacts) -> datetime:
    if facts.closed_at is None:
        return facts.opened_at
    return facts.run.life.transitions[-1].at if facts.run else facts.closed_at


def _due(facts: WindowFacts) -> date | datetime | None:
    if facts.closed_at is None:
        return facts.due_at
    if facts.run is None or facts.run.life.state in DEAD:
        return None
    days = [date.fromisoformat(one.pay_date) for one in facts.run.result if one.pay_date and one.payments]
    return min(days, default=None)


def _ended(run: Run) -> str:
    last = run.life.transitions[-1]
    by = f" by {last.person}" if last.person else ""
    return f"{run.life.state.lower()}{by}" + (f": {last.reason}" if last.reason else "")
