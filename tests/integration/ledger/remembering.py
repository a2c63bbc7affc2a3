"""What tests of remembering servers note, and how they stop the clocks and the batches of one."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import count
from time import monotonic

import pytest

from exchange.ledger import gathering
from exchange.ledger.batch import Batch
from exchange.ledger.model import Receipt
from exchange.refusals import Refusal
from tests.integration.ledger.ledgers import Ledger


def reason(answer: Receipt | Refusal) -> str:
    """The no, or the test fails."""
    assert isinstance(answer, Refusal), answer
    return answer.reason


def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """From now on: of how many accounts a batch asked, each time one did."""
    asked: list[int] = []
    look = gathering.Gathering._look

    async def noted(self: gathering.Gathering, keys: list[object], lots_max: int | None) -> object:
        asked.append(len(keys))
        return await look(self, keys, lots_max)  # type: ignore[arg-type]

    monkeypatch.setattr(gathering.Gathering, "_look", noted)
    return asked


def tries(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """From now on: every batch that is tried."""
    tried: list[object] = []
    run = Batch.run

    async def counted(batch: Batch, *arguments: object) -> object:  # type: ignore[type-arg]
        tried.append(batch)
        return await run(batch, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Batch, "run", counted)
    return tried


async def seconds_pass(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, seconds: int, *, there: int) -> None:
    """By the clock of servers so many, by the database's so many."""
    monkeypatch.setattr("exchange.ledger.gathering.monotonic", lambda: monotonic() + seconds)
    await ledger.rows("UPDATE exchange.coalition SET clock_offset = clock_offset + $1", timedelta(seconds=there))


class Standing:
    """The first batch that writes stands still, and whoever is decided on it waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stands, self.go_on = asyncio.Event(), asyncio.Event()
        self.written: list[int] = []
        places, post = count(), Batch._post

        async def posted(batch: Batch, *arguments: object) -> int:  # type: ignore[type-arg]
            place = next(places)
            if not place:
                self.stands.set()
                await self.go_on.wait()
            self.written.append(place)
            return await post(batch, *arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(Batch, "_post", posted)
