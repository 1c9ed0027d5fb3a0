"""The command palette: one line that finds every action, clip and setting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    QTimer,
)
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vvlm_desktop.ui import icons, theme
from vvlm_desktop.ui.actions import ActionRegistry
from vvlm_desktop.ui.widgets.labels import paint_key_cap, rule

_ITEM = Qt.ItemDataRole.UserRole
_MOST = 40


@dataclass(frozen=True, slots=True)
class PaletteItem:
    """Something the palette found."""

    title: str
    run: Callable[[], object]
    detail: str = ""
    icon: str = "palette"
    key: str = ""


#: Finds items for what was typed (lower case, trimmed); the best first.
Finder = Callable[[str], Sequence[PaletteItem]]


def match(query: str, title: str, detail: str = "") -> int | None:
    """How badly `title` fits `query`, 0 is best; None when a word of the query is in neither text."""
    words = query.lower().split()
    head, text = title.lower(), f"{title} {detail}".lower()
    if not all(word in text for word in words):
        return None
    if not words or head.startswith(words[0]):
        return 0
    return 1 if all(any(part.startswith(word) for part in head.split()) for word in words) else 2


def find_actions(registry: ActionRegistry) -> Finder:
    """A finder for the actions of the page that is shown."""

    def find(query: str) -> list[PaletteItem]:
        ranked = [
            (rank, action)
            for action in registry.here()
            if action.in_palette
            and action.available()
            and (rank := match(query, action.label, action.group)) is not None
        ]
        return [
            PaletteItem(a.label, a.trigger, detail=a.group, icon=a.icon or "palette", key=registry.key_label(a.id))
            for _, a in sorted(ranked, key=lambda pair: pair[0])
        ]

    return find


class _Items(QAbstractListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.items: list[PaletteItem] = []

    def put(self, items: list[PaletteItem]) -> None:
        self.beginResetModel()
        self.items = items
        self.endResetModel()

    @override
    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.items)

    @override
    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        item = self.items[index.row()]
        if role == _ITEM:
            return item
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return f"{item.title} {item.detail}".strip()
        return None


class _ItemDelegate(QStyledItemDelegate):
    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(100, theme.px(34))

    @override
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        item: PaletteItem = index.data(_ITEM)
        area = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("selected"))
            painter.drawRoundedRect(area.adjusted(4, 1, -4, -1), theme.RADIUS, theme.RADIUS)
        side = theme.px(16)
        icons.paint(painter, QRectF(area.left() + 14, area.center().y() - side / 2, side, side), item.icon)
        left, right = area.left() + 14 + side + 10, area.right() - 14
        painter.setFont(theme.font("small"))
        if item.key:
            width = max(theme.px(20), painter.fontMetrics().horizontalAdvance(item.key) + 12)
            height = painter.fontMetrics().height() + 6
            paint_key_cap(painter, QRectF(right - width, area.center().y() - height / 2, width, height), item.key)
            right -= width + 10
        middle = Qt.AlignmentFlag.AlignVCenter
        detail_width = min(painter.fontMetrics().horizontalAdvance(item.detail) + 2, (right - left) * 0.45)
        painter.setPen(theme.colour("muted"))
        detail = painter.fontMetrics().elidedText(item.detail, Qt.TextElideMode.ElideMiddle, int(detail_width) + 1)
        detail_area = QRectF(right - detail_width, area.top(), detail_width, area.height())
        painter.drawText(detail_area, middle | Qt.AlignmentFlag.AlignRight, detail)
        painter.setFont(theme.font())
        painter.setPen(theme.colour("text"))
        room = right - detail_width - left - 10
        title = painter.fontMetrics().elidedText(item.title, Qt.TextElideMode.ElideRight, int(room))
        painter.drawText(QRectF(left, area.top(), room, area.height()), middle, title)
        painter.restore()


class Palette(QFrame):
    """Lies over the window while it is open; Esc or a click beside it closes it and gives the focus back."""

    def __init__(self, finders: Sequence[Finder], *, parent: QWidget) -> None:
        super().__init__(parent)
        self._finders = finders
        self._before: QWidget | None = None
        self._open = False
        self.setProperty("surface", "card")
        self.setAccessibleName("Command palette")
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 5)
        column.setSpacing(4)
        self.line = QLineEdit()
        self.line.setProperty("bare", "true")
        self.line.setProperty("keepsEscape", True)
        self.line.setPlaceholderText("Find an action, a clip or a setting")
        self.line.setAccessibleName("Find an action, a clip or a setting")
        self.line.textEdited.connect(self._on_edited)
        self.line.installEventFilter(self)
        self.list = QListView()
        self.list.setAccessibleName("Found")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setItemDelegate(_ItemDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._items = _Items(self)
        self.list.setModel(self._items)
        self.list.clicked.connect(self._on_clicked)
        column.addWidget(self.line)
        column.addWidget(rule())
        column.addWidget(self.list)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(60)
        self._timer.timeout.connect(self._find)
        self.hide()

    def open(self) -> None:
        """Show it, empty."""
        window = self.window()
        self._before = window.focusWidget()
        self.line.clear()
        self._find()
        self._open = True
        self.raise_()
        self.show()
        self.line.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_palette(self) -> None:
        """Hide it and give the focus back."""
        self._open = False
        self._timer.stop()
        if self._before is not None:
            self._before.setFocus(Qt.FocusReason.PopupFocusReason)
            self._before = None
        self.hide()

    def found(self) -> list[PaletteItem]:
        """What is listed."""
        return self._items.items

    def _on_edited(self) -> None:
        self._timer.start()

    def _find(self) -> None:
        query = self.line.text().strip().lower()
        self._items.put([item for find in self._finders for item in find(query)][:_MOST])
        self._place()
        if self._items.items:
            self.list.setCurrentIndex(self._items.index(0))

    def _place(self) -> None:
        window = self.window()
        width = min(theme.px(600), window.width() - 2 * theme.MARGIN)
        rows = max(1, min(10, len(self._items.items)))
        self.list.setFixedHeight(rows * theme.px(34))
        self.setFixedWidth(width)
        self.adjustSize()
        self.move((window.width() - width) // 2, min(theme.px(96), window.height() // 8))

    def _run_current(self) -> None:
        if self._timer.isActive():
            self._timer.stop()
            self._find()
        index = self.list.currentIndex()
        if index.isValid():
            item = self._items.items[index.row()]
            self.close_palette()
            item.run()

    def _on_clicked(self, index: QModelIndex) -> None:
        self.list.setCurrentIndex(index)
        self._run_current()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut and isinstance(event, QFocusEvent):
            if self._open and event.reason() != Qt.FocusReason.ActiveWindowFocusReason:
                self._before = None  # somebody else has it now
                self.close_palette()
            return False
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        if event.key() == Qt.Key.Key_Escape:
            self.close_palette()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._run_current()
        elif event.key() in {Qt.Key.Key_Down, Qt.Key.Key_Up}:
            self._step(1 if event.key() == Qt.Key.Key_Down else -1)
        elif event.key() in {Qt.Key.Key_PageDown, Qt.Key.Key_PageUp}:
            self._step(8 if event.key() == Qt.Key.Key_PageDown else -8)
        else:
            return False
        return True

    def _step(self, by: int) -> None:
        rows = len(self._items.items)
        if rows:
            row = self.list.currentIndex().row() + by
            row = row % rows if abs(by) == 1 else max(0, min(rows - 1, row))
            self.list.setCurrentIndex(self._items.index(row))
