"""Where the page's three parts are: side by side, or with the queue as a drawer over the picture."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.desk import Desk
from vvlm_desktop.ui.review.queue_list import QueueList
from vvlm_desktop.ui.review.side import Side
from vvlm_desktop.ui.widgets.labels import rule

_COMPACT_WIDTH, _COMPACT_HEIGHT = 1260, 720
_WIDE = 1650


class Arrangement(QObject):
    """Lays out queue, desk and side on `work`, and changes that with the room there is."""

    def __init__(self, work: QWidget, *, queue: QueueList, desk: Desk, side: Side) -> None:
        super().__init__(work)
        self._work = work
        self._queue, self._desk, self._side = queue, desk, side
        self._compact: bool | None = None
        self.alone = False
        self._side_line = rule(vertical=True)
        self._row = QHBoxLayout(work)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._row.addWidget(queue)
        self._row.addWidget(desk, 1)
        self._row.addWidget(self._side_line)
        self._row.addWidget(side)
        work.installEventFilter(self)
        self.fit(1400, 860)

    def fit(self, width: int, height: int) -> None:
        """Choose the arrangement for a page of this size."""
        compact = width < theme.px(_COMPACT_WIDTH) or height < theme.px(600)
        low = height < theme.px(_COMPACT_HEIGHT)
        wide = width >= theme.px(_WIDE)
        self._side.setFixedWidth(theme.px(320 if compact else 400 if wide else 348))
        self._queue.setFixedWidth(theme.px(280 if wide else 236))
        self._desk.timeline.set_compact(compact or low)
        self._desk.drive.set_compact(compact or low)
        if compact != self._compact:
            self._compact = compact
            self._desk.headline.queue_button.setVisible(compact)
            self._place_queue()

    @property
    def drawer_open(self) -> bool:
        """Whether the queue lies over the picture."""
        return bool(self._compact) and not self._queue.isHidden()

    def toggle_drawer(self) -> None:
        """Show or hide the queue where it is a drawer."""
        if self._compact:
            self._queue.setVisible(self._queue.isHidden())
            self._queue.raise_()

    def close_drawer(self) -> None:
        """Hide the queue where it is a drawer."""
        if self._compact:
            self._queue.hide()

    def set_alone(self, alone: bool, *, window: QWidget) -> None:
        """Only the picture, on the whole screen; or everything again."""
        self.alone = alone
        for widget in (self._side, self._side_line):
            widget.setVisible(not alone)
        self._desk.set_alone(alone)
        if alone:
            self._queue.hide()
        else:
            self._place_queue()
        state = window.windowState()
        full = Qt.WindowState.WindowFullScreen
        window.setWindowState(state | full if alone else state & ~full)

    def _place_queue(self) -> None:
        if self._compact:
            self._row.removeWidget(self._queue)
            self._queue.hide()
            self._place_drawer()
        else:
            self._row.insertWidget(0, self._queue)
            self._queue.setMinimumHeight(0)
            self._queue.setMaximumHeight(16777215)
            self._queue.setVisible(not self.alone)

    def _place_drawer(self) -> None:
        top = self._desk.headline.height()
        self._queue.setGeometry(0, top, self._queue.width(), max(0, self._work.height() - top))

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self._compact:
            self._place_drawer()
        return False
