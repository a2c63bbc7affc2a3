"""Promotions on the wire: requests to values, values to messages, and what promotions did in a transfer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.api.transfers_out import to_message
from exchange.callers import Caller
from exchange.directory.model import Directory
from exchange.events.rules import asked_for
from exchange.ledger import reads
from exchange.ledger.bonuses import Bonus
from exchange.ledger.model import Transfer
from exchange.money.limits import BASIS_POINTS
from exchange.promotions.model import BONUS_BPS_MAX, SPONSORS_MAX, Promotion, PromotionKind
from exchange.promotions.service import NewPromotion
from exchange.rates.model import Coalition
from exchange.serving.checks import Violations, known_numbers
from exchange.serving.instants import timestamp
from exchange.v1 import directory_service_pb2 as pb
from exchange.v1 import types_pb2 as types

KIND_NUMBERS = known_numbers(pb.Promotion.Kind)


def new_promotion(wanted: pb.Promotion) -> NewPromotion:
    """A promotion to begin.

    Raises:
        InvalidField: names every field that is not well formed.
    """
    check = Violations()
    kind = PromotionKind(check.known("promotion.kind", wanted.kind, KIND_NUMBERS))
    of_conversions = kind is PromotionKind.CONVERSION_BONUS
    merchant_id = source = None
    if wanted.merchant and of_conversions:
        check.say("promotion.merchant", "is only for an earn bonus")
    elif wanted.merchant:
        merchant_id = check.resource_name("promotion.merchant", wanted.merchant, "merchants")
    currency = check.resource_name("promotion.currency", wanted.currency, "currencies")
    if of_conversions:
        source = check.resource_name("promotion.source_currency", wanted.source_currency, "currencies")
        if source and source == currency:
            check.say("promotion.source_currency", "is the currency of the bonus")
    elif wanted.source_currency:
        check.say("promotion.source_currency", "is only for a conversion bonus")
    new = NewPromotion(
        promotion_id=check.resource_name("promotion.name", wanted.name, "promotions"),
        kind=kind,
        merchant_id=merchant_id,
        source=source,
        currency=currency,
        **_bonus(check, wanted),
        member_cap_units=check.within("promotion.member_cap_units", wanted.member_cap_units, 0),
        budget_units=check.within("promotion.budget_units", wanted.budget_units, 0),
        sponsors=_sponsors(check, wanted.sponsors),
        begins=check.instant("promotion.effective_time", wanted.effective_time)
        if wanted.HasField("effective_time")
        else None,
        ends_at=check.instant("promotion.end_time", wanted.end_time) if wanted.HasField("end_time") else None,
    )
    check.raise_if_any()
    return new


def _bonus(check: Violations, wanted: pb.Promotion) -> dict[str, int]:
    which = wanted.WhichOneof("bonus")
    if which is None:
        check.say("promotion.bonus", "is required")
    bps = check.positive("promotion.bonus_bps", wanted.bonus_bps, BONUS_BPS_MAX) if which == "bonus_bps" else 0
    units = check.positive("promotion.bonus_units", wanted.bonus_units) if which == "bonus_units" else 0
    return {"bonus_bps": bps, "bonus_units": units}


def _sponsors(check: Violations, wanted: Sequence[pb.PromotionSponsor]) -> list[tuple[str, int]]:
    path = "promotion.sponsors"
    if len(wanted) > SPONSORS_MAX:
        check.say(path, f"holds {len(wanted)}, more than {SPONSORS_MAX}")
        return []
    sponsors = [
        (
            check.resource_name(f"{path}[{place}].merchant", one.merchant, "merchants"),
            check.positive(f"{path}[{place}].share_bps", one.share_bps, BASIS_POINTS),
        )
        for place, one in enumerate(wanted)
    ]
    if len({merchant.lower() for merchant, _ in sponsors}) < len(sponsors):
        check.say(path, "names a merchant twice")
    shares = sum(share for _, share in sponsors)
    if shares > BASIS_POINTS:
        check.say(path, f"share {shares} basis points, more than {BASIS_POINTS}")
    return sponsors


def promotion_message(promotion: Promotion, directory: Directory, used_units: int) -> pb.Promotion:
    """A promotion on the wire; `used_units` of its budget."""
    message = pb.Promotion(
        name=promotion.name,
        kind=promotion.kind,  # type: ignore[arg-type]
        merchant="" if promotion.merchant_no is None else directory.merchants[promotion.merchant_no].name,
        currency=directory.currencies[promotion.currency_no].name,
        source_currency="" if promotion.source_no is None else directory.currencies[promotion.source_no].name,
        member_cap_units=promotion.member_cap_units,
        budget_units=promotion.budget_units,
        sponsors=[
            pb.PromotionSponsor(merchant=directory.merchants[merchant_no].name, share_bps=share)
            for merchant_no, share in promotion.sponsors
        ],
        effective_time=timestamp(promotion.effective_at),
        end_time=timestamp(promotion.ends_at),
        used_units=used_units,
        create_time=timestamp(promotion.created_at),
    )
    if promotion.bonus_bps:
        message.bonus_bps = promotion.bonus_bps
    else:
        message.bonus_units = promotion.bonus_units
    return message


def may_see(caller: Caller, promotion: Promotion, directory: Directory) -> bool:
    """Whoever awards under it, sponsors it or issues the bonus; and all that are no merchants."""
    issuer_no = directory.currencies[promotion.currency_no].issuer_no
    return caller.merchant_no is None or promotion.concerns(caller.merchant_no, issuer_no)


def write_bonuses(message: types.Transfer, bonuses: Sequence[Bonus], coalition: Coalition) -> None:
    """Put what promotions gave or got back into the message of a transfer."""
    for bonus in bonuses:
        one = message.promotions.add()
        one.promotion = coalition.promotion(bonus.promotion_no).name
        one.points.currency = coalition.directory.currencies[bonus.currency_no].name
        one.points.units = bonus.units


async def messages_of(
    connection: AsyncConnection, transfers: Sequence[Transfer], coalition: Coalition, caller: Caller
) -> list[types.Transfer]:
    """Transfers that were read, for a caller that may see them, with what promotions did in each."""
    bonuses: Mapping[UUID, Sequence[Bonus]] = {}
    if coalition.has_promotions:
        bonuses = await reads.bonuses(connection, transfers)
    linked = await _linked_members(connection, transfers, caller)
    messages = []
    for transfer in transfers:
        named = linked is None or asked_for(caller.merchant_no, transfer) or transfer.member_id in linked
        message = to_message(transfer, coalition.directory, caller, names_member=named)
        assert transfer.transfer_id is not None, "what was read has happened"
        write_bonuses(message, bonuses.get(transfer.transfer_id, ()), coalition)
        messages.append(message)
    return messages


async def _linked_members(
    connection: AsyncConnection, transfers: Sequence[Transfer], caller: Caller
) -> frozenset[UUID] | None:
    """Of the members in others' transfers those the caller has linked; None: it sees all."""
    if caller.merchant_no is None:
        return None
    others = {transfer.member_id for transfer in transfers if not asked_for(caller.merchant_no, transfer)}
    return await reads.linked_members(connection, caller.merchant_no, others) if others else frozenset()
