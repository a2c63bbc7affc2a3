"""A ledger in which everything has happened, and what the audit finds in one that somebody touched up."""

from __future__ import annotations

from uuid import UUID

from exchange.db.engine import DriverConnection
from exchange.directory.model import EarnRule
from exchange.ledger.audit import CHECKS
from tests.integration.ledger.ledgers import OPERATOR, Ledger, owner_of
from tests.integration.ledger.outside import REJECTED, issue_outside, say
from tests.integration.ledger.promoting import promote
from tests.integration.ledger.quoting import a_quote, by
from tests.unit.rules.days import reverse, spend
from tests.unit.rules.rulebook import convert, earn, redeem

AUDITED = EarnRule("audited", 0, 0, per_minor_units=100, points_units=1, carry_remainder=True)


async def post_of_everything(ledger: Ledger) -> UUID:
    """Two windows with every kind of movement of the spine, all of them ended; one of the members."""
    ada, ben = await ledger.members(2)
    await ledger.post(earn("60 BNK", "CAF", member_id=ada))
    await ledger.post(earn("9 TEL", "GRO", member_id=ben))
    await ledger.post(by(await a_quote(ledger, ada, 30)))
    await ledger.close_window()
    await ledger.post(earn("30 BNK", "CAF", member_id=ada))
    await ledger.post(redeem("5 TEL", "CAF", member_id=ben))
    await ledger.post(redeem("50 BNK", "GRO", member_id=ada))
    await ledger.api.changes.create_earn_rule(OPERATOR, AUDITED, "CAF", "BNK")
    await ledger.post(spend(30, "audited", member_id=ben))
    await ledger.post(reverse((await ledger.post(spend(120, "audited", member_id=ben))).transfer))
    await promote(ledger, "AIR", at="CAF", bps=10_000, cap=50, budget=60)
    award = await ledger.post(earn("20 AIR", "CAF", member_id=ada))
    await ledger.post(reverse(award.transfer, 5))
    await issue_outside(ledger)
    await say(ledger, await ledger.post(convert("3 OUT", "BNK", by="TEL", member_id=ada)))
    await say(ledger, await ledger.post(by(await a_quote(ledger, ada, 4, into="OUT"))))
    await say(ledger, await ledger.post(convert("2 BNK", "OUT", by="BNK", member_id=ada)), REJECTED)
    await say(ledger, await ledger.post(convert("2 OUT", "BNK", by="TEL", member_id=ada)), REJECTED)
    return ada


async def found_by(connection: DriverConnection) -> set[str]:
    """The checks that find something, as the connection sees the database."""
    return {check for check, statement in CHECKS.items() if await connection.fetch(statement)}


async def found_after(ledger: Ledger, statement: str) -> set[str]:
    """The checks that find something once the database's owner, whom no permission stops, has run a statement.

    What it did is undone again.
    """
    async with owner_of(ledger.url) as connection:
        touched = connection.transaction()
        await touched.start()
        await connection.execute(statement)
        found = await found_by(connection)
        await touched.rollback()
    return found
