"""The rules of conversions with an issuer's own ledger: begun, completed, called off; what was frozen stays frozen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.conversion.rules import convert as convert_by_rule
from exchange.directory.model import ExternalLedger
from exchange.external.model import ASK_SECONDS_MAX, CallOff, Complete, next_pause
from exchange.external.rules import NoRoomYet, require_kept_here
from exchange.ledger.external import Begun
from exchange.ledger.model import Account, PointsLeg, Transfer
from exchange.money.limits import INT64_MAX
from exchange.rates.model import Coalition, Rate
from exchange.refusals import ExternallyKept, InsufficientPoints, NotLinkedToIssuer
from tests.unit.rules.days import Day
from tests.unit.rules.rulebook import CURRENCY_NO, MERCHANT_NO, coalition, convert, debts, earn, member, rate

AIR, BNK = CURRENCY_NO["AIR"], CURRENCY_NO["BNK"]
OUT, INTO = rate("1 AIR", "20 BNK"), rate("30 BNK", "1 AIR", block=30, fee=5)


def kept(*rates: Rate, codes: tuple[str, ...] = ("AIR",)) -> Coalition:
    """A coalition in which the issuers of some currencies keep them."""
    plain = coalition(*rates)
    ledgers = {CURRENCY_NO[code]: ExternalLedger(CURRENCY_NO[code], 60) for code in codes}
    return Coalition.of(replace(plain.directory, external_ledgers=ledgers), rates)


def a_day(*rates: Rate, bnk: int = 0) -> Day:
    """A member whom AIR has linked, with points of BNK."""
    facts = member()
    day = Day(kept(*rates), facts)
    facts.notes.references[MERCHANT_NO["AIR"]] = "card-1"
    if bnk:
        day.do(earn(f"{bnk} BNK", "GRO"))
    return day


def begun(day: Day) -> Begun:
    """What waits since the last thing done."""
    waiting = day.facts.notes.external[-1][1]
    assert isinstance(waiting, Begun)
    return waiting


def completing(original: Transfer, waiting: Begun) -> Complete:
    """The command that ends it, as its issuer wants."""
    assert original.transfer_id is not None
    return Complete(
        merchant_no=waiting.merchant_no,
        credential="exchange/external",
        request_id="exchange/external/1",
        fingerprint=b"1",
        original=original.transfer_id,
        terms=waiting.terms,
        is_debit=waiting.is_debit,
    )


def calling_off(original: Transfer, waiting: Begun) -> CallOff:
    """The command that ends it when its issuer will not."""
    assert original.transfer_id is not None
    return CallOff(
        merchant_no=waiting.merchant_no,
        credential="exchange/external",
        request_id="exchange/external/1",
        fingerprint=b"1",
        original=original.transfer_id,
        terms=waiting.terms,
        is_debit=waiting.is_debit,
    )


def moved(legs: object) -> list[tuple[str, int, int, int]]:
    """Account, side, currency and points of each leg."""
    found = [leg for leg in legs if isinstance(leg, PointsLeg)]  # type: ignore[attr-defined]
    return [(Account(leg.account).name, leg.side, leg.currency_no, leg.units) for leg in found]


@given(st.integers(30, 10**9))
def test_completing_moves_and_owes_what_a_conversion_kept_here_would(units: int) -> None:
    """The same terms, the same debts; only what the issuer keeps has no legs."""
    here = Day(coalition(INTO))
    here.do(earn(f"{units} BNK", "GRO"))
    elsewhere = a_day(INTO, bnk=units)

    plain = convert_by_rule(convert(f"{units} BNK", "AIR", by="BNK"), here.facts, here.world)
    first = elsewhere.do(convert(f"{units} BNK", "AIR", by="BNK"))
    last = elsewhere.do(completing(first, begun(elsewhere)))

    assert first.obligations == []
    assert list(last.obligations) == list(plain.obligations)
    burnt = [leg for leg in moved(plain.legs) if leg[0] == "CIRCULATION" and leg[2] == BNK]
    assert [leg for leg in moved(last.legs) if leg[0] == "CIRCULATION"] == burnt
    assert debts(plain)


def test_points_from_outside_are_minted_when_they_were_taken_there() -> None:
    """Nothing moves before; the lot's funder is the source's issuer."""
    day = a_day(OUT)

    first = day.do(convert("5 AIR", "BNK", by="BNK"))
    before = day.facts.accounts[BNK].available
    day.do(completing(first, begun(day)))

    assert (list(first.legs), before, day.facts.accounts[BNK].available) == ([], 0, 100)
    assert [one.funder_no for one in day.facts.accounts[BNK].lots] == [MERCHANT_NO["AIR"]]


def test_what_is_called_off_is_as_it_was() -> None:
    """Every lot has its points again, and they may be spent."""
    day = a_day(INTO, bnk=90)
    lots = list(day.facts.accounts[BNK].lots)

    first = day.do(convert("60 BNK", "AIR", by="BNK"))
    reserved = (day.facts.accounts[BNK].available, day.facts.accounts[BNK].held)
    day.do(calling_off(first, begun(day)))

    assert reserved == (30, 60)
    assert (day.facts.accounts[BNK].available, day.facts.accounts[BNK].held) == (90, 0)
    assert day.facts.accounts[BNK].lots == lots


def test_calling_off_what_moved_nothing_moves_nothing() -> None:
    """A debit that the issuer refused."""
    day = a_day(OUT)

    first = day.do(convert("5 AIR", "BNK", by="BNK"))

    assert list(day.do(calling_off(first, begun(day))).legs) == []


@pytest.mark.parametrize(("days", "left"), [(0, 0), (1, 60)], ids=["today", "tomorrow"])
def test_the_daily_cap_of_that_day_has_what_was_called_off_again(days: int, left: int) -> None:
    """Of a day that has passed nothing is given back."""
    day = a_day(rate("30 BNK", "1 AIR", daily_cap=100), bnk=90)
    first = day.do(convert("60 BNK", "AIR", by="BNK"))
    waiting = begun(day)
    day.facts.now += timedelta(days=days)
    day.facts.today += timedelta(days=days)

    day.do(calling_off(first, waiting))

    assert day.facts.notes.daily_used[(BNK, AIR)] == left


def test_a_balance_without_room_is_no_refusal_when_the_issuer_has_moved() -> None:
    """A refusal would be kept for ever under the one key its end has."""
    day = a_day(OUT)
    first = day.do(convert("5 AIR", "BNK", by="BNK"))
    day.facts.accounts[BNK].available = INT64_MAX

    with pytest.raises(NoRoomYet):
        day.do(completing(first, begun(day)))


def test_nobody_reserves_what_is_not_there() -> None:
    """As a conversion kept here."""
    with pytest.raises(InsufficientPoints):
        a_day(INTO, bnk=59).do(convert("60 BNK", "AIR", by="BNK"))


def test_an_issuer_is_instructed_only_about_whom_it_knows() -> None:
    """Its system would not know whose points."""
    day = a_day(INTO, bnk=60)
    day.facts.notes.references.clear()

    with pytest.raises(NotLinkedToIssuer):
        day.do(convert("60 BNK", "AIR", by="BNK"))


def test_two_currencies_kept_elsewhere_do_not_convert() -> None:
    """One transaction could not tell what both issuers did."""
    day = Day(kept(INTO, codes=("AIR", "BNK")))

    with pytest.raises(ExternallyKept):
        day.do(convert("60 BNK", "AIR", by="BNK"))


def test_nothing_but_conversions_is_asked_of_what_is_kept_elsewhere() -> None:
    """An award is refused before its own rule is asked; one of another currency is not."""
    with pytest.raises(ExternallyKept):
        require_kept_here(earn("1 AIR", "GRO"), kept())
    require_kept_here(earn("1 BNK", "GRO"), kept())


@given(st.integers(1, 86_400), st.integers(0, 10_000))
def test_pauses_between_queries_grow_and_end(answer_seconds: int, queries: int) -> None:
    """Never shorter than the time to answer, nor longer than an hour unless that time is."""
    pause = next_pause(answer_seconds, queries).total_seconds()

    assert answer_seconds <= pause <= max(answer_seconds, ASK_SECONDS_MAX)
    assert pause <= next_pause(answer_seconds, queries + 1).total_seconds()
