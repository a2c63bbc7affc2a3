"""Every no to a draft: whose it is, who approves, what is approved, and how many may wait."""

from datetime import timedelta
from typing import Any

import pytest

from exchange.rates.drafts.model import WAITING_MAX
from exchange.v1 import directory_service_pb2 as directory_pb
from exchange.v1 import rate_service_pb2 as pb
from tests.contract.cast import Cast
from tests.contract.drafts import approved, looked_at, proposed, revoked, somebody, validated, withdrawn
from tests.contract.refusals import refusal
from tests.contract.stillness import nothing_changes
from tests.publications import a_rate
from tests.servers import Server, a_server
from tests.worlds import EARNING, EXCHANGE, Party, World, a_world, instant

OPERATOR = directory_pb.CALLER_ROLE_OPERATOR
NOWHERE = "rateDrafts/00000000-0000-7000-8000-000000000000"


async def test_a_merchant_proposes_only_for_a_currency_it_issues(cast: Cast, server: Server) -> None:
    """Out of it or into it; the telecom has no say between the bank and the airline."""
    async with nothing_changes(server):
        refused = await refusal(proposed(cast.tel, a_rate("BNK", "AIR", "31:1")))

    for issuer in (cast.bnk, cast.air):
        await withdrawn(issuer, await proposed(issuer, a_rate("BNK", "AIR", "31:1")))
    assert refused.reason == "NOT_THE_ISSUER"
    assert refused.metadata == {
        "merchant": "merchants/TEL",
        "source": "currencies/BNK",
        "target": "currencies/AIR",
    }


async def test_one_strange_rate_spoils_a_whole_draft(cast: Cast, server: Server) -> None:
    """A draft is published whole or not at all, so it is proposed whole or not at all."""
    async with nothing_changes(server):
        refused = await refusal(proposed(cast.tel, a_rate("TEL", "AIR", "6:1"), a_rate("BNK", "AIR", "31:1")))

    assert refused.reason == "NOT_THE_ISSUER"


async def test_only_an_exchange_merchant_that_is_not_suspended_proposes(world: World, server: Server) -> None:
    """Who may not convert has no rates to propose."""
    earner = await world.merchant("DraftEarner", EARNING)
    stopped = await world.merchant("DraftStopped", EXCHANGE)
    await world.currency("DRE", earner, conversion_in=1, conversion_out=1)
    await world.currency("DRS", stopped, conversion_in=1, conversion_out=1)
    await world.suspend(stopped)

    async with nothing_changes(server):
        role = await refusal(proposed(earner, a_rate("DRE", "DRS", "1:1")))
        suspended = await refusal(proposed(stopped, a_rate("DRS", "DRE", "1:1")))

    assert (role.reason, role.metadata["role"]) == ("ROLE_MISSING", "EXCHANGE")
    assert suspended.reason == "MERCHANT_SUSPENDED"


async def test_a_draft_names_currencies_there_are(cast: Cast, server: Server) -> None:
    """The field says which of which rate."""
    async with nothing_changes(server):
        refused = await refusal(proposed(cast.bnk, a_rate("BNK", "AIR", "31:1"), a_rate("BNK", "NIX", "1:1")))

    assert refused.metadata == {"resource": "currencies/NIX", "field": "rates[1].target_currency"}


@pytest.mark.parametrize("method", ["ValidateRateDraft", "ApproveRateDraft", "WithdrawRateDraft", "GetRateDraft"])
async def test_a_draft_there_is_not_is_not_found(world: World, server: Server, method: str) -> None:
    """By whatever is asked of it."""
    request = getattr(pb, f"{method}Request")(name=NOWHERE)
    if method == "ApproveRateDraft":
        request.digest = "00" * 32

    async with nothing_changes(server):
        refused = await refusal(world.operator.ask(getattr(world.stubs.rates, method), request))

    assert (refused.reason, refused.resource) == ("RESOURCE_NOT_FOUND", NOWHERE)


