"""What the history says of each run, read in a thread."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.ui.job_bridge import Work
from vvlm_desktop.ui.training.plot_scale import smoothed
from vvlm_desktop.ui.training.result_rows import BASE
from vvlm_desktop.ui.training.result_work import TEST, is_of
from vvlm_desktop.workflow import runs
from vvlm_desktop.workflow.run_progress import RunFollower, RunProgress
from vvlm_desktop.workflow.runs import Evaluation, Run
from vvlm_desktop.workflow.session import Session


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in the history.

    Attributes:
        metric: what it reached, in words; empty where nothing was measured.
    """

    run: Run
    progress: RunProgress
    metric: str = ""
    default: bool = False
    evaluation: Evaluation | None = None


def mean_score(fields: Mapping[str, Mapping[str, Any]]) -> float | None:
    """Mean over the fields of how right they are; None of nothing."""
    scores = [float(each["score"]) for each in fields.values() if isinstance(each.get("score"), int | float)]
    return statistics.fmean(scores) if scores else None


def headline(progress: RunProgress, evaluation: Evaluation | None) -> str:
    """The one number of a run: of the test part where it was measured, else of validation clips, else its loss.

    A mean over the fields, in which lists count by F1 and all others by right answers.
    """
    if evaluation is not None:
        scores = evaluation.metrics.get("scores", {})
        base = mean_score(scores.get(BASE, {}).get("fields", {}))
        name = evaluation.run.name if evaluation.run.name in scores else next((n for n in scores if n != BASE), "")
        own = mean_score(scores.get(name, {}).get("fields", {}))
        if own is not None:
            before = f", base {100 * base:.1f} %" if base is not None else ""
            return f"mean {100 * own:.1f} % on the test part{before}"
    found = mean_score(progress.answers.get("fields", {}) if progress.answers else {})
    if found is not None:
        return f"mean {100 * found:.1f} % on validation clips"
    if progress.validation:
        return f"validation loss {progress.validation[-1][1]:.3f}"
    if progress.loss:
        return f"loss {smoothed(progress.loss)[-1][1]:.3f}"
    return ""


def read_line(run: Run, *, adapter_in_use: str) -> RunLine:
    """Read one run from the beginning."""
    progress = RunFollower(run.folder).poll()
    evaluation = next((each for each in runs.evaluations(run) if each.split == TEST), None)
    return RunLine(run, progress, headline(progress, evaluation), is_of(adapter_in_use, run), evaluation)


def field_titles(schema: LabelSchema) -> Callable[[str], str]:
    """Labels of fields by their keys; keys that the schema does not have stay as they are."""
    return lambda key: schema.field(key).label if key in schema else key


class HistoryReader(QObject):
    """Reads lines of runs one by one; what is asked for last is what arrives."""

    line_read = Signal(object)  # RunLine

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work: Work[None] | None = None
        self._again: tuple[Session, tuple[Run, ...]] | None = None

    @property
    def busy(self) -> bool:
        """Whether something is being read."""
        return self._work is not None

    def read(self, session: Session, wanted: Sequence[Run]) -> None:
        """Read these runs, after what is being read."""
        if self._work is not None:
            self._again = (session, tuple(wanted))
            self._work.cancel()
            return
        chosen = tuple(wanted)

        def run(report: Callable[[object], None], cancelled: Callable[[], bool]) -> None:
            in_use = adapter_in_use(session)
            for each in chosen:
                if cancelled():
                    return
                report(read_line(each, adapter_in_use=in_use))

        self._work = Work(run, name="run-history", parent=self)
        self._work.progressed.connect(self._on_read)
        self._work.ended.connect(self._on_ended)
        self._work.start()

    def close(self) -> None:
        """Nothing is read or told any more."""
        work, self._work, self._again = self._work, None, None
        if work is not None:
            work.cancel()
            work.wait(5.0)

    def _on_read(self, line: RunLine) -> None:
        if self._work is not None:
            self.line_read.emit(line)

    def _on_ended(self) -> None:
        sender = self.sender()
        if isinstance(sender, Work):
            sender.deleteLater()
        if sender is not self._work:
            return
        self._work = None
        again, self._again = self._again, None
        if again is not None:
            self.read(*again)


def adapter_in_use(session: Session) -> str:
    """The adapter that Analyse uses; empty for none."""
    settings = session.settings
    return settings.local_adapter if settings.backend == "local" else ""
