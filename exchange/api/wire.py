"""Requests of TransferService to commands, and transfers to messages. All shape checks of movements stand here.

The fingerprint covers named business fields, so that a client may add tracing fields or re-encode a repeat; it does not
cover validate_only.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, Protocol, TypedDict, cast
from uuid import UUID

from exchange.callers import Caller
from exchange.campaign.model import UseInCampaign
from exchange.cashout.model import CashOut
from exchange.conversion.model import Convert
from exchange.discount.model import Discount
from exchange.earning.model import Earn
from exchange.holds.model import Capture, Hold, Release
from exchange.ledger.ids import parsed_id
from exchange.ledger.model import OWN_REQUESTS, Command, MemberKey
from exchange.redemption.model import Redeem
from exchange.refusals import InvalidField
from exchange.reversal.model import Retained, Reverse
from exchange.serving.checks import Violations
from exchange.tuples import made
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types

REQUEST_ID_CHARACTERS_MAX: Final = 64
REFERENCE_CHARACTERS_MAX: Final = 64
ITEMS_MAX: Final = 1000
FINGERPRINT_BYTES: Final = 16
HOLD_SECONDS_MAX: Final = 400 * 86_400
NANOS_PER_SECOND: Final = 1_000_000_000
_MEMBER_KEY: Final[Any] = MemberKey


class _Keyed(Protocol):
    """What every movement's request has in common."""

    request_id: str
    reference: str
    validate_only: bool


class _Addressed(_Keyed, Protocol):
    """A request that names a member."""

    member: str
    member_reference: str


class _Taking(_Addressed, Protocol):
    """A request that takes points."""

    @property
    def points(self) -> types.PointsAmount: ...


class Common(TypedDict):
    """Fields every command has."""

    merchant_no: int
    credential: str
    request_id: str
    reference: str | None
    validate_only: bool


def to_earn(request: pb.EarnPointsRequest, caller: Caller, prefix: str = "") -> Earn:
    """An award as asked for.

    Raises:
        InvalidField: names every field that is not well formed.
    """
    check = Violations(prefix)
    member, common = _common(request, caller, check)
    if request.HasField("spend"):
        return _earn_by_spend(request, member, common, check)
    code, units = points_of(request.points, check)
    expires_at = _expiry(request, check)
    check.raise_if_any()
    fingerprint = _fingerprint("earn", member, code, units, expires_at, common["reference"])
    return Earn(**common, fingerprint=fingerprint, member=member, currency=code, units=units, expires_at=expires_at)


def _earn_by_spend(request: pb.EarnPointsRequest, member: MemberKey, common: Common, check: Violations) -> Earn:
    if request.HasField("points"):
        check.say("points", "is said by spend.rule: leave it out")
    rule = check.resource_name("spend.rule", request.spend.rule, "earnRules")
    spent = check.positive("spend.minor_units", request.spend.minor_units)
    if request.spend.carried_minor_units:
        check.say("spend.carried_minor_units", "is output only")
    expires_at = _expiry(request, check)
    check.raise_if_any()
    return Earn(
        **common,
        fingerprint=_fingerprint("earn by spend", member, rule, spent, expires_at, common["reference"]),
        member=member,
        currency="",
        units=0,
        spend_rule=rule,
        spend_minor=spent,
        expires_at=expires_at,
    )


def _expiry(request: pb.EarnPointsRequest, check: Violations) -> datetime | None:
    return check.instant("expire_time", request.expire_time) if request.HasField("expire_time") else None


def to_redeem(request: pb.RedeemPointsRequest, caller: Caller, prefix: str = "") -> Redeem:
    """A redemption as asked for; see `to_earn`."""
    return Redeem(**_taking("redeem", request, caller, Violations(prefix)))


def to_discount(request: pb.DiscountPointsRequest, caller: Caller, prefix: str = "") -> Discount:
    """A discount as asked for; see `to_earn`."""
    return Discount(**_taking("discount", request, caller, Violations(prefix)))


def to_campaign(request: pb.UseInCampaignRequest, caller: Caller, prefix: str = "") -> UseInCampaign:
    """A campaign use as asked for; see `to_earn`."""
    return UseInCampaign(**_taking("campaign", request, caller, Violations(prefix)))


