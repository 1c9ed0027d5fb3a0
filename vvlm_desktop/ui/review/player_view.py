"""The picture: paints one decoded frame, all of it or zoomed, and says which one it painted."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.picture_badges import Badges
from vvlm_desktop.ui.review.picture_image import FrameImage
from vvlm_desktop.ui.review.picture_look import Look
from vvlm_desktop.ui.review.zoom import scale_text
from vvlm_desktop.ui.review.zoom_hand import ZoomHand

#: The number of a picture of which nobody knows yet which frame it is.
NO_FRAME = -1


@dataclass(frozen=True, slots=True)
class Picture:
    """What is to be seen: a frame, or the sentence that stands where it cannot be shown.

    A picture that is not `exact` lies on the way to the wanted one; its number is its own all the same. One without a
    number (`NO_FRAME`) is of the clip, and proves nothing.

    Attributes:
        before, after: the neighbours of an interlaced frame, where they are at hand.
        reduced_from: width and height of the frame that this is a small copy of; such a copy proves nothing.
    """

    clip_id: str
    frame_index: int
    frame: av.VideoFrame | None
    exact: bool = True
    problem: str = ""
    hint: str = ""
    before: av.VideoFrame | None = None
    after: av.VideoFrame | None = None
    reduced_from: tuple[int, int] | None = None


class VideoView(QWidget):
    """Shows `Picture`s, letterboxed, upright and in their true shape."""

    #: clip id and frame index, after it is on the widget's surface; -1 when a sentence was painted instead
    painted = Signal(str, object)
    clicked = Signal()
    double_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture: Picture | None = None
        self._on_screen: Picture | None = None
        self._message = ("", "")
        self._rotation = 0
        self._sample_aspect = Fraction(1)
        self._maker = FrameImage()
        self._image: QImage | None = None
        self._zoom_kept = False
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 135)
        self.setAccessibleName("Video")
        self.badges = Badges(self)
        self.hand = ZoomHand(self)
        self.hand.changed.connect(self._on_zoom)
        self.hand.clicked.connect(self.clicked)
        self.hand.double_clicked.connect(self.double_clicked)

    @property
    def picture(self) -> Picture | None:
        """What is shown; on the surface after the next paint."""
        return self._picture

    @property
    def on_screen(self) -> Picture | None:
        """The frame that was painted last; None where a sentence was, or nothing yet."""
        return self._on_screen

    def set_shape(self, *, rotation: int, sample_aspect: Fraction) -> None:
        """How the clip's pixels lie: clockwise degrees to apply, and the width of a pixel to its height."""
        self._rotation = rotation % 360
        self._sample_aspect = sample_aspect if sample_aspect > 0 else Fraction(1)
        self._image = None

    @property
    def look(self) -> Look:
        """What is changed for the eye alone."""
        return self._maker.look

    def set_look(self, look: Look) -> None:
        """Change the picture for the eye alone; no frame is touched."""
        self._maker.set_look(look)
        self._image = None
        self.update()

    def toggle_fields(self) -> bool:
        """Show interlaced frames as they were recorded, or as one picture again; whether the latter."""
        self._maker.deinterlace = not self._maker.deinterlace
        self._image = None
        if self._picture is not None:
            self.show_picture(self._picture)
        return self._maker.deinterlace

    def keep_zoom(self, kept: bool) -> None:
        """Say beside the scale whether it stays for the next clips."""
        self._zoom_kept = kept
        self._show_scale()

    def show_picture(self, picture: Picture) -> None:
        """Show a frame, or why it cannot be shown."""
        self._picture = picture
        if picture.frame_index != NO_FRAME:
            self.badges.mark("early", "")
        self.badges.mark("fields", "Deinterlaced, view only" if self._maker.combed(picture.frame) else "")
        small = picture.frame is not None and picture.reduced_from is not None
        self.badges.mark("preview", "Preview, the exact frame follows" if small else "")
        self._message = ("", "") if picture.frame is not None else (picture.problem, picture.hint)
        self._image = None
        self.update()

    def show_message(self, message: str, hint: str = "") -> None:
        """Show no picture but a sentence; empty for plain black."""
        self._picture = self._on_screen = None
        for name in ("fields", "preview", "early"):
            self.badges.mark(name, "")
        self._message = (message, hint)
        self._image = None
        self.update()

    def keep_only(self, clip_id: str) -> None:
        """Show no picture but the first of this clip, which may stand until an exact one comes."""
        picture = self._picture
        if picture is None or picture.frame_index != NO_FRAME or picture.clip_id != clip_id:
            self.show_message("")

    @override
    def sizeHint(self) -> QSize:
        return QSize(960, 540)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        self._image = None
        super().resizeEvent(event)
        self._show_scale()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        picture = self._picture
        if picture is None or picture.frame is None:
            painter.fillRect(self.rect(), theme.colour("picture"))
            self._paint_message(painter)
        else:
            self._paint_frame(painter, picture, picture.frame)
        painter.end()
        whole = picture is not None and picture.frame is not None and picture.reduced_from is None
        named = whole and picture is not None and picture.frame_index != NO_FRAME
        self._on_screen = picture if named else None
        if picture is not None and named:
            self.painted.emit(picture.clip_id, picture.frame_index)
        else:
            self.painted.emit(picture.clip_id if picture is not None else "", -1)

    def _paint_frame(self, painter: QPainter, picture: Picture, frame: av.VideoFrame) -> None:
        place, needed = self._place(picture.reduced_from or (frame.width, frame.height))
        if not place.contains(QRectF(self.rect())):
            painter.fillRect(self.rect(), theme.colour("picture"))
        if self._image is None or self._image.size() != needed:
            self._image = self._maker.make(frame, needed, before=picture.before, after=picture.after)
        if self._rotation:
            painter.translate(place.center())
            painter.rotate(self._rotation)
            size = place.size().transposed() if self._rotation in {90, 270} else place.size()
            place = QRectF(QPointF(-size.width() / 2, -size.height() / 2), size)
        # Enlarged without smoothing: each pixel of the file is a square.
        painter.drawImage(place, self._image)

    def _place(self, size: tuple[int, int]) -> tuple[QRectF, QSize]:
        """Where the picture goes (logical px), and the size at which it is needed before it is turned (device px)."""
        shape_w, shape_h = float(size[0] * self._sample_aspect), float(size[1])
        turned = self._rotation in {90, 270}
        upright = (shape_h, shape_w) if turned else (shape_w, shape_h)
        self.hand.set_shape(upright)
        there = self.hand.zoom.place(self.hand.room, upright)
        scale = self.devicePixelRatioF()
        place = QRectF(there.left / scale, there.top / scale, there.width / scale, there.height / scale)
        if not self.hand.zoom.fits and self.hand.scale > 1:
            return place, QSize(max(2, round(shape_w)), max(2, round(shape_h)))
        return place, QSize(there.height, there.width) if turned else QSize(there.width, there.height)

    def _on_zoom(self) -> None:
        self._show_scale()
        self.update()

    def _show_scale(self) -> None:
        zoomed = not self.hand.zoom.fits
        kept = ", kept" if self._zoom_kept else ""
        self.badges.mark("zoom", f"Zoom {scale_text(self.hand.scale)}{kept}" if zoomed else "")

    def _paint_message(self, painter: QPainter) -> None:
        message, hint = self._message
        if not message:
            return
        # The picture area is black in both themes, so its text is the dark theme's.
        middle = QRectF(self.rect()).adjusted(theme.MARGIN, 0, -theme.MARGIN, 0)
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
        painter.setFont(theme.font("strong"))
        painter.setPen(theme.DARK.text)
        upper = QRectF(middle.left(), middle.top(), middle.width(), middle.height() / 2 - 2)
        painter.drawText(upper, flags | Qt.AlignmentFlag.AlignBottom, message)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.DARK.muted)
        lower = QRectF(middle.left(), middle.center().y() + 2, middle.width(), middle.height() / 2 - 2)
        painter.drawText(lower, flags | Qt.AlignmentFlag.AlignTop, hint)
