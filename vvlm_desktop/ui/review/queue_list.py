"""The queue at the left: what is next, and why; loads its rows page by page."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPainterPath
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QProgressBar,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vvlm_desktop.store.records import ClipRow
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets.buttons import IconButton
from vvlm_desktop.ui.widgets.labels import label, rule
from vvlm_desktop.ui.widgets.marks import Mark, paint_mark
from vvlm_desktop.ui.words import plain_tip

_PAGE = 50
_ROW_PX = 62
_PAGES_KEPT = 20
ITEM_ROLE = Qt.ItemDataRole.UserRole + 1
_AnyIndex = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One clip of the queue as it is shown."""

    clip_id: str
    name: str
    reason: str
    mark: Mark | None = None
    ink: str = "muted"
    row: ClipRow | None = None


class QueueModel(QAbstractListModel):
    """`count` rows; `load` gives those from a place on, a page at a time."""

    def __init__(self, load: Callable[[int, int], Sequence[QueueItem]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._load = load
        self._count = 0
        self._pages: OrderedDict[int, Sequence[QueueItem]] = OrderedDict()

    def reset(self, count: int) -> None:
        """The queue is another one, or all of its rows changed."""
        self.beginResetModel()
        self._count = count
        self._pages.clear()
        self.endResetModel()

    def refresh(self) -> None:
        """The same clips in the same order, but what is said about them changed."""
        self._pages.clear()
        if self._count:
            self.dataChanged.emit(self.index(0), self.index(self._count - 1))

    def refresh_row(self, row: int) -> None:
        """What is said about the clip in that row changed."""
        self._pages.pop(row // _PAGE, None)
        self.dataChanged.emit(self.index(row), self.index(row))

    def item(self, row: int) -> QueueItem | None:
        """The clip in that row."""
        number = row // _PAGE
        page = self._pages.get(number)
        if page is None:
            page = self._load(number * _PAGE, _PAGE)
            self._pages[number] = page
            while len(self._pages) > _PAGES_KEPT:
                self._pages.popitem(last=False)
        place = row - number * _PAGE
        return page[place] if place < len(page) else None

    @override
    def rowCount(self, parent: _AnyIndex = QModelIndex()) -> int:  # noqa: B008  Qt's own signature
        return 0 if parent.isValid() else self._count

    @override
    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        item = self.item(index.row())
        if item is None:
            return None
        if role == ITEM_ROLE:
            return item
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return f"{item.name}, {item.reason}"
        return plain_tip(item.name) if role == Qt.ItemDataRole.ToolTipRole else None


class QueueDelegate(QStyledItemDelegate):
    """Draws a row: picture, name, why it is there."""

    def __init__(self, picture_of: Callable[[ClipRow], QImage | None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture_of = picture_of

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: _AnyIndex) -> QSize:
        return QSize(theme.px(200), theme.px(_ROW_PX))

    @override
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _AnyIndex) -> None:
        item = index.data(ITEM_ROLE)
        if not isinstance(item, QueueItem):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect)
        state = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.colour("raised"))
            painter.fillRect(QRectF(rect.left(), rect.top(), 3, rect.height()), theme.colour("accent"))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, theme.colour("raised", alpha=0.5))
        picture = QRectF(rect.left() + theme.MARGIN, rect.top() + 8, theme.px(76), rect.height() - 16)
        self._paint_picture(painter, picture, item.row)
        left = picture.right() + 10
        text = QRectF(left, rect.top() + 9, rect.right() - left - 10, rect.height() - 16)
        painter.setFont(theme.font("strong"))
        painter.setPen(theme.colour("text"))
        metrics = painter.fontMetrics()
        name = metrics.elidedText(item.name, Qt.TextElideMode.ElideMiddle, int(text.width()))
        painter.drawText(text, Qt.AlignmentFlag.AlignTop, name)
        self._paint_reason(painter, text.adjusted(0, metrics.height() + 2, 0, 4), item)
        painter.restore()

    def _paint_reason(self, painter: QPainter, area: QRectF, item: QueueItem) -> None:
        painter.setFont(theme.font("small"))
        ink = theme.colour(item.ink)
        metrics = painter.fontMetrics()
        indent = 0.0
        if item.mark is not None:
            side = theme.px(9)
            paint_mark(
                painter, QRectF(area.left(), area.top() + (metrics.height() - side) / 2, side, side), item.mark, ink
            )
            indent = side + 5
        painter.setPen(ink)
        area = area.adjusted(indent, 0, 0, 0)
        words = metrics.elidedText(item.reason, Qt.TextElideMode.ElideRight, int(area.width() * 1.9))
        painter.drawText(area, Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap, words)

    def _paint_picture(self, painter: QPainter, rect: QRectF, row: ClipRow | None) -> None:
        path = QPainterPath()
        path.addRoundedRect(rect, 3, 3)
        painter.fillPath(path, theme.colour("raised"))
        picture = self._picture_of(row) if row is not None else None
        if picture is None or picture.isNull():
            return
        painter.save()
        painter.setClipPath(path)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        zoom = max(rect.width() / picture.width(), rect.height() / picture.height())
        width, height = rect.width() / zoom, rect.height() / zoom
        source = QRectF((picture.width() - width) / 2, (picture.height() - height) / 2, width, height)
        painter.drawImage(rect, picture, source)
        painter.restore()


