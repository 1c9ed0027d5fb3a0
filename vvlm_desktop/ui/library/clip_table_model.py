"""The clip table's model: an array of row ids, and pages of rows read when they are painted."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Protocol

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QImage
from typing_extensions import override

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.store.library import ClipFilter, ClipRow
from vvlm_desktop.store.search import SORTS
from vvlm_desktop.ui import changes
from vvlm_desktop.ui.library import row_words
from vvlm_desktop.ui.library.columns import COLUMNS
from vvlm_desktop.ui.widgets.marks import status_mark
from vvlm_desktop.ui.words import clock, file_name, plain_tip, shown, when
from vvlm_desktop.workflow.calibration import Word

PAGE_ROWS = 200
PAGES_KEPT = 20
_Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()
#: The order in which a scope gives its clips; the store knows nothing of it.
BY_CHANGE = "change"


class ClipLists(Protocol):
    """What the model asks of the library."""

    def clip_rowids(self, filter: ClipFilter | None = None, *, sort: str = ..., descending: bool = ...) -> array[int]:  # noqa: A002
        """Ids in order."""

    def clip_rows(self, rowids: list[int]) -> list[ClipRow]:
        """Rows of a page."""


class ThumbnailSource(Protocol):
    """Gives a clip's picture at once, or None and begins to make it."""

    def picture(self, row: ClipRow) -> QImage | None:
        """The picture, if it is at hand."""


