"""Following a run or an evaluation from a terminal: a line that moves, and what Ctrl-C does."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from vvlm_desktop.cli.output import Steps, is_terminal, note, progress_bar, stopped

if TYPE_CHECKING:
    from vvlm_desktop.workflow.run_evaluation import EvaluationProgress
    from vvlm_desktop.workflow.run_progress import RunProgress
    from vvlm_desktop.workflow.runs import Evaluation, Run

    Progress: TypeAlias = RunProgress | EvaluationProgress

_POLL_S = 0.2
#: Where no bar is seen, a log gets a line as often as this.
_TELL_EVERY_S = 10.0


class Following:
    """Polls until nothing works there any more; the first Ctrl-C asks it to stop, the second leaves it alone.

    Attributes:
        asked: whether Ctrl-C asked it to stop.
    """

    def __init__(self, ask_to_stop: Callable[[], object], *, asks: str, leaves: str, asked: bool = False) -> None:
        """`asks`, `leaves`: what is said on the first and on the second Ctrl-C; with `asked` one is enough."""
        self.asked = asked
        self._ask_to_stop = ask_to_stop
        self._asks = asks
        self._leaves = leaves

    def until_end(self, poll: Callable[[], tuple[bool, float, str]], bar: Steps) -> None:
        """`poll` gives whether it is live, how far it is, and that in words."""
        told, told_s = "", -_TELL_EVERY_S
        while True:
            try:
                live, fraction, words = poll()
                bar.show(fraction, words)
                if words != told and not is_terminal() and time.monotonic() - told_s >= _TELL_EVERY_S:
                    told, told_s = words, time.monotonic()
                    note(words)
                if not live:
                    return
                time.sleep(_POLL_S)
            except KeyboardInterrupt:
                if self.asked:
                    raise stopped(self._leaves) from None
                self.asked = True
                note(self._asks)
                self._ask_to_stop()


def follow_run(run: Run, *, asked: bool = False) -> tuple[RunProgress, bool]:
    """Follow a run to its end; how it ended, and whether Ctrl-C ended it.

    Args:
        asked: it was asked to stop already, or is only looked at: Ctrl-C leaves it alone.
    """
    from vvlm_desktop.workflow.runs import RunFollower, stop_run

    follower = RunFollower(run.folder)

    def poll() -> tuple[bool, float, str]:
        progress = follower.poll()
        return progress.live, progress.fraction, run_words(progress)

    following = Following(
        lambda: stop_run(run),
        asks="It stops with a checkpoint at the next step. Ctrl-C again leaves it to itself.",
        leaves=f"{run.name} is left to itself. Look at it again: vvlm runs follow {run.name}",
        asked=asked,
    )
    with progress_bar("starting") as bar:
        following.until_end(poll, bar)
    return follower.progress, following.asked


def follow_evaluation(evaluation: Evaluation, *, asked: bool = False) -> tuple[EvaluationProgress, bool]:
    """Follow an evaluation to its end; how it ended, and whether Ctrl-C ended it; `asked` as for a run."""
    from vvlm_desktop.workflow.runs import EvaluationFollower, stop_evaluation

    follower = EvaluationFollower(evaluation.folder)

    def poll() -> tuple[bool, float, str]:
        progress = follower.poll()
        done = progress.done / progress.clips if progress.clips else 0.0
        return progress.live, done, evaluation_words(progress)

    following = Following(
        lambda: stop_evaluation(evaluation),
        asks="It stops after the clip in work; nothing of it is kept. Ctrl-C again leaves it to itself.",
        leaves=f"The evaluation is left to itself. Look at it again: vvlm runs follow {evaluation.run.name}",
        asked=asked,
    )
    with progress_bar("starting") as bar:
        following.until_end(poll, bar)
    return follower.progress, following.asked


def evaluation_words(progress: EvaluationProgress) -> str:
    """An evaluation in one line."""
    if not progress.clips or not progress.live:
        return progress.state
    return f"{progress.state} {progress.done} of {progress.clips} clips {progress.clip}".rstrip()


def run_words(progress: RunProgress) -> str:
    """A run in one line."""
    words: list[str] = [progress.state]
    if progress.state == "preparing" and progress.of:
        words.append(f"{progress.done} of {progress.of} clips {Path(progress.clip).name}".rstrip())
    elif progress.state == "preparing":
        words.append("loading the model")
    if progress.steps and progress.state not in ("starting", "preparing"):
        words.append(f"step {progress.step} of {progress.steps}")
    if progress.loss and progress.state not in ("starting", "preparing", "measuring"):
        words.append(f"loss {progress.loss[-1][1]:.4f}")
    if progress.live and progress.left_s is not None:
        words.append(f"{_duration(progress.left_s)} left")
    if progress.memory_bytes:
        of = f" of {progress.memory_of_bytes / 1024**3:.0f}" if progress.memory_of_bytes else ""
        words.append(f"{progress.memory_bytes / 1024**3:.1f}{of} GiB")
    return " · ".join(words)


def _duration(seconds: float) -> str:
    from vvlm_desktop.workflow.gpu import duration_in_words

    return duration_in_words(seconds)
