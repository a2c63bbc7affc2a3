"""What happened cannot be touched up by whoever serves requests, is seen whole or not at all, and fits in 64 bits."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from exchange.ledger import reads
from exchange.ledger.windows import close_window
from exchange.money.limits import INT64_MAX
from tests.integration.ledger.ledgers import OPERATOR, PRICES, Ledger, owner_of, reasons
from tests.unit.rules.rulebook import convert, earn, redeem

FORBIDDEN = {
    "change a transfer": "UPDATE exchange.transfers SET member_id = member_id",
    "change what a transfer left owing": "UPDATE exchange.transfers SET obligations = '{}'",
    "take a transfer away": "DELETE FROM exchange.transfers",
    "empty the transfers": "TRUNCATE exchange.transfers",
    "change an answer": "UPDATE exchange.request_keys SET refusal = refusal",
    "free a key": "DELETE FROM exchange.request_keys",
    "enlarge a lot": "UPDATE exchange.lots SET units = units + 1",
    "change what a lot cost": "UPDATE exchange.lots SET price_micros = 0",
    "change who paid for a lot": "UPDATE exchange.lots SET funder_no = 1",
    "change when a lot ends": "UPDATE exchange.lots SET expires_at = NULL",
    "give a lot to somebody else": "UPDATE exchange.lots SET member_id = member_id",
    "take a lot away": "DELETE FROM exchange.lots",
    "give an account to somebody else": "UPDATE exchange.accounts SET member_id = member_id",
    "make an account one of another currency": "UPDATE exchange.accounts SET currency_no = currency_no",
    "take an account away": "DELETE FROM exchange.accounts",
    "renumber a window": "UPDATE exchange.clearing_windows SET window_no = window_no",
    "change when a window began": "UPDATE exchange.clearing_windows SET opened_at = opened_at",
    "take a window away": "DELETE FROM exchange.clearing_windows",
    "move totals to another window": "UPDATE exchange.window_totals SET window_no = window_no",
    "move totals to another debtor": "UPDATE exchange.window_totals SET debtor_no = debtor_no",
    "move totals to other money": "UPDATE exchange.window_totals SET currency_code = currency_code",
    "take totals away": "DELETE FROM exchange.window_totals",
    "change a price": "UPDATE exchange.prices SET issue_micros = 0",
    "take a price away": "DELETE FROM exchange.prices",
    "change a published rate": "UPDATE exchange.rates SET target_units = 2",
    "take a rate away": "DELETE FROM exchange.rates",
    "count a day's use for another": "UPDATE exchange.daily_conversions SET day = day",
    "let another transfer have been followed": "UPDATE exchange.follow_ups SET transfer_id = transfer_id",
    "change when a hold lapses": "UPDATE exchange.follow_ups SET lapses_at = NULL",
    "carry another member's spend": "UPDATE exchange.spend_carries SET member_id = member_id",
    "let points of another lot have ended": "UPDATE exchange.unused_points SET lot_id = lot_id",
    "rename a merchant in clearing": "UPDATE exchange.merchants SET merchant_id = merchant_id",
    "give a currency to another issuer": "UPDATE exchange.currencies SET issuer_no = issuer_no",
    "let a currency expire otherwise": "UPDATE exchange.currencies SET expiry_days = 1",
    "let another operate": "UPDATE exchange.coalition SET operator_no = operator_no",
    "change a key's secret": "UPDATE exchange.api_keys SET secret_hash = secret_hash",
    "change whose key it is": "UPDATE exchange.api_keys SET merchant_no = merchant_no",
    "change the log": "UPDATE exchange.audit_log SET actor = 'nobody'",
    "take entries out of the log": "DELETE FROM exchange.audit_log",
    "forget a link": "DELETE FROM exchange.member_links",
    "link a reference to somebody else": "UPDATE exchange.member_links SET member_id = member_id",
    "forget a key's revocation": "DELETE FROM exchange.api_keys",
    "change the tables": "ALTER TABLE exchange.transfers ADD COLUMN note text",
    "drop a table": "DROP TABLE exchange.transfers CASCADE",
}


async def is_forbidden(ledger: Ledger, statement: str) -> bool:
    """Whether the role that serves requests lacks the permission for a statement."""
    try:
        async with ledger.database.write() as connection:
            await connection.execute(text(statement))
    except ProgrammingError as refused:
        return refused.orig is not None and isinstance(refused.orig.__cause__, asyncpg.InsufficientPrivilegeError)
    return False


async def test_a_server_works_under_a_role_of_its_own(ledger: Ledger) -> None:
    """Else the tests below would prove nothing."""
    async with ledger.database.read() as connection:
        assert (await connection.execute(text("SELECT current_user"))).scalar_one() == "exchange_server"


async def test_a_server_cannot_touch_up_history(ledger: Ledger) -> None:
    """Statement by statement: the database itself says no."""
    ada = await ledger.member()
    await ledger.post(earn("60 BNK", "BNK", member_id=ada))
    await ledger.post(convert("60 BNK", "AIR", by="BNK", member_id=ada))

    allowed = [what for what, statement in FORBIDDEN.items() if not await is_forbidden(ledger, statement)]

    assert allowed == []


WINDOWS = {
    "open a window again": """
        UPDATE exchange.clearing_windows SET closed_at = NULL, closed_by = NULL WHERE window_no = 1""",
    "let a window have been closed later": "UPDATE exchange.clearing_windows SET closed_at = now() WHERE window_no = 1",
    "let somebody else have closed it": "UPDATE exchange.clearing_windows SET closed_by = 'x' WHERE window_no = 1",
    "open a window that began earlier": """
        WITH closed AS (UPDATE exchange.clearing_windows SET closed_at = now(), closed_by = 'x' WHERE window_no = 2)
        INSERT INTO exchange.clearing_windows (window_no, opened_at) VALUES (3, now() - interval '1 year')""",
    "add a window that is closed": """
        INSERT INTO exchange.clearing_windows VALUES (3, now(), now(), 'x')""",
    "leave a window out": """
        WITH closed AS (UPDATE exchange.clearing_windows SET closed_at = now(), closed_by = 'x' WHERE window_no = 2)
        INSERT INTO exchange.clearing_windows (window_no, opened_at) VALUES (4, now())""",
}


@pytest.mark.parametrize("statement", WINDOWS.values(), ids=WINDOWS)
async def test_a_closed_window_never_changes_and_the_next_begins_where_it_ends(ledger: Ledger, statement: str) -> None:
    """The role may close the open one and open the next, and that is all."""
    async with ledger.database.write() as connection:
        await close_window(connection, 1, "tests")

    with pytest.raises(IntegrityError, match=r"is closed for ever|does not begin where"):
        async with ledger.database.write() as connection:
            await connection.execute(text(statement))


async def test_points_beyond_64_bits_are_refused(ledger: Ledger) -> None:
    """The balance stands at the very limit, and goes on being usable."""
    ada = await ledger.member()
    free = replace(PRICES["TEL"], issue_micros=0, redeem_micros=0)
    await ledger.api.changes.publish_price(OPERATOR, "TEL", free)
    await ledger.post(earn(f"{INT64_MAX} TEL", "TEL", member_id=ada))

    answers = [await ledger.told(earn("1 TEL", "TEL", member_id=ada))]

    assert reasons(answers) == ["AMOUNT_OVERFLOW"]
    await ledger.post(redeem("5 TEL", "CAF", member_id=ada))
    await ledger.post(earn("5 TEL", "TEL", member_id=ada))
    assert await ledger.balances(ada) == {"TEL": INT64_MAX}


async def test_money_beyond_64_bits_is_refused_and_sums_beyond_them_are_kept(ledger: Ledger) -> None:
    """One obligation must fit; what a window holds in all may be more, and is still exact."""
    ada, ben = await ledger.members(2)
    most = INT64_MAX // 60_000

    answers = [await ledger.told(earn(f"{most + 1} AIR", "GRO", member_id=ada))]
    for member in (ada, ben):
        await ledger.post(earn(f"{most} AIR", "GRO", member_id=member))

    assert reasons(answers) == ["AMOUNT_OVERFLOW"]
    ((_, _, _, _, micros, count),) = await ledger.totals(1)
    assert (micros, count) == (2 * most * 60_000, 2)
    assert 2 * most * 60_000 > INT64_MAX


async def test_nobody_reads_half_a_movement(ledger: Ledger) -> None:
    """Everything is written and only the commit is missing: readers see all of it as it was before."""
    await ledger.publish("2 AIR", "7 TEL", daily_cap=100)
    ada = await ledger.member()
    await ledger.post(earn("40 AIR", "AIR", member_id=ada))
    asked = convert("4 AIR", "TEL", by="AIR", key="k", member_id=ada)

    async with owner_of(ledger.url) as holder, owner_of(ledger.url) as observer:
        # The cap is noted last, by a statement of its own: there the poster stands, with everything else written.
        await holder.execute("BEGIN; LOCK TABLE exchange.daily_conversions IN SHARE MODE")
        posting = asyncio.create_task(ledger.post(asked))
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'relation' AND query LIKE '%daily_conv%'"
        while not await observer.fetchval(waiting):
            await asyncio.sleep(0.01)
        seen = await ledger.balances(ada)
        async with ledger.database.read() as connection:
            answer = await reads.answer_to(connection, asked.merchant_no, "k")
        owed = await ledger.totals(1)
        await holder.execute("COMMIT")
    transfer = (await posting).transfer

    assert (seen, answer, owed) == ({"AIR": 40}, None, [])
    assert await ledger.balances(ada) == {"AIR": 36, "TEL": 14}
    async with ledger.database.read() as connection:
        assert await reads.answer_to(connection, asked.merchant_no, "k") == transfer


async def test_readers_under_load_never_see_points_between_two_currencies(servers: list[Ledger]) -> None:
    """30 BNK become 1 AIR again and again: whoever looks sees the sum unchanged, in balances and in lots."""
    ada = await servers[0].member()
    await servers[0].post(earn("6 000 BNK", "BNK", member_id=ada))
    calls = [
        asyncio.create_task(servers[place % 2].post(convert("30 BNK", "AIR", by="BNK", member_id=ada)))
        for place in range(200)
    ]
    seen: list[tuple[object, ...]] = []

    while not all(call.done() for call in calls):
        async with servers[len(seen) % 2].database.read() as connection:
            points = await connection.execute(
                text(
                    "SELECT sum(available_units * CASE code WHEN 'AIR' THEN 30 ELSE 1 END),"
                    " (SELECT sum(remaining_units * CASE code WHEN 'AIR' THEN 30 ELSE 1 END)"
                    "  FROM exchange.lots JOIN exchange.currencies USING (currency_no)),"
                    " (SELECT count(*) FROM exchange.transfers) - (SELECT count(*) FROM exchange.request_keys)"
                    " FROM exchange.accounts JOIN exchange.currencies USING (currency_no)"
                )
            )
            seen.append(tuple(points.one()))

    await asyncio.gather(*calls)
    assert set(seen) == {(6_000, 6_000, 0)}
    assert await servers[0].balances(ada) == {"BNK": 0, "AIR": 200}


async def test_points_that_have_run_out_are_neither_shown_nor_spent(ledger: Ledger) -> None:
    """To the instant, by the coalition's clock, whether or not their end has been posted yet."""
    ada = await ledger.member()
    ends = await ledger.value("SELECT exchange.coalition_now() + interval '1 hour'")
    await ledger.post(earn("5 TEL", "GRO", expires=ends, member_id=ada))
    await ledger.post(earn("3 TEL", "GRO", member_id=ada))
    assert await ledger.balances(ada) == {"TEL": 8}

    await ledger.api.changes.set_clock(OPERATOR, ends)

    assert await ledger.balances(ada) == {"TEL": 3}
    answers = [await ledger.told(redeem("4 TEL", "CAF", member_id=ada))]
    assert reasons(answers) == ["INSUFFICIENT_POINTS"]
    await ledger.post(redeem("3 TEL", "CAF", member_id=ada))
