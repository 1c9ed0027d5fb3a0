"""The clip table: a plain table view with our delegate, columns that give way, and keys of its own."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.library.clip_delegate import ROW_PX, ClipDelegate
from vvlm_desktop.ui.library.clip_table_model import ClipTableModel
from vvlm_desktop.ui.library.columns import COLUMNS, INDEX, layout


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
            section, descending = self._clips.sorted_by
            order = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
            across.setSortIndicator(section, order)

    def lines(self) -> list[int]:
        """Selected lines in order."""
        model = self.selectionModel()
        return sorted(index.row() for index in model.selectedRows()) if model.hasSelection() else []

    def show_line(self, line: int) -> None:
        """Select one line and scroll to it."""
        index = self._clips.index(line, INDEX["name"])
        self.setCurrentIndex(index)
        self.scrollTo(index)

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
