from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from exchange.directory.model import Directory, MerchantRole
from exchange.ledger.facts import MemberFacts
from exchange.ledger.legs import converted_pair, debited, returned
from exchange.ledger.model import (
    Account,
    DailyUse,
    Obligation,
    ObligationKind,
    PointsLeg,
    Posting,
    Progress,
    Side,
    Transfer,
    TransferKind,
)
from exchange.money.limits import INT64_MAX
from exchange.rates.model import Coalition
from exchange.refusals import AlreadyReversed, AmountOverflow, InsufficientPoints, NotReversible, ReversalExceeds
from exchange.reversal.carry import give_back
from exchange.reversal.model import Reverse

ROLES = {
    TransferKind.EARN: MerchantRole.EARNING,
    TransferKind.REDEEM: MerchantRole.REDEMPTION,
    TransferKind.CAMPAIGN: MerchantRole.REDEMPTION,
    TransferKind.CASH_OUT: MerchantRole.REDEMPTION,
    TransferKind.CAPTURE: MerchantRole.REDEMPTION,
    TransferKind.DISCOUNT: MerchantRole.DISCOUNT,
    TransferKind.CONVERT: MerchantRole.EXCHANGE,
}
"""Kinds that can be reversed, and the role that reverses them."""


def reverse(command: Reverse, facts: MemberFacts, coalition: Coalition) -> Posting:
    """Mirror a transfer at its original prices: cumulative parts add up to exactly one full reversal.

    Raises:
        NotReversible: a hold, a release, an expiry, a reversal; or part of a conversion.
        AlreadyReversed, ReversalExceeds: nothing, or less than asked, is left of it.
        InsufficientPoints: what an earn gave has ended, or is spent and the currency allows no negative balances; or
            what a conversion gave is no longer all there.
        RoleMissing, MerchantSuspended, CurrencySuspended: as for the original.
        AmountOverflow: a balance, or what a member owes, would pass 64 bits.
    """
    original = facts.originals[command.original]
    name = f"transfers/{command.original}"
    kind = TransferKind(original.kind)
    if kind not in ROLES:
        raise NotReversible(transfer=name, kind=kind.name)
    _require_parties(original, ROLES[kind], coalition.directory)
    total = moved_units(original)
    progress = facts.progress.get(command.original, Progress(0, ended=False))
    if progress.ended:
        raise AlreadyReversed(transfer=name)
    part = _part(command, total, progress.done_units, name)
    if original.earn_rule is not None:
        return _unspent(command, original, facts, coalition.directory, part)
    daily_use = None
    if kind is TransferKind.CONVERT:
        if part != total:
            raise NotReversible(transfer=name, kind="CONVERT in part")
        legs, daily_use = _unconverted(original, facts, coalition.directory), _unused_of_day(original, facts, coalition)
    elif not part:
        legs = []
    elif kind is TransferKind.EARN:
        legs, part = _taken_back(original, facts, coalition.directory, part, total - progress.done_units)
    else:
        legs = _given_back(original, facts, progress.done_units, part)
    done = progress.done_units + part
    return Posting(
        legs=legs,
        obligations=mirrored(original.obligations, progress.done_units, done, total),
        original_id=command.original,
        progress=Progress(done, ended=done == total),
        daily_use=daily_use,
        is_activity=False,
    )


def _unspent(command: Reverse, original: Transfer, facts: MemberFacts, directory: Directory, part: int) -> Posting:
    """An earn by spend: the points it made, if any, and what it did to the carry."""
    assert original.earn_rule is not None
    progress = facts.progress.get(command.original, Progress(0, ended=False))
    total = moved_units(original)
    rule = directory.earn_rules[original.earn_rule]
    back = give_back(command, original, total, progress, rule, facts.carried.get(rule.rule_id, 0))
    legs: list[PointsLeg] = []
    if part:
        try:
            legs, part = _taken_back(original, facts, directory, part, total - progress.done_units)
        except InsufficientPoints:
            if not back.spend.minor_units:
                raise
            # The points are let go; the money that was spent has come back all the same.
            part = 0
    done = progress.done_units + part
    return Posting(
        legs=legs,
        obligations=mirrored(original.obligations, progress.done_units, done, total),
        original_id=command.original,
        progress=Progress(
            done,
            ended=done == total and back.returned_minor == original.spend_minor,
            returned_minor=back.returned_minor,
            uncarried_minor=back.uncarried_minor,
        ),
        spend=back.spend,
        is_activity=False,
    )


def _require_parties(original: Transfer, role: MerchantRole, directory: Directory) -> None:
    merchant = directory.merchants[original.merchant_no]
    merchant.require_active()
    merchant.require_role(role)
    for leg in original.legs:
        currency = directory.currencies[leg.currency_no]
        currency.require_active()
        directory.merchants[currency.issuer_no].require_active()


def moved_units(original: Transfer) -> int:
    """Points the original moved, by which its parts are counted: those it burnt, or else made."""
    burnt = _sum(original, Side.CREDIT)
    return burnt or _sum(original, Side.DEBIT)


def _sum(original: Transfer, side: Side) -> int:
    return sum(leg.units for leg in original.legs if leg.account == Account.CIRCULATION and leg.side == side)


def _part(command: Reverse, total: int, done: int, name: str) -> int:
    """How many points this reversal mirrors; none when a small return changes nothing that a whole point could tell.

    Raises:
        ReversalExceeds: more than is left, or a share that keeps more than is left.
    """
    left = total - done
    if command.units is not None:
        if command.units > left:
            raise ReversalExceeds(transfer=name, left=left, requested=command.units)
        return command.units
    if command.retained is not None:
        entitled = total * command.retained.kept // command.retained.total
        if entitled > left:
            raise ReversalExceeds(transfer=name, left=left, requested=entitled)
        return left - entitled
    return left


