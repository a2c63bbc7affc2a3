"""DirectoryService: what is told of merchants, currencies and prices, and that a change holds from its answer on."""

from datetime import UTC, timedelta

import pytest

from exchange.v1 import directory_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast
from tests.contract.pages import every_page
from tests.contract.refusals import refusal
from tests.worlds import DISCOUNT, EARNING, GENERAL, REDEMPTION, World, instant

A_FAR_DAY = instant("2150-01-01T00:00:00+00:00")


async def test_a_merchant_is_taken_in_as_the_operator_says(world: World) -> None:
    """The answer is what anybody reads afterwards."""
    wanted = types.Merchant(
        name="merchants/Sun_1-a", display_name="阳光超市", roles=[REDEMPTION, EARNING], cash_agent=True
    )
    before = await world.now()

    request = pb.CreateMerchantRequest(merchant=wanted)
    created = (await world.operator.ask(world.stubs.directory.CreateMerchant, request)).merchant

    read = await world.operator.ask(world.stubs.directory.GetMerchant, pb.GetMerchantRequest(name=wanted.name))
    assert read.merchant == created
    assert (created.name, created.display_name, created.cash_agent) == (wanted.name, "阳光超市", True)
    assert sorted(created.roles) == sorted([REDEMPTION, EARNING])
    assert created.state == types.Merchant.STATE_ACTIVE
    assert before <= created.create_time.ToDatetime(UTC) <= await world.now()


async def test_a_merchant_without_a_display_name_is_called_by_its_id(world: World) -> None:
    """Left out: the id."""
    merchant = await world.merchant("Quiet")

    answer = await world.operator.ask(world.stubs.directory.GetMerchant, pb.GetMerchantRequest(name=merchant.name))

    assert answer.merchant.display_name == "Quiet"


async def test_what_only_the_server_says_is_not_taken_from_a_request(world: World) -> None:
    """A merchant that arrives suspended, as of long ago, is active and new."""
    wanted = types.Merchant(
        name="merchants/Sly",
        roles=[GENERAL],
        state=types.Merchant.STATE_SUSPENDED,
        create_time=instant("2001-01-01T00:00:00+00:00"),
    )
    before = await world.now()

    request = pb.CreateMerchantRequest(merchant=wanted)
    created = (await world.operator.ask(world.stubs.directory.CreateMerchant, request)).merchant

    assert created.state == types.Merchant.STATE_ACTIVE
    assert created.create_time.ToDatetime(UTC) >= before


async def test_roles_are_said_anew_as_a_whole(world: World, cast: Cast) -> None:
    """What is not among them is gone, from the answer on."""
    one = await world.merchant("RolesA", EARNING, DISCOUNT, cash_agent=True)
    ada = await world.member("ada", [one, cast.tel])
    await one.earn(ada, "10 TEL")

    request = pb.SetMerchantRolesRequest(name=one.name, roles=[EARNING])
    answer = await world.operator.ask(world.stubs.directory.SetMerchantRoles, request)

    assert (list(answer.merchant.roles), answer.merchant.cash_agent) == ([EARNING], False)
    await one.earn(ada, "10 TEL")
    assert (await refusal(one.discount(ada, "10 TEL"))).metadata["role"] == "DISCOUNT"


async def test_a_suspended_merchant_acts_again_when_activated(world: World, cast: Cast) -> None:
    """Suspending twice is no error, and neither is activating twice."""
    one = await world.merchant("Pause", EARNING)
    ada = await world.member("ada", [one, cast.tel])
    suspend = pb.SuspendMerchantRequest(name=one.name, reason="late payments")
    activate = pb.ActivateMerchantRequest(name=one.name, reason="paid")

    stopped = [await world.operator.ask(world.stubs.directory.SuspendMerchant, suspend) for _ in range(2)]
    refused = await refusal(one.earn(ada, "10 TEL"))
    started = [await world.operator.ask(world.stubs.directory.ActivateMerchant, activate) for _ in range(2)]
    await one.earn(ada, "10 TEL")

    assert [answer.merchant.state for answer in stopped] == [types.Merchant.STATE_SUSPENDED] * 2
    assert [answer.merchant.state for answer in started] == [types.Merchant.STATE_ACTIVE] * 2
    assert refused.reason == "MERCHANT_SUSPENDED"


