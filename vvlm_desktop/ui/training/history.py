"""All runs of the library, the newest first; two or more that are chosen can be put side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPersistentModelIndex, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QPainter, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QStackedLayout,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.training.history_read import HistoryReader, RunLine
from vvlm_desktop.ui.training.live_words import STATE_MARKS
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.chip import chip_size, paint_chip
from vvlm_desktop.ui.widgets.empty_state import EmptyState, Offer
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.ui.widgets.line_table import as_line_table
from vvlm_desktop.ui.widgets.marks import paint_mark
from vvlm_desktop.ui.words import count, plain_tip, shown, when
from vvlm_desktop.workflow.runs import Run

_COLUMNS = ("Run", "State", "Begun", "Steps", "Reached")
_NAME, _STATE, _BEGUN, _STEPS, _REACHED = range(5)
_ROW_PX = 30
_LIVE_EVERY_MS = 2000
_LINE = Qt.ItemDataRole.UserRole
_Index = QModelIndex | QPersistentModelIndex


class _LineDelegate(QStyledItemDelegate):
    """Draws the state with its shape, and "default" beside the name."""

    @override
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        super().paint(painter, option, index)
        line = index.data(_LINE)
        if not isinstance(line, RunLine):
            return
        rect = QRectF(option.rect).adjusted(8, 0, -8, 0)
        painter.save()
        if index.column() == _STATE:
            words, mark, ink = STATE_MARKS[line.progress.state]
            painter.setFont(theme.font("body"))
            side = painter.fontMetrics().ascent()
            place = QRectF(rect.left(), rect.center().y() - side / 2, side, side)
            paint_mark(painter, place, mark, theme.colour(ink))
            painter.setPen(theme.colour(ink))
            painter.drawText(rect.adjusted(side + 5, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, words)
        elif index.column() == _NAME and line.default:
            painter.setFont(theme.font("small"))
            size = chip_size(painter.fontMetrics(), "Default", mark=True)
            chip = QRectF(rect.right() - size.width(), rect.center().y() - size.height() / 2, *size.toTuple())
            paint_chip(painter, chip, "Default", kind="good", mark="check")
        painter.restore()


class RunTable(QTableWidget):
    """A line for each run."""

    opened = Signal(object)  # Run: a click or Enter
    remove_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(_COLUMNS), parent)
        self.lines: dict[Path, RunLine] = {}
        self.runs: list[Run] = []
        self.setHorizontalHeaderLabels(list(_COLUMNS))
        as_line_table(self, "Runs", row_px=_ROW_PX)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setItemDelegate(_LineDelegate(self))
        across = self.horizontalHeader()
        across.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        across.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        across.setSectionResizeMode(_REACHED, QHeaderView.ResizeMode.Stretch)
        for column, width in ((_STATE, 215), (_BEGUN, 120), (_STEPS, 105)):
            self.setColumnWidth(column, theme.px(width))
        self.cellDoubleClicked.connect(self._on_opened)

    def show_runs(self, runs: Sequence[Run]) -> None:
        """List these, keeping what is known of them."""
        self.runs = list(runs)
        self.lines = {run.folder: self.lines[run.folder] for run in runs if run.folder in self.lines}
        self.setRowCount(len(runs))
        for place, run in enumerate(runs):
            self._fill(place, run, self.lines.get(run.folder))

    def show_line(self, line: RunLine) -> None:
        """Say more about a run that is listed."""
        place = next((n for n, run in enumerate(self.runs) if run.folder == line.run.folder), None)
        if place is not None:
            self.lines[line.run.folder] = line
            self._fill(place, line.run, line)

    def chosen(self) -> list[Run]:
        """The runs that are selected, from top to bottom."""
        rows = sorted({index.row() for index in self.selectionModel().selectedRows()})
        return [self.runs[row] for row in rows if row < len(self.runs)]

    def choose(self, runs: Sequence[Run]) -> None:
        """Select these."""
        wanted = {run.folder for run in runs}
        model, flags = self.selectionModel(), QItemSelectionModel.SelectionFlag
        model.clearSelection()
        for place, run in enumerate(self.runs):
            if run.folder in wanted:
                index = self.model().index(place, 0)
                model.select(index, flags.Select | flags.Rows)
                model.setCurrentIndex(index, flags.NoUpdate)

    def _fill(self, place: int, run: Run, line: RunLine | None) -> None:
        name, begun = shown(run.name), when(run.created_at)
        state = steps = reached = ""
        if line is not None:
            progress = line.progress
            state = STATE_MARKS[progress.state][0]
            steps = f"{progress.step:,} of {progress.steps:,}" if progress.steps else "–"
            reached = line.metric or "–"
        said = f"{name}, default" if line is not None and line.default else name
        texts = (name, "", begun, steps, reached)
        spoken = (said, state, begun, steps, reached)
        for column, (text, words) in enumerate(zip(texts, spoken, strict=True)):
            item = self.item(place, column) or QTableWidgetItem()
            item.setText(text)
            item.setData(_LINE, line)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, words)
            item.setToolTip(plain_tip(line.progress.message if line is not None and column == _STATE else text))
            if self.item(place, column) is None:
                self.setItem(place, column, item)

    def _on_opened(self, row: int, _column: int) -> None:
        self.opened.emit(self.runs[row])

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and not event.modifiers():
            row = self.currentRow()
            if 0 <= row < len(self.runs):
                self.opened.emit(self.runs[row])
        elif event.key() == Qt.Key.Key_Delete:
            self.remove_asked.emit()
        else:
            super().keyPressEvent(event)


class RunHistory(QWidget):
    """The list with what can be done with what is chosen."""

    chosen = Signal(object)  # Run: to be shown
    compare_chosen = Signal(list)  # of Run
    remove_pressed = Signal(object)  # Run
    new_pressed = Signal()

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shell = shell
        self._reader = HistoryReader(self)
        self._reader.line_read.connect(self._on_line)
        self._timer = QTimer(self)
        self._timer.setInterval(_LIVE_EVERY_MS)
        self._timer.timeout.connect(self._read_live)
        self._build()

    def _build(self) -> None:
        offer = Offer("New run…", self.new_pressed.emit, "play")
        self.nothing = EmptyState(
            "loop",
            "No runs yet",
            "A run makes an adapter from a training set: the model learns from what you corrected.",
            (offer,),
        )
        self.table = RunTable()
        self.table.setProperty("surface", "panel")
        self.words = label("", "muted")
        self.open = button("Open", self._on_open)
        self.compare = button("Side by side", self._on_compare, icon="compare")
        self.remove = button("Remove…", self._on_remove, icon="trash")
        self.new = button("New run…", self.new_pressed.emit, kind="primary", icon="play")
        listed = QWidget()
        column = QVBoxLayout(listed)
        column.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
        column.setSpacing(theme.GAP)
        row = QHBoxLayout()
        row.setSpacing(theme.GAP)
        row.addWidget(self.words, 1)
        for item in (self.open, self.compare, self.remove, self.new):
            row.addWidget(item)
        column.addLayout(row)
        column.addWidget(self.table, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.nothing)
        self._stack.addWidget(listed)
        self._listed = listed
        self.table.itemSelectionChanged.connect(self._on_selection)
        self.table.opened.connect(self.chosen)
        self.table.remove_asked.connect(self._on_remove)
        self._on_selection()

    def show_runs(self, runs: Sequence[Run], selected: Run | Sequence[Run] | None = None) -> None:
        """List these, the newest first, with these selected; what is known of them is read in the background."""
        kept = self.table.chosen()
        self.table.show_runs(runs)
        wanted = [selected] if isinstance(selected, Run) else list(selected or kept)
        self.table.choose(wanted)
        self._stack.setCurrentWidget(self._listed if runs else self.nothing)
        self._on_selection()
        self._reader.read(self.shell.session, runs)

    def close_history(self) -> None:
        """Let go of threads."""
        self._timer.stop()
        self._reader.close()

    def _on_line(self, line: RunLine) -> None:
        self.table.show_line(line)
        self._on_selection()

    def _read_live(self) -> None:
        live = [line.run for line in self.table.lines.values() if line.progress.live]
        if live and not self._reader.busy:
            self._reader.read(self.shell.session, live)

    def _on_selection(self) -> None:
        chosen = self.table.chosen()
        self.open.setEnabled(len(chosen) == 1)
        self.compare.setEnabled(len(chosen) > 1)
        self.remove.setEnabled(len(chosen) == 1 and not self._live(chosen[0]))
        hint = "choose two or more to see them side by side"
        words = f"{count(len(chosen), 'run')} chosen" if len(chosen) > 1 else hint
        self.words.setText(f"{count(len(self.table.runs), 'run')} · {words}" if self.table.runs else "")

    def _live(self, run: Run) -> bool:
        line = self.table.lines.get(run.folder)
        return line is not None and line.progress.live

    def _on_open(self) -> None:
        chosen = self.table.chosen()
        if len(chosen) == 1:
            self.chosen.emit(chosen[0])

    def _on_compare(self) -> None:
        chosen = self.table.chosen()
        if len(chosen) > 1:
            self.compare_chosen.emit(chosen)

    def _on_remove(self) -> None:
        chosen = self.table.chosen()
        if len(chosen) == 1 and not self._live(chosen[0]):
            self.remove_pressed.emit(chosen[0])

    # -- Qt

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()
