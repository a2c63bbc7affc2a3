"""What one process keeps between batches.

Links and accounts are never taken away, so a hit among these is always true. What accounts hold is another matter:
see `memory`.
"""

from __future__ import annotations

from exchange.ledger.decision import Target
from exchange.ledger.memory import Memory
from exchange.ledger.model import MemberKey
from exchange.ledger.reference import AccountKey


class Caches:
    """Members by how merchants name them, accounts that are known to exist, and what is remembered of some."""

    LIMIT = 500_000

    def __init__(self, remembered_accounts: int) -> None:
        self.memory = Memory(remembered_accounts)
        self.members: dict[MemberKey, Target] = {}
        self.accounts: set[AccountKey] = set()

    def trim(self) -> None:
        """Forget everything once it has grown past the limit: simpler than choosing, and rare."""
        if len(self.members) > self.LIMIT:
            self.members.clear()
        if len(self.accounts) > self.LIMIT:
            self.accounts.clear()
