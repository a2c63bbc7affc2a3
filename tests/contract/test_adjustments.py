"""Adjustments: proposed by one person, approved by another, and then a movement like any other."""

import asyncio
from datetime import UTC, timedelta

import pytest
from grpc.aio import AioRpcError

from exchange.v1 import directory_service_pb2 as directory_pb
from exchange.v1 import member_service_pb2 as member_pb
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.contract.adjustments import DEBIT, Reason, State, an_adjustment, approved, proposed, read, withdrawn
from tests.contract.cast import Cast, a_cast
from tests.contract.pages import every_page
from tests.contract.refusals import refusal, refusal_of
from tests.contract.stillness import connected, nothing_changes
from tests.contract.watching import Kind, listed
from tests.movements import a_key
from tests.servers import Server
from tests.worlds import EVERY_ROLE, Party, World


async def test_points_are_given_once_another_person_has_approved(
    cast: Cast, world: World, checker: Party, server: Server
) -> None:
    """Proposed by the issuer: nothing moves; approved: a lot of the issuer's own, and nobody owes anybody."""
    ada = await cast.member()
    proposal = await proposed(cast.tel, ada, "50 TEL", note="cold coffee on 3 March")
    before = await cast.gro.balances(ada)

    answer = await approved(checker, proposal, "seen")

    assert (proposal.state, proposal.merchant, before) == (State.STATE_PROPOSED, "merchants/TEL", {})
    assert (proposal.funder, proposal.note) == ("merchants/TEL", "cold coffee on 3 March")
    adjustment, transfer = answer.adjustment, answer.transfer
    assert (adjustment.state, adjustment.transfer, adjustment.decision_note) == (
        State.STATE_POSTED,
        transfer.name,
        "seen",
    )
    assert (transfer.kind, transfer.member, list(transfer.obligations)) == (
        types.Transfer.KIND_CREDIT_ADJUSTMENT,
        ada.name,
        [],
    )
    assert await cast.gro.balances(ada) == {"TEL": 50}
    async with connected(server.url) as connection:
        log = await connection.fetch("SELECT action FROM exchange.audit_log WHERE subject = $1", proposal.name)
    assert [row["action"] for row in log] == ["propose credit adjustment", "approve adjustment"]
    del world


async def test_an_adjustment_is_a_line_of_the_statement_and_an_event(cast: Cast, checker: Party) -> None:
    """The issuer is told; the member's statement shows it and adds up."""
    ada = await cast.member("80 TEL")
    _, cursor = await listed(cast.tel)
    fraud = await proposed(cast.tel, ada, "30 TEL", direction=DEBIT, reason=Reason.REASON_FRAUD)
    taken = (await approved(checker, fraud)).transfer

    request = member_pb.ListStatementEntriesRequest(member=ada.name, currency="currencies/TEL")
    statement = await cast.gro.ask(cast.gro.stubs.members.ListStatementEntries, request)
    events, _ = await listed(cast.tel, cursor=cursor, kinds=[Kind.KIND_TRANSFER])

    line = statement.entries[-1]
    assert (line.kind, line.debited_units, line.balance.available_units) == (
        types.Transfer.KIND_DEBIT_ADJUSTMENT,
        30,
        50,
    )
    assert [event.resource for event in events] == [taken.name]


async def test_the_operator_lets_another_merchant_pay(cast: Cast, maker: Party, checker: Party) -> None:
    """Points x issue price, as if it had awarded them."""
    ada = await cast.member()
    proposal = await proposed(maker, ada, "50 TEL", funder="merchants/GRO", reason=Reason.REASON_MISSING_AWARD)

    transfer = (await approved(checker, proposal)).transfer

    (owed,) = transfer.obligations
    assert (owed.kind, owed.debtor, owed.creditor, owed.amount.micros) == (
        types.Obligation.KIND_ADJUSTMENT,
        "merchants/GRO",
        "merchants/TEL",
        600_000,
    )


