"""Ledgers for tests: the rulebook's coalition in a real database, posted to by one server's poster or by several.

A server here is what `exchange.app` puts together behind the wire: its own connections, directory copy and poster.
Commands are made by `tests.unit.rules.rulebook`; merchants have the numbers they have there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from exchange import app
from exchange.api.context import Api
from exchange.callers import Caller, CallerRole
from exchange.config import load_settings
from exchange.db.engine import Database, DriverConnection
from exchange.directory import setup
from exchange.directory.model import ExpiryKind, MerchantRole
from exchange.directory.service import NewCurrency, NewPrice
from exchange.ledger import reads
from exchange.ledger.audit import audit
from exchange.ledger.decision import Outcome
from exchange.ledger.ids import new_id
from exchange.ledger.model import Command, Receipt, member_bucket
from exchange.ledger.windows import Window, close_window
from exchange.rates.model import Rate
from exchange.refusals import DatabaseUnavailable, Refusal
from tests.unit.rules.rulebook import MERCHANT_NO, rate

OPERATOR = Caller(CallerRole.OPERATOR, "console")
PRICES = {
    "AIR": NewPrice(
        effective_at=None, issue_micros=60_000, redeem_micros=50_000, conversion_in_micros=55_000,
        conversion_out_micros=50_000, cash_out_micros=0, cash_out_fee_bps=0,
    ),
    "BNK": NewPrice(
        effective_at=None, issue_micros=2_500, redeem_micros=2_000, conversion_in_micros=2_250,
        conversion_out_micros=2_000, cash_out_micros=0, cash_out_fee_bps=0,
    ),
    "TEL": NewPrice(
        effective_at=None, issue_micros=12_000, redeem_micros=10_000, conversion_in_micros=10_500,
        conversion_out_micros=10_000, cash_out_micros=0, cash_out_fee_bps=0,
    ),
}  # fmt: skip
ENROLL = """
INSERT INTO exchange.members (bucket, member_id, enrolled_by, created_at)
SELECT bucket, member_id, $3, now() FROM unnest($1::uuid[], $2::smallint[]) AS m (member_id, bucket)
"""
LINK = """
INSERT INTO exchange.member_links (merchant_no, reference, bucket, member_id, created_at)
SELECT merchant_no, reference, bucket, member_id, now()
FROM unnest($1::uuid[], $2::smallint[], $3::text[]) AS m (member_id, bucket, reference),
     unnest($4::int[]) AS merchant_no
