"""Tables of whole lines: one is chosen, nothing is edited in place, Tab leaves them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QTableWidget

from vvlm_desktop.ui import theme


def as_line_table(table: QTableWidget, name: str, *, row_px: int, padded: bool = True) -> None:
    """Give `table` the look and the ways that all of them share; `name` is what a screen reader says."""
    table.setAccessibleName(name)
    if padded:
        table.setProperty("padded", "true")
    table.setShowGrid(False)
    table.setTabKeyNavigation(False)
    table.setCornerButtonEnabled(False)
    table.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    down, across = table.verticalHeader(), table.horizontalHeader()
    down.hide()
    down.setDefaultSectionSize(theme.px(row_px))
    across.setHighlightSections(False)
    across.setSectionsClickable(False)
    across.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
