"""The clip table: a plain table view with our delegate, columns that give way, and keys of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.library.clip_delegate import ROW_PX, ClipDelegate
from vvlm_desktop.ui.library.clip_table_model import ClipTableModel
from vvlm_desktop.ui.library.columns import COLUMNS, INDEX, layout


def _runs(lines: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of lines that follow each other."""
    first = last = -2
    for line in lines:
        if line != last + 1:
            if first >= 0:
                yield first, last
            first = line
        last = line
    if first >= 0:
        yield first, last


class ClipTable(QTableView):
    """Emits `opened` with the line on double click or Enter."""

    opened = Signal(int)
    line_changed = Signal()

    def __init__(self, model: ClipTableModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self._clips = model
        self._left_out: frozenset[str] = frozenset()
        self.setItemDelegate(ClipDelegate(model, self))
        self.setAccessibleName("Clips")
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setDragDropMode(QAbstractItemView.DragDropMode.NoDragDrop)
        down = self.verticalHeader()
        down.hide()
        # Without a fixed mode the view would ask for the height of each of 100,000 lines.
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        down.setDefaultSectionSize(theme.px(ROW_PX))
        self._set_columns()
        self.doubleClicked.connect(self._on_double_clicked)

    def _set_columns(self) -> None:
        across = self.horizontalHeader()
        across.setAccessibleName("Columns")
        across.setHighlightSections(False)
        # With the table's own selection each section asks each of 100,000 lines whether it is selected: a second, once
        # everything is.
        across.setSelectionModel(QItemSelectionModel(self._clips, across))
        across.setSectionsClickable(True)
        across.setMinimumSectionSize(theme.px(48))
        across.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        across.setFixedHeight(theme.px(32))
        across.setSortIndicator(INDEX["added"], Qt.SortOrder.DescendingOrder)
        across.setSortIndicatorShown(True)
        across.sectionClicked.connect(self._on_header_clicked)

    def _on_header_clicked(self, section: int) -> None:
        """Sort by what was clicked; a column that has no order gives the arrow back."""
        across = self.horizontalHeader()
        if self._clips.can_sort(section):
            self._clips.sort(section, across.sortIndicatorOrder())
        else:
            self.show_order()

    def show_order(self) -> None:
        """Let the arrow stand where the clips are sorted."""
        section, descending = self._clips.sorted_by
        order = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        self.horizontalHeader().setSortIndicator(section, order)

    def lines(self) -> list[int]:
        """Selected lines in order."""
        # By ranges: all 100,000 selected are one range, and an index each would take a second.
        selection = self.selectionModel().selection()
        ranges = [(selection.at(n).top(), selection.at(n).bottom()) for n in range(selection.count())]
        return sorted({line for top, bottom in ranges for line in range(top, bottom + 1)})

    def select_lines(self, lines: Sequence[int], *, current: int | None) -> None:
        """Select exactly `lines` (ascending), without scrolling."""
        model = self.selectionModel()
        selection = QItemSelection()
        for first, last in _runs(lines):
            selection.select(self._clips.index(first, 0), self._clips.index(last, len(COLUMNS) - 1))
        model.select(selection, model.SelectionFlag.ClearAndSelect)
        if current is not None:
            model.setCurrentIndex(self._clips.index(current, INDEX["name"]), model.SelectionFlag.NoUpdate)

    def show_line(self, line: int) -> None:
        """Select one line and scroll to it."""
        index = self._clips.index(line, INDEX["name"])
        # Said outright: a key that is held down would turn "select this one" into "add it" or "take it out".
        alone = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.selectionModel().setCurrentIndex(index, alone)
        self.scrollTo(index)

    def place(self) -> tuple[int, int]:
        """What is at the top of the view: its row id and how far above the view it begins; at the very top (-1, 0)."""
        line = self.rowAt(0)
        if line < 0 or self.verticalScrollBar().value() == 0:
            return -1, 0
        return self._clips.rowid(line), self.rowViewportPosition(line)

    def go_back_to(self, place: tuple[int, int]) -> None:
        """Scroll so that the same lines are in sight as at `place()`, wherever they are now."""
        rowid, offset = place
        line = self._clips.line_of(rowid) if rowid >= 0 else None
        if line is not None:
            self.verticalScrollBar().setValue(line * self.verticalHeader().defaultSectionSize() - offset)

    def _on_double_clicked(self, index: QModelIndex) -> None:
        self.opened.emit(index.row())

    @override
    def currentChanged(
        self, current: QModelIndex | QPersistentModelIndex, previous: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().currentChanged(current, previous)
        self.line_changed.emit()

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and self.currentIndex().isValid():
            self.opened.emit(self.currentIndex().row())
            return
        super().keyPressEvent(event)

    def leave_out(self, columns: frozenset[str]) -> None:
        """Do not show `columns`; the others share their room."""
        if columns != self._left_out:
            self._left_out = columns
            self._share_room()

    def _share_room(self) -> None:
        widths = layout(self.viewport().width() * 13 / theme.px(13), without=self._left_out)
        for number, column in enumerate(COLUMNS):
            self.setColumnHidden(number, column.id not in widths)
            self.setColumnWidth(number, int(widths.get(column.id, column.width) * theme.px(13) / 13))

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        self._share_room()
        super().resizeEvent(event)
