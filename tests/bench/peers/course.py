"""The course that every player runs, whichever it is.

Standard library only: peers live in environments of their own.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

FPS = 30
FRAMES = 300
#: Longest wait for one picture.
LIMIT_S = 8.0
#: A wrong picture that has stood this long counts as the answer.
SETTLED_S = 1.0
SURFACE = (960, 540)
_SEEKS, _REVISITS, _STEPS = 24, 40, 40
_DRAG_S, _PLAY_S = 2.0, 4.0


class Player(Protocol):
    """A player in a window of 960 × 540 with one film open, paused."""

    def seek(self, i: int) -> tuple[float, bool]:
        """Seconds until the picture stands, and whether it is frame `i`."""

    def step(self, by: int) -> tuple[float, bool]:
        """The same for one frame on or back."""

    def forget(self) -> None:
        """Drop every decoded picture and rest on frame 0."""

    def drag(self, target: Callable[[float], int | None]) -> int:
        """Seek to `target(seconds passed)` every 8 ms until that is None; how many different pictures showed."""

    def play(self, seconds: float) -> int:
        """Play from frame 0 at 1×; how many different pictures showed."""

    def process_id(self) -> int:
        """Whose processor time and memory count."""


@dataclass(slots=True)
class Result:
    """What one player did with one film; times in milliseconds."""

    fresh: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    on: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)
    wrong: int = 0
    asked: int = 0
    dragged: int = 0
    fps: float = 0.0
    cpu_percent: float = 0.0
    memory_mb: float = 0.0

    def take(self, times: list[float], answer: tuple[float, bool]) -> None:
        """Note one answer."""
        times.append(answer[0] * 1000)
        self.asked += 1
        self.wrong += not answer[1]


def run(player: Player) -> Result:
    """All of it, in the same order for everybody."""
    result = Result()
    for i in random.Random(1).sample(range(FRAMES), _SEEKS):
        player.forget()
        result.take(result.fresh, player.seek(i))
    player.forget()
    places = random.Random(2).sample(range(100), _REVISITS)
    for i in places:
        player.seek(i)
        player.seek(min(i + 3, 99))
        result.take(result.again, player.seek(i))
    player.seek(100)
    for _ in range(_STEPS):
        result.take(result.on, player.step(1))
    for _ in range(_STEPS):
        result.take(result.back, player.step(-1))
    player.forget()
    result.dragged = player.drag(lambda s: int(s / _DRAG_S * FRAMES) if s < _DRAG_S else None)
    player.forget()
    cpu, start = cpu_s(player.process_id()), time.perf_counter()
    shown = player.play(_PLAY_S)
    passed = time.perf_counter() - start
    result.fps = shown / passed
    result.cpu_percent = (cpu_s(player.process_id()) - cpu) / passed * 100
    result.memory_mb = peak_mb(player.process_id())
    return result


def report(result: Result) -> None:
    """For the process that asked."""
    sys.stdout.write(json.dumps(asdict(result)) + "\n")
    sys.stdout.flush()


def cpu_s(process_id: int) -> float:
    """Processor time of all its threads so far."""
    values = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(process_id: int) -> float:
    """Most memory that it ever held; what its parent had held before it was started does not count."""
    lines = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def held_mb() -> float:
    """Memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def spread(times_ms: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    return statistics.median(times_ms), statistics.quantiles(times_ms, n=20)[-1]
