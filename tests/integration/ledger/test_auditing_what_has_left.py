"""The audit of a ledger some of which has left begins with the checkpoint, and sees both sides of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from exchange.ledger.audit import CHECKS
from tests.integration.ledger.audited import found_after, found_by, post_of_everything
from tests.integration.ledger.ledgers import Ledger, a_server_on, owner_of
from tests.integration.ledger.retiring import cut, done_with, retired
from tests.unit.rules.rulebook import earn

CHECKPOINTS = "checkpoints of what has left the ledger are as they were made, each on top of the one before"
BESIDE = "requests whose transfers have left the ledger, and lots those made, are as they were"
BALANCES = "balances, holds and overdrafts equal the sum of their entries"

TOUCHED_UP: list[tuple[str, str]] = [
    (BALANCES, "UPDATE exchange.accounts SET available_units = available_units + 1"),
    (BALANCES, "UPDATE exchange.retired_accounts SET available_units = available_units + 1"),
    (CHECKPOINTS, "UPDATE exchange.retired_accounts SET available_units = available_units + 1"),
    (CHECKPOINTS, "DELETE FROM exchange.retired_lots"),
    (CHECKPOINTS, "UPDATE exchange.retired_pairs SET micros = micros + 1"),
    (CHECKPOINTS, "UPDATE exchange.retired_carries SET carried_minor = carried_minor + 1"),
    (CHECKPOINTS, "UPDATE exchange.retired_buckets SET rows_digest = sha256('')"),
    ("lots equal what went into and out of them", "DELETE FROM exchange.retired_lots WHERE remaining_units > 0"),
    ("window totals equal a recount of their obligations", "UPDATE exchange.retired_pairs SET micros = micros + 1"),
    ("window totals equal a recount of their obligations", "DELETE FROM exchange.window_totals WHERE window_no = 1"),
    (
        "what is carried is what the latest spend or its reversal left",
        "UPDATE exchange.spend_carries SET carried_minor = carried_minor + 1",
    ),
    (
        "points in circulation equal what members hold",
        "UPDATE exchange.retired_currencies SET circulating_units = circulating_units + 1",
    ),
    (
        "the newest month's statements are what was posted",
        "UPDATE exchange.retired_accounts SET held_units = held_units + 1",
    ),
    (
        "each account's entries are numbered 1, 2, 3 … without a gap",
        "UPDATE exchange.retired_accounts SET entries = entries - 1",
    ),
    (BESIDE, "DELETE FROM exchange.request_keys WHERE transfer_id < exchange.retired_to()"),
    (BESIDE, "UPDATE exchange.lots SET price_micros = price_micros + 1 WHERE transfer_id < exchange.retired_to()"),
    (
        "partitions of the ledger follow one another without a gap, and only those have left that are retired",
        "ALTER TABLE exchange.transfers DETACH PARTITION exchange.transfers_first_later",
    ),
]


@pytest.fixture(scope="module")
async def shortened(databases: Any, founded: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ledger]:
    """A ledger of which everything but one transfer has left."""
    name = await databases.clone(founded)
    folder: Path = tmp_path_factory.mktemp("archives")
    async with a_server_on(databases.url_of(name)) as ledger:
        ada = await post_of_everything(ledger)
        await cut(ledger)
        await ledger.post(earn("1 TEL", "GRO", member_id=ada))
        await done_with(ledger)
        await retired(ledger, folder)
        yield ledger
    await databases.drop(name)


async def test_a_ledger_some_of_which_has_left_is_found_to_be_in_order(shortened: Ledger) -> None:
    """By every single check, with next to nothing left of it."""
    assert await shortened.value("SELECT count(*) FROM exchange.transfers") == 1
    async with owner_of(shortened.url) as connection:
        assert await found_by(connection) == set()


@pytest.mark.parametrize(("check", "statement"), TOUCHED_UP, ids=[statement for _, statement in TOUCHED_UP])
async def test_what_was_touched_up_on_either_side_is_found(shortened: Ledger, check: str, statement: str) -> None:
    """Done by the database's owner, whom no permission stops; undone again when it was found."""
    assert check in CHECKS
    assert check in await found_after(shortened, statement)
