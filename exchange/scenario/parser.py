"""From a file to a `Scenario`: which keys there are, what they mean, and what must hold between them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

from exchange.money.currencies import MINOR_EXPONENT
from exchange.sandbox.zones import zone_of
from exchange.scenario.events import EventReader
from exchange.scenario.expectations import read_expectation
from exchange.scenario.model import Coalition, Currency, EarnRule, Expiry, Merchant, Price, Rate, Scenario
from exchange.scenario.names import Names
from exchange.scenario.promotions import read_promotion
from exchange.scenario.sections import Section, read_text, read_yaml

ROLES = ("earning", "redemption", "discount", "exchange", "general")
_SETTLEMENT_CURRENCY = re.compile(r"[A-Z]{3}")
_POLICIES = ("none", "days", "explicit", "fiscal_year", "inactivity")
_YEAR_ENDS = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")


def read_scenario(file: Path) -> Scenario:
    """Read and check a file without starting anything.

    Raises:
        BadScenario: the first thing that is wrong, with line and key.
        OSError: the file cannot be read.
    """
    return parse_scenario(read_text(file), str(file))


def parse_scenario(text: str, file: str = "scenario") -> Scenario:
    """The same for text at hand; `file` only names it."""
    root = read_yaml(text)
    reader = _ScenarioReader(root)
    return reader.read(file)


class _ScenarioReader:
    """Reads the parts in the order in which they lean on each other."""

    def __init__(self, root: Section) -> None:
        self._root = root

    def read(self, file: str) -> Scenario:
        root = self._root
        coalition = self._coalition(root.section("coalition"))
        clock = root.instant("clock", None)
        if zone_of(clock.utcoffset() or timedelta()) is None:
            root.wrong("clock", "has an offset that no time zone keeps")
        names = Names(coalition.operator)
        merchants = tuple(self._merchant(part, names) for part in root.sections("merchants", required=True))
        currencies = tuple(self._currency(part, names, clock) for part in root.sections("currencies"))
        rates = tuple(self._rate(part, names, clock) for part in root.sections("rates"))
        earn_rules = tuple(self._earn_rule(part, names) for part in root.sections("earn_rules"))
        promotions = tuple(read_promotion(part, names, clock.tzinfo) for part in root.sections("promotions"))
        events = EventReader(names, clock)
        read_events = tuple(events.read(part) for part in root.sections("events", required=True))
        expect = read_expectation(root, names)
        root.finish()
        return Scenario(
            file=file,
            coalition=coalition,
            clock=clock,
            merchants=merchants,
            currencies=currencies,
            rates=rates,
            earn_rules=earn_rules,
            promotions=promotions,
            events=read_events,
            expect=expect,
        )

    def _coalition(self, part: Section) -> Coalition:
        coalition = Coalition(
            operator=part.text("operator"),
            currency=part.text("currency"),
            minimum_payment=part.whole("minimum_payment", 0, least=0),
        )
        if not _SETTLEMENT_CURRENCY.fullmatch(coalition.currency):
            part.wrong("currency", f"must be an ISO 4217 code, not {coalition.currency}")
        if coalition.currency not in MINOR_EXPONENT:
            part.wrong("currency", f"is no ISO 4217 currency: {coalition.currency}")
        part.finish()
        return coalition

    def _merchant(self, part: Section, names: Names) -> Merchant:
        merchant = Merchant(part.text("id"), part.texts("roles"), part.flag("cash_agent", default=False), part.line)
        names.add_merchant(part, "id", merchant.id)
        for role in merchant.roles:
            if role not in ROLES:
                part.wrong("roles", f"knows {', '.join(ROLES)}, not {role}")
        if not merchant.roles or len(set(merchant.roles)) < len(merchant.roles):
            part.wrong("roles", "must name at least one role, and none twice")
        part.finish()
        return merchant

    def _currency(self, part: Section, names: Names, clock: datetime) -> Currency:
        code, issuer = part.text("code"), part.text("issuer")
        names.add_currency(part, "code", code)
        names.require_merchant(part, "issuer", issuer)
        prices = tuple(self._price(price, clock) for price in part.sections("prices"))
        if len({price.effective for price in prices}) < len(prices):
            part.wrong("prices", "has two entries of the same instant")
        expiry = self._expiry(part)
        share = part.whole("breakage_share_bps", 0, least=0)
        negative = part.flag("negative_balances", default=False)
        part.finish()
        return Currency(code, issuer, prices, expiry, share, negative, part.line)

    def _price(self, part: Section, clock: datetime) -> Price:
        price = Price(
            effective=part.instant("from", clock.tzinfo),
            issue=part.whole("issue", 0, least=0),
            redeem=part.whole("redeem", 0, least=0),
            conversion_in=part.whole("conversion_in", 0, least=0),
            conversion_out=part.whole("conversion_out", 0, least=0),
            cash_out=part.whole("cash_out", 0, least=0),
            cash_out_fee_bps=part.whole("cash_out_fee_bps", 0, least=0),
            line=part.line,
        )
        part.finish()
        return price

    def _expiry(self, currency: Section) -> Expiry:
        if not currency.has("expiry"):
            currency.skip("expiry")
            return Expiry()
        part = currency.section("expiry")
        policy = part.text("policy")
        if policy not in _POLICIES:
            part.wrong("policy", f"knows {', '.join(_POLICIES)}, not {policy}")
        expiry = Expiry(policy)
        if policy in {"days", "inactivity"}:
            expiry = Expiry(policy, days=part.whole("days", least=1))
        if policy == "fiscal_year":
            ends = part.text("ends")
            if not _YEAR_ENDS.fullmatch(ends):
                part.wrong("ends", f"must be a month and a day such as 03-31, not {ends}")
            expiry = Expiry(policy, 0, int(ends[:2]), int(ends[3:]), part.whole("grace_months", 0, least=0))
        part.finish()
        return expiry

    def _rate(self, part: Section, names: Names, clock: datetime) -> Rate:
        rate = Rate(
            source=part.text("from"),
            target=part.text("to"),
            source_units=part.whole("source", least=1),
            target_units=part.whole("target", least=1),
            block=part.whole("block", 0, least=0),
            minimum=part.whole("minimum", 0, least=0),
            maximum=part.whole("maximum", 0, least=0),
            bonus_every=part.whole("bonus_every", 0, least=0),
            bonus_points=part.whole("bonus_points", 0, least=0),
            fee=part.whole("fee", 0, least=0),
            fee_per_point=part.whole("fee_per_point", 0, least=0),
            fee_cap=part.whole("fee_cap", 0, least=0),
            member_daily_cap=part.whole("member_daily_cap", 0, least=0),
            effective_from=part.maybe_instant("effective_from", clock.tzinfo),
            effective_until=part.maybe_instant("effective_until", clock.tzinfo),
            line=part.line,
            tier=part.text("tier", ""),
        )
        names.require_currency(part, "from", rate.source)
        names.require_currency(part, "to", rate.target)
        part.finish()
        return rate

    def _earn_rule(self, part: Section, names: Names) -> EarnRule:
        rule = EarnRule(
            id=part.text("id"),
            merchant=part.text("merchant"),
            currency=part.text("currency"),
            per_amount=part.whole("per_amount", least=1),
            points=part.whole("points", least=1),
            carry_remainder=part.flag("carry_remainder", default=False),
            line=part.line,
        )
        names.require_merchant(part, "merchant", rule.merchant)
        names.require_currency(part, "currency", rule.currency)
        names.add_earn_rule(part, "id", rule.id, rule.currency)
        part.finish()
        return rule
