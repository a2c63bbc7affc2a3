"""Idempotency keys: made once for each request, and kept in it.

A request that gets its key here has it from then on. Sent again by whoever holds it, an hour later or after an
exception, it is the same request, and cannot move points twice.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from google.protobuf.message import Message


def give_key(request: Message) -> str:
    """The request's request_id, made up if it has none; of several items the first one's, or empty."""
    named: Any = request.DESCRIPTOR.fields_by_name
    movement: Any = request
    if "request_id" in named:
        if not movement.request_id:
            movement.request_id = str(uuid4())
        return str(movement.request_id)
    if "items" in named:
        keys = [_key_of_item(item) for item in movement.items]
        return keys[0] if keys else ""
    return _key_of_item(movement.item) if "item" in named else ""


def _key_of_item(item: Any) -> str:
    which = item.WhichOneof("request")
    return give_key(getattr(item, which)) if which else ""
