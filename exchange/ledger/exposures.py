"""Net debit caps while a batch is decided: what each posting makes of what capped merchants owe.

Of a merchant without a cap nothing is counted here. One with a cap has a row for each capped settlement currency,
locked after accounts and budgets by whoever may change it: so a cap holds whoever posts at once, to the last item.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from exchange.ledger.facts import MemberFacts
from exchange.ledger.model import OWN_REQUESTS, Command, Obligation, Posting
from exchange.refusals import NetDebitCapExceeded

CapKey: TypeAlias = tuple[int, str]
"""Number of a capped merchant, and the settlement currency."""


class NotLocked(Exception):
    """A posting changes what a capped merchant owes, and nobody had foreseen it; nothing was written."""


class Exposure(NamedTuple):
    """What a capped merchant owes and is owed in one settlement currency, micro-units.

    Attributes:
        cap_micros: most it may owe, net, by movements that somebody asks for.
        payable_micros: everything it ever came to owe.
        receivable_micros: everything it was ever owed, and what it has paid.
        reserved_micros: what it will owe when all points on hold are captured.
    """

    cap_micros: int
    payable_micros: int
    receivable_micros: int
    reserved_micros: int

    @property
    def used_micros(self) -> int:
        """What stands against the cap; below zero others owe the merchant more than it owes."""
        return self.payable_micros + self.reserved_micros - self.receivable_micros

    @property
    def headroom_micros(self) -> int:
        """How much more it may come to owe."""
        return max(0, self.cap_micros - self.used_micros)


class Exposures:
    """Working copies of the rows a batch has locked.

    Args:
        capped: every merchant with a cap.
        locked: those the batch may change.
        name_of: the resource name of a merchant by number.
    """

    def __init__(
        self, capped: Collection[CapKey], locked: Mapping[CapKey, Exposure], name_of: Callable[[int], str]
    ) -> None:
        self._capped, self._found, self._now, self._name_of = capped, dict(locked), dict(locked), name_of

    def require_room(self, command: Command, posting: Posting, facts: MemberFacts) -> None:
        """See that a posting leaves every capped merchant below its cap, or nearer to it than before.

        What the exchange does by itself, as ending points, follows from what was allowed before: it counts, and is
        never refused.

        Raises:
            NetDebitCapExceeded: tells the figures to the capped merchant, and to others only whose cap it is.
            NotLocked: begin again with more rows locked.
        """
        del facts
        if command.request_id.startswith(OWN_REQUESTS):
            self._after(posting)
            return
        for key, after in sorted(self._after(posting).items()):
            before = self._now[key]
            if after.used_micros > max(after.cap_micros, before.used_micros):
                figures: dict[str, int] = {}
                if key[0] == command.merchant_no:
                    figures = {
                        "cap": before.cap_micros,
                        "headroom": before.headroom_micros,
                        "needed": after.used_micros - before.used_micros,
                    }
                raise NetDebitCapExceeded(merchant=self._name_of(key[0]), currency_code=key[1], **figures)

    def use(self, command: Command, posting: Posting, facts: MemberFacts) -> None:
        """Carry a posting into the working copies."""
        del command, facts
        self._now |= self._after(posting)

    def changed(self) -> list[tuple[int, str, int, int, int]]:
        """Merchant, currency, payable, receivable and reserved of each that the batch changed; in lock order."""
        return sorted((*key, *now[1:]) for key, now in self._now.items() if now != self._found[key])

    def undo(self) -> Callable[[], None]:
        """What undoes everything that is used from now on."""
        before = dict(self._now)

        def back() -> None:
            self._now = before

        return back

    def _after(self, posting: Posting) -> dict[CapKey, Exposure]:
        after: dict[CapKey, Exposure] = {}
        for key, micros in self._of(posting.obligations, debtors=True):
            one = after.get(key) or self._now[key]
            after[key] = one._replace(payable_micros=one.payable_micros + micros)
        for key, micros in self._of(posting.obligations, debtors=False):
            one = after.get(key) or self._now[key]
            after[key] = one._replace(receivable_micros=one.receivable_micros + micros)
        for key, micros in self._of(posting.promised, debtors=True):
            one = after.get(key) or self._now[key]
            after[key] = one._replace(reserved_micros=one.reserved_micros + micros)
        for key, micros in self._of(posting.freed, debtors=True):
            one = after.get(key) or self._now[key]
            after[key] = one._replace(reserved_micros=one.reserved_micros - micros)
        return after

    def _of(self, obligations: Iterable[Obligation], *, debtors: bool) -> Iterable[tuple[CapKey, int]]:
        for owed in obligations:
            key = (owed.debtor_no if debtors else owed.creditor_no, owed.currency_code)
            if key in self._capped:
                if key not in self._now:
                    raise NotLocked(f"merchant {key[0]} in {key[1]}")
                yield key, owed.micros
