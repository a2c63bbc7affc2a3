"""A bank for tests: it reads the pain.001 it is given and answers as banks do, with pain.002, camt.053 and camt.054."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

URN = "urn:iso:std:iso:20022:tech:xsd:"
NS = {"p": f"{URN}pain.001.001.09"}
DAY = "2026-03-02"
"""When it books."""
NOW = f"{DAY}T08:00:00Z"


class Order(NamedTuple):
    """One payment a bank was told to make."""

    message_id: str
    block_id: str
    end_to_end_id: str
    amount: str
    currency: str
    payer_account: str
    payee_account: str


class Booking(NamedTuple):
    """One entry of a statement.

    `end_to_end_id` of None: the statement does not name it. `returned`: why it comes back; empty: it does not.
    """

    account: str
    direction: str
    amount: str
    end_to_end_id: str | None = None
    currency: str = "CNY"
    day: str = DAY
    reference: str = "R1"
    returned: str = ""
    counterparty: str = ""
    status: str = "BOOK"


def orders(content: bytes) -> list[Order]:
    """The payments of a pain.001."""
    root = ET.fromstring(content)
    message_id = root.findtext(".//p:GrpHdr/p:MsgId", "", NS)
    found = []
    for block in root.iterfind(".//p:PmtInf", NS):
        payer = _account(block.find("p:DbtrAcct", NS))
        for one in block.iterfind("p:CdtTrfTxInf", NS):
            amount = one.find("p:Amt/p:InstdAmt", NS)
            assert amount is not None
            found.append(
                Order(
                    message_id,
                    block.findtext("p:PmtInfId", "", NS),
                    one.findtext("p:PmtId/p:EndToEndId", "", NS),
                    amount.text or "",
                    amount.attrib["Ccy"],
                    payer,
                    _account(one.find("p:CdtrAcct", NS)),
                )
            )
    return found


def _account(element: ET.Element | None) -> str:
    assert element is not None
    return element.findtext(".//p:IBAN", "", NS) or element.findtext(".//p:Othr/p:Id", "", NS)


def control_of(content: bytes) -> tuple[str, str]:
    """Count and control sum in the header of a pain.001."""
    root = ET.fromstring(content)
    return root.findtext(".//p:GrpHdr/p:NbOfTxs", "", NS), root.findtext(".//p:GrpHdr/p:CtrlSum", "", NS)


def debit(order: Order, **changes: object) -> Booking:
    """The payer's account is debited with a payment."""
    booking = Booking(
        order.payer_account, "DBIT", order.amount, order.end_to_end_id, order.currency,
        counterparty=order.payee_account, reference=f"D{order.end_to_end_id}",
    )  # fmt: skip
    return booking._replace(**changes)  # type: ignore[arg-type]  # each by its own type


def credit(order: Order, **changes: object) -> Booking:
    """The payee's account is credited with a payment."""
    booking = Booking(
        order.payee_account, "CRDT", order.amount, order.end_to_end_id, order.currency,
        counterparty=order.payer_account, reference=f"C{order.end_to_end_id}",
    )  # fmt: skip
    return booking._replace(**changes)  # type: ignore[arg-type]  # each by its own type


def comes_back(order: Order, why: str = "AC04", **changes: object) -> Booking:
    """A payment comes back to the payer's account."""
    return debit(order, direction="CRDT", returned=why, reference=f"B{order.end_to_end_id}", **changes)


def status_report(
    message_id: str,
    *,
    group: str = "",
    blocks: Iterable[tuple[str, str]] = (),
    payments: Iterable[tuple[str, str, str]] = (),
    name: str = "pain.002.001.10",
    bank_id: str = "BANK-1",
) -> bytes:
    """A pain.002: a status of the whole file, of blocks (id, status), and of payments (EndToEndId, status, reason)."""
    parts = [_status_of_block(block, status, ()) for block, status in blocks]
    if listed := list(payments):
        parts.append(_status_of_block(f"{message_id}.1", "", listed))
    group_status = f"<GrpSts>{group}</GrpSts>" if group else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{URN}{name}"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>{bank_id}</MsgId><CreDtTm>{NOW}</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message_id}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
        f"{group_status}</OrgnlGrpInfAndSts>{''.join(parts)}</CstmrPmtStsRpt></Document>"
    ).encode()


