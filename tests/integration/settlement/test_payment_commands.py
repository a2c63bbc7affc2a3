"""Instructing banks at the keyboard: safe to repeat, with nothing mistyped set in stone."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest

from tests.banks import debit, orders, statement, status_report
from tests.contract.paid import Treasury
from tests.integration.settlement.test_commands import settlement
from tests.servers import Server

# Each command is a process of its own, and a busy machine starts them slowly.
pytestmark = pytest.mark.timeout(400)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


async def test_files_are_written_again_as_long_as_no_bank_answered(
    server: Server, treasury: Treasury, tmp_path: Path
) -> None:
    """A pay day that is over is refused; a retry cut off before its file was there is typed again; then all is paid."""
    run = await treasury.approved()
    payer, folder = treasury.payer.secret, {name: tmp_path / name for name in "abcde"}
    export = ("export", "1", "--digest", run.result_digest)
    report = tmp_path / "report.xml"

    over = await settlement(server, *export, "--pay-on", "2020-01-31", "--into", str(folder["a"]), key=payer)
    no_day = await settlement(server, *export, "--pay-on", "20300131", "--into", str(folder["a"]), key=payer)
    first = await settlement(server, *export, "--into", str(folder["b"]), "--json", key=payer)
    (content,) = contents(folder["b"]).values()
    told = orders(content)
    said = [(told[1].end_to_end_id, "RJCT", "AC04"), ("W9-9-1-NOBODYS", "RJCT", "AC04")]
    report.write_bytes(status_report(told[0].message_id, payments=said))
    rejected = await settlement(server, "import-status", str(report), key=payer)
    await settlement(server, "retry", "1", "--into", str(folder["c"]), key=payer)
    late = ("--pay-on", "2020-01-31")
    again = await settlement(server, "retry", "1", "--into", str(folder["d"]), "--json", *late, key=payer)
    (retried,) = contents(folder["d"]).values()
    booked, unreadable = tmp_path / "booked.xml", tmp_path / "unreadable.xml"
    booked.write_bytes(statement(*(debit(one) for one in [*told[:1], *told[2:], *orders(retried)])))
    unreadable.write_bytes(os.urandom(8))
    mixed = await settlement(server, "import-status", str(booked), str(unreadable), key=payer)
    answered = await settlement(server, "retry", "1", "--into", str(folder["e"]), key=payer)

    assert over.status == 2
    assert over.errors.endswith("say --pay-on with today or a day to come, or leave it out\n")
    assert (no_day.status, contents(folder["a"])) == (2, {})
    assert datetime.fromisoformat(first.document[0]["created_at"]).isoformat() == first.document[0]["created_at"]
    assert (rejected.status, rejected.output.splitlines()[-1]) == (1, "Next: python -m settlement exceptions")
    assert contents(folder["c"]) == contents(folder["d"])
    assert [one["batch_no"] for one in again.document] == [2]
    assert (mixed.status, f"{unreadable}: " in mixed.errors) == (2, True)
    assert (answered.output, contents(folder["e"])) == ("Nothing is to be paid: no file.\n", {})
