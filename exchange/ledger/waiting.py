"""Who waits for a batch: groups of commands, in the order in which they came."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic

from exchange.ledger.decision import Outcome
from exchange.ledger.model import Command
from exchange.ledger.reference import R
from exchange.ledger.sql import BLOCK_UNITS


class Group(Generic[R]):
    """Commands that came together and are answered together: with what `write` makes of their outcomes."""

    __slots__ = ("answer", "atomic", "commands", "write")

    def __init__(
        self,
        commands: Sequence[Command],
        write: Callable[[Sequence[Outcome], R], Any],
        answer: asyncio.Future[Any],
        atomic: bool,  # noqa: FBT001
    ) -> None:
        self.commands, self.write, self.answer, self.atomic = commands, write, answer, atomic


class Waiting(Generic[R]):
    """The groups that wait, and how many commands these are.

    Attributes:
        commands: in all of them.
    """

    def __init__(self) -> None:
        self._groups: deque[Group[R]] = deque()
        self.commands = 0

    def __bool__(self) -> bool:
        return bool(self._groups)

    def add(self, group: Group[R]) -> None:
        """The latest to come."""
        self._groups.append(group)
        self.commands += len(group.commands)

    def _next(self, commands_max: int) -> Group[R] | None:
        """The group that waits longest, taken out; None when there is none, or it is larger than that."""
        while self._groups:
            group = self._groups[0]
            # A caller that gave up while its commands only waited: nothing was begun, nothing will be.
            gave_up = group.answer.cancelled()
            if not gave_up and len(group.commands) > commands_max:
                return None
            self._groups.popleft()
            self.commands -= len(group.commands)
            if not gave_up:
                return group
        return None

    def take(self, commands_max: int) -> list[Group[R]]:
        """What goes into the next batch: the first group whatever its size, and others while they fit."""
        groups: list[Group[R]] = []
        group = self._next(BLOCK_UNITS)
        size = 0
        while group is not None:
            groups.append(group)
            size += len(group.commands)
            group = self._next(commands_max - size)
        return groups

    def all(self) -> Iterator[Group[R]]:
        """Each of them, taken out."""
        while (group := self._next(BLOCK_UNITS)) is not None:
            yield group
