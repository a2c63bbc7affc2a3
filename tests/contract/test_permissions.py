"""Who may call what, method by method; whatever is not said here is allowed to nobody."""

from typing import Any

import pytest
from grpc.aio import UnaryUnaryMultiCallable

from tests.contract.allowed import OPERATOR, ROLES, ROLES_OF
from tests.contract.documentation import is_required
from tests.contract.methods import METHODS
from tests.contract.refusals import refusal, refusal_in
from tests.servers import Server
from tests.worlds import Party, a_channel


def test_every_method_says_who_may_call_it() -> None:
    """A new method without a row here has no contract yet."""
    assert ROLES_OF.keys() == METHODS.keys()


@pytest.mark.provokes("METHOD_NOT_ALLOWED")
@pytest.mark.parametrize("name", [name for name, roles in ROLES_OF.items() if roles != ROLES])
async def test_whoever_may_not_call_a_method_is_told_so(server: Server, callers: dict[str, Party], name: str) -> None:
    """Before the request is looked at: an empty one and a good one are refused alike."""
    method = METHODS[name]

    async with a_channel(server.address) as channel:
        for role in ROLES:
            if role not in ROLES_OF[name]:
                refused = await refusal(method.call(channel, callers[role], method.new_request()))
                assert refused.reason == "METHOD_NOT_ALLOWED"
                assert refused.metadata == {"method": method.path, "caller_role": role}


@pytest.mark.parametrize("name", ROLES_OF)
async def test_whoever_may_call_a_method_is_heard(server: Server, callers: dict[str, Party], name: str) -> None:
    """An empty request is answered, or refused for what it lacks, and never for who asks."""
    method = METHODS[name]
    fields: list[Any] = [*method.request.fields, *method.request.oneofs]
    lacks_something = any(is_required(field.full_name) for field in fields)

    async with a_channel(server.address) as channel:
        for role in ROLES_OF[name]:
            call = method.call(channel, callers[role], method.new_request())
            if not lacks_something:
                await call
            elif method.streams:
                answer: Any = await call
                assert refusal_in(answer.result.status).reason == "INVALID_FIELD"
            else:
                assert (await refusal(call)).reason == "INVALID_FIELD"


@pytest.mark.provokes("CREDENTIAL_MISSING")
@pytest.mark.parametrize("name", ROLES_OF)
async def test_nobody_calls_without_a_credential(server: Server, name: str) -> None:
    """Not even what everybody may call."""
    method = METHODS[name]

    async with a_channel(server.address) as channel:
        refused = await refusal(method.call(channel, None, method.new_request()))

    assert refused.reason == "CREDENTIAL_MISSING"


@pytest.mark.provokes("UNKNOWN_METHOD")
async def test_a_method_that_does_not_exist_is_told_as_such(server: Server, callers: dict[str, Party]) -> None:
    """Of a known service and of an unknown one."""
    async with a_channel(server.address) as channel:
        for path in ("/exchange.v1.TransferService/StealPoints", "/exchange.v9.Nothing/Ever"):
            call: UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
            refused = await refusal(call(b"", metadata=callers[OPERATOR].metadata))
            assert refused.metadata == {"method": path}
