"""Settlement as an extension of the exchange's server: its service, and the history of its tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exchange.config import Settings
from exchange.db.migrate import History
from exchange.extensions import Extension

MIGRATIONS = Path(__file__).parent / "migrations" / "versions"


def _register(registry: Any, host: Any) -> None:
    # Imported when served: migrating needs no netting.
    from settlement.api.settlement_service import SettlementService
    from settlement.v1.settlement_service_pb2_grpc import add_SettlementServiceServicer_to_server

    add_SettlementServiceServicer_to_server(SettlementService(host), registry)


async def _keep_looking(host: Any, settings: Settings) -> None:
    from settlement.windows.scheduler import Scheduler

    await Scheduler(host.database).keep_looking(settings.windows_seconds)


async def _needs(connection: Any, content: Any) -> list[str]:
    from settlement.keeping import needs

    return await needs(connection, content.last_window_no)


extension = Extension(
    register=_register, keep_working=_keep_looking, history=History("settlement", MIGRATIONS), needs=_needs
)
