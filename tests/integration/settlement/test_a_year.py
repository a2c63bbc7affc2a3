"""A year of windows in which everything happens: awards, reversals, carries, disputes, adjustments, a default.

What happens is drawn by a seed. After every window everything is counted again from what the wire tells, and has to
come out the same. Another kind of event is another method of `Year` and its line in `EVENTS`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from grpc import aio

from exchange.v1 import transfer_service_pb2 as transfers
from exchange.v1 import types_pb2 as types
from settlement.disputes.deadlines import Deadlines
from settlement.v1 import disputes_pb2 as pb
from settlement.v1 import funds_pb2 as funds
from settlement.v1 import settlement_service_pb2 as settlement
from settlement.windows.scheduler import SCHEDULER
from tests.contract.disputed import (
    ANSWER,
    STATE,
    a_claim,
    a_policy,
    adjustments,
    an_adjustment,
    answered,
    decided,
    listed,
    withdrawn,
)
from tests.contract.money import deposit
from tests.contract.proposed import exclusions
from tests.contract.refusals import refusal_of
from tests.contract.settled import Finance, finance_of
from tests.movements import a_reversal
from tests.servers import Server
from tests.worlds import Merchant, a_world

WINDOWS, QUIET, EVENTS_A_WINDOW = 12, 3, 16
"""Months in which things happen, then months in which deadlines end what is left."""
DEFAULT, RELEASE = 8, 13
"""The month whose largest payer does not pay, and the one from which what was held for it is netted again."""
FEN = 10_000
MINIMUM = 900
EXPECTED = {
    "CLAIM_EXCEEDS",
    "ALREADY_REVERSED",
    "REVERSAL_EXCEEDS",
    "INSUFFICIENT_POINTS",
    "WRONG_STATE",
    "DISPUTE_PERIOD_OVER",
}
"""What may be said no to, when events meet one another."""
WAITING = {STATE.STATE_OPEN, STATE.STATE_CONTESTED}
Flows = Counter[str]


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


class Books:
    """Everything counted again, window by window, from what the wire tells."""

    def __init__(self, finance: Finance) -> None:
        self.finance = finance
        self.arose: Flows = Counter()
        self.paid: Flows = Counter()
        self.left: list[tuple[str, ...]] = []

    async def close(self, run: settlement.Run) -> None:
        """Hold one window's run to every rule."""
        maker, way = self.finance.maker, settlement.CarriedItem.Way
        (positions,) = await self.finance.rows(maker, run, "positions")
        (pairs,) = await self.finance.rows(maker, run, "pairs")
        (payments,) = await self.finance.rows(maker, run, "payments")
        (items,) = await self.finance.rows(maker, run, "items")
        adjusted = await adjustments(self.finance, maker, window=run.window)

        assert sum(one.receivable_minor_units - one.payable_minor_units for one in positions) == 0
        _flow(self.paid, [(one.payer, one.payee, one.minor_units) for one in payments])
        for pair in pairs:
            came = pair.carried_in_minor_units + pair.held_in_minor_units + pair.adjusted_minor_units
            arisen = pair.gross_minor_units - came
            assert arisen == (2 * int(pair.micros) + FEN) // (2 * FEN)
            _flow(self.arose, [(pair.debtor, pair.creditor, arisen)])
        of_pairs, of_items = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        of_pairs.update({(pair.debtor, pair.creditor): pair.adjusted_minor_units for pair in pairs})
        for one in adjusted:
            of_items[one.debtor, one.creditor] += one.minor_units
        assert +of_pairs == of_items
        _flow(self.arose, [(one.debtor, one.creditor, one.minor_units) for one in adjusted])

        assert self.left == sorted(_items(items, way.WAY_CAME_IN))
        self.left = sorted(_items(items, way.WAY_LEAVES))
        waiting: Flows = Counter()
        _flow(waiting, [(one[0], one[1], int(one[2])) for one in self.left])
        waiting.update(self.paid)
        assert _kept(waiting) == _kept(self.arose)
        await self._disputes_are_held(run, items)

    async def _disputes_are_held(self, run: settlement.Run, items: list[settlement.CarriedItem]) -> None:
        """Exactly those that were to be held out, and had not ended when the window was cut off."""
        number = _number(run.window)
        expected = {
            dispute.name: dispute.minor_units
            for dispute in await listed(self.finance, self.finance.maker)
            if dispute.treatment == pb.DISPUTE_TREATMENT_HOLD_OUT
            and _number(dispute.window) <= number
            and (not dispute.release_window or _number(dispute.release_window) > number)
        }
        leaves = [one for one in items if one.way == settlement.CarriedItem.WAY_LEAVES and one.dispute]
        assert {one.dispute: one.minor_units for one in leaves} == expected

    async def funds_are_sound(self, deposited: int, defaulted: int) -> None:
        """What was left with the clearing house lies there to the last fen, whoever it is for by now."""
        answer = await self.finance.maker.ask(self.finance.stub.ListFunds, funds.ListFundsRequest())
        found: Counter[funds.FundsPurpose.ValueType] = Counter()
        for balance in answer.balances:
            found[balance.purpose] += balance.minor_units
        at_bank = found.pop(funds.FUNDS_PURPOSE_CLEARING_ACCOUNT) + found.pop(funds.FUNDS_PURPOSE_OWN_ACCOUNT, 0)
        assert sum(found.values()) == at_bank == deposited
        assert found[funds.FUNDS_PURPOSE_DEFAULT_COVER] == defaulted

    async def no_value_twice(self, year: Year, reversals: Counter[str]) -> None:
        """Of every obligation: what disputes won and kept, and what reversals gave back, is no more than it was."""
        won: Counter[str] = Counter()
        for dispute in await listed(self.finance, self.finance.maker):
            won[dispute.transfer] += dispute.upheld_minor_units
        for one in await adjustments(self.finance, self.finance.maker):
            if one.cause == pb.Adjustment.CAUSE_OVERTAKEN:
                won[one.transfer] -= one.minor_units
        for transfer in year.made:
            whole = transfer.obligations[0].amount.micros
            assert won[transfer.name] * FEN + reversals[transfer.name] <= whole
            assert won[transfer.name] >= 0


