"""What a pack holds, as a registry: a new kind of input is an entry in PARTS, and a check in `checks.registry`.

Each is written from one snapshot of the database. `grows`: later events add lines to it and change none.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement import exchange_evidence, exchange_ledger
from settlement.evidence import cells, sql
from settlement.evidence.model import Cell
from settlement.evidence.writing import Folder
from settlement.exchange_directory import Coalition
from settlement.exchange_ledger import Window
from settlement.payments.formats.registry import FORMATS
from settlement.run.model import Run

AT_ONCE = 2_000
"""So many rows are fetched at a time."""


class Source(NamedTuple):
    """What parts are written from: a snapshot, the window, its run, and who operates."""

    connection: AsyncConnection
    window: Window
    run: Run
    coalition: Coalition

    @property
    def values(self) -> dict[str, object]:
        """What statements ask for."""
        return {
            "window_no": self.window.window_no,
            "run_id": self.run.run_id,
            "operator": self.coalition.operator,
        }

    async def stream(self, statement: TextClause, columns: Mapping[str, str]) -> AsyncIterator[Sequence[Cell]]:
        """Rows of a statement, cells in the order of the columns; a server-side cursor keeps memory bounded."""
        wanted = {name: value for name, value in self.values.items() if name in statement.compile().params}
        fetching = statement.execution_options(yield_per=AT_ONCE)
        async for row in await self.connection.stream(fetching, wanted):
            yield [getattr(row, column) for column in columns.values()]


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV table: column of the file by column of the statement."""

    name: str
    about: str
    statement: TextClause
    columns: Mapping[str, str]
    grows: bool = False

    async def write(self, source: Source, folder: Folder) -> None:
        """Stream it into the folder."""
        await folder.table(self.name, self.about, list(self.columns), source.stream(self.statement, self.columns))


@dataclass(frozen=True, slots=True)
class Made:
    """A CSV table whose rows are made by a function."""

    name: str
    about: str
    columns: Sequence[str]
    rows: Callable[[Source], AsyncIterator[Sequence[Cell]]]
    grows: bool = False

    async def write(self, source: Source, folder: Folder) -> None:
        """Stream it into the folder."""
        await folder.table(self.name, self.about, self.columns, self.rows(source))


@dataclass(frozen=True, slots=True)
class Document:
    """A file of its own: bytes made by a function."""

    name: str
    about: str
    content: Callable[[Source], Awaitable[bytes | None]]
    grows: bool = False

    async def write(self, source: Source, folder: Folder) -> None:
        """Write it, unless there is none."""
        content = await self.content(source)
        if content is not None:
            folder.content(self.name, self.about, content)


@dataclass(frozen=True, slots=True)
class Files:
    """Files under one folder, byte for byte as they were sent or received; their number grows."""

    name: str
    about: str
    contents: Callable[[Source], AsyncIterator[tuple[str, bytes]]]
    grows: bool = True

    async def write(self, source: Source, folder: Folder) -> None:
        """Write each."""
        async for name, content in self.contents(source):
            folder.content(self.name + name, self.about, content)


Part = Table | Made | Document | Files


def _same(*names: str, **renamed: str) -> dict[str, str]:
    return {name: name for name in names} | renamed


async def _window(source: Source) -> bytes:
    window, zone = source.window, source.coalition.time_zone
    closing = (await source.connection.execute(sql.CLOSING, source.values)).first()
    from settlement.windows.dates import cut_offs_of

    number = window.window_no
    cut_offs = (await cut_offs_of(source.connection, number, number)).get(number, [])
    return cells.document(
        {
            "window": window.name,
            "opened": window.opened_at,
            "closed": window.closed_at,
            "closed_on": source.run.closed_on,
            "closed_by": closing.actor if closing else window.closed_by,
            "closed_person": closing.person if closing else None,
            "calendar": closing.calendar if closing else None,
            "edition_of_holidays": closing.edition if closing else None,
            "leave": closing.leave if closing else None,
            "operator": source.coalition.operator,
            "time_zone": zone.key,
            "cut_offs": [one._asdict() for one in cut_offs],
        }
    )


async def _documents(source: Source) -> bytes:
    rows = (await source.connection.execute(sql.DOCUMENTS, source.values)).mappings()
    return cells.document([{**row, "content": json.loads(row["content"])} for row in rows])


async def _result(source: Source) -> bytes:
    return str((await source.connection.execute(sql.RESULT, source.values)).scalar_one()).encode()


