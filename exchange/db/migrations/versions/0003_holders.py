"""Keys name the person that holds them.

Revision ID: 0003
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE exchange.api_keys ADD COLUMN holder text CHECK (holder ~ '^[a-z0-9][a-z0-9._@+-]{0,63}$')",
    # Whoever serves ends keys and does nothing else to them: to whom one was given stays as it was.
    "REVOKE UPDATE ON exchange.api_keys FROM exchange_server",
    "GRANT UPDATE (revoked_at) ON exchange.api_keys TO exchange_server",
)


def upgrade() -> None:
    """Add the column; keys made before name nobody."""
    op.get_bind().exec_driver_sql("SET lock_timeout = '5s'")
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
