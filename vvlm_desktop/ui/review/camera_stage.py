"""Where the pictures of one moment lie: the judged one with others in its corner, beside it, or one of them large."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.camera_tile import CameraTile
from vvlm_desktop.ui.review.player_view import VideoView

Layout = Literal["alone", "inset", "side"]

_INSET_SHARES = (0.3, 0.24, 0.2)  # of one camera, of two, of more
_LEAST_INSET_PX = 150
_SHAPE = 16 / 9


class CameraStage(QWidget):
    """Lays out the judged picture and the tiles; `enlarged` is the tile that has taken the large place."""

    def __init__(self, view: VideoView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = view
        view.setParent(self)
        self._tiles: tuple[CameraTile, ...] = ()
        self._layout: Layout = "alone"
        self._enlarged: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(view.minimumSize())

    @property
    def tiles(self) -> tuple[CameraTile, ...]:
        """The other cameras' pictures."""
        return self._tiles

    def set_tiles(self, tiles: Sequence[CameraTile]) -> None:
        """Show others; those before are gone."""
        for tile in self._tiles:
            tile.hide()
            tile.setParent(None)
            tile.deleteLater()
        self._tiles = tuple(tiles)
        for tile in self._tiles:
            tile.setParent(self)
        self._enlarged = None
        self.arrange(self._layout)

    def arrange(self, layout: Layout, *, enlarged: int | None = None) -> None:
        """Lie as `layout` says, or with one tile large and the judged picture small beside it."""
        self._layout = layout
        self._enlarged = enlarged if enlarged is not None and enlarged < len(self._tiles) else None
        self._place()

    def _place(self) -> None:
        shown = self._tiles and (self._layout != "alone" or self._enlarged is not None)
        for tile in self._tiles:
            tile.setVisible(bool(shown))
        if not shown:
            self.view.setGeometry(self.rect())
        elif self._enlarged is not None:
            large = self._tiles[self._enlarged]
            large.setGeometry(self.rect())
            large.lower()
            self._place_insets([self.view, *(tile for tile in self._tiles if tile is not large)])
        elif self._layout == "side":
            for widget, place in zip((self.view, *self._tiles), cells(self.rect(), len(self._tiles) + 1), strict=True):
                widget.setGeometry(place)
        else:
            self.view.setGeometry(self.rect())
            self.view.lower()
            self._place_insets(self._tiles)
        self.update()

    def _place_insets(self, small: Sequence[QWidget]) -> None:
        """In the upper right corner, one under the other, as far as the sky reaches."""
        room = (self.height() - theme.GAP * (len(small) + 1)) // max(1, len(small))
        share = _INSET_SHARES[min(len(small), len(_INSET_SHARES)) - 1]
        width = min(max(theme.px(_LEAST_INSET_PX), round(self.width() * share)), round(room * _SHAPE))
        size = QSize(max(32, width), max(18, round(width / _SHAPE)))
        top = theme.GAP
        for widget in small:
            least = widget.minimumSize()
            place = size.expandedTo(least)
            widget.setGeometry(QRect(self.width() - place.width() - theme.GAP, top, place.width(), place.height()))
            widget.raise_()
            top += place.height() + theme.GAP

    @override
    def sizeHint(self) -> QSize:
        return self.view.sizeHint()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), theme.colour("picture"))


def cells(room: QRect, count: int) -> list[QRect]:
    """Places for `count` pictures, in the rows and columns in which they are largest."""

    def width_with(columns: int) -> float:
        rows = -(-count // columns)
        return min(room.width() / columns, room.height() / rows * _SHAPE)

    columns = max(range(1, count + 1), key=width_with)
    rows = -(-count // columns)
    wide, high = room.width() // columns, room.height() // rows
    return [
        QRect(room.left() + wide * (i % columns), room.top() + high * (i // columns), wide, high) for i in range(count)
    ]
