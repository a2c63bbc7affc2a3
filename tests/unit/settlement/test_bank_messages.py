"""Reading what banks send: every version there is a reader for, and nothing else."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from settlement.payments.formats.schema import problem_with, schema_file
from settlement.payments.reading.model import EntryLine, StatusLine, Unreadable
from settlement.payments.reading.registry import names, read
from tests.banks import Booking, statement, status_report

BOOKED = Booking("6222001", "DBIT", "1016.55", "W1-5-1-AB", reference="R7", counterparty="DE89370400440532013000")


@pytest.mark.parametrize("name", [name for name in names() if name.startswith("pain")])
def test_every_version_of_pain_002_is_read(name: str) -> None:
    """The whole file, a block, a payment with its reason; what the test's bank writes keeps to the schema."""
    content = status_report(
        "W1-CNY-1-AB", group="PART", blocks=[("B.1", "ACSP")], payments=[("W1-5-1-AB", "RJCT", "AC04")], name=name
    )

    message = read(content)

    assert schema_file(name) is None or problem_with(content, name) is None
    assert (message.name, message.message_id) == (name, "BANK-1")
    assert message.lines == [
        StatusLine("W1-CNY-1-AB", "", "", "PART", ""),
        StatusLine("W1-CNY-1-AB", "B.1", "", "ACSP", ""),
        StatusLine("W1-CNY-1-AB", "W1-CNY-1-AB.1", "W1-5-1-AB", "RJCT", "AC04"),
    ]


@pytest.mark.parametrize("name", [name for name in names() if name.startswith("camt")])
def test_every_version_of_camt_is_read(name: str) -> None:
    """Booked entries only, bookings before returns; NOTPROVIDED is no name."""
    back = BOOKED._replace(direction="CRDT", returned="AC06", reference="R8")
    content = statement(
        back, BOOKED, BOOKED._replace(status="PDNG"), BOOKED._replace(end_to_end_id="NOTPROVIDED"), name=name
    )

    message = read(content)

    booked = EntryLine(
        account="6222001",
        end_to_end_id="W1-5-1-AB",
        currency="CNY",
        amount=Decimal("1016.55"),
        is_credit=False,
        booked_on=date(2026, 3, 2),
        reference="R7",
        returned=False,
        reason="",
        counterparty="DE89370400440532013000",
    )
    returned = booked._replace(is_credit=True, reference="R8", returned=True, reason="AC06")
    assert (message.name, message.message_id) == (name, "STMT-1")
    assert message.lines == [booked, booked._replace(end_to_end_id=""), returned]


def test_a_batch_gives_a_line_for_each_payment_in_it() -> None:
    """With its own amount; one that has none is left without."""
    single = statement(BOOKED).decode()
    start, end = single.index("<TxDtls>"), single.index("</TxDtls>") + len("</TxDtls>")
    own = '<TxDtls><Refs><EndToEndId>A</EndToEndId></Refs><Amt Ccy="CNY">5.00</Amt></TxDtls>'
    without = "<TxDtls><Refs><EndToEndId>B</EndToEndId></Refs></TxDtls>"

    lines = read((single[:start] + own + without + single[end:]).encode()).lines

    assert [(line.end_to_end_id, line.amount) for line in lines if isinstance(line, EntryLine)] == [
        ("A", Decimal("5.00")),
        ("B", None),
    ]


def test_a_statement_without_bookings_has_nothing_to_say() -> None:
    """A quiet day is a good message."""
    assert read(statement(BOOKED._replace(status="PDNG"))).lines == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"<Document/>",
        b'<?xml version="1.0" encoding="EBCDIC-DE"?><x/>',
        b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY b "&lol;&lol;">]><lolz>&b;</lolz>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        statement(BOOKED._replace(amount="much")),
        statement(BOOKED).replace(b"<Ntry>", b"<Ntry><Surprise/>"),
        statement(BOOKED)[:-20],
        b"<" + b"x" * 1_000_000,
    ],
    ids=["empty", "binary", "bare", "encoding", "bomb", "external", "amount", "element", "cut", "long"],
)
def test_anything_else_is_unreadable(content: bytes) -> None:
    """And says so as one known exception, whatever it is."""
    with pytest.raises(Unreadable):
        read(content)
