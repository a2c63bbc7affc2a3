"""Daily limits while a batch is decided: points a member is given or uses, and points made of a currency.

Counted by the coalition's day, and only of currencies with such a limit. What a member did is guarded by the lock on
its account; what was made of a currency is a row of its own, locked after budgets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from exchange.ledger.external import Begun, Ended
from exchange.ledger.facts import MemberFacts
from exchange.ledger.model import OWN_REQUESTS, Account, Command, Posting, Side, Transfer, TransferKind
from exchange.money.limits import INT64_MAX
from exchange.refusals import IssuanceLimitExceeded, MemberLimitExceeded

SPENDING: Final = frozenset(
    {
        TransferKind.REDEEM,
        TransferKind.DISCOUNT,
        TransferKind.CAMPAIGN,
        TransferKind.CASH_OUT,
        TransferKind.CONVERT,
    }
)
"""Kinds by which a member uses points at once; points on hold are used from the hold on."""
ISSUING: Final = frozenset({TransferKind.EARN, TransferKind.CONVERT})
"""Kinds by which points are made."""

MemberDay: TypeAlias = tuple[int, UUID, int]
"""Bucket, member and currency number."""


class PointsLimit(NamedTuple):
    """Most points of a currency on a day; 0: no such limit.

    Attributes:
        member_earn_units: given to one member by awards, bonuses among them.
        member_use_units: that one member uses: spends, converts into others or has on hold.
        issuance_units: made by awards and conversions, bonuses among them.
        members_since: from when on members are counted.
        issuance_since: from when on what is made is counted.
    """

    member_earn_units: int
    member_use_units: int
    issuance_units: int
    members_since: datetime
    issuance_since: datetime

    @property
    def counts_members(self) -> bool:
        """Whether what members are given and use is counted."""
        return bool(self.member_earn_units or self.member_use_units)


class Change(NamedTuple):
    """What a posting adds to the counts of a currency; below zero it gives back what it took on the same day."""

    earned: int = 0
    used: int = 0
    issued: int = 0


class Quotas:
    """Working copies of the counts a batch has read.

    Args:
        limits: by currency number.
        members: points given to and used by members today; absent: none.
        issued: points made today, of currencies that are locked.
        time_zone: in which days begin.
        issuer_of: who issues a currency and is told what was made of it; numbers.
        name_of: the resource name of a currency by number.
    """

    def __init__(
        self,
        limits: Mapping[int, PointsLimit],
        members: Mapping[MemberDay, tuple[int, int]],
        issued: Mapping[int, int],
        time_zone: ZoneInfo,
        issuer_of: Callable[[int], int],
        name_of: Callable[[int], str],
    ) -> None:
        self._limits, self._time_zone = limits, time_zone
        self._issuer_of, self._name_of = issuer_of, name_of
        self._members_found, self._members = dict(members), dict(members)
        self._issued_found, self._issued = dict(issued), dict(issued)

    def require_room(self, command: Command, posting: Posting, facts: MemberFacts) -> None:
        """See that a posting passes no daily limit. What the exchange does by itself is never refused.

        Raises:
            MemberLimitExceeded: the member would be given, or use, too many points today.
            IssuanceLimitExceeded: too many would be made; tells figures to the issuer only.
        """
        if command.request_id.startswith(OWN_REQUESTS):
            return
        for number, change in self._changes(command, posting, facts).items():
            limit, day = self._limits[number], self._members.get((facts.bucket, facts.member_id, number), (0, 0))
            self._require(number, "earn", limit.member_earn_units, day[0], change.earned)
            self._require(number, "use", limit.member_use_units, day[1], change.used)
            if limit.issuance_units and change.issued > 0:
                self._require_issuance(command, number, limit.issuance_units, change.issued)

    def use(self, command: Command, posting: Posting, facts: MemberFacts) -> None:
        """Carry a posting into the working copies."""
        for number, change in self._changes(command, posting, facts).items():
            key = (facts.bucket, facts.member_id, number)
            if self._limits[number].counts_members:
                earned, used = self._members.get(key, (0, 0))
                # Where nothing limits them they may grow without bounds; a count need not.
                self._members[key] = (min(earned + change.earned, INT64_MAX), min(used + change.used, INT64_MAX))
            if number in self._issued:
                self._issued[number] += change.issued

    def changed_members(self) -> list[tuple[int, UUID, int, int, int]]:
        """Bucket, member, currency, points given and used, of each that the batch changed."""
        return sorted((*key, *day) for key, day in self._members.items() if day != self._members_found.get(key, (0, 0)))

    def changed_issues(self) -> list[tuple[int, int]]:
        """Currency and points made, of each that the batch changed; in lock order."""
        return sorted((number, made) for number, made in self._issued.items() if made != self._issued_found[number])

    def undo(self) -> Callable[[], None]:
        """What undoes everything that is used from now on."""
        members, issued = dict(self._members), dict(self._issued)

        def back() -> None:
            self._members, self._issued = members, issued

        return back

    def _require(self, number: int, figure: str, limit: int, before: int, added: int) -> None:
        if limit and added > max(0, limit - before):
            left = max(0, limit - before)
            name = self._name_of(number)
            raise MemberLimitExceeded(currency=name, figure=figure, limit=limit, left=left, requested=added)

    def _require_issuance(self, command: Command, number: int, limit: int, added: int) -> None:
        left = max(0, limit - self._issued[number])
        if added > left:
            figures = {"limit": limit, "left": left} if command.merchant_no == self._issuer_of(number) else {}
            raise IssuanceLimitExceeded(currency=self._name_of(number), requested=added, **figures)

    def _changes(self, command: Command, posting: Posting, facts: MemberFacts) -> dict[int, Change]:
        if posting.external is not None:
            return self._elsewhere(posting.external, posting, facts)
        made, burnt, held = _moved(posting)
        if command.kind == TransferKind.REVERSAL:
            return self._taken_back(made, burnt, posting, facts)
        if command.kind in {TransferKind.CAPTURE, TransferKind.RELEASE}:
            return self._let_go(burnt, posting, facts)
        found = {}
        for number in {*made, *burnt, *held} & self._limits.keys():
            issued = made.get(number, 0) if command.kind in ISSUING else 0
            earned = issued if command.kind == TransferKind.EARN else 0
            used = burnt.get(number, 0) if command.kind in SPENDING else held.get(number, 0)
            found[number] = Change(earned, used, issued)
        return found

    def _elsewhere(self, external: Begun | Ended, posting: Posting, facts: MemberFacts) -> dict[int, Change]:
        """A conversion with an issuer's own ledger counts when it is begun; called off on the same day it does not."""
        terms = external.terms
        number = terms.target_no if external.is_debit else terms.source_no
        if number not in self._limits:
            return {}
        change = Change(issued=terms.received_units) if external.is_debit else Change(used=terms.used_units)
        if isinstance(external, Begun):
            return {number: change}
        if external.completed:
            return {}
        assert posting.original_id is not None, "only what was begun is ended"
        members, issuance = self._counted(number, facts.notes.originals[posting.original_id], facts)
        return {number: Change(0, -change.used if members else 0, -change.issued if issuance else 0)}

    def _taken_back(
        self, made: Mapping[int, int], burnt: Mapping[int, int], posting: Posting, facts: MemberFacts
    ) -> dict[int, Change]:
        """A reversal on the day of what it reverses; of a capture nothing: its points were used on the hold's day."""
        assert posting.original_id is not None, "a reversal follows something"
        original = facts.notes.originals[posting.original_id]
        found = {}
        for number in {*made, *burnt} & self._limits.keys():
            members, issuance = self._counted(number, original, facts)
            back = burnt.get(number, 0) if original.kind in ISSUING else 0
            earned = back if members and original.kind == TransferKind.EARN else 0
            used = made.get(number, 0) if members and original.kind in SPENDING else 0
            found[number] = Change(-earned, -used, -back if issuance else 0)
        return found

    def _let_go(self, burnt: Mapping[int, int], posting: Posting, facts: MemberFacts) -> dict[int, Change]:
        """What a hold reserved on this day and nobody took."""
        assert posting.original_id is not None, "only a hold is captured or given back"
        hold = facts.notes.originals[posting.original_id]
        number = hold.legs[0].currency_no
        if number not in self._limits or not self._counted(number, hold, facts)[0]:
            return {}
        reserved = sum(leg.units for leg in hold.legs if leg.account == Account.HELD and leg.side == Side.CREDIT)
        return {number: Change(used=burnt.get(number, 0) - reserved)}

    def _counted(self, number: int, original: Transfer, facts: MemberFacts) -> tuple[bool, bool]:
        """Whether what happened stands in today's counts of members, and of what was made."""
        at, limit = original.occurred_at, self._limits[number]
        if at.astimezone(self._time_zone).date() != facts.today:
            return False, False
        return at >= limit.members_since, at >= limit.issuance_since


def _moved(posting: Posting) -> tuple[dict[int, int], dict[int, int], dict[int, int]]:
    """Points made, burnt and put on hold, by currency number."""
    made: dict[int, int] = {}
    burnt: dict[int, int] = {}
    held: dict[int, int] = {}
    for account, side, number, units, _, _ in posting.legs:
        if account == Account.CIRCULATION:
            sums = made if side == Side.DEBIT else burnt
            sums[number] = sums.get(number, 0) + units
        elif account == Account.HELD and side == Side.CREDIT:
            held[number] = held.get(number, 0) + units
    return made, burnt, held