async def test_another_merchants_draft_cannot_be_told_from_none(cast: Cast, server: Server) -> None:
    """Not even by the issuer of its other currency: a proposal is nobody's business until it is published."""
    draft = await proposed(cast.bnk, a_rate("BNK", "AIR", "31:1"))
    stubs = cast.air.stubs.rates

    async with nothing_changes(server):
        refused = [
            await refusal(cast.air.ask(stubs.GetRateDraft, pb.GetRateDraftRequest(name=draft.name))),
            await refusal(looked_at(cast.air, draft)),
            await refusal(withdrawn(cast.air, draft)),
        ]
        listed = await cast.air.ask(stubs.ListRateDrafts, pb.ListRateDraftsRequest(page_size=1000))

    assert {no.reason for no in refused} == {"RESOURCE_NOT_FOUND"}
    assert draft.name not in {one.name for one in listed.drafts}
    await withdrawn(cast.bnk, draft)


async def test_nobody_approves_what_he_proposed(
    cast: Cast, world: World, server: Server, maker: Party, checker: Party
) -> None:
    """Not with another key of his either; somebody else may, and then it cannot be withdrawn any more."""
    pair = await cast.pair()
    draft = await validated(maker, a_rate(pair.source, pair.target, "2:1", tier="GOLD"))
    other_key = await world.party(OPERATOR, holder=draft.proposer)

    async with nothing_changes(server):
        refused = [await refusal(approved(one, draft)) for one in (maker, other_key)]
    await approved(checker, draft)

    assert [no.reason for no in refused] == ["SAME_PERSON"] * 2
    assert refused[0].metadata == {"resource": draft.name, "person": draft.proposer}
    assert (await refusal(withdrawn(maker, draft))).reason == "WRONG_STATE"


async def test_whose_key_names_nobody_neither_proposes_for_the_operator_nor_approves(
    cast: Cast, world: World, server: Server
) -> None:
    """Two keys without a holder may be in one hand. A merchant's system needs no name: it is somebody else."""
    pair = await cast.pair()
    wanted = a_rate(pair.source, pair.target, "2:1", tier="GOLD")
    nobody = await world.party(OPERATOR, holder="")
    draft = await validated(pair.issuers[0], wanted)

    async with nothing_changes(server):
        refused = [await refusal(proposed(nobody, wanted)), await refusal(approved(nobody, draft))]

    assert [no.reason for no in refused] == ["PERSON_UNKNOWN"] * 2
    assert refused[0].metadata == {"credential": nobody.key}
    await withdrawn(nobody, draft)


@pytest.mark.provokes("SECOND_PERSON_NEEDED")
@pytest.mark.parametrize("setting", [{"publish_alone": "never"}, {"sandbox": False}], ids=["never", "no sandbox"])
async def test_where_two_persons_are_asked_for_nobody_publishes_alone(
    durable_database_url: str, setting: dict[str, Any]
) -> None:
    """Trying what would be published is still free; and by two persons it is published."""
    async with (
        a_server(durable_database_url, **setting) as server,
        a_world(server.address, server.operator_secret) as world,
    ):
        issuer = await world.merchant("ISS", EXCHANGE)
        for code in ("AA", "BB"):
            await world.currency(code, issuer, conversion_in=1, conversion_out=1)
        wanted = a_rate("AA", "BB", "1:1")

        refused = await refusal(world.rate("AA", "BB", "1:1"))
        trial = pb.PublishRateRequest(rate=wanted, validate_only=True)
        tried = await world.operator.ask(world.stubs.rates.PublishRate, trial)
        published = await approved(await somebody(world), await validated(issuer, wanted))

        assert (refused.reason, refused.metadata["subject"]) == ("SECOND_PERSON_NEEDED", "rates/AA>BB")
        assert tried.rate.name == ""
        assert published.draft.state == pb.RateDraft.STATE_APPROVED


async def test_a_setting_lets_one_person_publish_outside_a_sandbox(durable_database_url: str) -> None:
    """Where a coalition has but one operator."""
    settings: dict[str, Any] = {"sandbox": False, "publish_alone": "always"}
    async with (
        a_server(durable_database_url, **settings) as server,
        a_world(server.address, server.operator_secret) as world,
    ):
        issuer = await world.merchant("ISS", EXCHANGE)
        for code in ("AA", "BB"):
            await world.currency(code, issuer, conversion_in=1, conversion_out=1)

        assert (await world.rate("AA", "BB", "1:1")).name


