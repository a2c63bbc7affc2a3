"""GetTransfer, LookupTransfer and ListTransfers: did it happen, and what exactly?"""

import pytest

from exchange.v1 import directory_service_pb2 as directory_pb
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast
from tests.contract.pages import every_page
from tests.contract.refusals import Refused, refusal, refusal_in
from tests.movements import Member, a_key, an_earn
from tests.worlds import EARNING, Merchant, Party, World

OK = 0


async def get(caller: Party, name: str) -> types.Transfer:
    """The transfer as a caller sees it."""
    return (await caller.ask(caller.stubs.transfers.GetTransfer, pb.GetTransferRequest(name=name))).transfer


async def lookup(caller: Party, **key: str) -> pb.LookupTransferResponse:
    """What is known under a request_id or a reference."""
    return await caller.ask(caller.stubs.transfers.LookupTransfer, pb.LookupTransferRequest(**key))


async def names_of(caller: Party, page_size: int = 50, **filters: str) -> list[list[str]]:
    """Transfer names by page."""
    pages = await every_page(
        caller, caller.stubs.transfers.ListTransfers, pb.ListTransfersRequest, page_size, **filters
    )
    return [[transfer.name for transfer in page.transfers] for page in pages]


async def test_a_transfer_reads_as_it_was_answered(cast: Cast) -> None:
    """It never changes: whoever asked for it gets the very message again."""
    ada = await cast.member("6 000 BNK")
    answered = [
        (cast.gro, (await cast.gro.earn(ada, "500 TEL", reference="a")).transfer),
        (cast.caf, (await cast.caf.redeem(ada, "100 TEL")).transfer),
        (cast.gro, (await cast.gro.discount(ada, "100 TEL")).transfer),
        (cast.bnk, (await cast.bnk.convert(ada, "6 000 BNK", "AIR")).transfer),
    ]

    for merchant, transfer in answered:
        assert await get(merchant, transfer.name) == transfer


async def test_whoever_took_part_sees_a_transfer_without_the_askers_own_words(cast: Cast, world: World) -> None:
    """Issuers, debtors and creditors: everything but request_id and reference."""
    ada = await cast.member("6 000 BNK")
    converted = (await cast.bnk.convert(ada, "6 000 BNK", "AIR", reference="mine")).transfer
    redeemed = (await cast.caf.redeem(await cast.member("9 TEL"), "9 TEL", reference="mine")).transfer

    auditor = await world.auditor()
    for reader, transfer in ((cast.air, converted), (cast.tel, redeemed)):
        seen = await get(reader, transfer.name)
        assert (seen.request_id, seen.reference) == ("", "")
        seen.request_id, seen.reference = transfer.request_id, transfer.reference
        assert seen == transfer
    for all_seeing in (auditor, world.operator):
        assert await get(all_seeing, converted.name) == converted


async def test_to_a_stranger_a_transfer_does_not_exist(cast: Cast) -> None:
    """What may not be seen cannot be told from what there is not."""
    ada = await cast.member("9 TEL")
    redeemed = (await cast.caf.redeem(ada, "9 TEL")).transfer
    nowhere = redeemed.name[:-12] + "000000000000"

    for stranger in (cast.gen, cast.gro, cast.air):
        hidden = await refusal(get(stranger, redeemed.name))
        missing = await refusal(get(stranger, nowhere))
        assert shape(hidden, redeemed.name) == shape(missing, nowhere)
        assert hidden.reason == "RESOURCE_NOT_FOUND"


def shape(refused: Refused, name: str) -> str:
    """Everything a refusal tells, but the name that was asked for."""
    return repr(refused).replace(name, "NAME")


async def test_a_lookup_by_request_id_tells_the_answer_that_was_given(cast: Cast) -> None:
    """The transfer of a yes; the words of a no; nothing when it never came."""
    ada = await cast.member()
    yes, no = a_key(), a_key()
    earned = (await cast.gro.earn(ada, "500 TEL", yes)).transfer
    refused = await refusal(cast.gro.discount(ada, "501 TEL", no))

    happened, did_not = await lookup(cast.gro, request_id=yes), await lookup(cast.gro, request_id=no)
    unknown = await refusal(lookup(cast.gro, request_id=a_key()))

    assert (happened.status.code, list(happened.transfers)) == (OK, [earned])
    assert (refusal_in(did_not.status), list(did_not.transfers)) == (refused, [])
    assert (unknown.reason, unknown.metadata["field"]) == ("RESOURCE_NOT_FOUND", "request_id")


async def test_a_lookup_looks_among_the_callers_own_keys(cast: Cast) -> None:
    """Another merchant may use the same key for something else."""
    ada = await cast.member()
    key = a_key()
    by_gro = (await cast.gro.earn(ada, "1 TEL", key)).transfer
    missing = await refusal(lookup(cast.caf, request_id=key))
    by_caf = (await cast.caf.earn(ada, "2 TEL", key)).transfer

    assert missing.reason == "RESOURCE_NOT_FOUND"
    assert list((await lookup(cast.gro, request_id=key)).transfers) == [by_gro]
    assert list((await lookup(cast.caf, request_id=key)).transfers) == [by_caf]


async def test_a_lookup_by_reference_tells_the_newest_fifty_in_ledger_order(cast: Cast) -> None:
    """One receipt may have led to many movements; somebody else's reference is none."""
    ada = await cast.member()
    reference = f"receipt {ada.reference}"
    results = await cast.gro.batch(*(an_earn(ada, "1 TEL", reference=reference) for _ in range(51)))

    found = await lookup(cast.gro, reference=reference)
    elsewhere = await refusal(lookup(cast.caf, reference=reference))

    assert found.status.code == OK
    assert list(found.transfers) == [result.transfer for result in results[1:]]
    assert (elsewhere.reason, elsewhere.metadata["field"]) == ("RESOURCE_NOT_FOUND", "reference")


