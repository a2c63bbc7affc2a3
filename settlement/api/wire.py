"""Settlement messages: requests to values, values to messages. Participants are merchants' names on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from exchange.money.currencies import MINOR_EXPONENT, micros_per_minor
from exchange.money.limits import INT64_MAX
from exchange.serving.checks import Violations
from exchange.serving.instants import timestamp
from exchange.v1 import types_pb2 as types
from settlement.api import exclusion_wire, fx_wire
from settlement.exchange_ledger import Entry
from settlement.netting.registry import MODES
from settlement.run.asked import Asked
from settlement.run.carrying import Age
from settlement.run.legal import LegalModel
from settlement.run.life import Decision, RunState, Transition
from settlement.run.model import Configuration, CurrencyResult, PairFigures, PaymentFigures, Position, Run
from settlement.v1 import settlement_service_pb2 as pb
from settlement.windows.service import WindowView

OPEN = "windows/open"

MODE_NUMBERS = {name: pb.NettingMode.Value(f"NETTING_MODE_{name.upper()}") for name in MODES}
MODE_NAMES: dict[int, str] = {number: name for name, number in MODE_NUMBERS.items()}
LEGAL_NUMBERS = {model: pb.LegalModel.Value(f"LEGAL_MODEL_{model.name}") for model in LegalModel}
LEGAL_MODELS: dict[int, LegalModel] = {number: model for model, number in LEGAL_NUMBERS.items()}
CAUSES = {
    "minimum": pb.CarriedItem.CAUSE_MINIMUM,
    "not_due": pb.CarriedItem.CAUSE_NOT_DUE,
    "excluded": pb.CarriedItem.CAUSE_EXCLUDED,
    "disputed": pb.CarriedItem.CAUSE_DISPUTED,
}
RUN_STATES = {state: pb.Run.State.Value(f"STATE_{state.name}") for state in RunState}
WINDOW_STATES = {
    RunState.CALCULATED: pb.Window.STATE_CALCULATED,
    RunState.SUBMITTED: pb.Window.STATE_CALCULATED,
    RunState.APPROVED: pb.Window.STATE_APPROVED,
    RunState.INSTRUCTED: pb.Window.STATE_INSTRUCTED,
    RunState.PARTIALLY_SETTLED: pb.Window.STATE_PARTIALLY_SETTLED,
    RunState.SETTLED: pb.Window.STATE_SETTLED,
}
"""How far a window is by its run. A run that has ended leaves it closed."""

ETAG_MAX = 64
REASON_MAX = 500
CARRY_DAYS_MAX = 3_660
"""Ten years: what is older was forgotten, not carried."""


def window_no(check: Violations, path: str, name: str) -> int | None:
    """The number in a window's name; None for the open one."""
    if name == OPEN:
        return None
    return int(check.resource_name(path, name, "windows") or 0)


def run_id(check: Violations, path: str, name: str) -> UUID:
    """The id in a run's name."""
    text = check.resource_name(path, name, "runs")
    try:
        return UUID(text)
    except ValueError:
        check.say(path, 'is no name of the form "runs/UUID"')
        return UUID(int=0)


def figures(check: Violations, path: str, by_code: Mapping[str, int], at_most: int) -> None:
    """Figures by ISO 4217 code, none below 0."""
    for code, figure in by_code.items():
        if code not in MINOR_EXPONENT:
            check.say(f"{path}[{code}]", "is no ISO 4217 currency")
        check.within(f"{path}[{code}]", figure, 0, at_most)


def legal_model(check: Violations, path: str, number: int) -> LegalModel | None:
    """What a netting is to be in law; None: nothing was said."""
    if number and number not in LEGAL_MODELS:
        check.say(path, f"is {number}, no value of the enum")
    return LEGAL_MODELS.get(number)


