"""Strict reading of the plain CSV files people hand in: a wrong row is refused by line and column, never guessed at.

UTF-8 with or without a byte order mark; columns in any order under a header; blanks around a cell do not count, nor
does in which of Unicode's ways an accent is written; lines with nothing on them are passed over. Rows are read one at a
time, so memory does not grow with the file.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import IO

AMOUNT_MAX = 2**63 - 1
AMOUNT_DIGITS_MAX = len(str(AMOUNT_MAX))
NAME_CHARS_MAX = 128
_CURRENCY = re.compile("[A-Z]{3}")


@dataclass(eq=False)
class BadFile(Exception):
    """A file that cannot be taken as it is: where, and what is wrong with it."""

    file: str
    line: int
    column: str
    problem: str
    reason = "BAD_FILE"

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}"
        return f"{where}, column {self.column}: {self.problem}" if self.column else f"{where}: {self.problem}"


def as_text(stream: IO[bytes]) -> io.TextIOWrapper:
    """A file's bytes as the text CsvRows reads; closing the text closes the file.

    Bytes that are no UTF-8 travel as surrogates, so that the check of the cell they are in can name its line.
    """
    return io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")


def one_spelling(text: str) -> str:
    """The name people read in a text: no blanks around it, an accented letter as one character where there is one.

    Programs disagree on how an accent is written, and nobody sees the difference: left alone, it would make two
    participants of one, whose debts to each other never meet.
    """
    return unicodedata.normalize("NFC", text.strip())


class CsvRows:
    """The rows of one CSV file, as `as_text` gives it: iterate for the cells, ask `line` for where we are.

    Cells come in the order of `required` and then `optional`, whatever order the file has; an optional column that the
    file lacks gives an empty cell.

    Args:
        text: the file.
        file: its name, for refusals.
        required: columns that must be there.
        optional: columns that may be.
        also: other names that columns go by, each with its own.

    Raises:
        BadFile: while iterating, at the first line that breaks the rules.
    """

    def __init__(
        self,
        text: IO[str],
        file: str,
        required: Sequence[str],
        optional: Sequence[str] = (),
        also: Mapping[str, str] | None = None,
    ) -> None:
        self._reader = csv.reader(text, strict=True)
        self._line = 1
        self._file = file
        self._required = tuple(required)
        self._known = (*required, *optional)
        self._also = also or {}

    @property
    def line(self) -> int:
        """The line the latest row began on, counting from 1 with the header; quotes can make a row of several."""
        return self._line

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        records = self._records()
        header = [self._also.get(name, name) for name in map(str.strip, next(records, []))]
        self._check_header(header)
        columns = len(header)
        in_order = itemgetter(*(header.index(name) if name in header else columns for name in self._known))
        for cells in records:
            if len(cells) != columns:
                raise self.bad("", f"{len(cells)} cells where the header has {columns}")
            cells.append("")
            yield in_order(cells)

    def bad(self, column: str, problem: str) -> BadFile:
        """A refusal of the row just read."""
        return BadFile(self._file, self.line, column, problem)

    def name(self, cell: str, column: str) -> str:
        """A participant's name: not empty, printable, without `>` (it joins pairs in reports)."""
        text = self._text(cell, column)
        if not text:
            raise self.bad(column, "is empty")
        if ">" in text:
            raise self.bad(column, f"{text!r} has a '>' in it, which reports use to write a pair")
        return text

    def currency(self, cell: str) -> str:
        """An ISO 4217 code: three capital letters."""
        text = cell.strip()
        if _CURRENCY.fullmatch(text):
            return text
        raise self.bad("currency", f"{text[:40]!r} is not a currency code of three capital letters, such as CNY")

    def id(self, cell: str) -> str:
        """An item's id, or empty for none."""
        return self._text(cell, "id")

    def amount(self, cell: str, column: str, *, least: int) -> int:
        """A whole number of minor units, at least `least`, that fits 64 bits."""
        text = cell.strip()
        if text.isascii() and text.isdigit():
            amount = int(text) if len(text.lstrip("0")) <= AMOUNT_DIGITS_MAX else AMOUNT_MAX + 1
            if amount > AMOUNT_MAX:
                raise self.bad(column, f"{text[:30]} is above the largest amount, {AMOUNT_MAX}")
            if amount >= least:
                return amount
        kind = "positive whole number" if least else "whole number that is not negative"
        raise self.bad(column, f"{text[:30]!r} is not a {kind} of minor units, written in digits only")

    def flag(self, cell: str, column: str) -> bool:
        """`true`, or `false`; empty is false."""
        word = cell.strip().lower()
        if word not in ("true", "false", ""):
            raise self.bad(column, f"{word[:30]!r} is neither true nor false")
        return word == "true"

    def _records(self) -> Iterator[list[str]]:
        reader = self._reader
        try:
            for cells in reader:
                if len(cells) > 1 or (cells and cells[0].strip()):
                    yield cells
                self._line = reader.line_num + 1
        except csv.Error as error:
            raise self.bad("", f"not readable as CSV: {error}") from error

    def _text(self, cell: str, column: str) -> str:
        text = one_spelling(cell)
        if not text.isprintable():
            raise self.bad(column, f"{text[:40]!r} is not printable UTF-8 text on one line")
        if len(text) > NAME_CHARS_MAX:
            raise self.bad(column, f"{len(text)} characters are more than {NAME_CHARS_MAX}")
        return text

    def _check_header(self, header: list[str]) -> None:
        if not header:
            problem = f"the file is empty; its first line must name the columns {', '.join(self._required)}"
            raise BadFile(self._file, 1, "", problem)
        for name in header:
            if name not in self._known:
                hint = "; cells are separated by commas" if len(header) == 1 else ""
                hint += "" if name.isprintable() else "; the file must be UTF-8 text"
                raise self.bad("", f"unknown column {name[:40]!r}; the columns are {', '.join(self._known)}{hint}")
            if header.count(name) > 1:
                raise self.bad("", f"column {name} appears twice")
        missing = [name for name in self._required if name not in header]
        if missing:
            raise self.bad("", f"column {', '.join(missing)} is missing")
