"""Whom the commands of a batch name: some are known already, others are asked for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest

from exchange.ledger.gathering import Gathering
from exchange.ledger.model import MemberKey, Receipt
from tests.integration.ledger.ledgers import Ledger
from tests.unit.rules.rulebook import MERCHANT_NO, earn


async def test_known_members_stay_found_when_all_are_forgotten_while_others_are_asked_for(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lanes share what they know of members, and any of them forgets it all when it is too much."""
    known, new = await ledger.members(2, "ada")
    ask = Gathering._ask_for_members
    poster = ledger.api.poster

    async def asked_and_forgotten(self: Gathering, unknown: Collection[MemberKey]) -> object:
        found = await ask(self, unknown)
        poster._caches.members.clear()
        return found

    def to(label: str, key: str) -> object:
        return replace(earn("1 TEL", "GRO", key=key), member=MemberKey(MERCHANT_NO["GRO"], None, label))

    await ledger.post(to("ada", "before"))  # type: ignore[arg-type]
    monkeypatch.setattr(Gathering, "_ask_for_members", asked_and_forgotten)

    outcomes = await poster.post_all([to("ada", "known"), to("ada-1", "new")], atomic=False)  # type: ignore[list-item]

    assert [outcome.transfer.member_id for outcome in outcomes if isinstance(outcome, Receipt)] == [known, new]
