"""Who a credential says it is: keys and certificates may name the person that holds them."""

from __future__ import annotations

import pytest

from exchange.callers import Caller, CallerRole
from exchange.directory.authentication import DirectoryAuthenticator
from exchange.refusals import CredentialUnknown
from exchange.v1 import directory_service_pb2 as directory
from tests.contract.refusals import refusal
from tests.servers import Server
from tests.worlds import World, a_world


@pytest.mark.parametrize(
    ("name", "role", "person"),
    [
        ("coalition:finance-checker/li.wei", CallerRole.FINANCE_CHECKER, "li.wei"),
        ("coalition:finance-maker/ann", CallerRole.FINANCE_MAKER, "ann"),
        ("coalition:finance-maker", CallerRole.FINANCE_MAKER, None),
    ],
)
async def test_a_certificate_names_a_role_and_perhaps_a_person(
    server: Server, name: str, role: CallerRole, person: str | None
) -> None:
    """The whole name is the credential, for the record."""
    caller = await DirectoryAuthenticator(server.api.source).by_certificate(["DNS-name.example", name])

    assert caller == Caller(role, f"certificates/{name.removeprefix('coalition:')}", person=person)


@pytest.mark.parametrize(
    "name", ["coalition:finance-maker/", "coalition:finance-maker/Li Wei", "coalition:janitor/ann"]
)
async def test_a_certificate_of_a_strange_name_is_nobodys(server: Server, name: str) -> None:
    """Upper case would make one person two."""
    with pytest.raises(CredentialUnknown):
        await DirectoryAuthenticator(server.api.source).by_certificate([f"coalition:{name}"])


async def test_a_key_tells_who_holds_it(server: Server) -> None:
    """To whoever lists keys; a name that is none is refused."""
    async with a_world(server.address, server.operator_secret) as world:
        wanted = directory.ApiKey(caller_role=directory.CALLER_ROLE_AUDITOR, holder="li.wei@example.com")
        issued = await _issue(world, wanted)
        listed = await world.operator.ask(world.stubs.directory.ListApiKeys, directory.ListApiKeysRequest())
        refused = [
            await refusal(_issue(world, directory.ApiKey(caller_role=wanted.caller_role, holder=name)))
            for name in ("Li", "li wei", "-li", "l" * 65)
        ]

    assert issued.api_key.holder == "li.wei@example.com"
    assert issued.api_key in listed.api_keys
    assert {no.fields for no in refused} == {("api_key.holder",)}


async def _issue(world: World, key: directory.ApiKey) -> directory.IssueApiKeyResponse:
    return await world.operator.ask(world.stubs.directory.IssueApiKey, directory.IssueApiKeyRequest(api_key=key))
