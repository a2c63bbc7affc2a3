"""camt.053 and camt.054, statement and notification: what was booked on an account.

Only what is booked counts: pending and information entries are passed over, they come again when they are final.
Returns are put behind bookings, because a statement may list them in any order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from settlement.payments.reading.model import EntryLine
from settlement.payments.reading.walk import account_of, at, day_of, each, reason_of, text

VERSIONS = ("02", "08", "09", "10", "11", "12")
_NOT_PROVIDED = frozenset({"NOTPROVIDED", "NONREF"})
_RETURN_FAMILIES = frozenset({"RRTN"})


def lines(document: Any) -> list[EntryLine]:
    """A line for each booked payment, bookings before returns, else in the bank's order."""
    found = [line for report in _reports(document) for line in _of_report(report)]
    return sorted(found, key=lambda line: line.returned)


def message_id_of(document: Any) -> str:
    """The bank's name for its message."""
    root = _root(document)
    return text(root, "grp_hdr.msg_id")


def _root(document: Any) -> Any:
    return getattr(document, "bk_to_cstmr_stmt", None) or document.bk_to_cstmr_dbt_cdt_ntfctn


def _reports(document: Any) -> Iterator[Any]:
    root = _root(document)
    yield from each(root, "stmt")
    yield from each(root, "ntfctn")


def _of_report(report: Any) -> Iterator[EntryLine]:
    account = account_of(report, "acct")
    for entry in each(report, "ntry"):
        # A code of its own in older versions, one choice of several in later ones.
        if (text(entry, "sts.cd") or text(entry, "sts")) == "BOOK":
            yield from _of_entry(account, entry)


def _of_entry(account: str, entry: Any) -> Iterator[EntryLine]:
    payments = [one for details in each(entry, "ntry_dtls") for one in each(details, "tx_dtls")]
    if not payments:
        yield _line(account, entry, None, entry.amt)
    for payment in payments:
        own = at(payment, "amt") or at(payment, "amt_dtls.tx_amt.amt")
        yield _line(account, entry, payment, own or (entry.amt if len(payments) == 1 else None))


def _line(account: str, entry: Any, payment: Any, amount: Any) -> EntryLine:
    direction = text(payment, "cdt_dbt_ind") or text(entry, "cdt_dbt_ind")
    is_credit = direction == "CRDT"
    name = text(payment, "refs.end_to_end_id")
    family = text(payment, "bk_tx_cd.domn.fmly.sub_fmly_cd") or text(entry, "bk_tx_cd.domn.fmly.sub_fmly_cd")
    returned = at(payment, "rtr_inf") is not None or entry.rvsl_ind is True or family in _RETURN_FAMILIES
    other = "rltd_pties.dbtr_acct" if is_credit != returned else "rltd_pties.cdtr_acct"
    return EntryLine(
        account=account,
        end_to_end_id="" if name in _NOT_PROVIDED else name,
        currency=text(amount, "ccy") or text(entry, "amt.ccy"),
        amount=at(amount, "value"),
        is_credit=is_credit,
        booked_on=day_of(entry, "bookg_dt"),
        reference=text(payment, "refs.acct_svcr_ref") or text(entry, "acct_svcr_ref"),
        returned=returned,
        reason=reason_of(payment, "rtr_inf"),
        counterparty=account_of(payment, other),
    )
