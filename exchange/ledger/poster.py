"""The poster: whatever is waiting goes into one transaction, and each caller is answered after its commit.

Each lane is a task with a connection of its own, so a call that is cancelled or times out never cancels a transaction:
it may still commit, and repeating the request tells.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import asyncpg
import structlog

from exchange.db.engine import Database, DriverConnection, is_database_down
from exchange.ledger.batch import Batch, EndFirst, GroundsMoved, LocksNeeded, LookNeeded, StartAgain
from exchange.ledger.caches import Caches
from exchange.ledger.codecs import pack_rows
from exchange.ledger.decision import Outcome
from exchange.ledger.exposures import NotLocked
from exchange.ledger.model import Command, Receipt
from exchange.ledger.reference import Decide, Ending, R, ReferenceSource
from exchange.ledger.sql import BLOCK_UNITS, LANE, LEAVE_LANE
from exchange.ledger.waiting import Group, Waiting
from exchange.ledger.wariness import Wariness
from exchange.refusals import DatabaseUnavailable, Refusal, ServerBusy, ServerDraining

TRIES_MAX = 8
SLICES = 256
RECONNECT_S = 0.2
HELD_UP_S = 0.1
CROWD = 4
"""Commands in the batch before from which on more are surely coming."""
GATHERED = 160
"""Commands in a batch from which on waiting for more saves little: what a transaction costs as such is then shared."""
NAPS_MAX = 4
"""How many times a lane waits for more, while more keep coming."""
COMPANY = 200
"""Commands that are worth a batch of their own while another is under way; while two are, only a full one is."""
WAITING_MAX = 20_000
"""Commands that may wait; beyond it a caller is refused at once, before anything was begun."""

RETRIED = (
    StartAgain,
    NotLocked,
    LookNeeded,
    LocksNeeded,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
)

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Poster(Generic[R]):
    """Takes commands from many callers and posts them in batches.

    Args:
        database: where lanes get their connections.
        source: the directory and rates in force.
        decide: finds and applies the pure rule of a command.
        lanes: transactions under way at once.
        batch_max: most commands in one transaction, at most `BLOCK_UNITS`.
        ending: makes the command that ends an account which ended by inactivity, before anything else is decided on it.
        linger: how long a lane waits for company while many are calling; seconds. Alone, nobody waits.
        remembered_accounts: accounts of which it is remembered how a batch left them, at most.
    """

    def __init__(
        self,
        database: Database,
        source: ReferenceSource[R],
        decide: Decide[R],
        *,
        ending: Ending[R],
        lanes: int = 3,
        batch_max: int = BLOCK_UNITS,
        linger: float = 0.0,
        remembered_accounts: int = 0,
    ) -> None:
        assert 1 <= batch_max <= BLOCK_UNITS
        self._database, self._source, self._decide, self._ending = database, source, decide, ending
        self._lanes, self._batch_max, self._linger = lanes, batch_max, linger
        self._remembers = remembered_accounts > 0
        self._waiting: Waiting[R] = Waiting()
        self._arrived = asyncio.Event()
        self._door = asyncio.Lock()
        self._caches = Caches(remembered_accounts)
        self._reference: R | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._busy_lanes = 0
        self._last_size = 0
        self._wary_of_looking = Wariness(forgives=True)
        self._wary_of_memory = Wariness(forgives=False)
        self._draining = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def post(self, command: Command) -> Receipt:
        """Post one command.

        Raises:
            Refusal: the business no, ServerBusy before anything was begun, DatabaseUnavailable when unknown.
        """
        (outcome,) = await self.tell((command,), _themselves)
        if isinstance(outcome, Receipt):
            return outcome
        raise outcome

    async def post_all(self, commands: Sequence[Command], *, atomic: bool) -> list[Outcome]:
        """Post commands that came together; one outcome each, in their order."""
        return await self.tell(commands, _themselves, atomic=atomic)

    def tell(
        self, commands: Sequence[Command], write: Callable[[Sequence[Outcome], R], T], *, atomic: bool = False
    ) -> asyncio.Future[T]:
        """Post commands that came together, and answer with what `write` makes of their outcomes.

        Args:
            commands: at most `BLOCK_UNITS`.
            write: called when the batch has ended, while all of it is at hand, with one outcome a command, in their
                order, and what was decided on; must not wait. What it raises is raised to whoever awaits.
            atomic: all of them or none.

        Raises:
            Refusal: ServerBusy or ServerDraining, before anything was begun.
        """
        assert len(commands) <= BLOCK_UNITS
        if self._draining:
            raise ServerDraining
        if self._waiting.commands + len(commands) > WAITING_MAX:
            raise ServerBusy(limit=WAITING_MAX)
        answer: asyncio.Future[T] = (self._loop or asyncio.get_running_loop()).create_future()
        self._waiting.add(Group(commands, write, answer, atomic))
        self._arrived.set()
        return answer

    def start(self) -> None:
        """Open the lanes."""
        # Asked once and not for every command: Python 3.11 makes a system call of it.
        self._loop = asyncio.get_running_loop()
        self._tasks = [asyncio.create_task(self._lane(), name=f"poster lane {n}") for n in range(self._lanes)]

    async def drain(self) -> None:
        """Take nothing new, finish what is waiting, close the lanes."""
        self._draining = True
        self._arrived.set()
        await asyncio.gather(*self._tasks)

    async def _lane(self) -> None:
        slice_no = random.randrange(SLICES)  # noqa: S311 - spreads posters, guards nothing
        while not (self._draining and not self._waiting):
            try:
                async with self._database.lane() as connection:
                    # Behind a new connection may be a database that never heard of the last batches of the old one.
                    self._caches.memory.forget()
                    await pack_rows(connection)
                    if self._database.keeps_sessions:
                        await connection.execute(LANE)
                    await self._serve(connection, slice_no)
                    if self._database.keeps_sessions:
                        await connection.execute(LEAVE_LANE)
            except Exception as error:  # noqa: BLE001 - a lane that ends would leave callers waiting for ever
                log.warning("poster lane lost its connection", error=repr(error))
                self._fail_waiting()
                await asyncio.sleep(RECONNECT_S)

    def _fail_waiting(self) -> None:
        """Nobody waits for a database that cannot be reached: its server may be gone, or take no more connections."""
        if not self._busy_lanes:
            for group in self._waiting.all():
                self._answer(group, [DatabaseUnavailable()] * len(group.commands))

    async def _serve(self, connection: DriverConnection, slice_no: int) -> None:
        while True:
            groups = await self._gathered()
            if groups is None:
                return
            if not groups:
                continue
            self._last_size = sum(len(group.commands) for group in groups)
            self._busy_lanes += 1
            try:
                await self._post_groups(connection, groups, slice_no)
            finally:
                self._busy_lanes -= 1

    async def _gathered(self) -> list[Group[R]] | None:
        """The next batch, None when all is done. One lane at a time: two would take each other's company away."""
        async with self._door:
            while not self._waiting:
                if self._draining:
                    return None
                self._arrived.clear()
                await self._arrived.wait()
            if self._linger:
                await self._have_company()
            return self._waiting.take(self._batch_max)

    async def _have_company(self) -> None:
        """Wait a moment for company where company is surely coming; alone in the house nobody waits."""
        if self._busy_lanes:
            # Whoever is under way takes few along when it is done, which costs less than a batch of their own; should
            # it be held up, they wait no longer than this.
            for _ in range(1 + int(HELD_UP_S / self._linger)):
                if not self._busy_lanes or self._waiting.commands >= self._company():
                    break
                await asyncio.sleep(self._linger)
        if self._last_size >= CROWD and not self._busy_lanes:
            for _ in range(NAPS_MAX):
                before = self._waiting.commands
                if before >= GATHERED:
                    return
                await asyncio.sleep(self._linger)
                if self._waiting.commands - before < CROWD:
                    return

    def _company(self) -> int:
        """How many commands are worth a batch of their own, while so many others are under way."""
        return COMPANY if self._busy_lanes == 1 else self._batch_max

    def _answer(self, group: Group[R], outcomes: Sequence[Outcome]) -> None:
        if group.answer.done():
            return
        try:
            if self._reference is None:
                # Nothing was ever decided: all of them say why.
                raise _failure(outcomes)
            group.answer.set_result(group.write(outcomes, self._reference))
        except Exception as error:  # noqa: BLE001 - it is the caller's answer
            group.answer.set_exception(error)
            # Asked for once, so that nobody is warned of it when its caller has left meanwhile.
            group.answer.exception()

    async def _post_groups(self, connection: DriverConnection, groups: list[Group[R]], slice_no: int) -> None:
        try:
            outcomes = await self._try(connection, groups, slice_no)
        except Refusal as refusal:
            # The whole ledger said no, not a rule.
            outcomes = [refusal] * sum(len(group.commands) for group in groups)
        except Exception as error:
            if is_database_down(error) or connection.is_closed():
                for group in groups:
                    self._answer(group, [DatabaseUnavailable()] * len(group.commands))
                raise
            if len(groups) > 1:
                # Something in it breaks the transaction: alone, each answers for itself.
                log.warning("batch failed, posting its groups one by one", error=repr(error), groups=len(groups))
                await self._post_one_by_one(connection, groups, slice_no)
                return
            outcomes = [error] * len(groups[0].commands)
        place = 0
        for group in groups:
            self._answer(group, outcomes[place : place + len(group.commands)])
            place += len(group.commands)

    async def _post_one_by_one(self, connection: DriverConnection, groups: list[Group[R]], slice_no: int) -> None:
        for place, group in enumerate(groups):
            try:
                await self._post_groups(connection, [group], slice_no)
            except Exception:
                for left in groups[place + 1 :]:
                    self._answer(left, [DatabaseUnavailable()] * len(left.commands))
                raise

    async def _try(self, connection: DriverConnection, groups: list[Group[R]], slice_no: int) -> list[Outcome]:
        work = [(group.commands, group.atomic) for group in groups]
        everybody = False
        with_locks = not self._database.keeps_sessions or self._wary_of_looking.is_wary()
        remembers = self._remembers and not with_locks and not self._wary_of_memory.is_wary()
        for attempt in range(TRIES_MAX):
            # Never older than what another lane has: the source keeps the newest.
            reference = self._reference = await self._source.current()
            batch = Batch(connection, work, reference, with_locks=with_locks, everybody=everybody, remembers=remembers)
            try:
                try:
                    outcomes = await batch.run(self._source, self._decide, self._ending, slice_no, self._caches)
                except EndFirst as overdue:
                    endings = [self._ending(account, reference) for account in overdue.accounts[:BLOCK_UNITS]]
                    first = Batch(connection, [(endings, False)], reference, with_locks=True, everybody=everybody)
                    await first.run(self._source, self._decide, self._ending, slice_no, self._caches)
                    continue
            except RETRIED as error:
                everybody = everybody or isinstance(error, NotLocked)
                # Quickest first, then whatever is sure.
                with_locks = with_locks or not batch.relied
                remembers = False
                self._was_in_vain(batch, error)
                log.info("batch starts again", attempt=attempt, error=repr(error))
                continue
            self._was_right(batch)
            return outcomes
        raise ServerBusy(limit=TRIES_MAX)

    def _was_in_vain(self, batch: Batch[R], error: Exception) -> None:
        moved = isinstance(error, asyncpg.SerializationError)
        if isinstance(error, GroundsMoved):
            self._caches.memory.forget()
        elif batch.relied and not isinstance(error, LookNeeded):
            self._wary_of_memory.was_in_vain()
            self._caches.memory.forget_accounts()
        elif moved and not batch.is_locked:
            self._wary_of_looking.was_in_vain()

    def _was_right(self, batch: Batch[R]) -> None:
        if batch.relied:
            self._wary_of_memory.was_right()
        elif not batch.is_locked:
            self._wary_of_looking.was_right()


def _failure(outcomes: Sequence[Outcome]) -> Exception:
    (failure, *_) = outcomes
    assert not isinstance(failure, Receipt), "whatever was done was decided on something"
    return failure


def _themselves(outcomes: Sequence[Outcome], _reference: object) -> list[Outcome]:
    return list(outcomes)
