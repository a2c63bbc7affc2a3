"""Transfers that have left the ledger, as partners and finance meet them: one reason, and what came of them stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.refusals import TransferRetired
from exchange.retention import service
from exchange.retention.model import Content, Step
from exchange.v1 import member_service_pb2 as members
from exchange.v1 import transfer_service_pb2 as pb
from settlement.keeping import needs
from settlement.proofs.service import Proofs
from settlement.v1 import disputes_pb2 as disputes
from settlement.v1 import settlement_service_pb2 as settlement
from tests.banks import credit, debit, statement
from tests.contract.cast import a_cast
from tests.contract.disputed import answered, opened, withdrawn
from tests.contract.paid import treasury_of
from tests.contract.refusals import refusal
from tests.contract.settled import finance_of
from tests.integration.ledger.ledgers import Ledger, differences
from tests.integration.ledger.retiring import LI_WEI, candidate, cut, done_with, keeping, retired
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
    proofs = Proofs(ledger.database)
    head = await proofs.commit(1)
    assert await proofs.proof(1, "GRO")
    async with ledger.database.read() as connection:
        headed = await needs(connection, 1)
    assert not any("heads" in one for one in headed)
    await done_with(ledger)
    await retired(ledger, tmp_path)
    request = settlement.ListObligationsRequest(window="windows/1")
    listed = await refusal(treasury.payer.ask(treasury.stub.ListObligations, request))
    assert listed.reason == "TRANSFER_RETIRED"
    for book in (proofs, Proofs(ledger.database)):
        with pytest.raises(TransferRetired):
            await book.proof(1, "GRO")
    assert await Proofs(ledger.database).commit(1) == head
    assert (await treasury.finance.read(run)).result_digest == run.result_digest


async def needed(ledger: Ledger, window_no: int) -> str:
    """What settlement needs transfers of windows up to this one for."""
    async with ledger.database.read() as connection:
        return "\n".join(await needs(connection, window_no))


async def test_a_reversal_of_what_a_dispute_won_is_netted_before_its_transfer_leaves(
    own_server: Server, own_world: World
) -> None:
    """Both gave it back: which is told by the transfer, when the window of the reversal is run."""
    finance, ledger = await finance_of(own_world), Ledger(own_server.url, own_server.api)
    gro, tel = finance.cast.gro, finance.cast.tel
    award = (await gro.post(an_earn(finance.member, "500 TEL", a_key()))).transfer
    dispute = await opened(finance, gro, award, 100)
    await answered(finance, tel, dispute, disputes.AnswerDisputeRequest.ANSWER_ACCEPT)
    await finance.close("windows/1")
    await finance.start("windows/1")
    before = await needed(ledger, 1)
    await gro.post(a_reversal(award))
    reversed_ = await needed(ledger, 1)
    await finance.close("windows/2")
    await finance.start("windows/2")

    assert "were reversed" not in before
    assert "1 of their transfers were reversed after a dispute had won of them" in reversed_
    assert "were reversed" not in await needed(ledger, 1)


async def test_who_comes_to_need_a_transfer_while_it_leaves_keeps_it(
    own_server: Server, own_world: World, tmp_path: Path
) -> None:
    """A dispute opened after the partition was begun: it stays where it is until that has ended, and goes on then."""
    finance, ledger = await finance_of(own_world), Ledger(own_server.url, own_server.api)
    award = (await finance.cast.gro.post(an_earn(finance.member, "500 TEL", a_key()))).transfer
    await cut(ledger)
    await done_with(ledger)

    async def disputes_open(connection: AsyncConnection, content: Content) -> list[str]:
        return [one for one in await needs(connection, content.last_window_no) if "disputes" in one]

    async with keeping(ledger, needs=[disputes_open]) as retirements:
        with pytest.MonkeyPatch.context() as broken:
            broken.setattr(service, "detach", _interrupted)
            with pytest.raises(KeyboardInterrupt):
                await retirements.retire(await candidate(retirements), LI_WEI, tmp_path)
        dispute = await opened(finance, finance.cast.gro, award, 100)
        (begun,) = await retirements.all()

        with pytest.raises(service.RetirementRefused, match="1 disputes about their transfers have not ended"):
            await retirements.go_on(begun, tmp_path)
        still = (await retirements.all())[0].step
        await withdrawn(finance, finance.cast.gro, dispute)
        gone = await retirements.go_on((await retirements.all())[0], tmp_path)

    assert (still, gone.step) == (Step.ARCHIVED, Step.DETACHED)
    assert await differences(own_server.url) == {}


async def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt
