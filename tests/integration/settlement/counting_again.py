"""The books of a coalition's windows, counted again from what the wire tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from exchange.v1 import transfer_service_pb2 as transfers
from exchange.v1 import types_pb2 as types
from settlement.v1 import disputes_pb2 as pb
from settlement.v1 import funds_pb2 as funds
from settlement.v1 import settlement_service_pb2 as settlement
from tests.contract.disputed import adjustments, listed
from tests.contract.settled import Finance
from tests.integration.settlement.happenings import FEN

Flows = Counter[str]


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

    async def no_value_twice(self, made: Sequence[types.Transfer], reversals: Counter[str]) -> None:
        """Of every obligation: what disputes won and kept, and what reversals gave back, is no more than it was."""
        won: Counter[str] = Counter()
        for dispute in await listed(self.finance, self.finance.maker):
            won[dispute.transfer] += dispute.upheld_minor_units
        for one in await adjustments(self.finance, self.finance.maker):
            if one.cause == pb.Adjustment.CAUSE_OVERTAKEN:
                won[one.transfer] -= one.minor_units
        for transfer in made:
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
