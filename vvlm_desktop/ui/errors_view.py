"""The one way in which problems are presented: a bar over the page, a sheet when several items have one each."""

from __future__ import annotations

import platform
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Literal

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from vvlm_desktop.errors import SettingsError, VvlmError
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.widgets.buttons import IconButton, button
from vvlm_desktop.ui.widgets.empty_state import IconView
from vvlm_desktop.ui.widgets.labels import label, rule
from vvlm_desktop.ui.words import breakable, plain_tip, shown

Tone = Literal["bad", "doubtful", "good"]
_ICONS: dict[Tone, str] = {"bad": "warning", "doubtful": "warning", "good": "check"}
#: News that nobody has to act on goes away by itself.
_NEWS_MS = 8000
_SETTINGS_FILE = "settings file"


@dataclass(frozen=True, slots=True)
class ProblemItem:
    """One of several: which, and what is the matter with it."""

    name: str
    sentence: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to tell.

    Attributes:
        sentence: what happened, to what.
        hint: what to do next.
        details: for whoever mends it; folded away, can be copied.
        items: what it happened to, where that is several.
        offer: word on a button that does something about it, with `do`.
        about: what it concerns, where news of the same thing makes it obsolete.
    """

    sentence: str
    hint: str = ""
    details: str = ""
    tone: Tone = "bad"
    items: tuple[ProblemItem, ...] = ()
    offer: str = ""
    do: Callable[[], object] | None = None
    about: str = ""

    def as_text(self) -> str:
        """Everything, to be copied."""
        lines = [self.sentence, self.hint, *(f"{i.name}: {i.sentence} {i.hint}".rstrip() for i in self.items)]
        return "\n".join([*(line for line in lines if line), *(["", self.details] if self.details else [])])


def problem_from(error: VvlmError) -> Problem:
    """An expected error as it is shown."""
    cause = error.__cause__
    details = f"{type(cause).__name__}: {cause}" if cause is not None else ""
    return Problem(str(error), hint=error.hint, details=details)


def problem_of_bug(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> Problem:
    """A bug as it is shown: it is ours, nothing stored is lost, and the details can be sent to us."""
    where = f"Python {platform.python_version()}, {platform.platform()}"
    return Problem(
        "Something went wrong in the program. Nothing that was saved is lost.",
        hint="You can go on. If it happens again, copy the details into a report.",
        details=f"{where}\n{''.join(traceback.format_exception(kind, error, trace))}",
    )


def _is_news(problem: Problem) -> bool:
    """Whether it goes by itself; what can be pressed must not go under a click."""
    return problem.tone == "good" and problem.do is None


def _replaces(new: Problem, old: Problem) -> bool:
    return new == old or bool(new.about and new.about == old.about)


def broken_settings_problem(error: SettingsError) -> Problem:
    """The settings file cannot be used; what a change in Settings would do to it."""
    more = "Until then the defaults are used; a change in Settings puts this file aside and writes a new one."
    return replace(problem_from(error), hint=f"{error.hint} {more}".lstrip(), about=_SETTINGS_FILE)


def kept_settings_problem(kept: Path) -> Problem:
    """The settings file that could not be read has just been replaced; what was in it is not lost."""
    return Problem(
        f"Your settings are saved. The file that could not be read is kept as {kept.name}.",
        hint=f"It lies in {shown(str(kept.parent))}, in case something in it is still wanted.",
        tone="doubtful",
        about=_SETTINGS_FILE,
    )


class BugReporter(QObject):
    """Target of `sys.excepthook` and `threading.excepthook`: brings a bug to the window, from any thread."""

    _caught = Signal(object)

    def __init__(self, show: Callable[[Problem], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._show = show
        self._caught.connect(self._on_caught, Qt.ConnectionType.QueuedConnection)

    def hook(self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        """Report an uncaught exception."""
        self._caught.emit(problem_of_bug(kind, error, trace))

    def _on_caught(self, problem: Problem) -> None:
        self._show(problem)


class ProblemBar(QFrame):
    """Over the page, never in the way: what happened, what to do, details on demand."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._queue: list[Problem] = []
        self.setProperty("surface", "raised")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        row = QHBoxLayout()
        row.setContentsMargins(theme.MARGIN, theme.GAP, theme.GAP, theme.GAP)
        row.setSpacing(theme.GAP)
        self.icon = IconView("warning", ink="bad")
        words = QVBoxLayout()
        words.setSpacing(2)
        self.sentence = label("", "strong", wrap=True)
        self.hint = label("", "muted", wrap=True)
        for text in (self.sentence, self.hint):
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            words.addWidget(text)
        self.offer = button("", self._on_offer)
        self.list_items = button("Show all…", self._on_list_items)
        self.toggle = button("Details", kind="plain")
        self.toggle.setCheckable(True)
        self.copy = IconButton("copy", "Copy everything", self._on_copy)
        self.close_button = IconButton("close", "Dismiss", self.dismiss)
        row.addWidget(self.icon, alignment=Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        for item in (self.offer, self.list_items, self.toggle, self.copy, self.close_button):
            row.addWidget(item, alignment=Qt.AlignmentFlag.AlignVCenter)
        column.addLayout(row)
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setFont(theme.font("mono"))
        self.details.setFixedHeight(theme.px(160))
        self.details.setAccessibleName("Details")
        self.details.hide()
        self.toggle.toggled.connect(self.details.setVisible)
        column.addWidget(self.details)
        column.addWidget(rule())
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.dismiss)
        self._sheet: ProblemSheet | None = None
        self.hide()

    @property
    def problem(self) -> Problem | None:
        """What is shown."""
        return self._queue[0] if self._queue else None

    def show_problem(self, problem: Problem) -> None:
        """Show `problem` now; what was shown before comes back when it is dismissed, news excepted."""
        kept = (p for p in self._queue if not _is_news(p) and not _replaces(problem, p))
        self._queue = [problem, *kept][:20]
        self._render()

    def dismiss(self) -> None:
        """Go on to the one before, or hide."""
        self._queue = self._queue[1:]
        self._render()

    def _render(self) -> None:
        self._timer.stop()
        problem = self.problem
        self.setVisible(problem is not None)
        self.toggle.setChecked(False)
        if problem is None:
            return
        self.icon.show_icon(_ICONS[problem.tone], problem.tone)
        self.sentence.setText(breakable(problem.sentence))
        self.hint.setText(breakable(problem.hint))
        self.hint.setVisible(bool(problem.hint))
        self.details.setPlainText(problem.details)
        self.toggle.setVisible(bool(problem.details))
        self.copy.setVisible(problem.tone != "good")
        self.list_items.setVisible(bool(problem.items))
        self.offer.setVisible(problem.do is not None)
        self.offer.setText(problem.offer)
        self.offer.setAccessibleName(problem.offer)
        self.setAccessibleName(f"{problem.sentence} {problem.hint}".strip())
        if _is_news(problem):
            self._timer.start(_NEWS_MS)

    def _on_offer(self) -> None:
        problem = self.problem
        self.dismiss()
        if problem is not None and problem.do is not None:
            problem.do()

    def _on_copy(self) -> None:
        if self.problem is not None:
            QGuiApplication.clipboard().setText(self.problem.as_text())

    def _on_list_items(self) -> None:
        if self.problem is not None:
            self._sheet = ProblemSheet(self.problem, parent=self.window())
            self._sheet.show()


