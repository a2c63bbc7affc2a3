"""Two currencies, three sets of rates, disputes, a default and an exit together: nothing is lost, doubled or hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest

from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import limit_service_pb2 as limits
from exchange.v1 import types_pb2 as types
from settlement.evidence.service import Evidence
from settlement.evidence.verify import verify
from settlement.run.model import CurrencyResult
from settlement.run.service import read_run
from settlement.v1 import disputes_pb2 as disputes
from settlement.v1 import funds_pb2 as funds
from settlement.v1 import payments_pb2 as payments
from settlement.v1 import settlement_service_pb2 as pb
from tests.banks import debit, orders, statement
from tests.contract.currencies import a_rate, into, rates
from tests.contract.disputed import ANSWER, a_policy, adjustments, answered, decided, opened
from tests.contract.money import deposit
from tests.contract.paid import ACCOUNTS, Treasury, treasury_of
from tests.contract.proposed import exclusions
from tests.contract.refusals import refusal
from tests.integration.ledger.ledgers import differences
from tests.movements import a_reversal
from tests.servers import Server
from tests.worlds import Merchant, a_world

FRAUD = disputes.DISPUTE_REASON_FRAUD
HALF = Fraction(1, 2)
Flows = Counter[tuple[str, str]]
"""Net minor units by currency and participant."""


def flow(into_: Flows, code: str, rows: Iterable[tuple[str, str, int]]) -> None:
    """Add rows of (debtor, creditor, amount): who owes has less."""
    for debtor, creditor, amount in rows:
        into_[code, debtor] -= amount
        into_[code, creditor] += amount


@dataclass
class Books:
    """What all runs together come to.

    Attributes:
        arose: what transfers and adjustments left everybody, and conversions made of it.
        moved: what payments ask for.
        left: what the newest run carries and holds.
    """

    server: Server
    arose: Flows = field(default_factory=Counter)
    moved: Flows = field(default_factory=Counter)
    left: Flows = field(default_factory=Counter)

    async def enter(self, run: pb.Run) -> dict[str, CurrencyResult]:
        """Hold a run to what holds of every run, and add it up; its currencies by code."""
        async with self.server.api.database.read() as connection:
            stored = await read_run(connection, UUID(run.name.removeprefix("runs/")))
        self.left = Counter()
        for one in stored.result:
            assert sum(p.receivable for p in one.positions) == sum(p.payable for p in one.positions)
            flow(self.arose, one.currency, ((p.debtor, p.creditor, p.arisen + p.adjusted) for p in one.pairs))
            flow(self.arose, one.currency, (leg[:3] for leg in one.legs))
            flow(self.moved, one.currency, ((p.payer, p.payee, p.amount) for p in one.payments))
            flow(self.left, one.currency, (item[:3] for item in (*one.carried, *one.held_items)))
            for each in one.converted:
                if each.denominator:
                    assert abs(each.per_position - Fraction(each.net * each.numerator, each.denominator)) <= HALF
                assert each.difference == each.per_item - each.per_position
        self._nothing_is_lost()
        return {one.currency: one for one in stored.result}

    def _nothing_is_lost(self) -> None:
        """Whatever arose was paid or still waits, by currency and participant; every currency sums to zero."""
        together = Counter(self.moved)
        together.update(self.left)
        assert {key: net for key, net in self.arose.items() if net} == {k: net for k, net in together.items() if net}
        for code in {code for code, _ in self.arose}:
            assert sum(net for (of, _), net in self.arose.items() if of == code) == 0


class Desk(NamedTuple):
    """Finance of a coalition in which BNK issues points in dollars too, and settles all of it in yuan."""

    treasury: Treasury
    books: Books

    async def know_dollars(self) -> None:
        """Everybody is paid in dollars too, where it is paid in yuan."""
        for merchant, account in ACCOUNTS.items():
            request = payments.SetBankDetailsRequest(
                merchant=f"merchants/{merchant}", currency_code="USD", account=account
            )
            details = (await self.treasury.setter.ask(self.treasury.stub.SetBankDetails, request)).bank_details
            await self.treasury.confirm(details)

    async def run(self, window: str, fx: pb.Proposal) -> tuple[pb.Run, dict[str, CurrencyResult]]:
        """Close a window, freeze a set of rates for it, and approve its run."""
        await self.treasury.finance.close(window)
        await self.treasury.finance.agree(fx)
        run = await self.treasury.approved(window)
        return run, await self.books.enter(run)

    async def pay(self, run: pb.Run, *, but: str = "") -> None:
        """Instruct a run, and let banks book what it asks for, but for what somebody does not pay."""
        account = ACCOUNTS[but].iban if but else ""
        for file in (await self.treasury.export(run)).files:
            told = orders(await self.treasury.content(file))
            booked = [debit(order) for order in told if order.payer_account != account]
            await self.treasury.record(statement(*booked))

    async def cap(self, merchant: Merchant) -> None:
        """Begin to count what a merchant owes, far below any cap."""
        world = self.treasury.finance.cast.world
        for code in ("CNY", "USD"):
            request = limits.SetNetDebitCapRequest(
                merchant=merchant.name, currency_code=code, cap_micros=10**12, reason="counted"
            )
            await world.operator.ask(world.stubs.limits.SetNetDebitCap, request)

    async def exposure(self, merchant: Merchant) -> dict[str, int]:
        """Micro-units a capped merchant owes, net, by currency; below 0: is owed."""
        found = {}
        for code in ("CNY", "USD"):
            request = limits.GetExposureRequest(merchant=merchant.name, currency_code=code)
            one = (await merchant.ask(merchant.stubs.limits.GetExposure, request)).exposure
            found[code] = one.owed_micros - one.due_micros
        return found


def leaving(name: str) -> pb.Proposal:
    """That somebody leaves, though members hold points it paid for."""
    subject = funds.ParticipantExit.SUBJECT_POINTS_FUNDED
    why = funds.ExitWaiver(subject=subject, reason="no share when they expire")
    return pb.Proposal(participant_exit=funds.ParticipantExit(participant=f"merchants/{name}", waivers=[why]))


def default(name: str, window: str) -> pb.Proposal:
    """That somebody does not pay."""
    return pb.Proposal(default_declaration=funds.DefaultDeclaration(participant=f"merchants/{name}", window=window))


@pytest.fixture
async def desk(server: Server) -> AsyncIterator[Desk]:
    """The rulebook's period A in the first window, which is open; only fraud is held out."""
    async with a_world(server.address, server.operator_secret) as world:
        treasury = await treasury_of(world, closed=False)
        desk = Desk(treasury, Books(server))
        finance, cast = treasury.finance, treasury.finance.cast
        await desk.know_dollars()
        await world.currency("MILE", cast.bnk, money="USD", issue=10_000, redeem=10_000)
        await finance.agree(a_policy(held_out_reasons=[FRAUD]))
        for name, purpose, amount in (
            ("GRO", funds.FUNDS_PURPOSE_PREFUNDING, 2_000),
            ("OPR", funds.FUNDS_PURPOSE_OPERATOR_LAYER, 500),
            ("TEL", funds.FUNDS_PURPOSE_GUARANTEE, 1_000),
        ):
            await finance.agree(deposit(name, purpose, amount, currency="USD"))
        for merchant in (cast.gro, cast.caf, cast.bnk):
            await desk.cap(merchant)
        yield desk


