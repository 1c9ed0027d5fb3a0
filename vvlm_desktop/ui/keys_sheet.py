"""The sheet of keys of the page one is on, made from the registry of actions."""

from __future__ import annotations

from itertools import groupby

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QDialog, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.actions import Action, ActionRegistry, key_text
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import KeyCap, label

_TO = "to"
#: What the mouse does, which no action can be asked for: headline → (what, with what), on pages that have the action.
_MOUSE: dict[str, dict[str, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    "review.timeline_closer": {
        "Mouse on the timeline": (
            ("Zoom at the pointer", ("Wheel",)),
            ("Pan", ("Shift+Wheel", "Shift+Drag")),
            ("The whole clip", ("Double click",)),
            ("Move an edge of evidence or event", ("Drag",)),
            ("Choose which lanes are shown", ("Right click",)),
        ),
        "Mouse on the picture": (
            ("Zoom at the pointer", ("Ctrl+Wheel",)),
            ("Pull the picture while zoomed", ("Drag",)),
            ("Play or pause", ("Click",)),
            ("All of the picture again", ("Double click",)),
            ("Back and forward through jumps", ("Side buttons",)),
        ),
    }
}
Row = tuple[str, tuple[str, ...]]


def rows_of(registry: ActionRegistry, *, all_pages: bool = False) -> list[tuple[str, list[Row]]]:
    """What the sheet lists, by headline: what is done, and the keys or movements that do it."""
    known = grouped(registry, all_pages=all_pages)
    ids = {action.id for _, members in known for action in members}
    rows = [(title, [(a.label, _spelled(registry.keys_of(a))) for a in members]) for title, members in known]
    mouse = [(title, list(each)) for action_id, titles in _MOUSE.items() if action_id in ids
             for title, each in titles.items()]  # fmt: skip
    return [*rows, *mouse]


def _spelled(keys: tuple[str, ...]) -> tuple[str, ...]:
    """As on the keyboard, three at most; the first and the last of a row of digits are a range."""
    texts = tuple(dict.fromkeys(key_text(key) for key in keys))[:3]
    is_range = len(texts) == 2 and (texts[0][-1], texts[1][-1]) == ("1", "9") and texts[0][:-1] == texts[1][:-1]
    return (texts[0], _TO, texts[1]) if is_range else texts


def grouped(registry: ActionRegistry, *, all_pages: bool = False) -> list[tuple[str, list[Action]]]:
    """Actions that have a key, by headline, in the order of registration; those of every page last."""
    known = registry.everywhere() if all_pages else registry.here()
    actions = [a for a in known if registry.keys_of(a)]
    order = list(dict.fromkeys((a.page is None, a.group) for a in actions))
    actions.sort(key=lambda a: order.index((a.page is None, a.group)))
    return [(group or "Everywhere", list(members)) for group, members in groupby(actions, key=lambda a: a.group)]


class KeysSheet(QDialog):
    """Not modal: it can stay open beside the page while one learns."""

    def __init__(self, registry: ActionRegistry, *, page_title: str | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keys")
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(theme.PAD)
        column.addWidget(label(f"Keys on the page {page_title}" if page_title else "Keys of all pages", "title"))
        groups = rows_of(registry, all_pages=page_title is None)
        half = sum(len(members) + 2 for _, members in groups) / 2
        columns = [QVBoxLayout(), QVBoxLayout()]
        taken = 0
        for group, members in groups:
            side = columns[0] if taken + len(members) / 2 < half else columns[1]
            taken += len(members) + 2
            side.addLayout(_group(group, members))
        body = QWidget()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, theme.PAD, 0)
        row.setSpacing(theme.MARGIN * 2)
        for side in columns:
            side.setSpacing(theme.MARGIN)
            side.addStretch(1)
            row.addLayout(side, 1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(body)
        column.addWidget(area, 1)
        bottom = QHBoxLayout()
        bottom.addWidget(label("Text fields take all keys; Esc leaves them.", "muted"), 1)
        bottom.addWidget(button("Close", self.close, kind="primary"))
        column.addLayout(bottom)
        self._fit(area, body, row=row)

    def _fit(self, area: QScrollArea, body: QWidget, *, row: QBoxLayout) -> None:
        """As large as what stands in it, where the screen has room."""
        for each in body.findChildren(QWidget):
            each.ensurePolished()  # or it is measured in another font than it is shown in
        hint, room = body.sizeHint(), self.screen().availableGeometry()
        bar = area.verticalScrollBar().sizeHint().width() + 2 * area.frameWidth()
        most = room.width() - theme.px(60)
        if hint.width() + bar > most:
            row.setDirection(QBoxLayout.Direction.TopToBottom)  # one below the other
            hint = body.sizeHint()
        height = min(theme.px(720), room.height() - theme.px(60), hint.height() + theme.px(130))  # and its frame
        # As wide as what stands in it, with the bar that scrolls it: a key that is cut off is none.
        area.setMinimumWidth(min(hint.width() + bar, most))
        self.resize(self.minimumSizeHint().width(), height)


def _group(title: str, members: list[Row]) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(6)
    column.addWidget(label(title, "strong"))
    grid = QGridLayout()
    grid.setColumnMinimumWidth(0, theme.px(210))
    grid.setColumnStretch(1, 1)
    grid.setVerticalSpacing(4)
    grid.setHorizontalSpacing(theme.MARGIN)
    for line, (what, keys) in enumerate(members):
        grid.addWidget(label(what, "muted"), line, 0)
        caps = QHBoxLayout()
        caps.setSpacing(4)
        for key in keys:
            caps.addWidget(label(key, "muted") if key == _TO else KeyCap(key))
        caps.addStretch(1)
        grid.addLayout(caps, line, 1)
    column.addLayout(grid)
    return column
