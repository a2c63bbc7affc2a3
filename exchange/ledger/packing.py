"""Rows of a batch in PostgreSQL's binary form, packed by us.

The driver can encode arrays of composites itself, but asks two abstract base classes about every element of every
array and every composite; for a conversion that was the largest single piece of Python. Here all rows of an array go
into one writer. Columns are in the order of the composite types, which migrations make; a test holds them against the
catalogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from librt.strings import BytesWriter, write_i16_be

from exchange.ledger.binary import (
    BYTEA,
    INT2,
    INT8,
    JSONB,
    TEXT,
    TIMESTAMPTZ,
    UUID_,
    begin_array,
    begin_row,
    end,
    fixed,
    head,
    write_array_head,
    write_instant,
    write_integer,
    write_long,
    write_numeric,
    write_short,
    write_sized,
    write_text,
    write_uuid,
)
from exchange.ledger.effects import AccountRow, KeyRow, LotRow, LotStateRow, TotalRow
from exchange.ledger.model import Obligation, PointsLeg, Transfer

_ACCOUNT_NAME: Final = fixed("hui")
_ACCOUNT_WANT: Final = fixed("huiq")
_ACCOUNT_CHANGE: Final = fixed("huiqqqqq")
_NEW_ACCOUNT: Final = fixed("huiqqqq-")
_LOT_STATE: Final = fixed("huqq")
_LEG: Final = fixed("hhiqqu")
_LEG_WITHOUT_SEQUENCE: Final = fixed("hhiq-u")
_LEG_WITHOUT_LOT: Final = fixed("hhiqq-")
_ISSUER_LEG: Final = fixed("hhiq--")
_NO_TRANSFER: Final = head(INT2, -1) + head(UUID_, -1)
_NO_REFUSAL: Final = head(JSONB, -1)
_FOLLOWS_NOTHING: Final = (
    head(UUID_, -1) + head(TIMESTAMPTZ, -1) + head(INT8, -1) + head(TEXT, -1) + head(INT8, -1) + head(INT8, -1)
)


def account_names(rows: Sequence[tuple[int, UUID, int]], element_oid: int) -> bytes:
    """An array of exchange.account_key."""
    writer = _begin(rows, element_oid)
    for bucket, member_id, currency_no in rows:
        _write_account(writer, _ACCOUNT_NAME, bucket, member_id, currency_no)
    return writer.getvalue()


def account_wants(rows: Sequence[tuple[int, UUID, int, int]], element_oid: int) -> bytes:
    """An array of exchange.account_want."""
    writer = _begin(rows, element_oid)
    for bucket, member_id, currency_no, wanted in rows:
        _write_account(writer, _ACCOUNT_WANT, bucket, member_id, currency_no)
        write_long(writer, wanted)
    return writer.getvalue()


def account_changes(rows: Sequence[AccountRow], element_oid: int) -> bytes:
    """An array of exchange.account_change."""
    writer = _begin(rows, element_oid)
    for bucket, member_id, currency_no, available, sequence, held, overdrawn, sequence_before in rows:
        begins = _NEW_ACCOUNT if sequence_before is None else _ACCOUNT_CHANGE
        _write_account(writer, begins, bucket, member_id, currency_no)
        write_long(writer, available)
        write_long(writer, sequence)
        write_long(writer, held)
        write_long(writer, overdrawn)
        write_long(writer, sequence_before)
    return writer.getvalue()


def lot_states(rows: Sequence[LotStateRow], element_oid: int) -> bytes:
    """An array of exchange.lot_state."""
    writer = _begin(rows, element_oid)
    for bucket, lot_id, remaining, held in rows:
        writer.write(_LOT_STATE)
        write_i16_be(writer, bucket)
        write_uuid(writer, lot_id)
        write_long(writer, remaining)
        write_long(writer, held)
    return writer.getvalue()


def key_names(rows: Sequence[tuple[int, int, str]], element_oid: int) -> bytes:
    """An array of exchange.key_name."""
    writer = _begin(rows, element_oid)
    for bucket, merchant_no, request_id in rows:
        begun = begin_row(writer, 3)
        _write_key(writer, bucket, merchant_no, request_id)
        end(writer, begun)
    return writer.getvalue()


def request_keys(rows: Sequence[KeyRow], element_oid: int) -> bytes:
    """An array of exchange.new_request_key: with the transfer each made, or the refusal that answered it, as JSON."""
    writer = _begin(rows, element_oid)
    for bucket, merchant_no, request_id, fingerprint, transfer_bucket, transfer_id, refusal in rows:
        begun = begin_row(writer, 7)
        _write_key(writer, bucket, merchant_no, request_id)
        write_sized(writer, BYTEA, fingerprint)
        if transfer_id is not None:
            assert transfer_bucket is not None, "a transfer lives somewhere"
            write_short(writer, transfer_bucket)
            write_uuid(writer, transfer_id)
            writer.write(_NO_REFUSAL)
        else:
            assert refusal is not None, "a key has an answer"
            writer.write(_NO_TRANSFER)
            # The binary form of jsonb is its version and its text.
            write_sized(writer, JSONB, b"\x01" + refusal.encode())
        end(writer, begun)
    return writer.getvalue()


def window_totals(rows: Sequence[TotalRow], element_oid: int) -> bytes:
    """An array of rows of exchange.window_totals."""
    writer = _begin(rows, element_oid)
    for window_no, slice_no, debtor_no, creditor_no, currency_code, kind, micros, obligations in rows:
        begun = begin_row(writer, 8)
        write_long(writer, window_no)
        write_integer(writer, slice_no)
        write_integer(writer, debtor_no)
        write_integer(writer, creditor_no)
        write_text(writer, currency_code)
        write_short(writer, kind)
        write_numeric(writer, micros)
        write_long(writer, obligations)
        end(writer, begun)
    return writer.getvalue()


def new_lots(rows: Sequence[LotRow], element_oid: int) -> bytes:
    """An array of exchange.new_lot."""
    writer = _begin(rows, element_oid)
    for (
        bucket, lot_id, member_id, currency_no, units, remaining, funder_no, price_micros, earned_at, expires_at,
        transfer_id, held,
    ) in rows:  # fmt: skip
        begun = begin_row(writer, 12)
        write_short(writer, bucket)
        write_uuid(writer, lot_id)
        write_uuid(writer, member_id)
        write_integer(writer, currency_no)
        write_long(writer, units)
        write_long(writer, remaining)
        write_integer(writer, funder_no)
        write_long(writer, price_micros)
        write_instant(writer, earned_at)
        write_instant(writer, expires_at)
        write_uuid(writer, transfer_id)
        write_long(writer, held)
        end(writer, begun)
    return writer.getvalue()


class Types:
    """What one database calls the types that have no number of their own everywhere."""

    def __init__(self, points_leg: int, points_legs: int, obligation: int, obligations: int) -> None:
        self.points_leg, self.points_legs = points_leg, points_legs
        self.obligation, self.obligations = obligation, obligations

    def transfers(self, rows: Sequence[Transfer], element_oid: int) -> bytes:
        """An array of exchange.new_transfer."""
        writer = _begin(rows, element_oid)
        for row in rows:
            self._write_transfer(writer, row)
        return writer.getvalue()

    def _write_transfer(self, writer: BytesWriter, row: Transfer) -> None:
        (
            bucket, transfer_id, kind, merchant_no, member_id, request_id, reference, occurred_at, ledger_sequence,
            window_no, rate_id, legs, obligations, original_id, expires_at, frozen_price_micros, earn_rule,
            spend_minor, carried_minor,
        ) = row  # fmt: skip
        begun = begin_row(writer, 19)
        write_short(writer, bucket)
        write_uuid(writer, transfer_id)
        write_short(writer, kind)
        write_integer(writer, merchant_no)
        write_uuid(writer, member_id)
        write_text(writer, request_id)
        write_text(writer, reference)
        write_instant(writer, occurred_at)
        write_long(writer, ledger_sequence)
        write_long(writer, window_no)
        write_uuid(writer, rate_id)
        inner = begin_array(writer, self.points_legs, self.points_leg, len(legs))
        for leg in legs:
            _write_leg(writer, leg)
        end(writer, inner)
        inner = begin_array(writer, self.obligations, self.obligation, len(obligations))
        for obligation in obligations:
            _write_obligation(writer, obligation)
        end(writer, inner)
        if (
            original_id is None and expires_at is None and frozen_price_micros is None
            and earn_rule is None and spend_minor is None and carried_minor is None
        ):  # fmt: skip
            # Nearly always: only some kinds of movement have any of these.
            writer.write(_FOLLOWS_NOTHING)
        else:
            write_uuid(writer, original_id)
            write_instant(writer, expires_at)
            write_long(writer, frozen_price_micros)
            write_text(writer, earn_rule)
            write_long(writer, spend_minor)
            write_long(writer, carried_minor)
        end(writer, begun)


def _write_leg(writer: BytesWriter, leg: PointsLeg) -> None:
    """exchange.points_leg: a member's has a sequence, and a lot unless it is owed; the issuer's has neither."""
    account, side, currency_no, units, sequence, lot_id = leg
    if sequence is None:
        writer.write(_ISSUER_LEG if lot_id is None else _LEG_WITHOUT_SEQUENCE)
    else:
        writer.write(_LEG_WITHOUT_LOT if lot_id is None else _LEG)
    write_i16_be(writer, account)
    write_short(writer, side)
    write_integer(writer, currency_no)
    write_long(writer, units)
    write_long(writer, sequence)
    write_uuid(writer, lot_id)


def _write_obligation(writer: BytesWriter, obligation: Obligation) -> None:
    """exchange.obligation."""
    kind, debtor_no, creditor_no, currency, micros, points_units, price_micros = obligation
    begun = begin_row(writer, 7)
    write_short(writer, kind)
    write_integer(writer, debtor_no)
    write_integer(writer, creditor_no)
    write_text(writer, currency)
    write_long(writer, micros)
    write_long(writer, points_units)
    write_long(writer, price_micros)
    end(writer, begun)


def _write_account(writer: BytesWriter, begins: bytes, bucket: int, member_id: UUID, currency_no: int) -> None:
    writer.write(begins)
    write_i16_be(writer, bucket)
    write_uuid(writer, member_id)
    write_integer(writer, currency_no)


def _write_key(writer: BytesWriter, bucket: int, merchant_no: int, request_id: str) -> None:
    write_short(writer, bucket)
    write_integer(writer, merchant_no)
    write_text(writer, request_id)


def _begin(rows: Sequence[object], element_oid: int) -> BytesWriter:
    writer = BytesWriter()
    write_array_head(writer, element_oid, len(rows))
    return writer
