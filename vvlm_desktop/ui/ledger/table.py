"""The ledger's table: lines of text with a shape for what became of each."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.ledger.lines import Line
from vvlm_desktop.ui.widgets.marks import paint_mark
from vvlm_desktop.ui.words import plain_tip, shown

_Index = QModelIndex | QPersistentModelIndex
_LINE = Qt.ItemDataRole.UserRole + 1
_ROW_PX = 32
_NUMBERS = {"Size", "Clips", "At most"}


class LinesModel(QAbstractTableModel):
    """Shows lines; sorted by any column."""

    def __init__(self, titles: Sequence[str], parent: QWidget) -> None:
        super().__init__(parent)
        self.titles = tuple(titles)
        self.lines: list[Line] = []
        self._order: tuple[int, bool] = (0, True)

    def put(self, lines: Sequence[Line]) -> None:
        """Show these, in the order in force."""
        self.beginResetModel()
        self.lines = list(lines)
        self._put_in_order()
        self.endResetModel()

    def _put_in_order(self) -> None:
        column, descending = self._order
        self.lines.sort(key=lambda line: line.sort[column], reverse=descending)

    @override
    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self.beginResetModel()
        self._order = column, order == Qt.SortOrder.DescendingOrder
        self._put_in_order()
        self.endResetModel()

    @override
    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  Qt's own signature
        return 0 if parent.isValid() else len(self.lines)

    @override
    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.titles)

    @override
    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return self.titles[section]
        return None

    @override
    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line = self.lines[index.row()]
        text = shown(line.cells[index.column()])
        if role == _LINE:
            return line
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return text
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(text)
        return None


class _Delegate(QStyledItemDelegate):
    """Paints one line of text a cell, numbers to the right, a shape before what became of it."""

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(theme.px(80), theme.px(_ROW_PX))

    @override
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        model = index.model()
        line: Line = index.data(_LINE)
        title = model.headerData(index.column(), Qt.Orientation.Horizontal)
        area = QRectF(option.rect)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, theme.colour("selected"))
        area.adjust(theme.GAP, 0, -theme.GAP, 0)
        ink = "text" if title in {"Clip", "Who"} else "muted"
        if index.column() == len(line.cells) - 1 and line.state:
            side = theme.px(12)
            square = QRectF(area.left(), area.center().y() - side / 2, side, side)
            paint_mark(painter, square, line.mark, theme.colour(line.ink))
            area.setLeft(area.left() + side + 6)
            ink = line.ink if line.ink != "muted" else "text"
        painter.setFont(theme.font())
        painter.setPen(theme.colour(ink))
        side_flag = Qt.AlignmentFlag.AlignRight if title in _NUMBERS else Qt.AlignmentFlag.AlignLeft
        mode = Qt.TextElideMode.ElideMiddle if title == "Clip" else Qt.TextElideMode.ElideRight
        text = painter.fontMetrics().elidedText(str(index.data()), mode, int(area.width()))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | side_flag, text)
        painter.restore()


class LinesTable(QTableView):
    """A line with a clip opens it on double click or Enter."""

    opened = Signal(str)  # clip id

    def __init__(self, name: str, titles: Sequence[str], widths: Sequence[int], *, stretch: int) -> None:
        super().__init__()
        self.lines = LinesModel(titles, self)
        self.setModel(self.lines)
        self.setItemDelegate(_Delegate(self))
        self.setAccessibleName(name)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        down, across = self.verticalHeader(), self.horizontalHeader()
        down.hide()
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        down.setDefaultSectionSize(theme.px(_ROW_PX))
        across.setAccessibleName("Columns")
        across.setHighlightSections(False)
        across.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        across.setFixedHeight(theme.px(32))
        for column, width in enumerate(widths):
            across.resizeSection(column, theme.px(width))
        across.setSectionResizeMode(stretch, QHeaderView.ResizeMode.Stretch)
        across.setSortIndicator(0, Qt.SortOrder.DescendingOrder)
        self.setSortingEnabled(True)
        self.doubleClicked.connect(self._on_opened)

    def _on_opened(self, index: QModelIndex) -> None:
        line: Line = index.data(_LINE)
        if line.clip_id:
            self.opened.emit(line.clip_id)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and index.isValid():
            self._on_opened(index)
        else:
            super().keyPressEvent(event)
