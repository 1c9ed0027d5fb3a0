"""What the result of a run rests on, read in a thread: its evaluations, the judgement, what was promoted before."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from vvlm_desktop.backends.run_folder import RunFiles
from vvlm_desktop.errors import UsageError, VvlmError
from vvlm_desktop.ui.job_bridge import Work
from vvlm_desktop.workflow import promotion, runs
from vvlm_desktop.workflow.promotion import Judgement, Promotion, PromotionRule
from vvlm_desktop.workflow.promotion_log import default_in_use
from vvlm_desktop.workflow.runs import Evaluation, Run
from vvlm_desktop.workflow.session import Session

TEST = "test"


@dataclass(frozen=True, slots=True)
class ResultFacts:
    """A run's result as it is now.

    Attributes:
        rule: in force, by which it was judged.
        evaluations: of the test part, the newest first.
        chosen: the one that is shown and judged.
        unjudged: why there is no judgement.
        running: an evaluation of the test part that is under way, whoever started it.
        default: how this run's adapter became the default; None where it is not the default.
    """

    run: Run
    rule: PromotionRule
    has_adapter: bool = False
    evaluations: tuple[Evaluation, ...] = ()
    chosen: Evaluation | None = None
    judgement: Judgement | None = None
    unjudged: VvlmError | None = None
    running: Evaluation | None = None
    default: Promotion | None = None


def is_of(adapter: str, run: Run) -> bool:
    """Whether an adapter, as settings and promotions name it, is the one that a run made."""
    return bool(adapter) and run.name in {adapter, Path(adapter).name}


def read_facts(session: Session, run: Run, chosen: Path | None = None) -> ResultFacts:
    """Read everything; `chosen` is the folder of the evaluation to show, None for the newest."""
    found = tuple(each for each in runs.evaluations(run) if each.split == TEST)
    shown = next((each for each in found if each.folder == chosen), found[0] if found else None)
    rule = promotion.rule_of(session.settings)
    judgement: Judgement | None = None
    unjudged: VvlmError | None = None
    if shown is not None:
        try:
            judgement = promotion.judge(session, shown, rule=rule)
        except VvlmError as error:
            unjudged = error
    running = runs.live_evaluation(run)
    return ResultFacts(
        run,
        rule,
        RunFiles(run.folder).finished,
        found,
        shown,
        judgement,
        unjudged,
        running if running is not None and running.split == TEST else None,
        _default(session, run),
    )


def _default(session: Session, run: Run) -> Promotion | None:
    in_use = default_in_use(session.settings)
    every = promotion.promotions(session)
    return next((each for each in every if each.after == in_use and is_of(each.adapter, run)), None)


def clips_of(session: Session, evaluation: Evaluation) -> tuple[int, ...]:
    """Row ids of the clips that were answered, as far as they are in the library.

    Raises:
        UsageError: the answers cannot be read.
    """
    try:
        text = (evaluation.folder / "answers.jsonl").read_text(encoding="utf-8")
        ids = {str(json.loads(line)["clip_id"]): None for line in text.splitlines() if line}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"The answers of this evaluation cannot be read: {error}.", hint="Measure the run again on the test part."
        ) from error
    rows = (session.library.rowid_of(clip_id) for clip_id in ids)
    return tuple(array("q", (row for row in rows if row is not None)))


class Errand(QObject):
    """One function at a time in a thread; a newer one makes the older one's answer unwanted."""

    done = Signal(object)
    failed = Signal(object)  # VvlmError

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._work: Work[object] | None = None

    @property
    def busy(self) -> bool:
        """Whether it is under way."""
        return self._work is not None

    def start(self, function: Callable[[], object]) -> None:
        """Begin; its answer arrives as `done` or `failed`."""

        def run(_report: Callable[[object], None], _cancelled: Callable[[], bool]) -> object:
            return function()

        self._work = Work(run, name=self._name, parent=self)
        self._work.succeeded.connect(self._on_succeeded)
        self._work.failed.connect(self._on_failed)
        self._work.ended.connect(self._on_ended)
        self._work.start()

    def forget(self) -> None:
        """Nobody wants the answer any more."""
        self._work = None

    def close(self) -> None:
        """Wait for what is under way; nothing arrives."""
        self._work = None
        for work in self.findChildren(Work):
            work.wait(5.0)

    def _on_succeeded(self, result: object) -> None:
        if self.sender() is self._work:
            self._work = None
            self.done.emit(result)

    def _on_failed(self, error: VvlmError) -> None:
        if self.sender() is self._work:
            self._work = None
            self.failed.emit(error)

    def _on_ended(self) -> None:
        sender = self.sender()
        if sender is self._work:
            self._work = None  # a bug, which was reported
        if isinstance(sender, Work):
            sender.deleteLater()
