"""Statements, what ends soon, and reads that must know of a transfer: MemberService and ListTransfers."""

from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from exchange.v1 import member_service_pb2 as pb
from exchange.v1 import transfer_service_pb2 as transfer_pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast, a_cast
from tests.contract.pages import every_page
from tests.contract.refusals import refusal
from tests.movements import Member, a_capture, a_hold, a_key, a_release, a_reversal, an_earn
from tests.servers import TIME_ZONE
from tests.worlds import EARNING, Party, World, instant

Kind = types.Transfer.Kind


async def pages(
    caller: Party, member: Member, code: str, size: int = 50, **fields: Any
) -> list[pb.ListStatementEntriesResponse]:
    """Every page of a statement, each held to adding up."""
    stub = caller.stubs.members.ListStatementEntries
    found: list[pb.ListStatementEntriesResponse] = await every_page(
        caller,
        stub,
        pb.ListStatementEntriesRequest,
        size,
        member=member.name,
        currency=f"currencies/{code}",
        **fields,
    )
    opening = found[0].opening
    for page in found:
        assert page.opening == opening
        available, held = opening.available_units, opening.held_units
        for place, entry in enumerate(page.entries, opening.account_sequence + 1):
            available += entry.credited_units - entry.debited_units
            held += entry.reserved_units - entry.unreserved_units
            assert entry.account_sequence == place
            assert entry.balance == pb.StatementBalance(
                available_units=available, held_units=held, account_sequence=place
            )
        assert page.closing == (page.entries[-1].balance if page.entries else opening)
        opening = page.closing
    return found


