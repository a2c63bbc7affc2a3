from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from exchange.external.model import CallOff, Complete
from exchange.ledger.external import Begun, Ended
from exchange.ledger.facts import MemberFacts
from exchange.ledger.legs import captured, credited, held, released
from exchange.ledger.model import (
    Account,
    Command,
    DailyUse,
    MemberCommand,
    NewLot,
    PointsLeg,
    Posting,
    Progress,
    Side,
    Transfer,
    TransferKind,
)
from exchange.ledger.quote import Terms
from exchange.quotes.rules import obligations
from exchange.rates.model import Coalition
from exchange.refusals import AmountOverflow, ExternallyKept, InsufficientPoints, NotLinkedToIssuer


class NoRoomYet(Exception):
    """A balance is so full that a conversion cannot be completed now. No refusal: its issuer has moved already."""


def begin(
    command: MemberCommand,
    terms: Terms,
    daily_use: DailyUse | None,
    tier: str,
    facts: MemberFacts,
    coalition: Coalition,
) -> Posting:
    """Begin a conversion with a currency whose issuer keeps the balances: its terms are frozen from here on.

    Source points kept here are reserved; of a source kept elsewhere nothing moves until its issuer has taken them. What
    could not be owed in the end is not begun, and it counts against net debit caps from now on. Promotions have no part
    in it.

    Raises:
        ExternallyKept: source and target are both kept elsewhere.
        NotLinkedToIssuer: the issuer would not know whose points it is asked for.
        InsufficientPoints: fewer points are spendable than asked, or than the quote uses.
        AmountOverflow: a balance or money would pass 64 bits.
    """
    directory = coalition.directory
    source, target = directory.currencies[terms.source_no], directory.currencies[terms.target_no]
    is_debit = source.number in coalition.keepers
    if is_debit and target.number in coalition.keepers:
        raise ExternallyKept(currency=target.name)
    external = source if is_debit else target
    reference = facts.notes.references.get(external.issuer_no)
    if reference is None:
        raise NotLinkedToIssuer(currency=external.name, issuer=directory.merchants[external.issuer_no].name)
    promised = obligations(terms, directory)
    legs: list[PointsLeg] = []
    if is_debit:
        facts.accounts[target.number].require_room(terms.received_units)
    else:
        account, needed = facts.accounts[source.number], command.units or terms.used_units
        if account.spendable < needed:
            raise InsufficientPoints(currency=source.name, available=account.spendable, requested=needed)
        legs = held(source.number, account.take(source.code, terms.used_units))
    return Posting(
        legs=legs,
        kind=TransferKind.CONVERSION_BEGUN,
        daily_use=daily_use,
        progress=Progress(0, ended=False),
        promised=promised,
        quote_id=command.quote,
        tier=tier,
        external=Begun(
            command.merchant_no,
            external.number,
            external.issuer_no,
            is_debit,
            reference,
            directory.external_ledgers[external.number].answer_seconds,
            terms,
        ),
    )


def complete(command: Complete, facts: MemberFacts, coalition: Coalition) -> Posting:
    """Take what was reserved, or mint what is received, and note who owes whom by the frozen terms.

    Nothing that has changed since it was begun stops it, no suspension either: the issuer has moved its side.

    Raises:
        NoRoomYet: what is received would pass 64 bits with what the member has been given meanwhile.
    """
    original = _begun(command.original, facts)
    directory, terms = coalition.directory, command.terms
    new_lots: list[NewLot] = []
    if command.is_debit:
        target, account = directory.currencies[terms.target_no], facts.accounts[terms.target_no]
        try:
            account.require_room(terms.received_units)
        except AmountOverflow as overflow:
            raise NoRoomYet(f"transfers/{command.original}") from overflow
        lot = NewLot(
            target.number,
            terms.received_units,
            directory.currencies[terms.source_no].issuer_no,
            terms.in_price_micros,
            target.expiry_of_lot(facts.now, coalition.time_zone),
        )
        legs, new_lots = credited(lot, account), [lot]
    else:
        legs = captured(terms.source_no, _reserved(original))
    owed = obligations(terms, directory)
    return Posting(
        legs=legs,
        new_lots=new_lots,
        obligations=owed,
        freed=owed,
        original_id=command.original,
        progress=Progress(0 if command.is_debit else terms.used_units, ended=True),
        external=Ended(command.original, command.is_debit, terms, completed=True),
    )


def call_off(command: CallOff, facts: MemberFacts, coalition: Coalition) -> Posting:
    """Give back what was reserved, and to the daily cap what was counted, if it was today."""
    original = _begun(command.original, facts)
    terms = command.terms
    used = facts.notes.daily_used.get(command.pair)
    daily_use = None
    if used is not None and original.occurred_at.astimezone(coalition.time_zone).date() == facts.today:
        daily_use = DailyUse(*command.pair, facts.today, max(used - terms.used_units, 0))
    legs: list[PointsLeg] = []
    if original.legs:
        legs = released(terms.source_no, _reserved(original), facts.accounts[terms.source_no])
    return Posting(
        legs=legs,
        daily_use=daily_use,
        freed=obligations(terms, coalition.directory),
        original_id=command.original,
        progress=Progress(0, ended=True),
        is_activity=False,
        external=Ended(command.original, command.is_debit, terms, completed=False),
    )


def require_kept_here(command: Command, coalition: Coalition) -> None:
    """Refuse whatever but a conversion is asked of a currency that its issuer keeps itself.

    Raises:
        ExternallyKept: it is.
    """
    if not isinstance(command, MemberCommand) or command.kind is TransferKind.CONVERT:
        return
    if command.spend_rule is not None:
        number = coalition.earn_rule_currency_no(command.spend_rule)
    else:
        number = coalition.currency_no(command.currency)
    if number is not None and number in coalition.keepers:
        raise ExternallyKept(currency=coalition.directory.currencies[number].name)


def require_moves_here(posting: Posting, coalition: Coalition) -> None:
    """Refuse a posting that would move points of a currency its issuer keeps, as the undoing of an old movement would.

    Raises:
        ExternallyKept: it would.
    """
    for leg in posting.legs:
        if leg.currency_no in coalition.keepers:
            raise ExternallyKept(currency=coalition.directory.currencies[leg.currency_no].name)


def _begun(transfer_id: UUID, facts: MemberFacts) -> Transfer:
    original, progress = facts.notes.originals[transfer_id], facts.notes.progress.get(transfer_id)
    assert original.kind == TransferKind.CONVERSION_BEGUN, "only what was begun is ended"
    assert progress is not None, "what is begun has a progress"
    assert not progress.ended, "the key of its end is one for ever"
    return original


def _reserved(original: Transfer) -> Sequence[tuple[UUID, int]]:
    """The lots a conversion reserved, in the order it took them."""
    return [
        (leg.lot_id, leg.units)
        for leg in original.legs
        if leg.account == Account.HELD and leg.side == Side.CREDIT and leg.lot_id is not None
    ]
