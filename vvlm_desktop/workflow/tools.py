"""What a worker does for a model beside analysing: a connection tested, uploads cleaned up; for window and commands.

A `ToolRun` hears from the same workers as a batch and runs beside it. `run_tool` has a worker of its own and waits.
"""

from __future__ import annotations

import queue
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from vvlm_desktop.errors import JobCancelledError, VvlmError, WorkerCrashedError
from vvlm_desktop.jobs.child import ChildExited, Delivered
from vvlm_desktop.protocol import Done, Failure, Progress, Result, ToolRequest
from vvlm_desktop.workflow.downloads import error_of
from vvlm_desktop.workflow.workers import Workers

ToolEventKind: TypeAlias = Literal["progress", "answered", "failed", "cancelled"]

CLOUD = "cloud"
_LOOK_EVERY_S = 0.1
#: A tool that does not hear that it is to stop is left to itself.
_PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class ToolEvent:
    """What a `ToolRun` tells its owner; all kinds but `progress` come once and last.

    Attributes:
        fraction: 0..1; `message` the stage in words.
        answer: of the tool, for `answered`.
        error: for `failed` and `cancelled`.
    """

    kind: ToolEventKind
    fraction: float = 0.0
    message: str = ""
    answer: Mapping[str, Any] = field(default_factory=dict)
    error: VvlmError | None = None


class ToolRun:
    """One errand of a worker; `on_event` is called in the thread that calls `start`, `cancel` and `handle`."""

    def __init__(
        self,
        tool: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        workers: Workers,
        on_event: Callable[[ToolEvent], None],
        secrets: Mapping[str, str] | None = None,
        kind: str = CLOUD,
    ) -> None:
        """An errand that has not begun.

        Args:
            tool: name in the catalogue's `TOOLS`.
            secrets: keys for servers; they travel with the request and are kept nowhere.
            kind: of worker.
        """
        self.finished = False
        self._request = ToolRequest(uuid.uuid4().hex, tool, dict(arguments or {}), dict(secrets or {}))
        self._workers = workers
        self._on_event = on_event
        self._kind = kind
        self._pid: int | None = None

    def start(self) -> None:
        """Begin; what cannot begin is told as `failed`."""
        try:
            child = self._workers.child(self._kind)
            self._pid = child.pid
            child.send(self._request)
        except VvlmError as error:
            self._end(ToolEvent("failed", error=error))

    def cancel(self) -> None:
        """Stop; `cancelled` is told when the worker has."""
        if not self.finished and not self._workers.cancel(self._kind, self._request.id):
            self._end(ToolEvent("cancelled", error=JobCancelledError("Cancelled.")))

    def handle(self, delivered: Delivered) -> None:
        """Take what the child said; everything about other requests is ignored."""
        if self.finished:
            return
        if isinstance(delivered, ChildExited):
            if delivered.kind == self._kind and delivered.pid == self._pid:
                self._end(ToolEvent("failed", error=WorkerCrashedError(delivered.in_words(), hint="Try again.")))
        elif getattr(delivered, "id", None) == self._request.id:
            self._on_message(delivered)

    def _on_message(self, delivered: Delivered) -> None:
        if isinstance(delivered, Progress):
            self._on_event(ToolEvent("progress", delivered.done, delivered.stage))
        elif isinstance(delivered, Result):
            self._end(ToolEvent("answered", 1.0, answer=delivered.answer))
        elif isinstance(delivered, Failure):
            self._end(ToolEvent("cancelled" if delivered.cancelled else "failed", error=error_of(delivered)))
        elif isinstance(delivered, Done):
            self._end(ToolEvent("failed", error=WorkerCrashedError("The worker said nothing.", hint="Try again.")))

    def _end(self, event: ToolEvent) -> None:
        if not self.finished:
            self.finished = True
            self._on_event(event)


def run_tool(
    tool: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    secrets: Mapping[str, str] | None = None,
    kind: str = CLOUD,
    on_progress: Callable[[float, str], object] = lambda _fraction, _stage: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Mapping[str, Any]:
    """Have a tool run in a worker that ends with it; returns its answer.

    Args:
        on_progress: called on this thread.
        cancelled: looked at ten times a second.

    Raises:
        JobCancelledError: `cancelled` said so.
        WorkerCrashedError: the worker died.
        VvlmError: what the tool has to say.
    """
    inbox: queue.SimpleQueue[Delivered] = queue.SimpleQueue()
    ends: list[ToolEvent] = []

    def on_event(event: ToolEvent) -> None:
        if event.kind == "progress":
            on_progress(event.fraction, event.message)
        else:
            ends.append(event)

    workers = Workers(inbox.put)
    try:
        errand = ToolRun(tool, arguments, workers=workers, on_event=on_event, secrets=secrets, kind=kind)
        errand.start()
        _listen(errand, inbox, cancelled=cancelled)
    finally:
        workers.close()
    if not ends:
        raise JobCancelledError("Cancelled.")
    if ends[0].error is not None:
        raise ends[0].error
    return ends[0].answer


def _listen(errand: ToolRun, inbox: queue.SimpleQueue[Delivered], *, cancelled: Callable[[], bool]) -> None:
    give_up_at: float | None = None
    while not errand.finished:
        if give_up_at is None and cancelled():
            errand.cancel()
            give_up_at = time.monotonic() + _PATIENCE_S
        if give_up_at is not None and time.monotonic() > give_up_at:
            return
        try:
            delivered = inbox.get(timeout=_LOOK_EVERY_S)
        except queue.Empty:
            continue
        errand.handle(delivered)
