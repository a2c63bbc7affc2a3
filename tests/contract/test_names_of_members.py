"""A member's name leaves the house only to merchants that have linked the member (decision 12), whichever way out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import event_service_pb2 as events_pb
from exchange.v1 import member_service_pb2 as member_pb
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast, a_cast
from tests.contract.refusals import Refused, refusal
from tests.contract.watching import Kind, listed, watching
from tests.movements import Member, a_hold
from tests.worlds import EVERY_ROLE, Merchant, Party, World, instant


@dataclass(frozen=True)
class Shy:
    """An issuer whose points a person has and who has never met that person.

    Attributes:
        issuer: it is a party of all of them.
        transfers: an award, a hold and a redemption by others, and an end posted in the issuer's own name.
    """

    cast: Cast
    issuer: Merchant
    ada: Member
    transfers: list[types.Transfer]

    @property
    def ended(self) -> types.Transfer:
        """What the exchange did in the issuer's name."""
        return self.transfers[-1]


@pytest.fixture
async def shy(own_world: World) -> Shy:
    """Everything such an issuer could read a name from."""
    cast = await a_cast(own_world)
    issuer = await own_world.merchant("Shy", *EVERY_ROLE)
    await own_world.currency("SHY", issuer, issue=1, redeem=1, expiry={"kind": "KIND_EXPLICIT"})
    ada = await own_world.member("ada", [cast.gro, cast.caf])
    ends = await own_world.now() + timedelta(days=60)
    made = [
        (await cast.gro.earn(ada, "500 SHY", expire_time=instant(ends))).transfer,
        (await cast.caf.post(a_hold(ada, "20 SHY"))).transfer,
        (await cast.caf.redeem(ada, "80 SHY")).transfer,
    ]
    await own_world.set_clock(ends)
    listing = await issuer.ask(issuer.stubs.transfers.ListTransfers, pb.ListTransfersRequest())
    return Shy(cast, issuer, ada, [*made, listing.transfers[0]])


async def every_way_out(reader: Party, shy: Shy) -> dict[str, list[Message]]:
    """What a reader gets to see of those transfers, by the way it takes."""
    stubs = reader.stubs.transfers
    got = [await reader.ask(stubs.GetTransfer, pb.GetTransferRequest(name=one.name)) for one in shy.transfers]
    listing = await reader.ask(stubs.ListTransfers, pb.ListTransfersRequest(window="windows/1"))
    events, _ = await listed(reader)
    ways: dict[str, list[Message]] = {"GetTransfer": [*got], "ListTransfers": [listing], "ListEvents": [*events]}
    async with watching(reader) as watch:
        ways["WatchEvents"] = [*await watch.until(shy.ended.name)]
    return ways


async def test_an_issuer_is_told_of_its_points_and_not_of_a_person_it_has_not_linked(shy: Shy) -> None:
    """Not a byte of the name, whichever way it reads; also of what was done in its own name."""
    ways = await every_way_out(shy.issuer, shy)
    key = shy.ended.request_id
    lookup = pb.LookupTransferRequest(request_id=key)
    answer = await shy.issuer.ask(shy.issuer.stubs.transfers.LookupTransfer, lookup)
    ways["LookupTransfer"] = [answer]

    assert shy.ended.kind == types.Transfer.KIND_EXPIRE
    for way, messages in ways.items():
        told = b"".join(message.SerializeToString() for message in messages)
        assert shy.ended.name.encode() in told, way
        assert shy.ada.name.encode() not in told, way


async def test_whoever_has_linked_the_member_is_told_whose_points_moved(shy: Shy) -> None:
    """Those that asked for the movement, the issuer once it has linked the person, and who sees all."""
    link = member_pb.LinkMemberRequest(member=shy.ada.name, reference="s-1")
    await shy.issuer.ask(shy.issuer.stubs.members.LinkMember, link)
    auditor = await shy.cast.world.auditor()

    for reader in (shy.issuer, auditor, shy.cast.world.operator):
        for way, messages in (await every_way_out(reader, shy)).items():
            for moved in transfers_in(messages):
                assert moved.member == shy.ada.name, way
    for asker, transfer in ((shy.cast.gro, shy.transfers[0]), (shy.cast.caf, shy.transfers[2])):
        read = await asker.ask(asker.stubs.transfers.GetTransfer, pb.GetTransferRequest(name=transfer.name))
        told, _ = await listed(asker, kinds=[Kind.KIND_TRANSFER])
        assert read.transfer.member == shy.ada.name
        assert {event.transfer.member for event in told} == {shy.ada.name}


def transfers_in(messages: list[Message]) -> list[types.Transfer]:
    """The transfers that responses or events hold."""
    found: list[types.Transfer] = []
    for message in messages:
        if isinstance(message, pb.ListTransfersResponse):
            found += message.transfers
        elif isinstance(message, pb.GetTransferResponse) or (
            isinstance(message, events_pb.Event) and message.HasField("transfer")
        ):
            found.append(message.transfer)
    return found


async def test_two_watchers_of_one_reading_are_told_different_things(shy: Shy) -> None:
    """Bytes made for one are not sent to another that may know less."""
    _, cursor = await listed(shy.issuer)
    async with watching(shy.cast.gro, cursor=cursor) as knowing, watching(shy.issuer, cursor=cursor) as unknowing:
        earned = (await shy.cast.gro.earn(shy.ada, "5 SHY", expire_time=later(shy))).transfer
        to_asker = await knowing.until(earned.name)
        to_issuer = await unknowing.until(earned.name)

    assert to_asker[-1].transfer.member == shy.ada.name
    assert (to_issuer[-1].transfer.name, to_issuer[-1].transfer.member) == (earned.name, "")


def later(shy: Shy) -> Timestamp:
    """An end that has not come."""
    return instant(shy.ended.event_time.ToDatetime().astimezone() + timedelta(days=30))


async def test_a_filter_by_a_member_not_linked_tells_nothing(shy: Shy) -> None:
    """What the exchange did with the member in the issuer's name cannot be found by guessing whose it was."""

    async def pages(member: str, sequence: int = 0) -> pb.ListTransfersResponse | Refused:
        request = pb.ListTransfersRequest(member=member, min_ledger_sequence=sequence)
        call = shy.issuer.ask(shy.issuer.stubs.transfers.ListTransfers, request)
        return await refusal(call) if sequence else await call

    nobody = shy.ada.name[:-12] + "000000000000"
    redeemed = shy.transfers[2].ledger_sequence

    assert await pages(shy.ada.name) == await pages(nobody) == pb.ListTransfersResponse()
    assert repr(await pages(shy.ada.name, redeemed)) == repr(await pages(nobody, redeemed))


async def test_finance_reads_no_transfers(shy: Shy) -> None:
    """Whose points moved is no affair of whoever settles money."""
    for role in (directory.CALLER_ROLE_FINANCE_MAKER, directory.CALLER_ROLE_FINANCE_CHECKER):
        finance = await shy.cast.world.party(role)
        request = pb.GetTransferRequest(name=shy.ended.name)
        assert (await refusal(finance.ask(finance.stubs.transfers.GetTransfer, request))).reason == "METHOD_NOT_ALLOWED"
        told, _ = await listed(finance)
        assert all(shy.ada.name.encode() not in event.SerializeToString() for event in told)
