"""Use cases of currencies that their issuers keep themselves: keep, answer, end what was answered, ask for the rest.

What an issuer's system says is made durable first, in a transaction of its own; the exchange's side follows from it by
one idempotency key for ever, posted by whoever comes first: the call that brought the answer, its repeat, or upkeep.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import TypedDict
from uuid import UUID

import structlog

from exchange.callers import Caller
from exchange.db.engine import Database
from exchange.directory.change import change
from exchange.directory.model import Currency
from exchange.directory.snapshot import read_directory
from exchange.external import sql
from exchange.external.model import Answer, CallOff, Complete, Conversion, Instruction, Outcome, next_pause
from exchange.external.reads import conversion_of, instruction_of
from exchange.ledger.ids import new_id
from exchange.ledger.model import OWN_REQUESTS, Command, Receipt, transfer_bucket
from exchange.ledger.outbox import SHARE_FENCE
from exchange.ledger.poster import Poster
from exchange.ledger.quote import Terms
from exchange.rates.model import Coalition
from exchange.rates.source import CoalitionSource
from exchange.refusals import BalancesNotEmpty, InstructionContradicted, ResourceNotFound

CREDENTIAL = "exchange/external"
AT_ONCE = 500
"""Conversions that one piece of upkeep takes."""
LOOK_SECONDS = (0.02, 0.25)
"""First and longest pause between two looks of a caller that waits."""

log = structlog.get_logger(__name__)


class ExternalLedgers:
    """Conversions with currencies that their issuers keep."""

    def __init__(self, database: Database, source: CoalitionSource, poster: Poster[Coalition]) -> None:
        self._database, self._source, self._poster = database, source, poster

    async def keep(self, caller: Caller, code: str, answer_seconds: int) -> Currency:
        """Let the issuer of a currency keep its balances, or say anew how long its system has to answer.

        Raises:
            ResourceNotFound: no such currency.
            BalancesNotEmpty: members hold points of it here.
        """
        name, after = f"currencies/{code}", {"answer_seconds": answer_seconds}
        async with change(self._database, caller, "set external ledger", name, after) as connection:
            directory = await read_directory(connection)
            number = directory.currency(code, "currency").number
            is_new = number not in directory.external_ledgers
            if is_new and (await connection.execute(sql.HAS_BALANCES, {"currency_no": number})).scalar_one():
                raise BalancesNotEmpty(currency=name)
            await connection.execute(sql.SET_LEDGER, {"currency_no": number, **after})
        coalition = await self._source.reload()
        return coalition.directory.currencies[number]

    async def acknowledge(self, caller: Caller, instruction_id: UUID, answer: Answer) -> tuple[Instruction, bool]:
        """Keep what an issuer's system says, and end the conversion by it; whether it had been said before.

        Once it is kept this does not fail: what could not be posted now is posted by upkeep.

        Raises:
            ResourceNotFound: no instruction, or none of the caller's.
            InstructionContradicted: the opposite was said before; that is kept too.
        """
        told, replayed = await self._keep_answer(caller, instruction_id, answer)
        if told.conversion.ended_at is None:
            try:
                await self._poster.post(ending(told.conversion))
            except Exception:
                log.warning("a conversion is ended later", conversion=told.conversion.name, exc_info=True)
        return told, replayed

    async def _keep_answer(self, caller: Caller, instruction_id: UUID, answer: Answer) -> tuple[Instruction, bool]:
        name, bucket = f"instructions/{instruction_id}", transfer_bucket(instruction_id)
        async with self._database.write() as connection:
            named = {"bucket": bucket, "instruction_id": instruction_id}
            row = (await connection.execute(sql.INSTRUCTION_ALONE, named)).first()
            if row is None or row.issuer_no != caller.merchant_no:
                raise ResourceNotFound(resource=name, field="name")
            told = instruction_of(row)
            conversion, said = told.conversion, told.conversion.outcome
            where = {"bucket": bucket, "conversion_id": conversion.conversion_id}
            if said is None:
                await connection.execute(sql.KEEP_ANSWER, {**where, **answer._asdict()})
            elif said != answer.outcome:
                await connection.execute(sql.KEEP_CONTRADICTION, where)
        if said is not None and said != answer.outcome:
            log.error("an issuer's system contradicts itself", instruction=name, conversion=conversion.name)
            raise InstructionContradicted(instruction=name, outcome=Outcome(said).name)
        # The debit or credit itself, whichever instruction was named.
        told = told._replace(
            instruction_id=conversion.conversion_id,
            kind=conversion.kind,
            created_at=conversion.created_at,
            conversion=conversion._replace(outcome=answer.outcome),
        )
        return told, said is not None

    async def ended(self, conversion_id: UUID, seconds: float) -> Conversion:
        """A conversion when it has ended, or as it stands after so many seconds."""
        give_up, pause = monotonic() + seconds, LOOK_SECONDS[0]
        while True:
            async with self._database.look() as connection:
                named = {"bucket": transfer_bucket(conversion_id), "conversion_id": conversion_id}
                conversion = conversion_of((await connection.execute(sql.CONVERSION, named)).one())
            left = give_up - monotonic()
            if conversion.ended_at is not None or left <= 0:
                return conversion
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 2, LOOK_SECONDS[1])

    async def run(self) -> None:
        """End what was answered and is not ended, and ask for answers that have not come in time.

        Safe to run in several processes at once, and to die in.
        """
        if (await self._source.current()).keepers:
            await self._end_answered()
            while await self._ask() == AT_ONCE:
                pass

    async def _end_answered(self) -> None:
        while True:
            async with self._database.look() as connection:
                rows = (await connection.execute(sql.TO_END, {"limit": AT_ONCE})).all()
            found = [conversion_of(row) for row in rows]
            outcomes = await self._poster.post_all([ending(one) for one in found], atomic=False) if found else []
            for one, outcome in zip(found, outcomes, strict=True):
                if not isinstance(outcome, Receipt):
                    log.error("a conversion cannot be ended; it is tried again", conversion=one.name, why=repr(outcome))
            if len(found) < AT_ONCE or not any(isinstance(outcome, Receipt) for outcome in outcomes):
                return

    async def _ask(self) -> int:
        """Give queries about what has no answer in time; how many."""
        async with self._database.write() as connection:
            await connection.execute(SHARE_FENCE)
            due = [conversion_of(row) for row in await connection.execute(sql.TO_ASK, {"limit": AT_ONCE})]
            if due:
                await connection.execute(sql.ASKED, _asked(due))
                await connection.execute(sql.ASK, _queries(due))
        return len(due)


class _Common(TypedDict):
    merchant_no: int
    credential: str
    request_id: str
    fingerprint: bytes
    original: UUID
    terms: Terms
    is_debit: bool


def ending(conversion: Conversion) -> Command:
    """The command that ends a conversion by its issuer's answer. Its key is one for ever, so it is ended once."""
    assert conversion.outcome is not None, "nothing is ended that was not answered"
    common: _Common = {
        "merchant_no": conversion.merchant_no,
        "credential": CREDENTIAL,
        "request_id": f"{OWN_REQUESTS}external/{conversion.conversion_id}",
        "fingerprint": conversion.conversion_id.bytes,
        "original": conversion.conversion_id,
        "terms": conversion.terms,
        "is_debit": conversion.is_debit,
    }
    if conversion.outcome == Outcome.APPLIED:
        return Complete(**common)
    return CallOff(**common)


def _asked(due: Sequence[Conversion]) -> dict[str, object]:
    return {
        "buckets": [one.bucket for one in due],
        "conversions": [one.conversion_id for one in due],
        "pauses": [next_pause(one.answer_seconds, one.queries + 1) for one in due],
    }


def _queries(due: Sequence[Conversion]) -> dict[str, object]:
    return {
        "buckets": [one.bucket for one in due],
        "ids": [new_id(one.bucket) for one in due],
        "conversions": [one.conversion_id for one in due],
        "issuers": [one.issuer_no for one in due],
    }
