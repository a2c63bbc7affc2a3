"""What can be set, from where, and what is refused.

A setting comes from an argument, else from the environment (`EXCHANGE_PORT=50052`), else from the file named by
`EXCHANGE_SETTINGS_FILE`, else from its default. The file is TOML (`port = 50052`) when its name ends in ".toml", else
lines as in the environment (`EXCHANGE_PORT=50052`). A name nobody knows is refused wherever it stands: a misspelt limit
would protect nothing.
"""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "EXCHANGE_"
FILE_VARIABLE = "EXCHANGE_SETTINGS_FILE"
TEST_PREFIX = "EXCHANGE_TEST_"


class SettingsRefused(Exception):
    """The settings cannot be used. The text is one line for each thing that is wrong, for whoever starts the server."""


def _words(value: object) -> object:
    """Names in an environment variable are parted by commas."""
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


class Settings(BaseSettings):
    """Everything about one server that can differ between installations."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True)

    database_url: str | None = Field(default=None, repr=False)
    """PostgreSQL to use, "postgresql://user:password@host:5432/name". Left out: an embedded one below `state_dir`."""
    state_dir: Path = Path(".state")
    """Folder for the embedded PostgreSQL and its locks. Not used when `database_url` is given."""

    host: str = "127.0.0.1"
    """Address to listen on. One that is no loopback address needs TLS."""
    port: int = Field(default=50051, ge=0, le=65_535)
    """TCP port to listen on. 0: any free one, which is printed."""
    tls_certificate: Path | None = None
    """PEM file: the server's certificate, followed by its intermediate ones. Needs `tls_key`."""
    tls_key: Path | None = None
    """PEM file: the private key of `tls_certificate`, without a pass phrase."""
    tls_client_ca: Path | None = None
    """PEM file: who may sign client certificates. Given: every client must show one (mutual TLS)."""
    processes: int = Field(default=1, ge=1, le=64)
    """Server processes that share the port through SO_REUSEPORT."""
    pin_processes: bool = False
    """Whether each server process keeps to a processor of its own (Linux): where nobody else does, calls cost less."""
    reflection: bool = False
    """Whether clients may ask which services and messages there are."""
    sandbox: bool = False
    """Whether the clock can be moved by SandboxService. Never where points are worth something."""
    publish_alone: Literal["never", "sandbox", "always"] = "sandbox"
    """Where the operator may publish a rate without a second person's approval; elsewhere it is proposed first."""
    forced_refusals: bool = False
    """Whether certain amounts are refused on demand, for partners' tests: docs/sandbox.md. Needs `sandbox`."""
    service_extensions: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = ("settlement.app:extension",)
    """Further services to serve, "module:attribute", parted by commas in the environment."""

    admission_max: int = Field(default=2_000, ge=1)
    """Calls in flight in one process; one more is refused with SERVER_BUSY."""
    streams_max: int = Field(default=1_000, ge=1)
    """Open streaming calls in one process; one more is refused with SERVER_BUSY."""
    deadline_seconds_max: float = Field(default=30.0, gt=0, le=3_600)
    """Seconds a unary call may take, whatever deadline its client set, or when it set none."""
    drain_seconds: float = Field(default=20.0, ge=0, le=3_600)
    """Seconds that calls under way get to finish when the server is told to stop."""

    poster_lanes: int = Field(default=3, ge=1, le=64)
    """Posting transactions under way at once in one process."""
    poster_batch_max: int = Field(default=1_000, ge=1, le=1_000)
    """Commands in one posting transaction."""
    poster_linger_ms_max: float = Field(default=5.0, ge=0, le=100)
    """Milliseconds a poster waits for more commands while many are calling. 0: never."""
    remembered_accounts: int = Field(default=20_000, ge=0, le=10_000_000)
    """Accounts of which one process remembers how it left them, so that it need not ask; 1 to 4 KB each. 0: none."""
    due_seconds: float = Field(default=30.0, gt=0, le=86_400)
    """Seconds between two looks for lots that end and holds that lapse."""
    external_seconds: float = Field(default=5.0, gt=0, le=86_400)
    """Seconds between two looks for conversions whose issuers keep the balances themselves and have not answered."""
    statement_day: int = Field(default=1, ge=0, le=28)
    """Day of the month from which on the month before gets its member statements. 0: by command only."""
    open_quotes_max: int = Field(default=10_000, ge=1, le=1_000_000)
    """Quotes of one merchant that are neither used nor expired; one more is refused with TOO_MANY_QUOTES."""
    event_watchers_max: int = Field(default=200, ge=1)
    """WatchEvents calls in one process; one more is refused with SERVER_BUSY."""
    event_heartbeat_seconds: float = Field(default=10.0, gt=0, le=15)
    """Seconds after which a watcher that was told nothing hears that the server is alive."""
    event_keep_days: int = Field(default=0, ge=0, le=36_500)
    """Days for which events are told of; older ones are let go of. 0: for ever."""
    ledger_part: Literal["month", "quarter", "year"] = "year"
    """How long a time one partition of the transfers covers. Few are read faster, and short ones leave sooner."""
    ledger_parts_ahead: int = Field(default=2, ge=1, le=24)
    """Partitions that are there for transfers after those of the present one."""
    ledger_keep_days: int = Field(default=1_096, ge=1, le=36_500)
    """Days for which transfers stay in the ledger, to be looked up, repeated and reversed, before they may leave it."""
    windows_seconds: float = Field(default=30.0, gt=0, le=86_400)
    """Seconds between two looks whether a settlement window is due. Without a settlement calendar none ever is."""
    database_pool_size: int = Field(default=10, ge=2, le=500)
    """Connections one process opens to PostgreSQL."""
    statement_cache_size: int = Field(default=256, ge=0, le=10_000)
    """Prepared statements kept by connection. 0 behind a pooler that parts statements from connections."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is logged to stderr."""
    metrics_port: int = Field(default=0, ge=0, le=65_535)
    """Loopback port for Prometheus; process n listens n ports above it. 0: no metrics."""

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key come together: one is missing")
        if self.forced_refusals and not self.sandbox:
            raise ValueError("forced_refusals refuses honest requests, so it needs sandbox")
        if self.tls_client_ca is not None and self.tls_certificate is None:
            raise ValueError(
                "tls_client_ca asks clients for certificates, so tls_certificate and tls_key are needed too"
            )
        if not self.is_encrypted and not is_loopback(self.host):
            raise ValueError(
                f"host {self.host} can be reached from other machines, so tls_certificate and tls_key are needed:"
                " plaintext is served on loopback addresses only"
            )
        if self.metrics_port and self.metrics_port + self.processes - 1 > 65_535:  # noqa: PLR2004  the last TCP port
            raise ValueError(f"metrics_port {self.metrics_port} leaves no room for {self.processes} processes")
        return self

    @property
    def ledger_part_months(self) -> int:
        """Months of a partition of the transfers."""
        return {"month": 1, "quarter": 3, "year": 12}[self.ledger_part]

    @property
    def may_publish_alone(self) -> bool:
        """Whether a rate needs no second person here."""
        return self.publish_alone == "always" or (self.publish_alone == "sandbox" and self.sandbox)

    @property
    def is_encrypted(self) -> bool:
        """Whether the server speaks TLS."""
        return self.tls_certificate is not None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments before environment before file; see the module's docstring."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, InitSettingsSource(settings_cls, _file_settings())


