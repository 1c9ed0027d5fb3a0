"""One other camera's picture with its own name, frame and PTS under it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFontMetrics,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.camera_lost import LostSource
from vvlm_desktop.ui.review.camera_source import CameraPicture, CameraSource
from vvlm_desktop.ui.review.picture_image import FrameImage
from vvlm_desktop.ui.review.times import clock_text

_SHADE = 0.62
#: Thirty names a second would drown everything else that a screen reader says.
_REST_MS = 300


class CameraTile(QWidget):
    """Shows what its source gives; black with a word where that is nothing."""

    pressed = Signal()
    menu_wanted = Signal(QPoint)  # on the screen

    def __init__(self, source: CameraSource | LostSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source = source
        self.title = source.clip.camera.name.capitalize()
        self._picture: CameraPicture | None = None
        self._image: QImage | None = None
        self._maker = FrameImage()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(f"{self.title} camera: click makes it large, right click for more")
        self.setAccessibleName(f"{self.title} camera")
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._name)
        source.picture_came.connect(self.show_picture)
        source.lag_changed.connect(self.update)

    @property
    def picture(self) -> CameraPicture | None:
        """What is shown."""
        return self._picture

    def show_picture(self, picture: CameraPicture) -> None:
        """Show a frame, or the word for its absence."""
        self._picture, self._image = picture, None
        self._rest.start()
        self.update()

    def _name(self) -> None:
        self.setAccessibleName(f"{self.title} camera. {self.caption()}")

    def caption(self) -> str:
        """Which picture it is, by its own clip's numbers."""
        picture = self._picture
        if picture is None:
            return self.title
        if picture.frame is None or isinstance(self.source, LostSource):
            return f"{self.title}: {picture.word}"
        index, i = self.source.index, picture.frame_index
        title = f"{self.title}, catching up" if self.source.lags else self.title
        return f"{title} · frame {i} · PTS {index.pts[i]} · {clock_text(index.seconds(i))}"

    def _fitting(self, metrics: QFontMetrics, width: int) -> str:
        """The caption, or its first parts where there is little room."""
        parts = self.caption().split(" · ")
        texts = (" · ".join(parts[:count]) for count in range(len(parts), 1, -1))
        whole = next((text for text in texts if metrics.horizontalAdvance(text) <= width), parts[0])
        return metrics.elidedText(whole, Qt.TextElideMode.ElideRight, width)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        self._image = None
        super().resizeEvent(event)

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.pressed.emit()

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_wanted.emit(event.globalPos())

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("picture"))
        picture = self._picture
        if picture is not None and picture.frame is not None:
            self._paint_frame(painter, picture)
            self._paint_caption(painter)
        else:
            self._paint_word(painter)
        painter.setPen(QPen(QColor(theme.DARK.line), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _paint_frame(self, painter: QPainter, picture: CameraPicture) -> None:
        frame = picture.frame
        assert frame is not None
        assert isinstance(self.source, CameraSource)
        rotation = self.source.index.rotation % 360
        turned = rotation in {90, 270}
        shape = QSize(frame.height, frame.width) if turned else QSize(frame.width, frame.height)
        scale = self.devicePixelRatioF()
        size = shape.scaled(self.size() * scale, Qt.AspectRatioMode.KeepAspectRatio).expandedTo(QSize(2, 2))
        if self._image is None:
            self._image = self._maker.make(frame, size.transposed() if turned else size)
        painter.save()
        painter.translate(QRectF(self.rect()).center())
        painter.rotate(rotation)
        width, height = self._image.width() / scale, self._image.height() / scale
        painter.drawImage(QRectF(-width / 2, -height / 2, width, height), self._image)
        painter.restore()

    def _paint_caption(self, painter: QPainter) -> None:
        painter.setFont(theme.font("small"))
        metrics = painter.fontMetrics()
        strip = QRectF(0, self.height() - metrics.height() - 6, self.width(), metrics.height() + 6)
        shade = QColor(theme.DARK.background)
        shade.setAlphaF(_SHADE)
        painter.fillRect(strip, shade)
        painter.setPen(theme.DARK.text)
        text = self._fitting(metrics, int(strip.width()) - 12)
        painter.drawText(strip.adjusted(6, 0, -6, 0), Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_word(self, painter: QPainter) -> None:
        painter.setFont(theme.font("small"))
        painter.setPen(theme.DARK.text)
        place = QRectF(QPointF(6, 0), self.size().toSizeF() - QSize(12, 0).toSizeF())
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.caption())
