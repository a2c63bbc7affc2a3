"""The audit finds what somebody touched up behind the exchange's back, check by check, and says so to the shell."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from exchange.ledger.audit import CHECKS
from exchange.sandbox.processes import answer_of, environment
from tests.integration.ledger.audited import found_after, found_by, post_of_everything
from tests.integration.ledger.ledgers import Ledger, a_server_on, owner_of
from tests.integration.ledger.months import job, next_month
from tests.unit.rules.rulebook import convert, earn

NEWEST = "(SELECT transfer_id FROM exchange.transfers ORDER BY ledger_sequence DESC LIMIT 1)"
CONVERSIONS = "(SELECT transfer_id FROM exchange.transfers WHERE kind = 4)"
ONE_MORE = "closing_available_units = closing_available_units + 1, credited_units = credited_units + 1"
FIRST_MONTH = "(SELECT min(month) FROM exchange.statement_runs)"

MADE_UP = """
INSERT INTO exchange.retirements (retirement_no, part_name, from_id, to_id, began_at, began_by, transfers,
    last_sequence, last_window_no, last_occurred_at, before_digest, digest)
SELECT 1, part_name, exchange.id_at('1970-01-01'), to_id, now(), 'nobody', 1, 1, 1, now(), '', 'made up'
FROM exchange.ledger_parts WHERE from_id IS NULL
"""

TOUCHED_UP: list[tuple[str, str]] = [
    (
        "what was closed holds nothing, and nothing moved since but its end",
        "UPDATE exchange.accounts SET is_closed = true",
    ),
    ("legs of each transfer balance in each currency", "UPDATE exchange.transfers SET legs[1].units = 1000"),
    ("every transfer moves something, by positive amounts", "UPDATE exchange.transfers SET legs = '{}'"),
    ("every transfer moves something, by positive amounts", "UPDATE exchange.transfers SET legs[1].units = -1"),
    # No check fails for the least number there is, which has no opposite.
    (
        "every transfer moves something, by positive amounts",
        "UPDATE exchange.transfers SET legs[1].units = -9223372036854775808",
    ),
    ("every transfer moves something, by positive amounts", "UPDATE exchange.transfers SET obligations[1].micros = 0"),
    (
        "every transfer moves something, by positive amounts",
        "UPDATE exchange.transfers SET obligations[1].debtor_no = obligations[1].creditor_no WHERE kind = 4",
    ),
    (
        "balances, holds and overdrafts equal the sum of their entries",
        "UPDATE exchange.accounts SET available_units = available_units + 1",
    ),
    (
        "balances, holds and overdrafts equal the sum of their entries",
        "DELETE FROM exchange.accounts WHERE available_units > 0",
    ),
    ("balances, holds and overdrafts equal the sum of their entries", "UPDATE exchange.accounts SET held_units = 1"),
    ("balances and holds equal the sum of their lots", "DELETE FROM exchange.lots WHERE remaining_units > 0"),
    ("balances and holds equal the sum of their lots", "UPDATE exchange.lots SET held_units = held_units + 1"),
    ("no account is below its floor", "UPDATE exchange.accounts SET available_units = -1"),
    (
        "each account's entries are numbered 1, 2, 3 … without a gap",
        "UPDATE exchange.accounts SET last_sequence = last_sequence + 1",
    ),
    (
        "each account's entries are numbered 1, 2, 3 … without a gap",
        f"DELETE FROM exchange.transfers WHERE transfer_id = {NEWEST}",
    ),
    (
        "each account's entries are numbered 1, 2, 3 … without a gap",
        "UPDATE exchange.transfers SET legs[1].account_sequence = NULL",
    ),
    (
        "an account's later entries stand later in the ledger",
        f"UPDATE exchange.transfers SET ledger_sequence = 1 WHERE transfer_id = {NEWEST}",
    ),
    ("no two transfers stand in one place of the ledger", "UPDATE exchange.transfers SET ledger_sequence = 5"),
    ("lots equal what went into and out of them", "UPDATE exchange.lots SET units = units + 1"),
    ("lots equal what went into and out of them", "UPDATE exchange.lots SET is_open = NOT is_open"),
    (
        "what follows a transfer never exceeds it",
        "UPDATE exchange.follow_ups SET done_units = 1000",
    ),
    (
        "window totals equal a recount of their obligations",
        "UPDATE exchange.window_totals SET micros = micros + 1 WHERE kind = 1",
    ),
    ("what follows a transfer never exceeds it", "UPDATE exchange.follow_ups SET returned_minor = 121"),
    (
        "points that ended unused are those that lots lost by ending",
        "INSERT INTO exchange.unused_points SELECT bucket, lot_id, 1 FROM exchange.lots",
    ),
    (
        "idle accounts end so many days after what was last done with them",
        "INSERT INTO exchange.account_ends SELECT bucket, member_id, currency_no, now(), true FROM exchange.accounts",
    ),
    (
        "what is carried is what the latest spend or its reversal left",
        "UPDATE exchange.spend_carries SET carried_minor = carried_minor + 1",
    ),
    ("window totals equal a recount of their obligations", "DELETE FROM exchange.window_totals WHERE kind = 4"),
    ("window totals equal a recount of their obligations", "UPDATE exchange.transfers SET obligations[1].micros = 7"),
    ("priced obligations are points times price", "UPDATE exchange.transfers SET obligations[1].price_micros = 1"),
    (
        "every transfer is in a window, and no closed window was posted to",
        f"UPDATE exchange.transfers SET window_no = 99 WHERE transfer_id = {NEWEST}",
    ),
    (
        "every transfer is in a window, and no closed window was posted to",
        f"UPDATE exchange.transfers SET window_no = 1 WHERE transfer_id = {NEWEST}",
    ),
    (
        "every transfer lies where its window does",
        "UPDATE exchange.clearing_windows SET first_sequence = first_sequence + 1000000 WHERE window_no = 2",
    ),
    ("windows follow one another without a gap", "UPDATE exchange.clearing_windows SET opened_at = now()"),
    (
        "each transfer answers exactly one request, and each answered request its transfer",
        "DELETE FROM exchange.request_keys",
    ),
    (
        "each transfer answers exactly one request, and each answered request its transfer",
        f"DELETE FROM exchange.transfers WHERE transfer_id = {NEWEST}",
    ),
    (
        "a quote is used once, in time, for what it promised",
        f"UPDATE exchange.quote_uses SET transfer_id = {NEWEST} WHERE transfer_id IN {CONVERSIONS}",
    ),
    (
        "a quote is used once, in time, for what it promised",
        "UPDATE exchange.quotes SET used_units = used_units + 1",
    ),
    (
        "a quote is used once, in time, for what it promised",
        "UPDATE exchange.quotes SET created_at = created_at - interval '9 days', expires_at = created_at",
    ),
    (
        "each month's statement opens as the one before closed",
        f"UPDATE exchange.member_statements SET {ONE_MORE} WHERE month = {FIRST_MONTH}",
    ),
    (
        "the newest month's statements are what was posted",
        f"UPDATE exchange.member_statements SET {ONE_MORE}",
    ),
    ("the newest month's statements are what was posted", "UPDATE exchange.member_statements SET entries = 0"),
    (
        "the newest month's statements are what was posted",
        "DELETE FROM exchange.member_statements WHERE month = (SELECT max(month) FROM exchange.member_statements)",
    ),
    ("points in circulation equal what members hold", "UPDATE exchange.accounts SET held_units = 1"),
    (
        "promotions' budgets equal a recount of their bonuses, and none is passed",
        "UPDATE exchange.promotion_budgets SET used_units = used_units + 1",
    ),
    (
        "promotions' budgets equal a recount of their bonuses, and none is passed",
        "UPDATE exchange.bonus_entries SET given_units = 500 WHERE given_units > 0",
    ),
    (
        "promotions' budgets equal a recount of their bonuses, and none is passed",
        "DELETE FROM exchange.promotion_budgets",
    ),
    (
        "members' shares of promotions equal a recount of their bonuses, and no cap is passed",
        "UPDATE exchange.promotion_members SET used_units = used_units + 1",
    ),
    (
        "members' shares of promotions equal a recount of their bonuses, and no cap is passed",
        "UPDATE exchange.promotions SET member_cap_units = 1",
    ),
    (
        "members' shares of promotions equal a recount of their bonuses, and no cap is passed",
        "DELETE FROM exchange.promotion_members",
    ),
    (
        "each bonus is a lot of the transfer that gave it, and each further lot of a transfer is a bonus",
        "UPDATE exchange.bonus_entries SET lot_id = transfer_id",
    ),
    (
        "each bonus is a lot of the transfer that gave it, and each further lot of a transfer is a bonus",
        "DELETE FROM exchange.bonus_entries",
    ),
    (
        "bonuses are taken back by reversals of what gave them, and never more than was given",
        "UPDATE exchange.bonus_entries SET returned_units = 500 WHERE returned_units > 0",
    ),
    (
        "bonuses are taken back by reversals of what gave them, and never more than was given",
        "UPDATE exchange.transfers SET original_id = transfer_id WHERE kind = 10",
    ),
    ("sponsors owe their shares of the bonuses", "UPDATE exchange.promotion_sponsors SET share_bps = share_bps / 2"),
    (
        "sponsors owe their shares of the bonuses",
        "UPDATE exchange.transfers SET obligations[2].kind = 1 WHERE obligations[2].kind = 100",
    ),
    (
        "what capped merchants owe equals a recount of obligations, discharges and holds",
        "INSERT INTO exchange.exposures SELECT min(merchant_no), 'CNY', 1, 1, 1, 1 FROM exchange.merchants",
    ),
    (
        "each conversion with an issuer's own ledger was begun by its transfer, and has its one instruction",
        "DELETE FROM exchange.external_instructions",
    ),
    (
        "each conversion with an issuer's own ledger was begun by its transfer, and has its one instruction",
        "DELETE FROM exchange.external_conversions",
    ),
    (
        "each conversion with an issuer's own ledger was begun by its transfer, and has its one instruction",
        "UPDATE exchange.external_conversions SET used_units = used_units + 1",
    ),
    (
        "each such conversion that ended did so by one transfer, as its issuer answered, for what was fixed",
        "UPDATE exchange.external_conversions SET answer = 3 - answer",
    ),
    (
        "each such conversion that ended did so by one transfer, as its issuer answered, for what was fixed",
        "UPDATE exchange.external_conversions SET transfer_id = NULL, ended_at = NULL",
    ),
    (
        "each such conversion that ended did so by one transfer, as its issuer answered, for what was fixed",
        "UPDATE exchange.external_conversions SET received_units = received_units + 1",
    ),
    (
        "what is owed for such conversions is what was fixed when they were begun",
        "UPDATE exchange.external_conversions SET in_price_micros = in_price_micros + 1",
    ),
    (
        "what is owed for such conversions is what was fixed when they were begun",
        "UPDATE exchange.transfers SET obligations = '{}' WHERE kind = 151",
    ),
    (
        "no points move here of a currency that its issuer keeps",
        "INSERT INTO exchange.external_ledgers SELECT currency_no, 1, '2000-01-01' FROM exchange.prices LIMIT 1",
    ),
    (
        "a quote used with an issuer's own ledger is what was fixed",
        "UPDATE exchange.external_conversions SET fee_micros = fee_micros + 1",
    ),
    ("checkpoints of what has left the ledger are as they were made, each on top of the one before", MADE_UP),
    ("requests whose transfers have left the ledger, and lots those made, are as they were", MADE_UP),
    (
        "partitions of the ledger follow one another without a gap, and only those have left that are retired",
        "DELETE FROM exchange.ledger_parts WHERE from_id IS NULL",
    ),
]


@pytest.fixture(scope="module")
async def posted(databases: Any, founded: str) -> AsyncIterator[Ledger]:
    """A ledger of two windows with every kind of movement of the spine; nobody posts to it any more."""
    name = await databases.clone(founded)
    async with a_server_on(databases.url_of(name)) as ledger:
        ada = await post_of_everything(ledger)
        await ledger.post(convert("1 BNK", "OUT", by="BNK", member_id=ada))
        for _ in range(2):
            await job(ledger).make(await next_month(ledger))
            await ledger.post(earn("1 TEL", "GRO", member_id=ada))
        yield ledger
    await databases.drop(name)


async def test_an_untouched_ledger_is_found_to_be_in_order(posted: Ledger) -> None:
    """By every single check."""
    async with owner_of(posted.url) as connection:
        assert await found_by(connection) == set()


@pytest.mark.parametrize(("check", "statement"), TOUCHED_UP, ids=[statement for _, statement in TOUCHED_UP])
async def test_what_was_touched_up_is_found(posted: Ledger, check: str, statement: str) -> None:
    """Done by the database's owner, whom no permission stops; undone again when it was found."""
    assert check in await found_after(posted, statement)


