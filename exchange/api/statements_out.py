"""Statements as messages. A line of which the caller is no party keeps its figures and loses its names."""

from __future__ import annotations

from exchange.api.transfers_out import may_see
from exchange.callers import Caller
from exchange.directory.model import Directory
from exchange.money.limits import INT64_MAX
from exchange.serving.instants import timestamp
from exchange.statements.model import Line, MonthlyStatement, Page, Standing, Total
from exchange.statements.service import Cursor
from exchange.v1 import member_service_pb2 as pb


def position_after(page: Page) -> list[str | int]:
    """Where a page ended, for its token."""
    return [page.lines[-1].transfer.ledger_sequence, *page.closing]


def cursor_at(position: object) -> Cursor:
    """The other way round."""
    assert isinstance(position, list)
    return Cursor(position[0], Standing(*position[1:]))


def write_page(
    response: pb.ListStatementEntriesResponse, page: Page, directory: Directory, caller: Caller
) -> pb.ListStatementEntriesResponse:
    """Fill an empty response with a page."""
    response.opening.CopyFrom(standing_message(page.opening))
    response.closing.CopyFrom(standing_message(page.closing))
    for line in page.lines:
        _write_line(response.entries.add(), line, directory, caller)
    return response


def standing_message(standing: Standing) -> pb.StatementBalance:
    """How an account stood."""
    return pb.StatementBalance(
        available_units=standing.available, held_units=standing.held, account_sequence=standing.sequence
    )


def _write_line(message: pb.StatementEntry, line: Line, directory: Directory, caller: Caller) -> None:
    transfer = line.transfer
    message.account_sequence = line.after.sequence
    message.credited_units, message.debited_units = line.credited, line.debited
    message.reserved_units, message.unreserved_units = line.reserved, line.unreserved
    message.balance.CopyFrom(standing_message(line.after))
    message.kind = transfer.kind  # type: ignore[assignment]
    happened = timestamp(transfer.occurred_at)
    assert happened is not None
    message.event_time.CopyFrom(happened)
    message.ledger_sequence = transfer.ledger_sequence
    if may_see(caller, transfer, directory):
        message.transfer = f"transfers/{transfer.transfer_id}"
        message.merchant = directory.merchants[transfer.merchant_no].name
        if transfer.reference is not None and (caller.sees_all or caller.merchant_no == transfer.merchant_no):
            message.reference = transfer.reference


def monthly_message(member: str, statement: MonthlyStatement) -> pb.MemberStatement:
    """A monthly statement of the member with that name."""
    return pb.MemberStatement(
        member=member,
        currency=f"currencies/{statement.currency}",
        month=f"{statement.month:%Y-%m}",
        begin_time=timestamp(statement.begins_at),
        end_time=timestamp(statement.ends_at),
        opening=standing_message(statement.opening),
        closing=standing_message(statement.closing),
        all=_total_message(statement.all_kinds),
        totals=[_total_message(total) for total in statement.totals],
        create_time=timestamp(statement.made_at),
    )


def _total_message(total: Total) -> pb.StatementTotal:
    credited, debited, reserved, unreserved = (min(units, INT64_MAX) for units in total[2:])
    return pb.StatementTotal(
        kind=total.kind,  # type: ignore[arg-type]
        entries=total.entries,
        credited_units=credited,
        debited_units=debited,
        reserved_units=reserved,
        unreserved_units=unreserved,
    )
