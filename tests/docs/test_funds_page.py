"""The page of funds is typed as it stands: every command on it, in its order, answers what the page shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.contract.settled import finance_of, move_period_a
from tests.docs.pages import ROOT, blocks
from tests.docs.test_payments_page import conversations, typed
from tests.servers import a_server
from tests.worlds import a_world

PAGE = ROOT / "docs" / "funds.md"


@pytest.mark.timeout(400)
async def test_every_command_answers_as_the_page_shows(database_url: str, tmp_path: Path) -> None:
    """The rulebook's period A is closed and netted; two people book money and agree on terms."""
    (tmp_path / "funds_terms.yaml").write_text("".join(blocks(PAGE, "yaml")), encoding="utf-8")
    async with a_server(database_url) as server, a_world(server.address, server.operator_secret) as world:
        finance = await finance_of(world)
        await move_period_a(finance)
        await finance.close("windows/1")
        await finance.start("windows/1")
        variables = {
            "EXCHANGE_DATABASE_URL": server.url,
            "MAKER": finance.maker.secret,
            "CHECKER": finance.checker.secret,
        }

        for command, shown in conversations(PAGE):
            answer = (await typed(command, tmp_path, variables)).strip()
            wanted = ".*".join(map(re.escape, shown.split("…")))
            assert not shown or re.fullmatch(wanted, answer, re.DOTALL), f"{command}\n{answer}"
            if answer.startswith('{"proposal"'):
                told = json.loads(answer)
                variables |= {"PROPOSAL": told["proposal"], "DIGEST": told["digest"]}
