"""The rulebook's coalition in memory, and the words its examples are told in: points "500 TEL", merchants by id."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from exchange.campaign.model import UseInCampaign
from exchange.conversion.model import Convert
from exchange.directory.model import Currency, Directory, ExpiryKind, Merchant, MerchantRole, Price
from exchange.discount.model import Discount
from exchange.earning.model import Earn
from exchange.ledger.facts import MemberFacts
from exchange.ledger.ids import new_id
from exchange.ledger.member_account import MemberAccount
from exchange.ledger.model import Lot, MemberKey, ObligationKind, Posting, member_bucket
from exchange.rates.model import Coalition, Rate
from exchange.redemption.model import Redeem

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
"""Noon in Shanghai, where the coalition's days begin."""
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")
ADA = UUID("0195a5c0-0000-7000-8000-0000000000ad")

# Numbers no two of which are the same, so that one taken for another shows.
MERCHANT_NO = {"OPR": 1, "AIR": 2, "BNK": 3, "TEL": 4, "GRO": 5, "CAF": 6}
CURRENCY_NO = {"AIR": 11, "BNK": 12, "TEL": 13}
MERCHANT_OF = {number: name for name, number in MERCHANT_NO.items()}
ALL_ROLES = frozenset(MerchantRole)

_request_numbers = itertools.count(1)


def price(
    *,
    issue: int = 0,
    redeem: int = 0,
    into: int = 0,
    out: int = 0,
    cash_out: int = 0,
    cash_out_fee: int = 0,
    since: datetime = LONG_AGO,
    number: int = 1,
) -> Price:
    """Micro-yuan per point from an instant on; `into` and `out` are conversion-in and -out; the fee in basis points."""
    return Price(since, number, issue, redeem, into, out, cash_out, cash_out_fee, LONG_AGO)


_PRICES = {
    "AIR": price(issue=60_000, redeem=50_000, into=55_000, out=50_000),
    "BNK": price(issue=2_500, redeem=2_000, into=2_250, out=2_000),
    "TEL": price(issue=12_000, redeem=10_000, into=10_500, out=10_000),
}


def some_price(code: str, *, issue: int | None = None, into: int | None = None) -> Price:
    """The rulebook's price of a currency, one figure replaced."""
    kept = _PRICES[code]
    if issue is not None:
        kept = kept._replace(issue_micros=issue)
    return kept if into is None else kept._replace(conversion_in_micros=into)


def currency(code: str, *prices: Price, days: int = 0, explicit: bool = False, suspended: bool = False) -> Currency:
    """A currency of the rulebook; `prices` replace its own; it expires after `days`, or when each earn says."""
    kind = ExpiryKind.DAYS if days else ExpiryKind.EXPLICIT if explicit else ExpiryKind.NONE
    number, issuer_no = CURRENCY_NO[code], MERCHANT_NO[code]
    in_force = prices or (_PRICES[code],)
    return Currency(
        number, code, issuer_no, code, "CNY", kind, days, 0, False, suspended, LONG_AGO, prices=in_force
    )  # fmt: skip


def coalition(
    *rates: Rate,
    currencies: Iterable[Currency] = (),
    roles: Mapping[str, Iterable[MerchantRole]] | None = None,
    suspended: Iterable[str] = (),
    cash_agents: Iterable[str] = (),
) -> Coalition:
    """Everybody holds all roles unless `roles` says otherwise; `currencies` replace those of the rulebook."""
    held = {name: frozenset(named) for name, named in (roles or {}).items()}
    merchants = {
        number: Merchant(
            number, name, name, held.get(name, ALL_ROLES), name in cash_agents, name in suspended, LONG_AGO
        )
        for name, number in MERCHANT_NO.items()
    }
    known = {CURRENCY_NO[code]: currency(code) for code in CURRENCY_NO} | {one.number: one for one in currencies}
    directory = Directory(1, MERCHANT_NO["OPR"], SHANGHAI, merchants, known, {})
    return Coalition.of(directory, rates)


def rate(
    source: str,
    target: str,
    *,
    block: int = 1,
    minimum: int = 0,
    maximum: int = 0,
    bonus: tuple[int, int] = (0, 0),
    fee: int = 0,
    fee_per_point: int = 0,
    fee_cap: int = 0,
    daily_cap: int = 0,
    begins: datetime = LONG_AGO,
    ends: datetime | None = None,
    tier: str = "",
    supersedes: Rate | None = None,
) -> Rate:
    """`rate("30 BNK", "1 AIR", bonus=(9_000, 5))`: 30 BNK become 1 AIR, and 5 more for each full 9 000."""
    (give, give_code), (get, get_code) = amount(source), amount(target)
    return Rate(
        new_id(), CURRENCY_NO[give_code], CURRENCY_NO[get_code], give, get, block, minimum, maximum, *bonus,
        fee, fee_per_point, fee_cap, daily_cap, begins, ends, LONG_AGO, tier,
        None if supersedes is None else supersedes.rate_id,
    )  # fmt: skip