async def test_a_suspended_merchant_still_reads_what_is_its_own(world: World, cast: Cast) -> None:
    """It owes and is owed: it must be able to see for what."""
    one = await world.merchant("Reader", EARNING)
    ada = await world.member("ada", [one, cast.tel])
    await one.earn(ada, "10 TEL")

    await world.suspend(one)

    assert await one.balances(ada) == {"TEL": 10}


async def test_merchants_are_listed_by_id_page_by_page(own_world: World) -> None:
    """The operator itself is one of them."""
    for merchant_id in ("Cc", "Aa", "Bb", "a0"):
        await own_world.merchant(merchant_id)

    pages = await every_page(own_world.operator, own_world.stubs.directory.ListMerchants, pb.ListMerchantsRequest, 2)

    assert [[merchant.name for merchant in page.merchants] for page in pages] == [
        ["merchants/Aa", "merchants/Bb"],
        ["merchants/Cc", "merchants/OPR"],
        ["merchants/a0"],
    ]


async def test_a_currency_is_issued_as_the_operator_says(world: World, cast: Cast) -> None:
    """The answer is what anybody reads afterwards."""
    wanted = types.Currency(
        name="currencies/STAR7",
        issuer=cast.air.name,
        display_name="Star points",
        settlement_currency="USD",
        expiry=types.ExpiryPolicy(kind=types.ExpiryPolicy.KIND_DAYS, days=365),
        breakage_share_bps=4_000,
        negative_balances=True,
    )

    request = pb.CreateCurrencyRequest(currency=wanted)
    created = (await world.operator.ask(world.stubs.directory.CreateCurrency, request)).currency

    read = await cast.gen.ask(world.stubs.directory.GetCurrency, pb.GetCurrencyRequest(name=wanted.name))
    assert read.currency == created
    assert created.state == types.Currency.STATE_ACTIVE
    assert created.HasField("create_time")
    created.ClearField("state")
    created.ClearField("create_time")
    assert created == wanted


async def test_a_currency_expires_never_unless_it_says_so(world: World, cast: Cast) -> None:
    """Left out: never; and it is called by its code."""
    await world.currency("PLAIN", cast.air)

    answer = await cast.gen.ask(world.stubs.directory.GetCurrency, pb.GetCurrencyRequest(name="currencies/PLAIN"))

    assert answer.currency.expiry.kind == types.ExpiryPolicy.KIND_NONE
    assert answer.currency.display_name == "PLAIN"


async def test_a_suspended_currency_is_told_as_such(world: World, cast: Cast) -> None:
    """Suspending twice is no error, and neither is activating twice."""
    name = await world.currency("HALT", cast.air)
    suspend, activate = pb.SuspendCurrencyRequest(name=name), pb.ActivateCurrencyRequest(name=name)

    stopped = [await world.operator.ask(world.stubs.directory.SuspendCurrency, suspend) for _ in range(2)]
    started = [await world.operator.ask(world.stubs.directory.ActivateCurrency, activate) for _ in range(2)]

    assert [answer.currency.state for answer in stopped] == [types.Currency.STATE_SUSPENDED] * 2
    assert [answer.currency.state for answer in started] == [types.Currency.STATE_ACTIVE] * 2


async def test_currencies_are_listed_by_code_page_by_page(own_world: World) -> None:
    """Whoever calls."""
    issuer = await own_world.merchant("ISS")
    for code in ("CC", "AA", "BB"):
        await own_world.currency(code, issuer)

    pages = await every_page(issuer, own_world.stubs.directory.ListCurrencies, pb.ListCurrenciesRequest, 2)

    assert [[currency.name for currency in page.currencies] for page in pages] == [
        ["currencies/AA", "currencies/BB"],
        ["currencies/CC"],
    ]


