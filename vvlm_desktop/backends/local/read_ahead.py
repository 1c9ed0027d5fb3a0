"""One thread that decodes the frames of the next looks while the model works on the present ones."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from vvlm_desktop.backends.local.tasks import Task


class ReadAhead:
    """Reads in the order asked; a context manager, at whose end the thread has ended.

    How far it may run ahead is its owner's choice: it holds as many pictures as tasks were asked for.

    Args:
        read: puts the frames of its look into a task; what it raises becomes the task's `error`.
    """

    def __init__(self, read: Callable[[Task], None]) -> None:
        self._read = read
        self._changed = threading.Condition()
        self._asked: deque[Task] = deque()
        self._reading: Task | None = None
        self._ready: list[Task] = []
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="read ahead", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._ended = True
            self._asked.clear()
            self._changed.notify_all()
        self._thread.join()

    @property
    def reading(self) -> int:
        """How many tasks were asked for and are not ready."""
        with self._changed:
            return len(self._asked) + (self._reading is not None)

    def ask(self, task: Task, *, soon: bool = False) -> None:
        """Read the frames of a task's look, before all others where its result is nearer (`soon`)."""
        with self._changed:
            self._asked.insert(0 if soon else len(self._asked), task)
            self._changed.notify_all()

    def give_back(self, tasks: Iterable[Task]) -> None:
        """These are ready again, before all others: their pass is to be repeated with the same frames."""
        with self._changed:
            self._ready[:0] = tasks
            self._changed.notify_all()

    def ready(self) -> list[Task]:
        """Tasks whose frames were read, or could not be, in order; they stay here until `take`."""
        with self._changed:
            return list(self._ready)

    def take(self, tasks: Iterable[Task]) -> None:
        """These are in the caller's hands now, or nobody's: what was asked for them is forgotten."""
        with self._changed:
            for task in tasks:
                for line in (self._ready, self._asked):
                    if task in line:
                        line.remove(task)
                if self._reading is task:
                    self._reading = None  # what comes of it is thrown away

    def wait(self, timeout_s: float) -> None:
        """Until something more was read, or the time is over."""
        with self._changed:
            before = len(self._ready)
            self._changed.wait_for(
                lambda: len(self._ready) != before or not (self._asked or self._reading), timeout=timeout_s
            )

    def _run(self) -> None:
        while (task := self._next()) is not None:
            error: Exception | None = None
            try:
                self._read(task)
            except Exception as failed:  # noqa: BLE001  the edge of a thread: its owner raises what is no VvlmError
                error = failed
            with self._changed:
                if self._reading is task:
                    self._reading = None
                    task.error = error
                    self._ready.append(task)
                self._changed.notify_all()

    def _next(self) -> Task | None:
        with self._changed:
            self._changed.wait_for(lambda: self._asked or self._ended)
            if self._ended:
                return None
            self._reading = self._asked.popleft()
            return self._reading
