"""Facts that only some movements need, each read by a statement of its own when a batch has such a movement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import NamedTuple
from uuid import UUID

from exchange.db.engine import DriverConnection
from exchange.ledger import sql
from exchange.ledger.decision import Target
from exchange.ledger.facts import MemberFacts
from exchange.ledger.model import Lot, Transfer, TransferKind
from exchange.ledger.reference import AccountKey, Reference


class Converting(NamedTuple):
    """A member whose points of a source become points of a target, or are turned back."""

    bucket: int
    member_id: UUID
    source_no: int
    target_no: int

    @property
    def pair(self) -> tuple[int, int]:
        """Currency numbers of source and target."""
        return self.source_no, self.target_no


async def read_daily(
    connection: DriverConnection,
    reference: Reference,
    converting: set[Converting],
    found: dict[UUID, MemberFacts],
    today: date,
) -> None:
    """What was converted today of pairs with a daily cap, into `found`."""
    begins = datetime.combine(today, time.min, reference.time_zone)
    asked = sorted(one for one in converting if one.pair in reference.capped_since)
    await _read_used(connection, sql.DAILY_CONVERSIONS, asked, found, today)
    # Without a row nothing was converted, or the day began when nobody counted the pair yet.
    uncounted = [
        one
        for one in asked
        if one.pair not in found[one.member_id].notes.daily_used and reference.capped_since[one.pair] > begins
    ]
    await _read_used(connection, sql.CONVERTED_SINCE, uncounted, found, begins)


async def _read_used(
    connection: DriverConnection,
    statement: str,
    asked: Sequence[Converting],
    found: dict[UUID, MemberFacts],
    since: date,
) -> None:
    if asked:
        for member_id, source_no, target_no, used in await connection.fetch(
            statement, *zip(*asked, strict=True), since
        ):
            found[member_id].notes.daily_used[(source_no, target_no)] = used


async def read_unused(
    connection: DriverConnection, originals: Sequence[Transfer], found: dict[UUID, MemberFacts]
) -> None:
    """What has ended of the lots of awards that are to be taken back, into `found`."""
    lots = {
        leg.lot_id: original
        for original in originals
        if original.kind == TransferKind.EARN
        for leg in original.legs
        if leg.lot_id is not None
    }
    if lots:
        buckets = [original.bucket for original in lots.values()]
        for lot_id, units in await connection.fetch(sql.UNUSED_POINTS, buckets, list(lots)):
            found[lots[lot_id].member_id].notes.unused[lot_id] = units


async def read_ends(connection: DriverConnection, reference: Reference, found: dict[UUID, MemberFacts]) -> None:
    """When accounts of currencies that end by inactivity do, into `found`; of other accounts nothing is asked."""
    asked = []
    for facts in found.values():
        idle = {number: after for number, after in reference.idle_after.items() if number in facts.accounts}
        facts.idle_after = idle
        asked += [(facts.bucket, facts.member_id, number) for number in idle]
    if asked:
        for member_id, number, ends_at in await connection.fetch(sql.ACCOUNT_ENDS, asked):
            found[member_id].notes.ends[number] = ends_at


async def read_due(
    connection: DriverConnection, asked: set[AccountKey], found: dict[UUID, MemberFacts], now: datetime
) -> None:
    """Lots that have ended, of accounts that are asked to end them, into `found`."""
    if asked:
        # Two runs may ask for one account in one batch; its lots come once.
        for member_id, number, *lot in await connection.fetch(sql.DUE_LOTS, sorted(asked), now):
            account = found[member_id].accounts[number]
            account.show(Lot(*lot), now)
            account.note_due(lot[0])


async def read_whole(
    connection: DriverConnection, asked: set[AccountKey], found: dict[UUID, MemberFacts], now: datetime
) -> None:
    """Every open lot of accounts of which points end although their time has not come, into `found`."""
    if asked:
        for _, member_id, number in asked:
            found[member_id].accounts[number].whole = []
        for member_id, number, *lot in await connection.fetch(sql.OPEN_LOTS, sorted(asked)):
            account = found[member_id].accounts[number]
            account.show(Lot(*lot), now)
            assert account.whole is not None
            account.whole.append(lot[0])


async def read_carried(
    connection: DriverConnection, spent: set[tuple[Target, str]], found: dict[UUID, MemberFacts]
) -> None:
    """What of members' spends has not earned yet, into `found`."""
    if spent:
        buckets = [target.bucket for target, _ in spent]
        members = [target.member_id for target, _ in spent]
        rules = [rule for _, rule in spent]
        for member_id, rule_id, carried in await connection.fetch(sql.SPEND_CARRIES, buckets, members, rules):
            found[member_id].notes.carried[rule_id] = carried
