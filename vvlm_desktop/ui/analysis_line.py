"""Analysing clips in the background: one batch at a time, the others in line, all of them in the library at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.review import Change
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui.errors_view import Problem, ProblemItem
from vvlm_desktop.ui.job_bridge import Bridge
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.tasks import Task
from vvlm_desktop.ui.words import count, file_name
from vvlm_desktop.ui.work_line import Job, WorkLine

if TYPE_CHECKING:
    # Imported where they are used: the window is shown before PyAV is loaded.
    from vvlm_desktop.workflow.analyse import AnalyseBatch, BatchEvent
    from vvlm_desktop.workflow.interrupted import Interrupted
    from vvlm_desktop.workflow.workers import Workers

BACKEND = "signals"
#: Noting so many clips takes about 20 ms (100,000: 0.9 s); more are noted in a thread.
_NOTED_AT_ONCE = 2_000
_NEWS_MS = 1_000


class AnalysisLine(QObject):
    """The window's batches of analyses."""

    def __init__(self, shell: Shell, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._session = shell.session
        self._bridge = Bridge(self._on_delivered, self)
        self._workers: Workers | None = None
        self._line = WorkLine(shell.tasks, self)
        self._opening: list[AnalyseBatch] = []
        self._waiting: deque[AnalyseBatch] = deque()
        self._batch: AnalyseBatch | None = None
        self._task: Task | None = None
        self._failed: list[ProblemItem] = []
        self._news = _News(shell, self)
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether anything is analysed or about to be."""
        return self._batch is not None or bool(self._opening) or bool(self._waiting) or self._line.busy

    def close(self) -> None:
        """Stop everything; what was stored stays, the rest of each batch is free for whoever goes on with it."""
        self._closed = True
        self._news.stop()
        self._line.close()
        self._bridge.close()
        if self._workers is not None:
            self._workers.close()
        for batch in (self._batch, *self._waiting, *self._opening):
            if batch is not None:
                batch.release()

    def analyse(self, clips: Sequence[Clip]) -> bool:
        """Analyse `clips` with the built-in backend; False when none is left to do.

        Unreadable ones are left out, and those that a batch here is going to analyse anyway.
        """
        batches = (self._batch, *self._waiting, *self._opening)
        pending = frozenset[str]().union(*(batch.pending_ids for batch in batches if batch is not None))
        wanted = [clip for clip in clips if clip.readable and clip.id not in pending]
        if wanted:
            self._open(self._new_batch(wanted))
        return bool(wanted)

    def analyse_new(self) -> None:
        """Analyse every readable clip that has no analysis by the built-in backend and is in no batch."""
        from vvlm_desktop.workflow.interrupted import pending_clip_ids

        session = self._session

        def find(_report: object, _cancelled: object) -> tuple[bool, list[Clip]]:
            without = session.library.clips_without(BACKEND)
            pending = pending_clip_ids(session, BACKEND)  # of other programs too
            return bool(without), [clip for clip in without if clip.id not in pending]

        def found(result: tuple[bool, list[Clip]]) -> None:
            any_new, clips = result
            if not any_new:
                self._shell.report(Problem("Every clip that can be read has been analysed.", tone="good"))
            elif not self.analyse(clips):
                self._shell.report(Problem("All new clips are being analysed already.", tone="good"))

        if not self._line.holds("find-new"):
            self._line.add(Job("find-new", find, on_success=found, on_failure=self._shell.report))

    def resume(self) -> None:
        """Go on with batches that a killed program left behind."""
        from vvlm_desktop.workflow.interrupted import interrupted_batches

        session = self._session

        def find(_report: object, _cancelled: object) -> list[Interrupted]:
            found = interrupted_batches(session)
            for batch in found:
                if not batch.fits:
                    session.library.close_batch(batch.batch_id)
            return found

        def found(batches: list[Interrupted]) -> None:
            for batch in batches:
                if batch.fits:
                    self._open(self._new_batch(batch.clips, left=batch))
                else:
                    self._shell.report(outdated_problem(len(batch.clips), schema_key=batch.schema_key))

        self._line.add(Job("find-interrupted", find, on_success=found, on_failure=self._shell.report))

    # -- batches

    def _new_batch(self, clips: Sequence[Clip], *, left: Interrupted | None = None) -> AnalyseBatch:
        from vvlm_desktop.workflow.analyse import AnalyseBatch
        from vvlm_desktop.workflow.workers import Workers

        if self._workers is None:
            self._workers = Workers(self._bridge.deliver)
        return AnalyseBatch(
            self._session,
            clips,
            backend=left.backend if left else BACKEND,
            workers=self._workers,
            on_event=self._on_event,
            options=left.options if left else None,
            batch_id=left.batch_id if left else None,
        )

    def _open(self, batch: AnalyseBatch) -> None:
        """Note the batch in the library now, so that it is not lost while it waits."""
        self._opening.append(batch)
        if batch.total > _NOTED_AT_ONCE:
            self._line.add(
                Job(
                    "note-batch",
                    lambda _report, _cancelled: batch.open(),
                    on_success=lambda opened: self._on_opened(batch, opened=opened),
                    on_failure=lambda error: self._on_not_opened(batch, error),
                )
            )
            return
        try:
            opened = batch.open()
        except VvlmError as error:
            self._on_not_opened(batch, error)
        else:
            self._on_opened(batch, opened=opened)

    def _on_opened(self, batch: AnalyseBatch, *, opened: bool) -> None:
        self._opening.remove(batch)
        if opened:  # otherwise another program goes on with it
            self._waiting.append(batch)
            if self._batch is None:
                self._next_batch()

    def _on_not_opened(self, batch: AnalyseBatch, error: VvlmError) -> None:
        self._opening.remove(batch)
        self._shell.report(error)

    def _next_batch(self) -> None:
        if self._closed or not self._waiting:
            return
        self._batch = self._waiting.popleft()
        self._failed = []
        self._task = self._shell.tasks.begin("Analysing", cancel=self._batch.cancel)
        self._batch.start()

    def _on_delivered(self, message: object) -> None:
        if self._batch is not None:
            self._batch.handle(message)  # type: ignore[arg-type]  # the bridge carries any object

    def _on_event(self, event: BatchEvent) -> None:
        if self._closed or self._task is None:
            return
        number = min(event.total, event.done + event.failed + 1)
        self._task.update(
            f"Analysing {number:,} of {event.total:,}", fraction=event.fraction, seconds_left=event.seconds_left
        )
        if event.kind == "analysed" and event.clip is not None:
            self._news.add(event.clip.id)
        elif event.kind == "failed" and event.clip is not None:
            self._failed.append(ProblemItem(file_name(event.clip.path), event.message, event.hint))
        elif event.kind in {"finished", "cancelled"}:
            self._on_batch_over(event)

    def _on_batch_over(self, event: BatchEvent) -> None:
        self._news.tell()
        if self._task is not None:
            self._task.finish()
        self._task = self._batch = None
        if self._failed:
            self._shell.report(failed_problem(tuple(self._failed), total=event.total))
        elif event.kind == "finished" and event.total > 1:
            self._shell.report(Problem(f"{count(event.done, 'clip')} analysed.", tone="good"))
        self._next_batch()


class _News(QObject):
    """Tells the pages which clips were analysed, all of a second together: each announcement reads lists again."""

    def __init__(self, shell: Shell, parent: QObject) -> None:
        super().__init__(parent)
        self._shell = shell
        self._clip_ids: dict[str, None] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_NEWS_MS)
        self._timer.timeout.connect(self.tell)

    def add(self, clip_id: str) -> None:
        """Note an analysed clip; it is told within a second."""
        self._clip_ids[clip_id] = None
        if not self._timer.isActive():
            self._timer.start()

    def tell(self) -> None:
        """Tell what was noted."""
        self._timer.stop()
        clip_ids, self._clip_ids = tuple(self._clip_ids), {}
        if clip_ids:
            self._shell.announce(Change(clip_ids=clip_ids, what=frozenset({"analyses"})))

    def stop(self) -> None:
        """Tell nothing more."""
        self._timer.stop()
        self._clip_ids = {}


def failed_problem(failed: tuple[ProblemItem, ...], *, total: int) -> Problem:
    """Analyses that failed, by name."""
    if len(failed) == 1:
        return Problem(f"{failed[0].name} could not be analysed: {failed[0].sentence}", hint=failed[0].hint)
    return Problem(
        f"{len(failed):,} of {count(total, 'clip')} could not be analysed.",
        hint="The others are done. Each one's reason is in the list.",
        items=failed,
    )


def outdated_problem(clips: int, *, schema_key: str) -> Problem:
    """An interrupted batch that was begun with labels that are not in use any more."""
    return Problem(
        f"An interrupted analysis of {count(clips, 'clip')} was given up: it was begun with other labels"
        f" ({schema_key}) than those in use.",
        hint="“Analyse new clips” begins anew with the labels in use.",
        tone="doubtful",
    )
