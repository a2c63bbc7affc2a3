"""Laws of statements: lines add up to the account, whatever happened to it and wherever pages are cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exchange.ledger.model import Account
from exchange.statements.model import Line, Standing
from exchange.statements.rules import lines
from tests.property.follow_up_steps import ADA, CODES, Step, days
from tests.property.test_follow_ups import Book, played
from tests.unit.rules.rulebook import CURRENCY_NO


def statement(book: Book, code: str, opening: Standing = Standing()) -> list[Line]:  # noqa: B008 - immutable
    """The whole statement of a currency."""
    number = CURRENCY_NO[code]
    concerned = [
        transfer
        for transfer in book.made
        if any(leg.currency_no == number and leg.account != Account.CIRCULATION for leg in transfer.legs)
    ]
    return lines(concerned, number, opening)


@given(batches=days)
def test_the_last_line_leaves_what_the_account_has(batches: list[list[Step]]) -> None:
    """Awards, uses, holds, captures, returns, points owed and points that end: lines are numbered without a gap."""
    book = played(batches)

    for code in CODES:
        found = statement(book, code)

        available, sequence, held, _ = book.store.accounts[(ADA, CURRENCY_NO[code])]
        assert found[-1].after == Standing(available, held, sequence)
        assert [line.after.sequence for line in found] == list(range(1, sequence + 1))


@given(batches=days, size=st.integers(1, 9))
def test_every_page_adds_up_wherever_it_is_cut(batches: list[list[Step]], size: int) -> None:
    """Opening and lines make closing, with which the next page opens; together they are the statement."""
    book = played(batches)

    for code in CODES:
        whole = statement(book, code)
        opening, read = Standing(), list[Line]()
        while len(read) < len(whole):
            cut = whole[len(read) : len(read) + size]
            page = lines([line.transfer for line in cut], CURRENCY_NO[code], opening)
            closing = page[-1].after
            assert closing.available == opening.available + sum(line.credited - line.debited for line in page)
            assert closing.held == opening.held + sum(line.reserved - line.unreserved for line in page)
            opening, read = closing, read + page
        assert read == whole


@given(batches=days)
def test_a_line_goes_one_way(batches: list[list[Step]]) -> None:
    """Of credited and debited at most one is there, of reserved and unreserved too, and never none of the four."""
    book = played(batches)

    for line in (line for code in CODES for line in statement(book, code)):
        assert min(line.credited, line.debited) == min(line.reserved, line.unreserved) == 0
        assert line.credited + line.debited + line.reserved + line.unreserved > 0
