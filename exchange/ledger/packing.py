"""Rows of a batch in PostgreSQL's binary form, packed by us.

The driver can encode arrays of composites itself, but asks two abstract base classes about every element of every
array and every composite; for a conversion that was the largest single piece of Python. Here one call of a compiled
`Struct` makes one row. The forms are those of `array_recv` and `record_recv`: an array is a header and elements, each
after its length; a composite is the number of its columns and, for each, its type, its length (-1: null), its value.
Columns are in the order of the composite types, which migrations make; a test holds them against the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import starmap
from struct import Struct, pack
from typing import Any
from uuid import UUID

from exchange.db.engine import DriverConnection
from exchange.ledger.model import Obligation, PointsLeg

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# Types of columns: PostgreSQL's own have the same numbers everywhere.
_INT8, _INT2, _INT4, _TEXT, _BYTEA, _TIMESTAMPTZ, _UUID, _JSONB = 20, 21, 23, 25, 17, 1184, 2950, 3802


def _head(type_oid: int, length: int) -> bytes:
    return pack(">Ii", type_oid, length)


# What stands before a value of fixed width, and instead of one that is null.
_S, _I, _L, _U, _T = _head(_INT2, 2), _head(_INT4, 4), _head(_INT8, 8), _head(_UUID, 16), _head(_TIMESTAMPTZ, 8)
_NO_S, _NO_L, _NO_U, _NO_T = _head(_INT2, -1), _head(_INT8, -1), _head(_UUID, -1), _head(_TIMESTAMPTZ, -1)
_NO_TEXT, _NO_JSONB = _head(_TEXT, -1), _head(_JSONB, -1)

_HEADS = 1 << 16
"""Beginnings of rows kept, of legs and of obligations each."""

_COLUMN = {"h": "8sh", "i": "8si", "q": "8sq", "u": "8s16s", "-": "8s", "v": "Ii"}


def _shape(columns: str) -> tuple[Callable[..., bytes], int]:
    """A packer of (length, number of columns, columns...), and the length of the row where all of it is fixed.

    Args:
        columns: a letter each: h, i, q for integers, u for a UUID, - for a null, v for the head of text to follow.
    """
    shape = Struct(">ii" + "".join(_COLUMN[column] for column in columns))
    return shape.pack, shape.size - 4


_pack_name, _NAME = _shape("hui")
_pack_wish, _WISH = _shape("huiq")
_pack_account, _ACCOUNT = _shape("huiqqqq")
_pack_lot_state, _LOT_STATE = _shape("huqq")
_LEG, _PLAIN_LEG = _shape("hhiqqu")[1], _shape("hhiq--")[1]
_pack_leg_head = Struct(">ii8sh8sh8si8s").pack
_pack_leg = Struct(">48sq8sq8s16s").pack
_pack_plain_leg = Struct(">48sq8s8s").pack
_pack_key_name, _KEY_NAME = _shape("hiv")
_pack_lot, _LOT_HEAD = _shape("huuiqqiqq")
_pack_transfer, _TRANSFER_HEAD = _shape("huhiuv")
_pack_long = Struct(">8sq").pack
_pack_uuid = Struct(">8s16s").pack
_pack_posted = Struct(">8sh8s16s8s").pack
_pack_moment = Struct(">8sq8sq8sq").pack
_pack_value = Struct(">Ii").pack
_pack_length = Struct(">i").pack
_pack_array = Struct(">iiIii").pack
_pack_no_array = Struct(">iiI").pack
_FOLLOWS_NOTHING = _NO_U + _NO_T + _NO_L + _NO_TEXT + _NO_L + _NO_L


def account_name(bucket: int, member_id: UUID, currency_no: int) -> bytes:
    """exchange.account_key."""
    return _pack_name(_NAME, 3, _S, bucket, _U, member_id.bytes, _I, currency_no)


def account_want(bucket: int, member_id: UUID, currency_no: int, wanted: int) -> bytes:
    """exchange.account_want."""
    return _pack_wish(_WISH, 4, _S, bucket, _U, member_id.bytes, _I, currency_no, _L, wanted)


def account_state(
    bucket: int, member_id: UUID, currency_no: int, available: int, sequence: int, held: int, overdrawn: int
) -> bytes:
    """exchange.account_state."""
    return _pack_account(
        _ACCOUNT, 7, _S, bucket, _U, member_id.bytes, _I, currency_no,
        _L, available, _L, sequence, _L, held, _L, overdrawn,
    )  # fmt: skip


def lot_state(bucket: int, lot_id: UUID, remaining: int, held: int) -> bytes:
    """exchange.lot_state."""
    return _pack_lot_state(_LOT_STATE, 4, _S, bucket, _U, lot_id.bytes, _L, remaining, _L, held)


def key_name(bucket: int, merchant_no: int, request_id: str) -> bytes:
    """exchange.key_name."""
    name = request_id.encode()
    return _pack_key_name(_KEY_NAME + len(name), 3, _S, bucket, _I, merchant_no, _TEXT, len(name)) + name


def request_key(
    bucket: int,
    merchant_no: int,
    request_id: str,
    fingerprint: bytes,
    transfer_bucket: int | None,
    transfer_id: UUID | None,
    refusal: str | None,
) -> bytes:
    """exchange.new_request_key: with the transfer it made, or with the refusal that answered it, as JSON."""
    name = request_id.encode()
    mark = _pack_value(_BYTEA, len(fingerprint)) + fingerprint
    if transfer_id is not None:
        answer = _pack_posted(_S, transfer_bucket, _U, transfer_id.bytes, _NO_JSONB)
    else:
        assert refusal is not None, "a key has an answer"
        # The binary form of jsonb is its version and its text.
        answer = _NO_S + _NO_U + _sized(_JSONB, b"\x01" + refusal.encode())
    length = _KEY_NAME + len(name) + len(mark) + len(answer)
    return _pack_key_name(length, 7, _S, bucket, _I, merchant_no, _TEXT, len(name)) + name + mark + answer


def new_lot(
    bucket: int,
    lot_id: UUID,
    member_id: UUID,
    currency_no: int,
    units: int,
    remaining: int,
    funder_no: int,
    price_micros: int,
    earned_at: datetime,
    expires_at: datetime | None,
    transfer_id: UUID,
    held: int,
) -> bytes:
    """exchange.new_lot."""
    expiry = _instant(expires_at)
    tail = _pack_uuid(_U, transfer_id.bytes) + _pack_long(_L, held)
    return (
        _pack_lot(
            _LOT_HEAD + len(expiry) + len(tail), 12, _S, bucket, _U, lot_id.bytes, _U, member_id.bytes, _I, currency_no,
            _L, units, _L, remaining, _I, funder_no, _L, price_micros, _T, _microseconds(earned_at),
        )
        + expiry
        + tail
    )  # fmt: skip


def points_leg(
    account: int, side: int, currency_no: int, units: int, sequence: int | None, lot_id: UUID | None
) -> bytes:
    """exchange.points_leg: a member's has a sequence, and a lot unless it is owed; the issuer's has neither."""
    if lot_id is not None and sequence is not None:
        head = _leg_head(_LEG, account, side, currency_no)
        return _pack_leg(head, units, _L, sequence, _U, lot_id.bytes)
    if sequence is None and lot_id is None:
        return _pack_plain_leg(_leg_head(_PLAIN_LEG, account, side, currency_no), units, _NO_L, _NO_U)
    counted, placed = _long(sequence), _uuid(lot_id)
    plain = _pack_plain_leg(_leg_head(0, account, side, currency_no), units, b"", b"")[4:-16]
    return _sized_row(plain + counted + placed)


@lru_cache(maxsize=_HEADS)
def _leg_head(length: int, account: int, side: int, currency_no: int) -> bytes:
    """Everything before the points of a leg, which many legs have in common."""
    return _pack_leg_head(length, 6, _S, account, _S, side, _I, currency_no, _L)


def obligation(
    kind: int, debtor_no: int, creditor_no: int, currency: str, micros: int, points_units: int, price_micros: int
) -> bytes:
    """exchange.obligation."""
    pack_owed, head = _owed_head(kind, debtor_no, creditor_no, currency)
    return pack_owed(head, micros, _L, points_units, _L, price_micros)


@lru_cache(maxsize=_HEADS)
def _owed_head(kind: int, debtor_no: int, creditor_no: int, currency: str) -> tuple[Callable[..., bytes], bytes]:
    """Everything before the money of an obligation, which many have in common, and what packs both together."""
    code = currency.encode()
    head = Struct(f">ii8sh8si8siIi{len(code)}s8s")
    whole = Struct(f">{head.size}sq8sq8sq")
    width = whole.size - 4
    return whole.pack, head.pack(width, 7, _S, kind, _I, debtor_no, _I, creditor_no, _TEXT, len(code), code, _L)


def _sized(type_oid: int, value: bytes) -> bytes:
    return _pack_value(type_oid, len(value)) + value


def _sized_row(columns: bytes) -> bytes:
    return _pack_length(len(columns)) + columns


def _text(text: str | None) -> bytes:
    return _NO_TEXT if text is None else _sized(_TEXT, text.encode())


def _long(number: int | None) -> bytes:
    return _NO_L if number is None else _pack_long(_L, number)


def _uuid(name: UUID | None) -> bytes:
    return _NO_U if name is None else _pack_uuid(_U, name.bytes)


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


def _instant(instant: datetime | None) -> bytes:
    return _NO_T if instant is None else _pack_long(_T, _microseconds(instant))


@dataclass(frozen=True, slots=True)
class Types:
    """What one database calls the types that have no number of their own everywhere."""

    points_leg: int
    points_legs: int
    obligation: int
    obligations: int

    def transfer(
        self,
        bucket: int,
        transfer_id: UUID,
        kind: int,
        merchant_no: int,
        member_id: UUID,
        request_id: str,
        reference: str | None,
        occurred_at: datetime,
        ledger_sequence: int,
        window_no: int,
        rate_id: UUID | None,
        legs: Sequence[PointsLeg],
        obligations: Sequence[Obligation],
        *follows: Any,
    ) -> bytes:
        """exchange.new_transfer; `follows`: the columns that only some kinds of movement have."""
        name = request_id.encode()
        moved = _array(self.points_leg, points_leg, legs)
        owed = _array(self.obligation, obligation, obligations)
        rest = (
            name,
            _text(reference),
            _pack_moment(_T, _microseconds(occurred_at), _L, ledger_sequence, _L, window_no),
            _uuid(rate_id),
            _sized(self.points_legs, moved),
            _sized(self.obligations, owed),
            _FOLLOWS_NOTHING if follows == _NOTHING else _follows(*follows),
        )
        return (
            _pack_transfer(
                _TRANSFER_HEAD + sum(map(len, rest)), 19, _S, bucket, _U, transfer_id.bytes, _S, kind, _I, merchant_no,
                _U, member_id.bytes, _TEXT, len(name),
            )
            + b"".join(rest)
        )  # fmt: skip


_NOTHING = (None,) * 6


def _follows(
    original_id: UUID | None,
    expires_at: datetime | None,
    frozen_price_micros: int | None,
    earn_rule: str | None,
    spend_minor: int | None,
    carried_minor: int | None,
) -> bytes:
    return b"".join(
        (
            _uuid(original_id),
            _instant(expires_at),
            _long(frozen_price_micros),
            _text(earn_rule),
            _long(spend_minor),
            _long(carried_minor),
        )
    )


def _array(element_oid: int, row: Callable[..., bytes], rows: Sequence[tuple[Any, ...]]) -> bytes:
    if not rows:
        return _pack_no_array(0, 0, element_oid)
    return _pack_array(1, 0, element_oid, len(rows), 1) + b"".join(starmap(row, rows))


_ROWS: dict[str, Callable[..., bytes]] = {
    "account_key": account_name,
    "account_want": account_want,
    "account_state": account_state,
    "lot_state": lot_state,
    "key_name": key_name,
    "new_request_key": request_key,
    "new_lot": new_lot,
}

_TYPES = """
SELECT typname, oid::bigint, typarray::bigint FROM pg_type
WHERE typnamespace = 'exchange'::regnamespace AND typname = ANY($1::name[])
"""


async def pack_rows(connection: DriverConnection) -> None:
    """Let a connection take arrays of the ledger's rows packed by this module, from sequences of tuples."""
    names = [*_ROWS, "new_transfer", "points_leg", "obligation"]
    numbers = {row[0]: (row[1], row[2]) for row in await connection.fetch(_TYPES, names)}
    types = Types(*numbers["points_leg"], *numbers["obligation"])
    # The public way to say how a type is encoded is closed to arrays; this is what it calls when it has checked.
    settings: Any = connection._protocol.get_settings()  # type: ignore[attr-defined]  # noqa: SLF001
    for name, row in (*_ROWS.items(), ("new_transfer", types.transfer)):
        element, array = numbers[name]
        settings.add_python_codec(
            array, f"_{name}", "exchange", [], "scalar", _encoder(element, row), _never_read, "binary"
        )


def _encoder(element_oid: int, row: Callable[..., bytes]) -> Callable[[Sequence[tuple[Any, ...]]], bytes]:
    return lambda rows: _array(element_oid, row, rows)


def _never_read(_data: bytes) -> Any:
    raise AssertionError("rows of a batch are written, never read back")