def _status_of_block(block: str, status: str, payments: Sequence[tuple[str, str, str]]) -> str:
    own = f"<PmtInfSts>{status}</PmtInfSts>" if status else ""
    listed = ""
    for payment, of_payment, why in payments:
        reason = f"<StsRsnInf><Rsn><Cd>{why}</Cd></Rsn></StsRsnInf>" if why else ""
        listed += (
            f"<TxInfAndSts><OrgnlEndToEndId>{payment}</OrgnlEndToEndId>"
            f"<TxSts>{of_payment}</TxSts>{reason}</TxInfAndSts>"
        )
    return f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{block}</OrgnlPmtInfId>{own}{listed}</OrgnlPmtInfAndSts>"


def statement(*bookings: Booking, name: str = "camt.053.001.08", bank_id: str = "STMT-1") -> bytes:
    """A camt.053 or camt.054: a report for each account, with its entries in the order given."""
    is_statement = name.startswith("camt.053")
    root, report = ("BkToCstmrStmt", "Stmt") if is_statement else ("BkToCstmrDbtCdtNtfctn", "Ntfctn")
    parts = []
    for number, account in enumerate(dict.fromkeys(booking.account for booking in bookings), start=1):
        entries = "".join(_entry(booking, name) for booking in bookings if booking.account == account)
        balance = _BALANCE if is_statement else ""
        parts.append(
            f"<{report}><Id>{bank_id}-{number}</Id><CreDtTm>{NOW}</CreDtTm><Acct>{_id_of(account)}</Acct>"
            f"{balance}{entries}</{report}>"
        )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{URN}{name}"><{root}>'
        f"<GrpHdr><MsgId>{bank_id}</MsgId><CreDtTm>{NOW}</CreDtTm></GrpHdr>{''.join(parts)}</{root}></Document>"
    ).encode()


_BALANCE = (
    '<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">0</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
    f"<Dt><Dt>{DAY}</Dt></Dt></Bal>"
)


def _entry(booking: Booking, name: str) -> str:
    status = booking.status if name.endswith(".02") else f"<Cd>{booking.status}</Cd>"
    reference = f"<AcctSvcrRef>{booking.reference}</AcctSvcrRef>" if booking.reference else ""
    named = booking.end_to_end_id
    refs = f"<Refs><EndToEndId>{escape(named)}</EndToEndId></Refs>" if named else ""
    side = "CdtrAcct" if (booking.direction == "DBIT") != bool(booking.returned) else "DbtrAcct"
    other = f"<RltdPties><{side}>{_id_of(booking.counterparty)}</{side}></RltdPties>" if booking.counterparty else ""
    returned = f"<RtrInf><Rsn><Cd>{booking.returned}</Cd></Rsn></RtrInf>" if booking.returned else ""
    return (
        f'<Ntry><Amt Ccy="{booking.currency}">{booking.amount}</Amt><CdtDbtInd>{booking.direction}</CdtDbtInd>'
        f"<Sts>{status}</Sts><BookgDt><Dt>{booking.day}</Dt></BookgDt>{reference}"
        "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
        f"<NtryDtls><TxDtls>{refs}{other}{returned}</TxDtls></NtryDtls></Ntry>"
    )


def _id_of(account: str) -> str:
    is_iban = account[:2].isalpha() and account[2:4].isdigit()
    return f"<Id><IBAN>{account}</IBAN></Id>" if is_iban else f"<Id><Othr><Id>{account}</Id></Othr></Id>"
