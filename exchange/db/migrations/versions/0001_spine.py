"""The spine: directory, rates, members, the ledger keyed by bucket, windows and their kept totals.

Revision ID: 0001
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything; the statements stand in the file of the same name, to be read as SQL."""
    op.get_bind().exec_driver_sql("SET lock_timeout = '5s'")
    for statement in (Path(__file__).with_suffix(".sql")).read_text(encoding="utf-8").split(";\n\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
