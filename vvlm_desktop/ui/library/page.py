"""The library page: every clip there is, found, sorted, added and analysed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QShowEvent
from PySide6.QtWidgets import QMenu, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.review import Change
from vvlm_desktop.settings import Settings
from vvlm_desktop.store.library import ClipFilter, ClipRow
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.actions import Action
from vvlm_desktop.ui.errors_view import Problem
from vvlm_desktop.ui.library.changes_bar import ChangesBar
from vvlm_desktop.ui.library.clip_table_model import ClipTableModel
from vvlm_desktop.ui.library.details import Details
from vvlm_desktop.ui.library.elsewhere import Elsewhere
from vvlm_desktop.ui.library.filter_row import FilterRow
from vvlm_desktop.ui.library.head import LibraryHead, unopened_problem
from vvlm_desktop.ui.library.menu import clip_actions, clip_menu
from vvlm_desktop.ui.library.scoped import Scoped
from vvlm_desktop.ui.library.stale import Stale
from vvlm_desktop.ui.library.sureness import RowSureness
from vvlm_desktop.ui.library.table_view import ClipTable
from vvlm_desktop.ui.library.thumbnails import Thumbnails
from vvlm_desktop.ui.library.under_review import ListsUnderReview
from vvlm_desktop.ui.page import Page, Shell
from vvlm_desktop.ui.scope import SCOPES, Scope
from vvlm_desktop.ui.widgets.empty_state import EmptyState, Offer
from vvlm_desktop.ui.widgets.labels import rule
from vvlm_desktop.ui.words import shown
from vvlm_desktop.workflow.review_queue import UNFINISHED

_REFRESH_MS = 250
#: Pictures arrive one by one; painting the lines in view once for several is enough.
_REPAINT_MS = 40
_LATER_MS = 60
#: While a batch runs: counting what waits takes about 50 ms of 100,000 clips.
_WAITING_MS = 1000
_RELOAD_S = 1.0
_NOTHING_YET = ("No clips yet", "Drop dashcam files or folders here, or open a folder.")
_DRAWING = ("One moment", "Drawing the sample clips: the first opens in a few seconds.")
_NO_HITS = ("No clip fits", "No clip in the library fits the search and the filters.")
_SAMPLES = "sample clips"


class LibraryPage(Page):
    """Table, filters and what can be done with clips; holds nothing that is not in the library."""

    page_id = "library"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        session = shell.session
        self._library = session.library
        self._thumbnails = Thumbnails(session, parent=self)
        self._sureness = RowSureness(session)
        self._clips = ClipTableModel(
            ListsUnderReview(session), session.schema, thumbnails=self._thumbnails, sureness=self._sureness, parent=self
        )
        self._refresh = self._timer(_REFRESH_MS, self._on_refresh)
        self._repaint = self._timer(_REPAINT_MS, self._on_repaint)
        # After the list is painted: what waits for somebody takes longer to find out than the list itself.
        self._look_for_waiting = self._timer(_LATER_MS, self._on_look_for_waiting)
        self._thumbnails.made.connect(self._on_thumbnail_made)
        self._stale = Stale()
        self._read_at_s = 0.0
        self._build()
        self.reload()
        self._elsewhere = Elsewhere(self, count=self._library.count_clips, tell=self.on_change)
        shell.tasks.changed.connect(self._on_tasks_changed)
        self._on_tasks_changed()

    def _timer(self, interval_ms: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval_ms)
        timer.timeout.connect(slot)
        return timer

    # -- building

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head = QVBoxLayout()
        head.setContentsMargins(theme.MARGIN, theme.PAD, theme.MARGIN, theme.PAD)
        head.setSpacing(theme.PAD)
        self.head = LibraryHead(
            self.shell.registry, on_continue=self._on_continue, on_show_unopened=self._on_show_unopened
        )
        self.filters = FilterRow(self.shell.session.schema)
        self.filters.changed.connect(self._on_filter_changed)
        self.filters.search.returnPressed.connect(self._on_search_entered)  # after the filter is in force
        head.addWidget(self.head)
        head.addWidget(self.filters)
        self.changes_bar = ChangesBar(self.shell.session.schema)
        self.changes_bar.compare_pressed.connect(self._compare_listed)
        self.scoped = Scoped(self.shell, self.changes_bar, self)
        self.scoped.changed.connect(self._on_scoped)
        self._clips.change_of, self._clips.change_tip = self.scoped.change_of, self.scoped.words_of
        head.addWidget(self.changes_bar)
        column.addLayout(head)
        column.addWidget(rule())

        self.table = ClipTable(self._clips)
        # The table has the focus when the page is shown, so that arrows and Enter work at once.
        self.setFocusProxy(self.table)
        self.table.opened.connect(self._on_opened)
        self.table.line_changed.connect(self._on_line_changed)
        self.table.customContextMenuRequested.connect(self._on_menu_asked)
        self.details = Details()
        listed = QWidget()
        rows = QVBoxLayout(listed)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.table, 1)
        rows.addWidget(self.details)
        self.nothing_yet = EmptyState(
            "library",
            *_NOTHING_YET,
            [
                Offer("Open a folder…", self._trigger("clips.add_folder"), "add-folder"),
                Offer("Try six sample clips", self._trigger("clips.samples")),
            ],
        )
        self.no_hits = EmptyState("search", *_NO_HITS, [Offer("Show all clips", self._show_all)])
        self.body = QStackedWidget()
        for item in (listed, self.nothing_yet, self.no_hits):
            self.body.addWidget(item)
        self._listed = listed
        column.addWidget(self.body, 1)

    def _trigger(self, action_id: str) -> Callable[[], None]:
        return self.shell.registry.action(action_id).trigger

    # -- what the window asks of a page

    @override
    def actions_here(self) -> Sequence[Action]:
        return clip_actions(
            {
                "open": self._on_open_current,
                "analyse": self._on_analyse,
                "analyse_with": self._on_analyse_with,
                "compare": self._on_compare,
                "train": self._on_train,
                "folder": self._on_show_in_folder,
                "copy_path": self._on_copy_path,
                "copy_id": self._on_copy_id,
                "would_change": self.scoped.show_changing,
                "clear": self._show_all,
            },
            chosen=lambda: bool(self.table.lines()),
        )

    @override
    def activate(self, clip_id: str | None = None) -> None:
        if self._stale.any:
            self._on_refresh()
        if clip_id is not None:
            self._show_clip(clip_id)

    @override
    def on_change(self, change: Change) -> None:
        """Note what is out of date. A hidden page reads nothing; one that is shown does so soon, and not often."""
        if not change.what & {"clips", "analyses", "review"}:
            return
        self.scoped.note(change)
        moves = "clips" in change.what or self.filters.active or ("review" in change.what and self._clips.by_review)
        self._stale.note(change, moves=moves)
        if self.isVisible() and not self._refresh.isActive():
            self._refresh.start(_REFRESH_MS)

    @override
    def show_scope(self, scope: Scope) -> None:
        self.filters.clear_all()
        self.scoped.show(scope)

    @override
    def on_settings(self, settings: Settings) -> None:
        self._look_for_waiting.start(_LATER_MS)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._sureness.forget()
        self._look_for_waiting.start(_LATER_MS)
        if self._stale.any:
            self._refresh.start(0)

    @override
    def start_search(self) -> None:
        self.filters.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filters.search.selectAll()

    @override
    def close_page(self) -> None:
        self.shell.tasks.changed.disconnect(self._on_tasks_changed)
        self.scoped.close()
        self._elsewhere.close()
        for timer in (self._refresh, self._repaint, self._look_for_waiting):
            timer.stop()
        self._thumbnails.close()

    # -- reading

    def reload(self) -> None:
        """Read the list again; what was selected stays selected, and in sight, as far as it is still there."""
        self._stale = Stale()
        self._read_at_s = time.monotonic()
        selected = [self._clips.rowid(line) for line in self.table.lines()]
        current = self._current_rowid()
        place = self.table.place()
        if self._clips.load(self.filters.clip_filter()) and selected:
            now = None if current is None else self._clips.line_of(current)
            self.table.select_lines(self._clips.lines_of(selected), current=now)
        self.table.go_back_to(place)
        self._say_counts()
        self._on_line_changed()

    def _current_rowid(self) -> int | None:
        index = self.table.currentIndex()
        return self._clips.rowid(index.row()) if index.isValid() and index.row() < self._clips.rowCount() else None

    def _say_counts(self) -> None:
        clips, listed = self._library.count_clips(), self._clips.rowCount()
        self.head.show_counts(clips=clips, listed=listed, unopened=len(self._library.problem_files()))
        some_broken = self._library.count_clips(ClipFilter(problem=True)) > 0
        without = {"labels", "added"} if self.scoped.changes is not None else {"change"}
        self.table.leave_out(frozenset(without | (set() if some_broken else {"problem"})))
        self.no_hits.show_words(*self.scoped.why_none(_NO_HITS))
        self.filters.setVisible(clips > 0)
        self._look_for_waiting.start(_LATER_MS)
        self.body.setCurrentWidget(self._listed if listed else self.no_hits if clips else self.nothing_yet)

    def _on_look_for_waiting(self) -> None:
        if not self.isVisible():
            return
        readable = self._library.count_clips(ClipFilter(readable=True))
        backend = self.shell.session.settings.backend
        self.head.show_waiting(
            to_review=self._library.count_clips(ClipFilter(readable=True, status=UNFINISHED)),
            unreadable=self._library.count_clips() - readable,
            to_analyse=readable - self._library.count_clips(ClipFilter(readable=True, backend=backend)),
        )

    def _on_thumbnail_made(self) -> None:
        if not self._repaint.isActive():
            self._repaint.start()

    def _on_repaint(self) -> None:
        self.table.viewport().update()

    def _on_refresh(self) -> None:
        """Show what has changed: lines by themselves at once, the whole list at most once a second."""
        if not self.isVisible():
            return
        stale, wait_s = self._stale, self._read_at_s + _RELOAD_S - time.monotonic()
        if stale.order and wait_s <= 0:
            self.reload()
            return
        if stale.order:
            self._refresh.start(round(1000 * wait_s) + 1)
        self._stale = Stale(order=stale.order)
        if stale.every_line:
            self._clips.refresh_rows()
        else:
            self._clips.refresh_clips(stale.clip_ids)
        if not self._look_for_waiting.isActive():
            self._look_for_waiting.start(_WAITING_MS)
        self._on_line_changed()

    def _show_clip(self, clip_id: str) -> None:
        rowid = self._library.rowid_of(clip_id)
        line = None if rowid is None else self._clips.line_of(rowid)
        if line is not None:
            self.table.show_line(line)

    # -- what the user does

    def _current(self) -> ClipRow | None:
        index = self.table.currentIndex()
        return self._clips.row(index.row()) if index.isValid() and index.row() < self._clips.rowCount() else None

    def _selected(self) -> list[Clip]:
        return [row.clip for row in self._clips.rows(self.table.lines())]

    def _on_filter_changed(self, _filter: ClipFilter) -> None:
        self.reload()

    def _on_search_entered(self) -> None:
        """Enter opens the only hit; among several the table's own keys choose."""
        hits = self._clips.rowCount()
        if hits == 1 and self.filters.search.text().strip():
            self._on_opened(0)
        elif hits:
            self.table.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.table.show_line(0)

    def _on_scoped(self) -> None:
        self._clips.list_only(self.scoped.rowids(), in_order=self.scoped.changes is not None)
        self.reload()
        self.table.show_order()

    def _show_all(self) -> None:
        self.filters.clear_all()
        self.scoped.leave()

    def _on_line_changed(self) -> None:
        row = self._current()
        self.details.show_row(row, change=self.scoped.words_of(row) if row is not None else "")

    def _on_opened(self, line: int) -> None:
        row = self._clips.row(line)
        if row is None:
            return
        if row.clip.readable:
            self.shell.navigate("review", row.clip.id)
        else:
            name = self._clips.text(row, "name")
            self.shell.report(Problem(f"{name} cannot be shown.", hint=shown(row.clip.problem or "")))

    def _on_open_current(self) -> None:
        self._on_opened(self.table.lines()[0])

    def _on_analyse(self) -> None:
        self._analyse(self.shell.analyse)

    def _on_analyse_with(self) -> None:
        self._analyse(self.shell.analyse_with)

    def _analyse(self, analyse: Callable[[list[Clip]], None]) -> None:
        readable = [clip for clip in self._selected() if clip.readable]
        if readable:
            analyse(readable)
        else:
            self.shell.report(Problem("None of the selected clips can be read.", hint="Their reasons are in the list."))

    def _on_train(self) -> None:
        chosen = tuple(self._clips.rowid(line) for line in self.table.lines())
        self.shell.train_on(self.scoped.scope_of(chosen, "from the library"))

    def _on_compare(self) -> None:
        """Of several selected clips, else of all that the filters leave."""
        lines = self.table.lines()
        if len(lines) > 1:
            chosen = tuple(self._clips.rowid(line) for line in lines)
            self.shell.compare(self.scoped.scope_of(chosen, "from the library"))
        else:
            self._compare_listed()
            current = self._current() if lines else None
            if current is not None:
                self.shell.navigate("compare", current.clip.id)

    def _compare_listed(self) -> None:
        if not (self.filters.active or self.scoped.active):
            self.shell.compare(SCOPES[0])
            return
        chosen = tuple(self._clips.rowid(line) for line in range(self._clips.rowCount()))
        self.shell.compare(self.scoped.scope_of(chosen, "filtered in the library"))

    def _on_continue(self) -> None:
        self.shell.navigate("review")

    def _on_tasks_changed(self) -> None:
        """While the first sample clips are drawn the empty page says so; it would look as if nothing happened."""
        drawing = any(_SAMPLES in task.title.lower() for task in self.shell.tasks.running)
        self.nothing_yet.show_words(*(_DRAWING if drawing else _NOTHING_YET), enabled=not drawing)

    def _on_show_in_folder(self) -> None:
        row = self._current()
        if row is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(row.clip.path).parent)))

    def _on_copy_path(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(shown(clip.path) for clip in self._selected()))

    def _on_copy_id(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(clip.id for clip in self._selected()))

    def _on_show_unopened(self) -> None:
        self.shell.report(unopened_problem(self._library.problem_files()))

    def _on_menu_asked(self, position: QPoint) -> None:
        if self.table.lines():
            self.menu().popup(self.table.viewport().mapToGlobal(position))

    def menu(self) -> QMenu:
        """What can be done with the selected clips."""
        return clip_menu(self.shell.registry, self)
