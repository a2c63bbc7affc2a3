"""The pytest plugin: `pytest --exchange-sandbox` gives tests a running exchange.

pytest loads this wherever the package is installed, so it loads nothing itself until a test asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from exchange.testing.running import ExchangeSandbox

OPTION = "--exchange-sandbox"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that lets tests start a sandbox."""
    group = parser.getgroup("exchange", "points exchange")
    group.addoption(
        OPTION,
        action="store_true",
        dest="exchange_sandbox",
        help="Run tests that need an exchange, on a sandbox of their own; without it they are skipped.",
    )


@pytest.fixture(scope="session")
def exchange_sandbox(request: pytest.FixtureRequest) -> Iterator[ExchangeSandbox]:
    """One running exchange for all tests of this process. Its clock only goes forward: give each test own members."""
    yield from _sandbox(request)


@pytest.fixture
def fresh_exchange_sandbox(request: pytest.FixtureRequest) -> Iterator[ExchangeSandbox]:
    """A running exchange for one test alone; a few seconds."""
    yield from _sandbox(request)


def _sandbox(request: pytest.FixtureRequest) -> Iterator[ExchangeSandbox]:
    if not request.config.getoption("exchange_sandbox"):
        pytest.skip(f"needs an exchange: {OPTION}")
    from exchange.testing.running import running_sandbox

    with running_sandbox() as sandbox:
        yield sandbox
