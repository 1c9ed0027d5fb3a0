"""The clips that both have answered, those that differ first."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QHBoxLayout, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.compare.lists import ITEM_ROLE, AnyIndex, Rows, RowView
from vvlm_desktop.ui.compare.narrowing import Narrowing, narrowed
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import label, rule
from vvlm_desktop.ui.widgets.marks import paint_mark
from vvlm_desktop.ui.words import count, shown
from vvlm_desktop.workflow.agreement import ClipLine, choices_of

_ROW_PX = 46


def difference_words(schema: LabelSchema, line: ClipLine) -> str:
    """What differs about a clip, the event first, or the first choice in a schema without events."""
    if not line.differing:
        return "the same"
    words = count(len(line.differing), "field differs", "fields differ")
    field = next(iter(choices_of(schema)), None)
    if field is None or field.key not in line.differing:
        return words
    one, other = (field.label_of(value) for value in line.event)
    more = len(line.differing) - 1
    return f"{one} / {other.lower()}" + (f", {more} more" if more else "")


class _Clips(Rows[ClipLine]):
    def __init__(self, schema: LabelSchema, parent: QWidget) -> None:
        super().__init__(parent)
        self.schema = schema

    @override
    def spoken(self, item: ClipLine) -> str:
        return f"{shown(item.name)}, {difference_words(self.schema, item)}{', reviewed' if item.reviewed else ''}"


class _Delegate(QStyledItemDelegate):
    def __init__(self, schema: LabelSchema, parent: QWidget) -> None:
        super().__init__(parent)
        self._schema = schema

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        return QSize(theme.px(160), theme.px(_ROW_PX))

    @override
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        line = index.data(ITEM_ROLE)
        if not isinstance(line, ClipLine):
            return
        painter.save()
        rect = QRectF(option.rect)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.colour("raised"))
            painter.fillRect(QRectF(rect.left(), rect.top(), 3, rect.height()), theme.colour("accent"))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, theme.colour("raised", alpha=0.5))
        area = rect.adjusted(theme.PAD, 6, -theme.PAD, -4)
        if line.reviewed:
            side = theme.px(10)
            place = QRectF(area.right() - side, area.top() + theme.px(3), side, side)
            paint_mark(painter, place, "check", theme.colour("good"))
            area.setRight(area.right() - side - 6)
        painter.setFont(theme.font("strong" if line.differing else "body"))
        painter.setPen(theme.colour("text"))
        metrics = painter.fontMetrics()
        name = metrics.elidedText(shown(line.name), Qt.TextElideMode.ElideMiddle, int(area.width()))
        painter.drawText(area, Qt.AlignmentFlag.AlignTop, name)
        painter.setFont(theme.font("small"))
        event = line.event[0] != line.event[1]
        painter.setPen(theme.colour("doubtful" if event else "muted"))
        below = area.adjusted(0, metrics.height() + 1, 0, 0)
        words = painter.fontMetrics().elidedText(
            difference_words(self._schema, line), Qt.TextElideMode.ElideRight, int(area.width())
        )
        painter.drawText(below, Qt.AlignmentFlag.AlignTop, words)
        painter.restore()


class ClipList(QWidget):
    """Says which clip was chosen; a narrowing shows only some of them."""

    chosen = Signal(str)  # clip id
    cleared = Signal()

    def __init__(self, schema: LabelSchema, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._lines: Sequence[ClipLine] = ()
        self._rows = _Clips(schema, self)
        self.title = label("", "strong")
        self.narrowing = label("", "doubtful", wrap=True)
        self.clear = button("Show all", self.cleared.emit, kind="link")
        self.clear.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.view = RowView(self._rows, name="Clips that both have answered", row_px=_ROW_PX)
        self.view.setItemDelegate(_Delegate(schema, self.view))
        self.view.clicked.connect(self._on_clicked)
        self.view.activated.connect(self._on_clicked)
        head = QVBoxLayout()
        head.setContentsMargins(theme.PAD, theme.PAD, theme.PAD, theme.GAP)
        head.setSpacing(2)
        first = QHBoxLayout()
        first.addWidget(self.title, 1)
        first.addWidget(self.clear)
        head.addLayout(first)
        head.addWidget(self.narrowing)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(rule())
        column.addWidget(self.view, 1)

    @property
    def lines(self) -> Sequence[ClipLine]:
        """The clips that are listed."""
        return self._rows.items

    def show_lines(self, lines: Sequence[ClipLine], narrowing: Narrowing | None) -> None:
        """List clips, or those of them that a narrowing leaves."""
        wanted = narrowed(lines, narrowing)
        self._rows.put(wanted)
        differing = sum(bool(line.differing) for line in lines)
        all_words = f"{differing:,} of {count(len(lines), 'clip')} differ"
        self.title.setText(f"{len(wanted):,} of {len(lines):,}" if narrowing is not None else all_words)
        self.narrowing.setText(narrowing.words if narrowing is not None else "")
        for widget in (self.narrowing, self.clear):
            widget.setVisible(narrowing is not None)

    def row_of(self, clip_id: str) -> int | None:
        """Place of a clip in the list."""
        return next((row for row, line in enumerate(self.lines) if line.clip_id == clip_id), None)

    def neighbour(self, clip_id: str, step: int) -> str | None:
        """The clip after another, or with `step` −1 before it; the first where that one is not listed."""
        here = self.row_of(clip_id)
        row = 0 if here is None else here + step
        return self.lines[row].clip_id if 0 <= row < len(self.lines) else None

    def select(self, clip_id: str) -> None:
        """Mark the clip that is open."""
        row = self.row_of(clip_id)
        self.view.select(-1 if row is None else row)

    def _on_clicked(self, index: AnyIndex) -> None:
        line = index.data(ITEM_ROLE)
        if isinstance(line, ClipLine):
            self.chosen.emit(line.clip_id)
