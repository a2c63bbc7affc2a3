"""What holds for all of settlement is proposed by one person and decided by another: terms, tiers, exclusions."""

from typing import Any

import pytest

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.pages import every_page
from tests.contract.proposed import exclusions, terms, tiers
from tests.contract.refusals import refusal
from tests.contract.settled import Finance
from tests.contract.stillness import nothing_changes
from tests.servers import Server
from tests.worlds import World

MAKER, CHECKER = directory.CALLER_ROLE_FINANCE_MAKER, directory.CALLER_ROLE_FINANCE_CHECKER
STATE = pb.Proposal.State


async def test_a_document_holds_when_another_person_has_approved_it(finance: Finance) -> None:
    """And replaces the one before, which stays for the record."""
    first = await finance.agree(terms(CNY=100))
    second = await finance.agree(terms(CNY=200))

    first = (await finance.maker.ask(finance.stub.GetProposal, pb.GetProposalRequest(name=first.name))).proposal
    assert (second.state, second.in_force, second.replaces) == (STATE.STATE_APPROVED, True, first.name)
    assert (first.state, first.in_force) == (STATE.STATE_APPROVED, False)
    assert second.terms.minimum_minor_units["CNY"] == 200
    assert second.terms.legal_model == pb.LEGAL_MODEL_NOVATION
    assert second.proposed.person != second.decided.person


@pytest.mark.parametrize("verdict", ["ApproveProposal", "RejectProposal"])
async def test_nobody_decides_on_his_own_proposal(finance: Finance, own_world: World, verdict: str) -> None:
    """Under whatever key."""
    maker, checker = await own_world.party(MAKER, "ann"), await own_world.party(CHECKER, "ann")
    proposal = (await maker.ask(finance.stub.ProposeChange, pb.ProposeChangeRequest(proposal=terms()))).proposal

    refused = await refusal(checker.ask(getattr(finance.stub, verdict), _decision(verdict, proposal)))

    assert (refused.reason, refused.metadata) == ("SAME_PERSON", {"resource": proposal.name, "person": "ann"})


async def test_a_key_that_names_nobody_proposes_and_decides_nothing(finance: Finance, own_world: World) -> None:
    """Two such keys may be in one hand."""
    proposal = await finance.propose(terms())
    maker, checker = await own_world.party(MAKER, ""), await own_world.party(CHECKER, "")

    noes = [
        await refusal(maker.ask(finance.stub.ProposeChange, pb.ProposeChangeRequest(proposal=terms()))),
        await refusal(checker.ask(finance.stub.ApproveProposal, _decision("ApproveProposal", proposal))),
        await refusal(checker.ask(finance.stub.RejectProposal, _decision("RejectProposal", proposal))),
    ]

    assert [no.reason for no in noes] == ["PERSON_UNKNOWN"] * 3


async def test_only_the_document_that_was_looked_at_is_decided_on(finance: Finance) -> None:
    """By its digest."""
    proposal = await finance.propose(terms())
    other = pb.Proposal(name=proposal.name, digest="0" * 64)

    refused = await refusal(finance.checker.ask(finance.stub.ApproveProposal, _decision("ApproveProposal", other)))

    assert (refused.reason, refused.metadata["digest"]) == ("DIGEST_MISMATCH", proposal.digest)


async def test_what_no_longer_replaces_what_holds_is_not_approved(finance: Finance) -> None:
    """Of two proposals side by side the second would undo the first unseen."""
    first, second = await finance.propose(terms(CNY=1)), await finance.propose(terms(CNY=2))
    await finance.checker.ask(finance.stub.ApproveProposal, _decision("ApproveProposal", first))

    refused = await refusal(finance.checker.ask(finance.stub.ApproveProposal, _decision("ApproveProposal", second)))

    assert refused.metadata == {"resource": second.name, "state": "OUTDATED", "needed": "WAITING"}


async def test_repeating_a_step_answers_what_it_did(finance: Finance, own_server: Server) -> None:
    """Proposing, approving, rejecting, withdrawing: each a second time changes nothing."""
    first = await finance.propose(terms(CNY=1))
    async with nothing_changes(own_server):
        again = await finance.maker.ask(finance.stub.ProposeChange, pb.ProposeChangeRequest(proposal=terms(CNY=1)))
    answers = [again]
    for verdict in ("ApproveProposal", "RejectProposal", "WithdrawProposal"):
        proposal = first if verdict == "ApproveProposal" else await finance.propose(terms(CNY=2))
        caller = finance.maker if verdict == "WithdrawProposal" else finance.checker
        ask: Any = getattr(finance.stub, verdict)
        decided = await caller.ask(ask, _decision(verdict, proposal))
        async with nothing_changes(own_server):
            answers.append(await caller.ask(ask, _decision(verdict, proposal)))
        assert answers[-1].proposal == decided.proposal

    assert [answer.replayed for answer in answers] == [True] * 4
    assert [answer.proposal.state for answer in answers] == [
        STATE.STATE_WAITING,
        STATE.STATE_APPROVED,
        STATE.STATE_REJECTED,
        STATE.STATE_WITHDRAWN,
    ]


