"""The narrow rail at the left that switches pages."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QFrame, QHBoxLayout, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.ui import icons, theme
from vvlm_desktop.ui.widgets.labels import rule


class RailButton(QAbstractButton):
    """A page's icon over its name."""

    def __init__(self, icon: str, title: str, *, key: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self.setText(title)
        self.setCheckable(True)
        self.setAccessibleName(title)
        self.setToolTip(f"{title} ({key})" if key else title)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFont(theme.font("small"))

    @override
    def sizeHint(self) -> QSize:
        return QSize(theme.px(64), theme.px(58))

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        on = self.isChecked()
        if on or self.underMouse():
            painter.fillRect(area, theme.colour("raised"))
        if on:
            painter.fillRect(QRectF(0, 0, 3, area.height()), theme.colour("accent"))
        ink = "text" if on else "muted"
        side = theme.px(20)
        text_height = painter.fontMetrics().height()
        top = (area.height() - side - 4 - text_height) / 2
        icons.paint(painter, QRectF((area.width() - side) / 2, top, side, side), self._icon, ink)
        painter.setPen(theme.colour(ink))
        painter.setFont(self.font())
        below = QRectF(0, top + side + 4, area.width(), text_height)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, self.text())
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(4.5, 2.5, -4.5, -2.5), theme.RADIUS, theme.RADIUS)


class Rail(QFrame):
    """Pages from the top; those at the end (settings) at the bottom."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setAccessibleName("Pages")
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        self._column = QVBoxLayout()
        self._column.setContentsMargins(0, theme.GAP, 0, theme.GAP)
        self._column.setSpacing(2)
        self._column.addStretch(1)
        outer.addLayout(self._column)
        outer.addWidget(rule(vertical=True))
        self._group = QButtonGroup(self)
        self._buttons: dict[str, RailButton] = {}
        self._tops = 0
        self._group.buttonClicked.connect(self._on_clicked)

    def add_page(self, page_id: str, icon: str, title: str, *, key: str = "", at_end: bool = False) -> None:
        """Show one more page."""
        item = RailButton(icon, title, key=key)
        self._buttons[page_id] = item
        self._group.addButton(item)
        if at_end:
            self._column.addWidget(item)
        else:
            self._column.insertWidget(self._tops, item)
            self._tops += 1

    def show_page(self, page_id: str) -> None:
        """Mark the page that is shown."""
        item = self._buttons.get(page_id)
        if item is not None:
            item.setChecked(True)
            return
        # A page that is not here: none of these is shown. An exclusive group keeps one checked otherwise.
        self._group.setExclusive(False)
        for other in self._buttons.values():
            other.setChecked(False)
        self._group.setExclusive(True)

    def button(self, page_id: str) -> RailButton:
        """The button of a page."""
        return self._buttons[page_id]

    def _on_clicked(self, clicked: QAbstractButton) -> None:
        for page_id, item in self._buttons.items():
            if item is clicked:
                self.chosen.emit(page_id)
