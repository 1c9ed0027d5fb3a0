"""Has a model answer with and without its adapter, one after the other, in the window's own line of batches.

Both run in the same worker with the same options, so that one loaded model serves both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, Signal

from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import JobCancelledError, UsageError, VvlmError
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.choice import Choice, choice_of_batch
from vvlm_desktop.ui.errors_view import Problem
from vvlm_desktop.ui.page import Shell
from vvlm_desktop.ui.words import count
from vvlm_desktop.ui.work_line import Job, WorkLine
from vvlm_desktop.workflow.answerers import Source
from vvlm_desktop.workflow.comparing import base_of, comparison, latest_of
from vvlm_desktop.workflow.reusing import answered_alike
from vvlm_desktop.workflow.session import Session

#: Finds the options with the chosen model and adapter; called in a thread.
FindOptions = Callable[[Settings], dict[str, object]]


@dataclass(frozen=True, slots=True)
class _Plan:
    base: Choice
    tuned: Choice
    clips: tuple[Clip, ...]


class RunBoth(QObject):
    """Begins the two batches; their progress is in the status bar, their answers arrive as any other."""

    chosen = Signal(object)  # (Source, Source): whose answers there are, or will be, when it is done

    def __init__(self, shell: Shell, parent: QObject | None = None, *, find_options: FindOptions | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._find_options = find_options or options_of_settings
        self._line = WorkLine(shell.tasks, self)

    def start(self, clips: Sequence[Clip]) -> None:
        """Analyse those of `clips` that do not have both answers on equal terms yet."""
        session, settings, find = self._shell.session, self._shell.session.settings, self._find_options
        if self._line.busy:
            return

        def plan(_report: Callable[[object], None], cancelled: Callable[[], bool]) -> _Plan:
            options = find(settings)
            base, tuned = choice_of_batch("local", base_of(options)), choice_of_batch("local", options)
            return _Plan(base, tuned, tuple(_lacking(session, clips, tuned, cancelled)))

        self._line.add(Job("compare-plan", plan, on_success=self._on_planned, on_failure=self._on_refused))

    def close(self) -> None:
        """The page goes."""
        self._line.close()

    def _on_planned(self, plan: _Plan) -> None:
        both = (plan.base, plan.tuned)
        self.chosen.emit(tuple(Source(each.backend, each.model or "", each.adapter or None) for each in both))
        if not plan.clips:
            title = plan.tuned.title
            self._shell.report(Problem(f"All of these clips have both answers: with and without {title}.", tone="good"))
            return
        self._shell.analyse(plan.clips, choice=plan.base)
        self._shell.analyse(plan.clips, choice=plan.tuned)
        said = f"{count(len(plan.clips), 'clip')}: first {plan.base.title}, then {plan.tuned.title}."
        self._shell.report(Problem(said, tone="good"))

    def _on_refused(self, error: VvlmError) -> None:
        if isinstance(error, JobCancelledError):
            return
        offer = partial(self._shell.navigate, "models")
        self._shell.report(Problem(str(error), hint=error.hint, offer="Show the models", do=offer))


def options_of_settings(settings: Settings) -> dict[str, object]:
    """Options with the model and the adapter that were chosen on the Models page.

    Raises:
        UsageError: one of the two has not been chosen.
    """
    from vvlm_desktop.workflow.models import local_options

    if not settings.local_model:
        raise UsageError("No local model is chosen.", hint="Choose a model and one of its adapters on the Models page.")
    if not settings.local_adapter:
        raise UsageError(
            f"No adapter is chosen, so there is nothing to compare {settings.local_model} with.",
            hint="Choose an adapter of this model on the Models page.",
        )
    return local_options(settings).to_json()


def _lacking(session: Session, clips: Sequence[Clip], tuned: Choice, cancelled: Callable[[], bool]) -> list[Clip]:
    """Clips whose newest answers, with and without the adapter, are not what these options would give."""
    lacking = []
    for clip in clips:
        if cancelled():
            raise JobCancelledError("Comparing was stopped.")
        model, adapter = tuned.model or "", tuned.adapter or None
        base = latest_of(session, clip.id, backend=tuned.backend, model=model)
        other = latest_of(session, clip.id, backend=tuned.backend, model=model, adapter=adapter)
        as_asked = (
            answered_alike(session, clip, backend=tuned.backend, options=base_of(tuned.options)),
            answered_alike(session, clip, backend=tuned.backend, options=tuned.options),
        )
        if (
            base is None
            or other is None
            or (base, other) != as_asked
            or comparison(session, clip.id, base, other).notes
        ):
            lacking.append(clip)
    return lacking