async def test_what_is_decided_is_decided(finance: Finance) -> None:
    """A rejected document is not approved after all, nor withdrawn."""
    proposal = await finance.propose(terms())
    await finance.checker.ask(finance.stub.RejectProposal, _decision("RejectProposal", proposal))

    noes = [
        await refusal(finance.checker.ask(finance.stub.ApproveProposal, _decision("ApproveProposal", proposal))),
        await refusal(finance.maker.ask(finance.stub.WithdrawProposal, _decision("WithdrawProposal", proposal))),
    ]

    assert {no.metadata["state"] for no in noes} == {"REJECTED"}


@pytest.mark.parametrize("name", ["NIX", "OPR"])
async def test_only_a_participant_is_excluded(finance: Finance, name: str) -> None:
    """Not whom nobody knows, and not the operator from its own clearing."""
    refused = await refusal(finance.propose(exclusions("GRO", name)))

    assert (refused.reason, refused.metadata["field"]) == (
        "RESOURCE_NOT_FOUND",
        "proposal.exclusions.excluded[1].participant",
    )


@pytest.mark.parametrize(
    ("proposal", "field"),
    [
        (pb.Proposal(), "proposal.content"),
        (tiers((5, 1), (5, 2)), "proposal.tiers.tiers[1].from_minor_units"),
        (tiers((5, 10)), "proposal.tiers.tiers[0].checkers"),
        (exclusions("GRO", "GRO"), "proposal.exclusions.excluded[1].participant"),
        (
            pb.Proposal(terms=pb.SettlementTerms(mode=pb.NETTING_MODE_GROSS, legal_model=pb.LEGAL_MODEL_NOVATION)),
            "proposal.terms.legal_model",
        ),
    ],
)
async def test_a_document_that_makes_no_sense_is_refused(finance: Finance, proposal: pb.Proposal, field: str) -> None:
    """By the field."""
    refused = await refusal(finance.propose(proposal))

    assert (refused.reason, refused.fields) == ("INVALID_FIELD", (field,))


async def test_proposals_are_listed_newest_first_page_by_page(finance: Finance) -> None:
    """Of a kind, or those that wait."""
    agreed = await finance.agree(terms(CNY=1))
    waiting = [await finance.propose(proposal) for proposal in (tiers((5, 2)), exclusions("GRO"), terms(CNY=2))]
    stub, request = finance.stub.ListProposals, pb.ListProposalsRequest

    everything = await every_page(finance.checker, stub, request, 3)
    to_decide = await every_page(finance.checker, stub, request, 1, waiting_only=True)
    of_terms = await every_page(finance.maker, stub, request, 50, kind=request.KIND_TERMS)

    names = [proposal.name for proposal in (*reversed(waiting), agreed)]
    assert [[one.name for one in page.proposals] for page in everything] == [names[:3], names[3:]]
    assert [one.name for page in to_decide for one in page.proposals] == names[:3]
    assert [one.name for page in of_terms for one in page.proposals] == [names[0], names[3]]


@pytest.mark.parametrize("method", ["ApproveProposal", "RejectProposal", "WithdrawProposal", "GetProposal"])
async def test_a_proposal_there_is_not_is_not_found(finance: Finance, method: str) -> None:
    """By its name."""
    nowhere = pb.Proposal(name="proposals/00000000-0000-4000-8000-000000000000", digest="0" * 64)
    caller = finance.checker if method in {"ApproveProposal", "RejectProposal"} else finance.maker

    refused = await refusal(caller.ask(getattr(finance.stub, method), _decision(method, nowhere)))

    assert (refused.reason, refused.metadata["field"]) == ("RESOURCE_NOT_FOUND", "name")


def _decision(method: str, proposal: pb.Proposal) -> Any:
    match method:
        case "ApproveProposal":
            return pb.ApproveProposalRequest(name=proposal.name, digest=proposal.digest)
        case "RejectProposal":
            return pb.RejectProposalRequest(name=proposal.name, digest=proposal.digest, reason="no")
        case "WithdrawProposal":
            return pb.WithdrawProposalRequest(name=proposal.name, reason="no")
    return pb.GetProposalRequest(name=proposal.name)
