"""Missing, oversized, malformed, NUL, negative and unknown: INVALID_ARGUMENT names the field, and nothing happens."""

import grpc
import pytest
from google.protobuf.message import Message
from grpc import aio

from tests.contract.allowed import ROLES_OF
from tests.contract.documentation import comments
from tests.contract.flaws import flaws_of
from tests.contract.good_requests import GOOD, OTHERS
from tests.contract.methods import METHODS
from tests.contract.refusals import refusal, refusal_of
from tests.contract.stillness import nothing_changes
from tests.servers import Server
from tests.worlds import Party, World

# What a stream is asked is answered item by item; see test_streams.
CASES = [case for case in (*GOOD.items(), *OTHERS) if not METHODS[case[0]].streams]
NAMES = [name for name, _ in CASES]
ABOUT_SHAPE = {"INVALID_FIELD", "MALFORMED_MESSAGE", "INVALID_PAGE_TOKEN"}


def test_every_method_has_a_good_request() -> None:
    """A new method without one is not checked by what follows."""
    assert GOOD.keys() == METHODS.keys()


def test_every_field_of_the_wire_says_what_it_holds() -> None:
    """Requests and answers: which fields are required is read from these comments."""
    fields = {
        f"{message.full_name}.{field.name}"
        for method in METHODS.values()
        for message in (method.request, method.answer)
        for field in message.fields
    }

    assert fields <= comments().keys()
    assert all(len(comments()[field]) > 5 for field in fields)


@pytest.mark.parametrize(("name", "good"), CASES, ids=NAMES)
async def test_a_good_request_is_not_blamed_for_its_shape(
    world: World, callers: dict[str, Party], name: str, good: Message
) -> None:
    """Else the flaws below would be found in fields that nobody changed."""
    caller = callers[ROLES_OF[name][0]]

    reason = ""
    try:
        await METHODS[name].call(world.stubs.channel, caller, good)
    except aio.AioRpcError as error:
        reason = refusal_of(error).reason

    assert reason not in ABOUT_SHAPE


@pytest.mark.provokes("INVALID_FIELD")
@pytest.mark.parametrize(("name", "good"), CASES, ids=NAMES)
async def test_every_flaw_is_refused_by_the_name_of_its_field(
    world: World, server: Server, callers: dict[str, Party], name: str, good: Message
) -> None:
    """Field by field, nested ones too; nothing is begun."""
    caller = callers[ROLES_OF[name][0]]
    misjudged: list[tuple[object, ...]] = []

    async with nothing_changes(server):
        for flaw in flaws_of(good):
            try:
                answer = await METHODS[name].call(world.stubs.channel, caller, flaw.request)
            except aio.AioRpcError as error:
                refused = refusal_of(error)
                if refused.code is not grpc.StatusCode.INVALID_ARGUMENT or not flaw.is_named_by(refused.fields):
                    misjudged.append((flaw.path, flaw.what, refused.reason, refused.fields))
            else:
                misjudged.append((flaw.path, flaw.what, "answered", str(answer)))

    assert misjudged == []


@pytest.mark.provokes("MALFORMED_MESSAGE")
@pytest.mark.parametrize("name", GOOD)
async def test_bytes_that_are_no_message_are_refused(world: World, callers: dict[str, Party], name: str) -> None:
    """Cut short, of a wrong wire type, or with text that is none."""
    caller = callers[ROLES_OF[name][0]]
    first = METHODS[name].request.fields[:1]
    no_utf8 = [b"\x0a\x02\xff\xfe"] if first and first[0].type == first[0].TYPE_STRING else []

    for nonsense in (b"\xff\xff\xff", b"\x0a", b"\x0a\xff\xff\xff\xff\x0f", *no_utf8):
        refused = await refusal(METHODS[name].call_raw(world.stubs.channel, caller, nonsense))
        assert refused.reason == "MALFORMED_MESSAGE"
