"""Rates on their way: proposed, looked at, approved by somebody else, superseded, revoked; and bounds."""

from datetime import UTC, timedelta

from exchange.v1 import rate_service_pb2 as pb
from tests.contract.cast import Cast
from tests.contract.drafts import (
    approved,
    looked_at,
    proposed,
    read,
    revoked,
    validated,
    withdrawn,
)
from tests.contract.pages import every_page
from tests.contract.refusals import refusal
from tests.publications import a_rate
from tests.worlds import Party, World, instant

STATE = pb.RateDraft.State


async def the_list(world: World, source: str) -> list[pb.Rate]:
    """Every version out of a currency."""
    request = pb.ListRatesRequest(source_currency=f"currencies/{source}")
    return list((await world.operator.ask(world.stubs.rates.ListRates, request)).rates)


async def test_a_merchants_rate_holds_once_the_operator_approves(cast: Cast, world: World, checker: Party) -> None:
    """Proposed by the issuer, looked at, approved: conversions at it are told its name."""
    pair = await cast.pair()
    await revoked(world.operator, pair.rate)
    wanted = a_rate(pair.source, pair.target, "2:1", fee_micros=7)
    before = await world.now()

    draft = await proposed(pair.issuers[0], wanted, note="spring table")
    found = await looked_at(pair.issuers[0], draft)
    published = (await approved(checker, draft, "as agreed")).draft

    assert (draft.state, draft.merchant, draft.note) == (STATE.STATE_PROPOSED, pair.issuers[0].name, "spring table")
    wanted.block_units = 1
    assert (draft.rates[0], draft.proposer) == (wanted, pair.issuers[0].key)
    assert (found.draft.state, list(found.report.problems)) == (STATE.STATE_VALIDATED, [])
    assert (published.state, published.reason, published.digest) == (STATE.STATE_APPROVED, "as agreed", draft.digest)
    (rate,) = published.rates
    assert rate in await the_list(world, pair.source)
    assert (rate.draft, rate.source_units, rate.fee_micros) == (draft.name, 2, 7)
    assert before <= rate.effective_time.ToDatetime(UTC) == rate.publish_time.ToDatetime(UTC) <= await world.now()
    ada = await pair.member(10)
    assert (await pair.convert(ada, 10)).transfer.rate == rate.name


async def test_a_draft_of_the_operator_is_approved_by_another_operator(
    cast: Cast, world: World, maker: Party, checker: Party
) -> None:
    """Several rates are published together, at the same instant."""
    pair = await cast.pair(ratio="2:1")
    gold = a_rate(pair.source, pair.target, "1:1", tier="GOLD")
    silver = a_rate(pair.source, pair.target, "3:2", tier="SILVER")

    draft = await validated(maker, gold, silver)
    published = (await approved(checker, draft)).draft

    assert draft.merchant == ""
    assert [rate.tier for rate in published.rates] == ["GOLD", "SILVER"]
    assert published.rates[0].effective_time == published.rates[1].effective_time
    assert {rate.name for rate in published.rates} < {rate.name for rate in await the_list(world, pair.source)}


async def test_a_successor_takes_over_without_a_gap(cast: Cast, world: World, maker: Party, checker: Party) -> None:
    """What it supersedes ends at the very instant it begins, and says so from the approval on."""
    pair = await cast.pair(ratio="1:1")
    noon = await world.now() + timedelta(hours=2)
    wanted = a_rate(pair.source, pair.target, "2:1", supersedes=pair.rate.name, effective_time=instant(noon))

    draft = await validated(maker, wanted)
    (successor,) = (await approved(checker, draft)).draft.rates

    before, after = await the_list(world, pair.source)
    assert (before.name, before.end_time) == (pair.rate.name, instant(noon))
    assert (after, after.supersedes) == (successor, pair.rate.name)


async def test_a_rate_published_without_a_second_person_supersedes_too(cast: Cast, world: World) -> None:
    """Where that is allowed; from now on its terms hold."""
    pair = await cast.pair(ratio="1:1")

    successor = await world.rate(pair.source, pair.target, "5:1", supersedes=pair.rate.name)

    ada = await pair.member(10)
    assert (await pair.convert(ada, 10)).transfer.received.units == 2
    assert [rate.name for rate in await the_list(world, pair.source)] == [pair.rate.name, successor.name]


