"""Funds: the double-entry book of what participants leave with the clearing house, and liquidity before approval.

Revision ID: settlement_0007
"""

from pathlib import Path

from alembic import op

revision = "settlement_0007"
down_revision = "settlement_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the book and what holds it; the statements stand in the file of the same name."""
    op.get_bind().exec_driver_sql("SET lock_timeout = '5s'")
    for statement in (Path(__file__).with_suffix(".sql")).read_text(encoding="utf-8").split(";\n\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
