"""Analysing clips in the background: one batch at a time, the others in line, all of them in the library at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.protocol import Result, Upload
from vvlm_desktop.ui.analysis_news import AnalysisNews
from vvlm_desktop.ui.choice import BUILT_IN, Choice, choice_of_batch
from vvlm_desktop.ui.errors_view import Problem, ProblemItem
from vvlm_desktop.ui.job_bridge import Bridge
from vvlm_desktop.ui.models.batch_words import Spent, Stages, batch_title
from vvlm_desktop.ui.models.idle_worker import KIND, IdleWorker
from vvlm_desktop.ui.models.questions import Questions
from vvlm_desktop.ui.models.sending import Sending, refusal_problem
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.tasks import Task
from vvlm_desktop.ui.words import count, file_name
from vvlm_desktop.ui.work_line import Job, WorkLine

if TYPE_CHECKING:
    # Imported where they are used: the window is shown before PyAV is loaded.
    from vvlm_desktop.settings import Settings
    from vvlm_desktop.workflow.analyse import AnalyseBatch, BatchEvent
    from vvlm_desktop.workflow.interrupted import Interrupted
    from vvlm_desktop.workflow.workers import Workers

#: Noting so many clips takes about 20 ms (100,000: 0.9 s); more are noted in a thread.
_NOTED_AT_ONCE = 2_000
#: Of a batch of so many clips Review hears which ones still wait.
_NAMED = 500
#: Finds what the settings choose, ready for a worker; called in a thread, raises `VvlmError`.
FindChoice = Callable[["Settings"], Choice]


@dataclass(eq=False, slots=True)
class _Line:
    """A batch, and what it is analysed with."""

    batch: AnalyseBatch
    choice: Choice
    failed: list[ProblemItem] = field(default_factory=list)
    stages: Stages = field(default_factory=Stages)
    spent: Spent = field(default_factory=Spent)

    @property
    def batch_key(self) -> tuple[str, str]:
        """Batches with the same key say the same about a clip."""
        return self.choice.backend, self.choice.title


class AnalysisLine(QObject):
    """The window's batches of analyses."""

    def __init__(self, shell: Shell, parent: QObject | None = None, *, find_choice: FindChoice | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._find_choice = find_choice or _chosen_by_settings
        self._session = shell.session
        self._bridge = Bridge(self._on_delivered, self)
        self._workers: Workers | None = None
        self._line = WorkLine(shell.tasks, self)
        self._opening: list[_Line] = []
        self._waiting: deque[_Line] = deque()
        self._now: _Line | None = None
        self._task: Task | None = None
        self._news = AnalysisNews(shell, self)
        self._sending = Sending(shell, self)
        self.questions = Questions(
            shell,
            workers=self._shared_workers,
            find_choice=self._with_choice,
            sending=self._sending,
            parent=self,
        )
        self.idle = IdleWorker(shell.tasks, busy=lambda: self.busy or self.questions.busy, parent=self)
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether anything is analysed or about to be."""
        return self._now is not None or bool(self._opening) or bool(self._waiting) or self._line.busy

    def close(self) -> None:
        """Stop everything; what was stored stays, the rest of each batch is free for whoever goes on with it."""
        self._closed = True
        self.questions.close()
        self._news.stop()
        self.idle.close()
        self._sending.close()
        self._line.close()
        self._bridge.close()
        if self._workers is not None:
            self._workers.close()
        for line in self._lines():
            line.batch.release()

    def _lines(self) -> list[_Line]:
        return [line for line in (self._now, *self._waiting, *self._opening) if line is not None]

    def analyse(self, clips: Sequence[Clip], *, choice: Choice | None = None) -> None:
        """Analyse `clips` with `choice`, or with what the settings choose.

        Unreadable ones are left out, and those that a batch here is going to analyse in the same way anyway.
        """
        if not clips:
            return
        self._with_choice(lambda found: self._begin(clips, found), self._on_no_choice, choice=choice)

    def analyse_new(self) -> None:
        """Analyse every readable clip that has no analysis by what the settings choose, and is in no such batch."""
        self._with_choice(self._find_new, self._on_no_choice)

    def _with_choice(
        self,
        go_on: Callable[[Choice], None],
        refuse: Callable[[VvlmError], None],
        *,
        choice: Choice | None = None,
    ) -> None:
        """Find what the settings choose, in a thread where folders have to be looked at."""
        settings = self._shell.session.settings
        if choice is None and settings.backend == BUILT_IN.backend:
            choice = BUILT_IN
        if choice is not None:
            go_on(choice)
            return
        find = self._find_choice

        def look(_report: object, _cancelled: object) -> Choice:
            return find(settings)

        self._line.add(Job("find-model", look, on_success=go_on, on_failure=refuse))

    def _on_no_choice(self, error: VvlmError) -> None:
        offer = partial(self._shell.navigate, "models")
        self._shell.report(Problem(str(error), hint=error.hint, offer="Show the models", do=offer))

    def _find_new(self, choice: Choice) -> None:
        from vvlm_desktop.workflow.interrupted import pending_clip_ids

        session = self._session

        def find(_report: object, _cancelled: object) -> tuple[bool, list[Clip]]:
            without = session.library.clips_without(
                choice.backend,
                model=choice.model,
                adapter=choice.adapter,
                schema_labels_sha=session.schema.labels_sha,
            )
            pending = pending_clip_ids(session, choice.backend)  # of other programs too
            return bool(without), [clip for clip in without if clip.id not in pending]

        def found(result: tuple[bool, list[Clip]]) -> None:
            any_new, clips = result
            if not any_new:
                by = "" if choice == BUILT_IN else f" by {choice.title}"
                self._shell.report(Problem(f"Every clip that can be read has been analysed{by}.", tone="good"))
            elif not self._wanted(clips, choice):
                self._shell.report(Problem("All new clips are being analysed already.", tone="good"))
            else:
                self._begin(clips, choice)

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
                if not batch.fits:
                    self._shell.report(outdated_problem(len(batch.clips), schema_key=batch.schema_key))
                elif (choice := choice_of_batch(batch.backend, batch.options)).info.leaves_computer:
                    # Nothing leaves because the program was started: somebody says so first.
                    go_on = partial(self._send, batch.clips, choice, batch_id=batch.batch_id)
                    self._shell.report(unsent_problem(len(batch.clips), choice, go_on=go_on))
                else:
                    self._open(self._new_line(batch.clips, choice, batch_id=batch.batch_id))

        self._line.add(Job("find-interrupted", find, on_success=found, on_failure=self._shell.report))

    # -- batches

    def _wanted(self, clips: Sequence[Clip], choice: Choice) -> list[Clip]:
        """Those of `clips` that can be read, and that no batch here is going to analyse in the same way."""
        key = (choice.backend, choice.title)
        same = [line.batch.pending_ids for line in self._lines() if line.batch_key == key]
        pending = frozenset[str]().union(*same)
        return [clip for clip in clips if clip.readable and clip.id not in pending]

    def _begin(self, clips: Sequence[Clip], choice: Choice) -> None:
        """Analyse `clips`; first asks where pictures would leave this computer."""
        wanted = self._wanted(clips, choice)
        if not wanted:
            return
        if choice.info.leaves_computer:
            self._send(wanted, choice)
        else:
            self._open(self._new_line(wanted, choice))

    def _send(self, clips: Sequence[Clip], choice: Choice, *, batch_id: str | None = None) -> None:
        """Analyse `clips` elsewhere, once somebody has said yes to just these."""

        def go_on(allowed: Choice, secrets: Mapping[str, str]) -> None:
            self._open(self._new_line(clips, allowed, batch_id=batch_id, secrets=secrets))

        def refuse(error: VvlmError) -> None:
            self._shell.report(refusal_problem(self._shell, error, choice))

        self._sending.ask(clips, choice, go_on=go_on, refuse=refuse)

    def _new_line(
        self,
        clips: Sequence[Clip],
        choice: Choice,
        *,
        batch_id: str | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> _Line:
        from vvlm_desktop.workflow.analyse import AnalyseBatch

        batch = AnalyseBatch(
            self._session,
            clips,
            backend=choice.backend,
            workers=self._shared_workers(),
            on_event=self._on_event,
            options=choice.options,
            batch_id=batch_id,
            secrets=secrets,
        )
        return _Line(batch, choice)

    def _shared_workers(self) -> Workers:
        """The children that batches and questions are sent to; nothing is started yet."""
        from vvlm_desktop.workflow.workers import Workers

        if self._workers is None:
            self._workers = Workers(self._bridge.deliver)
        return self._workers

    def _open(self, line: _Line) -> None:
        """Note the batch in the library now, so that it is not lost while it waits."""
        self._opening.append(line)
        if line.batch.total > _NOTED_AT_ONCE:
            self._line.add(
                Job(
                    "note-batch",
                    lambda _report, _cancelled: line.batch.open(),
                    on_success=lambda opened: self._on_opened(line, opened=opened),
                    on_failure=lambda error: self._on_not_opened(line, error),
                )
            )
            return
        try:
            opened = line.batch.open()
        except VvlmError as error:
            self._on_not_opened(line, error)
        else:
            self._on_opened(line, opened=opened)

    def _on_opened(self, line: _Line, *, opened: bool) -> None:
        self._opening.remove(line)
        if opened:  # otherwise another program goes on with it
            self._waiting.append(line)
            if self._now is None:
                self._next_batch()

    def _on_not_opened(self, line: _Line, error: VvlmError) -> None:
        self._opening.remove(line)
        self._shell.report(error)

    def _next_batch(self) -> None:
        if self._closed or not self._waiting:
            return
        self._now = self._waiting.popleft()
        batch = self._now.batch
        self._task = self._shell.tasks.begin(f"Analysing · {self._now.choice.title}", cancel=batch.cancel)
        self._name_clips(self._task, self._now)
        batch.start()

    def _name_clips(self, task: Task, line: _Line) -> None:
        """Say which clips are in work; of a long batch not those that wait, which would be put together each time."""
        few = line.batch.total <= _NAMED
        in_work = line.batch.pending_ids if few else line.stages.clip_ids
        task.clip_ids, task.clips_in_all = in_work | self._news.untold, line.batch.total

    def _on_delivered(self, message: object) -> None:
        line = self._now
        if line is not None:
            if isinstance(message, Result) and message.answer.get("kind") != "question":
                line.spent.take(message.answer)
            line.batch.handle(message)  # type: ignore[arg-type]  # the bridge carries any object
        self.questions.handle(message)
        if isinstance(message, Upload):
            self._news.add_sent()  # after the ledger has its line
        if self._workers is not None and (line is None or line.batch.backend.worker == KIND):
            self.idle.used(self._workers)

    def _on_event(self, event: BatchEvent) -> None:
        line = self._now
        if self._closed or self._task is None or line is None:
            return
        line.stages.take(event)
        elsewhere = line.choice.info.leaves_computer
        title = batch_title(event, title=line.choice.title, stages=line.stages.summary if elsewhere else "")
        self._task.details = line.stages.lines if elsewhere else ""
        if event.kind == "analysed" and event.clip is not None:
            self._news.add(event.clip.id)
        self._name_clips(self._task, line)
        self._task.update(title, fraction=event.fraction, seconds_left=event.seconds_left)
        if event.kind == "failed" and event.clip is not None:
            line.failed.append(ProblemItem(file_name(event.clip.path), event.message, event.hint))
        elif event.kind in {"finished", "cancelled", "stopped"}:
            self._on_batch_over(event, line)

    def _on_batch_over(self, event: BatchEvent, line: _Line) -> None:
        self._news.tell()
        if self._task is not None:
            self._task.finish()
        self._task = self._now = None
        if event.kind == "stopped":
            self._shell.report(Problem(event.message, hint=event.hint, details=event.details))
        if line.failed:
            self._shell.report(failed_problem(tuple(line.failed), total=event.total))
        elif event.kind == "finished" and (event.total > 1 or line.spent.in_words):
            self._shell.report(Problem(analysed_words(event.done, line.spent), tone="good"))
        self._next_batch()


def _chosen_by_settings(settings: Settings) -> Choice:
    from vvlm_desktop.ui.models.local_shelf import LocalShelf

    return LocalShelf().chosen(settings)


def failed_problem(failed: tuple[ProblemItem, ...], *, total: int) -> Problem:
    """Analyses that failed, by name."""
    if len(failed) == 1:
        return Problem(f"{failed[0].name} could not be analysed: {failed[0].sentence}", hint=failed[0].hint)
    return Problem(
        f"{len(failed):,} of {count(total, 'clip')} could not be analysed.",
        hint="The others are done. Each one's reason is in the list.",
        items=failed,
    )


def analysed_words(clips: int, spent: Spent) -> str:
    """What a batch did, and what it cost where that is known."""
    cost = spent.in_words
    return f"{count(clips, 'clip')} analysed{': ' + cost if cost else ''}."


def unsent_problem(clips: int, choice: Choice, *, go_on: Callable[[], object]) -> Problem:
    """An interrupted batch whose clips would leave this computer."""
    return Problem(
        f"An analysis with {choice.title} was interrupted, {count(clips, 'clip')} before its end.",
        hint="Nothing is sent before you say so.",
        tone="doubtful",
        offer="Go on…",
        do=go_on,
    )


def outdated_problem(clips: int, *, schema_key: str) -> Problem:
    """An interrupted batch that was begun with labels that are not in use any more."""
    return Problem(
        f"An interrupted analysis of {count(clips, 'clip')} was given up: it was begun with other labels"
        f" ({schema_key}) than those in use.",
        hint="“Analyse new clips” begins anew with the labels in use.",
        tone="doubtful",
    )
