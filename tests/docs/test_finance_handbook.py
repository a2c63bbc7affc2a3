"""The finance handbook is typed as it stands: every command on it, in its order, answers what the page shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from exchange.v1 import directory_service_pb2 as directory
from tests.banks import Order, debit, orders, statement, status_report
from tests.contract.paid import treasury_of
from tests.docs.pages import ROOT, blocks
from tests.docs.test_payments_page import conversations, typed
from tests.servers import a_server
from tests.worlds import a_world

PAGE = ROOT / "docs" / "finance_handbook.md"
CAFE = "622200000004"


def instructed(folder: Path) -> list[Order]:
    """What the bank was told, file by file."""
    files = sorted((folder / "W1" / "payments").glob("*.xml"), key=lambda path: path.stat().st_mtime_ns)
    return [order for path in files for order in orders(path.read_bytes())]


def answer_as_the_bank(folder: Path, name: str) -> None:
    """The café's account is closed; later all that still can be is booked."""
    told = instructed(folder)
    (closed,) = (order for order in told if CAFE in (order.payer_account, order.payee_account))
    if name == "rejected.xml":
        content = status_report(closed.message_id, payments=[(closed.end_to_end_id, "RJCT", "AC04")])
    else:
        content = statement(*(debit(order) for order in told if order != closed))
    (folder / name).write_bytes(content)


@pytest.mark.timeout(600)
async def test_every_command_answers_as_the_page_shows(database_url: str, tmp_path: Path) -> None:
    """Three people settle period A; a payment is rejected and tried again; a second window is taken back."""
    (tmp_path / "exclusions.yaml").write_text("".join(blocks(PAGE, "yaml")), encoding="utf-8")
    async with a_server(database_url) as server, a_world(server.address, server.operator_secret) as world:
        treasury = await treasury_of(world, closed=False)
        maker = await world.party(directory.CALLER_ROLE_FINANCE_MAKER, "chen.jie")
        checker = await world.party(directory.CALLER_ROLE_FINANCE_CHECKER, "wang.fang")
        variables = {
            "EXCHANGE_DATABASE_URL": server.url,
            "OPERATOR": treasury.setter.secret,
            "MAKER": maker.secret,
            "CHECKER": checker.secret,
        }

        for command, shown in conversations(PAGE):
            if match := re.search(r"import-status (\S+)", command):
                answer_as_the_bank(tmp_path, match[1])
            answer = (await typed(command, tmp_path, variables)).strip()
            wanted = ".*".join(map(re.escape, shown.split("…")))
            assert re.fullmatch(wanted, answer, re.DOTALL), f"{command}\n{answer}"
            if match := re.search(r"--digest ([0-9a-f]{12})", answer):
                variables["DIGEST"] = match[1]
