"""`settlement submit | approve | reject | cancel`: what one person made, another checks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.files import refused
from settlement.cli.ledger import identified, on_ledger, window_number
from settlement.cli.proposals import COLLECTION, id_in, show
from settlement.cli.words import ForTheRecord, Why

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.actors import Actor
    from settlement.approval.service import Approvals
    from settlement.funds.model import LiquidityCheck
    from settlement.proposals.model import Proposal
    from settlement.run.model import Run

DIGITS_MIN = 12
"""So many digits of a digest say which result was looked at."""

Window = Annotated[str, typer.Argument(help="Number of a window that was run.")]
Subject = Annotated[str, typer.Argument(help="Number of a window that was run, or proposals/ID.")]
Digest = Annotated[str, typer.Option(help="The digest `show` told, its first 12 digits at least.")]
Seen = Annotated[bool, typer.Option("--acknowledge-shortfall", help="I have seen whose funds do not reach.")]
Json = Annotated[bool, typer.Option("--json", help="Print the run as JSON.")]
Step = Callable[["Approvals", "Run", "Actor"], Awaitable[tuple["Run", bool]]]


def submit(window: Window, digest: Digest, reason: Why = "", *, json: Json = False) -> None:
    """Put the run of a window before the checkers."""

    async def step(approvals: Approvals, run: Run, actor: Actor) -> tuple[Run, bool]:
        return await approvals.submit(run.run_id, run.digest, actor, reason)

    _take(window, digest, "FINANCE_MAKER", step, as_json=json)


def approve(
    subject: Subject, digest: Digest, reason: Why = "", *, acknowledge_shortfall: Seen = False, json: Json = False
) -> None:
    """Say yes to exactly the result or document with this digest. Whoever had a hand in it is refused.

    Who you are is told by the key in SETTLEMENT_KEY, else by your user at this machine.
    """
    if subject.startswith(COLLECTION):
        _decide(subject, digest, reason, yes=True, as_json=json)
        return

    async def step(approvals: Approvals, run: Run, actor: Actor) -> tuple[Run, bool]:
        seen = acknowledge_shortfall
        return await approvals.approve(run.run_id, run.digest, run.etag, actor, reason, acknowledged=seen)

    _take(subject, digest, "FINANCE_CHECKER", step, as_json=json)


def reject(subject: Subject, digest: Digest, reason: ForTheRecord, *, json: Json = False) -> None:
    """Say no to exactly the result or document with this digest; a window then waits for another run."""
    if subject.startswith(COLLECTION):
        _decide(subject, digest, reason, yes=False, as_json=json)
        return

    async def step(approvals: Approvals, run: Run, actor: Actor) -> tuple[Run, bool]:
        return await approvals.reject(run.run_id, run.digest, run.etag, actor, reason)

    _take(subject, digest, "FINANCE_CHECKER", step, as_json=json)


def cancel(window: Window, reason: ForTheRecord, *, json: Json = False) -> None:
    """Take the run of a window back before anything was instructed."""

    async def step(approvals: Approvals, run: Run, actor: Actor) -> tuple[Run, bool]:
        return await approvals.cancel(run.run_id, actor, reason)

    _take(window, None, "FINANCE_MAKER", step, as_json=json)


def _decide(name: str, digest: str, reason: str, *, yes: bool, as_json: bool) -> None:
    proposal_id = id_in(name)
    _require_digits(digest)

    async def work(database: Database) -> Proposal:
        from settlement.proposals.service import Proposals
        from settlement.refusals import DigestMismatch

        actor = await identified(database, "FINANCE_CHECKER")
        proposals = Proposals(database)
        proposal = await proposals.read(proposal_id)
        if not proposal.digest.startswith(digest.lower()):
            raise DigestMismatch(resource=proposal.name, digest=proposal.digest)
        decide = proposals.approve if yes else proposals.reject
        return (await decide(proposal_id, proposal.digest, actor, reason))[0]

    show(on_ledger(work), json=as_json)


def _require_digits(digest: str) -> None:
    if len(digest) < DIGITS_MIN:
        refused(f"--digest {digest}: give its first {DIGITS_MIN} digits at least")


def _take(window: str, digest: str | None, role: str, step: Step, *, as_json: bool) -> None:
    number = window_number(window)
    if number is None:
        refused("the open window was not run yet: say the number of a closed one")
        return
    if digest is not None:
        _require_digits(digest)

    async def work(database: Database) -> tuple[Run, bool, list[LiquidityCheck]]:
        from settlement.approval.service import Approvals
        from settlement.funds.service import Funds
        from settlement.refusals import DigestMismatch
        from settlement.run.service import Runs

        actor = await identified(database, role)
        run = await Runs(database).newest(number)
        if digest is not None and not run.digest.startswith(digest.lower()):
            raise DigestMismatch(resource=run.name, digest=run.digest)
        run, replayed = await step(Approvals(database), run, actor)
        return run, replayed, (await Funds(database).check(run.run_id))[1]

    run, replayed, checks = on_ledger(work)
    if as_json:
        from settlement.cli.run_tables import to_json

        typer.echo(to_json(run, replayed=replayed))
        return
    from settlement.cli.funds_tables import show_liquidity
    from settlement.cli.run_tables import where_it_stands
    from settlement.run.life import DEAD

    typer.echo(f"{run.name} of windows/{run.window_no}{', as before' if replayed else ''}")
    typer.echo(where_it_stands(run))
    if run.life.state not in DEAD:
        show_liquidity(checks)
