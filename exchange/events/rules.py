"""Who is told what."""

from __future__ import annotations

from collections.abc import Collection

from exchange.callers import Caller, CallerRole
from exchange.directory.model import Directory
from exchange.events.model import Entry, Viewer
from exchange.ledger.event_kinds import EventKind
from exchange.ledger.model import OWN_REQUESTS, Transfer

_ALL_KINDS = frozenset(EventKind)
# Finance reads money by settlement's own service; whose points moved is no affair of it.
_ABOUT_MEMBERS = frozenset({EventKind.TRANSFER, EventKind.POINTS_EXPIRING, EventKind.INSTRUCTION_GIVEN})
_FINANCE = frozenset({CallerRole.FINANCE_MAKER, CallerRole.FINANCE_CHECKER})


def parties(transfer: Transfer, directory: Directory) -> set[int]:
    """Numbers of the merchants that took part: the asking one, issuers, debtors and creditors."""
    found = {transfer.merchant_no}
    for leg in transfer.legs:
        found.add(directory.currencies[leg.currency_no].issuer_no)
    for owed in transfer.obligations:
        found.add(owed.debtor_no)
        found.add(owed.creditor_no)
    return found


def asked_for(merchant_no: int | None, transfer: Transfer) -> bool:
    """Whether a merchant itself moved the points, and so has linked the member.

    What the exchange does by itself is done in the name of the issuer, which may never have met the person.
    """
    return transfer.merchant_no == merchant_no and not transfer.request_id.startswith(OWN_REQUESTS)


def names_member(viewer_no: int | None, transfer: Transfer, linked: Collection[int]) -> bool:
    """Whether a viewer is told whose points moved: not a merchant that has not linked the member (docs/adr, 12).

    Args:
        viewer_no: number of a merchant; None: whoever sees all.
        transfer: one that the viewer may see.
        linked: numbers of merchants that have linked the member, the viewer's at least if it has.
    """
    return viewer_no is None or asked_for(viewer_no, transfer) or viewer_no in linked


def viewer_of(caller: Caller, kinds: frozenset[EventKind]) -> Viewer:
    """What a caller is told of the kinds it asks for; of none: all it may see."""
    may = _ALL_KINDS - _ABOUT_MEMBERS if caller.role in _FINANCE else _ALL_KINDS
    return Viewer(caller.merchant_no, may & (kinds or _ALL_KINDS))


def sees(viewer: Viewer, entry: Entry) -> bool:
    """Whether a viewer is told an event."""
    if entry.kind not in viewer.kinds:
        return False
    return entry.audience is None or viewer.merchant_no is None or viewer.merchant_no in entry.audience
