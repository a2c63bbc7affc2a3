"""DirectoryService: merchants, currencies, prices, keys."""

from __future__ import annotations

from typing import Any, TypeAlias
from uuid import UUID

from grpc.aio import ServicerContext

from exchange.api.context import Api
from exchange.api.directory_wire import (
    CALLER_NUMBERS,
    DISPLAY_NAME_MAX,
    currency_message,
    earn_rule_message,
    id_of,
    key_message,
    merchant_message,
    new_currency,
    new_earn_rule,
    new_price,
    price_message,
    reasoned,
    roles_of,
)
from exchange.api.pages import check_page, page_of
from exchange.api.promotion_service import PromotionMethods
from exchange.callers import PERSON, Caller, CallerRole
from exchange.directory.model import Currency
from exchange.serving.checks import Violations
from exchange.serving.identity import caller_of
from exchange.v1 import directory_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from exchange.v1.directory_service_pb2_grpc import DirectoryServiceServicer

Context: TypeAlias = ServicerContext[Any, Any]


class DirectoryService(PromotionMethods, DirectoryServiceServicer):
    """Kept by the operator, read by everybody."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def CreateMerchant(self, request: pb.CreateMerchantRequest, context: Context) -> pb.CreateMerchantResponse:
        check, wanted = Violations(), request.merchant
        merchant_id = check.resource_name("merchant.name", wanted.name, "merchants")
        display_name = check.text("merchant.display_name", wanted.display_name, 0, DISPLAY_NAME_MAX)
        roles = roles_of(check, wanted.roles, "merchant.roles")
        check.raise_if_any()
        merchant = await self._api.changes.create_merchant(
            await self._caller(context), merchant_id, display_name or merchant_id, roles, cash_agent=wanted.cash_agent
        )
        return pb.CreateMerchantResponse(merchant=merchant_message(merchant))

    async def GetMerchant(self, request: pb.GetMerchantRequest, context: Context) -> pb.GetMerchantResponse:
        merchant_id = id_of(request.name, "merchants")
        directory = await self._api.directory(caller_of(context))
        return pb.GetMerchantResponse(merchant=merchant_message(directory.merchant(merchant_id)))

    async def ListMerchants(self, request: pb.ListMerchantsRequest, context: Context) -> pb.ListMerchantsResponse:
        directory = await self._api.directory(caller_of(context))
        merchants = sorted(directory.merchants.values(), key=lambda merchant: merchant.merchant_id)
        page, token = page_of(merchants, lambda m: m.merchant_id, request, self._api.tokens, "merchants")
        return pb.ListMerchantsResponse(merchants=map(merchant_message, page), next_page_token=token)

    async def SetMerchantRoles(
        self, request: pb.SetMerchantRolesRequest, context: Context
    ) -> pb.SetMerchantRolesResponse:
        check = Violations()
        merchant_id = check.resource_name("name", request.name, "merchants")
        roles = roles_of(check, request.roles, "roles")
        check.raise_if_any()
        merchant = await self._api.changes.set_roles(
            await self._caller(context), merchant_id, roles, cash_agent=request.cash_agent
        )
        return pb.SetMerchantRolesResponse(merchant=merchant_message(merchant))

    async def SuspendMerchant(self, request: pb.SuspendMerchantRequest, context: Context) -> pb.SuspendMerchantResponse:
        merchant_id, reason = reasoned(request, "merchants")
        merchant = await self._api.changes.suspend_merchant(
            await self._caller(context), merchant_id, reason, suspended=True
        )
        return pb.SuspendMerchantResponse(merchant=merchant_message(merchant))

    async def ActivateMerchant(
        self, request: pb.ActivateMerchantRequest, context: Context
    ) -> pb.ActivateMerchantResponse:
        merchant_id, reason = reasoned(request, "merchants")
        merchant = await self._api.changes.suspend_merchant(
            await self._caller(context), merchant_id, reason, suspended=False
        )
        return pb.ActivateMerchantResponse(merchant=merchant_message(merchant))

    async def CreateCurrency(self, request: pb.CreateCurrencyRequest, context: Context) -> pb.CreateCurrencyResponse:
        new = new_currency(request.currency)
        currency = await self._api.changes.create_currency(await self._caller(context), new)
        return pb.CreateCurrencyResponse(currency=await self._currency(currency))

    async def GetCurrency(self, request: pb.GetCurrencyRequest, context: Context) -> pb.GetCurrencyResponse:
        code = id_of(request.name, "currencies")
        directory = await self._api.directory(caller_of(context))
        return pb.GetCurrencyResponse(currency=currency_message(directory.currency(code), directory))

    async def ListCurrencies(self, request: pb.ListCurrenciesRequest, context: Context) -> pb.ListCurrenciesResponse:
        directory = await self._api.directory(caller_of(context))
        currencies = sorted(directory.currencies.values(), key=lambda currency: currency.code)
        page, token = page_of(currencies, lambda c: c.code, request, self._api.tokens, "currencies")
        messages = [currency_message(currency, directory) for currency in page]
        return pb.ListCurrenciesResponse(currencies=messages, next_page_token=token)

    async def SuspendCurrency(self, request: pb.SuspendCurrencyRequest, context: Context) -> pb.SuspendCurrencyResponse:
        code, reason = reasoned(request, "currencies")
        changed = await self._api.changes.suspend_currency(await self._caller(context), code, reason, suspended=True)
        return pb.SuspendCurrencyResponse(currency=await self._currency(changed))

    async def ActivateCurrency(
        self, request: pb.ActivateCurrencyRequest, context: Context
    ) -> pb.ActivateCurrencyResponse:
        code, reason = reasoned(request, "currencies")
        changed = await self._api.changes.suspend_currency(await self._caller(context), code, reason, suspended=False)
        return pb.ActivateCurrencyResponse(currency=await self._currency(changed))

    async def PublishPrice(self, request: pb.PublishPriceRequest, context: Context) -> pb.PublishPriceResponse:
        check = Violations()
        code = check.resource_name("currency", request.currency, "currencies")
        if not request.HasField("price"):
            check.say("price", "is required")
        new = new_price(check, request.price)
        check.raise_if_any()
        price = await self._api.changes.publish_price(await self._caller(context), code, new)
        return pb.PublishPriceResponse(price=price_message(price, code))

    async def ListPrices(self, request: pb.ListPricesRequest, context: Context) -> pb.ListPricesResponse:
        check = Violations()
        code = check.resource_name("currency", request.currency, "currencies")
        check.raise_if_any()
        check_page(request, self._api.tokens, "prices", code)
        currency = (await self._api.directory(caller_of(context))).currency(code, "currency")
        page, token = page_of(
            currency.prices, lambda p: p.effective_at.isoformat(), request, self._api.tokens, "prices", code
        )
        return pb.ListPricesResponse(prices=[price_message(price, code) for price in page], next_page_token=token)

    async def CreateEarnRule(self, request: pb.CreateEarnRuleRequest, context: Context) -> pb.CreateEarnRuleResponse:
        rule, merchant_id, code = new_earn_rule(request.earn_rule)
        made = await self._api.changes.create_earn_rule(await self._caller(context), rule, merchant_id, code)
        directory = (await self._api.source.current()).directory
        return pb.CreateEarnRuleResponse(earn_rule=earn_rule_message(made, directory))

    async def ListEarnRules(self, request: pb.ListEarnRulesRequest, context: Context) -> pb.ListEarnRulesResponse:
        caller = caller_of(context)
        directory = await self._api.directory(caller)
        rules = [
            rule
            for rule in sorted(directory.earn_rules.values())
            if caller.sees_all or rule.merchant_no == caller.merchant_no
        ]
        bound = caller.merchant_id or ""
        page, token = page_of(rules, lambda r: r.rule_id, request, self._api.tokens, "earnRules", bound)
        messages = [earn_rule_message(rule, directory) for rule in page]
        return pb.ListEarnRulesResponse(earn_rules=messages, next_page_token=token)

    async def IssueApiKey(self, request: pb.IssueApiKeyRequest, context: Context) -> pb.IssueApiKeyResponse:
        check, wanted = Violations(), request.api_key
        role = CallerRole(check.known("api_key.caller_role", wanted.caller_role, CALLER_NUMBERS))
        display_name = check.text("api_key.display_name", wanted.display_name, 0, DISPLAY_NAME_MAX)
        merchant_id = None
        if role is CallerRole.MERCHANT:
            merchant_id = check.resource_name("api_key.merchant", wanted.merchant, "merchants")
        elif wanted.merchant:
            check.say("api_key.merchant", "is only for keys of merchants")
        expires_at = None
        if wanted.HasField("expire_time"):
            expires_at = check.instant("api_key.expire_time", wanted.expire_time)
        if wanted.holder and PERSON.fullmatch(wanted.holder) is None:
            check.say("api_key.holder", 'is no person: lower-case letters, digits and "._@+-", at most 64')
        check.raise_if_any()
        credential, secret = await self._api.changes.issue_key(
            await self._caller(context), role, merchant_id, display_name, expires_at, wanted.holder or None
        )
        directory = (await self._api.source.current()).directory
        return pb.IssueApiKeyResponse(api_key=key_message(credential, directory), secret=secret)

    async def RevokeApiKey(self, request: pb.RevokeApiKeyRequest, context: Context) -> pb.RevokeApiKeyResponse:
        check = Violations()
        key_id = UUID(check.uuid_name("name", request.name, "apiKeys"))
        check.raise_if_any()
        credential = await self._api.changes.revoke_key(await self._caller(context), key_id)
        directory = (await self._api.source.current()).directory
        return pb.RevokeApiKeyResponse(api_key=key_message(credential, directory))

    async def ListApiKeys(self, request: pb.ListApiKeysRequest, context: Context) -> pb.ListApiKeysResponse:
        directory = await self._api.directory(caller_of(context))
        keys = sorted(directory.credentials.values(), key=lambda credential: credential.name)
        page, token = page_of(keys, lambda credential: credential.name, request, self._api.tokens, "apiKeys")
        messages = [key_message(credential, directory) for credential in page]
        return pb.ListApiKeysResponse(api_keys=messages, next_page_token=token)

    async def _caller(self, context: Context) -> Caller:
        """The caller of a change, whose credential still holds."""
        caller = caller_of(context)
        await self._api.directory(caller)
        return caller

    async def _currency(self, currency: Currency) -> types.Currency:
        return currency_message(currency, (await self._api.source.current()).directory)
