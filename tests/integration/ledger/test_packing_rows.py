"""Rows packed by us, read back by PostgreSQL: what arrives is what was handed over, whatever the values."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from exchange.ledger.codecs import pack_rows
from exchange.ledger.model import Obligation, PointsLeg, Transfer
from exchange.money.limits import INT64_MAX

SMALL = st.integers(-(2**15), 2**15 - 1)
NUMBER = st.integers(-(2**31), 2**31 - 1)
LONG = st.integers(-INT64_MAX - 1, INT64_MAX)
NAME = st.uuids()
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=70)
INSTANT = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
MARK = st.binary(max_size=40)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value or none."""
    return st.none() | values


LEG = st.builds(PointsLeg, SMALL, SMALL, NUMBER, LONG, maybe(LONG), maybe(NAME))
OWED = st.builds(Obligation, SMALL, NUMBER, NUMBER, TEXT, LONG, LONG, LONG)
ROWS: dict[str, st.SearchStrategy[Any]] = {
    "account_key": st.tuples(SMALL, NAME, NUMBER),
    "account_want": st.tuples(SMALL, NAME, NUMBER, LONG),
    "account_change": st.tuples(SMALL, NAME, NUMBER, LONG, LONG, LONG, LONG, maybe(LONG)),
    "lot_state": st.tuples(SMALL, NAME, LONG, LONG),
    "key_name": st.tuples(SMALL, NUMBER, TEXT),
    "new_request_key": st.tuples(SMALL, NUMBER, TEXT, MARK, SMALL, NAME, st.none())
    | st.tuples(SMALL, NUMBER, TEXT, MARK, st.none(), st.none(), st.just('{"reason": "NO_RATE"}')),
    "new_lot": st.tuples(
        SMALL, NAME, NAME, NUMBER, LONG, LONG, NUMBER, LONG, INSTANT, maybe(INSTANT), NAME, LONG
    ),
    "window_totals": st.tuples(LONG, NUMBER, NUMBER, NUMBER, TEXT, SMALL, st.integers(0, 10**38 - 1), LONG),
    "new_transfer": st.builds(
        Transfer, SMALL, NAME, SMALL, NUMBER, NAME, TEXT, maybe(TEXT), INSTANT, LONG, LONG, maybe(NAME),
        st.lists(LEG, max_size=5), st.lists(OWED, max_size=4),
        maybe(NAME), maybe(INSTANT), maybe(LONG), maybe(TEXT), maybe(LONG), maybe(LONG),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
async def packed(founded: str, databases: Any) -> AsyncIterator[asyncpg.Connection]:
    """A connection that takes packed rows."""
    url = make_url(databases.url_of(founded)).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    await pack_rows(connection)
    yield connection
    await connection.close()


def plain(value: Any) -> Any:
    """Rows, legs and obligations as tuples, identifiers as the standard library's."""
    if isinstance(value, UUID):
        return UUID(bytes=value.bytes)
    if isinstance(value, (tuple, list, asyncpg.Record)):
        return tuple(plain(part) for part in value)
    return value


@pytest.mark.parametrize("kind", ROWS)
async def test_postgresql_reads_what_was_packed(packed: asyncpg.Connection, kind: str) -> None:
    """Every row type, of every width, with and without what may be missing, in arrays of none, one and several."""
    seen: list[list[Any]] = []

    # Examples are drawn first: Hypothesis does not wait for coroutines.
    @settings(max_examples=60, database=None, suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.lists(ROWS[kind], max_size=4))
    def draw(rows: list[Any]) -> None:
        seen.append(rows)

    draw()
    assert any(not rows for rows in seen)
    assert any(len(rows) > 1 for rows in seen)
    for rows in seen:
        back = await packed.fetch(f"SELECT * FROM unnest($1::exchange.{kind}[])", rows)

        assert plain(back) == plain(rows)


async def test_every_type_has_the_columns_that_are_packed(packed: asyncpg.Connection) -> None:
    """A migration that adds a column to one of these types must come with its packing."""
    columns = await packed.fetch(
        """SELECT t.typname, count(*) AS width FROM pg_attribute a JOIN pg_type t ON t.typrelid = a.attrelid
           WHERE a.attnum > 0 AND t.typnamespace = 'exchange'::regnamespace AND t.typname = ANY($1)
           GROUP BY t.typname""",
        [*ROWS, "points_leg", "obligation"],
    )

    assert dict(map(tuple, columns)) == {
        "account_key": 3, "account_want": 4, "account_change": 8, "lot_state": 4, "key_name": 3, "new_request_key": 7,
        "new_lot": 12, "window_totals": 8, "new_transfer": len(Transfer._fields),
        "points_leg": len(PointsLeg._fields), "obligation": len(Obligation._fields),
    }  # fmt: skip


async def test_what_does_not_fit_is_an_error_and_not_another_number(packed: asyncpg.Connection) -> None:
    """A figure beyond its column stops the batch: it is never cut to fit."""
    with pytest.raises(asyncpg.exceptions.DataError):
        await packed.fetch("SELECT * FROM unnest($1::exchange.lot_state[])", [(1, UUID(int=1), INT64_MAX + 1, 0)])
