"""Building the coalition a scenario file declares, through the directory and rate services."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from exchange.client.caller import Caller, Refused, Stubs
from exchange.scenario import wire
from exchange.scenario.model import Currency, Rate, Scenario
from exchange.scenario.sections import BadScenario
from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import rate_service_pb2 as rates

_ROOM_BEFORE = timedelta(days=1)
"""The sandbox's clock runs while we publish; with less room the earliest price might already lie in the past."""
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Actors:
    """Everybody who calls: each merchant by id, finance, and an auditor who reads."""

    merchants: dict[str, Caller]
    finance_maker: Caller
    auditor: Caller


async def build(scenario: Scenario, stubs: Stubs, operator: Caller) -> Actors:
    """Declare everybody and publish everything, then set the clock to where the file starts.

    Prices and rates are published before they take effect, as the server demands: on a ledger that has not moved its
    clock may still be turned back.

    Raises:
        BadScenario: the server refuses something the file declares, with its line.
    """
    beginning = _beginning(scenario)
    await operator.ask(stubs.sandbox.SetClock, wire.set_clock(beginning - _ROOM_BEFORE))
    for merchant in scenario.merchants:
        request = directory.CreateMerchantRequest(merchant=wire.merchant(merchant))
        await _taken(operator.ask(stubs.directory.CreateMerchant, request), merchant.line, f"merchant {merchant.id}")
    for currency in scenario.currencies:
        await _introduce(currency, scenario, stubs, operator)
    for rule in scenario.earn_rules:
        made = directory.CreateEarnRuleRequest(earn_rule=wire.earn_rule(rule))
        await _taken(operator.ask(stubs.directory.CreateEarnRule, made), rule.line, f"earn rule {rule.id}")
    for rate in scenario.rates:
        await _publish(rate, _begins(rate, scenario, beginning), stubs, operator)
    for promotion in scenario.promotions:
        begun = directory.CreatePromotionRequest(promotion=wire.promotion(promotion))
        answer = operator.ask(stubs.directory.CreatePromotion, begun)
        await _taken(answer, promotion.line, f"promotion {promotion.id}")
    actors = Actors(
        merchants={
            m.id: await _actor(stubs, operator, directory.CALLER_ROLE_MERCHANT, m.id) for m in scenario.merchants
        },
        finance_maker=await _actor(stubs, operator, directory.CALLER_ROLE_FINANCE_MAKER),
        auditor=await _actor(stubs, operator, directory.CALLER_ROLE_AUDITOR),
    )
    await operator.ask(stubs.sandbox.SetClock, wire.set_clock(scenario.clock))
    return actors


def _beginning(scenario: Scenario) -> datetime:
    prices = [price.effective for currency in scenario.currencies for price in currency.prices]
    rates = [rate.effective_from for rate in scenario.rates]
    promotions = [promotion.effective_from for promotion in scenario.promotions]
    effective = [instant for instant in (*rates, *promotions) if instant is not None]
    return min([scenario.clock, *prices, *effective])


def _begins(rate: Rate, scenario: Scenario, beginning: datetime) -> datetime:
    """When a rate begins to hold: as it says, else as soon as both its currencies have a price."""
    if rate.effective_from is not None:
        return rate.effective_from
    priced = [
        min(price.effective for price in currency.prices)
        for currency in scenario.currencies
        if currency.code in {rate.source, rate.target} and currency.prices
    ]
    return max([beginning, *priced])


async def _introduce(currency: Currency, scenario: Scenario, stubs: Stubs, operator: Caller) -> None:
    request = directory.CreateCurrencyRequest(currency=wire.currency(currency, scenario.coalition.currency))
    await _taken(operator.ask(stubs.directory.CreateCurrency, request), currency.line, f"currency {currency.code}")
    for price in sorted(currency.prices, key=lambda price: price.effective):
        published = directory.PublishPriceRequest(currency=f"currencies/{currency.code}", price=wire.price(price))
        await _taken(operator.ask(stubs.directory.PublishPrice, published), price.line, f"price of {currency.code}")


async def _publish(rate: Rate, begins: datetime, stubs: Stubs, operator: Caller) -> None:
    request = rates.PublishRateRequest(rate=wire.rate(rate, begins))
    await _taken(operator.ask(stubs.rates.PublishRate, request), rate.line, f"rate {rate.source}>{rate.target}")


async def _actor(stubs: Stubs, operator: Caller, role: directory.CallerRole.ValueType, merchant: str = "") -> Caller:
    name = f"merchants/{merchant}" if merchant else ""
    key = directory.ApiKey(caller_role=role, merchant=name, display_name=f"scenario {merchant}".rstrip())
    issued = await operator.ask(stubs.directory.IssueApiKey, directory.IssueApiKeyRequest(api_key=key))
    return Caller(issued.secret)


async def _taken(answer: Awaitable[Answer], line: int, what: str) -> Answer:
    try:
        return await answer
    except Refused as refused:
        raise BadScenario(line, f"the server refuses this {what}: {refused}") from refused
