"""Jobs in a thread, one after the other; what each brings comes back in the window's own thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from PySide6.QtCore import QObject

from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui.job_bridge import Work
from vvlm_desktop.ui.tasks import Task, Tasks

Function: TypeAlias = Callable[[Callable[[object], None], Callable[[], bool]], Any]


@dataclass(frozen=True, slots=True)
class Job:
    """One function for the thread, and what becomes of what it brings.

    Attributes:
        name: of the thread; also tells jobs of one kind from others.
        function: called with `report` and `cancelled`, as `job_bridge.Work` says.
        title: shown in the status bar, where the job can be stopped; None for what is over soon.
        on_progress: called with what was reported and with the task, where there is one.
        on_end: called last, whatever happened, also where a bug brought neither success nor failure.
    """

    name: str
    function: Function
    on_success: Callable[[Any], None]
    on_failure: Callable[[VvlmError], None]
    title: str | None = None
    on_progress: Callable[[Any, Task], None] | None = None
    on_end: Callable[[], None] | None = None


class WorkLine(QObject):
    """Runs one job at a time; the others wait in line."""

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._waiting: deque[Job] = deque()
        self._job: Job | None = None
        self._work: Work[Any] | None = None
        self._task: Task | None = None
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether a job runs."""
        return self._job is not None

    def holds(self, name: str) -> bool:
        """Whether a job of this name runs or waits."""
        return any(job.name == name for job in (self._job, *self._waiting) if job is not None)

    def add(self, job: Job) -> None:
        """Run `job`, after those that came before."""
        if self._closed:
            return
        self._waiting.append(job)
        if self._job is None:
            self._next()

    def close(self, timeout_s: float = 10.0) -> None:
        """Tell what runs to stop and wait for it; what it still brings is dropped."""
        self._closed = True
        self._waiting.clear()
        if self._work is not None:
            self._work.cancel()
            self._work.wait(timeout_s)

    def _next(self) -> None:
        if not self._waiting or self._closed:
            return
        self._job = job = self._waiting.popleft()
        self._work = work = Work(job.function, name=job.name, parent=self)
        if job.title is not None:
            self._task = self._tasks.begin(job.title, cancel=work.cancel)
        work.progressed.connect(self._on_progressed)
        work.succeeded.connect(self._on_succeeded)
        work.failed.connect(self._on_failed)
        work.ended.connect(self._on_ended)
        work.start()

    def _on_progressed(self, progress: object) -> None:
        if self._job is not None and self._job.on_progress and self._task is not None and not self._closed:
            self._job.on_progress(progress, self._task)

    def _on_succeeded(self, result: object) -> None:
        if self._job is not None and not self._closed:
            self._job.on_success(result)

    def _on_failed(self, error: VvlmError) -> None:
        if self._job is not None and not self._closed:
            self._job.on_failure(error)

    def _on_ended(self) -> None:
        if self._task is not None:
            self._task.finish()
        if self._work is not None:
            self._work.deleteLater()
        job = self._job
        self._job = self._work = self._task = None
        if job is not None and job.on_end is not None and not self._closed:
            job.on_end()
        self._next()
