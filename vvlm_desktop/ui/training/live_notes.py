"""Beside the curves of a run: why it ended early, and notes about what was left out, skipped or resumed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.models.mark_line import MarkLine
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import label
from vvlm_desktop.ui.words import breakable, count, shown

_NOTES_AT_FIRST = 3


class TroubleCard(QFrame):
    """Why a run ended early, and what to change."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.PAD, theme.GAP, theme.PAD, theme.GAP)
        column.setSpacing(4)
        self.cause = MarkLine()
        self.hint = label("", "muted", wrap=True)
        self.hint.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self.cause)
        column.addWidget(self.hint)

    def show_trouble(self, cause: str, hint: str, *, bad: bool) -> None:
        """Say it; nothing is shown where there is none."""
        self.setVisible(bool(cause))
        self.cause.show_mark("cross" if bad else "warning", breakable(shown(cause)), ink="bad" if bad else "doubtful")
        self.hint.setText(breakable(shown(hint)))
        self.setAccessibleName(f"{cause} {hint}".strip())


class Notes(QWidget):
    """What is worth knowing about a run, the newest first; a few, or all."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._notes: tuple[str, ...] = ()
        self._all = False
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self.lines: list[MarkLine] = []
        self.more = button("", self._on_more, kind="link")
        self._column.addWidget(self.more, alignment=Qt.AlignmentFlag.AlignLeft)
        self.hide()

    def show_notes(self, notes: Sequence[str]) -> None:
        """Show others."""
        if tuple(notes) == self._notes:
            return
        self._notes = tuple(notes)
        self._refresh()

    def _on_more(self) -> None:
        self._all = not self._all
        self._refresh()

    def _refresh(self) -> None:
        wanted = self._notes[::-1] if self._all else self._notes[::-1][:_NOTES_AT_FIRST]
        for line in self.lines:
            line.hide()
            line.deleteLater()
        self.lines = []
        for place, note in enumerate(wanted):
            line = MarkLine()
            line.show_mark("diamond", breakable(shown(note)), ink="muted")
            self.lines.append(line)
            self._column.insertWidget(place, line)
        self.more.setText("Show fewer" if self._all else f"Show all {count(len(self._notes), 'note')}")
        self.more.setAccessibleName(self.more.text())
        self.more.setVisible(len(self._notes) > _NOTES_AT_FIRST)
        self.setVisible(bool(self._notes))
