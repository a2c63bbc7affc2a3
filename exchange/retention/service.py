"""Letting a partition of transfers leave the ledger, step by step; a step that is interrupted is done again.

Begun: nothing in the partition changes any more. Checkpointed: what it came to stands in tables of its own. Archived:
its rows stand in files, which were read back and agree with the checkpoint. Detached: the ledger begins after it, for
the audit and for everybody, in one moment. Dropped: the table is gone; somebody else than who began does that.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.callers import Caller
from exchange.db.engine import Database
from exchange.directory.change import log
from exchange.ledger.audit import audit
from exchange.retention import archive, checkpoint_sql, sql
from exchange.retention.detaching import detach
from exchange.retention.model import Content, Part, Retirement, Step, Surroundings
from exchange.retention.rules import hindrances
from exchange.retention.verifying import verify

Told = Callable[[str], None]
Needs = Callable[[AsyncConnection, Content], Awaitable[list[str]]]
"""What another room still needs of transfers up to those, in words."""


class RetirementRefused(Exception):
    """A partition cannot leave, or not yet. The text is one line for each reason."""


class Candidate(NamedTuple):
    """A partition before a date: what stands in it, and what keeps it in the ledger."""

    part: Part
    content: Content
    hindrances: list[str]


def _silent(_: str) -> None:
    """Tells nobody."""


class Retirements:
    """Lets partitions leave.

    Args:
        database: as the owner of its tables.
        url: of the same.
        keep: for how long transfers stay whatever is asked.
        needs: what others than the exchange still need.
    """

    def __init__(self, database: Database, url: str, keep: timedelta, needs: Sequence[Needs] = ()) -> None:
        self._database, self._url, self._keep, self._needs = database, url, keep, needs

    async def candidates(self, before: datetime) -> list[Candidate]:
        """The partitions that end before a moment, oldest first. Reads every row of them."""
        async with self._database.read() as connection:
            parts = [Part(*row) for row in await connection.execute(sql.PARTS)]
            return [await self._candidate(connection, part) for part in parts if part.ends_at <= before]

    async def _candidate(self, connection: AsyncConnection, part: Part) -> Candidate:
        row = (await connection.execute(text(sql.CONTENT.format(part=part.name)))).one()
        content = Content(*row) if row[0] else Content(0, *(await connection.execute(sql.BEFORE)).one())
        values = {"from_id": part.from_id, "to_id": part.to_id, "last_occurred_at": content.last_occurred_at}
        around = Surroundings(*(await connection.execute(sql.SURROUNDINGS, values)).one())
        if content.transfers:
            around = around._replace(
                others=tuple([one for ask in self._needs for one in await ask(connection, content)])
            )
        return Candidate(part, content, hindrances(part, content, around, self._keep))

    async def all(self) -> list[Retirement]:
        """Every retirement there ever was, in their order."""
        async with self._database.look() as connection:
            return [_retirement(row) for row in await connection.execute(sql.RETIREMENTS)]

    async def unfinished(self) -> Retirement | None:
        """The one that was begun and is not detached."""
        return next((one for one in await self.all() if one.step < Step.DETACHED), None)

    async def retire(self, candidate: Candidate, who: Caller, folder: Path, told: Told = _silent) -> Retirement:
        """Everything until a partition is detached.

        Args:
            candidate: what is to leave.
            who: the operator; his name stands in the retirement.
            folder: where the archive's own folder is put.
            told: hears what is done next.

        Raises:
            RetirementRefused: it may not leave, the audit finds something, or another was begun and is not finished.
            ArchiveDiffers: what was written is not what is to leave.
        """
        if candidate.hindrances:
            raise RetirementRefused("\n".join(candidate.hindrances))
        told("audit")
        wrong = [finding.check for finding in await audit(self._database) if not finding.ok]
        if wrong:
            raise RetirementRefused("the audit finds: " + "; ".join(wrong))
        told("begin")
        return await self.go_on(await self._begin(candidate.part, who), folder, told)

    async def go_on(self, retirement: Retirement, folder: Path, told: Told = _silent) -> Retirement:
        """The steps that are missing until it is detached; arguments and errors as of `retire`.

        Before the last of them others are asked once more whether they need it. One does it at a time.
        """
        async with self._database.look() as connection:
            if not (await connection.execute(sql.TAKE_STEPS)).scalar_one():
                raise RetirementRefused(f"somebody else lets {retirement.part_name} leave at this moment")
            try:
                return await self._go_on(await self._again(retirement), folder, told)
            finally:
                await connection.execute(sql.GIVE_STEPS_BACK)

    async def _go_on(self, retirement: Retirement, folder: Path, told: Told) -> Retirement:
        if retirement.step < Step.CHECKPOINTED:
            told("checkpoint")
            await self._checkpoint(retirement)
            retirement = await self._again(retirement)
        if retirement.step < Step.ARCHIVED:
            told("archive")
            await self._archive(retirement, folder, told)
            retirement = await self._again(retirement)
        if retirement.step < Step.DETACHED:
            told("detach")
            await self._require_unneeded(retirement)
            await detach(self._url, retirement.part_name)
            async with self._database.write() as connection:
                await connection.execute(sql.DETACHED, {"number": retirement.number})
        return await self._again(retirement)

    async def _again(self, retirement: Retirement) -> Retirement:
        return next(one for one in await self.all() if one.number == retirement.number)

    async def _begin(self, part: Part, who: Caller) -> Retirement:
        """Note it, and keep everybody from changing the partition from now on; what it needs is looked at once more."""
        if who.person is None:
            raise RetirementRefused(f"{who.credential} names no person, and letting go of transfers takes two")
        async with self._database.write() as connection:
            await connection.execute(sql.TAKE_TURNS)
            before = [_retirement(row) for row in await connection.execute(sql.RETIREMENTS)]
            if before and before[-1].step < Step.DETACHED:
                raise RetirementRefused(f"{before[-1].part_name} was begun and is not detached: go on with it")
            await connection.execute(text(sql.FREEZE.format(part=part.name)))
            now = await self._candidate(connection, part)
            if now.hindrances:
                raise RetirementRefused("\n".join(now.hindrances))
            row = {
                "number": len(before) + 1,
                "part_name": part.name,
                "from_id": part.from_id,
                "to_id": part.to_id,
                "began_by": who.person,
                "before_digest": (before[-1].digest or b"") if before else b"",
                **now.content._asdict(),
            }
            await connection.execute(sql.BEGIN, row)
            await log(connection, who, "retire transfers", part.name, {"transfers": now.content.transfers})
        return (await self.all())[-1]

    async def _checkpoint(self, retirement: Retirement) -> None:
        values = {"number": retirement.number, "from_id": retirement.from_id, "to_id": retirement.to_id}
        async with self._database.write() as connection:
            for statement in (*checkpoint_sql.SUMS, checkpoint_sql.BUCKETS):
                await connection.execute(text(statement.format(part=retirement.part_name)), values)
            await connection.execute(sql.CHECKPOINTED, values)

    async def _archive(self, retirement: Retirement, folder: Path, told: Told) -> None:
        target = folder / retirement.part_name
        archive.require_free(target, retirement.digest or b"")
        writer = archive.Writer(target)
        async with self._database.read() as connection:
            for part in range(checkpoint_sql.PARTS):
                await writer.write(part, _lines(connection, retirement.part_name, part))
        digest = writer.finish(about(retirement))
        told("read back")
        await verify(self._database, retirement, target, digest)
        row = {"number": retirement.number, "archive": str(target.resolve()), "archive_digest": digest}
        async with self._database.write() as connection:
            await connection.execute(sql.ARCHIVED, row)

    async def _require_unneeded(self, retirement: Retirement) -> None:
        """Since it was begun its transfers could still be asked for, and others may have come to need them."""
        async with self._database.read() as connection:
            if (row := (await connection.execute(sql.STILL_THERE, {"number": retirement.number})).first()) is None:
                return
            found = [one for ask in self._needs for one in await ask(connection, Content(*row))]
        if found:
            raise RetirementRefused("\n".join(found))

    async def drop(self, part_name: str, who: Caller, told: Told = _silent) -> Retirement:
        """Drop the table of a partition that has left, when its archive was read back once more.

        Raises:
            RetirementRefused: it has not left, is dropped already, or the person is who began.
            ArchiveDiffers: the archive is not what was put away.
        """
        retirement = next((one for one in await self.all() if one.part_name == part_name), None)
        if retirement is None or retirement.step is not Step.DETACHED:
            raise RetirementRefused(f"{part_name} is no detached partition that waits to be dropped")
        if who.person is None or who.person == retirement.began_by:
            raise RetirementRefused(f"{retirement.began_by} began: somebody else, with a name, drops it")
        assert retirement.archive is not None, "what is detached is archived"
        told("read back")
        await verify(self._database, retirement, Path(retirement.archive), retirement.archive_digest)
        async with self._database.write() as connection:
            await connection.execute(sql.DROPPED, {"number": retirement.number, "person": who.person})
            await connection.execute(text(sql.DROP.format(part=part_name)))
            await log(connection, who, "drop retired transfers", part_name, {"archive": retirement.archive})
        return await self._again(retirement)


def about(retirement: Retirement) -> dict[str, object]:
    """What a manifest says of what it is the archive of."""
    return {
        "retirement": retirement.number,
        "partition": retirement.part_name,
        "from_id": str(retirement.from_id),
        "to_id": str(retirement.to_id),
        "transfers": retirement.transfers,
        "before_digest": retirement.before_digest.hex(),
        "checkpoint_digest": (retirement.digest or b"").hex(),
    }


def _retirement(row: Row[Any]) -> Retirement:
    return Retirement._make((*row[:-1], Step(row[-1])))


async def _lines(connection: AsyncConnection, part_name: str, part: int) -> AsyncIterator[str]:
    first = part * checkpoint_sql.BUCKETS_OF_PART
    values = {"first": first, "last": first + checkpoint_sql.BUCKETS_OF_PART - 1}
    rows = await connection.stream(text(sql.ROWS.format(part=part_name)).execution_options(yield_per=1_000), values)
    async for row in rows:
        yield row[1]


def as_document(candidates: Sequence[Candidate]) -> str:
    """Candidates as JSON, for scripts."""
    shown = [
        {
            "partition": one.part.name,
            "ends_at": one.part.ends_at.isoformat(),
            "transfers": one.content.transfers,
            "hindrances": one.hindrances,
        }
        for one in candidates
    ]
    return json.dumps(shown, ensure_ascii=False)
