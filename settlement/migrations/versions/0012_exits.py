"""Exits: that a participant has left, with nothing left between it and the coalition.

Revision ID: settlement_0012
"""

from pathlib import Path

from alembic import op

revision = "settlement_0012"
down_revision = "settlement_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let participants leave; the statements stand in the file of the same name."""
    op.get_bind().exec_driver_sql("SET lock_timeout = '5s'")
    for statement in (Path(__file__).with_suffix(".sql")).read_text(encoding="utf-8").split(";\n\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