def _flow(flows: Flows, rows: list[tuple[str, str, int]]) -> None:
    for debtor, creditor, amount in rows:
        flows[debtor] -= amount
        flows[creditor] += amount


def _kept(flows: Flows) -> dict[str, int]:
    return {name: amount for name, amount in flows.items() if amount}


def _items(items: list[settlement.CarriedItem], way: int) -> list[tuple[str, ...]]:
    return [
        (one.debtor, one.creditor, f"{one.minor_units:09}", one.since_window, str(one.cause), one.dispute)
        for one in items
        if one.way == way
    ]


def _number(window: str) -> int:
    return int(window.removeprefix("windows/"))


async def reversed_micros(finance: Finance, windows: int) -> Counter[str]:
    """What reversals gave back, exact, by the transfer they turned back."""
    auditor = await finance.cast.world.auditor()
    found: Counter[str] = Counter()
    for number in range(1, windows + 1):
        for page in await finance.obligations(finance.maker, f"windows/{number}"):
            for entry in page:
                if entry.obligation.kind == types.Obligation.KIND_REVERSAL:
                    request = transfers.GetTransferRequest(name=entry.transfer)
                    told = await auditor.ask(auditor.stubs.transfers.GetTransfer, request)
                    found[told.transfer.original] += entry.obligation.amount.micros
    return found


@pytest.mark.timeout(300)
async def test_a_year_of_windows_loses_and_doubles_nothing(server: Server) -> None:
    """Twelve months, then quiet ones in which deadlines end what is left: nothing is held for a dispute any more."""
    async with a_world(server.address, server.operator_secret) as world:
        finance = await finance_of(world)
        year, books = Year(finance, seed=2030), Books(finance)
        deadlines = Deadlines(server.api.database, SCHEDULER)
        await finance.agree(a_policy(answer_days=35, decision_days=35, held_out_reasons=[pb.DISPUTE_REASON_FRAUD]))
        await year.provide()
        paying: list[set[str]] = []
        defaulter, covered = "", 0
        for _ in range(3):
            await year.award()
        start = await world.now()
        for number in range(1, WINDOWS + QUIET + 1):
            for _ in range(EVENTS_A_WINDOW if number <= WINDOWS else 0):
                await year.happen()
            await world.set_clock(start + timedelta(days=30 * number))
            await deadlines.look()
            await finance.close(f"windows/{number}")
            run = (await finance.start(f"windows/{number}", minimum_minor_units={"CNY": MINIMUM})).run
            again = await finance.start(f"windows/{number}", minimum_minor_units={"CNY": MINIMUM})
            assert (again.replayed, again.run.result_digest) == (True, run.result_digest)
            approved = await finance.approve(await finance.submit(run))
            await books.close(run)
            if number == DEFAULT:
                defaulter, covered = await year.default(approved)
            if number == RELEASE - 1:
                await finance.agree(exclusions(released={defaulter.removeprefix("merchants/"): f"windows/{RELEASE}"}))
            (payments,) = await finance.rows(finance.maker, run, "payments")
            paying.append({one.payer for one in payments} | {one.payee for one in payments})
        await books.funds_are_sound(4 * 1_600 + 150, covered)
        await books.no_value_twice(year, await reversed_micros(finance, WINDOWS + QUIET))

        disputes = await listed(finance, finance.maker)
        causes = {step.cause for dispute in disputes for step in dispute.steps}
        made = {one.cause for one in await adjustments(finance, finance.maker)}
    held = paying[DEFAULT : RELEASE - 1]
    assert all(defaulter not in parties for parties in held)
    assert any(defaulter in parties for parties in paying[RELEASE - 1 :])
    assert year.refused.keys() <= EXPECTED
    assert not [dispute for dispute in disputes if dispute.state in WAITING]
    assert {dispute.state for dispute in disputes} == {STATE.STATE_UPHELD, STATE.STATE_REJECTED, STATE.STATE_WITHDRAWN}
    assert causes >= {pb.DisputeStep.CAUSE_ANSWER, pb.DisputeStep.CAUSE_DEADLINE, pb.DisputeStep.CAUSE_DECISION}
    assert made == {pb.Adjustment.CAUSE_UPHELD, pb.Adjustment.CAUSE_OVERTAKEN, pb.Adjustment.CAUSE_AGREED}
