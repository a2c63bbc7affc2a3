"""Runs know the day their window was cut off: ages are counted to it.

Revision ID: settlement_0003
"""

from alembic import op

revision = "settlement_0003"
down_revision = "settlement_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of runs made before, the day they were made stands in."""
    op.get_bind().exec_driver_sql("SET lock_timeout = '5s'")
    op.get_bind().exec_driver_sql("ALTER TABLE settlement.runs ADD COLUMN closed_on date")