async def _before(source: Source) -> bytes | None:
    if source.run.before_run is None:
        return None
    found = await source.connection.execute(sql.RESULT, {"run_id": source.run.before_run})
    return str(found.scalar_one()).encode()


async def _pairs(source: Source) -> AsyncIterator[Sequence[Cell]]:
    for row in await exchange_ledger.pair_micros(source.connection, source.window.window_no):
        yield row


async def _kinds(source: Source) -> AsyncIterator[Sequence[Cell]]:
    for row in await exchange_ledger.kind_micros(source.connection, source.window.window_no):
        yield row


async def _entries(source: Source) -> AsyncIterator[Sequence[Cell]]:
    async for one in exchange_evidence.every_entry(source.connection, source.window.window_no, AT_ONCE):
        kind = exchange_ledger.kind_name(one.kind)
        yield (
            one.ledger_sequence, one.position, one.transfer_id, one.occurred_at, kind, one.debtor, one.creditor,
            one.currency, one.micros, one.points_units, one.price_micros,
        )  # fmt: skip


async def _prices(source: Source) -> AsyncIterator[Sequence[Cell]]:
    assert source.window.closed_at is not None
    for row in await exchange_evidence.prices_until(source.connection, source.window.closed_at):
        yield row


async def _exported(source: Source) -> AsyncIterator[tuple[str, bytes]]:
    for row in (await source.connection.execute(sql.FILES, source.values)).all():
        found = await source.connection.execute(sql.CONTENT, {"message_id": row.message_id})
        yield f"{row.message_id}.{FORMATS[row.format].suffix}", bytes(found.scalar_one())


async def _received(source: Source) -> AsyncIterator[tuple[str, bytes]]:
    for row in (await source.connection.execute(sql.MESSAGES, source.values)).all():
        found = await source.connection.execute(sql.MESSAGE_CONTENT, {"sha256": row.sha256})
        yield f"{row.sha256}.xml", bytes(found.scalar_one())


CURRENCY = {"currency": "currency_code"}

