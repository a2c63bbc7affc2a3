from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from exchange.ledger.model import Transfer


class Standing(NamedTuple):
    """What was posted to an account up to and including line `sequence`; before the first line all is 0."""

    available: int = 0
    held: int = 0
    sequence: int = 0


class Line(NamedTuple):
    """What one transfer did to one account, and how the account stood afterwards.

    Points credited to or debited from the member, reserved or unreserved; of each two at most one is not 0.
    """

    transfer: Transfer
    credited: int
    debited: int
    reserved: int
    unreserved: int
    after: Standing


class Page(NamedTuple):
    """Lines in the order of the account: `opening` and the lines make `closing`."""

    opening: Standing
    lines: Sequence[Line]
    closing: Standing
    has_more: bool
