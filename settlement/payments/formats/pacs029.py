"""A payment order as ISO 20022 pacs.029.001.02, multilateral settlement request: one agent moves all of it.

Only where every payment goes through the clearing account: each becomes a movement of the other side's account, a
debit for what comes in and a credit for what goes out, named by its EndToEndId.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from settlement.bank_details.model import BankAccount
from settlement.payments.formats.amounts import decimal_of
from settlement.payments.formats.xml import instant, written
from settlement.payments.model import Instruction, PaymentOrder

NAME = "pacs.029.001.02"
MOVEMENTS_MIN = 2


def why_not(order: PaymentOrder) -> str | None:
    """Why an order cannot be written so; None: it can."""
    operator = order.operator.participant
    if any((item.leg.payer == operator) == (item.leg.payee == operator) for item in order.instructions):
        return "pacs.029 settles what goes through the clearing account; these payments do not"
    if order.count < MOVEMENTS_MIN:
        return "pacs.029 takes two movements at least"
    return None


def render(order: PaymentOrder) -> bytes:
    """The message's bytes. No schema of it comes with a package: the bindings, made from it, are read back strictly."""
    from pyiso20022.pacs import pacs_029_001_02 as pacs

    header = pacs.GroupHeader104(
        msg_id=order.message_id,
        cre_dt_tm=instant(order.created_at),
        nb_of_sttlm_reqs="1",
        ctrl_sum=decimal_of(order.control_sum, order.currency),
        sttlm_inf=pacs.SettlementInstruction14(
            sttlm_mtd=pacs.SettlementMethod2Code.CLRG,
            sttlm_acct=_account(pacs, order.operator.account, order.currency),
        ),
    )
    request = pacs.MultilateralSettlementRequest3(
        instr_id=order.message_id,
        sttlm_cycl=order.execution_date.isoformat(),
        nb_of_mvmnt_rcrds=Decimal(order.count),
        mvmnt_rcrd=[_movement(pacs, order, number, item) for number, item in enumerate(order.instructions, start=1)],
    )
    document = pacs.Document(mul_sttlm_req=pacs.MultilateralSettlementRequestV02(grp_hdr=header, sttlm_req=[request]))
    return written(document, NAME)


def _movement(pacs: Any, order: PaymentOrder, number: int, item: Instruction) -> Any:
    comes_in = item.leg.payee == order.operator.participant
    party = item.payer if comes_in else item.payee
    return pacs.MovementRecord2(
        id=item.end_to_end_id,
        seq_nb=Decimal(number),
        amt=pacs.AmountAndDirection5(
            amt=pacs.ActiveCurrencyAndAmount(
                value=decimal_of(item.leg.minor_units, order.currency), ccy=order.currency
            ),
            cdt_dbt=pacs.CreditDebitCode.DBIT if comes_in else pacs.CreditDebitCode.CRDT,
        ),
        ptcpt=pacs.PartyIdentification272(nm=party.account.holder),
        ptcpt_acct=_account(pacs, party.account, order.currency),
        ref=item.end_to_end_id,
    )


def _account(pacs: Any, account: BankAccount, currency: str) -> Any:
    if account.iban:
        choice = pacs.AccountIdentification4Choice(iban=account.iban)
    else:
        choice = pacs.AccountIdentification4Choice(othr=pacs.GenericAccountIdentification1(id=account.number))
    return pacs.CashAccount40(id=choice, ccy=currency)
