"""Files of obligations: what is taken, and that a wrong row is refused by its line and column."""

from __future__ import annotations

import io

import pytest

from settlement.csv_rows import BadFile, as_text
from settlement.netting.files import read_gross, read_obligations
from settlement.netting.model import Gross, Obligation

HEADER = "debtor,creditor,currency,amount,id,held\n"


def read(file: str | bytes) -> dict[str, Gross]:
    """Sum a file given by its text, or by its very bytes."""
    with as_text(io.BytesIO(file.encode() if isinstance(file, str) else file)) as text:
        return read_gross(text, "window.csv")


def items(file: str) -> list[Obligation]:
    """Each row of a file given by its text."""
    with as_text(io.BytesIO(file.encode())) as text:
        return read_obligations(text, "window.csv")


def test_rows_sum_by_currency_and_directed_pair() -> None:
    """A pair's two directions stay apart until a mode sets them off."""
    by_currency = read("debtor,creditor,currency,amount\nA,B,CNY,5\nA,B,CNY,7\nB,A,CNY,1\nA,B,JPY,9\n")

    assert by_currency == {
        "CNY": Gross("CNY", {("A", "B"): 12, ("B", "A"): 1}),
        "JPY": Gross("JPY", {("A", "B"): 9}),
    }


def test_columns_come_in_any_order_and_held_and_id_may_be_missing() -> None:
    """The header says which is which."""
    by_currency = read("amount,held,currency,creditor,debtor\n5,TRUE,CNY,B,A\n6,,CNY,B,A\n7,false,CNY,B,A\n")

    assert by_currency["CNY"] == Gross("CNY", {("A", "B"): 13}, {("A", "B"): 5})


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfdebtor,creditor,currency,amount\nA,B,CNY,5\n",
        b"debtor,creditor,currency,amount\r\nA,B,CNY,5\r\n",
        b"debtor,creditor,currency,amount\rA,B,CNY,5\r",
        b"debtor,creditor,currency,amount\nA,B,CNY,5",
        b' debtor ,"creditor", currency,amount\n A ,B,CNY , 005\n\n   \n',
    ],
    ids=["byte order mark", "windows line ends", "old line ends", "no last line end", "blanks, quotes and empty lines"],
)
def test_what_spreadsheets_make_of_a_file_reads_the_same(text: bytes) -> None:
    """None of these changes what the file says."""
    assert read(text) == {"CNY": Gross("CNY", {("A", "B"): 5})}


def test_names_may_be_written_in_any_script() -> None:
    """Merchants are called what they are called."""
    assert read("debtor,creditor,currency,amount\n云上航空,Café «Ñ»,CNY,5\n")["CNY"].participants == [
        "Café «Ñ»",
        "云上航空",
    ]


COMPOSED, DECOMPOSED = "Caf\N{LATIN SMALL LETTER E WITH ACUTE}", "Cafe\N{COMBINING ACUTE ACCENT}"
"""One name, as two programs write it."""


def test_a_name_is_one_however_its_accents_are_written() -> None:
    """Nobody sees the difference, and their debts to each other must meet; so it is with blanks that are not typed."""
    rows = f"{COMPOSED},B,CNY,5\n{DECOMPOSED},B,CNY,7\n\N{NO-BREAK SPACE}{COMPOSED}\N{IDEOGRAPHIC SPACE},B,CNY,1\n"

    assert read("debtor,creditor,currency,amount\n" + rows)["CNY"].pairs == {(COMPOSED, "B"): 13}


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (f"{COMPOSED},{DECOMPOSED},CNY,5,,", f"column creditor: '{COMPOSED}' cannot owe itself"),
        (f"A,B,CNY,5,{COMPOSED},", f"column id: '{COMPOSED}' is the id of an earlier row"),
        ("\N{ZERO WIDTH NO-BREAK SPACE}A,B,CNY,5,,", "column debtor: '\\ufeffA' is not printable"),
        ("A\N{ZERO WIDTH SPACE},B,CNY,5,,", "column debtor: 'A\\u200b' is not printable"),
        ("A\N{NO-BREAK SPACE}C,B,CNY,5,,", "column debtor: 'A\\xa0C' is not printable"),
    ],
)
def test_names_that_look_alike_are_never_two(row: str, problem: str) -> None:
    """What cannot be told apart is one, or is refused where it stands."""
    with pytest.raises(BadFile) as refusal:
        read(f"{HEADER}A,B,CNY,5,{DECOMPOSED},\n{row}\n")

    assert str(refusal.value).startswith(f"window.csv, line 3, {problem}")


