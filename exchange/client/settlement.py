"""Closing and netting a window through `settlement.v1`, as finance's program would.

This is a client of settlement's wire, not of its package: online code must run and be understood without the downstream
one. The generated messages happen to live inside that package, so they are loaded by name, when first needed; nothing
of settlement itself is imported, and its answers leave this module as values of its own.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from grpc import aio

from exchange.client.caller import Caller

_PAGE_SIZE = 1_000
Pair = tuple[str, str]
"""(debtor, creditor), by id: "GRO", or the operator's."""


@dataclass(frozen=True, slots=True)
class PairTotal:
    """A debtor owes a creditor: exact in micro-units, then rounded, then left after set-off by pair (minor units)."""

    micros: int
    gross: int
    net: int


@dataclass(frozen=True, slots=True)
class Position:
    """A participant's figures in minor units; `net` is receivable - payable."""

    receivable: int
    payable: int
    net: int
    carried: int


@dataclass(frozen=True, slots=True)
class Payment:
    """Who pays whom how many minor units."""

    payer: str
    payee: str
    amount: int


@dataclass(frozen=True, slots=True)
class NettedWindow:
    """A closed window and what netting made of it, in one settlement currency.

    gross: sum of the pairs' rounded totals. paid: sum of the debtors' payments. Minor units.
    """

    window: str
    run: str
    digest: str
    pairs: dict[Pair, PairTotal]
    positions: dict[str, Position]
    payments: tuple[Payment, ...]
    gross: int
    paid: int
    obligation_count: int


class Settlement:
    """The finance maker's side of the exchange."""

    def __init__(self, channel: aio.Channel, maker: Caller) -> None:
        self._pb: Any = importlib.import_module("settlement.v1.settlement_service_pb2")
        self._stub: Any = importlib.import_module("settlement.v1.settlement_service_pb2_grpc").SettlementServiceStub(
            channel
        )
        self._maker = maker

    async def close(self) -> str:
        """Cut off the window that is open; its name.

        Raises:
            Refused: the server would not.
        """
        pb = self._pb
        found = await self._maker.ask(self._stub.GetWindow, pb.GetWindowRequest(name="windows/open"))
        # Closing it by its number makes a repeated call harmless; closing "the open one" twice would close two.
        closed = await self._maker.ask(self._stub.CloseWindow, pb.CloseWindowRequest(name=found.window.name))
        return str(closed.window.name)

    async def net(self, window: str, currency: str, minimum: int) -> NettedWindow:
        """Net a closed window through the clearing account; nets below `minimum` minor units are carried.

        Raises:
            Refused: the server would not.
        """
        pb = self._pb
        configuration = pb.RunConfiguration(
            mode=pb.NETTING_MODE_MULTILATERAL, minimum_minor_units={currency: minimum} if minimum else {}
        )
        started = await self._maker.ask(
            self._stub.StartRun, pb.StartRunRequest(window=window, configuration=configuration)
        )
        run = started.run
        summary = next((s for s in run.summaries if s.currency_code == currency), pb.CurrencySummary())
        return NettedWindow(
            window=window,
            run=run.name,
            digest=run.result_digest,
            pairs=await self._pairs(run.name, currency),
            positions=await self._positions(run.name, currency),
            payments=await self._payments(run.name, currency),
            gross=summary.gross_minor_units,
            paid=summary.paid_minor_units,
            obligation_count=summary.obligation_count,
        )

    async def _pairs(self, run: str, currency: str) -> dict[Pair, PairTotal]:
        pages = self._pages(self._stub.ListPairTotals, self._pb.ListPairTotalsRequest(run=run, page_size=_PAGE_SIZE))
        return {
            (short(row.debtor), short(row.creditor)): PairTotal(
                int(row.micros), row.gross_minor_units, row.net_minor_units
            )
            async for page in pages
            for row in page.pairs
            if row.currency_code == currency
        }

    async def _positions(self, run: str, currency: str) -> dict[str, Position]:
        question = self._pb.ListNetPositionsRequest(run=run, page_size=_PAGE_SIZE)
        return {
            short(row.participant): Position(
                row.receivable_minor_units,
                row.payable_minor_units,
                row.net_receive_minor_units - row.net_pay_minor_units,
                row.carried_minor_units,
            )
            async for page in self._pages(self._stub.ListNetPositions, question)
            for row in page.positions
            if row.currency_code == currency
        }

    async def _payments(self, run: str, currency: str) -> tuple[Payment, ...]:
        pages = self._pages(self._stub.ListPayments, self._pb.ListPaymentsRequest(run=run, page_size=_PAGE_SIZE))
        return tuple(
            [
                Payment(short(row.payer), short(row.payee), row.minor_units)
                async for page in pages
                for row in page.payments
                if row.currency_code == currency
            ]
        )

    async def _pages(self, method: Any, question: Any) -> AsyncIterator[Any]:
        while True:
            page = await self._maker.ask(method, question)
            yield page
            if not page.next_page_token:
                return
            question.page_token = page.next_page_token


def short(name: str) -> str:
    """The id in a resource name: "GRO" of "merchants/GRO"."""
    return name.rpartition("/")[2]
