"""Requests of TransferService to commands, and transfers to messages. All shape checks of movements stand here.

The fingerprint covers named business fields, so that a client may add tracing fields or re-encode a repeat; it does not
cover validate_only.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Protocol

from google.protobuf.timestamp_pb2 import Timestamp

from exchange.callers import Caller
from exchange.conversion.model import Convert
from exchange.discount.model import Discount
from exchange.earning.model import Earn
from exchange.ledger.ids import parsed_id
from exchange.ledger.model import Command, MemberKey
from exchange.redemption.model import Redeem
from exchange.serving.checks import Violations
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types

REQUEST_ID_CHARACTERS_MAX = 64
REFERENCE_CHARACTERS_MAX = 64
ITEMS_MAX = 1000
FINGERPRINT_BYTES = 16


class _Addressed(Protocol):
    """What every movement's request has in common."""

    request_id: str
    member: str
    member_reference: str
    reference: str
    validate_only: bool


def to_earn(request: pb.EarnPointsRequest, caller: Caller, prefix: str = "") -> Earn:
    """An award as asked for.

    Raises:
        InvalidField: names every field that is not well formed.
    """
    check = Violations()
    member, request_id, reference = _common(request, caller, check, prefix)
    code, units = _points(request.points, "points", check, prefix)
    expires_at = check.instant(f"{prefix}expire_time", request.expire_time) if request.HasField("expire_time") else None
    check.raise_if_any()
    return Earn(
        merchant_no=_merchant_no(caller),
        credential=caller.credential,
        request_id=request_id,
        fingerprint=_fingerprint("earn", member, code, units, expires_at, reference),
        member=member,
        currency=code,
        units=units,
        reference=reference,
        validate_only=request.validate_only,
        expires_at=expires_at,
    )


def to_redeem(request: pb.RedeemPointsRequest, caller: Caller, prefix: str = "") -> Redeem:
    """A redemption as asked for; see `to_earn`."""
    check = Violations()
    member, request_id, reference = _common(request, caller, check, prefix)
    code, units = _points(request.points, "points", check, prefix)
    check.raise_if_any()
    return Redeem(
        merchant_no=_merchant_no(caller),
        credential=caller.credential,
        request_id=request_id,
        fingerprint=_fingerprint("redeem", member, code, units, reference),
        member=member,
        currency=code,
        units=units,
        reference=reference,
        validate_only=request.validate_only,
    )


def to_discount(request: pb.DiscountPointsRequest, caller: Caller, prefix: str = "") -> Discount:
    """A discount as asked for; see `to_earn`."""
    check = Violations()
    member, request_id, reference = _common(request, caller, check, prefix)
    code, units = _points(request.points, "points", check, prefix)
    check.raise_if_any()
    return Discount(
        merchant_no=_merchant_no(caller),
        credential=caller.credential,
        request_id=request_id,
        fingerprint=_fingerprint("discount", member, code, units, reference),
        member=member,
        currency=code,
        units=units,
        reference=reference,
        validate_only=request.validate_only,
    )


def to_convert(request: pb.ConvertPointsRequest, caller: Caller, prefix: str = "") -> Convert:
    """A conversion as asked for; see `to_earn`."""
    check = Violations()
    member, request_id, reference = _common(request, caller, check, prefix)
    code, units = _points(request.source, "source", check, prefix)
    target = check.resource_name(f"{prefix}target_currency", request.target_currency, "currencies")
    if target == code and target:
        check.say(f"{prefix}target_currency", "is the source currency")
    check.raise_if_any()
    return Convert(
        merchant_no=_merchant_no(caller),
        credential=caller.credential,
        request_id=request_id,
        fingerprint=_fingerprint("convert", member, code, units, target, reference),
        member=member,
        currency=code,
        units=units,
        reference=reference,
        validate_only=request.validate_only,
        target=target,
    )


_ITEMS = {"earn": to_earn, "redeem": to_redeem, "discount": to_discount, "convert": to_convert}


def to_item(item: pb.TransferItem, caller: Caller, place: int) -> Command:
    """One item of a batch, by the very parser of its unary request; paths begin with its place."""
    which = item.WhichOneof("request")
    if which is None:
        check = Violations()
        check.say(f"items[{place}].request", "is required")
        check.raise_if_any()
    assert which is not None
    return _ITEMS[which](getattr(item, which), caller, f"items[{place}].{which}.")  # type: ignore[operator, no-any-return]


def _merchant_no(caller: Caller) -> int:
    assert caller.merchant_no is not None, "only merchants move points; the permission table says so"
    return caller.merchant_no


def _common(request: _Addressed, caller: Caller, check: Violations, prefix: str) -> tuple[MemberKey, str, str | None]:
    request_id = check.text(f"{prefix}request_id", request.request_id, 1, REQUEST_ID_CHARACTERS_MAX)
    member = member_key(request, caller, check, prefix)
    reference = request.reference
    if reference:
        reference = check.text(f"{prefix}reference", reference, 1, REFERENCE_CHARACTERS_MAX)
    return member, request_id, reference or None


def member_key(request: object, caller: Caller, check: Violations, prefix: str = "") -> MemberKey:
    """How a request names its member: `member` or `member_reference`."""
    merchant_no = caller.merchant_no or 0
    name: str = request.member  # type: ignore[attr-defined]
    if name:
        return MemberKey(merchant_no, parsed_id(check.uuid_name(f"{prefix}member", name, "members")), None)
    if request.HasField("member"):  # type: ignore[attr-defined]
        check.say(f"{prefix}member", "is required")
        return MemberKey(merchant_no, None, "")
    reference: str = request.member_reference  # type: ignore[attr-defined]
    return MemberKey(merchant_no, None, check.text(f"{prefix}member_reference", reference, 1, REFERENCE_CHARACTERS_MAX))


def _points(points: types.PointsAmount, field: str, check: Violations, prefix: str) -> tuple[str, int]:
    code = check.resource_name(f"{prefix}{field}.currency", points.currency, "currencies")
    return code, check.positive(f"{prefix}{field}.units", points.units)


def _fingerprint(*fields: object) -> bytes:
    return blake2b(repr(fields).encode(), digest_size=FINGERPRINT_BYTES).digest()


@lru_cache(maxsize=4096)
def currency_name(code: str) -> str:
    """Resource name of a currency."""
    return f"currencies/{code}"


def timestamp(at: datetime | None) -> Timestamp | None:
    """An instant on the wire; None stays absent."""
    if at is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp
