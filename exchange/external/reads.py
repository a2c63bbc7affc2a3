"""Reading conversions with externally kept currencies, and what their issuers were told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.external import sql
from exchange.external.model import Conversion, Instruction, InstructionKind
from exchange.ledger.model import transfer_bucket


def conversion_of(row: Row[Any]) -> Conversion:
    """A conversion of its columns."""
    return Conversion._make(row)


def instruction_of(row: Row[Any]) -> Instruction:
    """An instruction of its columns, those of its conversion last."""
    instruction_id, kind, position, created_at, *conversion = tuple(row)
    return Instruction(instruction_id, InstructionKind(kind), position, created_at, Conversion._make(conversion))


async def conversion(connection: AsyncConnection, conversion_id: UUID) -> Conversion | None:
    """One by its id; None: there is none."""
    named = {"bucket": transfer_bucket(conversion_id), "conversion_id": conversion_id}
    row = (await connection.execute(sql.CONVERSION, named)).first()
    return None if row is None else conversion_of(row)


async def conversions(
    connection: AsyncConnection,
    *,
    merchant_no: int | None,
    issued: Iterable[int],
    external_no: int | None,
    open_only: bool,
    after: int,
    limit: int,
) -> list[Conversion]:
    """Those a merchant (None: anybody) asked for, or with a currency it issues, after a place, in order."""
    values = {
        "merchant_no": merchant_no,
        "issued": list(issued),
        "external_no": external_no,
        "after": after,
        "limit": limit,
    }
    statement = sql.OPEN_CONVERSIONS if open_only else sql.CONVERSIONS
    return [conversion_of(row) for row in await connection.execute(statement, values)]


async def instructions(
    connection: AsyncConnection, *, issuer_no: int, unanswered_only: bool, after: int, limit: int
) -> list[Instruction]:
    """What an issuer was told after a place, in order."""
    values = {"issuer_no": issuer_no, "after": after, "limit": limit}
    statement = sql.UNANSWERED if unanswered_only else sql.INSTRUCTIONS
    return [instruction_of(row) for row in await connection.execute(statement, values)]


async def instructions_by_id(connection: AsyncConnection, ids: list[UUID]) -> dict[UUID, Instruction]:
    """Those of the ids, by id."""
    values = {"buckets": [transfer_bucket(one) for one in ids], "ids": ids}
    found = [instruction_of(row) for row in await connection.execute(sql.INSTRUCTIONS_BY_ID, values)]
    return {one.instruction_id: one for one in found}
