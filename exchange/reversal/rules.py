from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from exchange.directory.model import Directory, MerchantRole
from exchange.ledger.bonus_lots import take_each
from exchange.ledger.bonuses import GivenBonus
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
from exchange.promotions.rules import given_in, return_bonuses
from exchange.rates.model import Coalition
from exchange.refusals import AlreadyReversed, AmountOverflow, InsufficientPoints, NotReversible
from exchange.reversal.carry import give_back
from exchange.reversal.model import Reverse
from exchange.reversal.parts import Back, bonuses_back, part_of

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
    original = facts.notes.originals[command.original]
    name = f"transfers/{command.original}"
    kind = TransferKind(original.kind)
    if kind not in ROLES:
        raise NotReversible(transfer=name, kind=kind.name)
    _require_parties(original, ROLES[kind], coalition.directory)
    bonuses = given_in(facts, command.original)
    total = moved_units(original, bonuses)
    progress = facts.notes.progress.get(command.original, Progress(0, ended=False))
    if progress.ended:
        raise AlreadyReversed(transfer=name)
    part = part_of(command, total, progress.done_units, name)
    back = bonuses_back(command, bonuses, total, progress.done_units)
    if original.earn_rule is not None:
        return _unspent(command, original, facts, coalition, part, back)
    daily_use = None
    if kind is TransferKind.CONVERT:
        if part != total:
            raise NotReversible(transfer=name, kind="CONVERT in part")
        legs = _unconverted(original, facts, coalition.directory, back)
        daily_use = _unused_of_day(original, facts, coalition)
    elif not part and not any(units for _, units in back):
        legs = []
    elif kind is TransferKind.EARN:
        left = total - progress.done_units
        legs, part, back = _taken_back(original, facts, coalition.directory, part, left, back)
    else:
        legs = _given_back(original, facts, progress.done_units, part)
    done = progress.done_units + part
    posting = Posting(
        legs=legs,
        obligations=mirrored(original.obligations, progress.done_units, done, total),
        original_id=command.original,
        progress=Progress(done, ended=done == total and all(bonus.left == units for bonus, units in back)),
        daily_use=daily_use,
        is_activity=False,
    )
    return return_bonuses(posting, back, facts, coalition.directory, coalition.promotions) if back else posting


def _unspent(
    command: Reverse, original: Transfer, facts: MemberFacts, coalition: Coalition, part: int, bonuses: Back
) -> Posting:
    """An earn by spend: the points it made, if any, with their bonuses, and what it did to the carry."""
    assert original.earn_rule is not None
    directory = coalition.directory
    progress = facts.notes.progress.get(command.original, Progress(0, ended=False))
    total = moved_units(original, [bonus for bonus, _ in bonuses])
    rule = directory.earn_rules[original.earn_rule]
    back = give_back(command, original, total, progress, rule, facts.notes.carried.get(rule.rule_id, 0))
    legs: list[PointsLeg] = []
    if part or any(units for _, units in bonuses):
        try:
            left = total - progress.done_units
            legs, part, bonuses = _taken_back(original, facts, directory, part, left, bonuses)
        except InsufficientPoints:
            if not back.spend.minor_units:
                raise
            # The points are let go; the money that was spent has come back all the same.
            part, bonuses = 0, [(bonus, 0) for bonus, _ in bonuses]
    done = progress.done_units + part
    all_back = done == total and all(bonus.left == units for bonus, units in bonuses)
    posting = Posting(
        legs=legs,
        obligations=mirrored(original.obligations, progress.done_units, done, total),
        original_id=command.original,
        progress=Progress(
            done,
            ended=all_back and back.returned_minor == original.spend_minor,
            returned_minor=back.returned_minor,
            uncarried_minor=back.uncarried_minor,
        ),
        spend=back.spend,
        is_activity=False,
    )
    return return_bonuses(posting, bonuses, facts, directory, coalition.promotions) if bonuses else posting


def _require_parties(original: Transfer, role: MerchantRole, directory: Directory) -> None:
    merchant = directory.merchants[original.merchant_no]
    merchant.require_active()
    merchant.require_role(role)
    for leg in original.legs:
        currency = directory.currencies[leg.currency_no]
        currency.require_active()
        directory.merchants[currency.issuer_no].require_active()


