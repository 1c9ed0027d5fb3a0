"""The ledger: every transmission and every consent, to be searched, proved and cleaned up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLineEdit, QStackedWidget, QTabBar, QVBoxLayout
from typing_extensions import override

from vvlm_desktop.domain.review import Change
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.actions import Action
from vvlm_desktop.ui.errors_view import Problem
from vvlm_desktop.ui.ledger.cleaner import Cleaner
from vvlm_desktop.ui.ledger.csv_file import write_csv
from vvlm_desktop.ui.ledger.lines import (
    ALLOWED_TITLES,
    EMPTY,
    SENT_TITLES,
    STATES,
    LedgerView,
    Line,
    Table,
    narrowed,
    read_ledger,
    totals,
)
from vvlm_desktop.ui.ledger.table import LinesTable
from vvlm_desktop.ui.models.mark_line import MarkLine
from vvlm_desktop.ui.page import Page, Shell
from vvlm_desktop.ui.widgets.buttons import button
from vvlm_desktop.ui.widgets.empty_state import EmptyState
from vvlm_desktop.ui.widgets.labels import label, rule
from vvlm_desktop.ui.words import count, shown
from vvlm_desktop.ui.work_line import Job, WorkLine

_READ = "read-ledger"
_NOTHING_SENT = (
    "When a clip is sent to Gemini or to a server, it stands here before its first byte goes: "
    "when, to whom, what of it, how much, and what became of it."
)
_SENT_WIDTHS = (110, 250, 250, 170, 80, 280)
_ALLOWED_WIDTHS = (120, 140, 170, 70, 90, 190, 220)


class LedgerPage(Page):
    """Holds nothing that is not in the library's log."""

    page_id = "ledger"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.view: LedgerView = EMPTY
        self._line = WorkLine(shell.tasks, self)
        self._again = False
        self._shown = False
        self.cleaner = Cleaner(shell, self)
        self.cleaner.ended.connect(self._on_cleaner_ended)
        self._build()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._head())
        column.addWidget(rule())
        column.addLayout(self._left_over_row())
        column.addLayout(self._filters())
        self.sent = LinesTable("What left this computer", SENT_TITLES, _SENT_WIDTHS, stretch=5)
        self.sent.opened.connect(self._on_opened)
        self.allowed = LinesTable("Who allowed it", ALLOWED_TITLES, _ALLOWED_WIDTHS, stretch=6)
        self.nothing = EmptyState("shield", "Nothing has left this computer", "")
        self.stack = QStackedWidget()
        for item in (self.sent, self.allowed, self.nothing):
            self.stack.addWidget(item)
        column.addWidget(self.stack, 1)
        column.addWidget(rule())
        self.sums = label("", "muted")
        foot = QHBoxLayout()
        foot.setContentsMargins(theme.MARGIN, theme.GAP, theme.MARGIN, theme.GAP)
        foot.addWidget(self.sums, 1)
        column.addLayout(foot)

    def _head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
        head.setSpacing(theme.GAP)
        head.addWidget(label("Ledger", "title"))
        head.addWidget(label("What left this computer, and who allowed it", "muted"), 1)
        self.export = button("Export as CSV…", self.ask_for_export, icon="export")
        head.addWidget(self.export)
        return head

    def _left_over_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(theme.MARGIN, theme.GAP, theme.MARGIN, 0)
        self.left_over = MarkLine()
        self.delete = button("Delete what may still lie there", self.cleaner.clean, icon="trash")
        row.addWidget(self.left_over, 1)
        row.addWidget(self.delete)
        for item in (self.left_over, self.delete):
            item.hide()
        return row

    def _filters(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(theme.MARGIN, theme.GAP, theme.MARGIN, theme.GAP)
        row.setSpacing(theme.GAP)
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setAccessibleName("What is shown")
        for title in ("What left", "Who allowed it"):
            self.tabs.addTab(title)
        self.tabs.currentChanged.connect(self._show_lines)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search clip, receiver, date…")
        self.search.setAccessibleName("Search the ledger")
        self.search.setClearButtonEnabled(True)
        self.search.setMaximumWidth(theme.px(280))
        self.search.textChanged.connect(self._show_lines)
        self.state = QComboBox()
        self.state.setAccessibleName("What became of it")
        self.state.addItem("Everything", "")
        for state, (words, _mark, _ink) in STATES.items():
            self.state.addItem(words, state)
        self.state.currentIndexChanged.connect(self._show_lines)
        row.addWidget(self.tabs)
        row.addStretch(1)
        row.addWidget(self.state)
        row.addWidget(self.search, 1)
        return row

    # -- what the window asks of a page

    @override
    def actions_here(self) -> Sequence[Action]:
        def act(name: str, words: str, run: Callable[[], object], *keys: str, icon: str) -> Action:
            return Action(f"ledger.{name}", words, run, keys, "ledger", "Ledger", icon)

        return (
            act("export", "Export the ledger as CSV…", self.ask_for_export, icon="export"),
            act("clean", "Delete what may still lie at Google", self.cleaner.clean, icon="trash"),
            act("look", "Read the ledger again", self.look, "F5", icon="redo"),
        )

    @override
    def activate(self, clip_id: str | None = None) -> None:
        self._shown = True
        self.look()
        self._table()[1].setFocus(Qt.FocusReason.OtherFocusReason)

    @override
    def deactivate(self) -> None:
        self._shown = False

    @override
    def start_search(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @override
    def on_change(self, change: Change) -> None:
        if self._shown and "sent" in change.what:
            self.look()

    @override
    def close_page(self) -> None:
        self.cleaner.close()
        self._line.close()

    # -- showing

    def look(self) -> None:
        """Read the ledger again, in a thread."""
        if self._line.holds(_READ):
            self._again = True
            return
        self._again = False
        session = self.shell.session
        self._line.add(
            Job(
                _READ,
                lambda _report, cancelled: read_ledger(session, cancelled=cancelled),
                on_success=self._on_read,
                on_failure=self._on_not_read,
            )
        )

    def _on_read(self, view: LedgerView) -> None:
        self.view = view
        self.left_over.setVisible(bool(view.left_over))
        self.left_over.show_mark("warning", view.left_over, ink="bad")
        self.delete.setVisible(bool(view.left_over))
        self.delete.setEnabled(view.can_delete > 0 and not self.cleaner.busy)
        self._show_lines()
        if self._again:
            self.look()

    def _on_not_read(self, error: VvlmError) -> None:
        self.shell.report(error)

    def _on_cleaner_ended(self) -> None:
        self.look()

    def _table(self) -> tuple[Table, LinesTable]:
        first = self.tabs.currentIndex() == 0
        return (self.view.sent, self.sent) if first else (self.view.allowed, self.allowed)

    def _lines(self) -> tuple[Line, ...]:
        state = str(self.state.currentData() or "") if self.tabs.currentIndex() == 0 else ""
        return narrowed(self._table()[0].lines, text=self.search.text(), state=state)

    def _show_lines(self) -> None:
        table, widget = self._table()
        lines = self._lines()
        widget.lines.put(lines)
        self.state.setVisible(self.tabs.currentIndex() == 0)
        self.export.setEnabled(bool(lines))
        self.stack.setCurrentWidget(widget if lines else self.nothing)
        if not lines:
            self.nothing.show_words(*self._nothing_words(bool(table.lines)))
        if self.tabs.currentIndex() == 0:
            self.sums.setText(totals(lines))
        else:
            self.sums.setText(count(len(lines), "consent"))

    def _nothing_words(self, narrowed_away: bool) -> tuple[str, str]:
        if narrowed_away:
            return "No hits", "Nothing in the ledger fits the search and the filter."
        if self.tabs.currentIndex() == 0:
            return "Nothing has left this computer", _NOTHING_SENT
        return "Nobody has allowed anything", "Each yes to a batch or a question stands here: who gave it, and when."

    # -- what the user does

    def _on_opened(self, clip_id: str) -> None:
        self.shell.navigate("review", clip_id)

    def ask_for_export(self) -> None:
        """Let the user choose a file for what is shown."""
        lines = self._lines()
        if not lines:
            return
        suggested = str(Path.home() / f"vvlm-ledger-{date.today().isoformat()}.csv")
        name, _ = QFileDialog.getSaveFileName(self, "Export the ledger", suggested, "CSV files (*.csv)")
        if name:
            self.write(Path(name))

    def write(self, file: Path) -> None:
        """Write what is shown into `file`."""
        table, lines = self._table()[0], self._lines()

        def written(number: int) -> None:
            self.shell.report(Problem(f"{count(number, 'line')} written to {shown(str(file))}.", tone="good"))

        self._line.add(
            Job(
                "write-ledger",
                lambda _report, _cancelled: write_csv(table, lines, file),
                on_success=written,
                on_failure=self.shell.report,
            )
        )