PARTS: Sequence[Part] = (
    Document("window.json", "The window: when it was opened and cut off, by whom, by which calendar.", _window),
    Document("documents.json", "Terms, tiers, exclusions and calendar that held, with both persons.", _documents),
    Made("entries.csv", "Every obligation with the transfer behind it, in ledger order; micro-units.",
         ("sequence", "position", "transfer", "occurred", "kind", "debtor", "creditor", "currency", "micros", "points",
          "price_micros"), _entries),
    Made("kinds.csv", "Obligations by directed pair and kind, as they were counted while posting; micro-units.",
         ("currency", "debtor", "creditor", "kind", "micros", "obligations"), _kinds),
    Made("pairs.csv", "Obligations by directed pair: what the calculation takes; micro-units.",
         ("currency", "debtor", "creditor", "micros", "obligations"), _pairs),
    Made("prices.csv", "Prices published until the cut-off; micro-units for each point.",
         exchange_evidence.PRICE_COLUMNS, _prices),
    Table("disputes.csv", "Claims against obligations of the window, or that it nets again; minor units.", sql.DISPUTES,
          _same("dispute_id", "window_no", "transfer_id", "debtor", "creditor", **CURRENCY,
                **_same("minor_units", "claimant", "reason", "statement", "evidence", "treatment", "at", "actor",
                        "person")), grows=True),
    Table("dispute_steps.csv", "How each of them went, and in which window it came to an end.", sql.DISPUTE_STEPS,
          _same("dispute_id", "step_no", "from_state", "to_state", "cause", "at", "actor", "person", "note", "evidence",
                "upheld_minor_units", "release_window", "proposal_id"), grows=True),
    Table("adjustments.csv", "What is owed in the window beside what transfers say; minor units.", sql.ADJUSTMENTS,
          _same("adjustment_id", "debtor", "creditor", **CURRENCY,
                **_same("minor_units", "cause", "dispute_id", "proposal_id", "transfer_id", "at", "actor"))),
    Document("before.json", "The result of the window before, whose carried and held items came in.", _before),
    Document("result.json", "The result, to the byte as it was approved: its SHA-256 is the digest.", _result),
    Table("runs.csv", "Every run the window ever had; the last one counts.", sql.RUNS,
          _same("run_id", "digest", "before_run", "created_at", "created_by", "created_person"), grows=True),
    Table("steps.csv", "Every step of every run: who, when, why.", sql.STEPS,
          _same("run_id", "step_no", "from_state", "to_state", "at", "actor", "person", "reason", "checkers_needed"),
          grows=True),
    Table("decisions.csv", "What checkers said, of which digest.", sql.DECISIONS,
          _same("run_id", "person", "verdict", "digest", "at", "actor", "reason"), grows=True),
    Table("recounts.csv", "What the transfers came to when they were counted again; whether the run says so.",
          sql.RECOUNTS, _same("run_id", "run_digest", "digest", "transfers", "obligations", "passed", "at", "actor",
                              "person"), grows=True),
    Table("looks.csv", "That checkers looked at the funds of who pays: what was missing, minor units.", sql.LOOKS,
          _same("run_id", "person", "at", "missing", "acknowledged"), grows=True),
    Table("payments.csv", "What is to be paid; minor units.", sql.LEGS,
          _same("leg_no", **CURRENCY, payer="payer", payee="payee", minor_units="minor_units"), grows=True),
    Table("defaults.csv", "Who did not pay and who stands in for it, as two people approved it.", sql.DEFAULTS,
          _same("proposal_id", "participant", "run_id", "at", "digest", "proposed_person", "decided_person", "content"),
          grows=True),
    Table("defaulted_payments.csv", "Payments others stand in for; minor units.", sql.DEFAULTED_PAYMENTS,
          _same("leg_no", "proposal_id", **CURRENCY, payer="payer", payee="payee", minor_units="minor_units"),
          grows=True),
    Table("recoveries.csv", "What came back from defaulters and whom it repays; minor units.", sql.RECOVERIES,
          _same("proposal_id", "default_id", **CURRENCY, **_same("minor_units", "reference", "value_date", "at",
                "digest", "proposed_person", "decided_person", "content")), grows=True),
    Table("write_offs.csv", "What is claimed of defaulters no more, and whose loss it is; minor units.", sql.WRITE_OFFS,
          _same("proposal_id", "default_id", **CURRENCY, **_same("minor_units", "at", "digest", "proposed_person",
                "decided_person", "content")), grows=True),
    Table("default_postings.csv", "Every line of the funds book they made; minor units.", sql.DEFAULT_POSTINGS,
          _same("posting_no", "proposal_id", "line_no", "way", **CURRENCY, **_same("debit_participant", "debit_purpose",
                "credit_participant", "credit_purpose", "minor_units", "reference", "value_date", "at", "person")),
          grows=True),
    Table("accounts.csv", "Where everybody was paid, with both persons.", sql.ACCOUNTS,
          _same("participant", **CURRENCY, **_same("version", "holder", "iban", "number", "bic", "clearing_system",
                "clearing_member", "set_at", "set_person", "confirmed_at", "confirmed_person")), grows=True),
    Table("attempts.csv", "Attempts to pay, by the names banks know them by.", sql.ATTEMPTS,
          _same("end_to_end_id", "leg_no", "attempt", "message_id", "block_id", "payer_version", "payee_version"),
          grows=True),
    Table("files.csv", "Payment files: count, control sum (minor units), who exported them.", sql.FILES,
          _same("message_id", **CURRENCY, **_same("batch_no", "format", "execution_date", "created_at", "created_by",
                "created_person", "payments", "control_sum", "operator_version", "sha256")), grows=True),
    Files("files/", "A payment file as the bank got it.", _exported),
    Table("events.csv", "What became of each attempt, in order.", sql.EVENTS,
          _same("end_to_end_id", "from_state", "to_state", "at", "booked_on", "reason", "source", "actor"), grows=True),
    Table("messages.csv", "What banks sent about these payments.", sql.MESSAGES,
          _same("sha256", "name", "bank_message_id", "received_at", "received_by"), grows=True),
    Files("bank/", "A bank's message as it was received.", _received),
    Table("lines.csv", "Every line of those messages, and what became of it.", sql.LINES,
          _same("sha256", "line_no", "said", "outcome", "end_to_end_id", **CURRENCY,
                **_same("amount", "account", "is_credit", "booked_on", "reference")), grows=True),
    Table("exceptions.csv", "Lines nothing could be done with.", sql.EXCEPTIONS,
          _same("exception_no", "sha256", "line_no", "kind", "end_to_end_id", "raised_at"), grows=True),
    Table("resolutions.csv", "How each of them was ended, and by whom.", sql.RESOLUTIONS,
          _same("exception_no", "end_to_end_id", "note", "resolved_at", "resolved_by", "resolved_person"), grows=True),
)  # fmt: skip
"""In the order they are written."""