@pytest.mark.timeout(400)
async def test_disputes_defaults_and_exits_go_with_conversion(server: Server, desk: Desk, tmp_path: Path) -> None:
    """Three windows at 7.2, 8 and 7 yuan a dollar.

    GRO and CAF owe BNK $50 and $30 for points. GRO disputes $10, held out; CAF disputes $5 of what was netted already
    and wins $4, at another rate. GRO does not pay the first window. At last CAF takes its award back, and leaves.
    """
    finance, cast = desk.treasury.finance, desk.treasury.finance.cast
    await finance.agree(rates(1))
    await finance.agree(into(BNK="CNY"))
    by_gro = (await cast.gro.earn(finance.member, "5 000 MILE")).transfer
    by_caf = (await cast.caf.earn(finance.member, "3 000 MILE")).transfer

    held = await the_first_window(desk, by_gro)
    await meanwhile(desk, by_gro, by_caf, held)
    await the_second_window(desk)
    await the_third_window(desk, by_caf)

    assert await desk.exposure(cast.bnk) == {"CNY": 0, "USD": 0}
    assert await desk.exposure(cast.caf) == {"CNY": 0, "USD": 0}
    assert await desk.exposure(cast.gro) == {"CNY": 716_550_000, "USD": 40_000_000}
    assert await differences(server.url) == {}
    for number in (1, 2, 3):
        pack = tmp_path / f"W{number}.zip"
        await Evidence(server.api.database).write(number, pack)
        assert list(verify(pack).differences) == []
    await suspend(desk, "CAF")
    await finance.agree(leaving("CAF"))
    await leaves_not(desk, "GRO", "PAYMENTS", "")


