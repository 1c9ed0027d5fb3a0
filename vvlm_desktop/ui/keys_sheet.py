"""The sheet of keys of the page one is on, made from the registry of actions."""

from __future__ import annotations

from itertools import groupby

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.actions import Action, ActionRegistry, key_text
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import KeyCap, label


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
        groups = grouped(registry, all_pages=page_title is None)
        half = sum(len(members) + 2 for _, members in groups) / 2
        columns = [QVBoxLayout(), QVBoxLayout()]
        taken = 0
        for group, members in groups:
            side = columns[0] if taken + len(members) / 2 < half else columns[1]
            taken += len(members) + 2
            side.addLayout(_group(registry, group, members))
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
        hint = body.sizeHint()
        room = self.screen().availableGeometry().height() - theme.px(60)  # the frame around it must fit as well
        height = min(theme.px(720), room, hint.height() + theme.px(130))
        self.resize(min(theme.px(900), hint.width() + 60), height)


def _group(registry: ActionRegistry, title: str, members: list[Action]) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(6)
    column.addWidget(label(title, "strong"))
    grid = QGridLayout()
    grid.setColumnMinimumWidth(0, theme.px(210))
    grid.setColumnStretch(1, 1)
    grid.setVerticalSpacing(4)
    grid.setHorizontalSpacing(theme.MARGIN)
    for line, action in enumerate(members):
        grid.addWidget(label(action.label, "muted"), line, 0)
        caps = QHBoxLayout()
        caps.setSpacing(4)
        for key in list(dict.fromkeys(key_text(key) for key in registry.keys_of(action)))[:3]:
            caps.addWidget(KeyCap(key))
        caps.addStretch(1)
        grid.addLayout(caps, line, 1)
    column.addLayout(grid)
    return column
