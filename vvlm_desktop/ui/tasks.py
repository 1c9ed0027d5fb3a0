"""What runs in the background, as the status bar tells it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal


class Task:
    """One piece of long work: what it is, how far it is, how to stop it."""

    def __init__(
        self, tasks: Tasks, title: str, cancel: Callable[[], object] | None, lead: Callable[[], object] | None = None
    ) -> None:
        self._tasks = tasks
        #: goes to where it can be followed; None where that is nowhere in particular
        self.lead = lead
        self._cancel = cancel
        self.title = title
        #: 0..1, None while that is not known
        self.fraction: float | None = None
        self.seconds_left: float | None = None
        self.cancelling = False
        #: the clips that it is about, as far as they are few enough to be named, and how many there are in all
        self.clip_ids: frozenset[str] = frozenset()
        self.clips_in_all = 0
        #: more of the same, line by line, for whoever asks
        self.details = ""

    @property
    def can_cancel(self) -> bool:
        """Whether it can be stopped and has not been told to."""
        return self._cancel is not None and not self.cancelling

    def update(self, title: str, *, fraction: float | None, seconds_left: float | None = None) -> None:
        """Say how far it is."""
        self.title, self.fraction, self.seconds_left = title, fraction, seconds_left
        self._tasks.changed.emit()

    def cancel(self) -> None:
        """Stop it."""
        if self._cancel is not None and not self.cancelling:
            self.cancelling = True
            self._tasks.changed.emit()
            self._cancel()

    def finish(self) -> None:
        """It is over, however it ended."""
        self._tasks.remove(self)


class Tasks(QObject):
    """All running work, the oldest first."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: list[Task] = []

    @property
    def running(self) -> tuple[Task, ...]:
        """What runs now."""
        return tuple(self._running)

    def begin(
        self, title: str, *, cancel: Callable[[], object] | None = None, lead: Callable[[], object] | None = None
    ) -> Task:
        """Note that something has begun."""
        task = Task(self, title, cancel, lead)
        self._running.append(task)
        self.changed.emit()
        return task

    def remove(self, task: Task) -> None:
        """Note that `task` is over."""
        if task in self._running:
            self._running.remove(task)
            self.changed.emit()
