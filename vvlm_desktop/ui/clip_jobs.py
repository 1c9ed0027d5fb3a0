"""Adding and analysing clips in the background: what runs, what waits, what to tell when it ends."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.review import Change
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.ui.errors_view import Problem, ProblemItem
from vvlm_desktop.ui.job_bridge import Bridge, Work
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.tasks import Task
from vvlm_desktop.ui.words import count, file_name

if TYPE_CHECKING:
    # Imported where they are used: the window is shown before PyAV is loaded.
    from vvlm_desktop.workflow.add import AddProgress, AddReport
    from vvlm_desktop.workflow.analyse import AnalyseBatch, BatchEvent
    from vvlm_desktop.workflow.workers import Workers

BACKEND = "signals"


class ClipJobs(QObject):
    """One addition and one batch of analyses at a time; the others wait in line."""

    def __init__(self, shell: Shell, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._adding: _Addition | None = None
        self._to_add: deque[Callable[[], None]] = deque()
        self._bridge = Bridge(self._on_delivered, self)
        self._workers: Workers | None = None
        self._batch: AnalyseBatch | None = None
        self._to_analyse: deque[AnalyseBatch] = deque()
        self._task: Task | None = None
        self._failed: list[ProblemItem] = []
        self._samples_asked = False
        self._closed = False

    def close(self) -> None:
        """Stop everything; what was stored stays, the rest of a batch goes on at the next start."""
        self._closed = True
        self._to_add.clear()
        self._to_analyse.clear()
        self._bridge.close()
        if self._adding is not None:
            self._adding.work.cancel()
            self._adding.work.wait(10.0)
        if self._workers is not None:
            self._workers.close()

    # -- adding

    def add(self, paths: Sequence[Path]) -> None:
        """Add files and folders, then analyse the new ones if the settings say so."""
        wanted = list(paths)
        if wanted:
            self._enqueue(lambda: self._start_adding(wanted))

    def add_samples(self) -> None:
        """Make and add the sample clips; the first opens in Review as soon as it can."""
        if self._samples_asked:
            return
        self._samples_asked = True
        self._shell.report(Problem("Drawing the sample clips.", hint="The first opens in a few seconds.", tone="good"))
        self._enqueue(self._start_samples)

    def _enqueue(self, start: Callable[[], None]) -> None:
        if self._adding is None:
            start()
        else:
            self._to_add.append(start)

    def _start_adding(self, paths: list[Path]) -> None:
        from vvlm_desktop.workflow.add import add_paths

        session = self._shell.session
        work: Work[AddReport] = Work(
            lambda report, cancelled: add_paths(session, paths, progress=report, cancelled=cancelled),
            name="add-clips",
            parent=self,
        )
        task = self._shell.tasks.begin("Looking for clips", cancel=work.cancel)
        seen = _Throttle(self._shell)

        def on_progress(progress: AddProgress) -> None:
            title = f"Adding {progress.done + 1:,} of {progress.total:,}: {file_name(progress.path)}"
            task.update(title, fraction=progress.done / max(1, progress.total))
            seen.announce()

        self._run(work, task, on_progress=on_progress, on_success=self._on_added)

    def _start_samples(self) -> None:
        from vvlm_desktop.workflow.sample_clips import add_samples

        session = self._shell.session
        work: Work[list[Clip]] = Work(
            lambda report, _cancelled: add_samples(
                session, progress=lambda done, stage: report((done, stage)), first_ready=report
            ),
            name="make-samples",
            parent=self,
        )
        task = self._shell.tasks.begin("Making the sample clips")

        def on_progress(progress: tuple[float, str] | Clip) -> None:
            if isinstance(progress, Clip):
                self._shell.announce(Change(clip_ids=(progress.id,), what=frozenset({"clips", "analyses"})))
                self._shell.navigate("review", progress.id)
            else:
                task.update(f"Sample clips: {progress[1]}", fraction=progress[0])
                self._shell.announce(Change(what=frozenset({"clips", "analyses"})))

        self._run(work, task, on_progress=on_progress, on_success=self._on_samples)

    def _run(
        self,
        work: Work[Any],
        task: Task,
        *,
        on_progress: Callable[[Any], None],
        on_success: Callable[[Any], None],
    ) -> None:
        self._adding = _Addition(work, task, on_progress, on_success)
        work.progressed.connect(self._on_add_progressed)
        work.succeeded.connect(self._on_add_succeeded)
        work.failed.connect(self._on_add_failed)
        work.ended.connect(self._on_add_ended)
        work.start()

    def _on_add_progressed(self, progress: object) -> None:
        if self._adding is not None and not self._closed:
            self._adding.on_progress(progress)

    def _on_add_succeeded(self, result: object) -> None:
        if self._adding is not None and not self._closed:
            self._adding.on_success(result)

    def _on_add_failed(self, error: VvlmError) -> None:
        if not self._closed:
            self._shell.report(error)

    def _on_add_ended(self) -> None:
        self._samples_asked = self._samples_asked and bool(self._to_add)
        if self._adding is not None:
            self._adding.task.finish()
            self._adding.work.deleteLater()
            self._adding = None
        if self._to_add and not self._closed:
            self._to_add.popleft()()

    def _on_added(self, report: AddReport) -> None:
        new = [item.clip for item in report.items if item.clip is not None and item.outcome == "added"]
        self._shell.announce(Change(clip_ids=tuple(clip.id for clip in new), what=frozenset({"clips"})))
        self._shell.report(added_problem(report))
        if self._shell.session.settings.analyse_on_add:
            self.analyse([clip for clip in new if clip.readable])

    def _on_samples(self, clips: list[Clip]) -> None:
        self._shell.announce(Change(clip_ids=tuple(c.id for c in clips), what=frozenset({"clips", "analyses"})))
        fresh = {clip.id for clip in self._shell.session.library.clips_without(BACKEND)}
        self.analyse([clip for clip in clips if clip.id in fresh])

    # -- analysing

    def analyse(self, clips: Sequence[Clip]) -> None:
        """Analyse `clips` with the built-in backend; unreadable ones are left out."""
        from vvlm_desktop.workflow.analyse import AnalyseBatch

        readable = [clip for clip in clips if clip.readable]
        if readable:
            self._enqueue_batch(
                AnalyseBatch(
                    self._shell.session,
                    readable,
                    backend=BACKEND,
                    workers=self._worker_pool(),
                    on_event=self._on_batch_event,
                )
            )

    def resume(self) -> None:
        """Go on with batches that a killed program left behind."""
        from vvlm_desktop.workflow.analyse import AnalyseBatch
        from vvlm_desktop.workflow.interrupted import interrupted_batches

        for left in interrupted_batches(self._shell.session):
            self._enqueue_batch(
                AnalyseBatch(
                    self._shell.session,
                    left.clips,
                    backend=left.backend,
                    workers=self._worker_pool(),
                    on_event=self._on_batch_event,
                    options=left.options,
                    batch_id=left.batch_id,
                )
            )

    def _worker_pool(self) -> Workers:
        if self._workers is None:
            from vvlm_desktop.workflow.workers import Workers

            self._workers = Workers(self._bridge.deliver)
        return self._workers

    def _enqueue_batch(self, batch: AnalyseBatch) -> None:
        self._to_analyse.append(batch)
        if self._batch is None:
            self._next_batch()

    def _next_batch(self) -> None:
        if self._closed or not self._to_analyse:
            return
        self._batch = self._to_analyse.popleft()
        self._failed = []
        self._task = self._shell.tasks.begin("Analysing", cancel=self._batch.cancel)
        self._batch.start()

    def _on_delivered(self, message: object) -> None:
        if self._batch is not None:
            self._batch.handle(message)  # type: ignore[arg-type]  # the bridge carries any object

    def _on_batch_event(self, event: BatchEvent) -> None:
        if self._closed or self._task is None:
            return
        number = min(event.total, event.done + event.failed + 1)
        self._task.update(
            f"Analysing {number:,} of {event.total:,}", fraction=event.fraction, seconds_left=event.seconds_left
        )
        if event.kind == "analysed" and event.clip is not None:
            self._shell.announce(Change(clip_ids=(event.clip.id,), what=frozenset({"analyses"})))
        elif event.kind == "failed" and event.clip is not None:
            self._failed.append(ProblemItem(file_name(event.clip.path), event.message, event.hint))
        elif event.kind in {"finished", "cancelled"}:
            self._on_batch_over(event)

    def _on_batch_over(self, event: BatchEvent) -> None:
        if self._task is not None:
            self._task.finish()
        self._task = self._batch = None
        if self._failed:
            self._shell.report(failed_problem(tuple(self._failed), total=event.total))
        elif event.kind == "finished" and event.total > 1:
            self._shell.report(Problem(f"{count(event.done, 'clip')} analysed.", tone="good"))
        self._next_batch()


@dataclass(frozen=True, slots=True)
class _Addition:
    """The addition that runs, and what becomes of what it says."""

    work: Work[Any]
    task: Task
    on_progress: Callable[[Any], None]
    on_success: Callable[[Any], None]


class _Throttle:
    """Lets the table show new clips while a long addition runs, without reading it again for each file."""

    def __init__(self, shell: Shell, *, every_s: float = 1.0) -> None:
        self._shell, self._every_s = shell, every_s
        self._last_s = time.monotonic()

    def announce(self) -> None:
        """Announce new clips if the last time is long enough ago."""
        if time.monotonic() - self._last_s >= self._every_s:
            self._last_s = time.monotonic()
            self._shell.announce(Change(what=frozenset({"clips"})))


def added_problem(report: AddReport) -> Problem:
    """What adding did, in a sentence, with every file that has a problem by name."""
    parts = [
        f"{count(report.count('added'), 'clip')} added",
        f"{report.count('known'):,} already known" if report.count("known") else "",
        f"{report.count('moved'):,} found again at another place" if report.count("moved") else "",
    ]
    said = ", ".join(part for part in parts if part)
    if not report.items:
        return Problem(
            "No video files were found there.",
            hint="Folders are searched for video files by name; a single file is tried whatever it is called.",
            tone="doubtful",
        )
    stopped = " Adding was stopped before the end." if report.cancelled else ""
    if not report.problems:
        return Problem(f"{said}.{stopped}", tone="good")
    bad = tuple(ProblemItem(file_name(item.path), item.problem or "") for item in report.problems)
    first = f"{bad[0].name}: {bad[0].sentence}"
    if len(bad) == 1:
        return Problem(f"{said}; one file has a problem.{stopped}", hint=first, tone="doubtful")
    return Problem(
        f"{said}; {len(bad):,} files have a problem.{stopped}",
        hint=f"{first} They stay in the list with their reason.",
        tone="doubtful",
        items=bad,
    )


def failed_problem(failed: tuple[ProblemItem, ...], *, total: int) -> Problem:
    """Analyses that failed, by name."""
    if len(failed) == 1:
        return Problem(f"{failed[0].name} could not be analysed: {failed[0].sentence}", hint=failed[0].hint)
    return Problem(
        f"{len(failed):,} of {count(total, 'clip')} could not be analysed.",
        hint="The others are done. Each one's reason is in the list.",
        items=failed,
    )