class ProblemSheet(QDialog):
    """Every item of a problem by name; not modal."""

    def __init__(self, problem: Problem, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("What went wrong")
        self.resize(theme.px(680), theme.px(420))
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(theme.PAD)
        column.addWidget(label(breakable(problem.sentence), "title", wrap=True))
        if problem.hint:
            column.addWidget(label(breakable(problem.hint), "muted", wrap=True))
        self.table = _table(problem.items)
        column.addWidget(self.table, 1)
        row = QHBoxLayout()
        row.addStretch(1)
        text = problem.as_text()
        row.addWidget(button("Copy", lambda: QGuiApplication.clipboard().setText(text), icon="copy"))
        row.addWidget(button("Close", self.close, kind="primary"))
        column.addLayout(row)


def _table(items: Sequence[ProblemItem]) -> QTableWidget:
    table = QTableWidget(len(items), 2)
    table.setAccessibleName("Items")
    table.setHorizontalHeaderLabels(["Item", "What is the matter"])
    table.setShowGrid(False)
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
    table.setTabKeyNavigation(False)
    across, down = table.horizontalHeader(), table.verticalHeader()
    across.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    across.setAccessibleName("Columns")
    across.setHighlightSections(False)
    across.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
    table.setColumnWidth(0, theme.px(220))
    down.hide()
    # Heights follow the wrapped text; for thousands of lines that would take seconds.
    if len(items) <= 500:
        down.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    for line, item in enumerate(items):
        for column, text in enumerate((item.name, f"{item.sentence} {item.hint}".strip())):
            cell = QTableWidgetItem(text)
            cell.setToolTip(plain_tip(text))
            cell.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            table.setItem(line, column, cell)
    return table
