"""Sets of rates between settlement currencies, and runs that bring positions into the currency a merchant chose."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import types_pb2 as types
from settlement.v1 import settlement_service_pb2 as pb
from settlement.v1.settlement_service_pb2_grpc import SettlementServiceStub
from tests.contract.currencies import a_rate, into, rates
from tests.contract.refusals import refusal
from tests.contract.settled import Finance, finance_of
from tests.contract.stillness import nothing_changes
from tests.servers import Server
from tests.worlds import World

EARNING, EXCHANGE = types.MERCHANT_ROLE_EARNING, types.MERCHANT_ROLE_EXCHANGE
BY_ITEM = pb.CONVERSION_BASIS_PER_ITEM


@pytest.fixture
async def finance(own_world: World) -> Finance:
    """GRO and CAF owe USA a cent each, and USA owes nobody; the window is closed."""
    finance = await finance_of(own_world)
    usa = await own_world.merchant("USA", EARNING, EXCHANGE)
    await own_world.currency("USA", usa, money="USD", issue=10_000, redeem=10_000)
    member = await own_world.member("bob", [usa, finance.cast.gro, finance.cast.caf])
    for merchant in (finance.cast.gro, finance.cast.caf):
        await merchant.earn(member, "1 USA")
    await finance.close("windows/1")
    return finance


async def test_a_merchant_is_paid_in_the_currency_it_chose(finance: Finance) -> None:
    """Two cents are 14.4 fen; by item 7 each. Rates, both ways and the digest are part of the run."""
    agreed = await finance.agree(rates())
    await finance.agree(into(USA="CNY"))

    run = (await finance.start("windows/1")).run

    assert run.configuration.fx_set == agreed.fx_set
    assert run.configuration.fx_set_digest == agreed.digest
    assert run.configuration.conversion.settlement_currencies[0].currency_code == "CNY"
    yuan, dollars = run.summaries
    (one,) = dollars.converted_positions
    assert (yuan.currency_code, yuan.obligation_count, yuan.net_minor_units) == ("CNY", 0, 14)
    assert (one.participant, one.into_currency_code, one.net_receive_minor_units) == ("merchants/USA", "CNY", 2)
    assert (one.position_receive_minor_units, one.item_receive_minor_units) == (14, 14)
    assert (one.numerator, one.denominator, one.via_currency_code) == ("72", "10", "")
    (payments,) = await finance.rows(finance.maker, run, "payments")
    assert {(p.currency_code, p.payer, p.payee, p.minor_units) for p in payments} == {
        ("CNY", "merchants/OPR", "merchants/USA", 14),
        ("USD", "merchants/CAF", "merchants/OPR", 1),
        ("USD", "merchants/GRO", "merchants/OPR", 1),
    }
    (positions,) = await finance.rows(finance.maker, run, "positions")
    told = {
        (p.currency_code, p.participant): (p.converted_receivable_minor_units, p.converted_payable_minor_units)
        for p in positions
    }
    assert (told["CNY", "merchants/USA"], told["USD", "merchants/USA"]) == ((14, 0), (0, 2))


async def test_the_difference_of_rounding_by_item_is_told(finance: Finance) -> None:
    """At 7.7 a cent is 8 fen and two are 15: by item USA has one more."""
    await finance.agree(rates(1, a_rate(numerator=77)))
    await finance.agree(into(BY_ITEM, USA="CNY"))

    run = (await finance.start("windows/1")).run

    (one,) = run.summaries[1].converted_positions
    assert (one.position_receive_minor_units, one.item_receive_minor_units) == (15, 16)
    assert (one.difference_gain_minor_units, one.difference_loss_minor_units) == (1, 0)
    assert run.summaries[0].net_minor_units == 16


async def test_a_run_takes_the_newest_version_and_keeps_it(finance: Finance) -> None:
    """A newer one makes another run of it; what was approved with the old one stays as it was."""
    await finance.agree(rates(1))
    await finance.agree(into(USA="CNY"))
    first = (await finance.start("windows/1")).run
    again = await finance.start("windows/1")
    await finance.agree(rates(2, a_rate(numerator=80)))

    untouched = await finance.read(first)
    second = (await finance.start("windows/1")).run

    assert (again.replayed, again.run, untouched) == (True, first, first)
    assert (first.configuration.fx_set.version, second.configuration.fx_set.version) == (1, 2)
    assert first.result_digest != second.result_digest
    assert second.summaries[0].net_minor_units == 16
    assert (await finance.read(first)).state == pb.Run.STATE_VOIDED


async def test_without_terms_that_say_so_nothing_is_converted(finance: Finance) -> None:
    """Each currency by itself, as ever; also where nobody chose."""
    plain = (await finance.start("windows/1")).run
    await finance.agree(rates())
    await finance.agree(into())

    nobody = (await finance.start("windows/1")).run

    assert [one.currency_code for one in plain.summaries] == [one.currency_code for one in nobody.summaries] == ["USD"]
    assert not plain.configuration.HasField("conversion")
    assert not nobody.summaries[0].converted_positions


@pytest.mark.provokes("FX_RATE_MISSING")
async def test_a_rate_that_is_missing_is_refused_by_name(finance: Finance, own_server: Server) -> None:
    """The set knows dollars into yuan, not into yen."""
    await finance.agree(rates())
    await finance.agree(into(USA="JPY"))

    async with nothing_changes(own_server):
        refused = await refusal(finance.start("windows/1"))

    assert refused.reason == "FX_RATE_MISSING"
    assert refused.metadata == {"fx_set": "month-end/1", "from_currency": "USD", "to_currency": "JPY"}


async def test_a_rate_may_go_through_the_base_and_no_other_way(finance: Finance) -> None:
    """Dollars through yuan into yen: 2 cents are 14.4 fen are 2.88 yen."""
    await finance.agree(rates(1, a_rate(), a_rate("CNY JPY", 20, 1), base_currency_code="CNY"))
    await finance.agree(into(USA="JPY"))

    run = (await finance.start("windows/1")).run

    (one,) = run.summaries[1].converted_positions
    assert (one.via_currency_code, one.numerator, one.denominator) == ("CNY", "144", "1")
    assert one.position_receive_minor_units == 3


async def test_what_would_not_fit_is_refused(finance: Finance) -> None:
    """An absurd rate makes of two cents more than 64 bits hold."""
    await finance.agree(rates(1, a_rate(numerator=2**63 - 1, denominator=1)))
    await finance.agree(into(USA="CNY"))

    refused = await refusal(finance.start("windows/1"))

    assert (refused.reason, refused.metadata["figure"]) == ("AMOUNT_OVERFLOW", "converted")


async def test_conversion_goes_with_multilateral_netting_only(finance: Finance) -> None:
    """Whether the terms say another mode or a run asks for one."""
    await finance.agree(rates())
    bilateral = into(USA="CNY")
    bilateral.terms.mode = pb.NETTING_MODE_BILATERAL

    proposed = await refusal(finance.propose(bilateral))
    await finance.agree(into(USA="CNY"))
    asked = await refusal(finance.start("windows/1", mode=pb.NETTING_MODE_BILATERAL))

    assert (proposed.fields, asked.fields) == (("proposal.terms.mode",), ("configuration.mode",))


async def test_a_version_that_was_approved_never_changes(finance: Finance) -> None:
    """Neither it nor one before it is proposed again, nor approved when it was proposed before."""
    late = await finance.propose(rates(1, a_rate(numerator=71)))
    await finance.agree(rates(2))

    proposed = await refusal(finance.propose(rates(2, a_rate(numerator=73))))
    approved = await refusal(finance.approve_proposal(late))

    assert proposed.metadata == {"resource": "fxSets/month-end/2", "state": "OUTDATED", "needed": "above 2"}
    assert approved.metadata == {"resource": "fxSets/month-end/1", "state": "OUTDATED", "needed": "above 2"}


async def test_sets_of_other_names_stand_beside_each_other(finance: Finance) -> None:
    """Each with versions of its own; the newest of each is in force."""
    first = await finance.agree(rates(1))
    other = await finance.agree(rates(1, name="quarter-end"))
    newer = await finance.agree(rates(2))

    found = [
        (await finance.maker.ask(finance.stub.GetProposal, pb.GetProposalRequest(name=one.name))).proposal
        for one in (first, other, newer)
    ]
    assert [one.in_force for one in found] == [False, True, True]
    kind = pb.ListProposalsRequest.KIND_FX_SET
    listed = await finance.maker.ask(finance.stub.ListProposals, pb.ListProposalsRequest(kind=kind))
    assert [one.name for one in listed.proposals] == [newer.name, other.name, first.name]


@pytest.mark.parametrize(
    ("proposal", "resource", "field"),
    [
        (into(fx_set="other"), "fxSets/other", "proposal.terms.conversion.fx_set"),
        (
            into(NIX="CNY"),
            "merchants/NIX",
            "proposal.terms.conversion.settlement_currencies[0].participant",
        ),
        (
            into(OPR="CNY"),
            "merchants/OPR",
            "proposal.terms.conversion.settlement_currencies[0].participant",
        ),
    ],
    ids=["set", "merchant", "operator"],
)
async def test_terms_name_only_what_is_there(
    finance: Finance, proposal: pb.Proposal, resource: str, field: str
) -> None:
    """A set of which a version was approved, and participants; the operator stands opposite to them."""
    await finance.agree(rates())

    refused = await refusal(finance.propose(proposal))

    assert refused.reason == "RESOURCE_NOT_FOUND"
    assert (refused.metadata["resource"], refused.metadata["field"]) == (resource, field)


def twice() -> pb.Proposal:
    """Somebody who chose two currencies."""
    proposal = into(USA="CNY")
    proposal.terms.conversion.settlement_currencies.append(proposal.terms.conversion.settlement_currencies[0])
    return proposal


@pytest.mark.parametrize(
    ("proposal", "field"),
    [
        (rates(0), "fx_set.version"),
        (rates(1, name="Month end"), "fx_set.name"),
        (rates(1, base_currency_code="XXX"), "fx_set.base_currency_code"),
        (rates(1, a_rate(), a_rate()), "fx_set.rates[1].to_currency_code"),
        (rates(1, a_rate("USD USD")), "fx_set.rates[0].to_currency_code"),
        (rates(1, a_rate("USD XXX")), "fx_set.rates[0].to_currency_code"),
        (rates(1, a_rate(numerator=0)), "fx_set.rates[0].numerator"),
        (rates(1, a_rate(denominator=-1)), "fx_set.rates[0].denominator"),
        (rates(1, a_rate(source="")), "fx_set.rates[0].source"),
        (rates(1, a_rate(as_of_date="yesterday")), "fx_set.rates[0].as_of_date"),
        (pb.Proposal(fx_set=pb.FxSet(name="month-end", version=1)), "fx_set.rates"),
        (into(pb.CONVERSION_BASIS_UNSPECIFIED), "terms.conversion.basis"),
        (into(fx_set=""), "terms.conversion.fx_set"),
        (into(USA="XXX"), "terms.conversion.settlement_currencies[0].currency_code"),
        (twice(), "terms.conversion.settlement_currencies[1].participant"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_document_that_makes_no_sense_is_refused(world: World, proposal: pb.Proposal, field: str) -> None:
    """With the path of the field."""
    maker = await world.party(directory.CALLER_ROLE_FINANCE_MAKER)
    stub: Any = SettlementServiceStub(world.stubs.channel)

    refused = await refusal(maker.ask(stub.ProposeChange, pb.ProposeChangeRequest(proposal=proposal)))

    assert (refused.reason, refused.fields) == ("INVALID_FIELD", (f"proposal.{field}",))
