"""Whatever happens in a coalition, drawn by a seed: awards, reversals, disputes, adjustments, a default.

Another kind of event is another method of `Year` and its line in `EVENTS`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable

from grpc import aio

from exchange.v1 import types_pb2 as types
from settlement.v1 import disputes_pb2 as pb
from settlement.v1 import funds_pb2 as funds
from settlement.v1 import settlement_service_pb2 as settlement
from tests.contract.disputed import ANSWER, STATE, a_claim, an_adjustment, answered, decided, listed, withdrawn
from tests.contract.money import deposit
from tests.contract.proposed import exclusions
from tests.contract.refusals import refusal_of
from tests.contract.settled import Finance
from tests.movements import a_reversal
from tests.worlds import Merchant

FEN = 10_000
WAITING = {STATE.STATE_OPEN, STATE.STATE_CONTESTED}


class Year:
    """A coalition to which things happen."""

    def __init__(self, finance: Finance, seed: int) -> None:
        self.finance, self.cast, self.chance = finance, finance.cast, random.Random(seed)
        self.made: list[types.Transfer] = []
        self.refused: Counter[str] = Counter()

    async def award(self) -> None:
        """A merchant awards another's points."""
        merchant, code = self.chance.choice([(self.cast.gro, "TEL"), (self.cast.caf, "AIR"), (self.cast.caf, "TEL")])
        amount = f"{self.chance.randint(1, 900)} {code}"
        self.made.append((await merchant.earn(self.finance.member, amount)).transfer)

    async def redeem(self) -> None:
        """Points are spent at another's."""
        merchant, code = self.chance.choice([(self.cast.caf, "TEL"), (self.cast.tel, "AIR")])
        amount = f"{self.chance.randint(1, 60)} {code}"
        self.made.append((await merchant.redeem(self.finance.member, amount)).transfer)

    async def reverse(self) -> None:
        """A transfer is turned back, in part or whole, perhaps months later and whatever is disputed of it."""
        transfer = self.chance.choice(self.made)
        merchant = self.merchant(transfer.merchant)
        units = self.chance.choice([0, 0, 7, 40])
        await merchant.post(a_reversal(transfer, units=units) if units else a_reversal(transfer))

    async def claim(self) -> None:
        """Either side says that some of a recent transfer is not owed."""
        transfer = self.chance.choice(self.made[-40:])
        owed = transfer.obligations[0]
        claimant = self.merchant(self.chance.choice([owed.debtor, owed.creditor]))
        whole = owed.amount.micros // FEN
        reason = self.chance.choice([pb.DISPUTE_REASON_FRAUD, pb.DISPUTE_REASON_WRONG_PRICE])
        if whole:
            request = a_claim(transfer, self.chance.randint(1, whole), reason=reason)
            await claimant.ask(self.finance.stub.OpenDispute, request)

    async def answer(self) -> None:
        """The other side says yes or no."""
        for dispute in await self.some(STATE.STATE_OPEN):
            said = self.chance.choice([ANSWER.ANSWER_ACCEPT, ANSWER.ANSWER_CONTEST, ANSWER.ANSWER_CONTEST])
            await answered(self.finance, self.merchant(dispute.respondent), dispute, said)

    async def decide(self) -> None:
        """Two persons of finance decide."""
        for dispute in await self.some(STATE.STATE_CONTESTED):
            await decided(self.finance, dispute, self.chance.randint(0, dispute.minor_units))

    async def withdraw(self) -> None:
        """The claimant thinks better of it."""
        for dispute in await self.some(*WAITING):
            await withdrawn(self.finance, self.merchant(dispute.claimant), dispute)

    async def adjust(self) -> None:
        """Two persons of finance agree that somebody owes more."""
        debtor, creditor = self.chance.sample(["GRO", "CAF", "TEL", "AIR"], 2)
        await self.finance.agree(an_adjustment(debtor, creditor, self.chance.randint(1, 400)))

    async def provide(self) -> None:
        """Everybody leaves money with the clearing house, too little for the worst."""
        for name in ("GRO", "CAF", "TEL", "AIR"):
            await self.finance.agree(deposit(name, funds.FUNDS_PURPOSE_PREFUNDING, 900))
            await self.finance.agree(deposit(name, funds.FUNDS_PURPOSE_GUARANTEE, 700))
        await self.finance.agree(deposit("OPR", funds.FUNDS_PURPOSE_OPERATOR_LAYER, 150))

    async def default(self, run: settlement.Run) -> tuple[str, int]:
        """The largest payer does not pay: the layers stand in, and it is out. Who, and for how much they stand in."""
        (payments,) = await self.finance.rows(self.finance.maker, run, "payments")
        debts = {one.payer: one.minor_units for one in payments if one.payer != "merchants/OPR"}
        defaulter = max(debts, key=lambda name: (debts[name], name))
        declaration = funds.DefaultDeclaration(participant=defaulter, window=run.window)
        declared = await self.finance.agree(settlement.Proposal(default_declaration=declaration))
        (fall,) = declared.default_declaration.waterfalls
        taken = sum(take.taken_minor_units for take in fall.takes)
        assert fall.loss_minor_units == debts[defaulter]
        assert taken + fall.open_minor_units == fall.loss_minor_units
        assert next(take.participant for take in fall.takes if take.taken_minor_units) == defaulter
        await self.finance.agree(exclusions(defaulter.removeprefix("merchants/")))
        return defaulter, taken

    async def happen(self) -> None:
        """Something happens; what is said no to is counted."""
        event = self.chance.choice(EVENTS)
        try:
            await event(self)
        except aio.AioRpcError as error:
            self.refused[refusal_of(error).reason] += 1

    async def some(self, *states: pb.Dispute.State.ValueType) -> list[pb.Dispute]:
        """One of the disputes in a state, if there is one."""
        found = [dispute for dispute in await listed(self.finance, self.finance.maker) if dispute.state in states]
        return self.chance.sample(found, min(1, len(found)))

    def merchant(self, name: str) -> Merchant:
        """A merchant by its resource name."""
        found: Merchant = getattr(self.finance.cast, name.removeprefix("merchants/").lower())
        return found


EVENTS: list[Callable[[Year], Awaitable[None]]] = [
    *(Year.award,) * 5,
    *(Year.redeem,) * 3,
    *(Year.reverse,) * 2,
    *(Year.claim,) * 4,
    *(Year.answer,) * 2,
    Year.decide,
    Year.withdraw,
    Year.adjust,
]
