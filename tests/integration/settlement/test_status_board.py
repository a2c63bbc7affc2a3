"""`python -m settlement status` on a real ledger, as a window goes from open to paid."""

from __future__ import annotations

from tests.banks import debit, statement
from tests.contract.paid import Treasury
from tests.integration.settlement.test_commands import settlement
from tests.servers import Server


async def test_the_board_follows_a_window_until_it_is_paid(server: Server, treasury: Treasury) -> None:
    """Whose turn it is, what is typed and what is open at every step; what is finished is not shown."""
    boards = [(await settlement(server, "status", "--json")).document]
    run = (await treasury.finance.start("windows/1")).run
    await treasury.finance.submit(run)
    boards.append((await settlement(server, "status", "--json")).document)
    run = await treasury.finance.approve(await treasury.finance.read(run))
    told = await treasury.ordered((await treasury.export(run)).files[0])
    first, *others = (debit(order) for order in told.values())
    await treasury.record(statement(first, first._replace(end_to_end_id="W9-9-9-NOBODY", reference="FEE")))
    boards.append((await settlement(server, "status", "--json")).document)
    seen = (await settlement(server, "status")).output
    await treasury.record(statement(*others, bank_id="STMT-2"))
    boards.append((await settlement(server, "status", "--json")).document)

    lines = [{line["window"]: line for line in board["windows"]} for board in boards]
    assert [list(board) for board in lines] == [["windows/1", "windows/2"]] * 3 + [["windows/2"]]
    turns = [(board["windows/1"]["state"], board["windows/1"]["next"]["who"]) for board in lines[:3]]
    assert turns == [("CLOSED", "finance maker"), ("SUBMITTED", "finance checker"), ("PARTIALLY_SETTLED", "bank")]
    assert lines[1]["windows/1"]["next"]["command"] == (
        f"python -m settlement approve 1 --digest {run.result_digest[:12]}"
    )
    assert (lines[2]["windows/1"]["payments"], lines[2]["windows/1"]["payments_open"]) == (5, 4)
    assert lines[2]["windows/2"]["next"]["command"] == "python -m settlement close-window 2"
    assert [(one["what"], one["number"]) for one in boards[2]["outstanding"]] == [("exceptions of payments", 1)]
    assert "windows/1: bank: python -m settlement import-status FILE" in seen
    assert "exceptions of payments: 1, the oldest of 0 days: finance checker" in seen
