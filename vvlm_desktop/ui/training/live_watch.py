"""Reads a run's folder again and again: four times a second while somebody looks, seldom otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui.job_bridge import Work

VISIBLE_MS, HIDDEN_MS = 250, 2000
#: A reading that took longer is done in a thread from then on; the first one always is.
_SLOW_S = 0.005
#: As long as the window waits, when it closes, for one that is under way.
_LAST_S = 2.0


class Follower(Protocol):
    """`RunFollower`, or one of an evaluation."""

    @property
    def progress(self) -> object:
        """What was read last."""

    def poll(self) -> object:
        """Read what is new."""


class Watch(QObject):
    """Follows one folder at a time. Nothing is read while a reading is under way, so a follower has one reader."""

    told = Signal(object)  # what `poll` returned

    def __init__(self, make: Callable[[Path], Follower], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make = make
        self._follower: Follower | None = None
        self._work: Work[object] | None = None
        self._slow = True
        self._timer = QTimer(self)
        self._timer.setInterval(HIDDEN_MS)
        self._timer.timeout.connect(self.poll)

    @property
    def interval_ms(self) -> int:
        """How often it looks."""
        return self._timer.interval()

    @property
    def following(self) -> bool:
        """Whether there is something to follow."""
        return self._follower is not None

    def follow(self, folder: Path | None) -> None:
        """Follow another folder; None for none."""
        self._work = None  # what is being read of another folder is no longer wanted
        self._follower = self._make(folder) if folder is not None else None
        self._slow = True  # the first reading reads everything
        if self._follower is None:
            self._timer.stop()
        else:
            self._timer.start()
            self.poll()

    def set_visible(self, visible: bool) -> None:
        """Look more often while somebody sees it."""
        self._timer.setInterval(VISIBLE_MS if visible else HIDDEN_MS)
        if visible and self._follower is not None:
            self.poll()

    def poll(self) -> None:
        """Read now, unless it is being read."""
        follower = self._follower
        if follower is None or self._work is not None:
            return
        if self._slow:
            self._poll_in_thread(follower)
            return
        began_s = time.perf_counter()
        progress = follower.poll()
        self._slow = time.perf_counter() - began_s > _SLOW_S
        self.told.emit(progress)

    def close(self) -> None:
        """Nothing is read or told any more."""
        readers = self.findChildren(Work)
        self.follow(None)
        for reader in readers:
            reader.wait(_LAST_S)

    def _poll_in_thread(self, follower: Follower) -> None:
        def run(_report: Callable[[object], None], _cancelled: Callable[[], bool]) -> object:
            began_s = time.perf_counter()
            return follower.poll(), time.perf_counter() - began_s

        self._work = Work(run, name="run-follower", parent=self)
        self._work.succeeded.connect(self._on_succeeded)
        self._work.failed.connect(self._on_failed)
        self._work.ended.connect(self._on_ended)
        self._work.start()

    def _on_succeeded(self, result: tuple[object, float]) -> None:
        if self.sender() is not self._work:
            return
        self._work = None
        progress, took_s = result
        self._slow = took_s > _SLOW_S
        self.told.emit(progress)

    def _on_failed(self, _error: VvlmError) -> None:
        if self.sender() is self._work:
            self._work = None  # a folder that is away for a moment is looked at again

    def _on_ended(self) -> None:
        sender = self.sender()
        if self._work is sender:
            self._work = None
        if isinstance(sender, Work):
            sender.deleteLater()
