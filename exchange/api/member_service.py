"""MemberService: enrolling, linking and reading members."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypeAlias
from uuid import UUID

from grpc.aio import ServicerContext

from exchange.api.closing_service import ClosingMethods, member_message
from exchange.api.context import Api
from exchange.api.statements_out import cursor_at, monthly_message, position_after, write_page
from exchange.api.wire import REFERENCE_CHARACTERS_MAX, member_key
from exchange.callers import Caller
from exchange.directory.model import Currency
from exchange.ledger import reads
from exchange.ledger.model import MemberKey
from exchange.rates.model import Coalition
from exchange.refusals import ResourceNotFound
from exchange.serving.checks import Violations
from exchange.serving.identity import caller_of
from exchange.serving.instants import timestamp
from exchange.serving.paging import filter_fingerprint, page_size
from exchange.statements.model import Month
from exchange.statements.monthly import statements_of
from exchange.statements.service import Wanted
from exchange.statements.service import page as statement_page
from exchange.v1 import member_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from exchange.v1.member_service_pb2_grpc import MemberServiceServicer

EXPIRING_DAYS_MAX = 3_660

Context: TypeAlias = ServicerContext[Any, Any]


class MemberService(ClosingMethods, MemberServiceServicer):
    """A merchant reaches only members it has linked."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def EnrollMember(self, request: pb.EnrollMemberRequest, context: Context) -> pb.EnrollMemberResponse:
        check = Violations()
        reference = check.text("reference", request.reference, 1, REFERENCE_CHARACTERS_MAX)
        check.raise_if_any()
        member, replayed = await self._api.members.enroll(await self._merchant(context), reference)
        return pb.EnrollMemberResponse(member=member_message(member), replayed=replayed)

    async def LinkMember(self, request: pb.LinkMemberRequest, context: Context) -> pb.LinkMemberResponse:
        check = Violations()
        member_id = UUID(check.uuid_name("member", request.member, "members"))
        reference = check.text("reference", request.reference, 1, REFERENCE_CHARACTERS_MAX)
        check.raise_if_any()
        member, replayed = await self._api.members.link(await self._merchant(context), member_id, reference)
        return pb.LinkMemberResponse(member=member_message(member), replayed=replayed)

    async def GetMember(self, request: pb.GetMemberRequest, context: Context) -> pb.GetMemberResponse:
        caller = caller_of(context)
        key = _key(request, caller)
        await self._api.directory(caller)
        async with self._api.database.read() as connection:
            member = await self._api.members.find(connection, caller, key)
        return pb.GetMemberResponse(member=member_message(member))

    async def ListBalances(self, request: pb.ListBalancesRequest, context: Context) -> pb.ListBalancesResponse:
        caller = caller_of(context)
        key = _key(request, caller)
        check = Violations()
        sequence = check.within("min_ledger_sequence", request.min_ledger_sequence, 0)
        days = check.within("expiring_days", request.expiring_days, 0, EXPIRING_DAYS_MAX)
        check.raise_if_any()
        directory = await self._api.directory(caller)
        async with self._api.database.read() as connection:
            member = await self._api.members.find(connection, caller, key)
            member_id = member.member_id
            await reads.require_transfer(connection, sequence, merchant_no=caller.merchant_no, member_id=member_id)
            balances = await reads.balances(connection, member_id)
            ending = await reads.expiring(connection, member_id, balances[0].at, days) if days and balances else []
        messages = {
            balance.currency_no: types.Balance(
                currency=directory.currencies[balance.currency_no].name,
                available_units=balance.available,
                account_sequence=balance.sequence,
                held_units=balance.held,
                pending_units=balance.pending,
            )
            for balance in balances
        }
        for currency_no, last_date, units in ending:
            messages[currency_no].expiring.add(last_date=last_date.isoformat(), units=units)
        by_code = sorted(messages.values(), key=lambda message: message.currency)
        return pb.ListBalancesResponse(member=member.name, balances=by_code)

    async def ListLots(self, request: pb.ListLotsRequest, context: Context) -> pb.ListLotsResponse:
        caller, check = caller_of(context), Violations()
        member_id = UUID(check.uuid_name("member", request.member, "members"))
        code = check.resource_name("currency", request.currency, "currencies")
        sequence = check.within("min_ledger_sequence", request.min_ledger_sequence, 0)
        check.raise_if_any()
        size = page_size(request.page_size)
        bound = filter_fingerprint(str(caller.merchant_no), request.member, code)
        after = _position(self._api.tokens.open("lots", bound, request.page_token)) if request.page_token else None
        coalition = await self._api.coalition(caller)
        currency = coalition.directory.currency(code, "currency")
        async with self._api.database.read() as connection:
            await self._api.members.find(connection, caller, MemberKey(caller.merchant_no or 0, member_id, None))
            _require_issuer(caller, currency)
            await reads.require_transfer(connection, sequence, merchant_no=caller.merchant_no, member_id=member_id)
            found = await reads.lots(connection, member_id, currency.number, after, size + 1)
            promoted = await reads.promotions_of(connection, member_id, found) if coalition.has_promotions else {}
        token = ""
        if len(found) > size:
            last = found[size - 1]
            expiry = last.expires_at.isoformat() if last.expires_at else ""
            token = self._api.tokens.seal("lots", bound, [expiry, last.earned_at.isoformat(), str(last.lot_id)])
        messages = [_lot_message(lot, currency, coalition, promoted.get(lot.lot_id)) for lot in found[:size]]
        return pb.ListLotsResponse(lots=messages, next_page_token=token)

    async def ListStatementEntries(
        self, request: pb.ListStatementEntriesRequest, context: Context
    ) -> pb.ListStatementEntriesResponse:
        caller, check = caller_of(context), Violations()
        member_id = UUID(check.uuid_name("member", request.member, "members"))
        code = check.resource_name("currency", request.currency, "currencies")
        begins = check.instant("begin_time", request.begin_time) if request.HasField("begin_time") else None
        ends = check.instant("end_time", request.end_time) if request.HasField("end_time") else None
        after_sequence = check.within("after_account_sequence", request.after_account_sequence, 0)
        sequence = check.within("min_ledger_sequence", request.min_ledger_sequence, 0)
        check.raise_if_any()
        size = page_size(request.page_size)
        bound = filter_fingerprint(str(caller.merchant_no), request.member, code, str((begins, ends, after_sequence)))
        token = request.page_token
        after = cursor_at(self._api.tokens.open("statement", bound, token)) if token else None
        directory = await self._api.directory(caller)
        currency = directory.currency(code, "currency")
        async with self._api.database.read() as connection:
            await self._api.members.find(connection, caller, MemberKey(caller.merchant_no or 0, member_id, None))
            await reads.require_transfer(connection, sequence, merchant_no=caller.merchant_no, member_id=member_id)
            wanted = Wanted(member_id, currency.number, begins, ends, after_sequence)
            page = await statement_page(connection, wanted, after, size)
        token = self._api.tokens.seal("statement", bound, position_after(page)) if page.has_more else ""
        response = pb.ListStatementEntriesResponse(next_page_token=token)
        return write_page(response, page, directory, caller)

    async def ListMemberStatements(
        self, request: pb.ListMemberStatementsRequest, context: Context
    ) -> pb.ListMemberStatementsResponse:
        caller, check = caller_of(context), Violations()
        member_id = UUID(check.uuid_name("member", request.member, "members"))
        code = check.resource_name("currency", request.currency, "currencies") if request.currency else ""
        month = _month(request.month, check)
        check.raise_if_any()
        size = page_size(request.page_size)
        bound = filter_fingerprint(str(caller.merchant_no), request.member, code, request.month)
        token = request.page_token
        after = _month_position(self._api.tokens.open("monthly", bound, token)) if token else (date.min, "")
        directory = await self._api.directory(caller)
        currency_no = directory.currency(code, "currency").number if code else None
        async with self._api.database.read() as connection:
            await self._api.members.find(connection, caller, MemberKey(caller.merchant_no or 0, member_id, None))
            found = await statements_of(
                connection, member_id, currency_no=currency_no, month=month, after=after, limit=size + 1
            )
        token = ""
        if len(found) > size:
            last = found[size - 1]
            token = self._api.tokens.seal("monthly", bound, [last.month.isoformat(), last.currency])
        messages = [monthly_message(request.member, statement) for statement in found[:size]]
        return pb.ListMemberStatementsResponse(statements=messages, next_page_token=token)

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


def _month(text: str, check: Violations) -> Month | None:
    if not text:
        return None
    try:
        return Month.named(text)
    except ValueError:
        check.say("month", 'is no month such as "2026-03"')
        return None


def _month_position(position: object) -> tuple[date, str]:
    assert isinstance(position, list)
    return date.fromisoformat(position[0]), position[1]


def _lot_message(lot: reads.LotView, currency: Currency, coalition: Coalition, promotion_no: int | None) -> types.Lot:
    return types.Lot(
        name=f"lots/{lot.lot_id}",
        points=types.PointsAmount(currency=currency.name, units=lot.units),
        remaining_units=lot.remaining,
        funder=coalition.directory.merchants[lot.funder_no].name,
        issue_price_micros=lot.price_micros,
        earn_time=timestamp(lot.earned_at),
        expire_time=timestamp(lot.ends_at),
        transfer=f"transfers/{lot.transfer_id}",
        promotion="" if promotion_no is None else coalition.promotion(promotion_no).name,
    )
