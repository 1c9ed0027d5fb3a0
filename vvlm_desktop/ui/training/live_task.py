"""What is followed on the Training page as a line of the status bar, which can stop it."""

from __future__ import annotations

from collections.abc import Callable

from vvlm_desktop.ui.tasks import Task, Tasks


class RunTask:
    """The line of one process, which was started here or elsewhere; there is one while it is told."""

    def __init__(self, tasks: Tasks, stop: Callable[[], object], lead: Callable[[], object]) -> None:
        self._tasks, self._stop, self._lead = tasks, stop, lead
        self._task: Task | None = None

    def tell(self, title: str | None, *, fraction: float | None = None, left_s: float | None = None) -> None:
        """Say what runs and how far it is; None where nothing runs any more."""
        if title is None:
            task, self._task = self._task, None
            if task is not None:
                task.finish()
            return
        if self._task is None:
            self._task = self._tasks.begin(title, cancel=self._stop, lead=self._lead)
        if (self._task.title, self._task.fraction, self._task.seconds_left) != (title, fraction, left_s):
            self._task.update(title, fraction=fraction, seconds_left=left_s)
