"""Currencies that their issuers keep themselves, fresh for one test, and an issuer's system driven by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf.duration_pb2 import Duration

from exchange.v1 import external_ledger_service_pb2 as pb
from exchange.v1 import member_service_pb2 as members
from exchange.v1 import transfer_service_pb2 as transfers
from exchange.v1 import types_pb2 as types
from tests.contract.pairs import Pair, a_pair
from tests.movements import Member
from tests.servers import Server
from tests.worlds import Merchant, Party, World

APPLIED, REJECTED = types.INSTRUCTION_OUTCOME_APPLIED, types.INSTRUCTION_OUTCOME_REJECTED
INSTRUCTED, UNKNOWN, ANSWERED, COMPLETED, CALLED_OFF = (
    types.ExternalConversion.STATE_INSTRUCTED,
    types.ExternalConversion.STATE_UNKNOWN,
    types.ExternalConversion.STATE_ANSWERED,
    types.ExternalConversion.STATE_COMPLETED,
    types.ExternalConversion.STATE_REJECTED,
)


@dataclass(frozen=True, slots=True)
class Outside:
    """A pair of currencies of which one is kept by its issuer.

    Attributes:
        pair: both.
        issuer: who keeps its own.
        asker: the issuer of the other one, who asks for conversions.
        external: code of the one that is kept elsewhere.
    """

    pair: Pair
    issuer: Merchant
    asker: Merchant
    external: str

    @property
    def world(self) -> World:
        """Where."""
        return self.pair.world

    async def begin(self, member: Member, units: int, key: str | None = None, **fields: Any) -> Any:
        """Ask for a conversion; the answer."""
        return await self.asker.convert(member, f"{units} {self.pair.source}", self.pair.target, key, **fields)

    async def begun(self, member: Member, units: int, **fields: Any) -> types.ExternalConversion:
        """Ask for a conversion; how it stands."""
        answer: transfers.ConvertPointsResponse = await self.begin(member, units, **fields)
        return answer.external_conversion

    async def answer(
        self, instruction: str, outcome: types.InstructionOutcome.ValueType = APPLIED, **fields: Any
    ) -> pb.AcknowledgeInstructionResponse:
        """What the issuer's system says."""
        request = pb.AcknowledgeInstructionRequest(name=instruction, outcome=outcome, **fields)
        return await self.issuer.ask(self.world.stubs.external.AcknowledgeInstruction, request)

    async def read(self, conversion: types.ExternalConversion, party: Party | None = None) -> types.ExternalConversion:
        """How it stands now."""
        request = pb.GetExternalConversionRequest(name=conversion.name)
        answer = await (party or self.asker).ask(self.world.stubs.external.GetExternalConversion, request)
        return answer.conversion

    async def balance(self, member: Member, party: Party | None = None) -> types.Balance:
        """The member's balance in the target; an empty one where none is listed."""
        request = members.ListBalancesRequest(member=member.name)
        listed = (await (party or self.asker).ask(self.world.stubs.members.ListBalances, request)).balances
        name = f"currencies/{self.pair.target}"
        return next((one for one in listed if one.currency == name), types.Balance(currency=name))

    async def unanswered(self) -> list[pb.Instruction]:
        """What waits for the issuer of this very currency."""
        request = pb.ListInstructionsRequest(unanswered_only=True, page_size=1_000)
        answer = await self.issuer.ask(self.world.stubs.external.ListInstructions, request)
        return [one for one in answer.instructions if one.points.currency == f"currencies/{self.external}"]


async def outside(world: World, issuer: Merchant, asker: Merchant, *, is_source: bool, **terms: Any) -> Outside:
    """A fresh pair at two to one, of which `issuer` keeps the source or the target; prices 1 000 and 2 000."""
    issuers = (issuer, asker) if is_source else (asker, issuer)
    pair = await a_pair(world, issuers, ratio="2:1", out_price=1_100, in_price=2_000, **terms)
    external = pair.source if is_source else pair.target
    await keep(world, external)
    return Outside(pair, issuer, asker, external)


async def keep(world: World, code: str, seconds: int = 60) -> types.Currency:
    """Let its issuer keep a currency."""
    request = pb.SetExternalLedgerRequest(currency=f"currencies/{code}", answer_timeout=Duration(seconds=seconds))
    return (await world.operator.ask(world.stubs.external.SetExternalLedger, request)).currency


async def upkeep(server: Server) -> None:
    """What the server does by itself every few seconds."""
    await server.api.external.run()
