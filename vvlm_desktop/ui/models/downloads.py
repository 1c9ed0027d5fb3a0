"""Fetching weights in the background: each model by itself, to be paused, gone on with or given up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, Signal

from vvlm_desktop.errors import JobCancelledError, VvlmError
from vvlm_desktop.ui.job_bridge import Work
from vvlm_desktop.ui.models.card_view import Transfer
from vvlm_desktop.ui.models.shelf import Shelf
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.tasks import Task


@dataclass(slots=True)
class _Download:
    work: Work[None]
    task: Task
    title: str
    transfer: Transfer
    discard: bool = False


class Downloads(QObject):
    """What is being fetched now."""

    changed = Signal(str)  # key: it is further, or over
    fetched = Signal(str)  # key: it is here, complete and checked
    given_up = Signal(str)  # key: what is here of it is not wanted any more

    def __init__(self, shell: Shell, shelf: Shelf, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shell, self._shelf = shell, shelf
        self._running: dict[str, _Download] = {}
        self._closed = False

    def transfer(self, key: str) -> Transfer | None:
        """How far the download of `key` is; None where none runs."""
        running = self._running.get(key)
        return running.transfer if running is not None else None

    def start(self, key: str, title: str) -> None:
        """Fetch `key`, from where an earlier try stopped."""
        if key in self._running or self._closed:
            return
        settings, shelf = self._shell.session.settings, self._shelf
        work: Work[None] = Work(
            lambda report, cancelled: shelf.download(settings, key, report=report, cancelled=cancelled),
            name="download-model",
            parent=self,
        )
        work.setProperty("key", key)
        task = self._shell.tasks.begin(f"Downloading {title}", cancel=partial(self.pause, key))
        self._running[key] = _Download(work, task, title, Transfer(0, 0))
        work.progressed.connect(self._on_progressed)
        work.succeeded.connect(self._on_succeeded)
        work.failed.connect(self._on_failed)
        work.ended.connect(self._on_ended)
        work.start()
        self.changed.emit(key)

    def pause(self, key: str) -> None:
        """Stop; what is here stays and is gone on with later."""
        running = self._running.get(key)
        if running is not None:
            running.work.cancel()

    def give_up(self, key: str) -> None:
        """Stop; what is here is to be deleted."""
        running = self._running.get(key)
        if running is not None:
            running.discard = True
            running.work.cancel()

    def close(self, timeout_s: float = 10.0) -> None:
        """Stop everything and wait for it; what is here stays."""
        self._closed = True
        for running in self._running.values():
            running.work.cancel()
        for running in self._running.values():
            running.work.wait(timeout_s)
            running.task.finish()

    def _of_sender(self) -> tuple[str, _Download | None]:
        sender = self.sender()
        key = str(sender.property("key")) if sender is not None else ""
        return key, None if self._closed else self._running.get(key)

    def _on_progressed(self, transfer: Transfer) -> None:
        key, running = self._of_sender()
        if running is not None:
            running.transfer = transfer
            running.task.update(
                f"Downloading {running.title}", fraction=transfer.fraction, seconds_left=transfer.seconds_left
            )
            self.changed.emit(key)

    def _on_succeeded(self, _result: object) -> None:
        key, running = self._of_sender()
        if running is not None:
            running.discard = False  # it was faster than whoever wanted to stop it
            self.fetched.emit(key)

    def _on_failed(self, error: VvlmError) -> None:
        key, running = self._of_sender()
        if running is None:
            return
        if not isinstance(error, JobCancelledError):
            running.discard = False
            self._shell.report(error)
        elif running.discard:
            self.given_up.emit(key)

    def _on_ended(self) -> None:
        key, running = self._of_sender()
        if running is not None:
            running.task.finish()
            running.work.deleteLater()
            del self._running[key]
            self.changed.emit(key)
