"""ListMemberStatements: what was made of each month, page by page, tied to the lines."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from exchange.statements.model import Month
from exchange.statements.monthly import MonthlyStatements
from exchange.v1 import member_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast, a_cast
from tests.contract.pages import every_page
from tests.contract.refusals import refusal
from tests.movements import Member, a_hold
from tests.servers import TIME_ZONE, Server
from tests.worlds import Party, World

Kind = types.Transfer.Kind
ZONE = ZoneInfo(TIME_ZONE)


async def month_ends(server: Server, world: World) -> Month:
    """The month strikes, and its statements are made; which it was."""
    month = Month.of((await world.now()).astimezone(ZONE).date())
    await world.set_clock(month.ends(ZONE))
    await MonthlyStatements(server.api.database, server.api.source).make(month)
    return month


async def listed(caller: Party, member: Member, size: int = 50, **filters: str) -> list[pb.MemberStatement]:
    """A member's statements, through all pages."""
    stub = caller.stubs.members.ListMemberStatements
    found = await every_page(caller, stub, pb.ListMemberStatementsRequest, size, member=member.name, **filters)
    return [statement for page in found for statement in page.statements]


async def test_a_months_statement_is_its_lines_summed_up(own_server: Server, own_world: World) -> None:
    """Opening, totals by kind and closing; the lines of the same time open and close alike."""
    cast = await a_cast(own_world)
    ada = await cast.member("500 TEL", "20 TEL", "90 BNK")
    await cast.caf.redeem(ada, "100 TEL")
    await cast.caf.post(a_hold(ada, "60 TEL", seconds=40 * 86_400))
    before = await own_world.now()
    month = await month_ends(own_server, own_world)

    bnk, tel = await listed(cast.gro, ada)

    assert (bnk.currency, tel.currency, tel.member) == ("currencies/BNK", "currencies/TEL", ada.name)
    assert tel.month == month.name
    assert [tel.begin_time.ToDatetime(UTC), tel.end_time.ToDatetime(UTC)] == [month.begins(ZONE), month.ends(ZONE)]
    assert tel.opening == pb.StatementBalance()
    assert tel.closing == pb.StatementBalance(available_units=360, held_units=60, account_sequence=4)
    assert tel.all == pb.StatementTotal(entries=4, credited_units=520, debited_units=160, reserved_units=60)
    assert list(tel.totals) == [
        pb.StatementTotal(kind=Kind.KIND_EARN, entries=2, credited_units=520),
        pb.StatementTotal(kind=Kind.KIND_REDEEM, entries=1, debited_units=100),
        pb.StatementTotal(kind=Kind.KIND_HOLD, entries=1, debited_units=60, reserved_units=60),
    ]
    assert before < tel.create_time.ToDatetime(UTC) <= await own_world.now()
    lines = await cast.gro.ask(
        cast.gro.stubs.members.ListStatementEntries,
        pb.ListStatementEntriesRequest(
            member=ada.name, currency=tel.currency, begin_time=tel.begin_time, end_time=tel.end_time
        ),
    )
    assert (lines.opening, lines.closing, len(lines.entries)) == (tel.opening, tel.closing, tel.all.entries)


async def test_statements_are_listed_by_month_and_currency_page_by_page(own_server: Server, own_world: World) -> None:
    """Filtered by either; each opens as the one before closed."""
    cast = await a_cast(own_world)
    ada = await cast.member("500 TEL", "90 BNK")
    months = [await month_ends(own_server, own_world)]
    await cast.gro.earn(ada, "1 TEL")
    await cast.air.earn(ada, "7 AIR")
    months.append(await month_ends(own_server, own_world))

    found = await listed(cast.gro, ada, 2)

    assert [(one.month, one.currency[-3:]) for one in found] == [
        (months[0].name, "BNK"),
        (months[0].name, "TEL"),
        (months[1].name, "AIR"),
        (months[1].name, "BNK"),
        (months[1].name, "TEL"),
    ]
    assert (found[4].opening, found[4].closing.available_units) == (found[1].closing, 501)
    assert await listed(cast.gro, ada, currency="currencies/TEL") == [found[1], found[4]]
    assert await listed(cast.gro, ada, month=months[0].name) == found[:2]
    assert await listed(cast.gro, ada, 1, currency="currencies/AIR", month=months[1].name) == [found[2]]
    assert await listed(cast.gro, ada, month="2026-01") == []
    for caller in (own_world.operator, await own_world.auditor()):
        assert await listed(caller, ada) == found


async def test_where_nothing_was_made_nothing_is_listed(cast: Cast) -> None:
    """A month that is not over has none."""
    assert await listed(cast.gro, await cast.member("5 TEL")) == []


async def test_to_whoever_has_not_linked_the_member_there_is_none(cast: Cast) -> None:
    """Cannot be told from a member that does not exist."""
    ada = await cast.member("5 TEL")
    nobody = Member(ada.name[:-12] + "000000000000", "nobody")

    hidden, missing = [await refusal(listed(cast.gen, member)) for member in (ada, nobody)]

    assert hidden.reason == "RESOURCE_NOT_FOUND"
    assert repr(hidden).replace(ada.name, "M") == repr(missing).replace(nobody.name, "M")


async def test_a_currency_there_is_not_has_no_statements(cast: Cast) -> None:
    """Named by its field."""
    refused = await refusal(listed(cast.gro, await cast.member(), currency="currencies/NIX"))

    assert (refused.reason, refused.metadata["field"]) == ("RESOURCE_NOT_FOUND", "currency")


@pytest.mark.parametrize("month", ["2026", "2026-13", "2026-3", "March", "1999-12"])
async def test_a_month_is_written_in_one_way(cast: Cast, month: str) -> None:
    """As "2026-03"."""
    refused = await refusal(listed(cast.gro, await cast.member(), month=month))

    assert (refused.reason, refused.fields) == ("INVALID_FIELD", ("month",))
