"""Use cases of paying: instruct an approved run, try again what failed for good. Each is one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from exchange.refusals import ResourceNotFound
from settlement import exchange_directory
from settlement.actors import Actor
from settlement.approval.rules import require_state
from settlement.bank_details.model import BankDetails
from settlement.bank_details.service import confirmed
from settlement.payments import sql
from settlement.payments.files import PaymentFile, file_of, files_of, legs_paid, legs_to_pay
from settlement.payments.formats.registry import FORMATS
from settlement.payments.model import FAILED, AttemptState, Instruction, Leg, LegView, Party, PaymentOrder
from settlement.payments.progress import follow
from settlement.payments.rules import blocks_of, end_to_end_id, legs_of, message_id, require_to_come
from settlement.payments.telling import tell_moved
from settlement.refusals import DigestMismatch, FormatMismatch, SamePerson
from settlement.run.life import INSTRUCTED, RunState
from settlement.run.model import Run
from settlement.run.service import read_run
from settlement.run.steps import step, take_turns


@dataclass(frozen=True, slots=True)
class Instructing:
    """Who asks for files, how they are written, and when to pay; None: on the pay day, not before tomorrow."""

    actor: Actor
    format: str
    execution_date: date | None = None


class Payments:
    """Instructing banks, and seeing what was instructed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def export(self, run_id: UUID, digest: str, how: Instructing) -> tuple[list[PaymentFile], bool]:
        """Instruct an approved run: a file for each currency. (…, True) with the very same files when it was before.

        Raises:
            ResourceNotFound: there is no such run.
            PersonUnknown, SamePerson: whoever approves does not export.
            DigestMismatch: another result was looked at.
            WrongState: it is not approved.
            FormatMismatch: it was exported in another format, or cannot be written in this one.
            BankDetailsMissing: nobody confirmed where somebody is paid.
            ExecutionDateOver: the bank would have to have paid on a day that is over.
        """
        person = how.actor.require_person()
        async with self._database.write() as connection:
            await take_turns(connection)
            run = await read_run(connection, run_id, "run")
            if digest != run.digest:
                raise DigestMismatch(resource=run.name, digest=run.digest)
            if run.life.state in INSTRUCTED:
                return _first_batch(await files_of(connection, run_id), how.format), True
            require_state(run, {RunState.APPROVED})
            require_no_approver(run, person)
            await _instruct(connection, run, how)
            return await files_of(connection, run_id), False

    async def retry(self, run_id: UUID, how: Instructing) -> list[PaymentFile]:
        """Try the legs again whose newest attempt failed for good, in new files. Nothing failed: no file.

        Raises:
            ResourceNotFound, PersonUnknown, SamePerson, FormatMismatch, BankDetailsMissing, ExecutionDateOver: as of
                `export`.
            WrongState: nothing was instructed yet.
        """
        person = how.actor.require_person()
        async with self._database.write() as connection:
            await take_turns(connection)
            run = await read_run(connection, run_id, "run")
            require_state(run, INSTRUCTED)
            require_no_approver(run, person)
            before = {file.message_id for file in await files_of(connection, run_id)}
            failed = [view for view in await legs_paid(connection, run_id) if view.state in FAILED]
            attempts = [(view.due, view.attempt + 1) for view in failed]
            exported = await _write_files(connection, run, attempts, how)
            await tell_moved(connection, [(name, AttemptState.EXPORTED) for name in exported])
            return [file for file in await files_of(connection, run_id) if file.message_id not in before]

    async def files(self, run_id: UUID) -> list[PaymentFile]:
        """Every file of a run, by currency and batch.

        Raises:
            ResourceNotFound: there is no such run.
        """
        async with self._database.read() as connection:
            await read_run(connection, run_id, "run")
            return await files_of(connection, run_id)

    async def content(self, name: str) -> tuple[PaymentFile, bytes]:
        """A file by message id, with the bytes it was first exported with.

        Raises:
            ResourceNotFound: there is none.
        """
        async with self._database.read() as connection:
            row = (await connection.execute(sql.FILE, {"message_id": name})).first()
            if row is None:
                raise ResourceNotFound(resource=f"paymentFiles/{name}", field="name")
            content = (await connection.execute(sql.CONTENT, {"message_id": name})).scalar_one()
            return file_of(row), bytes(content)

    async def legs(self, run_id: UUID) -> list[LegView]:
        """What a run pays and how far each is; before it is instructed a leg is CREATED unless others stand in.

        Raises:
            ResourceNotFound: there is no such run.
        """
        async with self._database.read() as connection:
            return await legs_to_pay(connection, await read_run(connection, run_id, "run"))


def require_no_approver(run: Run, person: str) -> None:
    """Raises SamePerson when the person approved the run: who approves does not also move the money."""
    if any(decision.person == person for decision in run.life.approvals):
        raise SamePerson(resource=run.name, person=person)