def test_a_row_of_several_lines_is_named_by_its_first() -> None:
    """A quote that nobody closed runs to the end of the file: where it opened is where to look."""
    with pytest.raises(BadFile, match=r"line 3: not readable as CSV") as unclosed:
        read(f'{HEADER}A,B,CNY,5,,\nA,"B,CNY,5,,\nA,B,CNY,6,,\n')
    with pytest.raises(BadFile, match=r"line 3, column creditor: 'B\\nC' is not printable UTF-8 text on one line"):
        read(f'{HEADER}A,B,CNY,5,,\nA,"B\nC",CNY,5,,\n')
    with pytest.raises(BadFile, match=r"line 4, column amount: '0'"):
        read(f'{HEADER}A,B,CNY,5,"\n",\nA,B,CNY,0,,\n')

    assert unclosed.value.column == ""


def test_a_header_alone_is_an_empty_window() -> None:
    """No obligations is not an error."""
    assert read(HEADER) == {}


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        ("A,B,CNY,0,,", "amount", "'0' is not a positive whole number"),
        ("A,B,CNY,-5,,", "amount", "'-5' is not"),
        ("A,B,CNY,+5,,", "amount", "'+5' is not"),
        ("A,B,CNY,5.0,,", "amount", "'5.0' is not"),
        ("A,B,CNY,1e3,,", "amount", "'1e3' is not"),
        ("A,B,CNY,1_000,,", "amount", "'1_000' is not"),
        ('A,B,CNY,"1,000",,', "amount", "'1,000' is not"),
        ("A,B,CNY,\N{ARABIC-INDIC DIGIT FIVE},,", "amount", "is not"),
        ("A,B,CNY,\N{FULLWIDTH DIGIT FIVE},,", "amount", "is not"),
        ("A,B,CNY,\N{MINUS SIGN}5,,", "amount", "is not"),
        ("A,B,CNY,1 000,,", "amount", "'1 000' is not"),
        ("A;B;CNY;5;;", "", "1 cells where the header has 6"),
        ("A,B,CNY,,,", "amount", "'' is not"),
        (f"A,B,CNY,{2**63},,", "amount", "above the largest amount, 9223372036854775807"),
        (f"A,B,CNY,{'9' * 5000},,", "amount", "above the largest amount"),
        ("A,A,CNY,5,,", "creditor", "'A' cannot owe itself"),
        (",B,CNY,5,,", "debtor", "is empty"),
        ("A,,CNY,5,,", "creditor", "is empty"),
        (",,CNY,5,,", "debtor", "is empty"),
        ("A>C,B,CNY,5,,", "debtor", "has a '>' in it"),
        ("A,B\x00,CNY,5,,", "creditor", "is not printable"),
        (f"A,{'B' * 129},CNY,5,,", "creditor", "129 characters are more than 128"),
        ("A,B,cny,5,,", "currency", "'cny' is not a currency code"),
        ("A,B,CNYX,5,,", "currency", "'CNYX' is not"),
        ("A,B,,5,,", "currency", "'' is not"),
        ("A,B,CNY,5,i1,", "id", "'i1' is the id of an earlier row"),
        ("A,B,CNY,5,,yes", "held", "'yes' is neither true nor false"),
        ("A,B,CNY,5", "", "4 cells where the header has 6"),
        ("A,B,CNY,5,,,,", "", "8 cells where the header has 6"),
        ('A,"B"x,CNY,5,,', "", "not readable as CSV"),
    ],
)
def test_a_wrong_row_is_refused_with_its_line_and_column(row: str, column: str, problem: str) -> None:
    """The line is the one an editor shows; nothing of the file is taken."""
    with pytest.raises(BadFile) as refusal:
        read(f"{HEADER}A,B,CNY,5,i1,\n\n{row}\nA,B,CNY,0,,\n")

    assert (refusal.value.line, refusal.value.column) == (4, column)
    assert problem in refusal.value.problem
    assert str(refusal.value).startswith("window.csv, line 4")


