"""Quotes as callers see them."""

from __future__ import annotations

from exchange.v1 import rate_service_pb2 as pb
from tests.worlds import Party


async def read_quote(caller: Party, name: str) -> pb.Quote:
    """The quote as a caller sees it."""
    return (await caller.ask(caller.stubs.rates.GetQuote, pb.GetQuoteRequest(name=name))).quote