def _taken_back(
    original: Transfer, facts: MemberFacts, directory: Directory, part: int, left: int
) -> tuple[list[PointsLeg], int]:
    """An earn: its own lot first, then others; what is missing is owed where the currency allows it, else let go.

    What ended unused is nobody's to give back, and its funder has had its share.
    """
    given = next(leg for leg in original.legs if leg.account == Account.MEMBER and leg.side == Side.CREDIT)
    assert given.lot_id is not None
    currency = directory.currencies[given.currency_no]
    account = facts.accounts[given.currency_no]
    reversible = max(left - facts.unused_of(account.known[given.lot_id]), 0)
    if not reversible:
        raise InsufficientPoints(currency=currency.name, available=0, requested=part)
    part = min(part, reversible)
    taken, missing = account.take_up_to(part, first=given.lot_id)
    if currency.negative_balances:
        if account.overdrawn + missing > INT64_MAX:
            raise AmountOverflow(figure="balance", balance=account.available, debit=part)
        return debited(currency.number, taken, overdrawn=missing), part
    if not taken:
        raise InsufficientPoints(currency=currency.name, available=0, requested=part)
    return debited(currency.number, taken), part - missing


def _given_back(original: Transfer, facts: MemberFacts, done: int, part: int) -> list[PointsLeg]:
    """Spent points go back to the very lots they came from: what was spent last returns first."""
    number = original.legs[0].currency_no
    # A capture burns what was held; what it took from the member went to what the member owed.
    taken_from = Account.HELD if original.kind == TransferKind.CAPTURE else Account.MEMBER
    burnt: list[tuple[UUID, int]] = [
        (leg.lot_id, leg.units)
        for leg in original.legs
        if leg.account == taken_from and leg.side == Side.DEBIT and leg.lot_id is not None
    ]
    # It also gave back what it did not need: that was no use of points.
    kept = {leg.lot_id: leg.units for leg in original.legs if leg.account == Account.MEMBER and leg.side == Side.CREDIT}
    burnt = _without(burnt, kept)
    lots, skip, wanted = [], done, part
    for lot_id, units in reversed(burnt):
        there = max(units - skip, 0)
        skip = max(skip - units, 0)
        take = min(there, wanted)
        wanted -= take
        if take:
            lots.append((lot_id, take))
    account = facts.accounts[number]
    account.require_room(part)
    return returned(number, lots, account)


def _without(debits: Sequence[tuple[UUID, int]], given: dict[UUID | None, int]) -> list[tuple[UUID, int]]:
    left = dict(given)
    found = []
    for lot_id, units in debits:
        back = min(left.get(lot_id, 0), units)
        left[lot_id] = left.get(lot_id, 0) - back
        if units > back:
            found.append((lot_id, units - back))
    return found


def _unconverted(original: Transfer, facts: MemberFacts, directory: Directory) -> list[PointsLeg]:
    """A conversion, whole: the minted lot must be all there; the burnt lots get theirs back."""
    minted = next(leg for leg in original.legs if leg.account == Account.MEMBER and leg.side == Side.CREDIT)
    assert minted.lot_id is not None
    lot = facts.accounts[minted.currency_no].known[minted.lot_id]
    spendable = lot in facts.accounts[minted.currency_no].lots
    if lot.remaining != minted.units or not spendable:
        currency = directory.currencies[minted.currency_no]
        available = lot.remaining if spendable else 0
        raise InsufficientPoints(currency=currency.name, available=available, requested=minted.units)
    burnt = [
        (leg.lot_id, leg.units)
        for leg in original.legs
        if leg.account == Account.MEMBER and leg.side == Side.DEBIT and leg.lot_id is not None
        and leg.currency_no != minted.currency_no
    ]  # fmt: skip
    source_no = next(leg.currency_no for leg in original.legs if leg.currency_no != minted.currency_no)
    source = facts.accounts[source_no]
    source.require_room(sum(units for _, units in burnt))
    return debited(minted.currency_no, [(lot, minted.units)]) + returned(source_no, burnt, source)


def _unused_of_day(original: Transfer, facts: MemberFacts, coalition: Coalition) -> DailyUse | None:
    """What the member's daily cap is given back; of a day that has passed nothing is left to give."""
    pair = converted_pair(original)
    used = facts.daily_used.get(pair)
    if used is None or original.occurred_at.astimezone(coalition.time_zone).date() != facts.today:
        return None
    return DailyUse(*pair, facts.today, max(used - _sum(original, Side.CREDIT), 0))


def mirrored(obligations: Sequence[Obligation], before: int, after: int, total: int) -> list[Obligation]:
    """Each obligation the other way round, for the part between two cumulative counts of points.

    Priced ones are points x price; others share their amount so that all parts together are exactly the whole.
    """
    mirrored = []
    for owed in obligations:
        micros = owed.micros * after // total - owed.micros * before // total
        if micros:
            # Of a conversion the points priced are those minted, and it is reversed whole.
            whole = after - before == total
            points = owed.points_units if whole else after - before if owed.points_units == total else 0
            mirrored.append(
                Obligation(
                    ObligationKind.REVERSAL,
                    owed.creditor_no,
                    owed.debtor_no,
                    owed.currency_code,
                    micros,
                    points,
                    owed.price_micros if points else 0,
                )
            )
    return mirrored
