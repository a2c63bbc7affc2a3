"""What archived transfers come to, added up from their lines alone. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from exchange.ledger.model import Account, Side, TransferKind

_ENDING = frozenset({TransferKind.EXPIRE, TransferKind.DEBIT_ADJUSTMENT, TransferKind.VOID})

Figures = tuple[int, ...]


class Sums:
    """Sums of some transfers.

    Attributes:
        accounts: by member and currency number: available, held, overdrawn, entries.
        lots: by lot: remaining, held, ended unused.
        pairs: by window, debtor, creditor, settlement currency and kind: micro-units, obligations.
        currencies: by currency number: points brought into circulation less those taken out.
    """

    def __init__(self) -> None:
        self.accounts: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        self.lots: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        self.pairs: dict[tuple[int, int, int, str, int], list[int]] = defaultdict(lambda: [0, 0])
        self.currencies: dict[int, int] = defaultdict(int)

    def add(self, transfer: Mapping[str, Any]) -> None:
        """Count a transfer, as a line of an archive has it."""
        touched = set()
        for leg in transfer["legs"]:
            number, units = leg["currency_no"], leg["units"]
            signed = units if leg["side"] == Side.CREDIT else -units
            if leg["account"] == Account.CIRCULATION:
                self.currencies[number] -= signed
                continue
            account = self.accounts[transfer["member_id"], number]
            touched.add((number, leg["account_sequence"]))
            account[1 if leg["account"] == Account.HELD else 0] += signed
            if leg["account"] == Account.OVERDRAFT:
                account[2] -= signed
            if leg["lot_id"] is not None:
                self._add_to_lot(leg, signed, ends=transfer["kind"] in _ENDING)
        for number, _ in touched:
            self.accounts[transfer["member_id"], number][3] += 1
        for owed in transfer["obligations"]:
            between = owed["debtor_no"], owed["creditor_no"], owed["currency_code"], owed["kind"]
            pair = self.pairs[transfer["window_no"], *between]
            pair[0] += owed["micros"]
            pair[1] += 1

    def _add_to_lot(self, leg: Mapping[str, Any], signed: int, *, ends: bool) -> None:
        lot = self.lots[leg["lot_id"]]
        if leg["account"] == Account.MEMBER:
            lot[0] += signed
            if ends and leg["side"] == Side.DEBIT:
                lot[2] += leg["units"]
        elif leg["account"] == Account.HELD:
            lot[1] += signed


def first_difference(
    what: str, archived: Mapping[Any, list[int] | int], kept: Mapping[Any, Figures], *, skip_nothing: bool = False
) -> str | None:
    """The first thing of which an archive and its checkpoint say different figures, in words; None: they agree.

    Args:
        what: of what the figures are.
        archived: as added up.
        kept: as the checkpoint has them.
        skip_nothing: what comes to nothing does not stand in the checkpoint.
    """
    found = {name: tuple(sums) if isinstance(sums, list) else (sums,) for name, sums in archived.items()}
    if skip_nothing:
        found = {name: sums for name, sums in found.items() if any(sums)}
    for name in sorted(found.keys() | kept.keys(), key=str):
        if found.get(name) != kept.get(name):
            return f"{what} {name}: the archive comes to {found.get(name)}, the checkpoint says {kept.get(name)}"
    return None
