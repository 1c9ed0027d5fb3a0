"""Adding clips in the background, and analysing them after that."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.review import Change
from vvlm_desktop.errors import JobCancelledError, VvlmError
from vvlm_desktop.ui.analysis_line import AnalysisLine
from vvlm_desktop.ui.choice import BUILT_IN, Choice
from vvlm_desktop.ui.errors_view import Problem, ProblemItem
from vvlm_desktop.ui.models.questions import Questions
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.tasks import Task
from vvlm_desktop.ui.words import count, file_name
from vvlm_desktop.ui.work_line import Job, WorkLine

if TYPE_CHECKING:
    # Imported where they are used: the window is shown before PyAV is loaded.
    from vvlm_desktop.workflow.add import AddReport
    from vvlm_desktop.workflow.add_progress import AddProgress

_SAMPLES = "make-samples"


class ClipJobs(QObject):
    """One addition and one batch of analyses at a time; the others wait in line."""

    def __init__(self, shell: Shell, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._adding = WorkLine(shell.tasks, self)
        self._analyses = AnalysisLine(shell, self)

    @property
    def questions(self) -> Questions:
        """What was asked about clips."""
        return self._analyses.questions

    @property
    def busy(self) -> bool:
        """Whether anything is added or analysed."""
        return self._adding.busy or self._analyses.busy

    def close(self) -> None:
        """Stop everything; what was stored stays, the rest of a batch goes on at the next start."""
        self._adding.close()
        self._analyses.close()

    def analyse(self, clips: Sequence[Clip], *, choice: Choice | None = None) -> None:
        """Analyse `clips` with `choice`, else what the settings choose; unreadable and waiting ones are left out."""
        self._analyses.analyse(clips, choice=choice)

    def analyse_new(self) -> None:
        """Analyse every readable clip that has no analysis by what the settings choose."""
        self._analyses.analyse_new()

    def resume(self) -> None:
        """Go on with batches that a killed program left behind."""
        self._analyses.resume()

    def add(self, paths: Sequence[Path]) -> None:
        """Add files and folders, then measure the new ones if the settings say so.

        Only the built-in measurements run by themselves: a model takes long, or sends pictures away.
        """
        wanted = list(paths)
        if not wanted:
            return
        session = self._shell.session
        seen = _Throttle(self._shell)

        def add(report: Callable[[object], None], cancelled: Callable[[], bool]) -> AddReport:
            from vvlm_desktop.workflow.add import add_paths

            return add_paths(session, wanted, progress=report, cancelled=cancelled)

        def on_progress(progress: AddProgress, task: Task) -> None:
            task.update(adding_words(progress), fraction=progress.share)
            seen.announce()

        self._adding.add(
            Job(
                "add-clips",
                add,
                on_success=self._on_added,
                on_failure=self._shell.report,
                title="Looking for clips",
                on_progress=on_progress,
            )
        )

    def add_samples(self) -> None:
        """Make and add the sample clips; the first opens in Review unless the user has gone elsewhere meanwhile."""
        if self._adding.holds(_SAMPLES):
            return
        self._shell.report(Problem("Drawing the sample clips.", hint="The first opens in a few seconds.", tone="good"))
        session = self._shell.session
        asked_at = self._shell.place

        def make(report: Callable[[object], None], cancelled: Callable[[], bool]) -> tuple[list[Clip], list[Clip]]:
            from vvlm_desktop.workflow.sample_clips import add_samples

            clips = add_samples(
                session, progress=lambda done, stage: report((done, stage)), first_ready=report, cancelled=cancelled
            )
            library = session.library
            new = [c for c in clips if all(a.backend != BUILT_IN.backend for a in library.analyses(c.id))]
            return clips, new

        def on_progress(progress: tuple[float, str] | Clip, task: Task) -> None:
            if isinstance(progress, Clip):
                elsewhere = self._is_elsewhere(asked_at)
                self._shell.announce(Change(clip_ids=(progress.id,), what=frozenset({"clips", "analyses"})))
                if not elsewhere:
                    self._shell.navigate("review", progress.id)
            else:
                task.update(f"Sample clips: {progress[1]}", fraction=progress[0])
                self._shell.announce(Change(what=frozenset({"clips", "analyses"})))

        self._adding.add(
            Job(
                _SAMPLES,
                make,
                on_success=self._on_samples,
                on_failure=self._on_no_samples,
                title="Making the sample clips",
                on_progress=on_progress,
            )
        )

    def _is_elsewhere(self, asked_at: tuple[str, str | None]) -> bool:
        """Whether the user has gone to another page or clip; then nothing opens by itself."""
        page, clip_id = self._shell.place
        if page != asked_at[0]:
            return True
        if clip_id == asked_at[1] or clip_id is None:
            return False
        # A page that had nothing to show may have opened a sample itself.
        return asked_at[1] is not None or not self._shell.session.library.clip(clip_id).is_sample

    def _on_added(self, report: AddReport) -> None:
        new = [item.clip for item in report.items if item.clip is not None and item.outcome == "added"]
        self._shell.announce(Change(clip_ids=tuple(clip.id for clip in new), what=frozenset({"clips"})))
        self._shell.report(added_problem(report))
        if self._shell.session.settings.analyse_on_add:
            self.analyse(new, choice=BUILT_IN)

    def _on_samples(self, made: tuple[list[Clip], list[Clip]]) -> None:
        clips, new = made
        self._shell.announce(Change(clip_ids=tuple(c.id for c in clips), what=frozenset({"clips", "analyses"})))
        self.analyse(new, choice=BUILT_IN)

    def _on_no_samples(self, error: VvlmError) -> None:
        self._shell.announce(Change(what=frozenset({"clips", "analyses"})))
        if isinstance(error, JobCancelledError):
            self._shell.report(Problem("Drawing the sample clips was stopped.", tone="good"))
        else:
            self._shell.report(error)


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


def adding_words(progress: AddProgress) -> str:
    """Which file is being added, and how far it is where that takes long."""
    title = f"Adding {progress.done + 1:,} of {progress.total:,}: {file_name(progress.path)}"
    if progress.checked is not None:
        return f"{title}, looking for what is damaged: {progress.checked:.0%}".replace("%", " %")
    if progress.read_bytes:
        return f"{title}, {progress.read_bytes / 1e6:,.0f} of {progress.size_bytes / 1e6:,.0f} MB"
    return title


def added_problem(report: AddReport) -> Problem:
    """What adding did, in a sentence, with every file that has a problem by name."""
    parts = [
        f"{count(report.count('added'), 'clip')} added",
        f"{report.count('known'):,} already known" if report.count("known") else "",
        f"{report.count('moved'):,} found again at another place" if report.count("moved") else "",
        f"{report.count('copy'):,} identical to a clip that is there already" if report.count("copy") else "",
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
