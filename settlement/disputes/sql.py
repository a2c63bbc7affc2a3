"""Every statement of disputes and adjustments."""

from sqlalchemy import text

EVER = 9_223_372_036_854_775_807
"""A window after all windows."""

_COLUMNS = """d.dispute_id, d.transfer_id, d.window_no, d.debtor, d.creditor, d.currency_code, d.minor_units,
       d.claimant, d.request_id, d.reason, d.statement, d.evidence, d.treatment, d.answer_due, d.decision_days,
       d.unanswered, d.undecided, d.order_no,
       coalesce((SELECT o.owner FROM settlement.dispute_owners o
                 WHERE o.dispute_id = d.dispute_id ORDER BY o.order_no DESC LIMIT 1), d.owner) AS owner"""

DISPUTE = text(f"SELECT {_COLUMNS} FROM settlement.disputes d WHERE d.dispute_id = :dispute_id")

BY_KEY = text(f"""
SELECT {_COLUMNS} FROM settlement.disputes d WHERE d.claimant = :claimant AND d.request_id = :request_id
""")

# Newest first. NULL stands for any; a party sees what it is debtor or creditor of.
PAGE = text(f"""
SELECT {_COLUMNS} FROM settlement.disputes d
WHERE d.order_no < :before
  AND (CAST(:party AS text) IS NULL OR d.debtor = :party OR d.creditor = :party)
  AND (CAST(:window_no AS bigint) IS NULL OR d.window_no = :window_no)
  AND (CAST(:transfer_id AS uuid) IS NULL OR d.transfer_id = :transfer_id)
  AND (NOT :waiting OR settlement.dispute_state(d.dispute_id) IN ('OPEN', 'CONTESTED'))
ORDER BY d.order_no DESC LIMIT :limit
""")

STEPS = text("""
SELECT dispute_id, step_no, from_state, to_state, cause, at, actor, person, note, evidence, decision_due,
       upheld_minor_units, release_window, proposal_id
FROM settlement.dispute_transitions WHERE dispute_id = ANY(:disputes) ORDER BY dispute_id, step_no
""")

# Of what there is of a transfer, by the bucket its id tells.
WINDOW_OF = text("""
SELECT min(window_no) FROM exchange.clearing_entries_v1
WHERE bucket = settlement.bucket_of(:transfer) AND transfer_id = :transfer AND debtor = :debtor
  AND creditor = :creditor AND currency_code = :currency
""")

TRANSFER = text("""
SELECT 1 FROM exchange.clearing_entries_v1
WHERE bucket = settlement.bucket_of(:transfer) AND transfer_id = :transfer LIMIT 1
""")

# Those that may end by themselves, in the order they were opened: whether one does is for a rule to say.
MAY_END = text("""
SELECT d.dispute_id FROM settlement.disputes d
CROSS JOIN LATERAL (SELECT to_state, decision_due FROM settlement.dispute_transitions t
                    WHERE t.dispute_id = d.dispute_id ORDER BY step_no DESC LIMIT 1) last
WHERE last.to_state IN ('OPEN', 'CONTESTED') AND (
    coalesce(last.decision_due, d.answer_due) <= exchange.coalition_now()
    OR EXISTS (SELECT FROM exchange.clearing_reversals_v1 r
               WHERE r.bucket = settlement.bucket_of(d.transfer_id) AND r.original_id = d.transfer_id))
ORDER BY d.order_no
""")

STANDING = text("""
SELECT floor(settlement.owed_micros(:transfer, :debtor, :creditor, :currency, :up_to) / :unit)::bigint AS owed,
       settlement.won(:transfer, :debtor, :creditor, :currency)::bigint AS won,
       settlement.asked(:transfer, :debtor, :creditor, :currency)::bigint AS asked
""")

OPEN = text("""
INSERT INTO settlement.disputes (dispute_id, transfer_id, window_no, debtor, creditor, currency_code, unit_micros,
    minor_units, claimant, request_id, reason, statement, evidence, treatment, owner, answer_due, decision_days,
    unanswered, undecided, at, actor, person)
VALUES (:dispute_id, :transfer_id, :window_no, :debtor, :creditor, :currency_code, :unit_micros, :minor_units,
    :claimant, :request_id, :reason, :statement, :evidence, :treatment, :owner, :answer_due, :decision_days,
    :unanswered, :undecided, :at, :actor, :person)
""")

