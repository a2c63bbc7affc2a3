"""One transaction of the ledger: facts → decision → effects, for whatever was waiting.

A batch is tried whole. It starts again when the directory changed under it, or somebody else used one of its keys or
moved an account that was seen without a lock; nothing of an abandoned try is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Generic
from uuid import UUID

import asyncpg

from exchange.db.engine import DriverConnection
from exchange.ledger import sql
from exchange.ledger.bonus_rows import bonuses_of, write_bonuses
from exchange.ledger.caches import Caches
from exchange.ledger.decision import Decision, Outcome
from exchange.ledger.effects import Effects
from exchange.ledger.exposure_rows import lock_exposures, write_exposures
from exchange.ledger.exposures import Exposures
from exchange.ledger.external_rows import write_external
from exchange.ledger.fact_reading import FactReader
from exchange.ledger.facts import MemberFacts
from exchange.ledger.gathering import Gathering, Grounds
from exchange.ledger.key_rows import read_known_keys
from exchange.ledger.keys import KnownKeys
from exchange.ledger.member_account import MemberAccount
from exchange.ledger.memory import Memory, Moment
from exchange.ledger.model import Command
from exchange.ledger.quota_rows import read_quotas, write_quotas
from exchange.ledger.rare_rows import write_rare
from exchange.ledger.reference import AccountKey, Decide, Ending, R, ReferenceSource
from exchange.refusals import LedgerHalted, Refusal


class StartAgain(Exception):
    """The batch was decided on grounds that no longer hold; nothing was written."""


class GroundsMoved(StartAgain):
    """Somebody was alone behind the fence since it was looked at, or its time was not that of the database."""


class LookNeeded(Exception):
    """What was decided does not leave all behind that could prove what was only remembered; nothing was written."""


class LocksNeeded(Exception):
    """A movement that called itself plain left more than plain ones do; nothing was written."""


class EndFirst(Exception):
    """Accounts the batch touches have ended by inactivity, and nobody has posted it yet; nothing was written.

    Whatever is decided on such an account must not bring its points back to life.
    """

    def __init__(self, accounts: Sequence[AccountKey]) -> None:
        super().__init__(f"{len(accounts)} accounts")
        self.accounts = accounts


class Batch(Generic[R]):
    """One try at a batch on one connection.

    Plain movements are read without locks, and proved not to have moved when they are written: two round trips, or one
    where all they touch is remembered. What needs more facts, or is often moved by others, is read under locks, in a
    transaction that is begun and committed.

    Args:
        connection: outside any transaction.
        groups: commands that came together, and whether they are atomic.
        reference: what is decided on, while its version holds.
        with_locks: whatever is in it.
        everybody: lock what every merchant with a net debit cap owes.
        remembers: rely on what earlier batches left, and leave something for later ones.

    Attributes:
        is_locked: it goes with locks.
        relied: it was decided on what was remembered.
    """

    def __init__(
        self,
        connection: DriverConnection,
        groups: Sequence[tuple[Sequence[Command], bool]],
        reference: R,
        *,
        with_locks: bool = False,
        everybody: bool = False,
        remembers: bool = False,
    ) -> None:
        self.connection = connection
        self.groups = groups
        self.commands = [command for commands, _ in groups for command in commands]
        self.reference = reference
        self.everybody = everybody
        self._gathering = Gathering(connection, self.commands, reference)
        self.is_locked = with_locks or not self._gathering.are_plain
        self._remembers = remembers and not self.is_locked
        self.relied = False

    async def run(
        self, source: ReferenceSource[R], decide: Decide[R], ending: Ending[R], slice_no: int, caches: Caches
    ) -> list[Outcome]:
        """Facts, decision, effects, commit. One outcome a command, in their order.

        Raises:
            StartAgain: try once more, with `source`'s newer reference.
            EndFirst: try once more, when those accounts were ended.
            NotLocked: try once more, with everybody's exposure locked.
            LookNeeded: try once more, remembering nothing.
            LocksNeeded: try once more, with locks.
            LedgerHalted: nobody's movements are taken.
        """
        accounts: Iterable[AccountKey] = ()
        try:
            if self.is_locked:
                # Inside: when the fence is not to be had in time, the transaction has begun and must end all the same.
                await self.connection.execute(sql.BEGIN)
            await self._gathering.find(caches)
            grounds = await self._grounds(caches)
            accounts = grounds.accounts
            await self._require_current(grounds.moment, source)
            decision = await self._facts(grounds.accounts, grounds.moment, ending, slice_no)
            outcomes = decision.decide_all(self.groups, lambda command, seen: decide(command, seen, self.reference))
            if grounds.remembered and not decision.is_proved:
                raise LookNeeded
            if decision.writes_something:
                outcomes = decision.numbered(outcomes, await self._write(decision, grounds, caches.memory))
            if self.is_locked:
                await self.connection.execute("COMMIT")
        except BaseException:
            if self.is_locked and not self.connection.is_closed():
                await self.connection.execute("ROLLBACK")
            raise
        finally:
            if not self._remembers:
                # Whoever looked while they were being moved has kept them as they were.
                caches.memory.drop(accounts)
        if self.is_locked:
            caches.accounts.update(accounts)
        caches.trim()
        return outcomes

    async def _require_current(self, moment: Moment, source: ReferenceSource[R]) -> None:
        if moment.halted_at is not None:
            raise LedgerHalted(since=moment.halted_at.isoformat())
        if moment.directory_version != self.reference.version:
            await source.reload()
            raise StartAgain

    async def _grounds(self, caches: Caches) -> Grounds:
        """The accounts and what holds: seen under locks, without them, or before."""
        gathering = self._gathering
        if self.is_locked:
            accounts = await gathering.lock_accounts(caches)
            caches.memory.drop(accounts)
            return Grounds(accounts, await gathering.moment(accounts))
        grounds = await gathering.look(caches.memory if self._remembers else None)
        self.relied = grounds.remembered
        return grounds

    async def _facts(
        self, accounts: dict[AccountKey, MemberAccount], moment: Moment, ending: Ending[R], slice_no: int
    ) -> Decision:
        """Everything the commands may be decided on."""
        gathering = self._gathering
        known = await self._known_keys(moment)
        reader = FactReader(gathering)
        facts = await reader.read(accounts, moment.now)
        if self.reference.idle_after and (overdue := reader.overdue(facts)):
            raise EndFirst(overdue)
        budgets = None
        if self.reference.has_promotions:
            known.bonuses.update(await bonuses_of(self.connection, known.transfers))
            budgets = await reader.bonuses(facts, moment.now)
        quotas = None
        if self.reference.points_limits and facts:
            anybody = next(iter(facts.values()))
            quotas = await read_quotas(self.connection, self.reference, self.commands, accounts, anybody)
        exposures = await self._exposures(gathering, facts) if self.reference.capped else None
        return Decision(
            known=known,
            facts=facts,
            budgets=budgets,
            exposures=exposures,
            quotas=quotas,
            targets=gathering.targets,
            window_no=moment.window_no,
            now=moment.now,
            slice_no=slice_no,
            ended=self._ended_credentials(),
            gone=gathering.gone,
            ending=lambda account: ending(account, self.reference),
        )

    async def _exposures(self, gathering: Gathering, facts: Mapping[UUID, MemberFacts]) -> Exposures:
        originals = gathering.originals.values()
        return await lock_exposures(
            self.connection, self.reference, self.commands, originals, facts.values(), everybody=self.everybody
        )

    async def _known_keys(self, moment: Moment) -> KnownKeys:
        if not moment.known_keys:
            return KnownKeys()
        known = await read_known_keys(self.connection, self.commands)
        if known.count != moment.known_keys and not self.is_locked:
            # One more was used since: its effect is not in the accounts as they were seen.
            raise StartAgain
        return known

    def _ended_credentials(self) -> dict[str, Refusal]:
        ended: dict[str, Refusal] = {}
        for credential in {command.credential for command in self.commands}:
            try:
                self.reference.confirm(credential)
            except Refusal as refusal:
                ended[credential] = refusal
        return ended

    async def _write(self, decision: Decision, grounds: Grounds, memory: Memory) -> int:
        """All effects; the first ledger sequence of the batch's block."""
        effects = decision.effects()
        if not self.is_locked:
            if not effects.are_plain:
                raise LocksNeeded
            if grounds.epoch is None:
                return await self._post(effects, grounds.moment)
            return await self._post_and_remember(effects, decision, grounds, memory)
        first = await self._post(effects, grounds.moment)
        await write_rare(self.connection, effects)
        if effects.bonuses:
            await write_bonuses(self.connection, effects)
        if effects.exposures:
            await write_exposures(self.connection, effects.exposures)
        if effects.member_days or effects.issues:
            today = decision.now.astimezone(self.reference.time_zone).date()
            await write_quotas(self.connection, effects.member_days, effects.issues, today)
        if effects.external:
            await write_external(self.connection, effects.external, effects.now)
        return first

    async def _post_and_remember(self, effects: Effects, decision: Decision, grounds: Grounds, memory: Memory) -> int:
        """The same, its accounts kept for the next batch, which may be decided while this one is written."""
        members = decision.facts.values()
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        is_written = False
        try:
            # Inside: whatever is known to be under way must end, or others would wait for it for ever.
            if memory.epoch == grounds.epoch:
                memory.keep(members, written)
            memory.keys.note(self.commands)
            for earlier in grounds.unwritten:
                if not await asyncio.shield(earlier):
                    raise StartAgain
            if grounds.remembered and memory.epoch != grounds.epoch:
                raise StartAgain
            first = await self._post(effects, grounds.moment)
            is_written = True
        finally:
            if not is_written:
                memory.disown(members, written)
            written.set_result(is_written)
        return first

    async def _post(self, effects: Effects, moment: Moment) -> int:
        grounds = moment.generation, moment.directory_version, moment.window_no
        try:
            first: int | None = await self.connection.fetchval(
                sql.EFFECTS, *effects.arguments(), *grounds, self.is_locked
            )
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name != sql.REQUEST_KEYS:
                raise
            raise StartAgain from None
        if first is None:
            raise GroundsMoved
        return first