def asked(check: Violations, configuration: pb.RunConfiguration) -> Asked:
    """What a run is asked to do."""
    mode = configuration.mode
    if mode and mode not in MODE_NAMES:
        check.say("configuration.mode", f"is {mode}, no value of the enum")
    minimums, days = configuration.minimum_minor_units, configuration.maximum_carry_days
    figures(check, "configuration.minimum_minor_units", minimums, INT64_MAX)
    figures(check, "configuration.maximum_carry_days", days, CARRY_DAYS_MAX)
    model = legal_model(check, "configuration.legal_model", configuration.legal_model)
    return Asked(MODE_NAMES.get(mode), model, dict(minimums), dict(days))


def merchant_name(participant: str) -> str:
    """Resource name of a participant."""
    return f"merchants/{participant}"


def window_message(view: WindowView) -> pb.Window:
    """A window on the wire."""
    window = view.window
    return pb.Window(
        name=window.name,
        state=_window_state(view),
        run=f"runs/{view.run_id}" if view.run_id else "",
        open_time=timestamp(window.opened_at),
        close_time=timestamp(window.closed_at),
        closed_by=window.closed_by or "",
        due_time=timestamp(view.due_at),
        cut_offs=[
            pb.CutOff(currency_code=one.currency, time=timestamp(one.at), pay_date=one.pay_day.isoformat())
            for one in view.cut_offs
        ],
        head=view.head,
    )


def _window_state(view: WindowView) -> pb.Window.State.ValueType:
    if view.window.closed_at is None:
        return pb.Window.STATE_OPEN
    if view.state is None:
        return pb.Window.STATE_CLOSED
    return WINDOW_STATES[view.state]


def run_message(run: Run) -> pb.Run:
    """A run on the wire, with everything that happened to it."""
    life = run.life
    return pb.Run(
        etag=run.etag,
        checkers_needed=life.checkers_needed,
        steps=[_step(one) for one in life.transitions],
        decisions=[_decision(one) for one in life.decisions],
        name=run.name,
        window=f"windows/{run.window_no}",
        configuration=configuration_message(run.configuration),
        state=RUN_STATES[life.state],
        result_digest=run.digest,
        create_time=timestamp(run.created_at),
        created_by=run.created_by,
        summaries=[_summary(one) for one in run.result],
    )


def configuration_message(configuration: Configuration) -> pb.RunConfiguration:
    """What a run was asked to do."""
    return pb.RunConfiguration(
        mode=MODE_NUMBERS[configuration.mode],
        minimum_minor_units=configuration.minimums,
        maximum_carry_days=configuration.maximum_carry_days,
        legal_model=LEGAL_NUMBERS[configuration.legal_model],
        excluded=map(merchant_name, configuration.excluded),
        released=map(merchant_name, configuration.released),
        released_items=[exclusion_wire.release_message(one, 0) for one in configuration.chosen],
        suspended=map(merchant_name, configuration.suspended),
        waiting_currency_codes=configuration.waiting,
        conversion=fx_wire.choice_message(configuration.fx) if configuration.fx else None,
        fx_set=fx_wire.fx_set_message(configuration.fx.fx) if configuration.fx else None,
        fx_set_digest=configuration.fx.digest if configuration.fx else "",
    )


def _step(one: Transition) -> pb.RunStep:
    return pb.RunStep(
        state=RUN_STATES[RunState(one.to_state)],
        time=timestamp(one.at),
        actor=one.actor,
        person=one.person or "",
        reason=one.reason,
    )


def _decision(one: Decision) -> pb.RunDecision:
    return pb.RunDecision(
        approved=one.verdict == RunState.APPROVED,
        time=timestamp(one.at),
        actor=one.actor,
        person=one.person,
        reason=one.reason,
        result_digest=one.digest,
    )


def _summary(one: CurrencyResult) -> pb.CurrencySummary:
    return pb.CurrencySummary(
        currency_code=one.currency,
        gross_minor_units=one.gross,
        bilateral_minor_units=one.bilateral,
        net_minor_units=one.net,
        paid_minor_units=one.paid,
        obligation_count=one.obligations,
        held_minor_units=one.held,
        carried_minor_units=sum(item.amount for item in one.carried),
        pay_date=one.pay_date or "",
        certificate=one.certificate,
        converted_positions=map(fx_wire.converted_message, one.converted),
    )


