"""Use cases of proofs: commit to a window, and prove a merchant's lines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from datetime import UTC
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from settlement import exchange_directory, exchange_leaves, exchange_ledger
from settlement.proofs import sql
from settlement.proofs.model import Head
from settlement.proofs.offline import FIRST, head_of, leaf_hash
from settlement.proofs.rules import Tree, pair_leaf
from settlement.run.steps import take_turns


class LedgerDiffers(Exception):
    """A window holds something else than when its head was made: somebody changed the ledger."""

    def __init__(self, window_no: int) -> None:
        super().__init__(f"windows/{window_no} is not what its head commits to")


class Trees(NamedTuple):
    """A window's two trees, and the leaves of the second."""

    items: Tree
    pairs: Tree
    pair_leaves: list[str]


class Proofs:
    """Heads of closed windows, and what proves a merchant's lines against them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._building = asyncio.Lock()
        self._built: tuple[int, Trees] | None = None

    async def commit(self, window_no: int) -> Head:
        """The head of a closed window; made, with those of the windows before it, when there is none yet.

        Raises:
            ResourceNotFound: there is no such window.
            WindowState: it is still open.
        """
        async with self._database.read() as connection:
            await exchange_ledger.require_closed(connection, window_no, "window")
            newest = (await connection.execute(sql.NEWEST)).scalar_one() or 0
        for number in range(newest + 1, window_no + 1):
            await self._make(number)
        async with self._database.read() as connection:
            return await _read(connection, window_no)

    async def _make(self, window_no: int) -> None:
        # Read before anybody's turn is taken: what lies in a closed window never changes.
        trees = await self._trees(window_no)
        async with self._database.read() as connection:
            window = await exchange_ledger.require_closed(connection, window_no, "window")
        assert window.closed_at is not None
        async with self._database.write() as connection:
            await take_turns(connection)
            if (await connection.execute(sql.HEAD, {"window_no": window_no})).first() is not None:
                return
            before = (await connection.execute(sql.HEAD, {"window_no": window_no - 1})).first()
            head = Head(
                window_no,
                window.closed_at.astimezone(UTC).isoformat(timespec="microseconds"),
                before.head if before else FIRST,
                trees.items.size,
                trees.items.root,
                trees.pairs.size,
                trees.pairs.root,
                "",
            )
            await connection.execute(sql.ADD, {**head._asdict(), "head": head_of(head.told)})

    async def _trees(self, window_no: int) -> Trees:
        """A window's trees; those asked for last are kept, because statements are asked for one after the other."""
        async with self._building:
            if self._built is None or self._built[0] != window_no:
                async with self._database.read() as connection:
                    await exchange_ledger.require_window_kept(connection, window_no)
                    hashes = [one async for one in exchange_leaves.hashes(connection, window_no)]
                    totals = await exchange_ledger.pair_micros(connection, window_no)
                # Of a million obligations it takes seconds: not on the thread that serves others.
                self._built = window_no, await asyncio.to_thread(_grown, hashes, totals)
            return self._built[1]

    async def proof(self, window_no: int, participant: str) -> bytes:
        """What a participant's statement of a window is checked with, as JSON; the same bytes again.

        Raises:
            ResourceNotFound: there is no such window, or nobody of that id takes part.
            WindowState: it is still open.
            TransferRetired: some of its transfers have left the ledger; its head stands.
            LedgerDiffers: it is not any more what its head commits to.
        """
        head = await self.commit(window_no)
        trees = await self._trees(window_no)
        if (trees.items.root, trees.pairs.root) != (head.items_root, head.pairs_root):
            raise LedgerDiffers(window_no)
        async with self._database.read() as connection:
            await exchange_directory.require_merchant(connection, participant, "merchant")
            # The trees may be kept from when the window was still whole.
            await exchange_ledger.require_window_kept(connection, window_no)
            own = await exchange_leaves.leaves(connection, window_no, participant)
        pairs = [(place, leaf) for place, leaf in enumerate(trees.pair_leaves) if participant in leaf.split("|")[1:3]]
        document = {
            "proof": 1,
            "participant": participant,
            "head": {**head.told, "head": head.head},
            "items": {"leaves": own, "hashes": trees.items.hashes_beside([one.place for one in own])},
            "pairs": {"leaves": pairs, "hashes": trees.pairs.hashes_beside([place for place, _ in pairs])},
        }
        return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


async def _read(connection: AsyncConnection, window_no: int) -> Head:
    return Head(*(await connection.execute(sql.HEAD, {"window_no": window_no})).one())


async def heads_between(connection: AsyncConnection, least: int, most: int) -> dict[int, str]:
    """The heads of windows by number; one that has none yet is left out."""
    rows = await connection.execute(sql.HEADS_BETWEEN, {"least": least, "most": most})
    return {row.window_no: row.head for row in rows}


def _grown(hashes: Iterable[bytes], totals: Iterable[exchange_ledger.PairMicros]) -> Trees:
    leaves = [pair_leaf(*one) for one in sorted(totals)]
    return Trees(Tree(hashes), Tree(leaf_hash(leaf.encode()) for leaf in leaves), leaves)
