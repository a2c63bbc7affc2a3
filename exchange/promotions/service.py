"""Use cases of promotions: begin and end. One transaction each, alone behind the fence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.callers import Caller
from exchange.clock import coalition_now
from exchange.db.engine import Database
from exchange.directory.change import change, changing
from exchange.directory.service import Reloads, not_past
from exchange.directory.snapshot import read_directory
from exchange.promotions import sql
from exchange.promotions.model import Promotion, PromotionKind
from exchange.promotions.snapshot import read_promotions
from exchange.refusals import ResourceExists, ResourceNotFound, TooLate


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPromotion:
    """What the operator says of a promotion; `begins` None: now. `sponsors` are merchant ids with basis points."""

    promotion_id: str
    kind: PromotionKind
    merchant_id: str | None
    source: str | None
    currency: str
    bonus_bps: int
    bonus_units: int
    member_cap_units: int
    budget_units: int
    sponsors: Sequence[tuple[str, int]]
    begins: datetime | None
    ends_at: datetime | None

    @property
    def name(self) -> str:
        """Resource name."""
        return f"promotions/{self.promotion_id}"


class Proving(NamedTuple):
    """How rates are asked whether a promotion may begin: nothing is added meanwhile; then a refusal, or none."""

    begin: Callable[[AsyncConnection], Awaitable[None]]
    prove: Callable[[AsyncConnection, Promotion], Awaitable[None]]


class PromotionChanges:
    """The operator's changes; `source` is this process's copy, read anew after each.

    Args:
        database: where.
        source: see above.
        proving: shows that nobody gains by converting round in a circle while a promotion is on.
    """

    def __init__(self, database: Database, source: Reloads, proving: Proving) -> None:
        self._database, self._source, self._proving = database, source, proving

    async def create(self, caller: Caller, new: NewPromotion) -> Promotion:
        """Begin a promotion at an instant.

        Raises:
            ResourceExists: the id is taken.
            ResourceNotFound: no such merchant, currency or sponsor.
            TooLate: it would begin in the past, or end before it begins.
            RoundTripGains: with it, converting round in a circle would return more points than it took.
        """
        after = {name: getattr(new, name) for name in NewPromotion.__slots__}
        async with self._database.write() as connection:
            await self._proving.begin(connection)
            async with changing(connection, caller, "create promotion", new.name, after):
                number = await _add(connection, new)
                promotions = await read_promotions(connection)
                await self._proving.prove(connection, promotions.by_number[number])
        await self._source.reload()
        return promotions.by_number[number]

    async def end(self, caller: Caller, promotion_id: str, at: datetime | None) -> Promotion:
        """End a promotion at an instant; one that has not begun yet ends at its beginning and gives nothing, ever.

        Raises:
            ResourceNotFound: there is none.
            TooLate: it has ended, or the instant has passed.
        """
        name = f"promotions/{promotion_id}"
        async with change(self._database, caller, "end promotion", name, {"end_time": at}) as connection:
            known = (await read_promotions(connection)).by_number.values()
            promotion = next((one for one in known if one.promotion_id == promotion_id), None)
            if promotion is None:
                raise ResourceNotFound(resource=name, field="name")
            ends_at = await not_past(connection, at, "end_time")
            if promotion.ends_at is not None and promotion.ends_at <= ends_at:
                raise TooLate(field="end_time", earliest=promotion.ends_at.isoformat())
            ends_at = max(ends_at, promotion.effective_at)
            await connection.execute(sql.END_PROMOTION, {"promotion_no": promotion.number, "ends_at": ends_at})
        await self._source.reload()
        return promotion._replace(ends_at=ends_at)


async def used(connection: AsyncConnection, promotions: Sequence[Promotion]) -> dict[int, int]:
    """Points given of each budget, by number; promotions without one are left out."""
    rows = await connection.execute(sql.USED, {"numbers": [one.number for one in promotions if one.budget_units]})
    return {row.promotion_no: row.used_units for row in rows}


async def _add(connection: AsyncConnection, new: NewPromotion) -> int:
    directory = await read_directory(connection)
    effective_at = await not_past(connection, new.begins, "promotion.effective_time")
    if new.ends_at is not None and new.ends_at <= effective_at:
        raise TooLate(field="promotion.end_time", earliest=effective_at.isoformat())
    merchant = None if new.merchant_id is None else directory.merchant(new.merchant_id, "promotion.merchant")
    source = None if new.source is None else directory.currency(new.source, "promotion.source_currency")
    sponsors = [
        {"merchant_no": directory.merchant(sponsor, f"promotion.sponsors[{place}].merchant").number, "share_bps": share}
        for place, (sponsor, share) in enumerate(new.sponsors)
    ]
    values = {
        "promotion_id": new.promotion_id,
        "kind": new.kind,
        "merchant_no": None if merchant is None else merchant.number,
        "source_no": None if source is None else source.number,
        "currency_no": directory.currency(new.currency, "promotion.currency").number,
        "bonus_bps": new.bonus_bps,
        "bonus_units": new.bonus_units,
        "member_cap_units": new.member_cap_units,
        "budget_units": new.budget_units,
        "effective_at": effective_at,
        "ends_at": new.ends_at,
        "created_at": await coalition_now(connection),
    }
    number: int | None = (await connection.execute(sql.ADD_PROMOTION, values)).scalar()
    if number is None:
        raise ResourceExists(resource=new.name)
    for sponsor in sponsors:
        await connection.execute(sql.ADD_SPONSOR, {"promotion_no": number, **sponsor})
    if new.budget_units:
        await connection.execute(sql.ADD_BUDGET, {"promotion_no": number, "budget_units": new.budget_units})
    return number
