"""The order in which losses are borne and repaid, and a run netted again without one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from exchange.money.rounding import apportioned
from settlement.defaults.model import (
    PURPOSE_OF,
    Bearer,
    Change,
    Claim,
    Layer,
    Loss,
    Recast,
    Reduction,
    Stake,
    Standing,
    Take,
    Waterfall,
)
from settlement.funds.model import BPS, Account, Book, CurrencyTerms, Posting, Purpose, Residual, Way
from settlement.run.model import CurrencyResult
from settlement.run.rules import Inputs, calculate

OWN = (Layer.OWN_PREFUNDING, Layer.OWN_COLLATERAL, Layer.OWN_GUARANTEE)


def waterfall(
    defaulter: str, loss: int, book: Book, terms: CurrencyTerms, operator: str, bearers: Sequence[Bearer]
) -> Waterfall:
    """Cover a loss: the defaulter's own money, then the operator's layer, then the others in proportion, then bearers.

    No layer is touched before those above it are empty, and nobody gives more than may be taken of it. Shares are
    whole minor units, what is left over by rounding down goes to the largest remainders, the first by name of equal
    ones.

    Args:
        defaulter: who does not pay.
        loss: what it was to pay, minor units.
        book: the funds as they are.
        terms: caps of contributions, and who bears the rest.
        operator: whose layer stands between.
        bearers: who may be made to bear the rest in proportion, each once; `settlement.defaults.bearing` tells.
    """
    left, takes = loss, []
    for layer in (*OWN, Layer.OPERATOR):
        name = operator if layer is Layer.OPERATOR else defaulter
        holds = book.get((terms.currency, Account(name, PURPOSE_OF[layer])), 0)
        taken = min(left, holds)
        takes.append(Take(layer, name, holds, holds, taken))
        left -= taken
    others = {
        account.participant: holds
        for (currency, account), holds in sorted(book.items())
        if currency == terms.currency and account.purpose is Purpose.GUARANTEE and account.participant != defaulter
    }
    at_most = {name: holds * terms.contribution_cap_bps // BPS for name, holds in others.items()}
    shares = shared(left, at_most)
    takes += [Take(Layer.OTHERS_GUARANTEE, name, others[name], at_most[name], shares[name]) for name in others]
    left -= sum(shares.values())
    if terms.residual is not Residual.CREDITORS:
        return Waterfall(terms.currency, loss, takes, {}, left)
    bearing = shared(left, {one.participant: one.at_most for one in sorted(bearers)})
    allocated = {name: amount for name, amount in bearing.items() if amount}
    reductions = [
        Reduction(one.leg_no, one.participant, one.from_attempt, allocated[one.participant])
        for one in sorted(bearers, key=lambda one: one.leg_no)
        if one.leg_no and one.participant in allocated
    ]
    return Waterfall(terms.currency, loss, takes, allocated, left - sum(allocated.values()), reductions)


def stakes_of(fall: Waterfall, defaulter: str) -> list[Stake]:
    """Who bears what of a loss beside the defaulter: whoever stood in last is repaid first.

    The defaulter's own money paid its own debt, and is nobody's stake.
    """
    cover = Stake(1, defaulter, Purpose.DEFAULT_COVER, fall.uncovered, 0)
    creditors = [Stake(2, name, Purpose.LOSS_REPAID, amount, 0) for name, amount in fall.borne.items()]
    turns = {Layer.OTHERS_GUARANTEE: 3, Layer.OPERATOR: 4}
    others = [
        Stake(turns[take.layer], take.participant, PURPOSE_OF[take.layer], take.taken, 0)
        for take in fall.takes
        if take.layer in turns and take.taken
    ]
    return [cover, *sorted(creditors), *sorted(others)]


def repaid(stakes: Sequence[Stake], amount: int) -> list[Stake]:
    """The stakes after so much came back: turn by turn, of one turn in proportion to what is left, to the unit.

    What was written off comes back after everything that is still claimed, in the same order. `amount` is no more than
    both together.
    """
    claimed = _by_turn(stakes, [one.left for one in stakes], amount)
    written_off = _by_turn(stakes, [one.written_off for one in stakes], amount - sum(claimed))
    left = amount - sum(claimed) - sum(written_off)
    assert left == 0, f"{left} of {amount} is nobody's"
    return [
        one._replace(repaid=one.repaid + own + again, written_off=one.written_off - again)
        for one, own, again in zip(stakes, claimed, written_off, strict=True)
    ]


def given_up(stakes: Sequence[Stake], amount: int) -> list[Loss]:
    """Whose loss is final when so much is claimed no more: whoever would be repaid last, first.

    What the run lacks is not given up: nobody bears it yet. `amount` is no more than what is left of the others.
    """
    limits = [0 if one.purpose is Purpose.DEFAULT_COVER else one.left for one in stakes]
    parts = _by_turn(stakes, limits, amount, last_first=True)
    assert sum(parts) == amount, f"{amount - sum(parts)} of {amount} is nobody's"
    found = zip(stakes, parts, strict=True)
    return [Loss(one.participant, one.purpose, part) for one, part in reversed(list(found)) if part]


def without_losses(stakes: Sequence[Stake], losses: Sequence[Loss]) -> list[Stake]:
    """The stakes after these were written off."""
    of = {(one.participant, one.purpose): one.minor_units for one in losses}
    return [one._replace(written_off=one.written_off + of.get((one.participant, one.purpose), 0)) for one in stakes]


def revived(claim: Claim, amount: int) -> list[Loss]:
    """What of so much that came back had been written off."""
    after = repaid(claim.stakes, amount)
    return [
        Loss(old.participant, old.purpose, old.written_off - new.written_off)
        for old, new in zip(claim.stakes, after, strict=True)
        if new.written_off < old.written_off
    ]


def _by_turn(stakes: Sequence[Stake], limits: Sequence[int], amount: int, *, last_first: bool = False) -> list[int]:
    """Parts of an amount by stake: turn by turn, of one turn in proportion to its limits, none above its own."""
    parts = [0] * len(stakes)
    for turn in sorted({one.turn for one in stakes}, reverse=last_first):
        own = [place for place, one in enumerate(stakes) if one.turn == turn]
        shares = shared(amount - sum(parts), {stakes[place].participant: limits[place] for place in own})
        for place in own:
            parts[place] = shares[stakes[place].participant]
    return parts


def repayments(claim: Claim, amount: int, operator: str) -> list[Posting]:
    """What is posted when so much came back from a defaulter; nobody gets more than it gave."""
    at_bank, claimed = Account(operator, Purpose.CLEARING_ACCOUNT), Account(claim.participant, Purpose.DEFAULT_CLAIM)
    after = repaid(claim.stakes, amount)
    gains = [(new, new.repaid - old.repaid) for old, new in zip(claim.stakes, after, strict=True)]
    money = [
        Posting(Way.RECOVERY, claim.currency, at_bank, Account(one.participant, one.purpose), gain)
        for one, gain in gains
        if gain
    ]
    relief = [
        Posting(Way.RELIEF, claim.currency, claimed, Account(one.participant, Purpose.LOSS_BORNE), gain)
        for one, gain in gains
        if gain and one.purpose is Purpose.LOSS_REPAID
    ]
    no_more = Account(claim.participant, Purpose.CLAIM_WRITTEN_OFF)
    return [
        *money,
        *relief,
        *(
            Posting(
                Way.REVIVAL,
                claim.currency,
                no_more,
                Account(one.participant, Purpose.LOSS_WRITTEN_OFF),
                one.minor_units,
            )
            for one in revived(claim, amount)
        ),
    ]


def shared(amount: int, limits: Mapping[str, int]) -> dict[str, int]:
    """An amount in proportion to limits nobody exceeds; all of every limit when they do not reach."""
    whole = sum(limits.values())
    if whole <= amount:
        return dict(limits)
    return dict(zip(limits, apportioned(amount, list(limits.values())), strict=True))


def paid_to(one: CurrencyResult) -> dict[str, int]:
    """What a run pays to whom."""
    found: dict[str, int] = {}
    for payment in one.payments:
        found[payment.payee] = found.get(payment.payee, 0) + payment.amount
    return found


def to_pay(one: CurrencyResult, name: str) -> int:
    """What a run has somebody pay."""
    return sum(payment.amount for payment in one.payments if payment.payer == name)


def without(inputs: Inputs, name: str) -> list[CurrencyResult]:
    """A run netted again with everything of one participant held."""
    excluded = tuple(sorted({*inputs.configuration.excluded, name}))
    return calculate(replace(inputs, configuration=replace(inputs.configuration, excluded=excluded)))


def recast(inputs: Inputs, defaulter: str) -> Recast:
    """What changes for everybody else when a run is netted without the defaulter. Nothing of it is ever posted."""
    before = {one.currency: one for one in calculate(inputs)}
    after = {one.currency: one for one in without(inputs, defaulter)}
    changes: dict[str, list[Change]] = {}
    for currency in sorted(before.keys() | after.keys()):
        sides = before.get(currency), after.get(currency)
        names = {position.participant for one in sides if one for position in one.positions}
        changes[currency] = [
            Change(name, *(_standing(one, name) if one else NOBODY for one in sides))
            for name in sorted(names - {defaulter})
        ]
    return Recast(defaulter, changes)


NOBODY = Standing(0, 0, 0, 0)
"""What somebody has in a currency that is not there."""


def _standing(one: CurrencyResult, name: str) -> Standing:
    positions = [position for position in one.positions if position.participant == name]
    return Standing(
        pays=to_pay(one, name),
        receives=paid_to(one).get(name, 0),
        held_payable=sum(position.held_payable for position in positions),
        held_receivable=sum(position.held_receivable for position in positions),
    )