async def the_first_window(desk: Desk, by_gro: types.Transfer) -> disputes.Dispute:
    """BNK is owed $70 without the $10 that GRO disputes, and takes ¥504 for it. GRO's $40 do not come."""
    finance, cast = desk.treasury.finance, desk.treasury.finance.cast
    held = await opened(finance, cast.gro, by_gro, 1_000, reason=FRAUD)
    run, found = await desk.run("windows/1", rates(2, a_rate(numerator=72)))
    declared = await finance.agree(default("GRO", "windows/1"))
    await desk.pay(run, but="GRO")
    await finance.agree(exclusions("GRO"))

    assert legs(found["USD"]) == [("BNK", "OPR", 7_000)]
    assert legs(found["CNY"]) == [("OPR", "BNK", 50_400)]
    assert [(f"disputes/{item.dispute}", item.amount) for item in found["USD"].held_items] == [(held.name, 1_000)]
    usd = {fall.currency_code: fall for fall in declared.default_declaration.waterfalls}["USD"]
    assert (usd.loss_minor_units, usd.open_minor_units) == (4_000, 500)
    return held


async def meanwhile(desk: Desk, by_gro: types.Transfer, by_caf: types.Transfer, held: disputes.Dispute) -> None:
    """CAF wins $4 of what was settled, GRO $6 of what was held and takes $5 back; nothing is claimed a second time."""
    finance, cast = desk.treasury.finance, desk.treasury.finance.cast
    settled = await opened(finance, cast.caf, by_caf, 500)
    await leaves_not(desk, "CAF", "DISPUTES", settled.name)
    for dispute, upheld in ((settled, 400), (held, 600)):
        await answered(finance, cast.bnk, dispute, ANSWER.ANSWER_CONTEST)
        await decided(finance, dispute, upheld)
    await cast.gro.post(a_reversal(by_gro, units=500))
    again = [
        await refusal(opened(finance, cast.caf, by_caf, 2_601)),
        await refusal(opened(finance, cast.gro, by_gro, 3_901)),
    ]

    (adjusted,) = [one for one in await adjustments(finance, finance.maker) if one.dispute == settled.name]
    await leaves_not(desk, "CAF", "ADJUSTMENTS", adjusted.name)
    assert settled.treatment == disputes.DISPUTE_TREATMENT_SETTLE_THEN_ADJUST
    assert [(no.reason, no.metadata["left"]) for no in again] == [("CLAIM_EXCEEDS", "2600"), ("CLAIM_EXCEEDS", "3900")]


async def the_second_window(desk: Desk) -> None:
    """What CAF won was $4 at 7.2 and goes back at 8; all of GRO's is held for its sake, in dollars."""
    run, found = await desk.run("windows/2", rates(3, a_rate(numerator=80)))
    await desk.pay(run)

    assert legs(found["CNY"]) == [("BNK", "OPR", 3_200)]
    assert payments_of(found["USD"]) == {("OPR", "CAF", 400)}
    assert sorted((item.debtor, item.amount, item.because) for item in found["USD"].held_items) == [
        ("BNK", 1_100, "excluded"),
        ("GRO", 1_000, "excluded"),
    ]


async def the_third_window(desk: Desk, by_caf: types.Transfer) -> None:
    """BNK owes CAF the $30 it took back less the $4 it had won of them, and GRO $1 of what was held."""
    finance, cast = desk.treasury.finance, desk.treasury.finance.cast
    await cast.caf.post(a_reversal(by_caf))
    await finance.agree(exclusions(released={"GRO": "windows/3"}))
    run, found = await desk.run("windows/3", rates(4, a_rate(numerator=70)))
    await desk.pay(run)

    assert payments_of(found["USD"]) == {("OPR", "CAF", 2_600), ("OPR", "GRO", 100)}
    assert legs(found["CNY"]) == [("BNK", "OPR", 18_900)]
    assert not found["USD"].held_items


def legs(one: CurrencyResult) -> list[tuple[str, str, int]]:
    """What is owed because of conversions."""
    return [leg[:3] for leg in one.legs]


def payments_of(one: CurrencyResult) -> set[tuple[str, str, int]]:
    """Who pays whom how much."""
    return {(payment.payer, payment.payee, payment.amount) for payment in one.payments}


async def suspend(desk: Desk, name: str) -> None:
    """Let a merchant make no new business."""
    world = desk.treasury.finance.cast.world
    request = directory.SuspendMerchantRequest(name=f"merchants/{name}", reason="leaves")
    await world.operator.ask(world.stubs.directory.SuspendMerchant, request)


async def leaves_not(desk: Desk, name: str, subject: str, named: str) -> None:
    """An exit is refused, also because of this; what has a name is named."""
    refused = await refusal(desk.treasury.finance.propose(leaving(name)))
    assert subject in refused.metadata["subjects"].split(", ")
    assert named in refused.metadata.get("names", "")