async def test_a_statement_tells_every_movement_and_adds_up(cast: Cast) -> None:
    """Award, use, hold, capture of a part, hold given back, return: page by page as in one."""
    ada = await cast.member("500 TEL")
    redeemed = (await cast.caf.redeem(ada, "100 TEL")).transfer
    hold = (await cast.caf.post(a_hold(ada, "60 TEL"))).transfer
    await cast.caf.post(a_capture(hold, units=45))
    await cast.caf.post(a_release((await cast.caf.post(a_hold(ada, "20 TEL"))).transfer))
    await cast.caf.post(a_reversal(redeemed, units=40))

    (whole,) = await pages(cast.tel, ada, "TEL")

    figures = [
        (entry.kind, entry.credited_units, entry.debited_units, entry.reserved_units, entry.unreserved_units)
        for entry in whole.entries
    ]
    assert figures == [
        (Kind.KIND_EARN, 500, 0, 0, 0),
        (Kind.KIND_REDEEM, 0, 100, 0, 0),
        (Kind.KIND_HOLD, 0, 60, 60, 0),
        (Kind.KIND_CAPTURE, 15, 0, 0, 60),
        (Kind.KIND_HOLD, 0, 20, 20, 0),
        (Kind.KIND_RELEASE, 20, 0, 0, 20),
        (Kind.KIND_REVERSAL, 40, 0, 0, 0),
    ]
    assert whole.opening == pb.StatementBalance()
    assert whole.closing == pb.StatementBalance(available_units=395, held_units=0, account_sequence=7)
    assert await cast.tel.balances(ada) == {"TEL": 395}
    for size in (1, 2, 3, 7):
        found = await pages(cast.tel, ada, "TEL", size)
        assert [entry for page in found for entry in page.entries] == list(whole.entries)
        assert len(found) == -(-7 // size)


async def test_a_conversion_is_a_line_of_both_currencies(cast: Cast) -> None:
    """Burnt here, minted there, under one name."""
    ada = await cast.member("100 000 BNK")
    converted = (await cast.bnk.convert(ada, "100 000 BNK", "AIR")).transfer

    (bnk,), (air,) = [await pages(caller, ada, code) for caller, code in ((cast.bnk, "BNK"), (cast.air, "AIR"))]

    assert [entry.debited_units for entry in bnk.entries] == [0, 99_000]
    assert [entry.credited_units for entry in air.entries] == [3_300]
    assert {bnk.entries[1].transfer, air.entries[0].transfer} == {converted.name}
    assert bnk.entries[1].event_time == air.entries[0].event_time == converted.event_time
    assert bnk.entries[1].ledger_sequence == converted.ledger_sequence


async def test_a_line_names_its_transfer_to_whoever_took_part(cast: Cast, world: World) -> None:
    """To others of the same member it is figures; a reference is its merchant's own, and of those who see all."""
    ada = await cast.member()
    earned = (await cast.gro.earn(ada, "5 TEL", reference="receipt 1")).transfer
    auditor = await world.auditor()

    seen = {}
    for name, caller in {"gro": cast.gro, "tel": cast.tel, "caf": cast.caf, "auditor": auditor}.items():
        ((entry,),) = [page.entries for page in await pages(caller, ada, "TEL")]
        seen[name] = (entry.transfer, entry.merchant, entry.reference)
        assert entry.credited_units == 5

    assert seen == {
        "gro": (earned.name, "merchants/GRO", "receipt 1"),
        "tel": (earned.name, "merchants/GRO", ""),
        "caf": ("", "", ""),
        "auditor": (earned.name, "merchants/GRO", "receipt 1"),
    }


async def test_what_is_posted_meanwhile_comes_at_the_end(cast: Cast) -> None:
    """Pages that were read stay as they are; the last one then has a successor."""
    ada = await cast.member("1 TEL", "2 TEL", "3 TEL")
    stub, request = cast.tel.stubs.members.ListStatementEntries, pb.ListStatementEntriesRequest
    asked: dict[str, Any] = {"member": ada.name, "currency": "currencies/TEL", "page_size": 2}
    first = await cast.tel.ask(stub, request(**asked))
    await cast.tel.earn(ada, "4 TEL")
    await cast.tel.earn(ada, "5 TEL")

    second = await cast.tel.ask(stub, request(**asked, page_token=first.next_page_token))
    third = await cast.tel.ask(stub, request(**asked, page_token=second.next_page_token))

    units = [[entry.credited_units for entry in page.entries] for page in (first, second, third)]
    assert units == [[1, 2], [3, 4], [5]]
    assert (second.opening, third.opening, third.next_page_token) == (first.closing, second.closing, "")
    assert third.closing.available_units == 15


async def test_a_statement_of_a_period_opens_with_what_was_before(cast: Cast) -> None:
    """By time, by number, or by both."""
    ada = await cast.member()
    earned = [(await cast.tel.earn(ada, f"{units} TEL")).transfer for units in (1, 20, 300, 4_000)]
    times = [transfer.event_time for transfer in earned]

    async def figures(**fields: Any) -> tuple[int, list[int], int]:
        found = await pages(cast.tel, ada, "TEL", 1, **fields)
        credited = [entry.credited_units for page in found for entry in page.entries]
        return found[0].opening.available_units, credited, found[-1].closing.available_units

    assert await figures(begin_time=times[1]) == (1, [20, 300, 4_000], 4_321)
    assert await figures(begin_time=times[1], end_time=times[3]) == (1, [20, 300], 321)
    assert await figures(end_time=times[1]) == (0, [1], 1)
    assert await figures(after_account_sequence=3) == (321, [4_000], 4_321)
    assert await figures(after_account_sequence=4) == (4_321, [], 4_321)
    assert await figures(after_account_sequence=2**63 - 1) == (4_321, [], 4_321)
    assert await figures(after_account_sequence=1, begin_time=times[2]) == (21, [300, 4_000], 4_321)


async def test_a_currency_the_member_never_had_has_an_empty_statement(cast: Cast) -> None:
    """All figures are 0."""
    ada = await cast.member()

    (page,) = await pages(cast.gro, ada, "AIR")

    assert page == pb.ListStatementEntriesResponse(opening=pb.StatementBalance(), closing=pb.StatementBalance())


async def test_a_statements_token_serves_only_its_caller_and_filter(cast: Cast) -> None:
    """It holds how the account stood, so nobody may make one up or carry it elsewhere."""
    ada, bob = await cast.member("1 TEL", "2 TEL"), await cast.member("1 TEL", "2 TEL")
    stub, request = cast.tel.stubs.members.ListStatementEntries, pb.ListStatementEntriesRequest
    asked: dict[str, Any] = {"member": ada.name, "currency": "currencies/TEL", "page_size": 1}
    token = (await cast.tel.ask(stub, request(**asked))).next_page_token

    refused = [
        await refusal(cast.gro.ask(stub, request(**asked, page_token=token))),
        await refusal(cast.tel.ask(stub, request(**{**asked, "member": bob.name}, page_token=token))),
        await refusal(cast.tel.ask(stub, request(**{**asked, "currency": "currencies/AIR"}, page_token=token))),
        await refusal(cast.tel.ask(stub, request(**asked, after_account_sequence=1, page_token=token))),
        await refusal(cast.tel.ask(stub, request(**asked, page_token=f"{token[:-4]}AAAA"))),
    ]

    assert {(no.reason, no.fields) for no in refused} == {("INVALID_PAGE_TOKEN", ("page_token",))}


async def test_a_statement_of_a_member_not_linked_cannot_be_told_from_none(cast: Cast) -> None:
    """Same status, same words, same details."""
    ada = await cast.member("5 TEL")
    nobody = Member(ada.name[:-12] + "000000000000", "nobody")

    hidden, missing = [await refusal(pages(cast.gen, member, "TEL")) for member in (ada, nobody)]

    assert (hidden.reason, hidden.metadata["field"]) == ("RESOURCE_NOT_FOUND", "member")
    assert repr(hidden).replace(ada.name, "M") == repr(missing).replace(nobody.name, "M")


# ------------------------------------------------------------------------------------------------ what ends soon
async def test_balances_tell_what_ends_soon_by_the_last_day_of_use(own_world: World) -> None:
    """A lot that ends at midnight is good for the day before; held points and later ends are not among them."""
    cast = await a_cast(own_world)
    await own_world.currency("END", cast.tel, issue=1, redeem=1, expiry={"kind": "KIND_EXPLICIT"})
    ada = await cast.member("7 AIR")
    here = (await own_world.now()).astimezone(ZoneInfo(TIME_ZONE))
    midnight = (here + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    for units, end in ((5, midnight), (10, midnight), (100, midnight + timedelta(days=1, hours=12)),
                       (1_000, midnight + timedelta(days=40))):  # fmt: skip
        await cast.gro.earn(ada, f"{units} END", expire_time=instant(end))
    await cast.caf.post(a_hold(ada, "4 END"))

    async def expiring(days: int) -> list[list[tuple[str, int]]]:
        request = pb.ListBalancesRequest(member=ada.name, expiring_days=days)
        answer = await cast.gro.ask(cast.gro.stubs.members.ListBalances, request)
        assert [balance.currency for balance in answer.balances] == ["currencies/AIR", "currencies/END"]
        return [[(soon.last_date, soon.units) for soon in balance.expiring] for balance in answer.balances]

    today, in_two_days = here.date().isoformat(), (here + timedelta(days=2)).date().isoformat()
    assert await expiring(0) == [[], []]
    assert await expiring(1) == [[], [(today, 11)]]
    assert await expiring(3) == [[], [(today, 11), (in_two_days, 100)]]
    assert [units for _, units in (await expiring(3_660))[1]] == [11, 100, 1_000]
    assert (await refusal(expiring(3_661))).fields == ("expiring_days",)
    await own_world.set_clock(midnight.astimezone(UTC))
    assert await expiring(3) == [[], [(in_two_days, 100)]]


# ------------------------------------------------------------------------------------------------ knowing of a transfer
@pytest.mark.provokes("STATE_TOO_OLD")
async def test_a_read_that_must_know_of_a_transfer_knows_of_it_or_says_no(cast: Cast, world: World) -> None:
    """The caller's own and the member's are found; what no state has is refused as not there yet, to be asked again."""
    ada, bob = await cast.member(), await cast.member()
    own = (await cast.gro.earn(bob, "1 TEL")).transfer.ledger_sequence
    hers = (await cast.caf.earn(ada, "2 TEL")).transfer.ledger_sequence
    members, transfers = cast.gro.stubs.members, cast.gro.stubs.transfers
    of_ada: dict[str, Any] = {"member": ada.name}
    in_tel: dict[str, Any] = {**of_ada, "currency": "currencies/TEL"}
    reads: list[tuple[Party, Any, Any]] = [
        (cast.gro, members.ListBalances, lambda n: pb.ListBalancesRequest(**of_ada, min_ledger_sequence=n)),
        (cast.tel, members.ListLots, lambda n: pb.ListLotsRequest(**in_tel, min_ledger_sequence=n)),
        (cast.gro, members.ListStatementEntries,
         lambda n: pb.ListStatementEntriesRequest(**in_tel, min_ledger_sequence=n)),
        (cast.gro, transfers.ListTransfers,
         lambda n: transfer_pb.ListTransfersRequest(**of_ada, min_ledger_sequence=n)),
        (world.operator, transfers.ListTransfers,
         lambda n: transfer_pb.ListTransfersRequest(**of_ada, min_ledger_sequence=n)),
    ]  # fmt: skip

    for caller, method, request in reads:
        await caller.ask(method, request(hers))
        refused = await refusal(caller.ask(method, request(2**62)))
        assert (refused.reason, refused.metadata) == ("STATE_TOO_OLD", {"min_ledger_sequence": str(2**62)})
    await cast.gro.ask(members.ListBalances, pb.ListBalancesRequest(**of_ada, min_ledger_sequence=own))
    await cast.gro.ask(transfers.ListTransfers, transfer_pb.ListTransfersRequest(min_ledger_sequence=own))
    elses = pb.ListBalancesRequest(**of_ada, min_ledger_sequence=own)
    assert (await refusal(cast.tel.ask(members.ListBalances, elses))).reason == "STATE_TOO_OLD"


async def test_whoever_lists_everybodys_transfers_names_a_member_to_be_sure_of(cast: Cast, world: World) -> None:
    """Nobody looks for one transfer among all."""
    request = transfer_pb.ListTransfersRequest(min_ledger_sequence=1)

    refused = await refusal(world.operator.ask(cast.gro.stubs.transfers.ListTransfers, request))

    assert (refused.reason, refused.fields) == ("INVALID_FIELD", ("min_ledger_sequence",))


# ------------------------------------------------------------------------------------------------ by own reference
async def test_transfers_are_searched_by_own_reference_page_by_page(cast: Cast, world: World) -> None:
    """All of them, in ledger order, beyond the fifty a lookup tells; another merchant's same reference is another."""
    merchant = await world.merchant("Refs", EARNING)
    ada, bob = [await world.member(label, [merchant, cast.tel]) for label in ("ada", "bob")]
    reference = f"order {a_key()}"[:64]
    movements = [an_earn(ada, "1 TEL", reference=reference) for _ in range(60)]
    results = await merchant.batch(*movements, an_earn(ada, "1 TEL"), an_earn(bob, "1 TEL", reference=reference))
    await cast.tel.earn(ada, "1 TEL", reference=reference)
    names = [result.transfer.name for place, result in enumerate(results) if place != 60]

    async def listed(**filters: str) -> list[str]:
        stub = merchant.stubs.transfers.ListTransfers
        found = await every_page(merchant, stub, transfer_pb.ListTransfersRequest, 7, **filters)
        return [transfer.name for page in found for transfer in page.transfers]

    assert await listed(reference=reference) == names
    assert await listed(reference=reference, member=ada.name) == names[:60]
    assert await listed(reference=reference, window="windows/999999") == []
    assert await listed(reference="never used") == []


async def test_a_reference_is_searched_by_its_merchant(cast: Cast, world: World) -> None:
    """To the operator it would be many merchants' words."""
    request = transfer_pb.ListTransfersRequest(reference="r")

    refused = await refusal(world.operator.ask(cast.gro.stubs.transfers.ListTransfers, request))

    assert (refused.reason, refused.fields) == ("INVALID_FIELD", ("reference",))
