"""Locking and writing what capped merchants owe: for batches in which one may take part, and for nobody else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from exchange.db.engine import DriverConnection
from exchange.ledger.effects import transposed
from exchange.ledger.exposures import Exposure, Exposures
from exchange.ledger.facts import MemberFacts
from exchange.ledger.model import Command, Transfer
from exchange.ledger.reference import Reference

# After accounts and budgets, in order. Held until the batch has committed: what two batches may come to owe together
# is decided by the later one in full sight of the earlier.
LOCK = """
SELECT merchant_no, currency_code, cap_micros, payable_micros, receivable_micros, reserved_micros
FROM exchange.exposures WHERE merchant_no = ANY($1::integer[])
ORDER BY merchant_no, currency_code
FOR UPDATE
"""

WRITE = """
UPDATE exchange.exposures e
SET payable_micros = n.payable_micros, receivable_micros = n.receivable_micros, reserved_micros = n.reserved_micros
FROM unnest($1::integer[], $2::text[], $3::numeric[], $4::numeric[], $5::numeric[])
    AS n (merchant_no, currency_code, payable_micros, receivable_micros, reserved_micros)
WHERE e.merchant_no = n.merchant_no AND e.currency_code = n.currency_code
"""


async def lock_exposures(
    connection: DriverConnection,
    reference: Reference,
    commands: Iterable[Command],
    originals: Iterable[Transfer],
    found: Iterable[MemberFacts],
    *,
    everybody: bool,
) -> Exposures:
    """Lock the rows of capped merchants that may come to owe, or be owed, by these commands.

    Args:
        connection: in the batch's transaction, its accounts and budgets locked.
        reference: knows who has a cap.
        commands: of the batch.
        originals: what its follow-ups follow.
        found: facts of the members.
        everybody: lock every row there is, because an earlier try met a merchant that had not been foreseen.
    """
    capped = reference.capped
    numbers = {merchant_no for merchant_no, _ in capped}
    if not everybody:
        numbers &= _parties(reference, commands, originals, found)
    locked = await connection.fetch(LOCK, sorted(numbers)) if numbers else []
    rows = {(row[0], row[1]): Exposure(*map(int, row[2:])) for row in locked}
    return Exposures(capped, rows, reference.merchant_name)


def _parties(
    reference: Reference, commands: Iterable[Command], originals: Iterable[Transfer], found: Iterable[MemberFacts]
) -> set[int]:
    """Who is nearly always party of what commands leave owing: callers, issuers, the operator, sponsors."""
    parties = {reference.operator_no, *(command.merchant_no for command in commands)}
    for original in originals:
        for owed in original.obligations:
            parties |= {owed.debtor_no, owed.creditor_no}
    for facts in found:
        parties.update(reference.issuer_no(number) for number in facts.accounts)
        if facts.bonuses is not None:
            parties |= reference.sponsor_nos
    return parties


async def write_exposures(connection: DriverConnection, rows: Sequence[tuple[int, str, int, int, int]]) -> None:
    """What a batch leaves capped merchants owing; their rows are locked."""
    await connection.execute(WRITE, *transposed(rows, 5))
