"""The composition root: one process of the exchange, put together and taken apart."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from exchange.adjustment.service import Adjustments
from exchange.api.context import Api
from exchange.api.directory_service import DirectoryService
from exchange.api.event_service import EventService
from exchange.api.external_service import ExternalLedgerService
from exchange.api.limit_service import LimitService
from exchange.api.member_service import MemberService
from exchange.api.rate_service import RateService
from exchange.api.sandbox_service import SandboxService
from exchange.api.transfer_service import TransferService
from exchange.closing.service import Closings
from exchange.config import Settings, SettingsRefused
from exchange.db.engine import Database, is_database_down
from exchange.db.migrate import EXCHANGE
from exchange.directory import sql as directory_sql
from exchange.directory.authentication import DirectoryAuthenticator
from exchange.directory.members import Members
from exchange.directory.service import DirectoryChanges
from exchange.due import Due, ending
from exchange.events.cursors import Cursors
from exchange.events.retention import Retention
from exchange.events.service import Events
from exchange.extensions import Extension, load
from exchange.external.service import ExternalLedgers
from exchange.ledger.poster import Poster
from exchange.ledger.reference import Decide
from exchange.limits.changes.service import CapChanges
from exchange.limits.service import LimitChanges
from exchange.movements import decide
from exchange.notices.service import Notices
from exchange.promotions.service import PromotionChanges, Proving
from exchange.quotes.service import Quotes
from exchange.rates.drafts.service import Drafts
from exchange.rates.model import Coalition
from exchange.rates.service import RateChanges, begin_proving, check_spreads, prove_promotion
from exchange.rates.source import CoalitionSource
from exchange.retention.parts import LOOK_SECONDS, LedgerParts
from exchange.serving.collector import Collector
from exchange.serving.paging import PageTokens
from exchange.serving.permissions import PERMISSIONS
from exchange.serving.quotas import Gate
from exchange.serving.server import GracefulServer
from exchange.serving.telemetry import serve_metrics
from exchange.statements.monthly import MonthlyStatements
from exchange.upkeep import keep_running
from exchange.v1 import (
    directory_service_pb2_grpc,
    event_service_pb2_grpc,
    external_ledger_service_pb2_grpc,
    limit_service_pb2_grpc,
    member_service_pb2_grpc,
    rate_service_pb2_grpc,
    sandbox_service_pb2_grpc,
    transfer_service_pb2_grpc,
)

MS_PER_S = 1000


@contextlib.asynccontextmanager
async def opened(settings: Settings, url: str, extensions: list[Extension]) -> AsyncIterator[Api]:
    """The use cases on a checked database, with the poster running; drained and closed afterwards.

    Raises:
        StartRefused: the database is not fit to hold value.
    """
    database = Database(
        url,
        pool_size=settings.database_pool_size + settings.poster_lanes,
        statement_cache_size=settings.statement_cache_size,
    )
    try:
        histories = [EXCHANGE, *(extension.history for extension in extensions if extension.history)]
        await database.check(histories, durable=not settings.sandbox)
        source = CoalitionSource(database)
        await source.reload()
        parts = LedgerParts(database, settings.ledger_part_months, settings.ledger_parts_ahead)
        await parts.begin()
        async with database.read() as connection:
            secret = (await connection.execute(directory_sql.PAGE_SECRET)).scalar_one()
        poster = _poster(settings)(
            database,
            source,
            _rule(settings),
            ending=ending,
            lanes=settings.poster_lanes,
            batch_max=settings.poster_batch_max,
            linger=settings.poster_linger_ms_max / MS_PER_S,
            remembered_accounts=settings.remembered_accounts,
        )
        poster.start()
        members = Members(database)
        api = Api(
            database=database,
            source=source,
            poster=poster,
            changes=DirectoryChanges(database, source, check_spreads),
            rates=RateChanges(database, source, alone=settings.may_publish_alone),
            drafts=Drafts(database, source),
            quotes=Quotes(database, source, members, open_max=settings.open_quotes_max),
            members=members,
            tokens=PageTokens(secret),
            due=Due(database, poster, source),
            events=Events(
                database,
                source,
                Cursors(secret),
                watchers_max=settings.event_watchers_max,
                heartbeat_seconds=settings.event_heartbeat_seconds,
            ),
            notices=Notices(database),
            promotions=PromotionChanges(database, source, Proving(begin_proving, prove_promotion)),
            adjustments=Adjustments(database, source, poster),
            closings=Closings(database, source, poster),
            limits=LimitChanges(database, source),
            cap_changes=CapChanges(database, source),
            external=ExternalLedgers(database, source, poster),
            parts=parts,
            gate=Gate(lambda: source.held.limits.calls if source.held is not None else {}),
        )
        api.events.start()
        working = [asyncio.create_task(api.due.keep_running(settings.due_seconds))]
        works = (api.notices.run, api.adjustments.run, api.closings.run)
        working.append(asyncio.create_task(keep_running(settings.due_seconds, *works)))
        working.append(asyncio.create_task(keep_running(settings.external_seconds, api.external.run)))
        working.append(asyncio.create_task(keep_running(LOOK_SECONDS, api.parts.run)))
        if settings.event_keep_days:
            retention = Retention(database, settings.event_keep_days)
            working.append(asyncio.create_task(keep_running(settings.due_seconds, retention.run)))
        if settings.statement_day:
            job = MonthlyStatements(database, source)
            working.append(asyncio.create_task(job.keep_running(settings.due_seconds, settings.statement_day)))
        working += [asyncio.create_task(one.keep_working(api, settings)) for one in extensions if one.keep_working]
        try:
            yield api
        finally:
            for task in working:
                task.cancel()
            await asyncio.wait(working)
            await api.events.stop()
            await poster.drain()
    finally:
        await database.dispose()


def _rule(settings: Settings) -> Decide[Coalition]:
    """What decides movements; in a sandbox, refusals on demand can stand around it."""
    if settings.forced_refusals:
        from exchange.rehearsal.poster import rehearsed

        return rehearsed(decide)
    return decide


def _poster(settings: Settings) -> type[Poster[Coalition]]:
    """What posts movements; in a sandbox it can lose answers on demand."""
    if settings.forced_refusals:
        from exchange.rehearsal.poster import RehearsingPoster

        return RehearsingPoster
    return Poster


def register(server: GracefulServer, api: Api, extensions: list[Extension], *, sandbox: bool) -> None:
    """Every service of this process."""
    registry: Any = server.registry
    directory_service_pb2_grpc.add_DirectoryServiceServicer_to_server(DirectoryService(api), registry)
    member_service_pb2_grpc.add_MemberServiceServicer_to_server(MemberService(api), registry)
    rate_service_pb2_grpc.add_RateServiceServicer_to_server(RateService(api), registry)
    transfer_service_pb2_grpc.add_TransferServiceServicer_to_server(TransferService(api), registry)
    event_service_pb2_grpc.add_EventServiceServicer_to_server(EventService(api), registry)
    limit_service_pb2_grpc.add_LimitServiceServicer_to_server(LimitService(api), registry)
    external_ledger_service_pb2_grpc.add_ExternalLedgerServiceServicer_to_server(ExternalLedgerService(api), registry)
    server.guard.meter.gauge("exchange_event_watchers", "WatchEvents calls under way.", lambda: api.events.watchers)
    server.guard.meter.gauge(
        "exchange_events_behind_seconds",
        "For how long the oldest posting under way has held up events; 0 while nobody watches.",
        lambda: api.events.seconds_behind,
    )
    server.guard.meter.gauge(
        "exchange_ledger_days_ahead", "Days ahead for which transfers have partitions.", lambda: api.parts.days_ahead
    )
    if sandbox:
        sandbox_service_pb2_grpc.add_SandboxServiceServicer_to_server(SandboxService(api), registry)
    for extension in extensions:
        extension.register(registry, api)


@contextlib.contextmanager
def _metrics(settings: Settings, index: int, server: GracefulServer) -> Iterator[None]:
    """Answer Prometheus while the block runs, if the settings name a port."""
    if not settings.metrics_port:
        yield
        return
    port = settings.metrics_port + index
    try:
        stop = serve_metrics(port, server.guard.meter)
    except OSError as error:
        raise SettingsRefused(f"metrics_port: cannot listen on 127.0.0.1:{port}: {error.strerror}") from None
    try:
        yield
    finally:
        stop()


async def serve(
    settings: Settings,
    url: str,
    stop: asyncio.Event,
    on_ready: Callable[[int], None],
    port: int | None = None,
    index: int = 0,
) -> None:
    """Serve until told to stop, then drain.

    Args:
        settings: everything that can differ.
        url: the database, already found or started.
        stop: set by signals.
        on_ready: called with the port once calls are answered.
        port: the port, when siblings share one.
        index: this process's place among its siblings; metrics are on as many ports above the first.

    Raises:
        StartRefused, SettingsRefused: the database or the settings are not fit.
    """
    extensions = load(settings.service_extensions)
    permissions = dict(PERMISSIONS)
    for extension in extensions:
        permissions |= extension.permissions
    async with opened(settings, url, extensions) as api:
        server = GracefulServer(
            settings,
            authenticator=DirectoryAuthenticator(api.source),
            is_database_down=is_database_down,
            permissions=permissions,
            shares_port=port is not None,
            gate=api.gate,
        )
        register(server, api, extensions, sandbox=settings.sandbox)
        Collector.calm()
        with _metrics(settings, index, server):
            on_ready(await server.start(port))
            await stop.wait()
            await server.drain()
