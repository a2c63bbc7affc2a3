"""Runs of closed windows.

Revision ID: settlement_0001
"""

from alembic import op

revision = "settlement_0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    # A result never changes: a run with another configuration is another run. The newest of a window counts.
    """
    CREATE TABLE settlement.runs (
        run_id uuid PRIMARY KEY,
        window_no bigint NOT NULL,
        configuration text NOT NULL,
        before_run uuid REFERENCES settlement.runs,
        result text NOT NULL,
        digest text NOT NULL,
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        order_no bigint GENERATED ALWAYS AS IDENTITY
    )
    """,
    "CREATE INDEX runs_by_window ON settlement.runs (window_no, order_no)",
    "GRANT USAGE ON SCHEMA settlement TO exchange_server",
    "GRANT SELECT, INSERT ON settlement.runs TO exchange_server",
)


def upgrade() -> None:
    """Create the table and let the server read it and add to it."""
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
