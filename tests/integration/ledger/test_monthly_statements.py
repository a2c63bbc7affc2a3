"""Monthly member statements: what they say, how they follow one another, and which movements are in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from exchange.ledger.model import TransferKind
from exchange.statements.model import Month, Standing, Total
from exchange.statements.monthly import MonthNotOver
from exchange.statements.service import Wanted, page
from tests.integration.ledger.ledgers import (
    OPERATOR,
    PRICES,
    Ledger,
)
from tests.integration.ledger.months import job, next_month, statements, this_month, to
from tests.unit.rules.days import hold, release
from tests.unit.rules.rulebook import SHANGHAI, earn, redeem


async def test_a_statement_says_how_a_month_began_what_moved_and_how_it_ended(ledger: Ledger) -> None:
    """By kind of movement, and as its lines do."""
    ada = await ledger.member()
    for units in (100, 20):
        await ledger.post(earn(f"{units} TEL", "GRO", member_id=ada))
    await ledger.post(redeem("15 TEL", "CAF", member_id=ada))
    held = (await ledger.post(hold("30 TEL", member_id=ada))).transfer
    month = await next_month(ledger)
    await ledger.post(release(held))

    made = await job(ledger).make(month)

    (one,) = await statements(ledger, ada)
    assert made == 1
    assert (one.currency, one.month, one.opening) == ("TEL", month.first, Standing())
    assert one.closing == Standing(75, 30, 4)
    assert one.all_kinds == Total(0, 4, 120, 45, 30, 0)
    assert one.totals == [
        Total(TransferKind.EARN, 2, 120, 0, 0, 0),
        Total(TransferKind.REDEEM, 1, 0, 15, 0, 0),
        Total(TransferKind.HOLD, 1, 0, 30, 30, 0),
    ]
    assert (one.begins_at, one.ends_at) == (month.begins(SHANGHAI), month.ends(SHANGHAI))
    async with ledger.database.read() as connection:
        lines = await page(connection, Wanted(ada, one.currency_no, one.begins_at, one.ends_at), None, 100)
    assert (lines.opening, lines.closing, len(lines.lines)) == (one.opening, one.closing, 4)


async def test_months_follow_one_another(ledger: Ledger) -> None:
    """Each opens as the one before closed; an account that rests keeps its figures, an empty one is left out."""
    ada, ben = await ledger.members(2)
    await ledger.post(earn("100 TEL", "GRO", member_id=ada))
    await ledger.post(earn("5 TEL", "GRO", member_id=ben))
    await ledger.post(redeem("5 TEL", "CAF", member_id=ben))
    first = await next_month(ledger)
    await job(ledger).make(first)
    second = await next_month(ledger)
    await ledger.post(earn("1 TEL", "GRO", member_id=ada))
    await ledger.post(earn("9 TEL", "GRO", member_id=ben))
    await job(ledger).make(second)
    third = await next_month(ledger)
    await job(ledger).make(third)

    figures = {
        member: [
            (Month.of(one.month), one.opening.available, one.all_kinds.credited, one.closing.available)
            for one in await statements(ledger, member)
        ]
        for member in (ada, ben)
    }

    assert figures[ada] == [(first, 0, 100, 100), (second, 100, 0, 100), (third, 100, 1, 101)]
    assert figures[ben] == [(first, 0, 5, 0), (third, 0, 9, 9)]
    assert [(one.opening.sequence, one.closing.sequence) for one in await statements(ledger, ben)] == [(0, 2), (2, 3)]


async def test_months_may_be_made_late_and_in_any_order(ledger: Ledger) -> None:
    """What lies before the first month that is made goes into its opening; one made afterwards fits before it."""
    ada = await ledger.member()
    months = []
    for units in (100, 20, 3):
        await ledger.post(earn(f"{units} TEL", "GRO", member_id=ada))
        months.append(await next_month(ledger))

    for month in (months[1], months[2], months[0]):
        await job(ledger).make(month)

    figures = [(one.opening.available, one.closing.available) for one in await statements(ledger, ada)]
    assert figures == [(0, 100), (100, 120), (120, 123)]


async def test_a_month_that_is_not_over_has_no_statements(ledger: Ledger) -> None:
    """Not a microsecond before its end, where the coalition lives."""
    month = await this_month(ledger)
    await to(ledger, month.ends(SHANGHAI) - timedelta(minutes=5))

    with pytest.raises(MonthNotOver):
        await job(ledger).make(month)

    assert await ledger.value("SELECT count(*) FROM exchange.statement_runs") == 0


async def test_sums_that_pass_64_bits_are_kept(ledger: Ledger) -> None:
    """A full account that is emptied and filled again: the balance fits, the sums of the month do not."""
    ada = await ledger.member()
    free = replace(PRICES["TEL"], issue_micros=0, redeem_micros=0)
    await ledger.api.changes.publish_price(OPERATOR, "TEL", free)
    for _ in range(3):
        await ledger.post(earn(f"{2**62} TEL", "TEL", member_id=ada))
        await ledger.post(redeem(f"{2**62} TEL", "CAF", member_id=ada))
    month = await next_month(ledger)

    await job(ledger).make(month)

    (one,) = await statements(ledger, ada)
    assert (one.all_kinds.credited, one.closing.available) == (3 * 2**62, 0)


async def test_the_first_instant_of_a_month_is_its_own(ledger: Ledger) -> None:
    """A movement at midnight belongs to the new month, and one before it to the old."""
    ada = await ledger.member()
    month = await this_month(ledger)
    await ledger.post(earn("5 TEL", "GRO", member_id=ada))
    await to(ledger, month.ends(SHANGHAI))
    await ledger.post(earn("7 TEL", "GRO", member_id=ada))

    await job(ledger).make(month)
    await to(ledger, month.after.ends(SHANGHAI))
    await job(ledger).make(month.after)

    found = [(one.opening.available, one.closing.available) for one in await statements(ledger, ada)]
    assert found == [(0, 5), (5, 12)]
    assert all(one.made_at.astimezone(UTC) >= one.ends_at for one in await statements(ledger, ada))


async def test_what_was_made_changes_no_line_and_no_opening(ledger: Ledger) -> None:
    """A period opens from the nearest monthly statement where there is one, and with the very same figures."""
    ada = await ledger.member()
    months = []
    for units in (100, 20, 3):
        await ledger.post(earn(f"{units} TEL", "GRO", member_id=ada))
        await ledger.post(hold("1 TEL", member_id=ada))
        months.append(await next_month(ledger))
    await ledger.post(earn("9 TEL", "GRO", member_id=ada))
    number = (await ledger.api.source.current()).currency_no("TEL")
    assert number is not None
    begins = [month.begins(SHANGHAI) for month in (*months, months[2].after)]
    instants = [None, *begins, begins[1] + timedelta(hours=1), begins[3] + timedelta(days=9)]

    async def pages() -> list[tuple[Standing, Standing, int]]:
        found = []
        async with ledger.database.read() as connection:
            for begin in instants:
                for after in range(9):
                    one = await page(connection, Wanted(ada, number, begin, None, after), None, 100)
                    found.append((one.opening, one.closing, len(one.lines)))
        return found

    before = await pages()
    after: list[list[tuple[Standing, Standing, int]]] = []
    for month in (months[1], months[0], months[2]):
        await job(ledger).make(month)
        after.append(await pages())

    assert len({opening for opening, _, _ in before}) == 8
    assert after == [before] * 3
