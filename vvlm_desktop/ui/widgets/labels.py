"""Labels: texts in the few styles there are, texts that shorten instead of pushing, key caps, thin lines."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.words import plain_tip

TextRole = Literal["body", "title", "strong", "muted", "small", "good", "doubtful", "bad", "model"]


def label(text: str = "", role: TextRole = "body", *, wrap: bool = False, parent: QWidget | None = None) -> QLabel:
    """A text in one of the few styles; never interpreted as markup, since names of files come from outside."""
    result = QLabel(text, parent)
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setProperty("role", role)
    result.setWordWrap(wrap)
    return result


def set_role(widget: QWidget, role: TextRole) -> None:
    """Give a label another style."""
    widget.setProperty("role", role)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def rule(*, vertical: bool = False, parent: QWidget | None = None) -> QFrame:
    """A line of 1 px between two surfaces."""
    result = QFrame(parent)
    result.setProperty("rule", "vertical" if vertical else "horizontal")
    return result


class ElidedLabel(QLabel):
    """One line of text that is shortened to the room there is; the whole text is in the tooltip."""

    def __init__(
        self,
        text: str = "",
        role: TextRole = "body",
        *,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(24), super().minimumSizeHint().height())

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        area = self.contentsRect()
        elided = self.fontMetrics().elidedText(self.text(), self._mode, area.width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(area, int(self.alignment()), elided)
        shortened = elided != self.text()
        if shortened != bool(self.toolTip()):
            self.setToolTip(plain_tip(self.text()) if shortened else "")


class KeyCap(QWidget):
    """A key as it is written on the keyboard."""

    def __init__(self, key: str, *, ink: str = "muted", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key = key
        self._ink = ink
        self.setFont(theme.font("small"))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"Key {key}")

    def text(self) -> str:
        """The key."""
        return self._key

    @override
    def sizeHint(self) -> QSize:
        return key_cap_size(self, self._key)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        paint_key_cap(painter, QRectF(self.rect()), self._key, self._ink)


def key_cap_size(widget: QWidget, key: str) -> QSize:
    """Room that a key cap takes in `widget`'s font."""
    metrics = widget.fontMetrics()
    height = metrics.height() + 6
    return QSize(max(height, metrics.horizontalAdvance(key) + 12), height)


def paint_key_cap(painter: QPainter, rect: QRectF, key: str, ink: str = "muted") -> None:
    """Draw a key cap that fills `rect`, in the painter's font."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    edge = theme.colour("line" if ink == "muted" else ink, alpha=1.0 if ink == "muted" else 0.6)
    painter.setPen(QPen(edge, 1))
    painter.setBrush(theme.colour("raised") if ink == "muted" else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    painter.setPen(theme.colour(ink))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, key)
    painter.restore()
