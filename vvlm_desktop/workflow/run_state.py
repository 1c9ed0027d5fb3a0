"""A run at one moment: where it is, its curves, what it found out before it began, why it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

RunState: TypeAlias = Literal[
    "starting",  # launched; nothing was told yet
    "preparing",  # clips are decoded, features made
    "measuring",  # the step on the longest clip
    "training",
    "stopping",  # asked to; a checkpoint is being made
    "checked",  # looked at before training, and not trained yet
    "stopped",  # goes on with Resume; also where it was made and never started
    "interrupted",  # killed, or the computer went off; goes on with Resume
    "failed",  # `message` says why; goes on with Resume where a checkpoint is whole
    "finished",
]
LIVE: frozenset[RunState] = frozenset({"starting", "preparing", "measuring", "training", "stopping"})


@dataclass(slots=True)
class RunProgress:
    """A run as its events tell it; curves are (step, number) with what a resumed run repeats told once.

    Attributes:
        left_s: seconds until its end, None where that is not known yet.
        memory_bytes: peak of the GPU's memory, None on a processor; of `memory_of_bytes`.
        done, of: clips prepared, in state "preparing"; `clip` is the name of the one in work.
        loss, validation, learning_rate: curves; numbers that are not finite are no points, and told in `notes`.
        fields: a curve for each field, of its score on the validation clips, 0..1.
        preflight, first_step: as told, see the README of `training`; empty until then.
        answers: scores of the newest evaluation on validation clips, as `training.scores` writes them.
        notes: sentences to be read: what was left out, what was skipped, where it went on.
        message, hint: why it failed or was interrupted; empty otherwise.
        resumable: whether Resume can go on from something.
    """

    state: RunState = "starting"
    pid: int | None = None
    step: int = 0
    steps: int = 0
    epoch: float = 0.0
    left_s: float | None = None
    step_s: float | None = None
    memory_bytes: int | None = None
    memory_of_bytes: int | None = None
    done: int = 0
    of: int = 0
    clip: str = ""
    loss: list[tuple[int, float]] = field(default_factory=list)
    validation: list[tuple[int, float]] = field(default_factory=list)
    learning_rate: list[tuple[int, float]] = field(default_factory=list)
    fields: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    preflight: Mapping[str, Any] = field(default_factory=dict)
    first_step: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    message: str = ""
    hint: str = ""
    checkpoint: str = ""
    began_at: str = ""
    ended_at: str = ""

    @property
    def live(self) -> bool:
        """Whether a process works on it."""
        return self.state in LIVE

    @property
    def resumable(self) -> bool:
        """Whether Resume makes sense."""
        return self.state in {"checked", "stopped", "interrupted", "failed"}

    @property
    def fraction(self) -> float:
        """Of its steps, 0..1."""
        return min(1.0, self.step / self.steps) if self.steps else 0.0