STEP = text("""
INSERT INTO settlement.dispute_transitions (dispute_id, step_no, from_state, to_state, cause, at, actor, person, note,
    evidence, decision_due, upheld_minor_units, release_window, proposal_id)
VALUES (:dispute_id, :step_no, :from_state, :to_state, :cause, :at, :actor, :person, :note, :evidence, :decision_due,
    :upheld_minor_units, :release_window, :proposal_id)
""")

ASSIGN = text("""
INSERT INTO settlement.dispute_owners (dispute_id, owner, at, actor, person)
VALUES (:dispute_id, :owner, exchange.coalition_now(), :actor, :person)
""")

ADJUST = text("""
INSERT INTO settlement.adjustments (adjustment_id, window_no, debtor, creditor, currency_code, minor_units, cause,
    dispute_id, proposal_id, transfer_id, at, actor)
VALUES (:adjustment_id, :window_no, :debtor, :creditor, :currency_code, :minor_units, :cause, :dispute_id,
    :proposal_id, :transfer_id, exchange.coalition_now(), :actor)
""")

_ADJUSTMENTS = """
SELECT adjustment_id, window_no, debtor, creditor, currency_code, minor_units, cause, dispute_id, proposal_id,
       transfer_id, at, actor, order_no
FROM settlement.adjustments a
"""

# Newest first. NULL stands for any; a party sees what it is debtor or creditor of.
ADJUSTMENTS_PAGE = text(f"""{_ADJUSTMENTS}
WHERE a.order_no < :before
  AND (CAST(:party AS text) IS NULL OR a.debtor = :party OR a.creditor = :party)
  AND (CAST(:window_no AS bigint) IS NULL OR a.window_no = :window_no)
ORDER BY a.order_no DESC LIMIT :limit
""")

# ------------------------------------------------------------------------------------------------ inputs of a run
ADJUSTMENTS_OF_WINDOW = text(f"{_ADJUSTMENTS} WHERE a.window_no = :window_no ORDER BY a.adjustment_id")

# Of this window's transfers what is held out of its run: unless the dispute had ended before the window was cut off.
HELD_OUT = text("""
SELECT d.dispute_id, d.debtor, d.creditor, d.currency_code, d.minor_units
FROM settlement.disputes d
LEFT JOIN settlement.dispute_transitions t ON t.dispute_id = d.dispute_id AND t.release_window IS NOT NULL
WHERE d.window_no = :window_no AND d.treatment = 'HOLD_OUT' AND coalesce(t.release_window > d.window_no, true)
ORDER BY d.dispute_id
""")

# What was held out of earlier runs and is netted in this window, because its dispute ended while this one was open.
RELEASED = text("""
SELECT d.dispute_id FROM settlement.disputes d
JOIN settlement.dispute_transitions t ON t.dispute_id = d.dispute_id AND t.release_window = :window_no
WHERE d.window_no < :window_no AND d.treatment = 'HOLD_OUT' ORDER BY d.dispute_id
""")

# Asked first: where no dispute was ever won, netting looks at no transfer.
EVER_WON = text("SELECT EXISTS (SELECT FROM settlement.dispute_transitions WHERE to_state = 'UPHELD')")

# Obligations of which disputes have won more than reversals up to this window leave. The newest dispute that won is
# named: all of an obligation are of one unit.
OVERTAKEN = text("""
SELECT * FROM (
    SELECT o.*, (settlement.won(o.transfer_id, o.debtor, o.creditor, o.currency_code)
        - floor(settlement.owed_micros(o.transfer_id, o.debtor, o.creditor, o.currency_code, :window_no)
                / o.unit_micros))::bigint AS excess
    FROM (
        SELECT DISTINCT ON (d.transfer_id, d.debtor, d.creditor, d.currency_code)
            d.transfer_id, d.debtor, d.creditor, d.currency_code, d.unit_micros, d.dispute_id
        FROM settlement.disputes d
        JOIN settlement.dispute_transitions t ON t.dispute_id = d.dispute_id AND t.to_state = 'UPHELD'
        WHERE EXISTS (SELECT FROM exchange.clearing_reversals_v1 r
                      WHERE r.bucket = settlement.bucket_of(d.transfer_id) AND r.original_id = d.transfer_id
                        AND r.window_no = :window_no)
        ORDER BY d.transfer_id, d.debtor, d.creditor, d.currency_code, d.order_no DESC
    ) o
) found WHERE excess > 0 ORDER BY transfer_id, debtor, creditor, currency_code
""")

STATE_OF_WINDOW = text("""
SELECT run_id, state FROM (
    SELECT run_id, settlement.state_of(run_id) AS state FROM settlement.runs WHERE window_no = :window_no
) r WHERE settlement.is_live(state)
""")