async def _instruct(connection: AsyncConnection, run: Run, how: Instructing) -> None:
    for leg in legs_of(run.result):
        values = {"leg_no": leg.leg_no, "currency_code": leg.currency, "payer": leg.payer, "payee": leg.payee}
        window = {"run_id": run.run_id, "window_no": run.window_no, "minor_units": leg.minor_units}
        await connection.execute(sql.ADD_LEG, {**values, **window})
    asked = [(one.due, 1) for one in await legs_paid(connection, run.run_id) if one.state is AttemptState.CREATED]
    exported = await _write_files(connection, run, asked, how)
    await step(connection, run.run_id, RunState.INSTRUCTED, how.actor, "")
    await follow(connection, [run.run_id], how.actor, [(name, AttemptState.EXPORTED) for name in exported])


async def _write_files(
    connection: AsyncConnection, run: Run, attempts: Sequence[tuple[Leg, int]], how: Instructing
) -> list[str]:
    """A file for each currency of these attempts; their EndToEndIds in the order of the files."""
    exported: list[str] = []
    coalition = await exchange_directory.coalition(connection)
    operator, created_at = coalition.operator, coalition.now
    today = created_at.astimezone(coalition.time_zone).date()
    tomorrow = today + timedelta(days=1)
    if attempts:
        require_to_come(how.execution_date, today)
    agreed = {one.currency: date.fromisoformat(one.pay_date) for one in run.result if one.pay_date}
    batches = {file.currency: file.batch_no for file in await files_of(connection, run.run_id)}
    for currency in dict.fromkeys(leg.currency for leg, _ in attempts):
        chosen = [(leg, attempt) for leg, attempt in attempts if leg.currency == currency]
        names = {operator} | {name for leg, _ in chosen for name in (leg.payer, leg.payee)}
        details = await confirmed(connection, currency, names)
        parties = {name: Party(name, one.account) for name, one in details.items()}
        batch_no = batches.get(currency, 0) + 1
        order = PaymentOrder(
            message_id=message_id(run.window_no, run.digest, currency, batch_no),
            window_no=run.window_no,
            currency=currency,
            batch_no=batch_no,
            created_at=created_at,
            execution_date=how.execution_date or max(tomorrow, agreed.get(currency, tomorrow)),
            operator=parties[operator],
            instructions=[
                Instruction(
                    end_to_end_id(run.window_no, run.digest, leg, attempt),
                    leg,
                    attempt,
                    parties[leg.payer],
                    parties[leg.payee],
                )
                for leg, attempt in chosen
            ],
        )
        await _write_file(connection, run, order, how, details)
        exported += [item.end_to_end_id for item in order.instructions]
    return exported


async def _write_file(
    connection: AsyncConnection, run: Run, order: PaymentOrder, how: Instructing, details: Mapping[str, BankDetails]
) -> None:
    chosen = FORMATS[how.format]
    if (problem := chosen.why_not(order)) is not None:
        raise FormatMismatch(format=how.format, problem=problem)
    content = chosen.render(order)
    await connection.execute(
        sql.ADD_FILE,
        {
            "message_id": order.message_id,
            "run_id": run.run_id,
            "currency_code": order.currency,
            "batch_no": order.batch_no,
            "format": how.format,
            "execution_date": order.execution_date,
            "created_at": order.created_at,
            "created_by": how.actor.name,
            "created_person": how.actor.require_person(),
            "payments": order.count,
            "control_sum": order.control_sum,
            "operator_version": details[order.operator.participant].version,
            "sha256": hashlib.sha256(content).hexdigest(),
            "content": content,
        },
    )
    blocks = blocks_of(order)
    for item in order.instructions:
        await _add_attempt(connection, run, order, item, blocks[item.leg.payer], details)
        values = {"end_to_end_id": item.end_to_end_id, "from_state": "CREATED", "to_state": "EXPORTED"}
        said = {"booked_on": None, "reason": "", "source": order.message_id, "actor": how.actor.name}
        await connection.execute(sql.ADD_EVENT, {**values, **said})


async def _add_attempt(
    connection: AsyncConnection,
    run: Run,
    order: PaymentOrder,
    item: Instruction,
    block_id: str,
    details: Mapping[str, BankDetails],
) -> None:
    await connection.execute(
        sql.ADD_ATTEMPT,
        {
            "end_to_end_id": item.end_to_end_id,
            "run_id": run.run_id,
            "leg_no": item.leg.leg_no,
            "attempt": item.attempt,
            "currency_code": order.currency,
            "message_id": order.message_id,
            "block_id": block_id,
            "payer_version": details[item.leg.payer].version,
            "payee_version": details[item.leg.payee].version,
        },
    )


def _first_batch(files: Collection[PaymentFile], asked: str) -> list[PaymentFile]:
    """What the first export made; in a second format the same payments could be paid twice."""
    first = [file for file in files if file.batch_no == 1]
    for file in first:
        if file.format != asked:
            problem = (
                f"{file.message_id} was exported as {file.format}; the same payments in two formats may be paid twice"
            )
            raise FormatMismatch(format=asked, problem=problem)
    return first
