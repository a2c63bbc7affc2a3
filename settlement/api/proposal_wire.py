"""Proposals on the wire: documents to values, values to documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

from exchange.money.limits import INT64_MAX
from exchange.serving.checks import Violations, known_numbers
from exchange.serving.instants import timestamp
from settlement.api import default_wire, dispute_wire, documents, exclusion_wire, exit_wire, funds_wire, fx_wire, wire
from settlement.api.fields import currency, listed
from settlement.calendar.books import UnknownBook, book, is_open_by
from settlement.calendar.model import Calendar, Convention, CurrencyCalendar, Frequency
from settlement.calendar.rules import NeverOpen, cut_offs
from settlement.proposals.model import (
    Content,
    Exclusions,
    Kind,
    Proposal,
    Said,
    SpecialClosing,
    Terms,
    Tier,
    Tiers,
)
from settlement.run.asked import CONVERTING_MODE
from settlement.run.legal import BY_MODE, fits
from settlement.v1 import settlement_service_pb2 as pb

CHECKERS_MAX = 9
OPEN_FOR = timedelta(days=400)
"""So far ahead a calendar must have days on which banks are open."""
BOOKS_MAX, DATES_MAX, PAY_LAG_MAX = 8, 366, 30
WEEKDAYS, MONTH_DAYS = 7, 31
FREQUENCIES = {one: pb.CurrencyCalendar.Frequency.Value(f"FREQUENCY_{one.name}") for one in Frequency}
CONVENTIONS = {one: pb.CurrencyCalendar.Convention.Value(f"CONVENTION_{one.name}") for one in Convention}
FREQUENCY_OF: dict[int, Frequency] = {number: one for one, number in FREQUENCIES.items()}
CONVENTION_OF: dict[int, Convention] = {number: one for one, number in CONVENTIONS.items()} | {0: Convention.FOLLOWING}
KINDS: dict[int, Kind] = {pb.ListProposalsRequest.Kind.Value(f"KIND_{kind.name}"): kind for kind in Kind}


def content(check: Violations, proposal: pb.Proposal, path: str = "proposal") -> Content | None:
    """The document somebody proposes; None when none was given, which is said then."""
    readers: dict[str, Callable[[], Content]] = {
        "terms": lambda: _terms(check, proposal.terms, f"{path}.terms"),
        "tiers": lambda: _tiers(check, proposal.tiers, f"{path}.tiers"),
        "exclusions": lambda: exclusion_wire.exclusions(check, proposal.exclusions, f"{path}.exclusions"),
        "calendar": lambda: _calendar(check, proposal.calendar, f"{path}.calendar"),
        "special_closing": lambda: _special_closing(check, proposal.special_closing, f"{path}.special_closing"),
        "funds_terms": lambda: funds_wire.terms(check, proposal.funds_terms, f"{path}.funds_terms"),
        "funds_movement": lambda: funds_wire.movement(check, proposal.funds_movement, f"{path}.funds_movement"),
        "default_declaration": lambda: default_wire.declaration(
            check, proposal.default_declaration, f"{path}.default_declaration"
        ),
        "default_recovery": lambda: default_wire.recovery(check, proposal.default_recovery, f"{path}.default_recovery"),
        "default_write_off": lambda: default_wire.write_off(
            check, proposal.default_write_off, f"{path}.default_write_off"
        ),
        "fx_set": lambda: fx_wire.fx_set(check, proposal.fx_set, f"{path}.fx_set"),
        "participant_exit": lambda: exit_wire.asked_exit(check, proposal.participant_exit, f"{path}.participant_exit"),
        "dispute_policy": lambda: dispute_wire.policy(check, proposal.dispute_policy, f"{path}.dispute_policy"),
        "dispute_decision": lambda: dispute_wire.decision(check, proposal.dispute_decision, f"{path}.dispute_decision"),
        "adjustment": lambda: dispute_wire.agreed(check, proposal.adjustment, f"{path}.adjustment"),
    }
    which = proposal.WhichOneof("content")
    if which is None:
        check.say(f"{path}.content", "is required")
        return None
    return readers[which]()


def _terms(check: Violations, asked: pb.SettlementTerms, path: str) -> Terms:
    number = check.known(f"{path}.mode", asked.mode, known_numbers(pb.NettingMode))
    mode = wire.MODE_NAMES[number]
    model = wire.legal_model(check, f"{path}.legal_model", asked.legal_model) or BY_MODE[mode]
    if not fits(model, mode):
        check.say(f"{path}.legal_model", f"does not go with {mode} netting: nobody stands in the middle")
    minimums, days = asked.minimum_minor_units, asked.maximum_carry_days
    wire.figures(check, f"{path}.minimum_minor_units", minimums, INT64_MAX)
    wire.figures(check, f"{path}.maximum_carry_days", days, wire.CARRY_DAYS_MAX)
    fx = None
    if asked.HasField("conversion"):
        fx = fx_wire.choice(check, asked.conversion, f"{path}.conversion")
        if mode != CONVERTING_MODE:
            check.say(f"{path}.mode", "is not multilateral, but conversion goes through the clearing account")
    return Terms(mode, model, dict(minimums), dict(days), fx, asked.hold_suspended)


def _tiers(check: Violations, asked: pb.ApprovalTiers, path: str) -> Tiers:
    found: list[Tier] = []
    for place, one in listed(check, f"{path}.tiers", asked.tiers):
        tier = Tier(
            currency(check, f"{place}.currency_code", one.currency_code),
            check.within(f"{place}.from_minor_units", one.from_minor_units, 0),
            check.within(f"{place}.checkers", one.checkers, 1, CHECKERS_MAX),
        )
        if any((tier.currency, tier.from_minor_units) == other[:2] for other in found):
            check.say(f"{place}.from_minor_units", "is that of another tier of the currency")
        found.append(tier)
    return Tiers(found)


def _special_closing(check: Violations, asked: pb.SpecialClosing, path: str) -> SpecialClosing:
    window_no = int(check.resource_name(f"{path}.window", asked.window, "windows") or 0)
    codes = [
        currency(check, place, code) for place, code in listed(check, f"{path}.currency_codes", asked.currency_codes)
    ]
    return SpecialClosing(window_no, sorted(set(codes)))


def _calendar(check: Violations, asked: pb.SettlementCalendar, path: str) -> Calendar:
    found: list[CurrencyCalendar] = []
    for place, one in listed(check, f"{path}.currencies", asked.currencies):
        calendar = _currency_calendar(check, one, place)
        if any(calendar.currency == other.currency for other in found):
            check.say(f"{place}.currency_code", "stands there twice")
        found.append(calendar)
    if not found:
        check.say(f"{path}.currencies", "is required")
    return Calendar(tuple(found))


def _currency_calendar(check: Violations, asked: pb.CurrencyCalendar, path: str) -> CurrencyCalendar:
    wrong = len(check.found)
    frequency = FREQUENCY_OF[
        check.known(f"{path}.frequency", asked.frequency, known_numbers(pb.CurrencyCalendar.Frequency))
    ]
    is_weekly, is_monthly = frequency is Frequency.WEEKLY, frequency is Frequency.MONTHLY
    if asked.convention not in CONVENTION_OF:
        check.say(f"{path}.convention", f"is {asked.convention}, no value of the enum")
    if asked.time_zone not in available_timezones():
        check.say(f"{path}.time_zone", "is no IANA time zone" if asked.time_zone else "is required")
    calendar = CurrencyCalendar(
        currency=currency(check, f"{path}.currency_code", asked.currency_code),
        time_zone=asked.time_zone,
        frequency=frequency,
        weekday=check.within(f"{path}.weekday", asked.weekday, int(is_weekly), WEEKDAYS if is_weekly else 0),
        month_day=check.within(f"{path}.month_day", asked.month_day, int(is_monthly), MONTH_DAYS if is_monthly else 0),
        cut_off=_time_of_day(check, f"{path}.cut_off_time", asked.cut_off_time),
        convention=CONVENTION_OF.get(asked.convention, Convention.FOLLOWING),
        pay_lag_days=check.within(f"{path}.pay_lag_days", asked.pay_lag_days, 0, PAY_LAG_MAX),
        holidays=_books(check, f"{path}.holidays", asked.holidays),
        closed=_dates(check, f"{path}.closed_dates", asked.closed_dates),
        open=_dates(check, f"{path}.open_dates", asked.open_dates),
    )
    if len(check.found) == wrong:
        _require_open_days(check, path, calendar)
    return calendar


def _require_open_days(check: Violations, path: str, calendar: CurrencyCalendar) -> None:
    """A calendar by which banks never open would leave windows open for ever."""
    now = datetime.now(UTC)
    try:
        for _ in cut_offs(calendar, is_open_by(calendar), now, now + OPEN_FOR):
            pass
    except NeverOpen as never:
        check.say(f"{path}.closed_dates", f"leave no day open: {never}")


def _time_of_day(check: Violations, path: str, text: str) -> str:
    try:
        if datetime.strptime(text, "%H:%M").strftime("%H:%M") == text:  # noqa: DTZ007 - a time of day has no zone
            return text
    except ValueError:
        pass
    check.say(path, 'is no time of day like "18:00"' if text else "is required")
    return "00:00"


def _books(check: Violations, path: str, names: Sequence[str]) -> tuple[str, ...]:
    for place, name in listed(check, path, names, BOOKS_MAX):
        try:
            book(name)
        except UnknownBook:
            check.say(place, "is no book of holidays there is")
    return tuple(names)


def _dates(check: Violations, path: str, texts: Sequence[str]) -> tuple[date, ...]:
    found = []
    for place, text in listed(check, path, texts, DATES_MAX):
        try:
            day = date.fromisoformat(text)
            assert day.isoformat() == text
            found.append(day)
        except (ValueError, AssertionError):
            check.say(place, 'is no date like "2026-12-31"')
    return tuple(sorted(set(found)))


def message(proposal: Proposal) -> pb.Proposal:
    """A proposal on the wire."""
    found = pb.Proposal(
        name=proposal.name,
        state=pb.Proposal.State.Value(f"STATE_{proposal.state.name}"),
        in_force=proposal.in_force,
        digest=proposal.digest,
        replaces=f"proposals/{proposal.replaces}" if proposal.replaces else "",
        proposed=_said(proposal.proposed),
        decided=_said(proposal.decision) if proposal.decision else None,
    )
    match proposal.content:
        case Terms() as terms:
            found.terms.CopyFrom(_terms_message(terms))
        case Tiers() as tiers:
            found.tiers.CopyFrom(_tiers_message(tiers))
        case Exclusions() as exclusions:
            found.exclusions.CopyFrom(exclusion_wire.message(exclusions))
        case Calendar() as calendar:
            found.calendar.CopyFrom(pb.SettlementCalendar(currencies=map(_calendar_message, calendar.currencies)))
        case SpecialClosing() as closing:
            window = f"windows/{closing.window_no}"
            found.special_closing.CopyFrom(pb.SpecialClosing(window=window, currency_codes=closing.currencies))
        case other:
            documents.write(found, other)
    return found


def _said(said: Said) -> pb.ProposalStep:
    return pb.ProposalStep(time=timestamp(said.at), actor=said.actor, person=said.person, reason=said.reason)


def _terms_message(terms: Terms) -> pb.SettlementTerms:
    return pb.SettlementTerms(
        mode=wire.MODE_NUMBERS[terms.mode],
        legal_model=wire.LEGAL_NUMBERS[terms.legal_model],
        minimum_minor_units=terms.minimums,
        maximum_carry_days=terms.maximum_carry_days,
        conversion=fx_wire.choice_message(terms.fx) if terms.fx else None,
        hold_suspended=terms.holds_suspended,
    )


def _tiers_message(tiers: Tiers) -> pb.ApprovalTiers:
    return pb.ApprovalTiers(
        tiers=[
            pb.ApprovalTier(currency_code=one.currency, from_minor_units=one.from_minor_units, checkers=one.checkers)
            for one in tiers.tiers
        ]
    )


def _calendar_message(one: CurrencyCalendar) -> pb.CurrencyCalendar:
    return pb.CurrencyCalendar(
        currency_code=one.currency,
        time_zone=one.time_zone,
        frequency=FREQUENCIES[one.frequency],
        weekday=one.weekday,
        month_day=one.month_day,
        cut_off_time=one.cut_off,
        convention=CONVENTIONS[one.convention],
        pay_lag_days=one.pay_lag_days,
        holidays=one.holidays,
        closed_dates=[day.isoformat() for day in one.closed],
        open_dates=[day.isoformat() for day in one.open],
    )
