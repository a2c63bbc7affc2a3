"""MemberService: enrolling, linking and reading members."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from grpc.aio import ServicerContext

from exchange.api.context import Api
from exchange.api.wire import REFERENCE_CHARACTERS_MAX, member_key
from exchange.callers import Caller
from exchange.directory.members import Member
from exchange.directory.model import Currency, Directory
from exchange.ledger import reads
from exchange.ledger.model import MemberKey
from exchange.refusals import ResourceNotFound
from exchange.serving.checks import Violations
from exchange.serving.identity import caller_of
from exchange.serving.instants import timestamp
from exchange.serving.paging import filter_fingerprint, page_size
from exchange.v1 import member_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from exchange.v1.member_service_pb2_grpc import MemberServiceServicer

Context: TypeAlias = ServicerContext[Any, Any]


class MemberService(MemberServiceServicer):
    """A merchant reaches only members it has linked."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def EnrollMember(self, request: pb.EnrollMemberRequest, context: Context) -> pb.EnrollMemberResponse:
        check = Violations()
        reference = check.text("reference", request.reference, 1, REFERENCE_CHARACTERS_MAX)
        check.raise_if_any()
        member, replayed = await self._api.members.enroll(await self._merchant(context), reference)
        return pb.EnrollMemberResponse(member=_message(member), replayed=replayed)

    async def LinkMember(self, request: pb.LinkMemberRequest, context: Context) -> pb.LinkMemberResponse:
        check = Violations()
        member_id = UUID(check.uuid_name("member", request.member, "members"))
        reference = check.text("reference", request.reference, 1, REFERENCE_CHARACTERS_MAX)
        check.raise_if_any()
        member, replayed = await self._api.members.link(await self._merchant(context), member_id, reference)
        return pb.LinkMemberResponse(member=_message(member), replayed=replayed)

    async def GetMember(self, request: pb.GetMemberRequest, context: Context) -> pb.GetMemberResponse:
        caller = caller_of(context)
        key = _key(request, caller)
        await self._api.directory(caller)
        async with self._api.database.read() as connection:
            member = await self._api.members.find(connection, caller, key)
        return pb.GetMemberResponse(member=_message(member))

    async def ListBalances(self, request: pb.ListBalancesRequest, context: Context) -> pb.ListBalancesResponse:
        caller = caller_of(context)
        key = _key(request, caller)
        check = Violations()
        check.within("min_ledger_sequence", request.min_ledger_sequence, 0)
        check.raise_if_any()
        directory = await self._api.directory(caller)
        # Every read asks the one primary, so whatever was acknowledged before the call is in its snapshot.
        async with self._api.database.read() as connection:
            member = await self._api.members.find(connection, caller, key)
            balances = await reads.balances(connection, member.member_id)
        named = sorted((directory.currencies[balance.currency_no].name, balance) for balance in balances)
        messages = [
            types.Balance(
                currency=name,
                available_units=balance.available,
                account_sequence=balance.sequence,
                held_units=balance.held,
            )
            for name, balance in named
        ]
        return pb.ListBalancesResponse(member=member.name, balances=messages)

    async def ListLots(self, request: pb.ListLotsRequest, context: Context) -> pb.ListLotsResponse:
        caller, check = caller_of(context), Violations()
        member_id = UUID(check.uuid_name("member", request.member, "members"))
        code = check.resource_name("currency", request.currency, "currencies")
        check.raise_if_any()
        size = page_size(request.page_size)
        bound = filter_fingerprint(str(caller.merchant_no), request.member, code)
        after = _position(self._api.tokens.open("lots", bound, request.page_token)) if request.page_token else None
        directory = await self._api.directory(caller)
        currency = directory.currency(code, "currency")
        async with self._api.database.read() as connection:
            await self._api.members.find(connection, caller, MemberKey(caller.merchant_no or 0, member_id, None))
            _require_issuer(caller, currency)
            found = await reads.lots(connection, member_id, currency.number, after, size + 1)
        token = ""
        if len(found) > size:
            last = found[size - 1]
            expiry = last.expires_at.isoformat() if last.expires_at else ""
            token = self._api.tokens.seal("lots", bound, [expiry, last.earned_at.isoformat(), str(last.lot_id)])
        messages = [_lot_message(lot, currency, directory) for lot in found[:size]]
        return pb.ListLotsResponse(lots=messages, next_page_token=token)

    async def _merchant(self, context: Context) -> int:
        caller = caller_of(context)
        directory = await self._api.directory(caller)
        assert caller.merchant_no is not None
        directory.merchants[caller.merchant_no].require_active()
        return caller.merchant_no


def _key(request: pb.GetMemberRequest | pb.ListBalancesRequest, caller: Caller) -> MemberKey:
    check = Violations()
    key = member_key(request, caller, check)
    check.raise_if_any()
    return key


def _require_issuer(caller: Caller, currency: Currency) -> None:
    """Lots tell who paid for what: the issuer's affair, and of those who see all."""
    if not caller.sees_all and caller.merchant_no != currency.issuer_no:
        raise ResourceNotFound(resource=currency.name, field="currency")


def _position(position: object) -> tuple[datetime | None, datetime, UUID]:
    assert isinstance(position, list)
    expiry, earned, lot_id = position
    return datetime.fromisoformat(expiry) if expiry else None, datetime.fromisoformat(earned), UUID(lot_id)


def _message(member: Member) -> types.Member:
    return types.Member(name=member.name, reference=member.reference or "", create_time=timestamp(member.created_at))


def _lot_message(lot: reads.LotView, currency: Currency, directory: Directory) -> types.Lot:
    return types.Lot(
        name=f"lots/{lot.lot_id}",
        points=types.PointsAmount(currency=currency.name, units=lot.units),
        remaining_units=lot.remaining,
        funder=directory.merchants[lot.funder_no].name,
        issue_price_micros=lot.price_micros,
        earn_time=timestamp(lot.earned_at),
        expire_time=timestamp(lot.expires_at),
        transfer=f"transfers/{lot.transfer_id}",
    )
