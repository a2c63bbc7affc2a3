"""What every page promises: its links lead somewhere, the tests it names are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import PAGES, anchors, functions_of, links, name_of, named_tests


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file that is there and, after "#", to a heading in it."""
    for link in links(page):
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page

        assert file.exists(), f"{name_of(page)} links to {target}, which is not there"
        assert not anchor or anchor in anchors(file), f"{name_of(page)} links to {link}: there is no such heading"


@pytest.mark.parametrize("page", [page for page in PAGES if named_tests(page)], ids=name_of)
def test_every_test_that_is_named_is_there(page: Path) -> None:
    """A promise that names its test keeps naming it when the test is renamed."""
    for file, function in named_tests(page):
        found = functions_of(file)

        assert found, f"{name_of(page)} names {file}, which is not there or empty"
        assert not function or function in found, f"{name_of(page)} names {file}::{function}, which is not there"
