"""Every statement of runs and of their lives."""

from sqlalchemy import text

# One at a time, and not by window: a run looks at the one before it and at those built upon it.
TAKE_TURNS = text("SELECT settlement.take_turns()")

COLUMNS = """r.run_id, r.window_no, r.configuration, r.digest, r.created_at, r.created_by, r.result, r.before_run,
       r.closed_on, settlement.state_of(r.run_id) AS state"""

RUN = text(f"SELECT {COLUMNS} FROM settlement.runs r WHERE r.run_id = :run_id")

NEWEST_OF_WINDOW = text(
    f"SELECT {COLUMNS} FROM settlement.runs r WHERE r.window_no = :window_no ORDER BY r.order_no DESC LIMIT 1"
)

NEWEST_STANDING = text(f"""
SELECT {COLUMNS} FROM settlement.runs r WHERE settlement.is_live(settlement.state_of(r.run_id))
ORDER BY r.window_no DESC LIMIT 1
""")

# Of each window its newest run: the only one that can still stand.
STATES_OF_WINDOWS = text("""
SELECT DISTINCT ON (window_no) window_no, run_id, settlement.state_of(run_id) AS state
FROM settlement.runs WHERE window_no BETWEEN :least AND :most ORDER BY window_no, order_no DESC
""")

STANDING_ON = text("""
SELECT run_id, window_no, state FROM (
    SELECT run_id, window_no, settlement.state_of(run_id) AS state FROM settlement.runs WHERE before_run = :run_id
) r WHERE settlement.is_live(state)
""")

ALL_STANDING = text("""
SELECT run_id, window_no, configuration, result, state, is_defaulted FROM (
    SELECT run_id, window_no, configuration, result, settlement.state_of(run_id) AS state,
           EXISTS (SELECT FROM settlement.defaults d WHERE d.run_id = r.run_id) AS is_defaulted
    FROM settlement.runs r
) r WHERE settlement.is_live(state) ORDER BY window_no
""")

DEFAULTED = text("SELECT window_no FROM settlement.defaults WHERE run_id = :run_id LIMIT 1")

ADD = text("""
INSERT INTO settlement.runs
    (run_id, window_no, configuration, before_run, result, digest, closed_on, created_at, created_by, created_person)
VALUES (:run_id, :window_no, :configuration, :before_run, :result, :digest, :closed_on, exchange.coalition_now(),
    :created_by, :created_person)
""")

TRANSITIONS = text("""
SELECT step_no, from_state, to_state, at, actor, person, reason, checkers_needed
FROM settlement.run_transitions WHERE run_id = :run_id ORDER BY step_no
""")

DECISIONS = text("""
SELECT person, verdict, digest, at, actor, reason
FROM settlement.run_decisions WHERE run_id = :run_id ORDER BY at, person
""")

STEP = text("""
INSERT INTO settlement.run_transitions
    (run_id, step_no, from_state, to_state, at, actor, person, reason, checkers_needed)
SELECT CAST(:run_id AS uuid), count(*) + 1, settlement.state_of(:run_id), CAST(:to_state AS text),
    exchange.coalition_now(), CAST(:actor AS text), CAST(:person AS text), CAST(:reason AS text),
    CAST(:checkers_needed AS smallint)
FROM settlement.run_transitions WHERE run_id = :run_id
""")

MAKERS = text("SELECT settlement.makers_of(:run_id)")

DECIDE = text("""
INSERT INTO settlement.run_decisions (run_id, person, verdict, digest, at, actor, reason)
VALUES (:run_id, :person, :verdict, :digest, exchange.coalition_now(), :actor, :reason)
""")
