"""The rulebook's first worked period, moved through the wire and ready to be settled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import settlement_service_pb2 as pb
from settlement.v1.settlement_service_pb2_grpc import SettlementServiceStub
from tests.contract.cast import Cast, a_cast
from tests.contract.pages import every_page
from tests.movements import Member
from tests.worlds import Party, World


@dataclass(frozen=True, slots=True)
class Finance:
    """Finance's view of a coalition.

    Attributes:
        cast: the merchants.
        member: whose points moved.
        maker: runs settlements.
        checker: approves them.
        stub: SettlementService; on an asyncio channel, which its generated type does not know.
    """

    cast: Cast
    member: Member
    maker: Party
    checker: Party
    stub: Any

    async def close(self, name: str = "windows/open") -> pb.CloseWindowResponse:
        """Cut a window off."""
        closed: pb.CloseWindowResponse = await self.maker.ask(self.stub.CloseWindow, pb.CloseWindowRequest(name=name))
        return closed

    async def start(self, window: str, **configuration: Any) -> pb.StartRunResponse:
        """Net a window."""
        request = pb.StartRunRequest(window=window, configuration=pb.RunConfiguration(**configuration))
        started: pb.StartRunResponse = await self.maker.ask(self.stub.StartRun, request)
        return started

    async def submit(self, run: pb.Run, reason: str = "") -> pb.Run:
        """Put a run before the checkers."""
        request = pb.SubmitRunRequest(name=run.name, result_digest=run.result_digest, reason=reason)
        submitted: pb.Run = (await self.maker.ask(self.stub.SubmitRun, request)).run
        return submitted

    async def approve(self, run: pb.Run, checker: Party | None = None) -> pb.Run:
        """Say yes to a run as it was shown."""
        request = pb.ApproveRunRequest(name=run.name, result_digest=run.result_digest, etag=run.etag)
        approved: pb.Run = (await (checker or self.checker).ask(self.stub.ApproveRun, request)).run
        return approved

    async def reject(self, run: pb.Run, reason: str = "no") -> pb.Run:
        """Say no to a run as it was shown."""
        request = pb.RejectRunRequest(name=run.name, result_digest=run.result_digest, etag=run.etag, reason=reason)
        rejected: pb.Run = (await self.checker.ask(self.stub.RejectRun, request)).run
        return rejected

    async def propose(self, proposal: pb.Proposal) -> pb.Proposal:
        """Put a document before the checkers."""
        request = pb.ProposeChangeRequest(proposal=proposal)
        proposed: pb.Proposal = (await self.maker.ask(self.stub.ProposeChange, request)).proposal
        return proposed

    async def agree(self, proposal: pb.Proposal) -> pb.Proposal:
        """Let a document hold."""
        return await self.approve_proposal(await self.propose(proposal))

    async def approve_proposal(self, proposed: pb.Proposal) -> pb.Proposal:
        """Say yes to a document as it was shown."""
        request = pb.ApproveProposalRequest(name=proposed.name, digest=proposed.digest)
        approved: pb.Proposal = (await self.checker.ask(self.stub.ApproveProposal, request)).proposal
        return approved

    async def read(self, run: pb.Run) -> pb.Run:
        """A run as it stands."""
        found: pb.Run = (await self.maker.ask(self.stub.GetRun, pb.GetRunRequest(name=run.name))).run
        return found

    async def rows(self, caller: Party, run: pb.Run, what: str, page_size: int = 1_000) -> list[list[Any]]:
        """A run's "positions", "pairs", "payments" or carried "items", page by page, as a caller sees them."""
        method, request = {
            "positions": (self.stub.ListNetPositions, pb.ListNetPositionsRequest),
            "pairs": (self.stub.ListPairTotals, pb.ListPairTotalsRequest),
            "payments": (self.stub.ListPayments, pb.ListPaymentsRequest),
            "items": (self.stub.ListCarriedItems, pb.ListCarriedItemsRequest),
        }[what]
        pages = await every_page(caller, method, request, page_size, run=run.name)
        return [list(getattr(page, what)) for page in pages]

    async def obligations(self, caller: Party, window: str, page_size: int = 1_000, **filters: str) -> list[list[Any]]:
        """A window's obligations, page by page, as a caller sees them."""
        pages = await every_page(
            caller, self.stub.ListObligations, pb.ListObligationsRequest, page_size, window=window, **filters
        )
        return [list(page.obligations) for page in pages]


async def finance_of(world: World) -> Finance:
    """A new coalition in which nothing has moved."""
    cast = await a_cast(world)
    return Finance(
        cast=cast,
        member=await cast.member(),
        maker=await world.party(directory.CALLER_ROLE_FINANCE_MAKER),
        checker=await world.party(directory.CALLER_ROLE_FINANCE_CHECKER),
        stub=SettlementServiceStub(world.stubs.channel),
    )


async def finance_after_period_a(world: World) -> Finance:
    """A new coalition in whose first window the rulebook's period A has happened; it is closed."""
    finance = await finance_of(world)
    await move_period_a(finance)
    await finance.close("windows/1")
    return finance


async def move_period_a(finance: Finance) -> None:
    """Earn, redeem, discount: the rulebook's period A, with the issuers' own awards that it takes for granted."""
    cast, ada = finance.cast, finance.member
    await cast.gro.earn(ada, "120 000 TEL")
    await cast.caf.earn(ada, "8 350 AIR")
    await cast.bnk.earn(ada, "900 000 BNK")
    await cast.air.earn(ada, "20 000 AIR")
    await cast.caf.redeem(ada, "50 000 TEL")
    await cast.gro.discount(ada, "300 000 BNK")
    await cast.gro.discount(ada, "12 345 TEL")
    await cast.tel.redeem(ada, "4 000 AIR")
    await cast.air.redeem(ada, "20 000 AIR")


def short(name: str) -> str:
    """The id of a merchant's name."""
    return name.removeprefix("merchants/")
