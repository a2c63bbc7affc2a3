"""What one process remembers of accounts it has seen or moved, so that a batch need not ask for them again.

Nothing here is believed: what a batch was decided on is proved when it is written (`exchange.post_batch`), as if it had
been looked at just before. What is remembered wrongly costs a try, never a point. No await here.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from exchange.ledger.facts import MemberFacts
from exchange.ledger.member_account import MemberAccount
from exchange.ledger.model import Command
from exchange.ledger.reference import AccountKey

MOMENT_SECONDS: Final = 10.0
"""For how long the time of day is told from the clock of this process, after it was asked of the database."""
_SLOWER: Final = 0.999
"""The clock of this process is taken for so slow: an event time that is not over yet would be refused."""
KEYS_MAX: Final = 100_000


class Moment(NamedTuple):
    """What holds for a batch from its locks, or its look, to its commit.

    Attributes:
        now: event time.
        generation: how often somebody had been alone behind the fence.
        directory_version: of the directory and rates in force.
        halted_at: since when nobody's movements are taken.
        window_no: the open window.
        known_keys: how many of its keys were answered before.
    """

    now: datetime
    generation: int
    directory_version: int
    halted_at: datetime | None
    window_no: int
    known_keys: int


class RecentKeys:
    """Idempotency keys this process has used not long ago: who names one may have been answered."""

    def __init__(self) -> None:
        self._newer: set[int] = set()
        self._older: set[int] = set()

    def note(self, commands: Iterable[Command]) -> None:
        """These are used from now on."""
        if len(self._newer) > KEYS_MAX:
            self._older, self._newer = self._newer, set()
        for command in commands:
            self._newer.add(hash((command.merchant_no, command.request_id)))

    def has_any(self, commands: Iterable[Command]) -> bool:
        """Whether one of them may be among these; now and then also when none is."""
        for command in commands:
            name = hash((command.merchant_no, command.request_id))
            if name in self._newer or name in self._older:
                return True
        return False


class Memory:
    """Accounts by key, as the latest batch of this process left them, all seen in one generation.

    A batch takes what it touches out, and whoever comes meanwhile has to look. It keeps what it has decided before that
    is written: the next batch may be decided on it, and waits with writing until this one is. Sequence numbers alone
    would not tell a movement that failed from another server's in its place.

    Args:
        accounts_max: remembered at most; those that were touched longest ago are forgotten. 0: none.

    Attributes:
        epoch: counts how often everything was forgotten.
    """

    def __init__(self, accounts_max: int) -> None:
        self.accounts_max = accounts_max
        self.epoch = 0
        self.keys = RecentKeys()
        self._accounts: dict[AccountKey, tuple[MemberAccount, Future[bool]]] = {}
        self._writing: set[Future[bool]] = set()
        self._moment: Moment | None = None
        self._asked_at = 0.0
        self._latest: datetime | None = None

    def forget(self) -> None:
        """Forget all: somebody was alone behind the fence, or the database may be another one."""
        self.epoch += 1
        self._moment = self._latest = None
        self._accounts.clear()

    def forget_accounts(self) -> None:
        """Forget these: others move them."""
        self._accounts.clear()

    def moment(self, clock: float) -> Moment | None:
        """What holds as far as is known, without asking; None: it has to be asked.

        Its time is a little behind the database's, and never before that of an earlier batch.

        Args:
            clock: monotonic seconds.
        """
        known, passed = self._moment, clock - self._asked_at
        if known is None or passed > MOMENT_SECONDS or known.halted_at is not None:
            # Nothing is written while all is halted, so nothing would prove that it still is.
            return None
        return known._replace(now=self._not_before(known.now + timedelta(seconds=passed * _SLOWER)), known_keys=0)

    def asked(self, moment: Moment, clock: float) -> None:
        """Note what the database answered, and when by this process's clock."""
        known = self._moment
        if known is not None and moment.generation > known.generation:
            self.forget()
        if self._moment is None or (self.fits(moment) and moment.now > self._moment.now):
            self._moment, self._asked_at = moment, clock

    def fits(self, moment: Moment) -> bool:
        """Whether nobody was alone between that moment and what is remembered."""
        return self._moment is not None and self._moment.generation == moment.generation

    def _not_before(self, now: datetime) -> datetime:
        return now if self._latest is None else max(now, self._latest)

    def at(self, moment: Moment) -> Moment:
        """The moment of a batch that stands on what is remembered: not before that of any earlier one."""
        now = self._latest = self._not_before(moment.now)
        return moment._replace(now=now)

    def take(
        self, keys: Sequence[AccountKey], points: Mapping[AccountKey, int], now: datetime
    ) -> tuple[dict[AccountKey, MemberAccount], set[Future[bool]]]:
        """Those of the accounts that are remembered well enough, and what has to be written before they are true."""
        # Lots that have ended by then are left out: whoever is decided on these must not have an earlier time.
        self._latest = self._not_before(now)
        taken: dict[AccountKey, MemberAccount] = {}
        unwritten: set[Future[bool]] = set()
        for key in keys:
            remembered = self._accounts.pop(key, None)
            if remembered is None:
                continue
            account, written = remembered
            if account.covers(points.get(key, 0), now):
                taken[key] = account
                if not written.done():
                    unwritten.add(written)
        return taken, unwritten

    def being_written(self) -> list[Future[bool]]:
        """What other batches are about to write, and would be too late to ask for."""
        return [written for written in self._writing if not written.done()]

    def drop(self, keys: Iterable[AccountKey]) -> None:
        """Forget some: they are moved under locks."""
        if self._accounts:
            for key in keys:
                self._accounts.pop(key, None)

    def keep(self, members: Iterable[MemberFacts], written: Future[bool]) -> None:
        """Remember the accounts of a batch as it leaves them, whose effects were gathered already."""
        self._writing.add(written)
        written.add_done_callback(self._writing.discard)
        accounts = self._accounts
        for facts in members:
            for account in facts.accounts.values():
                # What is closed is not plain to write, and nobody comes back for it.
                if not account.is_closed and (account.touched or account.sequence_before is not None):
                    account.rest()
                    accounts[(account.bucket, account.member_id, account.currency_no)] = account, written
        while len(accounts) > self.accounts_max:
            del accounts[next(iter(accounts))]

    def disown(self, members: Iterable[MemberFacts], written: Future[bool]) -> None:
        """Forget what a batch had kept, and was not written after all."""
        for facts in members:
            for account in facts.accounts.values():
                key: Any = (account.bucket, account.member_id, account.currency_no)
                remembered = self._accounts.get(key)
                if remembered is not None and remembered[1] is written:
                    del self._accounts[key]
