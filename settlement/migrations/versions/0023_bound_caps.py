"""Caps that follow funds are those that the funds give.

Revision ID: settlement_0023
"""

from pathlib import Path

from alembic import op

revision = "settlement_0023"
down_revision = "settlement_0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the check; the statements stand in the file of the same name."""
    op.get_bind().exec_driver_sql("SET lock_timeout = '5s'")
    for statement in (Path(__file__).with_suffix(".sql")).read_text(encoding="utf-8").split(";\n\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