async def test_a_price_holds_from_now_when_no_instant_is_given(world: World, cast: Cast) -> None:
    """Every figure comes back as it was published."""
    await world.currency("PRC", cast.air)
    figures = {"issue": 7, "redeem": 6, "conversion_in": 5, "conversion_out": 4, "cash_out": 3, "cash_out_fee": 2}
    before = await world.now()

    price = await world.price("PRC", **figures)  # type: ignore[arg-type]  # none of the figures is an instant

    assert price.name == "currencies/PRC/prices/1"
    assert (price.issue_micros, price.redeem_micros, price.conversion_in_micros) == (7, 6, 5)
    assert (price.conversion_out_micros, price.cash_out_micros, price.cash_out_fee_bps) == (4, 3, 2)
    assert before <= price.effective_time.ToDatetime(UTC) <= price.publish_time.ToDatetime(UTC) <= await world.now()


async def test_prices_are_listed_by_effective_time_page_by_page(world: World, cast: Cast) -> None:
    """Whenever they were published; one that begins within the same second stands in its place too."""
    name = await world.currency("LST", cast.air)
    noon = (await world.now() + timedelta(days=1)).replace(microsecond=0)
    for issue, effective in ((3, noon + timedelta(seconds=1)), (1, noon), (2, noon + timedelta(milliseconds=500))):
        await world.price("LST", effective=effective, issue=issue)

    pages = await every_page(cast.gen, world.stubs.directory.ListPrices, pb.ListPricesRequest, 2, currency=name)

    assert [[price.issue_micros for price in page.prices] for page in pages] == [[1, 2], [3]]


@pytest.mark.parametrize("role", ["CALLER_ROLE_OPERATOR", "CALLER_ROLE_FINANCE_MAKER", "CALLER_ROLE_AUDITOR"])
async def test_a_key_is_shown_once_and_opens_the_door(world: World, role: str) -> None:
    """The secret is in this answer and nowhere else."""
    wanted = pb.ApiKey(caller_role=pb.CallerRole.Value(role), display_name="for the test", expire_time=A_FAR_DAY)

    issued = await world.operator.ask(world.stubs.directory.IssueApiKey, pb.IssueApiKeyRequest(api_key=wanted))

    key = issued.api_key
    assert (key.caller_role, key.merchant, key.display_name) == (wanted.caller_role, "", "for the test")
    assert (key.expire_time, key.HasField("revoke_time")) == (wanted.expire_time, False)
    listed = await every_page(world.operator, world.stubs.directory.ListApiKeys, pb.ListApiKeysRequest, 1_000)
    assert [one for page in listed for one in page.api_keys if one.name == key.name] == [key]
    assert issued.secret not in str(listed)
    metadata = (("authorization", f"Bearer {issued.secret}"),)
    answer = await world.stubs.directory.GetMerchant(pb.GetMerchantRequest(name="merchants/OPR"), metadata=metadata)
    assert answer.merchant.name == "merchants/OPR"


async def test_a_merchants_key_names_its_merchant(world: World, cast: Cast) -> None:
    """And no other caller's key names any."""
    wanted = pb.ApiKey(caller_role=pb.CALLER_ROLE_MERCHANT, merchant=cast.gen.name)

    issued = await world.operator.ask(world.stubs.directory.IssueApiKey, pb.IssueApiKeyRequest(api_key=wanted))

    assert issued.api_key.merchant == cast.gen.name


async def test_keys_are_listed_by_name_page_by_page(own_world: World) -> None:
    """For the operator and the auditor, revoked ones too."""
    auditor, other = await own_world.auditor(), await own_world.auditor()
    revoke = pb.RevokeApiKeyRequest(name=other.key)
    revoked = [await own_world.operator.ask(own_world.stubs.directory.RevokeApiKey, revoke) for _ in range(2)]

    pages = await every_page(auditor, own_world.stubs.directory.ListApiKeys, pb.ListApiKeysRequest, 2)

    names = [key.name for page in pages for key in page.api_keys]
    assert [len(page.api_keys) for page in pages] == [2, 1]
    assert names == sorted(names)
    assert revoked[0] == revoked[1]
    assert [key for page in pages for key in page.api_keys if key.name == other.key] == [revoked[0].api_key]
    assert revoked[0].api_key.HasField("revoke_time")
