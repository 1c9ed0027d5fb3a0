"""A shape and a sentence that goes on in the next line where there is no room."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets.labels import TextRole, label, set_role
from vvlm_desktop.ui.widgets.marks import Mark, MarkLabel

_ROLES: dict[str, TextRole] = {"good": "good", "doubtful": "doubtful", "bad": "bad", "muted": "muted"}


class MarkLine(QWidget):
    """Like a `MarkLabel`, for sentences: "✓ Fits in full precision with 16 frames"."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mark = MarkLabel()
        self.words: QLabel = label("", wrap=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.mark, alignment=Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.words, 1)
        self.mark.setFixedHeight(self.words.fontMetrics().height())
        self.mark.setFixedWidth(theme.px(13))

    def show_mark(self, mark: Mark, sentence: str, *, ink: str) -> None:
        """Show another shape, sentence or colour."""
        self.mark.show_mark(mark, "", ink=ink)
        self.words.setText(sentence)
        set_role(self.words, _ROLES.get(ink, "body"))
        self.setAccessibleName(sentence)

    def text(self) -> str:
        """The sentence."""
        return self.words.text()
