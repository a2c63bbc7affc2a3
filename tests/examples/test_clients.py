"""The example clients do the same day in each language, against a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exchange.testing.running import ExchangeSandbox, running_sandbox
from tests.docs.pages import blocks
from tests.examples.toolchains import CLIENTS, TOOLCHAINS, output_of, ready

PAGE = CLIENTS / "README.md"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[ExchangeSandbox]:
    """An exchange for all of them."""
    with running_sandbox() as sandbox:
        yield sandbox


# A first build of C++ takes its time.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("language", TOOLCHAINS)
def test_an_example_prints_what_the_page_shows(sandbox: ExchangeSandbox, language: str) -> None:
    """Earned, converted, refused for a reason with its data, replayed, listed page by page."""
    command = ready(language)
    member = sandbox.member()

    printed = output_of(
        command,
        EXCHANGE_ADDRESS=sandbox.address,
        EXCHANGE_KEY=sandbox.keys["BNK"],
        EXCHANGE_MEMBER=member.reference,
    )

    assert printed == blocks(PAGE, "text")[0]
    assert (sandbox.balance(member, "BNK"), sandbox.balance(member, "AIR")) == (151_000, 3_300)


def test_every_example_is_run() -> None:
    """A folder beside these would be an example nobody tried."""
    assert {folder.name for folder in CLIENTS.iterdir() if folder.is_dir()} == TOOLCHAINS.keys()