def position_message(one: CurrencyResult, position: Position) -> pb.NetPosition:
    """A position on the wire."""
    net = position.receivable - position.payable
    return pb.NetPosition(
        currency_code=one.currency,
        participant=merchant_name(position.participant),
        receivable_minor_units=position.receivable,
        payable_minor_units=position.payable,
        net_receive_minor_units=max(net, 0),
        net_pay_minor_units=max(-net, 0),
        carried_minor_units=position.carried,
        held_receivable_minor_units=position.held_receivable,
        held_payable_minor_units=position.held_payable,
        converted_receivable_minor_units=sum(leg.amount for leg in one.legs if leg.creditor == position.participant),
        converted_payable_minor_units=sum(leg.amount for leg in one.legs if leg.debtor == position.participant),
    )


def pair_message(currency: str, pair: PairFigures) -> pb.PairTotal:
    """A pair on the wire."""
    left = pair.micros - pair.arisen * micros_per_minor(currency)
    return pb.PairTotal(
        currency_code=currency,
        debtor=merchant_name(pair.debtor),
        creditor=merchant_name(pair.creditor),
        micros=str(pair.micros),
        gross_minor_units=pair.gross,
        net_minor_units=pair.net,
        obligation_count=pair.obligations,
        carried_in_minor_units=pair.carried_in,
        held_in_minor_units=pair.held_in,
        held_minor_units=pair.held,
        rounded_down_micros=max(left, 0),
        rounded_up_micros=max(-left, 0),
        adjusted_minor_units=pair.adjusted,
    )


def carried_messages(one: CurrencyResult, closed_on: date) -> list[pb.CarriedItem]:
    """What came in and what leaves of one currency; ages are counted to the day the window was cut off."""
    ways = pb.CarriedItem.WAY_CAME_IN, pb.CarriedItem.WAY_LEAVES
    parts = (*one.carried_in, *one.held_in), (*one.carried, *one.held_items)
    return [
        pb.CarriedItem(
            currency_code=one.currency,
            debtor=merchant_name(item.debtor),
            creditor=merchant_name(item.creditor),
            minor_units=item.amount,
            way=way,
            cause=CAUSES[item.because],
            since_window=f"windows/{item.since_window}",
            since_date=item.since,
            age_days=Age(item.since_window, item.since).days(closed_on),
            excluded=map(merchant_name, item.parties),
            dispute=f"disputes/{item.dispute}" if item.dispute else "",
        )
        for way, items in zip(ways, parts, strict=True)
        for item in items
    ]


def carried_key(item: pb.CarriedItem) -> str:
    """Where an item stands among those of a run."""
    age = int(item.since_window.removeprefix("windows/"))
    why = f"{item.cause} {item.excluded} {item.dispute}"
    return f"{item.currency_code} {item.way} {item.debtor} {item.creditor} {age:019} {why}"


def payment_message(currency: str, payment: PaymentFigures) -> pb.Payment:
    """A payment on the wire."""
    return pb.Payment(
        currency_code=currency,
        payer=merchant_name(payment.payer),
        payee=merchant_name(payment.payee),
        minor_units=payment.amount,
    )


def entry_message(entry: Entry) -> pb.ObligationEntry:
    """An obligation with its transfer on the wire."""
    return pb.ObligationEntry(
        transfer=f"transfers/{entry.transfer_id}",
        ledger_sequence=entry.ledger_sequence,
        window=f"windows/{entry.window_no}",
        event_time=timestamp(entry.occurred_at),
        obligation=types.Obligation(
            kind=types.Obligation.Kind.ValueType(entry.kind),
            debtor=merchant_name(entry.debtor),
            creditor=merchant_name(entry.creditor),
            amount=types.MoneyAmount(currency_code=entry.currency, micros=entry.micros),
            points_units=entry.points_units,
            price_micros=entry.price_micros,
        ),
    )
