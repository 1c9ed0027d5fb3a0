"""The strip under the clip table: the whole of what the selected line shortens."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from vvlm_desktop.store.library import ClipRow
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.library import row_words
from vvlm_desktop.ui.widgets.buttons import IconButton
from vvlm_desktop.ui.widgets.empty_state import IconView
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label, rule
from vvlm_desktop.ui.words import breakable, shown


class Details(QFrame):
    """Path, caption and problem of one clip; the problem can be copied with the path."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._copied = ""
        self.setProperty("surface", "panel")
        self.setAccessibleName("Selected clip")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(rule())
        row = QHBoxLayout()
        row.setContentsMargins(theme.MARGIN, theme.GAP, theme.GAP, theme.GAP)
        row.setSpacing(theme.GAP)
        column = QVBoxLayout()
        column.setSpacing(4)
        self.path = ElidedLabel("", "muted", mode=Qt.TextElideMode.ElideMiddle)
        self.caption = label("", wrap=True)
        self.change = label("", "model", wrap=True)
        self.problem = label("", wrap=True)
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._mark = IconView("warning", ink="bad", size_px=16)
        problem_row = QHBoxLayout()
        problem_row.setSpacing(6)
        problem_row.addWidget(self._mark, alignment=Qt.AlignmentFlag.AlignTop)
        problem_row.addWidget(self.problem, 1)
        column.addWidget(self.path)
        column.addWidget(self.change)
        column.addWidget(self.caption)
        column.addLayout(problem_row)
        row.addLayout(column, 1)
        self.copy = IconButton("copy", "Copy path and problem", self._on_copy)
        row.addWidget(self.copy, alignment=Qt.AlignmentFlag.AlignTop)
        outer.addLayout(row)
        self.hide()

    def show_row(self, row: ClipRow | None, *, change: str = "") -> None:
        """Show another clip, or nothing; `change` is what another adapter would say of it."""
        self.setVisible(row is not None)
        if row is None:
            return
        problem = shown(row.clip.problem or "")
        self.path.setText(shown(row.clip.path))
        self.change.setText(breakable(change))
        self.change.setVisible(bool(change))
        words = row_words.caption(row)
        self.caption.setText(breakable(words))
        self.caption.setVisible(bool(words))
        self.problem.setText(breakable(problem))
        self.problem.setVisible(bool(problem))
        self._mark.setVisible(bool(problem))
        self._mark.show_icon("warning", "doubtful" if row.clip.readable else "bad")
        self._copied = "\n".join(part for part in (shown(row.clip.path), problem) if part)

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._copied)
