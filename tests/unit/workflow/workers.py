"""A worker that is never a process: it takes requests and says nothing by itself."""

from __future__ import annotations

from vvlm_desktop.errors import WorkerCrashedError
from vvlm_desktop.protocol import AnalyseRequest
from vvlm_desktop.workflow.workers import Workers


class FakeChild:
    """Takes requests and says nothing by itself."""

    def __init__(self) -> None:
        self.pid = 1001
        self.requests: list[AnalyseRequest] = []
        self.cancelled: list[str | None] = []
        self.refusals = 0

    def send(self, request: AnalyseRequest) -> None:
        if self.refusals:
            self.refusals -= 1
            raise WorkerCrashedError("The worker is not running.")
        self.requests.append(request)


class FakeWorkers(Workers):
    """One child that is never a process; each time it is forgotten it gets another process id."""

    def __init__(self) -> None:
        super().__init__(lambda _delivered: None)
        self.only = FakeChild()
        self.alive = True

    def child(self, kind: str) -> FakeChild:  # type: ignore[override]
        return self.only

    def cancel(self, kind: str, request_id: str) -> bool:
        self.only.cancelled.append(request_id)
        return self.alive

    def forget(self, kind: str) -> None:
        self.only.pid += 1
