"""Pages and their tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.refusals import InvalidField, InvalidPageToken
from exchange.serving.paging import PageTokens, Position, filter_fingerprint, page_size

TOKENS = PageTokens(b"a secret of thirty-two characters")
ALL = filter_fingerprint()

positions = st.one_of(st.text(), st.integers(), st.lists(st.one_of(st.text(), st.integers()), max_size=5))


@pytest.mark.parametrize(("requested", "given_size"), [(0, 50), (1, 1), (50, 50), (1_000, 1_000), (1_001, 1_000)])
def test_a_page_has_a_size_within_bounds(requested: int, given_size: int) -> None:
    """Left out: 50; too large: 1 000."""
    assert page_size(requested) == given_size


def test_a_negative_page_size_is_refused() -> None:
    """There is no such page; the field is named."""
    with pytest.raises(InvalidField) as refused:
        page_size(-1)

    assert list(refused.value.violations) == ["page_size"]


@given(positions)
def test_a_token_gives_back_its_position(position: Position) -> None:
    """Whatever the sort key of the last row was."""
    assert TOKENS.open("transfers", ALL, TOKENS.seal("transfers", ALL, position)) == position


def test_a_token_of_another_list_is_refused() -> None:
    """Positions of one list mean nothing in another."""
    token = TOKENS.seal("transfers", ALL, 7)

    with pytest.raises(InvalidPageToken):
        TOKENS.open("merchants", ALL, token)


def test_a_token_of_another_filter_is_refused() -> None:
    """The next page of a different question is no next page."""
    token = TOKENS.seal("transfers", filter_fingerprint("windows/1", ""), 7)

    with pytest.raises(InvalidPageToken):
        TOKENS.open("transfers", filter_fingerprint("", "windows/1"), token)


def test_a_token_of_another_coalition_is_refused() -> None:
    """Another secret signs differently."""
    token = PageTokens(b"another secret of their own").seal("transfers", ALL, 7)

    with pytest.raises(InvalidPageToken):
        TOKENS.open("transfers", ALL, token)


@given(st.data())
def test_a_token_changed_anywhere_is_refused(data: st.DataObject) -> None:
    """Nobody pages into rows by turning characters."""
    token = TOKENS.seal("transfers", ALL, "0190-7")
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda character: character != token[at]))

    with pytest.raises(InvalidPageToken):
        TOKENS.open("transfers", ALL, token[:at] + other + token[at + 1 :])


@given(st.text())
def test_text_that_is_no_token_is_refused(text: str) -> None:
    """Whatever a client makes up, the refusal names the field."""
    with pytest.raises(InvalidPageToken) as refused:
        TOKENS.open("transfers", ALL, text)

    assert refused.value.data == {"field": "page_token"}


def test_a_token_fits_a_url() -> None:
    """It may travel in a link of a console."""
    token = TOKENS.seal("transfers", ALL, ["积分" * 20, 7])

    assert all(character.isalnum() or character in "-_=" for character in token)
