"""Where a run is, in words with a shape; what a reader can do about one that ended early."""

from __future__ import annotations

from vvlm_desktop.backends.train_config import TrainConfig
from vvlm_desktop.ui.models.card_view import gigabytes
from vvlm_desktop.ui.widgets.marks import Mark
from vvlm_desktop.ui.words import clock, count, sentences, shown
from vvlm_desktop.workflow.run_progress import RunProgress, RunState

#: state → word, shape, colour
STATE_MARKS: dict[RunState, tuple[str, Mark, str]] = {
    "starting": ("Starting", "half", "accent"),
    "preparing": ("Preparing clips", "half", "accent"),
    "measuring": ("Measuring one step", "half", "accent"),
    "training": ("Training", "play", "accent"),
    "stopping": ("Stopping", "half", "doubtful"),
    "checked": ("Checked, not trained yet", "ring", "muted"),
    "stopped": ("Stopped", "dash", "muted"),
    "interrupted": ("Interrupted", "warning", "doubtful"),
    "failed": ("Failed", "cross", "bad"),
    "finished": ("Finished", "check", "good"),
}


def doing(progress: RunProgress) -> str:
    """What is being done now, beside the state's word."""
    if progress.state == "starting":
        return "The model is being loaded. This can take a minute."
    if progress.state == "preparing":
        if not progress.of:
            return "Clips are decoded; what the frozen vision tower sees of them is kept for later epochs."
        return f"Clip {progress.done + 1:,} of {progress.of:,}: {shown(progress.clip)}".rstrip(": ")
    if progress.state == "measuring":
        return "One step on the longest clip, to know its memory and time before hours are spent."
    if progress.state == "stopping":
        return "A checkpoint is made at the end of this step."
    if progress.state == "checked":
        return "Every clip was read and one step measured. Start it to train."
    if progress.state == "stopped":
        if not progress.steps:
            return "Nothing was trained yet."
        return sentences(f"At step {progress.step:,} of {progress.steps:,}", going_on(progress))
    if progress.state == "finished":
        return f"{count(progress.steps or progress.step, 'step')}. Its adapter can be measured on the test part."
    return ""


def going_on(progress: RunProgress) -> str:
    """From where Resume goes on."""
    number = progress.checkpoint.rpartition("-")[2]
    if progress.checkpoint and number.isdecimal():
        return f"Resume goes on from its last whole checkpoint, at step {int(number):,}"
    return "It has no whole checkpoint: Resume begins with the first step"


def step_reached(progress: RunProgress) -> int:
    """The step a run is at; while it begins again, the one of the checkpoint that it goes on from."""
    number = progress.checkpoint.rpartition("-")[2]
    begins = progress.state in {"starting", "preparing", "measuring"}
    return int(number) if begins and not progress.step and number.isdecimal() else progress.step


def trouble(progress: RunProgress) -> tuple[str, str]:
    """What happened to a run that ended early, and what to do; two empty texts for others."""
    if progress.state == "failed":
        cause = progress.message or "The training ended without saying why; its log may tell"
        return sentences(cause), sentences(progress.hint, going_on(progress))
    if progress.state == "interrupted":
        cause = progress.message or "The training was ended from outside, or the computer went off"
        return sentences(cause), sentences(progress.hint or going_on(progress))
    return "", ""


def epoch_words(progress: RunProgress, config: TrainConfig) -> str:
    """How often every clip was seen; of how many times where the epochs decide."""
    if config.steps:
        return f"{progress.epoch:.2f}"
    return f"{progress.epoch:.2f} of {config.epochs:g}"


def step_words(seconds: float | None) -> str:
    """Time of one step."""
    if seconds is None:
        return "–"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def memory_words(progress: RunProgress) -> str:
    """The most that was taken of the GPU's memory, and of how much."""
    if progress.memory_bytes is None:
        return ""
    if not progress.memory_of_bytes:
        return gigabytes(progress.memory_bytes)
    return f"{gigabytes(progress.memory_bytes, unit=False)} of {gigabytes(progress.memory_of_bytes)}"


def left_words(seconds: float | None) -> str:
    """Time left, coarser the more it is, so that it can be read and does not flicker."""
    if seconds is None:
        return "–"
    if seconds >= 3600:
        minutes = round(seconds / 300) * 5
        return f"{minutes // 60} h {minutes % 60:02} min"
    if seconds >= 600:
        return f"{round(seconds / 60)} min"
    return clock(seconds)


class TimeLeft:
    """Time left that runs down evenly: new estimates pull it, and only one that is far off moves it at once."""

    _PULL = 0.08
    _FAR = 0.5

    def __init__(self) -> None:
        self._end_s: float | None = None
        self._told: tuple[int, float] | None = None

    def note(self, step: int, left_s: float | None, *, now_s: float) -> float | None:
        """Seconds left at `now_s`, after the run told `left_s` at `step`; None where it told nothing."""
        if left_s is None:
            self._end_s = self._told = None
            return None
        if (step, left_s) != self._told:
            self._told = (step, left_s)
            end_s = now_s + left_s
            off = abs(end_s - self._end_s) if self._end_s is not None else float("inf")
            if self._end_s is None or off > self._FAR * max(left_s, 10.0):
                self._end_s = end_s
            else:
                self._end_s += self._PULL * (end_s - self._end_s)
        return max(0.0, (self._end_s or now_s) - now_s)
