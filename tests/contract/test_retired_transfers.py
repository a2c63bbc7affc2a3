"""Transfers that have left the ledger, as partners and finance meet them: one reason, and what came of them stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.refusals import TransferRetired
from exchange.v1 import member_service_pb2 as members
from exchange.v1 import transfer_service_pb2 as pb
from settlement.keeping import needs
from settlement.proofs.service import Proofs
from settlement.v1 import settlement_service_pb2 as settlement
from tests.banks import credit, debit, statement
from tests.contract.cast import a_cast
from tests.contract.paid import treasury_of
from tests.contract.refusals import refusal
from tests.integration.ledger.ledgers import Ledger, differences
from tests.integration.ledger.retiring import cut, done_with, retired
from tests.movements import a_key, a_reversal, an_earn
from tests.servers import Server
from tests.worlds import World


@pytest.mark.provokes("TRANSFER_RETIRED")
async def test_a_transfer_that_has_left_is_refused_by_name(
    own_server: Server, own_world: World, tmp_path: Path
) -> None:
    """Whoever asks, and whether or not there was one; what came of it is there, and movements go on."""
    cast = await a_cast(own_world)
    ada, key = await cast.member(), a_key()
    old = (await cast.gro.post(an_earn(ada, "50 TEL", key))).transfer
    ledger = Ledger(own_server.url, own_server.api)
    await cut(ledger)
    new = (await cast.gro.earn(ada, "5 TEL")).transfer
    await done_with(ledger)
    await retired(ledger, tmp_path)
    stubs = cast.gro.stubs.transfers
    nobodys = f"{old.name[:-1]}{'0' if old.name[-1] != '0' else '1'}"

    shown = await refusal(cast.gro.ask(stubs.GetTransfer, pb.GetTransferRequest(name=old.name)))
    strangers = await refusal(cast.gen.ask(stubs.GetTransfer, pb.GetTransferRequest(name=old.name)))
    missing = await refusal(cast.gro.ask(stubs.GetTransfer, pb.GetTransferRequest(name=nobodys)))
    looked_up = await refusal(cast.gro.ask(stubs.LookupTransfer, pb.LookupTransferRequest(request_id=key)))
    repeated = await refusal(cast.gro.post(an_earn(ada, "50 TEL", key)))
    reversed_ = await refusal(cast.gro.post(a_reversal(old)))
    listed = await refusal(cast.gro.ask(stubs.ListTransfers, pb.ListTransfersRequest(window="windows/1")))

    assert {one.reason for one in (shown, strangers, missing, looked_up, repeated, reversed_, listed)} == {
        "TRANSFER_RETIRED"
    }
    assert shown.metadata["resource"] == old.name == repeated.metadata["resource"]
    assert (strangers.metadata, missing.metadata["archive"]) == (shown.metadata, shown.metadata["archive"])
    kept = (await cast.gro.ask(stubs.ListTransfers, pb.ListTransfersRequest(member=ada.name))).transfers
    assert [transfer.name for transfer in kept] == [new.name]
    request = members.ListBalancesRequest(member=ada.name, min_ledger_sequence=old.ledger_sequence)
    await cast.gro.ask(cast.gro.stubs.members.ListBalances, request)
    await cast.caf.redeem(ada, "55 TEL")
    assert (await cast.gro.balances(ada))["TEL"] == 0
    assert await differences(own_server.url) == {}


async def test_finance_lets_a_window_go_when_it_is_settled(
    own_server: Server, own_world: World, tmp_path: Path
) -> None:
    """Unpaid, it is still needed; paid, it leaves, and its obligations are no longer listed or counted."""
    treasury = await treasury_of(own_world)
    ledger = Ledger(own_server.url, own_server.api)
    await cut(ledger)
    async with ledger.database.read() as connection:
        unpaid = await needs(connection, 1)
    run, told = await treasury.instructed()
    came_in = [credit(order) for (_, payee), order in told.items() if payee == "OPR"]
    went_out = [debit(order) for (payer, _), order in told.items() if payer == "OPR"]
    await treasury.record(statement(*came_in, *went_out))
    async with ledger.database.read() as connection:
        unsummed = await needs(connection, 1)

    assert any("not settled" in one for one in unpaid)
    assert not any("not settled" in one for one in unsummed)
    assert any("summed up" in one for one in unsummed)
    assert any("heads are made up to window 0" in one for one in unsummed)
    head = await Proofs(ledger.database).commit(1)
    async with ledger.database.read() as connection:
        headed = await needs(connection, 1)
    assert not any("heads" in one for one in headed)
    await done_with(ledger)
    await retired(ledger, tmp_path)
    request = settlement.ListObligationsRequest(window="windows/1")
    listed = await refusal(treasury.payer.ask(treasury.stub.ListObligations, request))
    assert listed.reason == "TRANSFER_RETIRED"
    with pytest.raises(TransferRetired):
        await Proofs(ledger.database).proof(1, "GRO")
    assert await Proofs(ledger.database).commit(1) == head
    assert (await treasury.finance.read(run)).result_digest == run.result_digest