async def test_what_is_found_of_a_draft_tells_every_step_of_its_round_trip(
    cast: Cast, world: World, maker: Party
) -> None:
    """And what the prices leave the operator: 1 500 for 2 points out, 1 000 for one in."""
    pair = await cast.pair(ratio="1:1", out_price=1_000, in_price=1_000)
    await world.price(pair.target, conversion_in=1_000, conversion_out=1_500)
    await world.price(pair.source, conversion_in=1_000, conversion_out=1_000)

    found = await looked_at(maker, await proposed(maker, a_rate(pair.target, pair.source, "5:4")))

    (trip,), (spread,) = found.report.round_trips, found.report.spreads
    assert (found.draft.state, list(found.report.problems)) == (STATE.STATE_VALIDATED, [])
    assert (trip.field, trip.returns) == ("rates[0]", "4/5")
    assert [(step.rate, step.source_currency[11:], step.target_currency[11:], step.gain) for step in trip.steps] == [
        ("rates[0]", pair.target, pair.source, "4/5"),
        (pair.rate.name, pair.source, pair.target, "1/1"),
    ]
    # 5 points out are worth 7 500, 4 in cost 4 000.
    assert (spread.out_micros, spread.in_micros, spread.kept_bps) == (1_500, 1_000, 4_666)


async def test_a_draft_that_gains_stays_proposed_and_tells_the_circle(cast: Cast, world: World, maker: Party) -> None:
    """Mended is a new draft; this one can still be looked at when the other rate has gone."""
    pair = await cast.pair(ratio="1:1")
    await world.price(pair.target, conversion_in=1_000, conversion_out=2_000)
    await world.price(pair.source, conversion_in=1_000, conversion_out=1_000)
    draft = await proposed(maker, a_rate(pair.target, pair.source, "10:11"))

    found = await looked_at(maker, draft)
    await revoked(world.operator, pair.rate)
    again = await looked_at(maker, draft)

    (problem,), (trip,) = found.report.problems, found.report.round_trips
    assert (found.draft.state, problem.reason, problem.field) == (STATE.STATE_PROPOSED, "ROUND_TRIP_GAINS", "")
    assert problem.metadata["product"] == trip.returns == "11/10"
    assert problem.metadata["cycle"] in problem.message
    assert (again.draft.state, list(again.report.problems)) == (STATE.STATE_VALIDATED, [])


async def test_approving_again_is_answered_as_before(cast: Cast, maker: Party, checker: Party) -> None:
    """By the same caller: the first answer may have been lost on its way."""
    pair = await cast.pair()
    draft = await validated(maker, a_rate(pair.source, pair.target, "2:1", tier="GOLD"))

    first, second = await approved(checker, draft), await approved(checker, draft)

    assert (first.replayed, second.replayed) == (False, True)
    assert second.draft == first.draft


async def test_a_withdrawn_draft_is_kept_and_never_published(cast: Cast, world: World) -> None:
    """By its merchant or the operator; withdrawing again is answered as before."""
    pair = await cast.pair()
    mine = await proposed(pair.issuers[0], a_rate(pair.source, pair.target, "2:1", tier="GOLD"))
    theirs = await validated(pair.issuers[0], a_rate(pair.source, pair.target, "3:1", tier="GOLD"))

    first = await withdrawn(pair.issuers[0], mine, "changed my mind")
    again = await withdrawn(pair.issuers[0], mine)
    refused = await withdrawn(world.operator, theirs, "too little")

    assert (first.replayed, again.replayed, refused.replayed) == (False, True, False)
    assert (first.draft.state, first.draft.reason) == (STATE.STATE_WITHDRAWN, "changed my mind")
    assert await read(pair.issuers[0], theirs) != refused.draft, "whose key it was is the operator's affair"
    assert (await read(world.operator, theirs)) == refused.draft
    assert len(await the_list(world, pair.source)) == 1


async def test_drafts_are_listed_page_by_page_to_those_they_concern(cast: Cast, world: World) -> None:
    """A merchant sees its own, the operator and auditors all, by state if they like."""
    pair = await cast.pair()
    drafts = [
        await proposed(pair.issuers[place % 2], a_rate(pair.source, pair.target, "2:1", tier=f"T{place}"))
        for place in range(4)
    ]
    await withdrawn(world.operator, drafts[2])
    auditor = await world.auditor()

    own = await every_page(pair.issuers[0], world.stubs.rates.ListRateDrafts, pb.ListRateDraftsRequest, 1)
    everybodys = await every_page(auditor, world.stubs.rates.ListRateDrafts, pb.ListRateDraftsRequest, 100)
    gone = await every_page(
        pair.issuers[0], world.stubs.rates.ListRateDrafts, pb.ListRateDraftsRequest, 9, state=STATE.STATE_WITHDRAWN
    )

    names = [draft.name for page in own for draft in page.drafts]
    assert [name for name in names if name in {draft.name for draft in drafts}] == [drafts[0].name, drafts[2].name]
    assert names == sorted(names)
    assert {draft.name for draft in drafts} <= {draft.name for page in everybodys for draft in page.drafts}
    assert drafts[2].name in {draft.name for page in gone for draft in page.drafts}
    assert {draft.state for page in gone for draft in page.drafts} == {STATE.STATE_WITHDRAWN}


