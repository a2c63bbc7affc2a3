"""A window's head: what commits to everything that was owed in it."""

from __future__ import annotations

from typing import NamedTuple


class Head(NamedTuple):
    """What a statement of a window is checked against; hashes are hexadecimal SHA-256.

    Attributes:
        window_no: the window.
        closed: when it was cut off, ISO 8601 in UTC.
        previous: the head of the window before; of the first one zeros.
        items: how many obligations its transfers left.
        items_root: of the tree of them, in ledger order.
        pairs: how many directed pairs owe anything.
        pairs_root: of the tree of what each owes, by currency, debtor and creditor.
        head: what binds all of this.
    """

    window_no: int
    closed: str
    previous: str
    items: int
    items_root: str
    pairs: int
    pairs_root: str
    head: str

    @property
    def told(self) -> dict[str, str | int]:
        """As `offline.head_of` reads it."""
        return {"window": f"windows/{self.window_no}", **{name: getattr(self, name) for name in self._fields[1:-1]}}
