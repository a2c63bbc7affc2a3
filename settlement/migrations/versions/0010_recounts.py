"""Recounts from the transfers, without which no run is submitted or approved.

Revision ID: settlement_0010
"""

from pathlib import Path

from alembic import op

revision = "settlement_0010"
down_revision = "settlement_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add recounts and what holds them; the statements stand in the file of the same name."""
    op.get_bind().exec_driver_sql("SET lock_timeout = '5s'")
    for statement in (Path(__file__).with_suffix(".sql")).read_text(encoding="utf-8").split(";\n\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
