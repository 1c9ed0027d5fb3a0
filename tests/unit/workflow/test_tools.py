"""An errand of a worker: its answer, its error, its death and its end on request."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from vvlm_desktop.errors import BackendError, CloudError, JobCancelledError, WorkerCrashedError
from vvlm_desktop.jobs.child import ChildExited
from vvlm_desktop.protocol import Done, Failure, Progress, Result, ToolRequest, Upload
from vvlm_desktop.workflow.tools import ToolEvent, ToolRun, run_tool


class FakeChild:
    pid = 7

    def __init__(self) -> None:
        self.sent: list[ToolRequest] = []

    def send(self, request: ToolRequest) -> None:
        self.sent.append(request)


class FakeWorkers:
    """One child; `cancel` says whether it lives."""

    def __init__(self, *, alive: bool = True) -> None:
        self.one = FakeChild()
        self.alive = alive
        self.cancelled: list[str] = []

    def child(self, kind: str) -> FakeChild:
        assert kind == "cloud"
        if not self.alive:
            raise WorkerCrashedError("It cannot be started.")
        return self.one

    def cancel(self, kind: str, request_id: str) -> bool:
        self.cancelled.append(request_id)
        return self.alive


def begun(workers: Any) -> tuple[ToolRun, list[ToolEvent]]:
    told: list[ToolEvent] = []
    errand = ToolRun("gemini_test", {"model": "m"}, workers=workers, on_event=told.append, secrets={"gemini": "k" * 9})
    errand.start()
    return errand, told


def test_answer_comes_once_and_others_messages_are_not_its() -> None:
    workers = FakeWorkers()
    errand, told = begun(workers)
    (request,) = workers.one.sent
    assert (request.tool, request.arguments, request.secrets) == ("gemini_test", {"model": "m"}, {"gemini": "k" * 9})
    for message in (
        Result("another", {}),
        Upload("another", "sending", "h", "video", 1),
        Progress(request.id, 0.5, "asking"),
        Result(request.id, {"model": "m"}),
        Done(request.id),
        ChildExited("cloud", -9, expected=False, stderr_tail="", pid=7),
    ):
        errand.handle(message)
    assert [(each.kind, each.message, dict(each.answer)) for each in told] == [
        ("progress", "asking", {}),
        ("answered", "", {"model": "m"}),
    ]


def test_error_is_the_one_that_the_tool_raised() -> None:
    workers = FakeWorkers()
    errand, told = begun(workers)
    errand.handle(Failure(workers.one.sent[0].id, "No key.", hint="Enter one.", error="CloudError"))
    (event,) = told
    assert isinstance(event.error, CloudError)
    assert (str(event.error), event.error.hint) == ("No key.", "Enter one.")


def test_death_of_its_own_worker_is_told_and_of_an_earlier_one_is_not() -> None:
    errand, told = begun(FakeWorkers())
    errand.handle(ChildExited("cloud", -9, expected=False, stderr_tail="", pid=6))
    assert not errand.finished
    errand.handle(ChildExited("cloud", -9, expected=False, stderr_tail="", pid=7))
    assert [(each.kind, type(each.error)) for each in told] == [("failed", WorkerCrashedError)]


def test_worker_that_cannot_be_started_is_told_instead_of_raised() -> None:
    _, told = begun(FakeWorkers(alive=False))
    assert [(each.kind, str(each.error)) for each in told] == [("failed", "It cannot be started.")]


def test_cancel_waits_for_the_worker_and_not_for_a_dead_one() -> None:
    workers = FakeWorkers()
    errand, told = begun(workers)
    errand.cancel()
    assert (told, workers.cancelled) == ([], [workers.one.sent[0].id])
    errand.handle(Failure(workers.one.sent[0].id, "Cancelled.", cancelled=True))
    assert [each.kind for each in told] == ["cancelled"]

    workers = FakeWorkers()
    errand, told = begun(workers)
    workers.alive = False
    errand.cancel()
    assert [each.kind for each in told] == ["cancelled"]


def test_blocking_run_asks_a_real_worker_and_raises_what_it_says() -> None:
    with pytest.raises(BackendError, match="no tool 'nonsense'"):
        run_tool("nonsense")


def test_blocking_run_can_be_cancelled_before_it_has_begun() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises((JobCancelledError, BackendError)):
        run_tool("nonsense", cancelled=stop.is_set)
