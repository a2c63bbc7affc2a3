from __future__ import annotations

from uuid import UUID

from exchange.directory.model import Currency, MerchantRole
from exchange.directory.pricing import owed
from exchange.holds.model import Capture, Hold, Release
from exchange.ledger.facts import MemberFacts
from exchange.ledger.legs import captured, held, released
from exchange.ledger.model import (
    Account,
    Obligation,
    ObligationKind,
    Posting,
    Progress,
    Side,
    Transfer,
    TransferKind,
)
from exchange.rates.model import Coalition
from exchange.refusals import CaptureExceedsHold, HoldEnded, HoldLapsed, NothingDue, ResourceNotFound


def hold(command: Hold, facts: MemberFacts, coalition: Coalition) -> Posting:
    """Reserve the lots a redemption would take now, and freeze the redeem price it would be owed at.

    Raises:
        RoleMissing: the merchant is no redemption merchant.
        MerchantSuspended, CurrencySuspended, ResourceNotFound, NoPrice, InsufficientPoints: as a redemption.
        AmountOverflow: the whole hold captured would be owed more than 64 bits.
    """
    directory = coalition.directory
    merchant = directory.merchants[command.merchant_no]
    currency = directory.currency(command.currency, "points.currency")
    issuer = directory.merchants[currency.issuer_no]
    merchant.require_active()
    merchant.require_role(MerchantRole.REDEMPTION)
    currency.require_active()
    issuer.require_active()
    price = currency.price_at(facts.now, "redeem").redeem_micros
    # What could not be owed must not be promised.
    promised = owed(
        ObligationKind.REDEEM,
        debtor_no=issuer.number,
        creditor_no=merchant.number,
        currency=currency,
        units=command.units,
        price_micros=price,
    )
    taken = facts.accounts[currency.number].take(currency.code, command.units)
    return Posting(
        legs=held(currency.number, taken),
        progress=Progress(0, ended=False, lapses_at=facts.now + command.lifetime),
        frozen_price_micros=price,
        promised=promised,
    )


def capture(command: Capture, facts: MemberFacts, coalition: Coalition) -> Posting:
    """Burn what is taken, in the order it was reserved, owed at the frozen price; the rest goes back to its lots.

    Raises:
        ResourceNotFound: the transfer is no hold.
        HoldEnded, HoldLapsed: there is nothing left to take, or it is too late: at the very instant of expiry it is.
        CaptureExceedsHold: more than was reserved.
        RoleMissing, MerchantSuspended, CurrencySuspended: as a redemption.
    """
    original, progress = _hold(command.original, facts)
    assert progress.lapses_at is not None, "every hold has its time"
    # A hold that the exchange has given back meanwhile is late for the same reason as one it has not.
    if progress.lapsed or (progress.lapses_at <= facts.now and not progress.ended):
        raise HoldLapsed(hold=f"transfers/{command.original}", expired=progress.lapses_at.isoformat())
    if progress.ended:
        raise HoldEnded(hold=f"transfers/{command.original}")
    lots = _held_lots(original)
    reserved = sum(units for _, units in lots)
    wanted = reserved if command.units is None else command.units
    if wanted > reserved:
        raise CaptureExceedsHold(hold=f"transfers/{command.original}", held=reserved, requested=wanted)

    directory = coalition.directory
    merchant = directory.merchants[original.merchant_no]
    currency = directory.currencies[original.legs[0].currency_no]
    issuer = directory.merchants[currency.issuer_no]
    merchant.require_active()
    merchant.require_role(MerchantRole.REDEMPTION)
    currency.require_active()
    issuer.require_active()
    taken, rest = _parted(lots, wanted)
    assert original.frozen_price_micros is not None, "a hold freezes a price"
    return Posting(
        legs=captured(currency.number, taken) + released(currency.number, rest, facts.accounts[currency.number]),
        obligations=owed(
            ObligationKind.REDEEM,
            debtor_no=issuer.number,
            creditor_no=merchant.number,
            currency=currency,
            units=wanted,
            price_micros=original.frozen_price_micros,
        ),
        original_id=command.original,
        progress=Progress(wanted, ended=True, lapses_at=progress.lapses_at),
        freed=_promised(original, currency),
    )


def release(command: Release, facts: MemberFacts, coalition: Coalition) -> Posting:
    """Give everything back to its lots. A suspended merchant may: it only helps the member.

    Raises:
        ResourceNotFound: the transfer is no hold.
        HoldEnded: nothing is reserved any more.
        NothingDue: a lapse whose time has not come, as after a clock was put right.
    """
    original, progress = _hold(command.original, facts)
    if progress.ended:
        raise HoldEnded(hold=f"transfers/{command.original}")
    number = original.legs[0].currency_no
    if command.lapsed and (progress.lapses_at is None or progress.lapses_at > facts.now):
        # Not kept under the key: the hold's only lapse would be refused for ever.
        raise NothingDue(currency=coalition.directory.currencies[number].name)
    return Posting(
        legs=released(number, _held_lots(original), facts.accounts[number]),
        original_id=command.original,
        progress=Progress(0, ended=True, lapses_at=progress.lapses_at, lapsed=command.lapsed),
        is_activity=False,
        freed=_promised(original, coalition.directory.currencies[number]),
    )


def _promised(original: Transfer, currency: Currency) -> list[Obligation]:
    """What would have been owed had the whole hold been captured."""
    assert original.frozen_price_micros is not None, "a hold freezes a price"
    return owed(
        ObligationKind.REDEEM,
        debtor_no=currency.issuer_no,
        creditor_no=original.merchant_no,
        currency=currency,
        units=sum(units for _, units in _held_lots(original)),
        price_micros=original.frozen_price_micros,
    )


def _hold(transfer_id: UUID, facts: MemberFacts) -> tuple[Transfer, Progress]:
    original = facts.notes.originals[transfer_id]
    progress = facts.notes.progress.get(transfer_id)
    if original.kind != TransferKind.HOLD or progress is None:
        raise ResourceNotFound(resource=f"transfers/{transfer_id}", field="hold")
    return original, progress


def _held_lots(original: Transfer) -> list[tuple[UUID, int]]:
    """The lots a hold reserved, in the order it took them."""
    return [
        (leg.lot_id, leg.units)
        for leg in original.legs
        if leg.account == Account.HELD and leg.side == Side.CREDIT and leg.lot_id is not None
    ]


def _parted(lots: list[tuple[UUID, int]], wanted: int) -> tuple[list[tuple[UUID, int]], list[tuple[UUID, int]]]:
    """The first `wanted` points of the lots, and the rest."""
    taken, rest = [], []
    for lot_id, units in lots:
        part = min(units, wanted)
        wanted -= part
        if part:
            taken.append((lot_id, part))
        if units > part:
            rest.append((lot_id, units - part))
    return taken, rest
