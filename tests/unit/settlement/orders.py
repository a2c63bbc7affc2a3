"""Payment orders for tests: the rulebook's period A, ready to be written."""

from __future__ import annotations

from datetime import UTC, date, datetime

from settlement.bank_details.model import BankAccount
from settlement.payments.model import Instruction, Leg, Party, PaymentOrder
from settlement.payments.rules import end_to_end_id, message_id

DIGEST = "4a73fe6cad5b11406aad55c137e5c4121cb0e3757b2418217cf47f9f5c7691d9"
OPERATOR = Party("OPR", BankAccount("Coalition", number="6222001", clearing_system="CNAPS", clearing_member="1021"))
PARTIES = {
    "OPR": OPERATOR,
    "AIR": Party("AIR", BankAccount("Air 航空", iban="DE89370400440532013000", bic="COBADEFFXXX")),
    "BNK": Party("BNK", BankAccount("Bank & Sons <HQ>", iban="GB29NWBK60161331926819", bic="NWBKGB2L")),
    "CAF": Party("CAF", BankAccount("Café", number="6222004", clearing_system="CNAPS", clearing_member="1051")),
    "GRO": Party("GRO", BankAccount("Grocer", iban="FR1420041010050500013M02606", bic="BNPAFRPP")),
    "TEL": Party("TEL", BankAccount("Telecom", number="6222006", clearing_system="CNAPS", clearing_member="1041")),
}
PERIOD_A = [
    ("BNK", "OPR", 60_000),
    ("CAF", "OPR", 100),
    ("GRO", "OPR", 71_655),
    ("OPR", "AIR", 30_100),
    ("OPR", "TEL", 101_655),
]


def an_order(
    payments: list[tuple[str, str, int]] | None = None, currency: str = "CNY", attempt: int = 1
) -> PaymentOrder:
    """An order to make payments of (payer, payee, minor units); without any, period A's."""
    legs = [Leg(number, currency, *one) for number, one in enumerate(payments or PERIOD_A, start=1)]
    return PaymentOrder(
        message_id=message_id(1, DIGEST, currency, attempt),
        window_no=1,
        currency=currency,
        batch_no=attempt,
        created_at=datetime(2026, 3, 1, 1, 2, 3, 456_789, UTC),
        execution_date=date(2026, 3, 2),
        operator=OPERATOR,
        instructions=[
            Instruction(end_to_end_id(1, DIGEST, leg, attempt), leg, attempt, PARTIES[leg.payer], PARTIES[leg.payee])
            for leg in legs
        ],
    )