"""
Answer = TypeVar("Answer")


class Ledger:
    """A ledger as one server sees it.

    Attributes:
        url: its database.
        api: the server's use cases.
    """

    def __init__(self, url: str, api: Api) -> None:
        self.url, self.api = url, api

    @property
    def database(self) -> Database:
        """The server's connections."""
        return self.api.database

    async def post(self, command: Command) -> Receipt:
        """Post one command, or raise its refusal."""
        return await self.api.poster.post(command)

    async def told(self, command: Command) -> Receipt | Refusal:
        """Post one command; its yes or its no."""
        try:
            return await self.post(command)
        except Refusal as refusal:
            return refusal

    async def known(self, command: Command) -> Receipt | Refusal:
        """Post one command again and again while its outcome is unknown, as a partner would."""
        while isinstance(answer := await self.told(command), DatabaseUnavailable):
            continue
        return answer

    async def member(self, label: str = "ada") -> UUID:
        """A new person, linked to every merchant under the label."""
        (member,) = await self.members(1, label)
        return member

    async def members(self, count: int, label: str = "m") -> list[UUID]:
        """New persons, linked to every merchant; the first one's reference is the label, the next "label-1".

        Straight into the tables: enrolling hundreds one by one would take longer than what is tested.
        """
        ids = [new_id() for _ in range(count)]
        buckets = [member_bucket(member) for member in ids]
        references = [f"{label}-{number}" if number else label for number in range(count)]
        async with owner_of(self.url) as connection:
            await connection.execute(ENROLL, ids, buckets, MERCHANT_NO["GRO"])
            await connection.execute(LINK, ids, buckets, references, list(MERCHANT_NO.values()))
        return ids

    async def balances(self, member: UUID) -> dict[str, int]:
        """Spendable points by currency code, in one snapshot."""
        directory = (await self.api.source.current()).directory
        async with self.database.read() as connection:
            found = await reads.balances(connection, member)
        return {directory.currencies[balance.currency_no].code: balance.available for balance in found}

    async def publish(self, source: str, target: str, **terms: Any) -> Rate:
        """Publish a rate that begins now: `publish("30 BNK", "1 AIR", daily_cap=600)`."""
        wanted = rate(source, target, **terms)
        codes = [words.split()[-1] for words in (source, target)]
        return await self.api.rates.publish(OPERATOR, codes[0], codes[1], wanted, begins=None, validate_only=False)

    async def suspend(self, merchant: str, *, suspended: bool = True) -> None:
        """Stop a merchant, or let it act again."""
        await self.api.changes.suspend_merchant(OPERATOR, merchant, "test", suspended=suspended)

    async def close_window(self) -> Window:
        """Cut off whatever window is open; closed when this returns."""
        async with self.database.write() as connection:
            return (await close_window(connection, None, "test"))[0]

    async def totals(self, window_no: int) -> list[tuple[object, ...]]:
        """What a window holds as kept while posting: debtor, creditor, money, kind, micros, count."""
        found = await self.rows(
            "SELECT debtor, creditor, currency_code, kind, micros, obligations FROM exchange.clearing_totals_v1"
            " WHERE window_no = $1 ORDER BY debtor, creditor, kind",
            window_no,
        )
        return [tuple(row) for row in found]

    async def rows(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Ask the database as its owner."""
        async with owner_of(self.url) as connection:
            found: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
            return found

    async def value(self, statement: str, *arguments: object) -> Any:
        """The single value of a query."""
        return (await self.rows(statement, *arguments))[0][0]


@asynccontextmanager
async def owner_of(url: str) -> AsyncIterator[DriverConnection]:
    """A plain connection as the database's owner, who may do what servers may not."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def a_server_on(url: str, **settings: Any) -> AsyncIterator[Ledger]:
    """A server on a database that has its coalition."""
    chosen = load_settings(**{"sandbox": True, "poster_linger_ms_max": 0.0, "statement_day": 0, **settings})
    async with app.opened(chosen, url, []) as api:
        yield Ledger(url, api)


async def found_coalition(url: str) -> None:
    """Make the rulebook's coalition in a fresh database, with BNK → AIR at 30:1."""
    owner = Database(url, role=None)
    try:
        await setup.set_up(owner, "OPR", "Asia/Shanghai")
    finally:
        await owner.dispose()
    async with a_server_on(url) as ledger:
        changes = ledger.api.changes
        roles = [role for role in MerchantRole if role is not MerchantRole.GENERAL]
        for name in list(MERCHANT_NO)[1:]:
            made = await changes.create_merchant(OPERATOR, name, name, roles, cash_agent=False)
            assert made.number == MERCHANT_NO[name], "commands name merchants by these numbers"
        for code, price in PRICES.items():
            await changes.create_currency(OPERATOR, _currency(code))
            await changes.publish_price(OPERATOR, code, price)
        await ledger.publish("30 BNK", "1 AIR")


def _currency(code: str) -> NewCurrency:
    kind = ExpiryKind.EXPLICIT if code == "TEL" else ExpiryKind.NONE
    return NewCurrency(
        code=code, issuer_id=code, display_name=code, settlement_currency="CNY", expiry_kind=kind, expiry_days=0,
        breakage_share_bps=0, negative_balances=False,
    )  # fmt: skip


async def differences(url: str) -> dict[str, list[dict[str, Any]]]:
    """What the ledger audit finds wrong, by check."""
    database = Database(url)
    try:
        return {finding.check: finding.differences for finding in await audit(database) if not finding.ok}
    finally:
        await database.dispose()


@asynccontextmanager
async def going_on(*calls: Coroutine[Any, Any, Answer]) -> AsyncIterator[list[asyncio.Task[Answer]]]:
    """Calls that go on while the block runs; none outlives it, whatever happens in it."""
    tasks = [asyncio.create_task(call) for call in calls]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def at_once(*calls: Awaitable[Answer]) -> list[Answer]:
    """The answers to calls made together."""
    return list(await asyncio.gather(*calls))


def moved(answers: Iterable[Outcome]) -> list[Receipt]:
    """The yeses among answers that are no repeats."""
    return [answer for answer in answers if isinstance(answer, Receipt) and not answer.replayed]


def reasons(answers: Iterable[Outcome]) -> list[str]:
    """The reasons of the noes among answers."""
    return [answer.reason for answer in answers if isinstance(answer, Refusal)]


def in_turn(ledgers: Sequence[Ledger], commands: Iterable[Command]) -> list[Awaitable[Receipt | Refusal]]:
    """Calls that hand commands to servers alternately."""
    return [ledgers[place % len(ledgers)].told(command) for place, command in enumerate(commands)]


async def issue(ledger: Ledger, kind: ExpiryKind, days: int = 0, *, negative_balances: bool = False) -> datetime:
    """TEL issues END: 10 a point, half of it for the funder of what ends; answers the time."""
    new = NewCurrency(
        code="END", issuer_id="TEL", display_name="END", settlement_currency="CNY", expiry_days=days,
        expiry_kind=kind, breakage_share_bps=5_000, negative_balances=negative_balances,
    )  # fmt: skip
    prices = NewPrice(
        effective_at=None, issue_micros=10, redeem_micros=0, conversion_in_micros=0, conversion_out_micros=0,
        cash_out_micros=0, cash_out_fee_bps=0,
    )  # fmt: skip
    await ledger.api.changes.create_currency(OPERATOR, new)
    await ledger.api.changes.publish_price(OPERATOR, "END", prices)
    now: datetime = await ledger.value("SELECT exchange.coalition_now()")
    return now


async def issue_idle(ledger: Ledger) -> datetime:
    """The same, ending after ten idle days."""
    return await issue(ledger, ExpiryKind.INACTIVITY, 10)
