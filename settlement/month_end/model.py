"""What the walk takes and tells. Values only."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

from settlement.actors import Actor
from settlement.funds.model import LiquidityCheck

Progress = Callable[[str, int, int], None]
"""Told what is being worked at, how much is done, and how much there is; 0: nobody knows."""


class State(enum.StrEnum):
    """What became of a step."""

    DONE = "done"
    BEFORE = "was done before"
    WOULD = "would be done"
    WAITS = "waits"


class Told(NamedTuple):
    """A step as the walk came by.

    Attributes:
        step: "close", "run", "recount", "funds", "submit", "approve", "export", "payments", "papers", "evidence".
        state: what became of it.
        text: in words.
        who: of one that waits, or has something missing, who acts; else empty.
        command: what that person types; may be empty.
        files: what was written, or came out the same.
        checks: of "funds", what every currency's payers have for what they pay.
    """

    step: str
    state: State
    text: str
    who: str = ""
    command: str = ""
    files: tuple[str, ...] = ()
    checks: tuple[LiquidityCheck, ...] = ()


@dataclass(frozen=True, slots=True)
class Walk:
    """What is asked for.

    Attributes:
        window_no: the window.
        actor: a finance maker.
        into: the folder files go to.
        format: of payment files.
        pay_on: when the bank is to pay; None: on the pay day, not before tomorrow.
        reason: what the checkers should know.
        dry: whether to tell only, and do nothing.
    """

    window_no: int
    actor: Actor
    into: Path
    format: str = "pain001"
    pay_on: date | None = None
    reason: str = ""
    dry: bool = False