def test_every_check_is_seen_to_find_something() -> None:
    """One that finds nothing whatever happens is no check."""
    assert {check for check, _ in TOUCHED_UP} == set(CHECKS)


async def test_the_command_tells_the_shell_what_it_found(posted: Ledger) -> None:
    """0 when all is well; 1, the check and the first differing figures when not; and halts and resumes when told to."""
    environ = environment(database_url=posted.url)
    async with owner_of(posted.url) as connection:
        await connection.execute("UPDATE exchange.accounts SET available_units = available_units + 1")
        wrong = await answer_of(("audit", "--json", "--halt"), environ)
        halted = await connection.fetchval("SELECT halted_at IS NOT NULL FROM exchange.coalition")
        await connection.execute("UPDATE exchange.accounts SET available_units = available_units - 1")
        right = await answer_of(("audit", "--json", "--resume"), environ)
        resumed = await connection.fetchval("SELECT halted_at IS NULL FROM exchange.coalition")

    assert (wrong[0], right[0]) == (1, 0), wrong[2] + right[2]
    report = json.loads(wrong[1])
    assert report["ok"] is False
    entries = next(one for one in report["checks"] if one["check"].startswith("balances, holds and overdrafts equal"))
    assert {"kept", "recomputed"} <= entries["differences"][0].keys()
    assert json.loads(right[1])["ok"] is True
    assert (halted, resumed) == (True, True)
