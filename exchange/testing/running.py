"""A running sandbox as a test holds it: addresses, keys, clients, members, and a clock it can move."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from exchange.client.asynchronous import AsyncClient
from exchange.client.blocking import Client
from exchange.rehearsal.amounts import amount_forcing
from exchange.v1 import member_service_pb2 as members
from exchange.v1 import sandbox_service_pb2 as sandbox
from exchange.v1 import transfer_service_pb2 as transfers
from exchange.v1 import types_pb2 as types

_PROJECT = Path(__file__).resolve().parents[2]
_COMMAND = (sys.executable, "-m", "exchange", "sandbox", "--json", "--lifeline")
_DATABASE = "EXCHANGE_DATABASE_URL"
_STOP_SECONDS_MAX = 30.0
_TOLD_CHARS_MAX = 2_000


class SandboxNotStarted(Exception):
    """The sandbox did not come up; the text says what it said."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person: resource name "members/…", and the reference every merchant knows it by."""

    name: str
    reference: str


class Clock:
    """The coalition's clock. It runs, and a test can move it forward: what falls due until then is done at once."""

    def __init__(self, operator: Client) -> None:
        self._operator = operator

    def now(self) -> datetime:
        """What time it is for the coalition, in UTC."""
        answer = self._operator.sandbox.GetClock(sandbox.GetClockRequest())
        return answer.time.ToDatetime(UTC)

    def move_to(self, time: datetime) -> None:
        """Make it that time.

        Raises:
            TooLate: it is later already.
        """
        request = sandbox.SetClockRequest()
        request.time.FromDatetime(time)
        self._operator.sandbox.SetClock(request)

    def advance(self, by: timedelta) -> None:
        """Make it so much later."""
        self.move_to(self.now() + by)


class ExchangeSandbox:
    """A running exchange of a test's own, with merchants, members and points in it (docs/sandbox.md).

    Attributes:
        address: where it listens, "127.0.0.1:40123".
        keys: secrets of the merchants' API keys, by id: "GRO".
        operator_key: the secret of the operator's key.
        auditor_key: that of somebody who reads everything and changes nothing.
        clock: the coalition's.
    """

    def __init__(self, told: Mapping[str, Any], open_clients: ExitStack) -> None:
        self.address: str = told["address"]
        self.keys: Mapping[str, str] = {name: one["key"] for name, one in told["merchants"].items()}
        self.operator_key: str = told["operator_key"]
        self.auditor_key: str = told["auditor_key"]
        self._open_clients, self._clients, self._numbers = open_clients, dict[str, Client](), itertools.count(1)
        self.operator = self._opened(self.operator_key)
        self.clock = Clock(self.operator)

    def client(self, merchant: str) -> Client:
        """A merchant's client; the same one each time, closed with the sandbox."""
        if merchant not in self._clients:
            self._clients[merchant] = self._opened(self.keys[merchant])
        return self._clients[merchant]

    def async_client(self, merchant: str) -> AsyncClient:
        """A new client of a merchant's for asyncio, for an `async with`."""
        return AsyncClient(self.address, self.keys[merchant])

    def member(self, **points: int) -> Member:
        """A new member whom every merchant knows, with points: `member(TEL=500)`."""
        reference = f"member-{next(self._numbers)}"
        first, *others = (self.client(merchant) for merchant in self.keys if merchant != "OFF")
        name = first.members.EnrollMember(members.EnrollMemberRequest(reference=reference)).member.name
        for other in others:
            other.members.LinkMember(members.LinkMemberRequest(member=name, reference=reference))
        for code, units in points.items():
            award = types.PointsAmount(currency=f"currencies/{code}", units=units)
            self.client(code).transfers.EarnPoints(transfers.EarnPointsRequest(member=name, points=award))
        return Member(name, reference)

    def balance(self, member: Member, currency: str) -> int:
        """The points of a currency, "TEL", that a member may spend."""
        request = members.ListBalancesRequest(member=member.name)
        balances = self.operator.members.ListBalances(request).balances
        return next((one.available_units for one in balances if one.currency == f"currencies/{currency}"), 0)

    @staticmethod
    def forcing(reason: str, *, done: bool = False) -> int:
        """How many points to ask for to be refused for a reason.

        Args:
            reason: of `exchange.v1.ErrorReason`, without its prefix: "INSUFFICIENT_POINTS".
            done: the movement is made and its answer lost to the reason; the same request again is answered.

        Raises:
            ValueError: no amount forces this.
        """
        return amount_forcing(reason, done=done)

    def _opened(self, key: str) -> Client:
        return self._open_clients.enter_context(Client(self.address, key))


@contextmanager
def running_sandbox() -> Iterator[ExchangeSandbox]:
    """A new sandbox for as long as the block runs, in processes of its own; it ends with us, however we end.

    Raises:
        SandboxNotStarted: with what it said.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("EXCHANGE_")}
    if _DATABASE in os.environ:
        environ[_DATABASE] = os.environ[_DATABASE]
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            _COMMAND,
            cwd=_PROJECT,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            start_new_session=True,
        ) as process,
    ):
        try:
            told = _told_by(process, complaints)
            with ExitStack() as open_clients:
                yield ExchangeSandbox(told, open_clients)
        finally:
            _end(process)


def _told_by(process: subprocess.Popen[bytes], complaints: IO[bytes]) -> Mapping[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait()
        complaints.seek(0)
        raise SandboxNotStarted(complaints.read().decode(errors="replace")[-_TOLD_CHARS_MAX:])
    told: Mapping[str, Any] = json.loads(line)
    return told


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
