"""Evidence of a default: who stood in, whom nobody asks to pay again, and who was repaid, computed again from files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from exchange.db.engine import Database
from settlement.evidence.service import Evidence
from settlement.evidence.verify import verify
from settlement.v1 import funds_pb2 as funds
from tests.banks import debit, statement
from tests.contract.money import demanding, deposit
from tests.contract.paid import Treasury
from tests.contract.recovered import pay_the_others, recovery, rejected, write_off
from tests.contract.test_defaults import COLLATERAL, GUARANTEE, LAYER, default
from tests.integration.settlement.packs import change_cell
from tests.servers import Server


async def written(server: Server, path: Path) -> Path:
    """The pack of the first window as it stands."""
    database = Database(server.url)
    await Evidence(database).write(1, path)
    await database.dispose()
    return path


def _one_more(text: str) -> str:
    return str(int(text) + 1)


def _less_taken(text: str) -> str:
    said = json.loads(text)
    said["currencies"][0]["takes"][-1]["taken"] -= 1
    said["currencies"][0]["open"] += 1
    return json.dumps(said)


def _another_loss(text: str) -> str:
    said = json.loads(text)
    said["losses"][0]["participant"] = "TEL"
    return json.dumps(said)


TAMPERED: dict[tuple[str, str], Callable[[str], str]] = {
    ("defaults.csv", "content"): _less_taken,
    ("defaults.csv", "participant"): lambda _: "TEL",
    ("defaulted_payments.csv", "minor_units"): _one_more,
    ("recoveries.csv", "minor_units"): _one_more,
    ("recoveries.csv", "reference"): lambda _: "BACK-9",
    ("write_offs.csv", "minor_units"): _one_more,
    ("write_offs.csv", "content"): _another_loss,
    ("default_postings.csv", "minor_units"): _one_more,
    ("default_postings.csv", "credit_participant"): lambda _: "TEL",
}


def _another_share(text: str) -> str:
    said = json.loads(text)
    said["currencies"][0]["reductions"][0]["minor_units"] += 1
    return json.dumps(said)


@pytest.mark.timeout(300)
async def test_payments_that_became_smaller_have_their_evidence(
    server: Server, treasury: Treasury, tmp_path: Path
) -> None:
    """The file of the first attempts asks for all of them, that of the next for less; both are made again."""
    finance = treasury.finance
    await finance.agree(demanding(funds.LIQUIDITY_DEMAND_SHOW, residual=funds.RESIDUAL_LOSS_CREDITORS))
    await finance.agree(deposit("OPR", LAYER, 50_000))
    run, ordered = await treasury.instructed()
    await treasury.record(rejected(ordered["GRO", "OPR"]))
    await treasury.record(rejected(ordered["OPR", "AIR"]))
    paid = [order for pair, order in ordered.items() if pair not in {("GRO", "OPR"), ("OPR", "AIR")}]
    await treasury.record(statement(*(debit(order) for order in paid)))
    await finance.agree(default())
    (again,) = await treasury.retry(run)
    await treasury.record(statement(*(debit(order) for order in (await treasury.ordered(again)).values())))
    await finance.agree(recovery(21_655 + 100, "BACK-1"))

    pack = await written(server, tmp_path / "less")
    found = verify(pack)
    change_cell(pack, "defaults.csv", 2, "content", _another_share)
    changed = verify(pack)

    assert list(found.differences) == []
    assert json.loads((pack / "manifest.json").read_bytes())["state"] == "SETTLED"
    assert again.control_sum_minor_units == 30_100 - 21_655
    assert {"defaults.csv", "files.csv"} <= {difference.part for difference in changed.differences}


@pytest.mark.timeout(300)
async def test_a_default_and_what_came_back_have_their_evidence(
    server: Server, treasury: Treasury, tmp_path: Path
) -> None:
    """Identical before and after the recovery; whatever is changed in them is named, also by who seals again."""
    finance = treasury.finance
    for name, purpose, amount in (("GRO", COLLATERAL, 10_000), ("OPR", LAYER, 10_000), ("AIR", GUARANTEE, 20_000)):
        await finance.agree(deposit(name, purpose, amount))
    _, ordered = await treasury.instructed()
    await treasury.record(rejected(ordered["GRO", "OPR"]))
    await finance.agree(default())
    await pay_the_others(treasury, ordered)
    uncovered = verify(await written(server, tmp_path / "uncovered"))

    await finance.agree(write_off(20_000))
    await finance.agree(recovery(31_655 + 5_000, "BACK-1"))
    await finance.agree(recovery(6_000, "BACK-2"))
    pack = await written(server, tmp_path / "covered")
    covered = verify(pack)

    assert (list(uncovered.differences), list(covered.differences)) == ([], [])
    manifests = [json.loads((tmp_path / name / "manifest.json").read_bytes()) for name in ("uncovered", "covered")]
    assert [one["state"] for one in manifests] == ["PARTIALLY_SETTLED", "SETTLED"]
    for (part, column), change in TAMPERED.items():
        copy = tmp_path / "copy"
        shutil.copytree(pack, copy)
        change_cell(copy, part, 2, column, change)
        named = {difference.part for difference in verify(copy).differences}
        assert named & {part, "defaults.csv"}, (part, column)
        shutil.rmtree(copy)
