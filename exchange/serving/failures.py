"""What an exception that leaves a method means for its caller."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
from google.rpc import status_pb2  # type: ignore[import-untyped]  # ships without type information

from exchange.refusals import DatabaseUnavailable, Refusal
from exchange.serving.errors import fault_status, status_of
from exchange.serving.identity import credential_of_call
from exchange.serving.telemetry import report_database_down, report_incident

Task = asyncio.Task[Any]


def current_task(loop: asyncio.AbstractEventLoop | None = None) -> Task:
    """The task of the call under way; who knows the loop saves the system call Python 3.11 finds it by."""
    task = asyncio.current_task(loop)
    assert task is not None
    return task


class Failures:
    """Turns exceptions into statuses, and remembers which calls the server ended itself, and why.

    Args:
        is_database_down: whether an exception says that the database does not answer.
    """

    def __init__(self, is_database_down: Callable[[BaseException], bool]) -> None:
        self._is_database_down = is_database_down
        self._ended: dict[Task, Refusal] = {}

    def end(self, task: Task, why: Refusal) -> None:
        """Cancels a call, once, so that its caller is told why."""
        if task not in self._ended:
            self._ended[task] = why
            task.cancel()

    def forget_finished(self) -> None:
        """Drops calls that were ended but answered all the same."""
        for task in [task for task in self._ended if task.done()]:
            del self._ended[task]

    def status_for(self, error: BaseException, method: str) -> status_pb2.Status | None:
        """The status to end the present call with; None when the error is gRPC's own affair and must reach it."""
        task = current_task()
        ended = self._ended.pop(task, None)
        if isinstance(error, asyncio.CancelledError):
            if ended is not None:
                return status_of(ended)
            # Not the call was cancelled but something it awaited: gRPC would leave the client waiting for ever.
            return None if task.cancelling() else self._fault(error, method)
        if isinstance(error, Refusal):
            return status_of(error)
        # InternalError is how gRPC says that nobody takes what is written any more: the client has left.
        if isinstance(error, grpc.aio.AbortError | grpc.aio.InternalError) or not isinstance(error, Exception):
            return None
        if self._is_database_down(error):
            report_database_down(error, method)
            return status_of(DatabaseUnavailable())
        return self._fault(error, method)

    def _fault(self, error: BaseException, method: str) -> status_pb2.Status:
        return fault_status(report_incident(error, method=method, credential=credential_of_call()))
