"""Notices what another program, such as a command in a terminal, did to the library that is listed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from vvlm_desktop.domain.review import Change

#: Counting takes a millisecond or two, of 100,000 clips too.
_LOOK_MS = 3_000


class Elsewhere(QObject):
    """Counts the clips now and then while the list is shown; told at once when somebody comes back to the window."""

    def __init__(self, shown: QWidget, *, count: Callable[[], int], tell: Callable[[Change], object]) -> None:
        super().__init__(shown)
        self._shown, self._count, self._tell = shown, count, tell
        self._known = count()
        self._away = False  # whether the window was left since
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        shown.installEventFilter(self)

    def look(self, *, came_back: bool = False) -> None:
        """Tell of clips that have come or gone; to somebody who came back also that lines may be out of date."""
        if not self._shown.isVisible():
            return
        before, self._known = self._known, self._count()
        if self._known != before:
            self._tell(Change(clip_ids=(), what=frozenset({"clips"})))
        elif came_back:
            self._tell(Change(clip_ids=(), what=frozenset({"analyses"})))

    def close(self) -> None:
        """Look no more."""
        self._timer.stop()
        self._shown.removeEventFilter(self)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowDeactivate:
            self._away = True
        elif event.type() == QEvent.Type.WindowActivate and self._away:
            self._away = False
            self.look(came_back=True)
        return False