def moved_units(original: Transfer, bonuses: Sequence[GivenBonus] = ()) -> int:
    """Points the original moved, by which its parts are counted: those it burnt, or else made without bonuses."""
    burnt = _sum(original, Side.CREDIT)
    return burnt or _sum(original, Side.DEBIT) - sum(bonus.units for bonus in bonuses)


def _sum(original: Transfer, side: Side) -> int:
    return sum(leg.units for leg in original.legs if leg.account == Account.CIRCULATION and leg.side == side)


def _taken_back(
    original: Transfer, facts: MemberFacts, directory: Directory, part: int, left: int, back: Back
) -> tuple[list[PointsLeg], int, Back]:
    """An earn and its bonuses: each its own lot first, then others; then what went back of the earn and of each.

    What is missing is owed where the currency allows it, else let go. What ended unused is nobody's to give back, and
    its funders have had their share.
    """
    given = next(leg for leg in original.legs if leg.account == Account.MEMBER and leg.side == Side.CREDIT)
    assert given.lot_id is not None
    currency = directory.currencies[given.currency_no]
    account = facts.accounts[given.currency_no]
    asked = part + sum(units for _, units in back)
    wishes = [(given.lot_id, min(part, max(left - facts.unused_of(account.known[given.lot_id]), 0)))]
    wishes += [
        (bonus.lot_id, min(units, max(bonus.left - facts.unused_of(account.known[bonus.lot_id]), 0)))
        for bonus, units in back
    ]
    wanted = sum(units for _, units in wishes)
    taken, got = take_each(account.lots, wishes)
    if currency.negative_balances and wanted:
        missing = wanted - sum(got)
        if account.overdrawn + missing > INT64_MAX:
            raise AmountOverflow(figure="balance", balance=account.available, debit=asked)
        legs, got = debited(currency.number, taken, overdrawn=missing), [units for _, units in wishes]
    elif taken:
        legs = debited(currency.number, taken)
    else:
        raise InsufficientPoints(currency=currency.name, available=0, requested=asked)
    return legs, got[0], [(bonus, units) for (bonus, _), units in zip(back, got[1:], strict=True)]


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


def _unconverted(original: Transfer, facts: MemberFacts, directory: Directory, back: Back) -> list[PointsLeg]:
    """A conversion, whole: the minted lot and its bonuses must be all there; the burnt lots get theirs back."""
    minted = next(leg for leg in original.legs if leg.account == Account.MEMBER and leg.side == Side.CREDIT)
    assert minted.lot_id is not None
    wishes = [(minted.lot_id, minted.units), *((bonus.lot_id, units) for bonus, units in back)]
    there = {lot.lot_id: lot for lot in facts.accounts[minted.currency_no].lots}
    lots = [(there[lot_id], units) for lot_id, units in wishes if lot_id in there]
    available, wanted = sum(lot.remaining for lot, _ in lots), sum(units for _, units in wishes)
    if available != wanted:
        currency = directory.currencies[minted.currency_no]
        raise InsufficientPoints(currency=currency.name, available=available, requested=wanted)
    burnt = [
        (leg.lot_id, leg.units)
        for leg in original.legs
        if leg.account == Account.MEMBER and leg.side == Side.DEBIT and leg.lot_id is not None
        and leg.currency_no != minted.currency_no
    ]  # fmt: skip
    source_no = next(leg.currency_no for leg in original.legs if leg.currency_no != minted.currency_no)
    source = facts.accounts[source_no]
    source.require_room(sum(units for _, units in burnt))
    return debited(minted.currency_no, lots) + returned(source_no, burnt, source)


def _unused_of_day(original: Transfer, facts: MemberFacts, coalition: Coalition) -> DailyUse | None:
    """What the member's daily cap is given back; of a day that has passed nothing is left to give."""
    pair = converted_pair(original)
    used = facts.notes.daily_used.get(pair)
    if used is None or original.occurred_at.astimezone(coalition.time_zone).date() != facts.today:
        return None
    return DailyUse(*pair, facts.today, max(used - _sum(original, Side.CREDIT), 0))


def mirrored(obligations: Sequence[Obligation], before: int, after: int, total: int) -> list[Obligation]:
    """Each obligation the other way round, for the part between two cumulative counts of points.

    Priced ones are points x price; others share their amount so that all parts together are exactly the whole. What
    sponsors owe follows their bonuses.
    """
    mirrored = []
    for owed in obligations:
        if owed.kind == ObligationKind.PROMOTION:
            continue
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
