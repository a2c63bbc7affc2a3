"""Pages of lists that stand in memory: the directory's are small and already read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from exchange.serving.paging import PageTokens, filter_fingerprint, page_size

T = TypeVar("T")


class PageRequest(Protocol):
    """What every list request has."""

    page_size: int
    page_token: str


def check_page(request: PageRequest, tokens: PageTokens, name: str, *bound: str) -> None:
    """Refuse a request's paging for its shape, before what it pages through is looked up; arguments as of `page_of`.

    Raises:
        InvalidField, InvalidPageToken: the request's paging.
    """
    page_size(request.page_size)
    if request.page_token:
        tokens.open(name, filter_fingerprint(*bound), request.page_token)


def page_of(
    items: Sequence[T], key: Callable[[T], str], request: PageRequest, tokens: PageTokens, name: str, *bound: str
) -> tuple[Sequence[T], str]:
    """The page a request asks for of items sorted by `key`, and the token of the next.

    Raises:
        InvalidField, InvalidPageToken: the request's paging.
    """
    size = page_size(request.page_size)
    fingerprint = filter_fingerprint(*bound)
    start = 0
    if request.page_token:
        start = bisect_right(items, str(tokens.open(name, fingerprint, request.page_token)), key=key)
    page = items[start : start + size]
    more = start + size < len(items)
    return page, tokens.seal(name, fingerprint, key(page[-1])) if more else ""
