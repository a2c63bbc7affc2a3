"""Statements proven from files alone, by the program as a merchant has it; and a ledger that was changed found out."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exchange.db.engine import Database
from settlement.proofs import offline
from settlement.proofs.service import LedgerDiffers, Proofs
from tests.contract.paid import Treasury
from tests.contract.stillness import connected
from tests.integration.settlement.stopping import stopped
from tests.integration.settlement.test_commands import settlement
from tests.servers import Server

MERCHANTS = ("AIR", "BNK", "CAF", "GRO", "TEL")
ADD = """
INSERT INTO settlement.window_heads
SELECT $1, closed, $2, items + $3, items_root, pairs, pairs_root, encode(sha256(convert_to(concat_ws('|',
       'windows/' || $1::bigint, closed, $2::text, items + $3::bigint, items_root, pairs, pairs_root), 'UTF8')), 'hex'),
       now()
FROM settlement.window_heads WHERE window_no = 1
"""


async def told_of(folder: Path, statement: str, proof: str, head: str) -> tuple[int | None, str]:
    """What the program says, copied to where nothing of the project is."""
    program = shutil.copy(offline.__file__, folder)
    words = (sys.executable, "-I", program, f"{folder}/{statement}", f"{folder}/{proof}", head)
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE, cwd=folder)
    output, _ = await process.communicate()
    return process.returncode, output.decode()


@pytest.mark.timeout(400)
async def test_a_merchant_proves_its_statement_without_the_ledger(
    server: Server, treasury: Treasury, tmp_path: Path
) -> None:
    """Of a window and the one after it, with the head of each; another window's head proves nothing."""
    cast, ada = treasury.finance.cast, treasury.finance.member
    await treasury.approved()
    await cast.gro.earn(ada, "777 TEL")
    await treasury.finance.close("windows/2")
    await treasury.finance.start("windows/2", minimum_minor_units={"CNY": 10_000})
    heads = [(await settlement(server, "head", str(number), "--json")).document for number in (2, 1)]
    for number in ("1", "2"):
        words = ("statement", number, "GRO", "--format", "json", "--proof", "--into", str(tmp_path))
        assert (await settlement(server, *words)).status == 0

    first, second = [
        await told_of(tmp_path, f"W{n}-GRO-merchant-statement.json", f"W{n}-GRO-proof.json", head["head"])
        for n, head in ((1, heads[1]), (2, heads[0]))
    ]
    mixed = await told_of(tmp_path, "W1-GRO-merchant-statement.json", "W1-GRO-proof.json", heads[0]["head"])

    assert first == (0, "true: GRO in windows/1, 3 obligations\n")
    assert second == (0, "true: GRO in windows/2, 1 obligations\n")
    assert mixed[0] == 1
    assert heads[0]["previous"] == heads[1]["head"]
    assert heads[1]["previous"] == offline.FIRST


def _line(statement: Any, name: str) -> Any:
    return next(line for line in statement["lines"] if line["line"] == name)


def _move_below(statement: Any, name: str) -> None:
    """What it says stays, and is no part of the total, the net and what is paid any more."""
    moved = _line(statement, name)
    statement["lines"].remove(moved)
    for line in ("total", "net", "paid"):
        figures = _line(statement, line)
        net = figures["receivable"] - figures["payable"] - moved["receivable"] + moved["payable"]
        figures.update(receivable=max(net, 0), payable=max(-net, 0))
    total = _line(statement, "total")
    above = statement["lines"][: statement["lines"].index(total)]
    total.update({side: sum(line[side] for line in above) for side in ("receivable", "payable")})
    statement["lines"].append(moved)


def _first(statement: Any, table: str, **more: int) -> None:
    """A table's first row says so much more."""
    row = statement[table][0]
    row.update({figure: row[figure] + amount for figure, amount in more.items()})


def _again(rows: Any) -> None:
    """The last row stands there twice."""
    rows.append(dict(rows[-1]))


def _swapped(rows: Any, key: str) -> None:
    """The first two rows change names: their sums stay."""
    rows[0][key], rows[1][key] = rows[1][key], rows[0][key]


def _turned(payment: Any) -> None:
    payment["payer"], payment["payee"] = payment["payee"], payment["payer"]


def _forget(part: Any) -> None:
    del part["leaves"][0]


def _holds(statement: Any, proof: Any, head: str) -> bool:
    try:
        offline.check(statement, proof, head)
    except (offline.Untrue, KeyError, ValueError):
        return False
    return True


