"""Walking a list to its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grpc import aio

from tests.worlds import Party


async def every_page(
    caller: Party,
    method: aio.UnaryUnaryMultiCallable[Any, Any],
    request: Callable[..., Any],
    page_size: int,
    **filters: Any,
) -> list[Any]:
    """All pages of a list, in their order; the empty token is the only end mark.

    Args:
        caller: who asks.
        method: of the list.
        request: its type.
        page_size: most items on a page.
        filters: further fields of the request.
    """
    pages = [await caller.ask(method, request(page_size=page_size, **filters))]
    while pages[-1].next_page_token:
        following = request(page_size=page_size, page_token=pages[-1].next_page_token, **filters)
        pages.append(await caller.ask(method, following))
    return pages
