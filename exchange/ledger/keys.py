"""Idempotency: one key, one effect, one answer, for ever."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from exchange.ledger.bonuses import Bonus
from exchange.ledger.model import Command, Receipt, Transfer, key_bucket
from exchange.refusals import Category, Refusal, RequestIdReused, StoredRefusal

Key: TypeAlias = tuple[int, str]
Answer: TypeAlias = Transfer | Refusal


class KnownKeys:
    """Answers given before, from the ledger and from earlier in the same batch.

    Attributes:
        bonuses: what promotions did in the transfers among them.
    """

    def __init__(self) -> None:
        self._answers: dict[Key, tuple[bytes, Answer]] = {}
        self.bonuses: dict[UUID, Sequence[Bonus]] = {}

    @property
    def transfers(self) -> list[tuple[int, UUID]]:
        """Names (bucket, id) of the transfers that were the answer."""
        answers = (answer for _, answer in self._answers.values() if isinstance(answer, Transfer))
        return [(one.bucket, one.transfer_id) for one in answers if one.transfer_id is not None]

    @property
    def count(self) -> int:
        """How many keys have an answer."""
        return len(self._answers)

    def remember(self, key: Key, fingerprint: bytes, answer: Answer) -> None:
        """Note an answer for later items of the batch."""
        self._answers[key] = (fingerprint, answer)

    def forget(self, keys: Iterable[Key]) -> None:
        """Undo `remember` for a group that was not applied."""
        for key in keys:
            self._answers.pop(key, None)

    def answer(self, command: Command) -> Receipt | Refusal | None:
        """The first answer to this command's key; a refusal when the key belongs to another body; None if unused."""
        known = self._answers.get((command.merchant_no, command.request_id))
        if known is None:
            return None
        fingerprint, answer = known
        if fingerprint != command.fingerprint:
            return RequestIdReused(request_id=command.request_id)
        if isinstance(answer, Refusal):
            return answer
        assert answer.transfer_id is not None
        return Receipt(answer, replayed=True, bonuses=self.bonuses.get(answer.transfer_id, ()))


def key_names(commands: Iterable[Command]) -> list[tuple[int, int, str]]:
    """The commands' keys and where they live (exchange.key_name)."""
    keys = {(command.merchant_no, command.request_id) for command in commands}
    return [(key_bucket(*key), *key) for key in keys]


def stored(refusal: Refusal) -> str:
    """A refusal as it is kept with its key."""
    return json.dumps({"reason": refusal.reason, "category": refusal.category.value, "data": refusal.data})


def restored(kept: dict[str, Any]) -> StoredRefusal:
    """The refusal as it was first given, from its stored JSON."""
    return StoredRefusal(kept["reason"], Category(kept["category"]), kept["data"])