def amount(words: str) -> tuple[int, str]:
    """`"99 000 TEL"` as (99000, "TEL")."""
    units, _, code = words.rpartition(" ")
    return int(units.replace(" ", "")), code


# ------------------------------------------------------------------------------------------------ members
def lot(units: int, *, funder: str = "GRO", expires: datetime | None = None, earned: datetime = LONG_AGO) -> Lot:
    """Points of one award."""
    return Lot(new_id(), units, MERCHANT_NO[funder], 12_000, earned, expires)


def member(
    now: datetime = NOON, *, member_id: UUID = ADA, daily_used: int = 0, **lots: Sequence[Lot] | int
) -> MemberFacts:
    """A member's facts: `member(TEL=500, AIR=[lot(3), lot(4)])`; an account in each currency.

    Args:
        now: the moment of the decision.
        member_id: who.
        daily_used: BNK turned into AIR today.
        lots: by currency code; a number is one lot that never expires.
    """
    accounts = {}
    for code, number in CURRENCY_NO.items():
        given = lots.get(code, ())
        held = [lot(given)] if isinstance(given, int) else given
        total = sum(one.remaining for one in held)
        accounts[number] = MemberAccount(
            bucket=member_bucket(member_id),
            member_id=member_id,
            currency_no=number,
            available=total,
            sequence=0,
        )
        for one in held:
            accounts[number].show(one, now)
    facts = MemberFacts(
        now=now,
        today=now.astimezone(SHANGHAI).date(),
        member_id=member_id,
        accounts=accounts,
        bucket=member_bucket(member_id),
    )
    if daily_used:
        facts.notes.daily_used[(CURRENCY_NO["BNK"], CURRENCY_NO["AIR"])] = daily_used
    return facts


# ------------------------------------------------------------------------------------------------ commands
def _common(points: str, by: str, request_id: str | None, member_id: UUID, *, trial: bool) -> dict[str, object]:
    units, code = amount(points)
    return {
        "merchant_no": MERCHANT_NO[by],
        "credential": "certificates/test",
        "request_id": request_id or f"request-{next(_request_numbers)}",
        "fingerprint": points.encode(),
        "member": MemberKey(MERCHANT_NO[by], member_id, None),
        "currency": code,
        "units": units,
        "validate_only": trial,
    }


def earn(
    points: str,
    at: str,
    *,
    expires: datetime | None = None,
    key: str | None = None,
    member_id: UUID = ADA,
    trial: bool = False,
) -> Earn:
    """`earn("500 TEL", at="GRO")`."""
    return Earn(**_common(points, at, key, member_id, trial=trial), expires_at=expires)  # type: ignore[arg-type]


def redeem(points: str, at: str, *, key: str | None = None, member_id: UUID = ADA, trial: bool = False) -> Redeem:
    """`redeem("500 TEL", at="CAF")`: for goods."""
    return Redeem(**_common(points, at, key, member_id, trial=trial))  # type: ignore[arg-type]


def discount(points: str, at: str, *, key: str | None = None, member_id: UUID = ADA, trial: bool = False) -> Discount:
    """`discount("500 TEL", at="CAF")`: as cash."""
    return Discount(**_common(points, at, key, member_id, trial=trial))  # type: ignore[arg-type]


def campaign(
    points: str, at: str, *, key: str | None = None, member_id: UUID = ADA, trial: bool = False
) -> UseInCampaign:
    """`campaign("50 TEL", at="CAF")`: for taking part."""
    return UseInCampaign(**_common(points, at, key, member_id, trial=trial))  # type: ignore[arg-type]


def convert(
    points: str, into: str, *, by: str, key: str | None = None, member_id: UUID = ADA, trial: bool = False
) -> Convert:
    """`convert("100 000 BNK", into="AIR", by="BNK")`."""
    return Convert(**_common(points, by, key, member_id, trial=trial), target=into)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------ what came of it
def debts(posting: Posting) -> list[tuple[str, str, str, int]]:
    """Who owes whom, why, how many micro-yuan."""
    return [
        (MERCHANT_OF[owed.debtor_no], MERCHANT_OF[owed.creditor_no], ObligationKind(owed.kind).name, owed.micros)
        for owed in posting.obligations
    ]


def with_prices(code: str, *prices: Price) -> Currency:
    """A currency with a history of prices, oldest first, numbered from 1."""
    return currency(code, *(one._replace(price_no=place) for place, one in enumerate(prices, 1)))


def issued_by(issuer: str, one: Currency) -> Currency:
    """The currency with another issuer."""
    return replace(one, issuer_no=MERCHANT_NO[issuer])
