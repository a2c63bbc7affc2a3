"""A connection that takes arrays of the ledger's rows packed by `packing`, from sequences of tuples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from exchange.db.engine import DriverConnection
from exchange.ledger import packing

_ARRAYS: dict[str, Callable[[Sequence[Any], int], bytes]] = {
    "account_key": packing.account_names,
    "account_want": packing.account_wants,
    "account_change": packing.account_changes,
    "lot_state": packing.lot_states,
    "key_name": packing.key_names,
    "new_request_key": packing.request_keys,
    "new_lot": packing.new_lots,
    "window_totals": packing.window_totals,
}

_TYPES = """
SELECT typname, oid::bigint, typarray::bigint FROM pg_type
WHERE typnamespace = 'exchange'::regnamespace AND typname = ANY($1::name[])
"""


async def pack_rows(connection: DriverConnection) -> None:
    """Have a connection's arrays of these types packed by us."""
    names = [*_ARRAYS, "new_transfer", "points_leg", "obligation"]
    numbers = {row[0]: (row[1], row[2]) for row in await connection.fetch(_TYPES, names)}
    types = packing.Types(*numbers["points_leg"], *numbers["obligation"])
    # The public way to say how a type is encoded is closed to arrays; this is what it calls when it has checked.
    settings: Any = connection._protocol.get_settings()  # type: ignore[attr-defined]  # noqa: SLF001
    for name, pack in (*_ARRAYS.items(), ("new_transfer", types.transfers)):
        element, array = numbers[name]
        settings.add_python_codec(
            array, f"_{name}", "exchange", [], "scalar", _encoder(element, pack), _never_read, "binary"
        )


def _encoder(element_oid: int, pack: Callable[[Sequence[Any], int], bytes]) -> Callable[[Sequence[Any]], bytes]:
    return lambda rows: pack(rows, element_oid)


def _never_read(_data: bytes) -> Any:
    raise AssertionError("rows of a batch are written, never read back")