@pytest.mark.provokes("SAME_PERSON")
async def test_nobody_approves_his_own(cast: Cast, world: World, checker: Party, server: Server) -> None:
    """Not with another key either, nor with one that names nobody, nor as a merchant."""
    ada = await cast.member()
    li, li_again = [await world.party(directory_pb.CALLER_ROLE_OPERATOR, "li.wei.adjusts") for _ in range(2)]
    nobody = await world.party(directory_pb.CALLER_ROLE_OPERATOR, "")
    proposal = await proposed(li, ada, "50 TEL")

    async with nothing_changes(server):
        refused = [
            await refusal(approved(li, proposal)),
            await refusal(approved(li_again, proposal)),
            await refusal(approved(nobody, proposal)),
            await refusal(approved(cast.tel, proposal)),
            await refusal(proposed(nobody, ada, "50 TEL")),
        ]
    await approved(checker, proposal)

    assert [no.reason for no in refused] == [
        "SAME_PERSON", "SAME_PERSON", "PERSON_UNKNOWN", "METHOD_NOT_ALLOWED", "PERSON_UNKNOWN",
    ]  # fmt: skip


@pytest.mark.provokes("DIGEST_MISMATCH")
async def test_what_is_approved_is_what_was_seen(cast: Cast, maker: Party, checker: Party, server: Server) -> None:
    """The digest of another proposal is none of this one."""
    ada = await cast.member()
    proposal = await proposed(maker, ada, "50 TEL")
    other = await proposed(maker, ada, "5 000 TEL")
    mixed = pb.Adjustment(name=proposal.name, digest=other.digest)

    async with nothing_changes(server):
        refused = await refusal(approved(checker, mixed))

    assert refused.metadata == {"resource": proposal.name, "digest": proposal.digest}


async def test_approved_again_by_the_same_it_is_the_first_answer(
    cast: Cast, maker: Party, checker: Party, server: Server
) -> None:
    """Somebody else comes too late, and so does a withdrawal."""
    ada = await cast.member()
    proposal = await proposed(maker, ada, "50 TEL")
    first = await approved(checker, proposal)

    async with nothing_changes(server):
        again = await approved(checker, proposal)
        refused = [await refusal(withdrawn(maker, proposal)), await refusal(withdrawn(checker, proposal))]

    assert (again.replayed, again.transfer, again.adjustment) == (True, first.transfer, first.adjustment)
    assert {no.reason for no in refused} == {"WRONG_STATE"}
    assert await cast.gro.balances(ada) == {"TEL": 50}


async def test_proposed_again_under_its_key_it_is_the_first_proposal(cast: Cast, maker: Party) -> None:
    """Other terms under the key are refused; another proposer's same key is another proposal."""
    ada, key = await cast.member(), a_key()

    async def ask(by: Party, amount: str) -> pb.ProposeAdjustmentResponse:
        return await by.ask(by.stubs.transfers.ProposeAdjustment, an_adjustment(ada, amount, key))

    first, again, elsewhere = await ask(maker, "5 TEL"), await ask(maker, "5 TEL"), await ask(cast.tel, "5 TEL")
    refused = await refusal(ask(maker, "6 TEL"))

    assert (first.replayed, again.replayed, elsewhere.replayed) == (False, True, False)
    assert first.adjustment == again.adjustment
    assert elsewhere.adjustment.name != first.adjustment.name
    assert refused.reason == "REQUEST_ID_REUSED"


async def test_a_no_of_the_ledger_is_final(cast: Cast, maker: Party, checker: Party) -> None:
    """The adjustment is refused, though the points come later."""
    ada = await cast.member("5 TEL")
    proposal = await proposed(maker, ada, "6 TEL", direction=DEBIT, reason=Reason.REASON_WRONG_AWARD)

    refused = await refusal(approved(checker, proposal))
    await cast.tel.earn(ada, "100 TEL")
    again = await refusal(approved(checker, proposal))

    assert (refused.reason, refused.metadata["available"], again) == ("INSUFFICIENT_POINTS", "5", refused)
    standing = await read(maker, proposal)
    assert (standing.state, standing.refusal) == (State.STATE_REFUSED, "INSUFFICIENT_POINTS")


async def test_a_withdrawn_proposal_moves_nothing(cast: Cast, maker: Party, checker: Party, server: Server) -> None:
    """By its merchant, or by the operator; never by another merchant, to which it does not exist."""
    ada = await cast.member()
    own, others = await proposed(cast.tel, ada, "5 TEL"), await proposed(cast.tel, ada, "5 TEL")

    hidden = [await refusal(withdrawn(cast.air, own)), await refusal(read(cast.air, own))]
    first, again = await withdrawn(cast.tel, own), await withdrawn(cast.tel, own)
    await withdrawn(maker, others)
    async with nothing_changes(server):
        refused = [await refusal(approved(checker, own)), await refusal(approved(checker, others))]

    assert {no.reason for no in hidden} == {"RESOURCE_NOT_FOUND"}
    assert (first.replayed, again.replayed, again.adjustment.state) == (False, True, State.STATE_WITHDRAWN)
    assert {no.reason for no in refused} == {"WRONG_STATE"}


