"""A job on its way through the local backend: what is looked at next, what was said so far, what it cost."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from torch import Tensor

from vvlm_desktop.backends.base import Job
from vvlm_desktop.backends.local.families.base import Family, FrameBatch
from vvlm_desktop.backends.local.rounds import Look
from vvlm_desktop.backends.local.stepping_down import Level
from vvlm_desktop.backends.local_options import LocalOptions
from vvlm_desktop.domain.analysis import Round
from vvlm_desktop.video.index import FrameIndex

BatchKey: TypeAlias = tuple[Any, ...]


@dataclass(eq=False, slots=True)
class Task:
    """One job and its state; in one thread's hands at a time.

    Attributes:
        asked: the level that was asked for, `level` the one that it is on after stepping down.
        look: what is looked at next; `number` counts looks from 0.
        frames: of that look, once they were read.
        encoded: the same as the model takes it, where the reading thread has come so far.
        error: why they could not be; not always an expected one.
        flags: sentences for the result.
        counts: forward passes and tokens over all looks.
        batch: with how many others, itself included, it was last looked at.
    """

    job: Job
    options: LocalOptions
    family: Family
    asked: Level
    level: Level
    look: Look
    number: int = 0
    index: FrameIndex | None = None
    frames: FrameBatch | None = None
    encoded: Mapping[str, Tensor] | None = None
    error: Exception | None = None
    rounds: list[Round] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    batch: int = 1

    @property
    def question(self) -> str | None:
        """What was asked freely, None for the schema's fields."""
        return self.job.request.question

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many pictures, how high and how wide; of none where they could not even be made."""
        if self.frames is None:
            return self.level.frames, 0, 0
        count, height, width, _ = self.frames.rgb.shape
        return count, height, width

    @property
    def batch_key(self) -> BatchKey:
        """Tasks of the same key can be looked at in one pass; number and size of the pictures need not be the same."""
        wished = self.options.adapter_dir, self.options.distributions, self.options.batch
        return *wished, self.look.asks, self.job.schema.document

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add what the block takes to the seconds of `stage`."""
        began_s = time.monotonic()
        try:
            yield
        finally:
            self.spend(stage, time.monotonic() - began_s)

    def spend(self, stage: str, seconds: float) -> None:
        """Add to the seconds of `stage`."""
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    def count(self, what: str, number: int) -> None:
        """Add to a count."""
        self.counts[what] = self.counts.get(what, 0) + number

    def flag(self, sentence: str) -> None:
        """Say something on the result, once."""
        if sentence and sentence not in self.flags:
            self.flags.append(sentence)

    def progress(self, within: float, stage: str) -> None:
        """Tell how far this look is, as a part of all looks; 0..1."""
        looks = max(self.options.rounds, self.number + 1)
        round_words = f"round {self.number + 1} of {looks}: " if looks > 1 else ""
        self.job.progress((self.number + within) / looks, f"{round_words}{stage}")
