"""Which clips the library lists where it does not list all, kept up to date while people review and answers arrive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from vvlm_desktop.domain.review import Change
from vvlm_desktop.errors import JobCancelledError, VvlmError
from vvlm_desktop.store.records import ClipRow
from vvlm_desktop.ui.changes import Changes, ClipChange, field_words, find_changes, read_again
from vvlm_desktop.ui.job_bridge import Work
from vvlm_desktop.ui.library.changes_bar import ChangesBar, answered_words
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.scope import Scope
from vvlm_desktop.ui.words import count

if TYPE_CHECKING:
    from vvlm_desktop.ui.training.changing_flow import ChangingFlow

_SOON_MS = 200


class Scoped(QObject):
    """The scope in force, and how its clips would change."""

    changed = Signal()  # other clips are listed, or others of them are

    def __init__(self, shell: Shell, bar: ChangesBar, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._bar = bar
        self.scope: Scope | None = None
        self._last: Scope | None = None  # of clips that would change, to be found again
        self._flow: ChangingFlow | None = None  # made when it is asked for
        self._stale: set[str] | None = set()  # clips to read again; None for all
        self._work: Work[Changes] | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._read)
        bar.narrowed.connect(self._on_narrowed)
        bar.left.connect(self.leave)
        bar.rest_pressed.connect(self._on_rest_wanted)
        self._answered = False  # what was said last of `answering`
        shell.tasks.changed.connect(self._on_tasks)

    @property
    def active(self) -> bool:
        """Whether only some clips are listed."""
        return self.scope is not None

    @property
    def answering(self) -> bool:
        """Whether what is missing for the comparison is being made."""
        changes = self.changes
        if changes is None or not changes.missing:
            return False
        names = {source.title for source in changes.sources}
        titles = (task.title for task in self._shell.tasks.running)
        return any(title.startswith("Analysing") and names & set(title.split(" · ")) for title in titles)

    @property
    def changes(self) -> Changes | None:
        """How they would change, where that is what they were chosen for."""
        return self.scope.changes if self.scope is not None else None

    def rowids(self) -> tuple[int, ...] | None:
        """Row ids of the clips that are listed, in order; None for all."""
        if self.scope is None:
            return None
        if self.scope.changes is None:
            return tuple(self.scope.rowids(self._shell.session))
        return self.scope.changes.rows(field_key=self._bar.field_key, way=self._bar.way)

    def change_of(self, row: ClipRow) -> ClipChange | None:
        """What would change of a clip."""
        return self.changes.by_row.get(row.rowid) if self.changes is not None else None

    def why_none(self, otherwise: tuple[str, str]) -> tuple[str, str]:
        """Why no clip is listed: a title and a sentence; `otherwise` where that is not because none changes."""
        changes = self.changes
        if changes is None or changes.by_row:
            return otherwise
        if self.answering:
            return "No change so far", f"{answered_words(changes)}. Clips that change appear here as answers arrive."
        name = changes.then.adapter or changes.then.title
        return "No clip would change", f"{name} says the same of {count(changes.compared, 'compared clip')}."

    def words_of(self, row: ClipRow) -> str:
        """All that would change of a clip."""
        if self.changes is None or row.rowid not in self.changes.by_row:
            return ""
        from vvlm_desktop.workflow.answerers import read_pair

        session = self._shell.session
        pair = read_pair(session, row.clip, self.changes.sources)
        return field_words(session.schema, pair) if pair is not None else ""

    def scope_of(self, chosen: tuple[int, ...], where: str) -> Scope:
        """A scope of some of the listed clips, for another page; whose answers matter goes with it."""
        if self.changes is None:
            return Scope(f"{count(len(chosen), 'clip')} {where}", chosen=chosen)
        name = self.changes.then.adapter or self.changes.then.title
        return Scope(f"{count(len(chosen), 'clip')} changing with {name}", chosen=chosen, sources=self.changes.sources)

    def show(self, scope: Scope) -> None:
        """List these clips only."""
        self._stop()
        self._stale = set()
        self._bar.field_key, self._bar.way = "", None
        self.scope = scope if scope.chosen is not None or scope.changes is not None else None
        self._last = self.scope if self.changes is not None else self._last
        self._show_bar()
        self.changed.emit()

    def show_changing(self) -> None:
        """List the clips that would change: those that were listed last, looked through anew, else find them."""
        if self._last is None:
            self._changing_flow().start_newest()
            return
        self.show(self._last)
        self._stale = None
        self._read()

    def _on_rest_wanted(self) -> None:
        if self.changes is not None:
            self._changing_flow().answer_missing(self.changes)

    def _changing_flow(self) -> ChangingFlow:
        from vvlm_desktop.ui.training.changing_flow import ChangingFlow

        self._flow = self._flow or ChangingFlow(self._shell, self)
        return self._flow

    def leave(self) -> None:
        """List all clips again."""
        if self.scope is not None:
            self._stop()
            self.scope = None
            self._bar.show_scope(None)
            self.changed.emit()

    def note(self, change: Change) -> None:
        """Something was written about clips: what would change of them may be otherwise now."""
        if self.changes is None or not change.what & {"analyses", "review", "clips"}:
            return
        if not change.clip_ids:
            self._stale = None
        elif self._stale is not None:
            self._stale.update(change.clip_ids)
        if not self._soon.isActive():
            self._soon.start()

    def close(self) -> None:
        """The page goes."""
        self._shell.tasks.changed.disconnect(self._on_tasks)
        self._stop()
        if self._flow is not None:
            self._flow.close()

    def _stop(self) -> None:
        self._soon.stop()
        work, self._work = self._work, None
        if work is not None:
            work.cancel()
            work.wait(5.0)

    def _read(self) -> None:
        changes = self.changes
        if changes is None or self._work is not None:
            return
        session, stale = self._shell.session, self._stale
        self._stale = set()

        def run(_report: Callable[[object], None], cancelled: Callable[[], bool]) -> Changes:
            if stale is None:
                return find_changes(session, changes.sources, cancelled=cancelled)
            return read_again(session, changes, stale, cancelled=cancelled)

        self._work = work = Work(run, name="library-changes", parent=self)
        if stale is None:
            self._show_bar(looking=True)
        work.succeeded.connect(self._on_read)
        work.failed.connect(self._on_failed)
        work.ended.connect(work.deleteLater)
        work.start()

    def _on_read(self, changes: Changes) -> None:
        if self.sender() is not self._work or self.scope is None:
            return
        self._work = None
        self.scope = self._last = replace(self.scope, title=changes.title, changes=changes)
        self._show_bar()
        self.changed.emit()
        self._go_on()

    def _on_failed(self, error: VvlmError) -> None:
        if self.sender() is not self._work:
            return
        self._work = None
        if not isinstance(error, JobCancelledError):
            self._shell.report(error)
        self._go_on()

    def _go_on(self) -> None:
        if self._stale is None or self._stale:
            self._soon.start()

    def _show_bar(self, *, looking: bool = False) -> None:
        self._answered = self.answering
        self._bar.show_scope(self.scope, looking=looking, answering=self._answered)

    def _on_tasks(self) -> None:
        """A batch has begun or is over; it says how far it is more often than that."""
        if self.scope is not None and self.answering != self._answered:
            self._show_bar(looking=self._work is not None)
            self.changed.emit()

    def _on_narrowed(self) -> None:
        self._show_bar()
        self.changed.emit()
