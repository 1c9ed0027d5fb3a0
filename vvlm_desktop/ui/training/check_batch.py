"""One batch as the model sees it, read from a run's folder: pictures, the prompt, and which words are learnt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vvlm_desktop.backends.run_folder import RunFiles
from vvlm_desktop.ui.words import clock, count
from vvlm_desktop.workflow.gpu import duration_in_words
from vvlm_desktop.workflow.run_events import number, whole
from vvlm_desktop.workflow.run_progress import RunProgress


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """A picture as it goes into the model."""

    file: Path
    pts: int
    time_s: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the answer; the loss is over what is `learnt` alone."""

    text: str
    learnt: bool


@dataclass(frozen=True, slots=True)
class SeenClip:
    """A clip of the batch."""

    clip: str
    frames: tuple[SeenFrame, ...] = ()
    prompt: str = ""
    answer: tuple[Piece, ...] = ()
    prompt_tokens: int = 0
    answer_tokens: int = 0
    learnt_tokens: int = 0

    @property
    def in_words(self) -> str:
        """Its numbers in a line."""
        prompt, answer = count(self.prompt_tokens, "token"), count(self.answer_tokens, "token")
        return f"{count(len(self.frames), 'frame')} · prompt {prompt} · answer {answer}, {self.learnt_tokens:,} learnt"


@dataclass(frozen=True, slots=True)
class SeenBatch:
    """All clips of one batch; empty with a reason where it cannot be read."""

    clips: tuple[SeenClip, ...] = ()
    problem: str = ""


def read_batch(run_folder: Path) -> SeenBatch:
    """What the check has put down."""
    folder = RunFiles(run_folder).check_dir
    try:
        told = json.loads((folder / "batch.json").read_text(encoding="utf-8"))
        return SeenBatch(tuple(_clip(folder, each) for each in told["clips"]))
    except FileNotFoundError:
        return SeenBatch(problem="The check has left no pictures.")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        return SeenBatch(problem=f"What the check has put down cannot be read: {error}")


def _clip(folder: Path, told: Mapping[str, Any]) -> SeenClip:
    # Names only: a file that was copied here from elsewhere must not open what lies outside its folder.
    frames = (
        SeenFrame(folder / Path(str(each["file"])).name, int(each["pts"]), _seconds(each["time_s"]))
        for each in told["frames"]
    )
    return SeenClip(
        clip=str(told["clip"]),
        frames=tuple(frames),
        prompt=str(told["prompt"]),
        answer=tuple(Piece(str(each["text"]), bool(each["learnt"])) for each in told["answer"]),
        prompt_tokens=int(told.get("prompt_tokens", 0)),
        answer_tokens=int(told.get("answer_tokens", 0)),
        learnt_tokens=int(told.get("learnt_tokens", 0)),
    )


def _seconds(value: Any) -> float:
    found = number(value)
    if found is None:
        raise ValueError(f"{value!r} is no time")
    return found


def measured_words(progress: RunProgress) -> str:
    """What the real step says: about 2 h 10 min; 14.2 of 24.0 GB. Empty where nothing was measured."""
    step = progress.first_step
    took_s, memory = number(step.get("whole_s")), whole(step.get("memory_bytes")) or progress.memory_bytes
    said = []
    if took_s is not None:
        said.append(f"about {_long(took_s)} for the whole run")
    if memory:
        of = whole(step.get("memory_of_bytes")) or progress.memory_of_bytes
        total = f" of {of / 1024**3:.1f}" if of else ""
        said.append(f"{memory / 1024**3:.1f}{total} GB of memory at the peak")
    words = "; ".join(said)
    return words[:1].upper() + words[1:]


def _long(seconds: float) -> str:
    """A duration as people say it, minutes kept where there are hours."""
    hours, minutes = int(seconds // 3600), int(seconds % 3600 // 60)
    return f"{hours} h {minutes} min" if hours else duration_in_words(seconds)


def preflight_words(progress: RunProgress) -> list[tuple[bool, str]]:
    """What was found before the step: (whether it is fine, sentence)."""
    told = progress.preflight
    found: list[tuple[bool, str]] = []
    if "train" in told:
        held_out = f"{told.get('val', 0)} for validation, {told.get('test', 0)} for the test"
        learnt = whole(told["train"])
        found.append((learnt > 0, f"{count(learnt, 'clip')} to learn from, {held_out}."))
    longest = told.get("longest")
    if isinstance(longest, Mapping) and "clip" in longest:
        tokens = longest.get("tokens")
        length = f" ({count(int(tokens), 'token')})" if isinstance(tokens, int) else ""
        found.append((True, f"The longest clip is {longest['clip']}{length}."))
    found += [(False, note) for note in progress.notes]
    return found


def time_words(frame: SeenFrame) -> str:
    """When a frame is in its clip."""
    return f"{clock(int(frame.time_s))}.{int(frame.time_s * 100 % 100):02} · PTS {frame.pts}"
