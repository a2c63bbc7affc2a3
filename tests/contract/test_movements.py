"""TransferService: what a movement moves, what it leaves owing, and what its transfer tells."""

from datetime import UTC, timedelta

import pytest

from exchange.v1 import member_service_pb2 as member_pb
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast
from tests.contract.refusals import refusal
from tests.contract.stillness import keys_used, nothing_changes
from tests.movements import a_conversion, a_key, points
from tests.servers import Server
from tests.worlds import World, instant

Obligation = types.Obligation
DEBIT, CREDIT = types.PointsLeg.SIDE_DEBIT, types.PointsLeg.SIDE_CREDIT
MEMBER, CIRCULATION = types.PointsLeg.ACCOUNT_MEMBER, types.PointsLeg.ACCOUNT_CIRCULATION


def legs_of(transfer: types.Transfer) -> list[tuple[int, int, str, int]]:
    """Account, side, currency code and points of each leg."""
    return [
        (leg.account, leg.side, leg.points.currency.removeprefix("currencies/"), leg.points.units)
        for leg in transfer.legs
    ]


def owed_in(transfer: types.Transfer) -> list[tuple[int, str, str, int, int, int]]:
    """Kind, debtor, creditor, micro-yuan, points and price of each obligation."""
    assert {owed.amount.currency_code for owed in transfer.obligations} <= {"CNY"}
    return [
        (
            owed.kind,
            owed.debtor.removeprefix("merchants/"),
            owed.creditor.removeprefix("merchants/"),
            owed.amount.micros,
            owed.points_units,
            owed.price_micros,
        )
        for owed in transfer.obligations
    ]


async def test_an_award_makes_a_lot_and_the_awarding_merchant_owes_the_issuer(cast: Cast, world: World) -> None:
    """120 000 TEL at an issue price of 12 000: GRO owes TEL ¥1 440.00."""
    ada = await cast.member()
    key = a_key()
    before = await world.now()

    answer = await cast.gro.earn(ada, "120 000 TEL", key, reference="till 7")

    transfer = answer.transfer
    assert not answer.replayed
    assert (transfer.kind, transfer.merchant, transfer.member) == (types.Transfer.KIND_EARN, "merchants/GRO", ada.name)
    assert (transfer.request_id, transfer.reference, transfer.window) == (key, "till 7", "windows/1")
    assert before <= transfer.event_time.ToDatetime(UTC) <= await world.now()
    assert legs_of(transfer) == [(CIRCULATION, DEBIT, "TEL", 120_000), (MEMBER, CREDIT, "TEL", 120_000)]
    assert (transfer.legs[1].lot[:5], transfer.legs[1].account_sequence) == ("lots/", 1)
    assert owed_in(transfer) == [(Obligation.KIND_EARN, "GRO", "TEL", 1_440_000_000, 120_000, 12_000)]
    assert (transfer.rate, transfer.HasField("used"), transfer.HasField("received")) == ("", False, False)
    assert await cast.gro.balances(ada) == {"TEL": 120_000}


async def test_nobody_owes_itself(cast: Cast) -> None:
    """An issuer that awards or takes its own points owes nothing to anybody."""
    ada = await cast.member()

    awarded = await cast.tel.earn(ada, "500 TEL")
    taken = await cast.tel.redeem(ada, "500 TEL")

    assert (owed_in(awarded.transfer), owed_in(taken.transfer)) == ([], [])


@pytest.mark.parametrize(
    ("movement", "merchant", "transfer_kind", "obligation_kind"),
    [
        ("redeem", "caf", types.Transfer.KIND_REDEEM, Obligation.KIND_REDEEM),
        ("discount", "gro", types.Transfer.KIND_DISCOUNT, Obligation.KIND_DISCOUNT),
    ],
)
async def test_taking_points_burns_lots_and_the_issuer_owes_the_acceptor(
    cast: Cast, movement: str, merchant: str, transfer_kind: int, obligation_kind: int
) -> None:
    """12 345 TEL at a redeem price of 10 000: TEL owes ¥123.45; the older lot goes first."""
    ada = await cast.member("12 000 TEL", "1 000 TEL")
    acceptor = getattr(cast, merchant)
    key = a_key()

    answer = await getattr(acceptor, movement)(ada, "12 345 TEL", key, reference="r1")

    transfer = answer.transfer
    assert (transfer.kind, transfer.merchant, transfer.member) == (transfer_kind, acceptor.name, ada.name)
    assert (transfer.request_id, transfer.reference) == (key, "r1")
    assert legs_of(transfer) == [
        (MEMBER, DEBIT, "TEL", 12_000),
        (MEMBER, DEBIT, "TEL", 345),
        (CIRCULATION, CREDIT, "TEL", 12_345),
    ]
    assert [leg.account_sequence for leg in transfer.legs] == [3, 3, 0]
    assert transfer.legs[0].lot != transfer.legs[1].lot
    acceptor_id = acceptor.name.removeprefix("merchants/")
    assert owed_in(transfer) == [(obligation_kind, "TEL", acceptor_id, 123_450_000, 12_345, 10_000)]
    assert await cast.gro.balances(ada) == {"TEL": 655}


