"""Drafts of rates as their proposers and approvers ask for them."""

from __future__ import annotations

from exchange.v1 import directory_service_pb2 as directory_pb
from exchange.v1 import rate_service_pb2 as pb
from tests.worlds import Party, World


async def proposed(by: Party, *rates: pb.Rate, note: str = "") -> pb.RateDraft:
    """A draft that somebody proposes."""
    request = pb.ProposeRatesRequest(rates=rates, note=note)
    return (await by.ask(by.stubs.rates.ProposeRates, request)).draft


async def looked_at(by: Party, draft: pb.RateDraft) -> pb.ValidateRateDraftResponse:
    """What is found of a draft."""
    return await by.ask(by.stubs.rates.ValidateRateDraft, pb.ValidateRateDraftRequest(name=draft.name))


async def validated(by: Party, *rates: pb.Rate) -> pb.RateDraft:
    """A draft with nothing against it."""
    answer = await looked_at(by, await proposed(by, *rates))
    assert list(answer.report.problems) == []
    return answer.draft


async def approved(by: Party, draft: pb.RateDraft, reason: str = "") -> pb.ApproveRateDraftResponse:
    """What comes of approving what the draft says."""
    request = pb.ApproveRateDraftRequest(name=draft.name, digest=draft.digest, reason=reason)
    return await by.ask(by.stubs.rates.ApproveRateDraft, request)


async def withdrawn(by: Party, draft: pb.RateDraft, reason: str = "") -> pb.WithdrawRateDraftResponse:
    """What comes of withdrawing a draft."""
    request = pb.WithdrawRateDraftRequest(name=draft.name, reason=reason)
    return await by.ask(by.stubs.rates.WithdrawRateDraft, request)


async def read(by: Party, draft: pb.RateDraft) -> pb.RateDraft:
    """The draft as it stands."""
    return (await by.ask(by.stubs.rates.GetRateDraft, pb.GetRateDraftRequest(name=draft.name))).draft


async def revoked(by: Party, rate: pb.Rate, reason: str = "a mistake") -> pb.RevokeRateResponse:
    """What comes of taking a version back."""
    return await by.ask(by.stubs.rates.RevokeRate, pb.RevokeRateRequest(name=rate.name, reason=reason))


async def somebody(world: World) -> Party:
    """Somebody at the operator, each time another person."""
    return await world.party(directory_pb.CALLER_ROLE_OPERATOR)
