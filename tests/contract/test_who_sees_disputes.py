"""Whom disputes and adjustments are shown to, and in which order."""

from __future__ import annotations

from exchange.v1 import types_pb2 as types
from settlement.v1 import disputes_pb2 as pb
from tests.contract.disputed import NOWHERE, a_claim, adjustments, an_adjustment, listed, opened, read, withdrawn
from tests.contract.refusals import refusal
from tests.contract.settled import Finance


async def test_others_cannot_tell_a_dispute_or_an_obligation_from_none(finance: Finance, award: types.Transfer) -> None:
    """Neither by name, nor in lists, nor by claiming."""
    gro, caf, stub = finance.cast.gro, finance.cast.caf, finance.stub
    dispute = await opened(finance, gro, award, 100)
    await finance.agree(an_adjustment("TEL", "GRO", 5))
    nowhere = pb.Dispute(name=f"disputes/{NOWHERE}")

    hidden, missing = [await refusal(read(finance, one, caf)) for one in (dispute, nowhere)]
    claimed = await refusal(opened(finance, caf, award, 1))
    unknown = await refusal(caf.ask(stub.OpenDispute, a_claim(award, 1, transfer=f"transfers/{NOWHERE}")))

    assert (hidden.reason, hidden.metadata["field"]) == ("RESOURCE_NOT_FOUND", "name")
    assert repr(hidden).replace(dispute.name, "D") == repr(missing).replace(nowhere.name, "D")
    assert (claimed.reason, claimed.metadata["field"]) == ("RESOURCE_NOT_FOUND", "transfer")
    assert repr(claimed).replace(award.name, "T") == repr(unknown).replace(f"transfers/{NOWHERE}", "T")
    assert (await listed(finance, caf), await adjustments(finance, caf)) == ([], [])
    assert [len(await listed(finance, one)) for one in (gro, finance.cast.tel, finance.checker)] == [1, 1, 1]


async def test_disputes_are_listed_newest_first_page_by_page(finance: Finance, award: types.Transfer) -> None:
    """All, those that wait, those of a window or of a transfer."""
    gro = finance.cast.gro
    disputes = [await opened(finance, gro, award, 10) for _ in range(3)]
    await withdrawn(finance, gro, disputes[1])
    newest_first = [dispute.name for dispute in reversed(disputes)]

    async def names(**filters: object) -> list[str]:
        return [dispute.name for dispute in await listed(finance, gro, 2, **filters)]

    assert await names() == await names(window="windows/1") == await names(transfer=award.name) == newest_first
    assert await names(waiting_only=True) == [newest_first[0], newest_first[2]]
    assert await names(window="windows/2") == await names(transfer=f"transfers/{NOWHERE}") == []