async def test_a_revoked_rate_converts_nothing_any_more(cast: Cast, world: World) -> None:
    """At once; what was converted stands, the list tells when it was, and asking again changes nothing."""
    pair = await cast.pair()
    ada = await pair.member(100)
    await pair.convert(ada, 10)

    first = await revoked(world.operator, pair.rate)
    again = await revoked(world.operator, pair.rate, "once more")
    refused = await refusal(pair.convert(ada, 10))

    assert (first.replayed, again.replayed, again.rate) == (False, True, first.rate)
    assert first.rate.end_time == first.rate.revoke_time
    assert await the_list(world, pair.source) == [first.rate]
    assert refused.reason == "NO_RATE"
    assert await pair.balances(ada) == (90, 10)


async def test_a_revoked_successor_does_not_bring_back_what_it_superseded(cast: Cast, world: World) -> None:
    """What was told to end ends: from then on nothing is converted until somebody proposes what."""
    pair = await cast.pair()
    tomorrow = await world.now() + timedelta(days=1)
    successor = await world.rate(
        pair.source, pair.target, "2:1", supersedes=pair.rate.name, effective_time=instant(tomorrow)
    )

    taken_back = (await revoked(world.operator, successor)).rate

    request = pb.GetEffectiveRateRequest(
        source_currency=f"currencies/{pair.source}",
        target_currency=f"currencies/{pair.target}",
        at_time=instant(tomorrow),
    )
    assert taken_back.end_time == taken_back.effective_time == instant(tomorrow)
    assert (await refusal(cast.gen.ask(world.stubs.rates.GetEffectiveRate, request))).reason == "NO_RATE"


async def test_bounds_hold_for_what_is_published_afterwards(own_world: World) -> None:
    """Everybody may read them; what was published before stays."""
    issuer = await own_world.merchant("ISS")
    for code in ("AA", "BB", "CC"):
        await own_world.currency(code, issuer, conversion_in=1, conversion_out=1)
    before = await own_world.rate("AA", "BB", "1:1", fee_micros=9)
    rates, operator = own_world.stubs.rates, own_world.operator
    wanted = pb.RateBounds(fee_micros_max=5, bonus_bps_max=2_500, margin_bps_max=9_000, change_bps_max=1_000)

    unbounded = await issuer.ask(rates.GetRateBounds, pb.GetRateBoundsRequest())
    answer = await operator.ask(rates.SetRateBounds, pb.SetRateBoundsRequest(bounds=wanted, reason="policy"))
    refused = await refusal(own_world.rate("AA", "CC", "1:1", fee_micros=6))
    await own_world.rate("AA", "CC", "1:1", fee_micros=5)

    assert unbounded.bounds == pb.RateBounds()
    assert answer.bounds == (await issuer.ask(rates.GetRateBounds, pb.GetRateBoundsRequest())).bounds == wanted
    assert (refused.reason, refused.metadata["figure"]) == ("RATE_OUT_OF_BOUNDS", "fee_micros")
    assert before in await the_list(own_world, "AA")


async def test_the_same_terms_have_the_same_digest_and_others_another(cast: Cast) -> None:
    """Every field of the terms belongs to it, and so does the order; who proposed it does not."""
    pair = await cast.pair()
    terms = a_rate(pair.source, pair.target, "2:1", tier="GOLD")
    other = a_rate(pair.source, pair.target, "2:1", tier="SILVER")
    changed = [
        a_rate(pair.source, pair.target, "2:1", tier="GOLD", **{name: 7})
        for name in ("block_units", "minimum_units", "maximum_units", "fee_micros", "fee_per_point_micros")
    ]
    changed += [
        a_rate(pair.source, pair.target, "2:1", tier="GOLD", fee_cap_micros=1),
        a_rate(pair.source, pair.target, "2:1", tier="GOLD", member_daily_cap_units=1),
        a_rate(pair.source, pair.target, "2:1", tier="GOLD", bonus_every_units=9, bonus_units=1),
        a_rate(pair.source, pair.target, "2:1", tier="GOLD", effective_time=instant("2150-01-01T00:00:00Z")),
        a_rate(pair.source, pair.target, "2:1", tier="GOLD", end_time=instant("2150-01-01T00:00:00Z")),
        a_rate(pair.source, pair.target, "2:1", tier="GOLD", supersedes=pair.rate.name),
        a_rate(pair.target, pair.source, "2:1", tier="GOLD"),
        a_rate(pair.source, pair.target, "2:2", tier="GOLD"),
        a_rate(pair.source, pair.target, "1:1", tier="GOLD"),
    ]

    first, same = await proposed(pair.issuers[0], terms, other), await proposed(pair.issuers[1], terms, other)
    swapped = await proposed(pair.issuers[0], other, terms)
    others = [await proposed(pair.issuers[0], one, other) for one in changed]

    assert first.digest == same.digest
    assert len({draft.digest for draft in (first, swapped, *others)}) == 2 + len(changed)
    for draft in (first, same, swapped, *others):
        await withdrawn(pair.issuers[0] if draft.merchant == pair.issuers[0].name else pair.issuers[1], draft)
