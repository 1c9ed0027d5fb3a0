"""The context fields as one line of chips; doubtful ones stand out, unanswered ones fold away."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.review.form.evidence import ChipRow
from vvlm_desktop.ui.review.form.model import FieldView
from vvlm_desktop.ui.review.sureness import look_of, note_of, spoken_text
from vvlm_desktop.ui.widgets.chip import Chip, ChipKind
from vvlm_desktop.ui.widgets.marks import VERDICT_MARKS, Mark
from vvlm_desktop.ui.words import plain_tip


class ContextChips(QWidget):
    """A click on a chip opens its field."""

    chosen = Signal(str)  # field key

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._unfolded = False
        self._views: tuple[FieldView, ...] = ()
        self._open_key = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.PAD - 2, theme.MARGIN, theme.PAD - 2)
        self.row = ChipRow(self)
        column.addWidget(self.row)

    def show_views(self, views: Sequence[FieldView], *, open_key: str) -> None:
        """Show these fields."""
        if (tuple(views), open_key) == (self._views, self._open_key):
            return
        self._views, self._open_key = tuple(views), open_key
        self._render()

    def _render(self) -> None:
        self.row.clear()
        answered = [view for view in self._views if view.answered or view.verdict is not None]
        silent = [view for view in self._views if view not in answered]
        for view in sorted(answered, key=lambda each: each.doubtful):
            self._add(view)
        if self._unfolded:
            for view in silent:
                self._add(view)
        elif silent:
            more = Chip(f"{len(silent)} not answered", clickable=True)
            more.setToolTip(plain_tip(", ".join(view.field.label for view in silent)))
            more.clicked.connect(self._on_unfold)
            self.row.add(more)

    def _add(self, view: FieldView) -> None:
        text, kind, mark = _look(view)
        chip = Chip(text, kind=kind, mark=mark, clickable=True)
        sure = view.sureness
        spoken = f"{view.field.label}: {view.text}" + (f", {spoken_text(sure)}" if sure is not None else "")
        chip.setAccessibleName(spoken)
        chip.setToolTip(plain_tip("\n".join(part for part in (spoken, note_of(sure) if sure else "") if part)))
        chip.clicked.connect(lambda _=False, key=view.key: self.chosen.emit(key))
        if view.key == self._open_key:
            chip.show_kind("model" if kind == "model" else kind, mark)
        self.row.add(chip)

    def _on_unfold(self) -> None:
        self._unfolded = True
        self._render()


def _look(view: FieldView) -> tuple[str, ChipKind, Mark | None]:
    if view.rejected:
        return f"{view.field.label}: not known", "bad", VERDICT_MARKS["rejected"][0]
    if not view.answered:
        return f"{view.field.label}: not answered", "plain", None
    labelled = view.value in ([], "none", "cannot_tell", ["cannot_tell"], "other")
    text = f"{view.field.label}: {view.text.lower()}" if labelled else view.text
    if view.verdict is not None:
        return text, "good" if view.verdict.verdict == "corrected" else "plain", VERDICT_MARKS[view.verdict.verdict][0]
    if view.doubtful and view.sureness is not None:
        return f"{text}?", "doubtful", look_of(view.sureness)[0]
    return text, "plain", None
