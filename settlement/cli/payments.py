"""`settlement export | retry | payments | import-status`: instruct banks, and see what they did."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from settlement.cli.files import plain_refusals, refused
from settlement.cli.ledger import as_json, identified, on_ledger, window_number
from settlement.cli.pay_days import day_of
from settlement.cli.plain import NEXT, NotDone

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.payments.files import PaymentFile
    from settlement.payments.model import LegView
    from settlement.payments.service import Instructing, Payments
    from settlement.run.model import Run

DIGITS_MIN = 12


class Format(StrEnum):
    """Formats a payment file can have."""

    PAIN001 = "pain001"
    PACS029 = "pacs029"
    CSV = "csv"


Window = Annotated[str, typer.Argument(help="Number of a window whose run is approved.")]
As = Annotated[Format, typer.Option("--format", help="How the files are written.")]
PayOn = Annotated[str, typer.Option(help="Day the bank is to pay, 2026-03-02. Left out: its pay day.")]
Into = Annotated[Path, typer.Option(help="Folder the files are written to.", file_okay=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def export(
    window: Window,
    digest: Annotated[str, typer.Option(help="The digest `show` told, its first 12 digits at least.")],
    chosen: As = Format.PAIN001,
    pay_on: PayOn = "",
    into: Into = Path(),
    *,
    json: Json = False,
) -> None:
    """Instruct banks to make an approved run's payments. Again: the very same files.

    Whoever approved the run is refused. Who you are is told by the key in SETTLEMENT_KEY, else by your user here.
    """

    async def step(payments: Payments, run: Run, how: Instructing) -> list[PaymentFile]:
        from settlement.refusals import DigestMismatch

        if len(digest) < DIGITS_MIN or not run.digest.startswith(digest.lower()):
            raise DigestMismatch(resource=run.name, digest=run.digest)
        files, _ = await payments.export(run.run_id, run.digest, how)
        return files

    _make_files(window, step, chosen, pay_on, into, as_json=json)


def retry(
    window: Window, chosen: As = Format.PAIN001, pay_on: PayOn = "", into: Into = Path(), *, json: Json = False
) -> None:
    """Try again what banks rejected or returned, and nothing else, in new files.

    Again: those files of it that no bank has answered yet, byte for byte.
    """

    async def step(payments: Payments, run: Run, how: Instructing) -> list[PaymentFile]:
        made = await payments.retry(run.run_id, how)
        if made:
            return made
        # Whoever was cut off between the retry and its file finds the file here.
        waiting = {leg.message_id for leg in await payments.legs(run.run_id) if leg.attempt > 1 and is_unanswered(leg)}
        return [file for file in await payments.files(run.run_id) if file.message_id in waiting]

    _make_files(window, step, chosen, pay_on, into, as_json=json)


def payments(window: Window, *, json: Json = False) -> None:
    """Show how far a window's payments are, and the files that instruct them."""
    number = _closed(window)

    async def work(database: Database) -> tuple[Run, list[LegView], list[PaymentFile]]:
        from settlement.payments.service import Payments
        from settlement.run.service import Runs

        run = await Runs(database).newest(number)
        book = Payments(database)
        return run, await book.legs(run.run_id), await book.files(run.run_id)

    run, legs, files = on_ledger(work)
    from settlement.cli import payment_tables

    if json:
        typer.echo(payment_tables.to_json(run, legs, files))
        return
    payment_tables.show(run, legs, files)


def import_status(
    files: Annotated[list[Path], typer.Argument(help="What the bank sent: pain.002, camt.053 or camt.054.")],
    *,
    json: Json = False,
) -> None:
    """Read what a bank sent and match it to payments. The same file twice changes nothing.

    Exit code 1 when a line fits no payment and waits for somebody.
    """
    with plain_refusals():
        contents = [(file, file.read_bytes()) for file in files]

    async def work(database: Database) -> list[dict[str, Any]]:
        from settlement.payments.answers import BankAnswers
        from settlement.refusals import BankMessageUnreadable

        actor = await identified(database, "FINANCE_MAKER")
        done = []
        for file, content in contents:
            try:
                recorded, replayed = await BankAnswers(database).record(content, actor)
            except BankMessageUnreadable as unreadable:
                # What was read before it is recorded, and the same again passes over it.
                raise NotDone(f"{file}: {unreadable}", NEXT[unreadable.reason]) from unreadable
            done.append({"file": str(file), **recorded._asdict(), "replayed": replayed})
        return done

    done = on_ledger(work)
    if json:
        typer.echo(as_json(done))
    for one in () if json else done:
        again = ", recorded before" if one["replayed"] else ""
        figures = f"{one['applied']} applied, {one['known']} known, {one['exceptions']} for somebody to look at"
        typer.echo(f"{one['file']}: {one['name']} {one['bank_message_id']}{again}: {figures}")
    if any(one["exceptions"] for one in done):
        if not json:
            typer.echo("Next: python -m settlement exceptions")
        raise typer.Exit(1)


def _make_files(
    window: str,
    step: Callable[[Payments, Run, Instructing], Awaitable[list[PaymentFile]]],
    chosen: Format,
    pay_on: str,
    into: Path,
    *,
    as_json: bool,
) -> None:
    number, when = _closed(window), day_of(pay_on)

    async def work(database: Database) -> list[tuple[PaymentFile, bytes]]:
        from settlement.payments.service import Instructing, Payments
        from settlement.run.service import Runs

        how = Instructing(await identified(database, "FINANCE_MAKER"), chosen.value, when)
        book = Payments(database)
        made = await step(book, await Runs(database).newest(number), how)
        return [(file, (await book.content(file.message_id))[1]) for file in made]

    made = on_ledger(work)
    from settlement.month_end.papers import put

    with plain_refusals():
        for file, content in made:
            put(into / file.file_name, content)
    from settlement.cli import payment_tables

    files = [file for file, _ in made]
    if as_json:
        typer.echo(payment_tables.files_to_json(files, into))
        return
    payment_tables.show_files(files, into)


def is_unanswered(leg: LegView) -> bool:
    """Whether the bank has said nothing yet of a payment it was told to make."""
    return leg.state == "EXPORTED"


def _closed(window: str) -> int:
    number = window_number(window)
    if number is None:
        refused("the open window is paid when it is closed, run and approved: say the number of one that is")
    assert number is not None
    return number
