"""Every statement of runs."""

from sqlalchemy import text

# One at a time by window: two makers who start the same run get one run.
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(7498, CAST(:window_no AS integer))")

COLUMNS = "run_id, window_no, configuration, digest, created_at, created_by, result, before_run"

RUN = text(f"SELECT {COLUMNS} FROM settlement.runs WHERE run_id = :run_id")

NEWEST_OF_WINDOW = text(
    f"SELECT {COLUMNS} FROM settlement.runs WHERE window_no = :window_no ORDER BY order_no DESC LIMIT 1"
)

SAME_RUN = text(f"""
SELECT {COLUMNS} FROM settlement.runs
WHERE window_no = :window_no AND configuration = :configuration AND before_run IS NOT DISTINCT FROM :before_run
ORDER BY order_no DESC LIMIT 1
""")

WINDOWS_WITH_RUNS = text("SELECT DISTINCT window_no FROM settlement.runs WHERE window_no BETWEEN :least AND :most")

ADD = text("""
INSERT INTO settlement.runs (run_id, window_no, configuration, before_run, result, digest, created_at, created_by)
VALUES (:run_id, :window_no, :configuration, :before_run, :result, :digest, exchange.coalition_now(), :created_by)
""")