async def test_only_what_the_approver_saw_is_approved(cast: Cast, server: Server, checker: Party) -> None:
    """The digest of another draft is not that of this one."""
    pair = await cast.pair()
    draft = await validated(pair.issuers[0], a_rate(pair.source, pair.target, "2:1", tier="GOLD"))
    other = await validated(pair.issuers[0], a_rate(pair.source, pair.target, "1:1", tier="GOLD"))
    mixed_up = pb.RateDraft(name=draft.name, digest=other.digest)

    async with nothing_changes(server):
        refused = await refusal(approved(checker, mixed_up))

    assert refused.metadata == {"resource": draft.name, "digest": draft.digest}


async def test_only_a_validated_draft_is_approved(cast: Cast, server: Server, checker: Party) -> None:
    """Neither one that nobody looked at, nor one with problems, nor one that was withdrawn."""
    pair = await cast.pair()
    unseen = await proposed(pair.issuers[0], a_rate(pair.source, pair.target, "2:1", tier="GOLD"))
    flawed = await proposed(pair.issuers[0], a_rate(pair.source, pair.target, "2:1"))
    gone = await validated(pair.issuers[0], a_rate(pair.source, pair.target, "2:1", tier="GOLD"))
    found = await looked_at(pair.issuers[0], flawed)
    await withdrawn(pair.issuers[0], gone)

    async with nothing_changes(server):
        refused = [await refusal(approved(checker, draft)) for draft in (unseen, flawed, gone)]
        seen = await refusal(looked_at(pair.issuers[0], gone))

    assert [problem.reason for problem in found.report.problems] == ["RATE_OVERLAP"]
    assert [no.metadata["state"] for no in refused] == ["PROPOSED", "PROPOSED", "WITHDRAWN"]
    assert {no.metadata["needed"] for no in refused} == {"VALIDATED"}
    assert seen.reason == "WRONG_STATE"


async def test_what_was_fine_when_it_was_looked_at_is_looked_at_again(
    cast: Cast, world: World, server: Server, checker: Party
) -> None:
    """Meanwhile somebody published what is in its way; the draft goes on waiting."""
    pair = await cast.pair()
    draft = await validated(pair.issuers[0], a_rate(pair.source, pair.target, "2:1", tier="GOLD"))
    in_the_way = await world.rate(pair.source, pair.target, "3:1", tier="GOLD")

    async with nothing_changes(server):
        refused = await refusal(approved(checker, draft))
    await revoked(world.operator, in_the_way)
    published = await approved(checker, draft)

    assert (refused.reason, refused.metadata["overlaps"]) == ("RATE_OVERLAP", in_the_way.name)
    assert published.draft.state == pb.RateDraft.STATE_APPROVED


async def test_a_draft_can_wait_too_long(cast: Cast, world: World, maker: Party) -> None:
    """What was to begin yesterday cannot begin any more; there were no prices then either."""
    pair = await cast.pair()
    past = await world.now() - timedelta(days=1)

    found = await looked_at(
        maker,
        await proposed(maker, a_rate(pair.source, pair.target, "2:1", tier="A", effective_time=instant(past))),
    )

    problem, other = found.report.problems
    assert (problem.field, problem.reason, problem.metadata["field"]) == (
        "rates[0]",
        "TOO_LATE",
        "rates[0].effective_time",
    )
    assert other.reason == "NO_PRICE"


@pytest.mark.provokes("TOO_MANY_DRAFTS")
async def test_a_merchant_lets_only_so_many_drafts_wait(own_world: World, own_server: Server) -> None:
    """One is withdrawn: there is room again; another merchant's drafts are not counted."""
    issuer, neighbour = await own_world.merchant("ISS", EXCHANGE), await own_world.merchant("NEI", EXCHANGE)
    await own_world.currency("AA", issuer, conversion_in=1, conversion_out=1)
    await own_world.currency("BB", neighbour, conversion_in=1, conversion_out=1)
    wanted = a_rate("AA", "BB", "1:1")
    drafts = [await proposed(issuer, wanted) for _ in range(WAITING_MAX)]

    async with nothing_changes(own_server):
        refused = await refusal(proposed(issuer, wanted))
    await proposed(neighbour, wanted)
    await withdrawn(issuer, drafts[7])
    await proposed(issuer, wanted)

    assert refused.metadata == {"waiting": str(WAITING_MAX), "most": str(WAITING_MAX)}
