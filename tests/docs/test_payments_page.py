"""The page of payments is typed as it stands: every command on it, in its order, answers what the page shows."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from exchange.v1 import directory_service_pb2 as directory
from tests.banks import Booking, debit, orders, statement
from tests.contract.settled import finance_of
from tests.docs.pages import ROOT, blocks
from tests.servers import a_server
from tests.worlds import a_world

PAGE = ROOT / "docs" / "payments.md"


async def typed(command: str, folder: Path, variables: dict[str, str]) -> str:
    """What a line of the page answers in a shell."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("EXCHANGE_", "SETTLE"))}
    environment |= {"COLUMNS": "160", "PYTHONPATH": str(ROOT)} | variables
    line = command.replace("python -m", f"{sys.executable} -m")
    process = await asyncio.create_subprocess_shell(line, cwd=folder, env=environment, stdout=PIPE, stderr=PIPE)
    output, errors = await process.communicate()
    assert not errors, f"{command}: {errors.decode()}"
    return output.decode()


def answer_as_the_bank(folder: Path) -> None:
    """Put a statement beside the payment file: everything booked, and a fee that nobody ordered."""
    (file,) = folder.glob("*.xml")
    told = [debit(order) for order in orders(file.read_bytes())]
    fee = Booking("6222001", "DBIT", "25.00", reference="FEE")
    (folder / "statement.xml").write_bytes(statement(*told, fee))


def conversations(page: Path = PAGE) -> list[tuple[str, str]]:
    """(command, what the page shows of its answer) in the order of the page."""
    text = "".join(blocks(page, "console"))
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    return [(part.partition("\n")[0], part.partition("\n")[2].strip()) for part in parts]


@pytest.mark.timeout(400)
async def test_every_command_answers_as_the_page_shows(database_url: str, tmp_path: Path) -> None:
    """One window: 500 points awarded; four people set accounts, export, import, look, try again."""
    async with a_server(database_url) as server, a_world(server.address, server.operator_secret) as world:
        finance = await finance_of(world)
        await finance.cast.gro.earn(finance.member, "500 TEL")
        await finance.close("windows/1")
        run = await finance.approve(await finance.submit((await finance.start("windows/1")).run))
        setter = await world.party(directory.CALLER_ROLE_OPERATOR)
        payer = await world.party(directory.CALLER_ROLE_FINANCE_MAKER)
        variables = {
            "EXCHANGE_DATABASE_URL": server.url,
            "OPERATOR": setter.secret,
            "MAKER": finance.maker.secret,
            "CHECKER": finance.checker.secret,
            "PAYER": payer.secret,
            "DIGEST": run.result_digest,
        }

        for command, shown in conversations():
            if "import-status" in command:
                answer_as_the_bank(tmp_path)
            answer = (await typed(command, tmp_path, variables)).strip()
            wanted = ".*".join(map(re.escape, shown.split("…")))
            assert not shown or re.fullmatch(wanted, answer, re.DOTALL), f"{command}\n{answer}"