def to_cash_out(request: pb.CashOutPointsRequest, caller: Caller, prefix: str = "") -> CashOut:
    """A cash-out as asked for; see `to_earn`."""
    return CashOut(**_taking("cash-out", request, caller, Violations(prefix)))


def to_hold(request: pb.HoldPointsRequest, caller: Caller, prefix: str = "") -> Hold:
    """A hold as asked for; see `to_earn`."""
    check = Violations(prefix)
    asked = request.lifetime
    seconds = check.within("lifetime", asked.seconds, 1, HOLD_SECONDS_MAX - (asked.nanos > 0))
    if not 0 <= asked.nanos < NANOS_PER_SECOND:
        check.say("lifetime", "has nanos beyond a second")
    lifetime = timedelta(seconds=seconds, microseconds=asked.nanos // 1000)
    return Hold(**_taking("hold", request, caller, check, lifetime), lifetime=lifetime)


def to_convert(request: pb.ConvertPointsRequest, caller: Caller, prefix: str = "") -> Convert:
    """A conversion as asked for; see `to_earn`."""
    check = Violations(prefix)
    member, common = _common(request, caller, check)
    least = check.within("min_target_units", request.min_target_units, 0)
    tier = check.tier("tier", request.tier)
    if request.quote:
        return _convert_by_quote(request, member, common, check)
    code, units = points_of(request.source, check, "source.currency", "source.units")
    target = check.resource_name("target_currency", request.target_currency, "currencies")
    if target == code and target:
        check.say("target_currency", "is the source currency")
    check.raise_if_any()
    # Without a guard or a tier the fingerprint is what it was before there were any.
    guard = [*([least] if least else []), *([f"tier {tier}"] if tier else [])]
    fingerprint = _fingerprint("convert", member, code, units, target, common["reference"], *guard)
    return Convert(
        **common, fingerprint=fingerprint, member=member, currency=code, units=units, target=target,
        min_target_units=least, tier=tier,
    )  # fmt: skip


def _convert_by_quote(
    request: pb.ConvertPointsRequest, member: MemberKey, common: Common, check: Violations
) -> Convert:
    quote = parsed_id(check.uuid_name("quote", request.quote, "quotes"))
    for field in ("source", "target_currency", "min_target_units", "tier"):
        if request.HasField("source") if field == "source" else getattr(request, field):
            check.say(field, "is said by quote: leave it out")
    check.raise_if_any()
    fingerprint = _fingerprint("convert by quote", member, quote, common["reference"])
    return Convert(**common, fingerprint=fingerprint, member=member, currency="", units=0, target="", quote=quote)


def to_capture(request: pb.CaptureHoldRequest, caller: Caller, prefix: str = "") -> Capture:
    """A capture as asked for; see `to_earn`."""
    check = Violations(prefix)
    units = check.within("units", request.units, 0) or None
    original, common = _following(request, request.hold, "hold", caller, check)
    fingerprint = _fingerprint("capture", original, units, common["reference"])
    return Capture(**common, fingerprint=fingerprint, original=original, units=units)


def to_release(request: pb.VoidHoldRequest, caller: Caller, prefix: str = "") -> Release:
    """A release as asked for; see `to_earn`."""
    original, common = _following(request, request.hold, "hold", caller, Violations(prefix))
    return Release(**common, fingerprint=_fingerprint("void", original, common["reference"]), original=original)


def to_reverse(request: pb.ReverseTransferRequest, caller: Caller, prefix: str = "") -> Reverse:
    """A reversal as asked for; see `to_earn`."""
    check = Violations(prefix)
    part = request.WhichOneof("part")
    units = check.positive("units", request.units) if part == "units" else None
    retained = None
    if part == "retained":
        total = check.positive("retained.total", request.retained.total)
        retained = Retained(check.within("retained.kept", request.retained.kept, 0, total), total)
    original, common = _following(request, request.original, "original", caller, check)
    fingerprint = _fingerprint("reverse", original, units, retained, common["reference"])
    return Reverse(**common, fingerprint=fingerprint, original=original, units=units, retained=retained)


_ITEMS: Final[dict[str, Callable[[Any, Caller, str], Command]]] = {
    "earn": to_earn,
    "redeem": to_redeem,
    "discount": to_discount,
    "convert": to_convert,
    "campaign": to_campaign,
    "cash_out": to_cash_out,
    "hold": to_hold,
    "capture": to_capture,
    "void": to_release,
    "reverse": to_reverse,
}


def to_item(item: pb.TransferItem, caller: Caller, path: str) -> Command:
    """One item of a batch or stream, by the very parser of its unary request; paths begin with its own."""
    which = item.WhichOneof("request")
    if which is None:
        raise InvalidField({f"{path}.request": "is required"})
    return _ITEMS[which](getattr(item, which), caller, f"{path}.{which}.")


def _merchant_no(caller: Caller) -> int:
    assert caller.merchant_no is not None, "only merchants move points; the permission table says so"
    return caller.merchant_no


def _common(request: _Addressed, caller: Caller, check: Violations) -> tuple[MemberKey, Common]:
    """The member, and the fields every command has."""
    return member_key(request, caller, check), _keyed(request, caller, check)


def _keyed(request: _Keyed, caller: Caller, check: Violations) -> Common:
    request_id = check.text("request_id", request.request_id, 1, REQUEST_ID_CHARACTERS_MAX)
    if request_id.startswith(OWN_REQUESTS):
        check.say("request_id", f'begins with "{OWN_REQUESTS}", which the exchange keeps for itself')
    reference = request.reference
    if reference:
        reference = check.text("reference", reference, 1, REFERENCE_CHARACTERS_MAX)
    return {
        "merchant_no": _merchant_no(caller),
        "credential": caller.credential,
        "request_id": request_id,
        "reference": reference or None,
        "validate_only": request.validate_only,
    }


def _taking(word: str, request: _Taking, caller: Caller, check: Violations, *more: object) -> dict[str, Any]:
    """Fields of a command that takes points; `more` goes into the fingerprint."""
    member, common = _common(request, caller, check)
    code, units = points_of(request.points, check)
    check.raise_if_any()
    fingerprint = _fingerprint(word, member, code, units, *more, common["reference"])
    return {**common, "fingerprint": fingerprint, "member": member, "currency": code, "units": units}


def _following(request: _Keyed, name: str, field: str, caller: Caller, check: Violations) -> tuple[UUID, Common]:
    """The transfer that is followed, and the fields every command has."""
    common = _keyed(request, caller, check)
    original = parsed_id(check.uuid_name(field, name, "transfers"))
    check.raise_if_any()
    return original, common


def member_key(request: object, caller: Caller, check: Violations) -> MemberKey:
    """How a request names its member: `member` or `member_reference`."""
    merchant_no = caller.merchant_no or 0
    name: str = request.member  # type: ignore[attr-defined]
    if name:
        return _by_id(merchant_no, parsed_id(check.uuid_name("member", name, "members")))
    if request.HasField("member"):  # type: ignore[attr-defined]
        check.say("member", "is required")
        return MemberKey(merchant_no, None, "")
    reference: str = request.member_reference  # type: ignore[attr-defined]
    return MemberKey(merchant_no, None, check.text("member_reference", reference, 1, REFERENCE_CHARACTERS_MAX))


def _by_id(merchant_no: int, member_id: UUID) -> MemberKey:
    return cast("MemberKey", made(_MEMBER_KEY, (merchant_no, member_id, None)))


def points_of(
    points: types.PointsAmount,
    check: Violations,
    currency_path: str = "points.currency",
    units_path: str = "points.units",
) -> tuple[str, int]:
    """Currency code and how many points; the paths are those of the two fields in the request."""
    code = check.resource_name(currency_path, points.currency, "currencies")
    return code, check.positive(units_path, points.units)


def _fingerprint(kind: str, member: MemberKey | UUID, *fields: object) -> bytes:
    """Digest of named business fields. Texts hold no control characters, so parted by one they cannot run together."""
    if isinstance(member, MemberKey):
        texts = [kind, str(member.member_id or f"={member.reference}")]
    else:
        texts = [kind, str(member)]
    for value in fields:
        texts.append("\x1e" if value is None else str(value))
    return blake2b("\x1f".join(texts).encode(), digest_size=FINGERPRINT_BYTES).digest()
