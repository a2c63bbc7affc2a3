"""Rate messages: requests to values, values to messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from exchange.callers import Caller
from exchange.directory.model import Directory
from exchange.ledger.ids import parsed_id
from exchange.money.limits import BASIS_POINTS, INT64_MAX
from exchange.rates.cycles import Step
from exchange.rates.drafts.model import RATES_MAX, Draft, DraftState, Report, Wanted
from exchange.rates.model import Rate
from exchange.rates.proofs import RoundTrip, product_text
from exchange.rates.proposed import Bounds, Proposal
from exchange.rates.rules import Spread
from exchange.serving.checks import EPOCH, Violations, known_numbers
from exchange.serving.instants import timestamp
from exchange.v1 import rate_service_pb2 as pb

REASON_MAX = 500
STATE_NUMBERS = known_numbers(pb.RateDraft.State)


def wanted_rate(check: Violations, wanted: pb.Rate, path: str) -> Wanted:
    """A rate as asked for; currency numbers and ids are filled in by the use case."""
    source = check.resource_name(f"{path}.source_currency", wanted.source_currency, "currencies")
    target = check.resource_name(f"{path}.target_currency", wanted.target_currency, "currencies")
    if source and source == target:
        check.say(f"{path}.target_currency", "is the source currency")
    begins = (
        check.instant(f"{path}.effective_time", wanted.effective_time) if wanted.HasField("effective_time") else None
    )
    return Wanted(source, target, Proposal(_rate(check, wanted, path), begins))


def wanted_rates(check: Violations, wanted: Sequence[pb.Rate]) -> list[Wanted]:
    """The rates of a draft."""
    if not 1 <= len(wanted) <= RATES_MAX:
        check.say("rates", f"holds {len(wanted)} rates, not 1 to {RATES_MAX}" if wanted else "is required")
    return [wanted_rate(check, rate, f"rates[{place}]") for place, rate in enumerate(wanted)]


def _rate(check: Violations, wanted: pb.Rate, path: str) -> Rate:
    if bool(wanted.bonus_every_units) != bool(wanted.bonus_units):
        check.say(f"{path}.bonus_units", "and bonus_every_units come together")
    maximum = check.within(f"{path}.maximum_units", wanted.maximum_units, 0)
    if maximum and maximum < wanted.minimum_units:
        check.say(f"{path}.maximum_units", "is below minimum_units")
    return Rate(
        rate_id=None,
        source_no=0,
        target_no=0,
        source_units=check.positive(f"{path}.source_units", wanted.source_units),
        target_units=check.positive(f"{path}.target_units", wanted.target_units),
        block_units=check.within(f"{path}.block_units", wanted.block_units, 0) or 1,
        minimum_units=check.within(f"{path}.minimum_units", wanted.minimum_units, 0),
        maximum_units=maximum,
        bonus_every_units=check.within(f"{path}.bonus_every_units", wanted.bonus_every_units, 0),
        bonus_units=check.within(f"{path}.bonus_units", wanted.bonus_units, 0),
        fee_micros=check.within(f"{path}.fee_micros", wanted.fee_micros, 0),
        fee_per_point_micros=check.within(f"{path}.fee_per_point_micros", wanted.fee_per_point_micros, 0),
        fee_cap_micros=check.within(f"{path}.fee_cap_micros", wanted.fee_cap_micros, 0),
        member_daily_cap_units=check.within(f"{path}.member_daily_cap_units", wanted.member_daily_cap_units, 0),
        effective_at=EPOCH,
        ends_at=check.instant(f"{path}.end_time", wanted.end_time) if wanted.HasField("end_time") else None,
        published_at=EPOCH,
        tier=check.tier(f"{path}.tier", wanted.tier),
        supersedes=(
            parsed_id(check.uuid_name(f"{path}.supersedes", wanted.supersedes, "rates")) if wanted.supersedes else None
        ),
    )


def bounds_of(request: pb.SetRateBoundsRequest) -> tuple[Bounds, str]:
    """Bounds to set, and why.

    Raises:
        InvalidField: names every field that is not well formed.
    """
    check = Violations()
    if not request.HasField("bounds"):
        check.say("bounds", "is required")
    figures = {name: check.within(f"bounds.{name}", getattr(request.bounds, name), 0) for name in Bounds._fields}
    reason = check.text("reason", request.reason, 0, REASON_MAX)
    check.raise_if_any()
    return Bounds(**figures), reason


def bounds_message(bounds: Bounds) -> pb.RateBounds:
    """Bounds on the wire."""
    return pb.RateBounds(**bounds._asdict())


def rate_message(rate: Rate, directory: Directory) -> pb.Rate:
    """A published rate on the wire."""
    message = _terms_message(rate, rate.effective_at, directory)
    message.name = rate.name
    message.MergeFrom(pb.Rate(publish_time=timestamp(rate.published_at), revoke_time=timestamp(rate.revoked_at)))
    message.draft = f"rateDrafts/{rate.draft_id}" if rate.draft_id else ""
    return message


def draft_message(draft: Draft, directory: Directory, caller: Caller) -> pb.RateDraft:
    """A draft on the wire, as a caller may see it."""
    if draft.state is DraftState.APPROVED:
        rates = [rate_message(proposal.rate, directory) for proposal in draft.proposals]
    else:
        rates = [_terms_message(proposal.rate, proposal.begins, directory) for proposal in draft.proposals]
    return pb.RateDraft(
        name=draft.name,
        state=draft.state,  # type: ignore[arg-type]
        rates=rates,
        note=draft.note,
        digest=draft.digest,
        merchant="" if draft.merchant_no is None else directory.merchants[draft.merchant_no].name,
        proposer=draft.proposed_person or draft.proposed_by,
        propose_time=timestamp(draft.proposed_at),
        decider=(draft.decided_person or draft.decided_by) if caller.sees_all else "",
        decide_time=timestamp(draft.decided_at),
        reason=draft.reason,
    )


def report_message(report: Report, draft: Draft, directory: Directory) -> pb.RateReport:
    """What was found of a draft, on the wire."""
    places: dict[UUID | None, int] = {one.rate.rate_id: place for place, one in enumerate(draft.proposals)}
    return pb.RateReport(
        problems=[
            pb.RateProblem(
                field="" if problem.place is None else f"rates[{problem.place}]",
                reason=problem.refusal.reason,
                message=str(problem.refusal),
                metadata=problem.refusal.data,
            )
            for problem in report.problems
        ],
        spreads=[_spread_message(place, spread) for place, spread in enumerate(report.spreads) if spread is not None],
        round_trips=[_trip_message(place, trip, places, directory) for place, trip in report.round_trips],
    )


def _terms_message(rate: Rate, begins: datetime | None, directory: Directory) -> pb.Rate:
    return pb.Rate(
        source_currency=directory.currencies[rate.source_no].name,
        target_currency=directory.currencies[rate.target_no].name,
        source_units=rate.source_units,
        target_units=rate.target_units,
        block_units=rate.block_units,
        minimum_units=rate.minimum_units,
        maximum_units=rate.maximum_units,
        bonus_every_units=rate.bonus_every_units,
        bonus_units=rate.bonus_units,
        fee_micros=rate.fee_micros,
        fee_per_point_micros=rate.fee_per_point_micros,
        fee_cap_micros=rate.fee_cap_micros,
        member_daily_cap_units=rate.member_daily_cap_units,
        effective_time=timestamp(begins),
        end_time=timestamp(rate.ends_at),
        tier=rate.tier,
        supersedes=f"rates/{rate.supersedes}" if rate.supersedes else "",
    )


def _spread_message(place: int, spread: Spread) -> pb.SpreadProof:
    return pb.SpreadProof(
        field=f"rates[{place}]",
        since_time=timestamp(spread.since),
        out_micros=spread.out_micros,
        in_micros=spread.in_micros,
        # Rounded down: never told better than it is.
        kept_bps=max(spread.kept * BASIS_POINTS // (spread.worth or 1), -INT64_MAX),
    )


def _trip_message(
    place: int, trip: RoundTrip, places: Mapping[UUID | None, int], directory: Directory
) -> pb.RoundTripProof:
    return pb.RoundTripProof(
        field=f"rates[{place}]",
        since_time=timestamp(trip.since),
        steps=[_step_message(step, places, directory) for step in trip.cycle],
        returns=product_text(trip.returns),
    )


def _step_message(step: Step, places: Mapping[UUID | None, int], directory: Directory) -> pb.RoundTripStep:
    place = places.get(step.rate.rate_id)
    return pb.RoundTripStep(
        rate=step.rate.name if place is None else f"rates[{place}]",
        source_currency=directory.currencies[step.source_no].name,
        target_currency=directory.currencies[step.target_no].name,
        gain=f"{step.received}/{step.used}",
    )