@pytest.mark.provokes("PROPOSAL_LAPSED")
async def test_a_proposal_lapses_after_seven_days(own_world: World) -> None:
    """By the coalition's clock; it is then neither approved nor withdrawn."""
    cast = await a_cast(own_world)
    checker = await own_world.party(directory_pb.CALLER_ROLE_OPERATOR)
    ada = await cast.member()
    proposal = await proposed(cast.tel, ada, "5 TEL")
    ends = proposal.expire_time.ToDatetime(UTC)
    assert ends - proposal.propose_time.ToDatetime(UTC) == timedelta(days=7)

    await own_world.set_clock(ends)

    for late in (approved(checker, proposal), withdrawn(cast.tel, proposal)):
        refused = await refusal(late)
        assert (refused.reason, refused.metadata["expired"]) == ("PROPOSAL_LAPSED", ends.isoformat())
    assert (await read(cast.tel, proposal)).state == State.STATE_LAPSED
    assert await cast.gro.balances(ada) == {}


@pytest.mark.provokes("NOT_OWN_CURRENCY")
async def test_a_merchant_adjusts_only_points_it_issues(cast: Cast, world: World, server: Server) -> None:
    """At its own cost, of members it has linked."""
    stranger = await world.merchant("Adjusts", *EVERY_ROLE)
    await world.currency("ADJ", stranger, issue=1)
    ada = await cast.member()

    async with nothing_changes(server):
        foreign = await refusal(proposed(cast.gro, ada, "5 TEL"))
        others_cost = await refusal(proposed(cast.tel, ada, "5 TEL", funder="merchants/GRO"))
        unlinked = await refusal(proposed(stranger, ada, "5 ADJ"))

    assert (foreign.reason, foreign.metadata["merchant"]) == ("NOT_OWN_CURRENCY", "merchants/GRO")
    assert others_cost.reason == "NOT_OWN_CURRENCY"
    assert (unlinked.reason, unlinked.metadata["field"]) == ("RESOURCE_NOT_FOUND", "member")


async def test_one_lists_ones_own(world: World, cast: Cast, checker: Party) -> None:
    """Oldest first, by state; the operator and auditors all of them."""
    issuer = await world.merchant("Lists", *EVERY_ROLE)
    await world.currency("ADL", issuer, issue=1)
    ada = await world.member("ada", [issuer])
    names = [(await proposed(issuer, ada, f"{n} ADL")).name for n in (1, 2, 3)]
    await approved(checker, await read(issuer, pb.Adjustment(name=names[1])))
    stub, request = issuer.stubs.transfers.ListAdjustments, pb.ListAdjustmentsRequest

    pages = await every_page(issuer, stub, request, 2)
    waiting = await issuer.ask(stub, request(state=State.STATE_PROPOSED))
    everybodys = await every_page(await world.auditor(), stub, request, 1_000)
    none = await cast.air.ask(stub, request(state=State.STATE_WITHDRAWN))

    assert [[one.name for one in page.adjustments] for page in pages] == [names[:2], names[2:]]
    assert [one.name for one in waiting.adjustments] == [names[0], names[2]]
    assert set(names) <= {one.name for page in everybodys for one in page.adjustments}
    assert list(none.adjustments) == []


async def test_many_approvals_at_once_are_one_movement(cast: Cast, world: World, maker: Party) -> None:
    """Ten persons press the button together: one of them has approved it."""
    ada = await cast.member()
    proposal = await proposed(maker, ada, "50 TEL")
    checkers = [await world.party(directory_pb.CALLER_ROLE_OPERATOR) for _ in range(10)]

    answers = await asyncio.gather(*(approved(one, proposal) for one in checkers), return_exceptions=True)

    reasons = [refusal_of(answer).reason for answer in answers if isinstance(answer, AioRpcError)]
    assert reasons == ["WRONG_STATE"] * 9
    assert await cast.gro.balances(ada) == {"TEL": 50}