def load_settings(**overrides: Any) -> Settings:
    """The settings in force. `overrides` are those given on the command line, by field name; None means not given.

    Raises:
        SettingsRefused: an unknown name, a value out of bounds, settings that do not fit together, a file that cannot
            be read.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    _refuse_unknown(given, "argument")
    _refuse_unknown(_environment_names(os.environ), "environment variable", PREFIX)
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsRefused("\n".join(_lines(error))) from None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _environment_names(environment: Mapping[str, str]) -> list[str]:
    """Field names that EXCHANGE_* variables speak of."""
    return [
        name.removeprefix(PREFIX).lower()
        for name in environment
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX) and name != FILE_VARIABLE
    ]


def _refuse_unknown(names: Iterable[str], where: str, prefix: str = "") -> None:
    unknown = sorted(set(names) - Settings.model_fields.keys())
    if unknown:
        shown = ", ".join(prefix + name.upper() if prefix else name for name in unknown)
        raise SettingsRefused(f"unknown {where}: {shown} (known settings: {', '.join(Settings.model_fields)})")


def _file_settings() -> dict[str, Any]:
    """The settings of the file that EXCHANGE_SETTINGS_FILE names, by field name."""
    path = os.environ.get(FILE_VARIABLE)
    if not path:
        return {}
    try:
        text = Path(path).read_text(encoding="utf-8")
        values = tomllib.loads(text) if path.endswith(".toml") else _dotenv(path)
    except (OSError, ValueError) as error:
        raise SettingsRefused(f"{FILE_VARIABLE}: cannot read {path}: {error}") from None
    _refuse_unknown(values, f"setting in {path}", "" if path.endswith(".toml") else PREFIX)
    return values


def _dotenv(path: str) -> dict[str, Any]:
    values = dotenv_values(path, interpolate=False)
    foreign = sorted(name for name in values if not name.startswith(PREFIX))
    if foreign:
        raise SettingsRefused(f"unknown setting in {path}: {', '.join(foreign)} (names begin with {PREFIX})")
    return {name.removeprefix(PREFIX).lower(): value for name, value in values.items()}


def _lines(error: ValidationError) -> list[str]:
    """One line for each thing that is wrong, with its value; never that of `database_url`: it holds a password."""
    lines = []
    for flaw in error.errors(include_url=False):
        name = str(flaw["loc"][0]) if flaw["loc"] else ""
        what = flaw["msg"].removeprefix("Value error, ")
        shown = f" (it is {flaw['input']!r})" if name and name != "database_url" else ""
        lines.append(f"{name}: {what}{shown}" if name else what)
    return lines
