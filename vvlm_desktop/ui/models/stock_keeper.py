"""Knows what models there are now: looks in a thread, again whenever asked, one look at a time."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui.job_bridge import Work
from vvlm_desktop.ui.models.shelf import Shelf, Stock
from vvlm_desktop.ui.page import Shell

#: Free GPU memory changes while other programs work; a look takes some milliseconds in its thread.
_EVERY_MS = 4_000


class StockKeeper(QObject):
    """Emits `changed` with what there is, where that is not what it was."""

    changed = Signal(object)  # Stock
    failed = Signal(object)  # VvlmError

    def __init__(self, shell: Shell, shelf: Shelf, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shell, self._shelf = shell, shelf
        self._work: Work[Any] | None = None
        self._again = False
        self._closed = False
        self.stock: Stock | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._on_timer)

    @property
    def looking(self) -> bool:
        """Whether a look is under way."""
        return self._work is not None

    def watch(self, on: bool) -> None:
        """Look again every few seconds, or not."""
        if on:
            self._timer.start()
            self.look()
        else:
            self._timer.stop()

    def look(self) -> None:
        """Look now, or once more after the look that is under way."""
        if self._closed:
            return
        if self._work is not None:
            self._again = True
            return
        self._again = False
        settings, shelf = self._shell.session.settings, self._shelf
        self._work = work = Work(lambda _report, _cancelled: shelf.look(settings), name="look-at-models", parent=self)
        work.succeeded.connect(self._on_looked)
        work.failed.connect(self._on_failed)
        work.ended.connect(self._on_ended)
        work.start()

    def close(self, timeout_s: float = 10.0) -> None:
        """Look no more."""
        self._closed = True
        self._timer.stop()
        if self._work is not None:
            self._work.wait(timeout_s)

    def _on_timer(self) -> None:
        if self._work is None:
            self.look()

    def _on_looked(self, stock: Stock) -> None:
        if not self._closed and stock != self.stock:
            self.stock = stock
            self.changed.emit(stock)

    def _on_failed(self, error: VvlmError) -> None:
        if not self._closed:
            self._timer.stop()  # told once; the page asks again when it is next shown
            self.failed.emit(error)

    def _on_ended(self) -> None:
        if self._work is not None:
            self._work.deleteLater()
        self._work = None
        if self._again:
            self.look()
