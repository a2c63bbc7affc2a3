"""What the ledger audit counts: legs and obligations as they stand in the transfers, and how they are added up.

Not the published views: those unnest in FROM, for which PostgreSQL puts the legs of every single transfer aside first.
Unnested in a list of columns they pass by at half the processor time, and an audit is little else than passing by.
"""

from __future__ import annotations

_CREDIT = 2

# Ids from here on are of transfers the ledger has: what those before came to stands in the checkpoints. What
# exchange.retired_to() says, but several processes may work on a check that asks so.
KEPT = "coalesce((SELECT to_id FROM exchange.retired), '00000000-0000-0000-0000-000000000000')"

LEGS = """(SELECT bucket, member_id, ledger_sequence, transfer_id, transfer_kind, occurred_at, (leg).account,
                  (leg).side, (leg).currency_no, (leg).units, (leg).account_sequence, (leg).lot_id
           FROM (SELECT bucket, member_id, ledger_sequence, transfer_id, kind AS transfer_kind, occurred_at,
                        unnest(legs) AS leg FROM exchange.transfers) each_leg)"""

OBLIGATIONS = """(SELECT window_no, transfer_id, (owed).kind, (owed).debtor_no, (owed).creditor_no,
                         (owed).currency_code, (owed).micros
                  FROM (SELECT window_no, transfer_id, unnest(obligations) AS owed
                        FROM exchange.transfers) each_obligation)"""


def credit_less_debit(condition: str = "true") -> str:
    """SQL for what was credited less what was debited of the legs that fulfil a condition; 0 when there are none.

    Two sums of bigints are exact whatever somebody wrote there, and cheaper than one of numerics.
    """
    return (
        f"(coalesce(sum(units) FILTER (WHERE side = {_CREDIT} AND {condition}), 0)"
        f" - coalesce(sum(units) FILTER (WHERE side IS DISTINCT FROM {_CREDIT} AND {condition}), 0))"
    )