class ClipTableModel(QAbstractTableModel):
    """Clips that a filter leaves, in one order; 100,000 of them cost an array of numbers."""

    def __init__(
        self,
        lists: ClipLists,
        schema: LabelSchema,
        *,
        thumbnails: ThumbnailSource,
        sureness: Callable[[ClipRow], Word | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._lists = lists
        self._schema = schema
        self._thumbnails = thumbnails
        self.sureness = sureness  # of the answer in a line
        self._rowids: array[int] = array("q")
        self._pages: OrderedDict[int, list[ClipRow | None]] = OrderedDict()
        self._filter = ClipFilter()
        self._within: tuple[int, ...] | None = None
        self.change_of: Callable[[ClipRow], changes.ClipChange | None] = lambda _row: None
        self.change_tip: Callable[[ClipRow], str] = lambda _row: ""
        self._sort, self._descending = "added", True
        self._sort_before: tuple[str, bool] = (self._sort, self._descending)

    @property
    def clip_filter(self) -> ClipFilter:
        """The filter in force."""
        return self._filter

    def load(self, clip_filter: ClipFilter | None = None) -> bool:
        """Read the ids again, with another filter if one is given.

        Returns:
            Whether the model was reset. It is not where the lines are the same, or some came before or after them:
            then what is selected stays selected.
        """
        self._filter = clip_filter if clip_filter is not None else self._filter
        rowids = self._read_rowids()
        before, more = len(self._rowids), len(rowids) - len(self._rowids)
        if rowids == self._rowids:
            self.refresh_rows()
            return False
        grown = more > 0 and before > 0
        if grown and rowids[more:] == self._rowids:
            self._insert(rowids, first=0, last=more - 1)
            return False
        if grown and rowids[:before] == self._rowids:
            self._insert(rowids, first=before, last=len(rowids) - 1)
            return False
        self.beginResetModel()
        self._rowids = rowids
        self._pages.clear()
        self.endResetModel()
        return True

    def list_only(self, rowids: Sequence[int] | None, *, in_order: bool) -> None:
        """From the next `load` on list only these clips, at first in this order if they come in one; None for all."""
        entered = rowids is not None and self._within is None
        self._within = None if rowids is None else tuple(rowids)
        if entered and in_order:
            self._sort_before = (self._sort, self._descending)
            self._sort, self._descending = BY_CHANGE, False
        elif rowids is None and self._sort == BY_CHANGE:
            self._sort, self._descending = self._sort_before

    def _read_rowids(self) -> array[int]:
        """By one query, however many clips are left out of what it gives."""
        by_change = self._sort == BY_CHANGE
        found = self._lists.clip_rowids(
            self._filter, sort="added" if by_change else self._sort, descending=self._descending
        )
        if self._within is None:
            return found
        if by_change:
            fitting = frozenset(found)
            wanted = reversed(self._within) if self._descending else self._within
            return array("q", (rowid for rowid in wanted if rowid in fitting))
        within = frozenset(self._within)
        return array("q", (rowid for rowid in found if rowid in within))

    def _insert(self, rowids: array[int], *, first: int, last: int) -> None:
        self.beginInsertRows(QModelIndex(), first, last)
        self._rowids = rowids
        self._pages.clear()
        self.endInsertRows()
        self._say_changed(0, len(rowids) - 1)

    def refresh_rows(self) -> None:
        """Rows have changed, their order has not: read again what is painted next."""
        self._pages.clear()
        if self._rowids:
            self._say_changed(0, len(self._rowids) - 1)

    def refresh_clips(self, clip_ids: Collection[str]) -> None:
        """Rows of some clips have changed, their order has not: read those again that are at hand."""
        lines: dict[int, int] = {}
        for number, page in self._pages.items():
            for offset, row in enumerate(page):
                if row is not None and row.clip.id in clip_ids:
                    lines[number * PAGE_ROWS + offset] = row.rowid
        if not lines:
            return
        found = {row.rowid: row for row in self._lists.clip_rows(list(lines.values()))}
        for line, rowid in lines.items():
            number, offset = divmod(line, PAGE_ROWS)
            self._pages[number][offset] = found.get(rowid)
            self._say_changed(line, line)

    def _say_changed(self, first: int, last: int) -> None:
        self.dataChanged.emit(self.index(first, 0), self.index(last, len(COLUMNS) - 1))

    def rowid(self, line: int) -> int:
        """Row id of a line."""
        return self._rowids[line]

    def lines_of(self, rowids: Collection[int]) -> list[int]:
        """Lines of those row ids that the filter leaves, from the top."""
        wanted = set(rowids)
        return [line for line, rowid in enumerate(self._rowids) if rowid in wanted] if wanted else []

    def line_of(self, rowid: int) -> int | None:
        """Line of a row id, None when the filter leaves it out."""
        try:
            return self._rowids.index(rowid)
        except ValueError:
            return None

    def row(self, line: int) -> ClipRow | None:
        """The row of a line; None for a clip that is no longer there."""
        number, offset = divmod(line, PAGE_ROWS)
        page = self._pages.get(number)
        if page is None:
            page = self._read_page(number)
        else:
            self._pages.move_to_end(number)
        return page[offset]

    def rows(self, lines: Iterable[int]) -> list[ClipRow]:
        """Rows of many lines, without keeping them."""
        rowids = [self._rowids[line] for line in lines]
        return [
            row for start in range(0, len(rowids), 1000) for row in self._lists.clip_rows(rowids[start : start + 1000])
        ]

    def _read_page(self, number: int) -> list[ClipRow | None]:
        rowids = list(self._rowids[number * PAGE_ROWS : (number + 1) * PAGE_ROWS])
        found = {row.rowid: row for row in self._lists.clip_rows(rowids)}
        page = [found.get(rowid) for rowid in rowids]
        self._pages[number] = page
        while len(self._pages) > PAGES_KEPT:
            self._pages.popitem(last=False)
        return page

    @override
    def rowCount(self, parent: _Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rowids)

    @override
    def columnCount(self, parent: _Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    @override
    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignVCenter | _ALIGNED.get(COLUMNS[section].id, Qt.AlignmentFlag.AlignLeft))
        if role == Qt.ItemDataRole.ToolTipRole and self.can_sort(section):
            return f"Sort by {COLUMNS[section].title.lower()}"
        return None

    @override
    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or role not in _ROLES:
            return None
        row = self.row(index.row())
        if row is None:
            return None
        column = COLUMNS[index.column()].id
        if role == Qt.ItemDataRole.DecorationRole:
            return self.picture(row) if column == "picture" else None
        if role == Qt.ItemDataRole.ToolTipRole:
            tip = self._tooltip(row, column)
            return plain_tip(tip) if tip else None
        return self.text(row, column)

    def text(self, row: ClipRow, column: str) -> str:
        """What a cell says, for people and for screen readers."""
        clip = row.clip
        match column:
            case "name":
                return file_name(clip.path)
            case "status":
                return status_mark(clip.status, readable=clip.readable)[0]
            case "event":
                return row_words.event_words(row, self._schema)
            case "change":
                change = self.change_of(row)
                said = (changes.event_words(self._schema, change), changes.way_words(change)) if change else ()
                return ", ".join(part for part in said if part)
            case "labels":
                return ", ".join(self.chips(row))
            case "confidence":
                return self.sureness(row) or ""
            case "duration":
                return clock(row_words.length_s(clip)) if clip.readable else ""
            case "recording":
                return shown(", ".join(part for part in row_words.recorded_words(clip) if part))
            case "added":
                return when(clip.added_at)
            case "problem":
                return shown(clip.problem or "")
        return ""

    def change_words(self, row: ClipRow) -> str:
        """What would change, in a line."""
        change = self.change_of(row)
        return changes.event_words(self._schema, change) if change is not None else ""

    def chips(self, row: ClipRow) -> list[str]:
        """Labels worth a glance."""
        return row_words.notable_labels(row, self._schema)

    def picture(self, row: ClipRow) -> QImage | None:
        """The clip's picture, None until it has been made."""
        return self._thumbnails.picture(row)

    def _tooltip(self, row: ClipRow, column: str) -> str | None:
        if column == "problem":
            return shown(row.clip.problem) if row.clip.problem else None
        if column in {"name", "picture"}:
            return shown(row.clip.path)
        if column == "duration" and row_words.length_s(row.clip) != row.clip.duration_s:
            return f"{self.text(row, column)}; by its clock, which jumps, {clock(row.clip.duration_s)}"
        if column == "change":  # read when it is asked for
            return self.change_tip(row).replace(" · ", "\n") or self.text(row, column) or None
        if column == "event":
            source = row_words.source_words(row)
            return f"{self.text(row, column)} ({source})" if source else None
        return self.text(row, column) or None

    def can_sort(self, column: int) -> bool:
        """Whether the store knows an order by this column."""
        sort = COLUMNS[column].sort
        return sort in SORTS or (sort == BY_CHANGE and self._within is not None)

    @property
    def by_review(self) -> bool:
        """Whether a review can change the order."""
        return self._sort not in _FIXED

    @property
    def sorted_by(self) -> tuple[int, bool]:
        """The column sorted by, and whether downwards."""
        return next(n for n, column in enumerate(COLUMNS) if column.sort == self._sort), self._descending

    @override
    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        name = COLUMNS[column].sort
        if name is not None and self.can_sort(column):
            self._sort, self._descending = name, order == Qt.SortOrder.DescendingOrder
            self.load()


_ROLES = frozenset(
    {
        Qt.ItemDataRole.DisplayRole,
        Qt.ItemDataRole.AccessibleTextRole,
        Qt.ItemDataRole.ToolTipRole,
        Qt.ItemDataRole.DecorationRole,
    }
)
#: Orders that no review and no analysis changes.
_FIXED = frozenset({"added", "name", "duration"})
_ALIGNED = {"duration": Qt.AlignmentFlag.AlignRight}
