"""Our own icons: SVG line drawings, tinted in the theme's colours when they are painted, sharp at any scale."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from typing_extensions import override

from vvlm_desktop import paths
from vvlm_desktop.ui import theme


def names() -> tuple[str, ...]:
    """Every icon there is."""
    return tuple(sorted(file.stem for file in (paths.resources_dir() / "icons").glob("*.svg")))


def icon(name: str, ink: str = "muted", *, on: str = "accent") -> QIcon:
    """Icon `name` in the colour `ink`, or in `on` while it is checked or selected; follows theme changes.

    Raises:
        FileNotFoundError: there is no such icon.
    """
    _source(name)
    return QIcon(_TintedEngine(name, ink, on))


def pixmap(name: str, ink: str = "muted", *, size_px: int = 18, scale: float = 1.0) -> QPixmap:
    """Icon `name` as a picture of `size_px` logical pixels, in the theme in force now."""
    return _rendered(name, str(getattr(theme.tokens(), ink)), round(size_px * scale), scale)


def paint(painter: QPainter, rect: QRectF, name: str, ink: str = "muted") -> None:
    """Draw icon `name` into `rect`."""
    side = round(min(rect.width(), rect.height()))
    picture = pixmap(name, ink, size_px=side, scale=painter.device().devicePixelRatioF())
    x = round(rect.center().x() - side / 2)
    y = round(rect.center().y() - side / 2)
    painter.drawPixmap(x, y, picture)


@lru_cache(maxsize=128)
def _source(name: str) -> str:
    return (paths.resources_dir() / "icons" / f"{name}.svg").read_text(encoding="utf-8")


@lru_cache(maxsize=512)
def _rendered(name: str, colour: str, side_px: int, scale: float) -> QPixmap:
    renderer = QSvgRenderer(QByteArray(_source(name).replace("currentColor", colour).encode()))
    result = QPixmap(side_px, side_px)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    renderer.render(painter, QRectF(0, 0, side_px, side_px))
    painter.end()
    result.setDevicePixelRatio(scale)
    return result


class _TintedEngine(QIconEngine):
    """Paints by the theme in force at that moment, so that an icon given to a button once stays right."""

    def __init__(self, name: str, ink: str, on: str) -> None:
        super().__init__()
        self._name, self._ink, self._on = name, ink, on

    def _ink_for(self, mode: QIcon.Mode, state: QIcon.State) -> str:
        if mode == QIcon.Mode.Disabled:
            return "line"
        return self._on if state == QIcon.State.On or mode == QIcon.Mode.Selected else self._ink

    @override
    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        paint(painter, QRectF(rect), self._name, self._ink_for(mode, state))

    @override
    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    @override
    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        # `size` is in logical pixels. One wider than high leaves a gap before the word beside the icon.
        side = max(1, min(size.width(), size.height()))
        result = QPixmap(size * scale)
        result.setDevicePixelRatio(scale)
        result.fill(Qt.GlobalColor.transparent)
        painter = QPainter(result)
        picture = pixmap(self._name, self._ink_for(mode, state), size_px=side, scale=scale)
        painter.drawPixmap(0, (size.height() - side) // 2, picture)
        painter.end()
        return result

    @override
    def clone(self) -> QIconEngine:
        return _TintedEngine(self._name, self._ink, self._on)