class QueueList(QWidget):
    """The queue with its progress; says which clip was chosen."""

    chosen = Signal(str)  # clip id
    sort_pressed = Signal()

    def __init__(
        self,
        model: QueueModel,
        *,
        picture_of: Callable[[ClipRow], QImage | None] = lambda _row: None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._model = model
        self.title = label("Needs review", "strong")
        self.count = label("", "small")
        # The order stays while one works; what answers have changed since is put in order only when asked.
        self.sort = IconButton("swap", "Sort again: what is worth most attention first", self.sort_pressed.emit)
        self.sort.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.sort.hide()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(4)
        self.bar.setAccessibleName("Progress of the queue")
        self.view = _one_column(model)
        self.view.setItemDelegate(QueueDelegate(picture_of, self.view))
        self.view.setMouseTracking(True)
        self.view.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setAccessibleName("Queue")
        self.view.clicked.connect(self._on_chosen)
        self.view.activated.connect(self._on_chosen)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.sort)
        head.addWidget(self.count)
        top = QVBoxLayout()
        top.setContentsMargins(theme.PAD, theme.PAD, theme.PAD, theme.GAP)
        top.setSpacing(theme.GAP)
        top.addLayout(head)
        top.addWidget(self.bar)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.view, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addLayout(column, 1)
        row.addWidget(rule(vertical=True))

    def show_progress(self, done: int, total: int) -> None:
        """Show how many of the queue's clips are settled."""
        self.count.setText(f"{done:,} of {total:,}" if total else "")
        self.bar.setRange(0, max(1, total))
        self.bar.setValue(done)

    def select(self, row: int | None, *, scroll: bool = True) -> None:
        """Mark the clip that is open."""
        if row is None:
            self.view.clearSelection()
            return
        index = self._model.index(row)
        if not scroll:  # setting the current row scrolls to it, too
            bar = self.view.verticalScrollBar()
            place = bar.value()
            self.view.setCurrentIndex(index)
            bar.setValue(place)
            return
        self.view.setCurrentIndex(index)
        self.view.scrollTo(index)

    def repaint_pictures(self) -> None:
        """A picture is at hand now."""
        self.view.viewport().update()

    def _on_chosen(self, index: QModelIndex) -> None:
        item = index.data(ITEM_ROLE)
        if isinstance(item, QueueItem):
            self.chosen.emit(item.clip_id)


def _one_column(model: QueueModel) -> QTableView:
    """A list, made of a table: a list view asks for each of 100,000 rows whenever it is laid out."""
    view = QTableView()
    view.setModel(model)
    view.setShowGrid(False)
    view.setTabKeyNavigation(False)
    view.setCornerButtonEnabled(False)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    view.horizontalHeader().hide()
    view.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    down = view.verticalHeader()
    down.hide()
    down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    down.setDefaultSectionSize(theme.px(_ROW_PX))
    return view
