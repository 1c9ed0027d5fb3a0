"""Small pictures above the timeline: the frame under the pointer, and both ends of what is being moved."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.filmstrip import FilmstripLoader
from vvlm_desktop.ui.review.open_clip import OpenClip
from vvlm_desktop.ui.review.timeline import Timeline
from vvlm_desktop.ui.review.timeline_cells import shown_shape
from vvlm_desktop.ui.review.timeline_edges import Draft
from vvlm_desktop.ui.review.timeline_handy import Handy, HandyPictures
from vvlm_desktop.ui.review.times import clock_text
from vvlm_desktop.video.index import FrameIndex

_PICTURE_PX = 112
_MOST_SHAPE = 2.4
#: Pictures that are kept, so that moving back and forth decodes nothing again.
_KEPT = 150


@dataclass(slots=True)
class _Shown:
    """One picture: the frame that is meant, and the picture of it or, until that is there, of a neighbour."""

    frame_index: int
    title: str = ""
    held: bool = False
    image: QImage | None = None
    image_of: int = -1
    note: str = ""  # what has to be said of the picture, or why there is none
    done: bool = False  # nothing better is to come

    @property
    def words(self) -> str:
        """What stands on the picture where it is not simply the frame."""
        if self.image is None or self.image_of == self.frame_index:
            return self.note
        # Until the frame is decoded, a neighbour stands there, dimmed and with its own number.
        return f"still frame {self.image_of}" + (f", {self.note}" if self.note else "")


class Peek(QWidget):
    """A panel over the picture's lower edge; nothing of it can be clicked."""

    def __init__(self, on: QWidget, *, caption: QWidget | None = None) -> None:
        super().__init__(on)
        self._on = on
        self._caption_row = caption  # stays free: what it says is read together with what is seen here
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._index: FrameIndex | None = None
        self._shown: list[_Shown] = []
        self.hide()

    @property
    def shown(self) -> list[_Shown]:
        """What is shown, from left to right."""
        return self._shown

    def show_frames(self, index: FrameIndex, shown: list[_Shown], *, above: QPoint) -> None:
        """Show these above a point of the parent."""
        self._index, self._shown = index, shown
        width, height = self._cell()
        self.resize(round(width * len(shown) + theme.GAP * (len(shown) + 1)), round(height + 2 * theme.GAP))
        room = self._on.width()
        left = max(4, min(above.x() - self.width() // 2, room - self.width() - 4))
        self.move(left, above.y() - self.height() - 6)
        self.refresh()
        self.show()
        self.raise_()

    def refresh(self) -> None:
        """Another picture of what is shown."""
        self.setAccessibleName("; ".join(" ".join((*self._caption(each), each.words)).strip() for each in self._shown))
        self.update()

    def place_above(self, timeline: QWidget, x: float) -> QPoint:
        """The parent's point that lies at `x` of the timeline's upper edge, or above the caption."""
        point = timeline.mapTo(self._on, QPoint(round(x), 0))
        if self._caption_row is not None and self._caption_row.isVisible():
            point.setY(min(point.y(), self._caption_row.mapTo(self._on, QPoint(0, 0)).y()))
        return point

    def _cell(self) -> tuple[float, float]:
        assert self._index is not None
        shape = min(_MOST_SHAPE, max(0.5, shown_shape(self._index)))
        metrics = QFontMetricsF(theme.font("small"))
        words = max((metrics.horizontalAdvance(t) for each in self._shown for t in self._caption(each)), default=0)
        return max(theme.px(_PICTURE_PX) * shape, words + 8), theme.px(_PICTURE_PX) + 2 * metrics.height() + 4

    def _caption(self, each: _Shown) -> tuple[str, str]:
        assert self._index is not None
        i = each.frame_index
        title = f"{each.title}: " if each.title else ""
        return f"{title}frame {i}", f"PTS {self._index.pts[i]} · {clock_text(self._index.seconds(i))}"

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        if self._index is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.setBrush(theme.colour("panel"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS, theme.RADIUS)
        width, _ = self._cell()
        for number, each in enumerate(self._shown):
            left = theme.GAP + number * (width + theme.GAP)
            self._paint(painter, QRectF(left, theme.GAP, width, theme.px(_PICTURE_PX)), each)

    def _paint(self, painter: QPainter, rect: QRectF, each: _Shown) -> None:
        painter.fillRect(rect, theme.colour("picture"))
        painter.setFont(theme.font("small"))
        line = QFontMetricsF(painter.font()).height()
        if each.image is not None and not each.image.isNull():
            zoom = min(rect.width() / each.image.width(), rect.height() / each.image.height())
            place = QRectF(0, 0, each.image.width() * zoom, each.image.height() * zoom)
            place.moveCenter(rect.center())
            exact = each.image_of == each.frame_index
            painter.setOpacity(1.0 if exact else 0.45)
            painter.drawImage(place, each.image)
            painter.setOpacity(1.0)
        if each.words:
            self._paint_words(painter, rect, each.words)
        if each.held:
            painter.setPen(QPen(theme.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect)
        above, below = self._caption(each)
        painter.setPen(theme.colour("text"))
        painter.drawText(QRectF(rect.left(), rect.bottom() + 3, rect.width(), line), above)
        painter.setPen(theme.colour("muted"))
        painter.drawText(QRectF(rect.left(), rect.bottom() + 3 + line, rect.width(), line), below)

    def _paint_words(self, painter: QPainter, rect: QRectF, text: str) -> None:
        metrics = QFontMetricsF(painter.font())
        plate = QRectF(0, 0, metrics.horizontalAdvance(text) + 10, metrics.height() + 4)
        plate.moveCenter(QPointF(rect.center().x(), rect.bottom() - plate.height() / 2 - 2))
        painter.fillRect(plate, theme.colour("background", alpha=0.85))
        painter.setPen(theme.colour("text"))
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)


class PeekFeeder(QObject):
    """Shows what the timeline's pointer and edges ask for, without ever waiting; `close` it before letting go."""

    def __init__(self, timeline: Timeline, peek: Peek) -> None:
        super().__init__(timeline)
        self._timeline, self._peek = timeline, peek
        self._opened: OpenClip | None = None
        self._handy: HandyPictures | None = None
        self._loader = FilmstripLoader(self, kept=_KEPT, keep_open=True)
        self._loader.ready.connect(self._on_ready)
        self._loader.unreadable.connect(self._on_unreadable)
        timeline.hovered.connect(self._on_hovered)
        timeline.edge_changed.connect(self._on_edge)

    def show_clip(self, opened: OpenClip | None) -> None:
        """Another clip is on the timeline."""
        self._opened = opened
        self._handy = HandyPictures(opened) if opened is not None else None
        self._peek.hide()
        if opened is None:
            self._loader.let_go()

    def close(self) -> None:
        """End the thread."""
        self._loader.close()

    def _on_hovered(self, frame_index: object) -> None:
        if self._timeline.draft is not None:
            self._on_edge(self._timeline.draft)
        elif isinstance(frame_index, int):
            self._show([_Shown(frame_index)], x=self._timeline.x_of_frame(frame_index))
        else:
            self._peek.hide()

    def _on_edge(self, draft: object) -> None:
        if not isinstance(draft, Draft):
            self._peek.hide()
            return
        shown = [_Shown(draft.first, "start", not draft.edge.end), _Shown(draft.last, "end", bool(draft.edge.end))]
        middle = (self._timeline.x_of_frame(draft.first) + self._timeline.x_of_frame(draft.last)) / 2
        self._show(shown, x=middle)

    def _show(self, shown: list[_Shown], *, x: float) -> None:
        opened = self._opened
        if opened is None:
            return
        for each in shown:
            self._fill(each)
        self._peek.show_frames(opened.index, shown, above=self._peek.place_above(self._timeline, x))
        wanted = [each.frame_index for each in sorted(shown, key=lambda each: not each.held) if not each.done]
        self._loader.load(opened.clip.id, opened.path, opened.index, wanted, height_px=self._height_px())

    def _height_px(self) -> int:
        return round(theme.px(_PICTURE_PX) * self._timeline.devicePixelRatioF())

    def _fill(self, each: _Shown) -> None:
        """The frame where it is at hand; else the small copy or the picture that is nearest to it."""
        i, handy, height_px = each.frame_index, self._handy, self._height_px()
        decoded = self._loader.picture(i)
        exact = Handy(i, decoded) if decoded is not None else None
        if exact is None and handy is not None:
            exact = handy.exact(i, height_px=height_px)
        if exact is not None:
            each.image, each.image_of, each.note, each.done = exact.image, i, exact.problem, True
            return
        strip_of, strip = self._timeline.picture_near(i)
        copy = handy.near(i, height_px=height_px) if handy is not None else None
        if copy is not None and (strip is None or abs(copy.frame_index - i) <= abs(strip_of - i)):
            each.image, each.image_of, each.note = copy.image, copy.frame_index, copy.note
        else:
            each.image, each.image_of, each.note = strip, strip_of, ""

    def _on_ready(self, frame_index: object) -> None:
        for each in self._peek.shown:
            if each.frame_index == frame_index and self._peek.isVisible():
                self._fill(each)
                self._peek.refresh()

    def _on_unreadable(self, frame_index: object) -> None:
        for each in self._peek.shown:
            if each.frame_index == frame_index:
                each.image, each.note, each.done = None, "cannot be read", True
                self._peek.refresh()
