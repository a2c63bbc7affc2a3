"""What stands behind an item that waits: the transfers and adjustments of its pair in the window it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.refusals import TransferRetired
from settlement import exchange_ledger
from settlement.disputes.inputs import disputed
from settlement.disputes.reading import read_dispute
from settlement.exchange_ledger import Entry
from settlement.run.model import Adjusted, CarryFigures


class Behind(NamedTuple):
    """Of a held item, from the window it was first left unpaid in.

    Attributes:
        micros: what the pair owes there in this direction because of transfers, exact.
        obligations: in how many of them.
        entries: of these the first ones, each with its transfer; none where one transfer is disputed.
        adjustments: what the pair owes there beside.
        disputed: the one transfer a disputed item is a part of; None: it is no such item.
        left: the no to whoever asks for the window's transfers, when some have left the ledger: which archive has them.
            Then no entries are there; what the pair owes is kept without them.
    """

    micros: int
    obligations: int
    entries: Sequence[Entry]
    adjustments: Sequence[Adjusted]
    disputed: UUID | None = None
    left: TransferRetired | None = None


async def behind(connection: AsyncConnection, currency: str, item: CarryFigures, most: int) -> Behind:
    """The transfers behind an item, at most so many of them; what it comes to is rounded once, from all of them."""
    pair = (currency, item.debtor, item.creditor)
    totals = await exchange_ledger.pair_micros(connection, item.since_window)
    own = [one for one in totals if (one.currency, one.debtor, one.creditor) == pair]
    micros, obligations = sum(one.micros for one in own), sum(one.obligations for one in own)
    if item.dispute:
        dispute = await read_dispute(connection, UUID(item.dispute))
        return Behind(micros, obligations, (), (), dispute.obligation.transfer)
    beside = (await disputed(connection, item.since_window)).adjustments
    adjusted = [one for one in beside if (one.currency, one.debtor, one.creditor) == pair]
    try:
        entries = await exchange_ledger.entries(
            connection,
            item.since_window,
            debtor=item.debtor,
            creditor=item.creditor,
            party=None,
            currency=currency,
            after=(0, 0),
            limit=most,
        )
    except TransferRetired as left:
        # One old window does not keep anybody from seeing what is held of the others.
        return Behind(micros, obligations, (), adjusted, left=left)
    return Behind(micros, obligations, entries, adjusted)
