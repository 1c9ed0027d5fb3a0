"""Buttons: the one primary button of a page, ordinary ones, and icon buttons that say their key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QStyle, QStyleOptionButton, QToolButton, QWidget
from typing_extensions import override

from vvlm_desktop.ui import icons, theme
from vvlm_desktop.ui.widgets.labels import key_cap_size, paint_key_cap
from vvlm_desktop.ui.words import plain_tip

ButtonKind = Literal["normal", "primary", "link", "plain"]


def button(
    text: str,
    on_click: Callable[[], object] | None = None,
    *,
    kind: ButtonKind = "normal",
    icon: str | None = None,
    tooltip: str = "",
    parent: QWidget | None = None,
) -> QPushButton:
    """A button with a word on it; an icon only beside the word."""
    result = QPushButton(text, parent)
    result.setProperty("kind", kind)
    if icon:
        result.setIcon(icons.icon(icon, "on_accent" if kind == "primary" else "muted"))
        result.setIconSize(QSize(theme.px(20), theme.px(16)))  # wider than high: a gap before the word
    result.setToolTip(plain_tip(tooltip))
    result.setAccessibleName(text)
    result.setAutoDefault(False)
    if on_click is not None:
        result.clicked.connect(on_click)
    return result


class PrimaryButton(QPushButton):
    """The one thing to do on a page, with its key."""

    def __init__(self, text: str, *, key: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._key = key
        self.setProperty("kind", "primary")
        self.setAutoDefault(False)
        self.setAccessibleName(f"{text} ({key})" if key else text)
        self.setProperty("tall", "true")

    def set_key(self, key: str) -> None:
        """Show another key; none when empty."""
        self._key = key
        self.setAccessibleName(f"{self.text()} ({key})" if key else self.text())
        self.updateGeometry()
        self.update()

    def _cap_size(self) -> QSize:
        return key_cap_size(self, self._key) if self._key else QSize(0, 0)

    @override
    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(hint.width() + (self._cap_size().width() + 10 if self._key else 0), hint.height())

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._key:
            super().paintEvent(event)
            return
        painter = QPainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        text, option.text = option.text, ""
        self.style().drawControl(QStyle.ControlElement.CE_PushButton, option, painter, self)
        ink = "on_accent" if self.isEnabled() else "muted"
        font = theme.font("strong")
        painter.setFont(font)
        width = painter.fontMetrics().horizontalAdvance(text)
        painter.setFont(theme.font("small"))
        metrics = painter.fontMetrics()
        cap_height = metrics.height() + 4
        cap_width = max(cap_height, metrics.horizontalAdvance(self._key) + 12)
        left = (self.width() - width - 10 - cap_width) / 2
        painter.setPen(theme.colour(ink))
        painter.setFont(font)
        painter.drawText(QRectF(left, 0, width + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
        painter.setFont(theme.font("small"))
        cap = QRectF(left + width + 10, (self.height() - cap_height) / 2, cap_width, cap_height)
        paint_key_cap(painter, cap, self._key, ink)


class IconButton(QToolButton):
    """A button that is only an icon: its name and key are in the tooltip and the accessible name."""

    def __init__(
        self,
        icon: str,
        name: str,
        on_click: Callable[[], object] | None = None,
        *,
        key: str = "",
        ink: str = "muted",
        size_px: int = 18,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._ink = ink
        self.setIconSize(QSize(theme.px(size_px), theme.px(size_px)))
        self.show_icon(icon, name, key=key)
        if on_click is not None:
            self.clicked.connect(on_click)

    def show_icon(self, icon: str, name: str, *, key: str = "") -> None:
        """Show another icon with another name, e.g. pause for play."""
        self.setIcon(icons.icon(icon, self._ink))
        self.setAccessibleName(name)
        self.setToolTip(plain_tip(f"{name} ({key})" if key else name))
