"""Sets of rates and conversion on the wire: requests to values, values to messages."""

from __future__ import annotations

from exchange.serving.checks import Violations
from settlement.api.fields import currency, listed
from settlement.fx.model import Basis, Converted, FxChoice, FxRate, FxSet, FxTerms
from settlement.fx.rules import NAME, problems
from settlement.v1 import settlement_service_pb2 as pb

BASES: dict[Basis, pb.ConversionBasis.ValueType] = {
    one: pb.ConversionBasis.Value(f"CONVERSION_BASIS_{one.name}") for one in Basis
}
BASIS_OF: dict[int, Basis] = {number: one for one, number in BASES.items()}


def fx_set(check: Violations, asked: pb.FxSet, path: str) -> FxSet:
    """A version of a set of rates."""
    rates = tuple(
        FxRate(one.from_currency_code, one.to_currency_code, one.numerator, one.denominator, one.source, one.as_of_date)
        for one in asked.rates
    )
    found = FxSet(asked.name, asked.version, asked.base_currency_code, rates)
    for field, problem in problems(found):
        check.say(f"{path}.{field}", problem)
    return found


def choice(check: Violations, asked: pb.CurrencyConversion, path: str) -> FxChoice:
    """Who settles in which currency, and how positions get there."""
    if not NAME.fullmatch(asked.fx_set):
        check.say(f"{path}.fx_set", 'is no name of a set of rates, such as "month-end"')
    if asked.basis not in BASIS_OF:
        check.say(f"{path}.basis", f"is {asked.basis}, no value of the enum" if asked.basis else "is required")
    into: dict[str, str] = {}
    for at, one in listed(check, f"{path}.settlement_currencies", asked.settlement_currencies):
        name = check.resource_name(f"{at}.participant", one.participant, "merchants")
        if name in into:
            check.say(f"{at}.participant", "stands there twice")
        into[name] = currency(check, f"{at}.currency_code", one.currency_code)
    return FxChoice(asked.fx_set, BASIS_OF.get(asked.basis, Basis.PER_POSITION), into)


def fx_set_message(fx: FxSet) -> pb.FxSet:
    """A version of a set of rates on the wire."""
    return pb.FxSet(
        name=fx.name,
        version=fx.version,
        base_currency_code=fx.base,
        rates=[
            pb.FxRate(
                from_currency_code=one.from_currency,
                to_currency_code=one.to_currency,
                numerator=one.numerator,
                denominator=one.denominator,
                source=one.source,
                as_of_date=one.as_of,
            )
            for one in fx.rates
        ],
    )


def choice_message(choice: FxChoice | FxTerms) -> pb.CurrencyConversion:
    """What was agreed about currencies, or what a run used, on the wire."""
    return pb.CurrencyConversion(
        fx_set=choice.fx_set if isinstance(choice, FxChoice) else choice.fx.name,
        basis=BASES[choice.basis],
        settlement_currencies=[
            pb.SettlementCurrency(participant=f"merchants/{name}", currency_code=code)
            for name, code in sorted(choice.into.items())
        ],
    )


def converted_message(one: Converted) -> pb.ConvertedPosition:
    """A position both ways on the wire."""
    return pb.ConvertedPosition(
        participant=f"merchants/{one.participant}",
        into_currency_code=one.into_currency,
        net_receive_minor_units=max(one.net, 0),
        net_pay_minor_units=max(-one.net, 0),
        position_receive_minor_units=one.position_receivable,
        position_pay_minor_units=one.position_payable,
        item_receive_minor_units=max(one.per_item, 0),
        item_pay_minor_units=max(-one.per_item, 0),
        difference_gain_minor_units=max(one.difference, 0),
        difference_loss_minor_units=max(-one.difference, 0),
        numerator=str(one.numerator),
        denominator=str(one.denominator),
        via_currency_code=one.via,
    )
