"""MemberService: enrolling, linking, balances and lots."""

from datetime import UTC, timedelta

from exchange.v1 import member_service_pb2 as pb
from tests.contract.cast import Cast
from tests.contract.pages import every_page
from tests.movements import a_discount
from tests.worlds import World, instant


async def test_a_member_is_enrolled_once_by_reference(world: World, cast: Cast) -> None:
    """The same reference again is the same person; another merchant's same reference is another person."""
    enroll = pb.EnrollMemberRequest(reference="card 4711")
    before = await world.now()

    first = await cast.gro.ask(cast.gro.stubs.members.EnrollMember, enroll)
    again = await cast.gro.ask(cast.gro.stubs.members.EnrollMember, enroll)
    elsewhere = await cast.caf.ask(cast.caf.stubs.members.EnrollMember, enroll)

    assert (first.replayed, again.replayed, elsewhere.replayed) == (False, True, False)
    assert again.member == first.member
    assert elsewhere.member.name != first.member.name
    assert (first.member.name[:8], first.member.reference) == ("members/", "card 4711")
    assert before <= first.member.create_time.ToDatetime(UTC) <= await world.now()


async def test_a_member_is_linked_by_name(cast: Cast) -> None:
    """The merchant then knows it by a reference of its own, and nobody else sees that."""
    ada = await cast.world.member("ada", [cast.gro])

    link = pb.LinkMemberRequest(member=ada.name, reference="CAF-ada-1")
    linked = await cast.caf.ask(cast.caf.stubs.members.LinkMember, link)
    again = await cast.caf.ask(cast.caf.stubs.members.LinkMember, link)

    get = pb.GetMemberRequest(member=ada.name)
    seen = await cast.gro.ask(cast.gro.stubs.members.GetMember, get)
    by_operator = await cast.world.operator.ask(cast.world.stubs.members.GetMember, get)
    assert (linked.replayed, again.replayed, again.member) == (False, True, linked.member)
    assert (linked.member.name, linked.member.reference) == (ada.name, "CAF-ada-1")
    assert (seen.member.reference, by_operator.member.reference) == (ada.reference, "")
    assert by_operator.member.create_time == seen.member.create_time == linked.member.create_time


async def test_a_member_is_found_by_the_callers_own_reference(cast: Cast) -> None:
    """As by its name."""
    ada = await cast.member()

    by_name = await cast.gro.ask(cast.gro.stubs.members.GetMember, pb.GetMemberRequest(member=ada.name))
    request = pb.GetMemberRequest(member_reference=ada.reference)
    by_reference = await cast.gro.ask(cast.gro.stubs.members.GetMember, request)

    assert by_reference == by_name


async def test_balances_name_every_currency_the_member_ever_had(cast: Cast) -> None:
    """By code, spent ones too; the sequence counts the account's transfers without a gap."""
    ada = await cast.member("500 TEL", "20 AIR", "100 BNK")
    await cast.caf.redeem(ada, "20 AIR")
    await cast.tel.earn(ada, "1 TEL")

    by_reference = pb.ListBalancesRequest(member_reference=ada.reference)
    answer = await cast.gro.ask(cast.gro.stubs.members.ListBalances, by_reference)

    assert answer.member == ada.name
    assert [(b.currency, b.available_units, b.account_sequence) for b in answer.balances] == [
        ("currencies/AIR", 0, 2),
        ("currencies/BNK", 100, 1),
        ("currencies/TEL", 501, 2),
    ]


async def test_a_refused_movement_opens_no_account(cast: Cast) -> None:
    """Being asked for AIR is not having had AIR."""
    ada = await cast.member("5 TEL")
    results = await cast.gro.batch(a_discount(ada, "1 AIR"), a_discount(ada, "1 AIR"))

    assert [result.status.code for result in results] == [9, 9]
    assert await cast.gro.balances(ada) == {"TEL": 5}


async def test_one_reads_ones_own_writes(cast: Cast) -> None:
    """A read told the sequence of a write shows it."""
    ada = await cast.member()
    earned = await cast.tel.earn(ada, "77 TEL")

    request = pb.ListBalancesRequest(member=ada.name, min_ledger_sequence=earned.transfer.ledger_sequence)
    answer = await cast.gro.ask(cast.gro.stubs.members.ListBalances, request)

    assert answer.balances[0].available_units == 77


async def test_lots_are_listed_in_the_order_they_will_be_spent(world: World, cast: Cast) -> None:
    """Nearest expiry first, then oldest; spent ones are gone, the rest of a partly spent one is told."""
    name = await world.currency("LOT", cast.air, issue=9, redeem=1, expiry={"kind": "KIND_EXPLICIT"})
    ada = await cast.member()
    near = await world.now() + timedelta(days=10)
    far = near + timedelta(days=10)
    never = await cast.gro.earn(ada, "100 LOT")
    late = await cast.caf.earn(ada, "200 LOT", expire_time=instant(far))
    soon = await cast.gro.earn(ada, "300 LOT", expire_time=instant(near))
    later_soon = await cast.gro.earn(ada, "400 LOT", expire_time=instant(near))
    await cast.caf.redeem(ada, "310 LOT")

    pages = await every_page(
        cast.air, world.stubs.members.ListLots, pb.ListLotsRequest, 2, member=ada.name, currency=name
    )

    lots = [lot for page in pages for lot in page.lots]
    assert [len(page.lots) for page in pages] == [2, 1]
    assert [(lot.points.units, lot.remaining_units) for lot in lots] == [(400, 390), (200, 200), (100, 100)]
    assert [lot.transfer for lot in lots] == [r.transfer.name for r in (later_soon, late, never)]
    assert [lot.funder for lot in lots] == ["merchants/GRO", "merchants/CAF", "merchants/GRO"]
    assert {lot.issue_price_micros for lot in lots} == {9}
    assert [lot.HasField("expire_time") for lot in lots] == [True, True, False]
    assert lots[0].expire_time.ToDatetime(UTC) == near
    assert lots[0].earn_time == later_soon.transfer.event_time
    assert lots[0].name == later_soon.transfer.legs[1].lot
    assert soon.transfer.name not in {lot.transfer for lot in lots}


async def test_the_operator_and_auditors_see_every_lot(world: World, cast: Cast) -> None:
    """As the issuer does."""
    ada = await cast.member("5 TEL", "6 TEL")
    auditor = await world.auditor()
    request = pb.ListLotsRequest(member=ada.name, currency="currencies/TEL")

    seen = [await caller.ask(world.stubs.members.ListLots, request) for caller in (cast.tel, world.operator, auditor)]

    assert seen[0] == seen[1] == seen[2]
    assert [lot.points.units for lot in seen[0].lots] == [5, 6]