async def a_merchant_with_transfers(world: World, cast: Cast, merchant_id: str) -> tuple[Merchant, Member, list[str]]:
    """A new merchant that awarded five times to one member and once to another; names in ledger order."""
    merchant = await world.merchant(merchant_id, EARNING)
    ada, bob = await world.member("ada", [merchant, cast.tel]), await world.member("bob", [merchant, cast.tel])
    names = [(await merchant.earn(ada, "5 TEL")).transfer.name for _ in range(5)]
    return merchant, ada, [*names, (await merchant.earn(bob, "5 TEL")).transfer.name]


async def test_a_merchant_lists_its_own_transfers_in_ledger_order(world: World, cast: Cast) -> None:
    """Page by page; what others did with the same member is not among them."""
    merchant, ada, names = await a_merchant_with_transfers(world, cast, "Lister")
    await cast.tel.earn(ada, "5 TEL")

    assert await names_of(merchant, 4) == [names[:4], names[4:]]
    assert await names_of(merchant, 3) == [names[:3], names[3:]]
    assert await names_of(merchant, 6) == [names]


async def test_a_list_is_filtered_by_member_and_by_window(world: World, cast: Cast) -> None:
    """Both hold together; a window that does not exist holds nothing."""
    merchant, ada, names = await a_merchant_with_transfers(world, cast, "Filter")

    assert await names_of(merchant, 2, member=ada.name) == [names[:2], names[2:4], names[4:5]]
    assert await names_of(merchant, window="windows/1") == [names]
    assert await names_of(merchant, member=ada.name, window="windows/1") == [names[:5]]
    assert await names_of(merchant, window="windows/999999") == [[]]


@pytest.mark.parametrize("reader", ["operator", "auditor"])
async def test_the_operator_and_auditors_list_everybodys(world: World, cast: Cast, reader: str) -> None:
    """With the asking merchants' own words; by member, for there are many."""
    ada = await cast.member("5 TEL")
    names = [(await merchant.earn(ada, "5 TEL", reference="r")).transfer for merchant in (cast.gro, cast.caf)]
    caller = world.operator if reader == "operator" else await world.auditor()

    request = pb.ListTransfersRequest(member=ada.name)
    listed = (await caller.ask(caller.stubs.transfers.ListTransfers, request)).transfers

    assert list(listed)[1:] == names


async def test_everybodys_transfers_are_listed_page_by_page(own_world: World) -> None:
    """Without any filter, in ledger order."""
    merchants = [await own_world.merchant(name, EARNING) for name in ("AA", "BB")]
    await own_world.currency("AA", merchants[0], issue=1)
    ada = await own_world.member("ada", merchants)
    names = [(await merchant.earn(ada, "5 AA")).transfer.name for merchant in merchants * 2]

    assert await names_of(own_world.operator, 3) == [names[:3], names[3:]]


@pytest.mark.provokes("INVALID_PAGE_TOKEN")
async def test_a_page_token_serves_only_its_caller_list_and_filter(world: World, cast: Cast) -> None:
    """It is bound to who asked for what; anything else is no token of this list."""
    merchant, ada, names = await a_merchant_with_transfers(world, cast, "Token")
    stub, request = merchant.stubs.transfers.ListTransfers, pb.ListTransfersRequest
    token = (await merchant.ask(stub, request(page_size=2))).next_page_token

    continued = await merchant.ask(stub, request(page_size=1_000, page_token=token))
    refused = [
        await refusal(cast.gro.ask(stub, request(page_token=token))),
        await refusal(world.operator.ask(stub, request(page_token=token))),
        await refusal(merchant.ask(stub, request(page_token=token, member=ada.name))),
        await refusal(merchant.ask(stub, request(page_token=token, window="windows/1"))),
        await refusal(merchant.ask(stub, request(page_token=token[:-2]))),
        await refusal(merchant.ask(stub, request(page_token="AAAA"))),
        await refusal(merchant.ask(stub, request(page_token="not base64!"))),
        await refusal(
            merchant.ask(merchant.stubs.directory.ListMerchants, directory_pb.ListMerchantsRequest(page_token=token))
        ),
    ]

    assert [transfer.name for transfer in continued.transfers] == names[2:]
    assert {(no.reason, no.fields) for no in refused} == {("INVALID_PAGE_TOKEN", ("page_token",))}


async def test_a_page_holds_fifty_unless_it_says_otherwise_and_never_more_than_a_thousand(
    world: World, cast: Cast
) -> None:
    """Left out: 50. Above 1 000: 1 000."""
    merchant = await world.merchant("Many", EARNING)
    ada = await world.member("ada", [merchant, cast.tel])
    await merchant.batch(*(an_earn(ada, "1 TEL") for _ in range(1_000)))
    await merchant.earn(ada, "1 TEL")
    stub = merchant.stubs.transfers.ListTransfers

    sizes = []
    for page_size in (0, 1_000, 1_001, 2**31 - 1):
        page = await merchant.ask(stub, pb.ListTransfersRequest(page_size=page_size))
        sizes.append((len(page.transfers), bool(page.next_page_token)))

    assert sizes == [(50, True), (1_000, True), (1_000, True), (1_000, True)]
