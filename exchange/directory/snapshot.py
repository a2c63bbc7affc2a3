"""Reads one version of the directory."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.callers import CallerRole
from exchange.directory import sql
from exchange.directory.model import (
    Credential,
    Currency,
    Directory,
    EarnRule,
    ExpiryKind,
    ExternalLedger,
    Merchant,
    MerchantRole,
    Price,
    ReturnBand,
)


async def read_directory(connection: AsyncConnection) -> Directory:
    """The directory as the connection's snapshot shows it."""
    operator_no, time_zone, version = (await connection.execute(sql.COALITION)).one()
    prices: dict[int, list[Price]] = {}
    for currency_no, *price in await connection.execute(sql.PRICES):
        prices.setdefault(currency_no, []).append(Price(*price))
    rules = [EarnRule._make(row) for row in await connection.execute(sql.EARN_RULES)]
    bands: dict[int, list[ReturnBand]] = {}
    for merchant_no, *band in await connection.execute(sql.RETURN_BANDS):
        bands.setdefault(merchant_no, []).append(ReturnBand(*band))
    return Directory(
        return_bands=bands,
        earn_rules={rule.rule_id: rule for rule in rules},
        version=version,
        operator_no=operator_no,
        time_zone=ZoneInfo(time_zone),
        merchants={
            row[0]: Merchant(row[0], row[1], row[2], frozenset(map(MerchantRole, row[3])), *row[4:])
            for row in await connection.execute(sql.MERCHANTS)
        },
        currencies={
            row[0]: _currency(tuple(row), prices.get(row[0], [])) for row in await connection.execute(sql.CURRENCIES)
        },
        credentials={
            row[0]: Credential(row[1], CallerRole(row[2]), *row[3:])
            for row in await connection.execute(sql.CREDENTIALS)
        },
        external_ledgers={row[0]: ExternalLedger(*row) for row in await connection.execute(sql.EXTERNAL_LEDGERS)},
    )


def _currency(columns: tuple[Any, ...], prices: list[Price]) -> Currency:
    kind = ExpiryKind(columns[5])
    return Currency(*columns[:5], kind, *columns[6:], prices=prices)  # type: ignore[call-arg, misc]  # as many as the query names
