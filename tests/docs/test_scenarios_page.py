"""The page of scenario files: its day is read as it stands, and it tells every key and op that there is."""

from __future__ import annotations

import re

from exchange.scenario.events import OPS
from exchange.scenario.parser import ROLES, parse_scenario
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "scenarios.md"
(DAY,) = blocks(PAGE, "yaml")


def rows_of_tables() -> list[str]:
    """The first cell of each row of the page's tables."""
    return re.findall(r"^\| (`[^|]*) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_day_of_the_page_has_every_op() -> None:
    """So that whoever copies it finds an example of each."""
    said = {*re.findall(r"\bop: (\w+)", DAY)}

    assert said == {*OPS}
    assert len(parse_scenario(DAY, "page").events) == len(re.findall(r"^  - \{op:", DAY, re.MULTILINE))


def test_the_page_tells_every_op_role_and_part() -> None:
    """None is missing from its tables, and none is told that is not there."""
    told = {word for row in rows_of_tables() for word in re.findall(r"`(\w+)`", row)}
    parts = {*re.findall(r"^(\w+):", DAY, re.MULTILINE)}
    expected = {*re.findall(r"^  (\w+):", DAY.partition("expect:")[2], re.MULTILINE)}

    assert told == {*OPS} | parts | expected
    assert all(f"`{role}`" in PAGE.read_text(encoding="utf-8") for role in ROLES)
