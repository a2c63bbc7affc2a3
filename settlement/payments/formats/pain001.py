"""A payment order as ISO 20022 pain.001.001.09, customer credit transfer initiation.

One block for each account that is debited: debtors' payments into the clearing account first, then what it pays out.
Each payment is booked by itself, so that statements name it by its EndToEndId.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from settlement.bank_details.model import BankAccount
from settlement.payments.formats.amounts import decimal_of
from settlement.payments.formats.xml import day, instant, written
from settlement.payments.model import Instruction, Party, PaymentOrder
from settlement.payments.rules import blocks_of

NAME = "pain.001.001.09"


def render(order: PaymentOrder) -> bytes:
    """The message's bytes; they keep to the published schema."""
    from pyiso20022.pain import pain_001_001_09 as pain

    header = pain.GroupHeader85(
        msg_id=order.message_id,
        cre_dt_tm=instant(order.created_at),
        nb_of_txs=str(order.count),
        ctrl_sum=decimal_of(order.control_sum, order.currency),
        initg_pty=pain.PartyIdentification135(nm=order.operator.account.holder),
    )
    initiation = pain.CustomerCreditTransferInitiationV09(
        grp_hdr=header,
        pmt_inf=[
            _block(pain, order, block_id, [item for item in order.instructions if item.leg.payer == payer])
            for payer, block_id in blocks_of(order).items()
        ],
    )
    return written(pain.Document(cstmr_cdt_trf_initn=initiation), NAME)


def _block(pain: Any, order: PaymentOrder, block_id: str, items: Sequence[Instruction]) -> Any:
    payer = items[0].payer
    return pain.PaymentInstruction30(
        pmt_inf_id=block_id,
        pmt_mtd=pain.PaymentMethod3Code.TRF,
        btch_bookg=False,
        nb_of_txs=str(len(items)),
        ctrl_sum=decimal_of(sum(item.leg.minor_units for item in items), order.currency),
        reqd_exctn_dt=pain.DateAndDateTime2Choice(dt=day(order.execution_date)),
        dbtr=_party(pain, payer),
        dbtr_acct=_account(pain, payer.account, order.currency),
        dbtr_agt=_bank(pain, payer.account),
        chrg_br=pain.ChargeBearerType1Code.SHAR,
        cdt_trf_tx_inf=[_transfer(pain, order, item) for item in items],
    )


def _transfer(pain: Any, order: PaymentOrder, item: Instruction) -> Any:
    return pain.CreditTransferTransaction34(
        pmt_id=pain.PaymentIdentification6(instr_id=item.end_to_end_id, end_to_end_id=item.end_to_end_id),
        amt=pain.AmountType4Choice(
            instd_amt=pain.ActiveOrHistoricCurrencyAndAmount(
                value=decimal_of(item.leg.minor_units, order.currency), ccy=order.currency
            )
        ),
        cdtr_agt=_bank(pain, item.payee.account),
        cdtr=_party(pain, item.payee),
        cdtr_acct=_account(pain, item.payee.account, order.currency),
        rmt_inf=pain.RemittanceInformation16(ustrd=[order.remittance]),
    )


def _party(pain: Any, party: Party) -> Any:
    return pain.PartyIdentification135(nm=party.account.holder)


def _account(pain: Any, account: BankAccount, currency: str) -> Any:
    if account.iban:
        choice = pain.AccountIdentification4Choice(iban=account.iban)
    else:
        choice = pain.AccountIdentification4Choice(othr=pain.GenericAccountIdentification1(id=account.number))
    return pain.CashAccount38(id=choice, ccy=currency)


def _bank(pain: Any, account: BankAccount) -> Any:
    if account.bic:
        bank = pain.FinancialInstitutionIdentification18(bicfi=account.bic)
    else:
        member = pain.ClearingSystemMemberIdentification2(
            clr_sys_id=pain.ClearingSystemIdentification2Choice(cd=account.clearing_system),
            mmb_id=account.clearing_member,
        )
        bank = pain.FinancialInstitutionIdentification18(clr_sys_mmb_id=member)
    return pain.BranchAndFinancialInstitutionIdentification6(fin_instn_id=bank)