async def test_the_rulebooks_conversion(cast: Cast) -> None:
    """100 000 BNK at 30:1 in blocks of 3 000: 99 000 used, 3 300 AIR; BNK owes AIR and OPR what the rulebook says."""
    ada = await cast.member("100 000 BNK")
    key = a_key()

    answer = await cast.bnk.convert(ada, "100 000 BNK", "AIR", key, reference="c1")

    transfer = answer.transfer
    assert (transfer.kind, transfer.merchant, transfer.member) == (
        types.Transfer.KIND_CONVERT,
        "merchants/BNK",
        ada.name,
    )
    assert (transfer.request_id, transfer.reference, transfer.rate) == (key, "c1", cast.bnk_to_air.name)
    assert (transfer.used, transfer.received) == (points("99 000 BNK"), points("3 300 AIR"))
    assert legs_of(transfer) == [
        (MEMBER, DEBIT, "BNK", 99_000),
        (CIRCULATION, CREDIT, "BNK", 99_000),
        (CIRCULATION, DEBIT, "AIR", 3_300),
        (MEMBER, CREDIT, "AIR", 3_300),
    ]
    assert owed_in(transfer) == [
        (Obligation.KIND_CONVERSION, "BNK", "AIR", 181_500_000, 3_300, 55_000),
        (Obligation.KIND_SPREAD, "BNK", "OPR", 16_500_000, 0, 0),
        (Obligation.KIND_FEE, "BNK", "OPR", 100_000, 0, 0),
    ]
    assert await cast.gro.balances(ada) == {"AIR": 3_300, "BNK": 1_000}


async def test_a_member_can_be_named_by_the_callers_reference(cast: Cast) -> None:
    """A reference leads to the member it is bound to."""
    ada = await cast.member()
    request = pb.EarnPointsRequest(request_id=a_key(), member_reference=ada.reference, points=points("5 TEL"))

    answer = await cast.gro.ask(cast.gro.stubs.transfers.EarnPoints, request)

    assert answer.transfer.member == ada.name
    assert await cast.gro.balances(ada) == {"TEL": 5}


async def test_points_end_as_the_currencys_policy_says(world: World, cast: Cast) -> None:
    """365 days after each award; or when the earn says; or never."""
    await world.currency("DAYS", cast.air, issue=1, expiry={"kind": "KIND_DAYS", "days": 365})
    await world.currency("EXPL", cast.air, issue=1, expiry={"kind": "KIND_EXPLICIT"})
    ada = await cast.member()
    new_year = instant("2150-01-01T00:00:00+00:00")

    by_days = await cast.gro.earn(ada, "5 DAYS")
    by_word = await cast.gro.earn(ada, "5 EXPL", expire_time=new_year)
    unsaid = await cast.gro.earn(ada, "5 EXPL")

    ends = {}
    for currency in ("DAYS", "EXPL"):
        request = member_pb.ListLotsRequest(member=ada.name, currency=f"currencies/{currency}")
        for lot in (await cast.air.ask(world.stubs.members.ListLots, request)).lots:
            ends[lot.transfer] = lot.expire_time if lot.HasField("expire_time") else None
    earned_at = by_days.transfer.event_time.ToDatetime(UTC)
    assert ends[by_days.transfer.name] == instant(earned_at + timedelta(days=365))
    assert ends[by_word.transfer.name] == new_year
    assert ends[unsaid.transfer.name] is None


async def test_transfers_of_an_account_have_growing_places_in_the_ledger(cast: Cast) -> None:
    """And account sequences without a gap."""
    ada = await cast.member()

    transfers = [(await cast.gro.earn(ada, "5 TEL")).transfer for _ in range(3)]

    places = [transfer.ledger_sequence for transfer in transfers]
    assert places == sorted(set(places))
    assert [transfer.legs[1].account_sequence for transfer in transfers] == [1, 2, 3]


@pytest.mark.parametrize("movement", ["earn", "redeem", "discount", "convert"])
async def test_validating_moves_nothing_and_leaves_the_key_unused(cast: Cast, server: Server, movement: str) -> None:
    """The answer shows what would happen, without a name; the same key then does it."""
    ada = await cast.member("6 000 BNK")
    merchant = {"earn": cast.gro, "redeem": cast.air, "discount": cast.gro, "convert": cast.bnk}[movement]
    target = ["AIR"] if movement == "convert" else []
    key = a_key()

    async with nothing_changes(server):
        tried = await getattr(merchant, movement)(ada, "3 000 BNK", *target, key, validate_only=True)
    used = await keys_used(server, key)
    done = await getattr(merchant, movement)(ada, "3 000 BNK", *target, key)

    assert (tried.transfer.name, tried.replayed, used) == ("", False, 0)
    assert legs_of(tried.transfer) == legs_of(done.transfer)
    assert owed_in(tried.transfer) == owed_in(done.transfer)
    assert (done.transfer.name[:10], done.replayed) == ("transfers/", False)


async def test_validating_refuses_what_would_be_refused(cast: Cast, server: Server) -> None:
    """With the same words, and the key stays unused: points may come in the meantime."""
    ada = await cast.member()
    key = a_key()
    request = a_conversion(ada, "3 000 BNK", "AIR", key)
    trial = a_conversion(ada, "3 000 BNK", "AIR", key, validate_only=True)

    tried = await refusal(cast.bnk.ask(cast.bnk.stubs.transfers.ConvertPoints, trial))
    used = await keys_used(server, key)
    await cast.bnk.earn(ada, "3 000 BNK")
    done = await cast.bnk.ask(cast.bnk.stubs.transfers.ConvertPoints, request)

    assert (tried.reason, used, done.transfer.received.units) == ("INSUFFICIENT_POINTS", 0, 100)
