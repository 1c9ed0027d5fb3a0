"""The line over the library's filters: how much there is, what waits for somebody, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget
from typing_extensions import override

from vvlm_desktop.store.records import ProblemFile
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.actions import ActionRegistry
from vvlm_desktop.ui.errors_view import Problem, ProblemItem
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.labels import ElidedLabel, label
from vvlm_desktop.ui.words import count, shown


def unopened_problem(files: Sequence[ProblemFile]) -> Problem:
    """What is said of files that are not even clips."""
    items = tuple(ProblemItem(shown(file.path), file.problem) for file in files)
    return Problem(
        f"{count(len(items), 'file or folder', 'files and folders')} could not be opened.",
        hint="Mend the reason, then add them again.",
        tone="doubtful",
        items=items,
    )


class LibraryHead(QWidget):
    """Counts at the left, buttons at the right; going on with the review is the one primary button."""

    def __init__(
        self,
        registry: ActionRegistry,
        *,
        on_continue: Callable[[], object],
        on_show_unopened: Callable[[], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        # It gives way itself, instead of widening the window.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.setSpacing(theme.GAP)
        self.counted = label("", "muted")
        self.waiting = ElidedLabel("", "muted")
        self.unopened = button("", on_show_unopened, kind="link")
        row.addWidget(label("Library", "title"))
        row.addSpacing(4)
        row.addWidget(self.counted)
        row.addWidget(self.unopened)
        row.addWidget(self.waiting, 1)
        self._may_shrink: list[tuple[QPushButton, str]] = []
        for text, action_id, icon in (
            ("Add files…", "clips.add_files", "add-file"),
            ("Add folder…", "clips.add_folder", "add-folder"),
            ("Export…", "clips.export", "export"),
        ):
            key = registry.key_label(action_id)
            tooltip = f"{text.removesuffix('…')} ({key})" if key else text
            item = button(text, registry.action(action_id).trigger, icon=icon, tooltip=tooltip)
            self._may_shrink.append((item, text))
            row.addWidget(item)
        self.analyse_new = button("Analyse new clips", registry.action("clips.analyse_new").trigger, icon="analyse")
        self.go_on = button("Continue reviewing", on_continue, kind="primary", icon="review")
        self.analyse_new.setToolTip("Analyse new clips")
        self._may_shrink.append((self.analyse_new, "Analyse new clips"))
        row.addWidget(self.analyse_new)
        row.addWidget(self.go_on)
        self.show_counts(clips=0, listed=0, unopened=0)
        self.show_waiting(to_review=0, unreadable=0, to_analyse=0)

    def show_counts(self, *, clips: int, listed: int, unopened: int) -> None:
        """How many clips there are, how many of them are listed, and how many files are not even clips."""
        self.counted.setText(count(clips, "clip") if listed == clips else f"{listed:,} of {count(clips, 'clip')}")
        self.counted.setVisible(clips > 0)
        self.unopened.setText(f"{count(unopened, 'file')} could not be opened" if unopened else "")
        self.unopened.setAccessibleName(self.unopened.text())
        self.unopened.setVisible(unopened > 0)
        self._fit()

    def show_waiting(self, *, to_review: int, unreadable: int, to_analyse: int) -> None:
        """What waits for somebody; nothing is said of what there is none of."""
        parts = (
            f"{to_review:,} to review" if to_review else "",
            f"{unreadable:,} cannot be read" if unreadable else "",
        )
        self.waiting.setText("· " * bool(any(parts)) + " · ".join(part for part in parts if part))
        self.analyse_new.setVisible(to_analyse > 0)
        self.go_on.setVisible(to_review > 0)
        self._fit()

    def _fit(self) -> None:
        """Where there is no room for every word, the ways to add and export are icons only, then to analyse as well."""
        for words in (len(self._may_shrink), 1, 0):
            first_with_words = len(self._may_shrink) - words
            for number, (item, text) in enumerate(self._may_shrink):
                item.setText(text if number >= first_with_words else "")
            self._row.invalidate()
            hidden = self.waiting.sizeHint().width() - self.waiting.minimumSizeHint().width()
            if self._row.minimumSize().width() + hidden <= self.width():
                break
        self._row.activate()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()
        super().resizeEvent(event)
