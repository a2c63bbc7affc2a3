"""What banks booked and what rounding left before there were net debit caps no longer stands against anybody.

Revision ID: settlement_0008
"""

import json

from alembic import op
from sqlalchemy import text

from exchange.money.currencies import micros_per_minor

revision = "settlement_0008"
down_revision = "settlement_0007"
branch_labels = None
depends_on = None

BOOKED = text("""
SELECT e.end_to_end_id, e.to_state, l.currency_code, l.payer, l.payee, l.minor_units
FROM settlement.payment_events e
JOIN settlement.payment_attempts a USING (end_to_end_id)
JOIN settlement.payment_legs l USING (run_id, leg_no)
WHERE e.to_state IN ('SETTLED', 'RETURNED') ORDER BY e.event_no
""")

INSTRUCTED = text("""
SELECT r.window_no, r.result FROM settlement.runs r
WHERE EXISTS (SELECT FROM settlement.run_transitions t WHERE t.run_id = r.run_id AND t.to_state = 'INSTRUCTED')
ORDER BY r.window_no
""")

DISCHARGE = text("""
INSERT INTO exchange.discharges (source, debtor_no, creditor_no, currency_code, micros, discharged_at)
SELECT :source, debtor.merchant_no, creditor.merchant_no, :currency_code, :micros, exchange.coalition_now()
FROM exchange.merchants debtor, exchange.merchants creditor
WHERE debtor.merchant_id = :debtor AND creditor.merchant_id = :creditor
ON CONFLICT DO NOTHING
""")


def upgrade() -> None:
    """Tell the exchange of each as `settlement.payments.progress` does from now on."""
    connection = op.get_bind()
    connection.exec_driver_sql("SET lock_timeout = '5s'")
    for name, state, currency, payer, payee, minor_units in connection.execute(BOOKED).all():
        is_paid = state == "SETTLED"
        discharge = {
            "source": f"{'payments' if is_paid else 'returns'}/{name}",
            "debtor": payer if is_paid else payee,
            "creditor": payee if is_paid else payer,
            "currency_code": currency,
            "micros": minor_units * micros_per_minor(currency),
        }
        connection.execute(DISCHARGE, discharge)
    for window_no, result in connection.execute(INSTRUCTED).all():
        for one in json.loads(result)["currencies"]:
            for left in one.get("residue", ()):
                names = {"debtor": left["debtor"], "creditor": left["creditor"], "currency_code": one["currency"]}
                connection.execute(DISCHARGE, {"source": f"rounding/{window_no}", **names, "micros": left["micros"]})
