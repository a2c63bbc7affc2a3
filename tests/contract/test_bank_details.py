"""Bank details: said by one person, confirmed by another, and seen by nobody whom they do not concern."""

import pytest

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import payments_pb2 as payments
from settlement.v1.settlement_service_pb2_grpc import SettlementServiceStub
from tests.contract.paid import ACCOUNTS, Treasury, treasury_of
from tests.contract.refusals import refusal
from tests.worlds import EVERY_ROLE, Party, World


@pytest.fixture
async def treasury(own_world: World) -> Treasury:
    """Period A, closed; everybody's account is known."""
    return await treasury_of(own_world)


async def listed(treasury: Treasury, merchant: str, by: Party | None = None) -> list[payments.BankDetails]:
    """Every version of a merchant's bank details, one by one."""
    found, token = [], ""
    while True:
        request = payments.ListBankDetailsRequest(merchant=f"merchants/{merchant}", page_size=1, page_token=token)
        page = await (by or treasury.setter).ask(treasury.stub.ListBankDetails, request)
        found += page.bank_details
        token = page.next_page_token
        if not token:
            return found


async def test_bank_details_are_versions_that_stay(treasury: Treasury) -> None:
    """A change is a new version beside the old one; the same again by the same person is the same version."""
    changed = await treasury.set("TEL", ACCOUNTS["GRO"])
    again = await treasury.set("TEL", ACCOUNTS["GRO"])

    versions = await listed(treasury, "TEL")
    assert again == changed
    assert [(one.name, one.account) for one in versions] == [
        ("merchants/TEL/bankDetails/CNY/1", ACCOUNTS["TEL"]),
        ("merchants/TEL/bankDetails/CNY/2", ACCOUNTS["GRO"]),
    ]
    assert [one.HasField("confirm_time") for one in versions] == [True, False]
    assert treasury.setter.key in versions[1].set_by
    assert treasury.finance.checker.key in versions[0].confirmed_by


@pytest.mark.provokes("SAME_PERSON")
async def test_nobody_confirms_his_own_account(treasury: Treasury) -> None:
    """Under whichever of his credentials; another may, and may twice."""
    world = treasury.finance.cast.world
    setter = await world.party(directory.CALLER_ROLE_OPERATOR, "eve")
    as_checker = await world.party(directory.CALLER_ROLE_FINANCE_CHECKER, "eve")
    set_ = payments.SetBankDetailsRequest(merchant="merchants/TEL", currency_code="CNY", account=ACCOUNTS["GRO"])
    details = (await setter.ask(treasury.stub.SetBankDetails, set_)).bank_details
    confirm = payments.ConfirmBankDetailsRequest(name=details.name)

    himself = [await refusal(party.ask(treasury.stub.ConfirmBankDetails, confirm)) for party in (setter, as_checker)]
    other = await treasury.finance.checker.ask(treasury.stub.ConfirmBankDetails, confirm)
    again = await treasury.setter.ask(treasury.stub.ConfirmBankDetails, confirm)

    assert {no.reason for no in himself} == {"SAME_PERSON"}
    assert (other.replayed, again.replayed, again.bank_details) == (False, True, other.bank_details)


@pytest.mark.provokes("WRONG_STATE")
async def test_an_older_version_does_not_come_to_life(treasury: Treasury) -> None:
    """Only the newest can be confirmed: an account that was replaced must be said again."""
    older = await treasury.set("TEL", ACCOUNTS["GRO"])
    await treasury.set("TEL", ACCOUNTS["BNK"])

    refused = await refusal(treasury.confirm(older))

    assert (refused.reason, refused.metadata["state"]) == ("WRONG_STATE", "SUPERSEDED")


async def test_a_merchant_never_sees_an_account(treasury: Treasury) -> None:
    """Not even its own: neither the list nor a file is for merchants; payments are shown without accounts."""
    run, _ = await treasury.instructed()
    tel = treasury.finance.cast.tel
    list_ = payments.ListBankDetailsRequest(merchant="merchants/TEL")
    file = payments.ReadPaymentFileRequest(name="paymentFiles/W1-CNY-1-0")

    no_list = await refusal(tel.ask(treasury.stub.ListBankDetails, list_))
    no_file = await refusal(tel.ask(treasury.stub.ReadPaymentFile, file))
    legs = await treasury.legs(run, by=tel)
    nowhere = await refusal(treasury.legs(run, by=treasury.finance.cast.gen))

    assert {no_list.reason, no_file.reason} == {"METHOD_NOT_ALLOWED"}
    assert legs.keys() == {("OPR", "TEL")}
    assert ACCOUNTS["TEL"].number not in str(legs)
    assert nowhere.reason == "RESOURCE_NOT_FOUND"


@pytest.mark.provokes("BANK_DETAILS_MISSING")
async def test_nothing_is_instructed_while_an_account_is_missing(treasury: Treasury) -> None:
    """The refusal names everybody who is missing; the run can be exported afterwards."""
    cast = treasury.finance.cast
    new = await cast.world.merchant("NEW", *EVERY_ROLE)
    await new.earn(await cast.world.member("bob", linked_to=[new]), "500 TEL")
    await treasury.finance.close("windows/2")
    first = await treasury.approved()
    await treasury.export(first)
    run = await treasury.approved("windows/2")

    refused = await refusal(treasury.export(run))

    assert refused.metadata == {"participants": "NEW", "currency": "CNY"}
    set_ = payments.SetBankDetailsRequest(merchant="merchants/NEW", currency_code="CNY", account=ACCOUNTS["GRO"])
    await treasury.confirm((await treasury.setter.ask(treasury.stub.SetBankDetails, set_)).bank_details)
    assert (await treasury.export(run)).files[0].payment_count == 2


@pytest.mark.parametrize(
    ("account", "field"),
    [
        ({"iban": "DE89370400440532013001", "bic": "COBADEFF"}, "account.iban"),
        ({"iban": "DE89 3704 0044 0532 0130 00", "bic": "COBADEFF"}, "account.iban"),
        ({"iban": "DE89370400440532013000", "number": "1", "bic": "COBADEFF"}, "account.iban"),
        ({"bic": "COBADEFF"}, "account.number"),
        ({"number": "1"}, "account.bic"),
        ({"number": "1", "bic": "COBADEF"}, "account.bic"),
        ({"number": "1", "clearing_system": "CNAPS"}, "account.clearing_member"),
        ({"number": "1", "bic": "COBADEFF", "holder": "=HYPERLINK(1)"}, "account.holder"),
        ({"number": "1", "bic": "COBADEFF", "holder": ""}, "account.holder"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_account_is_well_written(world: World, account: dict[str, str], field: str) -> None:
    """Check digits of an IBAN, one way of naming account and bank, no holder a spreadsheet would run."""
    request = payments.SetBankDetailsRequest(
        merchant="merchants/NIX", currency_code="CNY", account=payments.BankAccount(**{"holder": "A", **account})
    )

    refused = await refusal(world.operator.ask(SettlementServiceStub(world.stubs.channel).SetBankDetails, request))

    assert field in refused.fields
