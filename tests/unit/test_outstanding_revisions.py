"""Which revisions a server asks its database for, without waiting for Alembic."""

import subprocess
import sys

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from exchange.db.migrate import ENVIRONMENT, EXCHANGE, History, heads
from settlement.app import extension

SETTLEMENT = extension.history
assert SETTLEMENT is not None


@pytest.mark.parametrize("history", [EXCHANGE, SETTLEMENT], ids=lambda history: history.schema)
def test_the_latest_revisions_are_those_alembic_finds(history: History) -> None:
    """They are read from what the files declare; Alembic runs the files, which takes a while."""
    config = Config()
    config.set_main_option("script_location", str(ENVIRONMENT))
    config.set_main_option("version_locations", str(history.versions))
    config.set_main_option("path_separator", "os")

    assert list(heads(history)) == ScriptDirectory.from_config(config).get_heads()
    assert len(heads(history)) == 1


def test_asking_the_database_does_not_wait_for_alembic() -> None:
    """Every command and every server asks, and few of them migrate."""
    asking = "import sys, exchange.db.engine, exchange.app; sys.exit('alembic' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", asking], check=False).returncode == 0
