"""OUT, a currency that TEL keeps itself, worth as much as BNK, and what TEL's system says."""

from __future__ import annotations

from uuid import UUID

from exchange.callers import Caller, CallerRole
from exchange.directory.model import ExpiryKind
from exchange.directory.service import NewCurrency, NewPrice
from exchange.external import reads
from exchange.external.model import Answer, Conversion, Outcome
from exchange.ledger.model import Receipt
from exchange.rates.model import Rate
from tests.integration.ledger.ledgers import OPERATOR, Ledger
from tests.unit.rules.rulebook import MERCHANT_NO, rate

TEL = Caller(CallerRole.MERCHANT, "certificates/tel", MERCHANT_NO["TEL"], "TEL")
APPLIED, REJECTED = Answer(Outcome.APPLIED, "tel-1", None), Answer(Outcome.REJECTED, None, "no")


async def issue_outside(ledger: Ledger) -> Rate:
    """Issue it at one to one both ways, kept by TEL, which has a minute to answer; the rate of OUT in BNK."""
    new = NewCurrency(
        code="OUT", issuer_id="TEL", display_name="OUT", settlement_currency="CNY", expiry_kind=ExpiryKind.NONE,
        expiry_days=0, breakage_share_bps=0, negative_balances=False,
    )  # fmt: skip
    prices = NewPrice(
        effective_at=None, issue_micros=0, redeem_micros=0, conversion_in_micros=2_000, conversion_out_micros=2_250,
        cash_out_micros=0, cash_out_fee_bps=0,
    )  # fmt: skip
    await ledger.api.changes.create_currency(OPERATOR, new)
    await ledger.api.changes.publish_price(OPERATOR, "OUT", prices)
    await publish(ledger, "BNK", "OUT")
    out = await publish(ledger, "OUT", "BNK")
    await ledger.api.external.keep(OPERATOR, "OUT", 60)
    return out


async def publish(ledger: Ledger, source: str, target: str, *, daily_cap: int = 0) -> Rate:
    """A rate of one to one between two codes."""
    # The codes say which currencies; the numbers in the rate are filled in by whoever publishes it.
    plain = rate("1 BNK", "1 AIR", daily_cap=daily_cap)
    return await ledger.api.rates.publish(OPERATOR, source, target, plain, begins=None, validate_only=False)


async def read(ledger: Ledger, begun: Receipt) -> Conversion:
    """A conversion as it stands."""
    assert begun.transfer.transfer_id is not None
    async with ledger.database.read() as connection:
        found = await reads.conversion(connection, begun.transfer.transfer_id)
    assert found is not None
    return found


async def say(ledger: Ledger, begun: Receipt, answer: Answer = APPLIED) -> bool:
    """What TEL's system says of its instruction; whether it had said so before."""
    name: UUID | None = begun.transfer.transfer_id
    assert name is not None
    return (await ledger.api.external.acknowledge(TEL, name, answer))[1]