CHANGES: dict[str, Callable[[Any, Any], object]] = {
    "a line of less": lambda statement, _: _line(statement, "earn").update(payable=1, payable_micros=10_000),
    "another net": lambda statement, _: _line(statement, "net").update(payable=1),
    "another total": lambda statement, _: _line(statement, "total").update(payable=1),
    "paid less": lambda statement, _: _line(statement, "paid").update(payable=1),
    "a line left out": lambda statement, _: statement["lines"].remove(_line(statement, "discount")),
    "a line told again, of nothing": lambda statement, _: statement["lines"].append(_line(statement, "net").copy()),
    "a line below the total": lambda statement, _: _move_below(statement, "discount"),
    "another side left out": lambda statement, _: statement["counterparties"].pop(),
    "another side told twice": lambda statement, _: _again(statement["counterparties"]),
    "more of another side": lambda statement, _: _first(statement, "counterparties", receivable=1),
    "what is owed, by somebody else": lambda statement, _: _swapped(statement["counterparties"], "counterparty"),
    "more held": lambda statement, _: _first(statement, "counterparties", held=1),
    "items of another side": lambda statement, _: _first(statement, "counterparties", obligations=1),
    "a payment left out": lambda statement, _: statement["payments"].pop(),
    "a payment told twice": lambda statement, _: _again(statement["payments"]),
    "a larger payment": lambda statement, _: _first(statement, "payments", amount=1),
    "a payment the other way": lambda statement, _: _turned(statement["payments"][0]),
    "a payment of others": lambda statement, _: statement["payments"][0].update(payer="CAF"),
    "a payment in money without lines": lambda statement, _: statement["payments"][0].update(currency="USD"),
    "of another merchant": lambda statement, _: statement["about"].update(participant="TEL"),
    "of another window": lambda statement, _: statement["about"].update(window="windows/2"),
    "an obligation left out": lambda _, proof: _forget(proof["items"]),
    "a pair left out": lambda _, proof: _forget(proof["pairs"]),
    "another amount": lambda _, proof: proof["items"]["leaves"][0].__setitem__(1, "1|2|3"),
    "another root": lambda _, proof: proof["head"].update(items_root=offline.FIRST),
    "no hash": lambda _, proof: proof["items"].update(hashes=[]),
    "no statement": lambda statement, _: statement.clear(),
}


async def test_what_was_changed_in_a_file_is_not_true(server: Server, treasury: Treasury, tmp_path: Path) -> None:
    """Whatever it is: a figure, a line, an obligation, whose it is."""
    await treasury.approved()
    words = ("statement", "1", "GRO", "--format", "json", "--proof", "--into", str(tmp_path))
    assert (await settlement(server, *words)).status == 0
    statement, proof = (
        json.loads((tmp_path / f"W1-GRO-{name}.json").read_text(encoding="utf-8"))
        for name in ("merchant-statement", "proof")
    )
    head = proof["head"]["head"]

    assert offline.check(statement, proof, head) == 3
    for what, change in CHANGES.items():
        other, prover = json.loads(json.dumps([statement, proof]))
        change(other, prover)
        assert not _holds(other, prover, head), what


@pytest.mark.usefixtures("treasury")
async def test_every_side_of_every_pair_is_told_the_same(server: Server) -> None:
    """Each pair's leaf stands in the proofs of its two parties and of nobody else; makers of heads at once make one."""
    database = Database(server.url)
    books = [Proofs(database) for _ in range(3)]
    heads = await asyncio.gather(*(book.commit(1) for book in books))
    proofs = {name: json.loads(await books[0].proof(1, name)) for name in MERCHANTS}
    again = {name: json.loads(await Proofs(database).proof(1, name)) for name in MERCHANTS}
    await database.dispose()

    assert len({one.head for one in heads}) == 1
    assert proofs == again
    seen = [tuple(leaf) for proof in proofs.values() for leaf in proof["pairs"]["leaves"]]
    assert len(seen) == 2 * heads[0].pairs == 2 * len(set(seen))
    assert all(name in leaf for name, proof in proofs.items() for _, leaf in proof["items"]["leaves"])


async def test_a_ledger_that_was_changed_proves_nothing_any_more(server: Server, treasury: Treasury) -> None:
    """Somebody with all rights moves one obligation in time after the head was made: it is said."""
    await treasury.approved()
    database = Database(server.url)
    await Proofs(database).commit(1)
    async with connected(server.url) as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(
            "UPDATE exchange.transfers SET occurred_at = occurred_at - interval '1 second'"
            " WHERE ledger_sequence = (SELECT min(ledger_sequence) FROM exchange.transfers WHERE obligations <> '{}')"
        )
    with pytest.raises(LedgerDiffers):
        await Proofs(database).proof(1, "TEL")
    await database.dispose()
    said = await settlement(server, "statement", "1", "TEL", "--proof", "--json")

    assert said.status == 2
    assert "windows/1 is not what its head commits to" in said.errors


async def test_heads_follow_one_another_and_never_change(server: Server, treasury: Treasury) -> None:
    """Held by the database against whoever writes as the server does."""
    database = Database(server.url)
    head = await Proofs(database).commit(1)
    await treasury.finance.close("windows/2")
    await treasury.finance.close("windows/3")
    await database.dispose()

    for window, previous in ((2, offline.FIRST), (3, head.head), (4, head.head), (1, offline.FIRST)):
        assert await stopped(server, ADD, window, previous, 0)
    assert await stopped(server, ADD, 2, head.head, 1)
    for statement in ("UPDATE settlement.window_heads SET items = 0", "DELETE FROM settlement.window_heads"):
        assert await stopped(server, statement)