def test_bytes_that_are_no_utf_8_are_refused_where_they_stand() -> None:
    """A GBK export: the row is named instead of a decoding error of the whole file."""
    with pytest.raises(BadFile) as refusal:
        read(HEADER.encode() + b"A,B,CNY,5,,\n" + "云,B,CNY,5,,\n".encode("gbk"))

    assert (refusal.value.line, refusal.value.column) == (3, "debtor")
    assert "not printable UTF-8" in refusal.value.problem


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("debtor,creditor,currency", "column amount is missing"),
        ("debtor,creditor,currency,amount,note", "unknown column 'note'"),
        ("debtor,creditor,currency,amount,", "unknown column ''"),
        ("debtor,creditor,currency,amount,amount", "column amount appears twice"),
        ("debtor;creditor;currency;amount", "unknown column 'debtor;creditor;currency;amount'"),
        ("A,B,CNY,5", "unknown column 'A'"),
        ("debtor\tcreditor\tcurrency\tamount", "cells are separated by commas"),
        ("debtor,creditor,currency,Amount", "unknown column 'Amount'; the columns are debtor, creditor"),
        ("\N{ZERO WIDTH NO-BREAK SPACE}\N{ZERO WIDTH NO-BREAK SPACE}debtor,creditor", "the file must be UTF-8 text"),
        ("", "the file is empty"),
    ],
)
def test_a_wrong_header_is_refused(header: str, problem: str) -> None:
    """A column nobody reads may hold what somebody relies on, so it is not passed over."""
    with pytest.raises(BadFile) as refusal:
        read(header + "\n")

    assert refusal.value.line == 1
    assert problem in refusal.value.problem


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_a_file_that_is_no_utf_8_is_refused_with_what_to_do(encoding: str) -> None:
    """Spreadsheets call it Unicode text too."""
    with pytest.raises(BadFile, match=r"line 1: unknown column .*; the file must be UTF-8 text"):
        read((HEADER + "A,B,CNY,5,,\n").encode(encoding))


def test_items_without_an_id_get_their_number_in_the_file() -> None:
    """Counted over all rows, so that the number is the row one sees."""
    read_items = items(HEADER + "A,B,CNY,5,,\nA,B,CNY,6,x,\nA,B,CNY,7,,true\n")

    assert read_items == [
        Obligation("A", "B", "CNY", 5, "1"),
        Obligation("A", "B", "CNY", 6, "x"),
        Obligation("A", "B", "CNY", 7, "3", held=True),
    ]


@pytest.mark.parametrize("rows", ["A,B,CNY,5,2,\nA,B,CNY,6,,\n", "A,B,CNY,5,,\nA,B,CNY,6,1,\n"])
def test_a_number_that_is_another_items_id_is_refused(rows: str) -> None:
    """Two items under one id could not be told apart in the answer."""
    with pytest.raises(BadFile, match="line 3, column id"):
        items(HEADER + rows)


def test_without_numbering_rows_may_all_lack_an_id() -> None:
    """Netting only sums, so an empty id is no duplicate."""
    assert read(HEADER + "A,B,CNY,5,,\nA,B,CNY,6,,\n")["CNY"].pairs == {("A", "B"): 11}
