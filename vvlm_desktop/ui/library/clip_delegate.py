"""Paints the cells of the clip table."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem
from typing_extensions import override

from vvlm_desktop.store.library import ClipRow
from vvlm_desktop.ui import changes, icons, theme
from vvlm_desktop.ui.library import row_words
from vvlm_desktop.ui.library.clip_table_model import ClipTableModel
from vvlm_desktop.ui.library.columns import COLUMNS
from vvlm_desktop.ui.widgets.chip import chip_size, paint_chip
from vvlm_desktop.ui.widgets.marks import CONFIDENCE_MARKS, Mark, paint_mark, status_mark
from vvlm_desktop.ui.words import shown

_Index = QModelIndex | QPersistentModelIndex
_MIDDLE = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
ROW_PX = 56


class ClipDelegate(QStyledItemDelegate):
    """One painting function a column; the row's background is the same for all.

    Rows are taken from the model itself: the way through `QModelIndex.data` costs more than the painting.
    """

    def __init__(self, clips: ClipTableModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clips = clips

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(theme.px(COLUMNS[index.column()].width), theme.px(ROW_PX))

    @override
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        row = self._clips.row(index.row())
        area = QRectF(option.rect)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setClipRect(area)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(area, theme.colour("selected" if selected else "raised"))
        painter.setPen(theme.colour("line", alpha=0.6))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        column = COLUMNS[index.column()].id
        if column == "picture" and selected:
            painter.fillRect(QRectF(area.left(), area.top(), 3, area.height() - 1), theme.colour("accent"))
        if row is not None:
            inner = area.adjusted(theme.GAP, 0, -theme.GAP, -1)
            _PAINT[column](painter, inner, self._clips, row)
        painter.restore()


def _text(painter: QPainter, area: QRectF, text: str, ink: str = "text", *, middle: bool = False) -> None:
    painter.setPen(theme.colour(ink))
    mode = Qt.TextElideMode.ElideMiddle if middle else Qt.TextElideMode.ElideRight
    painter.drawText(area, _MIDDLE, painter.fontMetrics().elidedText(text, mode, int(area.width())))


def _marked(painter: QPainter, area: QRectF, mark: Mark, text: str, ink: str) -> None:
    side = painter.fontMetrics().ascent()
    paint_mark(painter, QRectF(area.left(), area.center().y() - side / 2, side, side), mark, theme.colour(ink))
    _text(painter, area.adjusted(side + 6, 0, 0, 0), text, ink)


def _two_lines(painter: QPainter, area: QRectF) -> tuple[QRectF, QRectF]:
    painter.setFont(theme.font("small"))
    low = painter.fontMetrics().height()
    painter.setFont(theme.font())
    high = painter.fontMetrics().height()
    top = area.center().y() - (high + low + 2) / 2
    upper = QRectF(area.left(), top, area.width(), high)
    return upper, QRectF(area.left(), top + high + 2, area.width(), low)


def _picture(painter: QPainter, area: QRectF, clips: ClipTableModel, row: ClipRow) -> None:
    width, height = theme.px(80), theme.px(45)
    frame = QRectF(area.left() + 4, area.center().y() - height / 2, width, height)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    rounded = QPainterPath()
    rounded.addRoundedRect(frame, 3, 3)
    picture = clips.picture(row)
    if picture is None:
        painter.fillPath(rounded, theme.colour("raised"))
        if not row.clip.readable:
            side = theme.px(18)
            middle = frame.center()
            icons.paint(painter, QRectF(middle.x() - side / 2, middle.y() - side / 2, side, side), "warning", "bad")
        return
    painter.setClipPath(rounded, Qt.ClipOperation.IntersectClip)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.fillRect(frame, QColor(theme.tokens().picture))
    scale = min(frame.width() / picture.width(), frame.height() / picture.height())
    target = QRectF(0, 0, picture.width() * scale, picture.height() * scale)
    target.moveCenter(frame.center())
    painter.drawImage(target, picture)


def _name(painter: QPainter, area: QRectF, clips: ClipTableModel, row: ClipRow) -> None:
    below = row_words.picture_words(row.clip)
    upper, lower = _two_lines(painter, area) if below else (area, area)
    painter.setFont(theme.font("strong"))
    _text(painter, upper, clips.text(row, "name"), middle=True)
    painter.setFont(theme.font("small"))
    _text(painter, lower, below, "muted")


def _status(painter: QPainter, area: QRectF, _clips: ClipTableModel, row: ClipRow) -> None:
    word, mark, ink = status_mark(row.clip.status, readable=row.clip.readable)
    _marked(painter, area, mark, word, ink)


def _event(painter: QPainter, area: QRectF, clips: ClipTableModel, row: ClipRow) -> None:
    words = clips.text(row, "event")
    if row_words.EVENT_FIELD not in row.labels:
        _text(painter, area, words, "muted")
        return
    upper, lower = _two_lines(painter, area)
    painter.setFont(theme.font())
    _text(painter, upper, words)
    painter.setFont(theme.font("small"))
    _text(painter, lower, row_words.source_words(row), "muted" if row.source == "review" else "model")


def _change(painter: QPainter, area: QRectF, clips: ClipTableModel, row: ClipRow) -> None:
    change = clips.change_of(row)
    if change is None:
        return
    way = changes.way_words(change)
    upper, lower = _two_lines(painter, area) if way else (area, area)
    event = change.event[0] != change.event[1]
    painter.setFont(theme.font())
    _text(painter, upper, clips.change_words(row), "text" if event else "muted")
    if way:
        painter.setFont(theme.font("small"))
        mark: Mark = "check" if not change.away else "warning"
        _marked(painter, lower, mark, way, "good" if not change.away else "doubtful" if change.towards else "bad")


def _labels(painter: QPainter, area: QRectF, clips: ClipTableModel, row: ClipRow) -> None:
    painter.setFont(theme.font("small"))
    metrics = painter.fontMetrics()
    chips = clips.chips(row)
    left = area.left()
    for number, text in enumerate(chips):
        size = chip_size(metrics, text)
        rest = f"+{len(chips) - number}"
        needs_rest = chip_size(metrics, rest).width() + 4 if number < len(chips) - 1 else 0
        if left + size.width() + needs_rest > area.right() and not (number == 0 and len(chips) == 1):
            _text(painter, QRectF(left + 2, area.top(), area.right() - left, area.height()), rest, "muted")
            return
        width = min(size.width(), area.right() - left)
        paint_chip(painter, QRectF(left, area.center().y() - size.height() / 2, width, size.height()), text)
        left += width + 4


def _confidence(painter: QPainter, area: QRectF, clips: ClipTableModel, row: ClipRow) -> None:
    word = clips.sureness(row)
    if word is not None:
        _marked(painter, area, CONFIDENCE_MARKS[word], word, "muted" if word == "sure" else "doubtful")


def _problem(painter: QPainter, area: QRectF, clips: ClipTableModel, row: ClipRow) -> None:
    sentence = clips.text(row, "problem")
    if not sentence:
        return
    ink = "doubtful" if row.clip.readable else "bad"
    metrics = painter.fontMetrics()
    side = metrics.ascent()
    room = area.adjusted(side + 6, 0, 0, 0)
    lines = _two_lines_of(sentence, metrics, room.width())
    top = room.center().y() - metrics.height() * len(lines) / 2
    paint_mark(painter, QRectF(area.left(), top + 1, side, side), "warning", theme.colour(ink))
    for number, line in enumerate(lines):
        below = QRectF(room.left(), top + number * metrics.height(), room.width(), metrics.height())
        _text(painter, below, line, ink)


def _two_lines_of(text: str, metrics: QFontMetrics, width: float) -> list[str]:
    """`text` broken after a word; the second line is all the rest, and shortened when it is painted."""
    words, first = text.split(" "), ""
    while words and metrics.horizontalAdvance(f"{first} {words[0]}".strip()) <= width:
        first = f"{first} {words.pop(0)}".strip()
    return [line for line in (first, " ".join(words)) if line]


def _recorded(painter: QPainter, area: QRectF, _clips: ClipTableModel, row: ClipRow) -> None:
    first, camera = row_words.recorded_words(row.clip)
    upper, lower = _two_lines(painter, area) if camera else (area, area)
    painter.setFont(theme.font())
    _text(painter, upper, shown(first), "muted")
    painter.setFont(theme.font("small"))
    _text(painter, lower, camera, "muted")


def _added(painter: QPainter, area: QRectF, clips: ClipTableModel, row: ClipRow) -> None:
    _text(painter, area, clips.text(row, "added"), "muted")


def _duration(painter: QPainter, area: QRectF, clips: ClipTableModel, row: ClipRow) -> None:
    painter.setPen(QPen(theme.colour("muted")))
    painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, clips.text(row, "duration"))


_PAINT: dict[str, Callable[[QPainter, QRectF, ClipTableModel, ClipRow], None]] = {
    "picture": _picture,
    "name": _name,
    "status": _status,
    "event": _event,
    "change": _change,
    "labels": _labels,
    "confidence": _confidence,
    "duration": _duration,
    "recording": _recorded,
    "added": _added,
    "problem": _problem,
}
