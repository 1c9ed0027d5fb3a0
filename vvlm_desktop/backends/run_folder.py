"""A run's folder, as those see it who do not train: the window and the command line read it, and may ask it to stop.

run.toml        the resolved config
events.jsonl    what happened, one JSON object a line
pid             who trains, with the time at which that process began, because numbers are used again
stop            made by others: checkpoint at the next step, then end
log             what the process wrote on its way, for those who look for a fault
check/          pictures and words of one batch as the model sees it
checkpoints/    a folder each; only those with `complete.json` are whole
adapter/        the result
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

EVENTS_VERSION = 1
#: Who started the process, when, and how long the log was then; by others than the trainer.
LAUNCHED_FILE = "launched"
#: How the line of the log begins that says why the process failed; a line with what to do may follow.
FAILED_WORD = "Failed: "
COMPLETE_FILE = "complete.json"
#: Clocks of processes are read with a little noise.
_SAME_START_S = 1.0
#: More than any event has: what is longer is no event, and must not fill the memory.
_LONGEST_EVENT_BYTES = 16 << 20
_LOG_END_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Trainer:
    """The process that has a run."""

    pid: int
    began_s: float

    @property
    def alive(self) -> bool:
        """Whether that very process works; one that has ended and that nobody has asked for is not alive."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.began_s) < _SAME_START_S
            return same and process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
        except (ValueError, OverflowError, psutil.Error):
            return False


class RunFiles:
    """Where things lie in a run's folder, and what they say."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def config_file(self) -> Path:
        """The resolved config."""
        return self.path / "run.toml"

    @property
    def events_file(self) -> Path:
        """What happened."""
        return self.path / "events.jsonl"

    @property
    def log_file(self) -> Path:
        """What the process wrote on its way."""
        return self.path / "log"

    @property
    def check_dir(self) -> Path:
        """One batch as the model sees it."""
        return self.path / "check"

    @property
    def checkpoints_dir(self) -> Path:
        """Where checkpoints lie."""
        return self.path / "checkpoints"

    @property
    def adapter_dir(self) -> Path:
        """The result."""
        return self.path / "adapter"

    @property
    def stop_file(self) -> Path:
        """Made by others to stop the run."""
        return self.path / "stop"

    @property
    def pid_file(self) -> Path:
        """Who trains."""
        return self.path / "pid"

    @property
    def finished(self) -> bool:
        """Whether its adapter is there; it appears complete or not at all."""
        return (self.adapter_dir / "card.json").is_file()

    def trainer(self) -> Trainer | None:
        """The process that trains here, None where there is none any more."""
        try:
            data = json.loads(self.pid_file.read_text(encoding="utf-8"))
            noted = Trainer(int(data["pid"]), float(data["began_s"]))
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None
        return noted if noted.alive else None

    def events(self) -> Iterator[dict[str, Any]]:
        """All whole events so far."""
        events, position = self.events_after(0)
        while events:
            yield from events
            events, position = self.events_after(position)

    def events_after(self, position: int) -> tuple[list[dict[str, Any]], int]:
        """Whole events behind byte `position`, and the position behind them; what is half written comes next time.

        Of a long file a part at a time: none and the same position is the end of it.
        """
        try:
            with self.events_file.open("rb") as file:
                file.seek(position)
                while data := file.read(_LONGEST_EVENT_BYTES):
                    end = data.rfind(b"\n") + 1
                    events = list(_parsed(data[:end]))
                    position += end or (len(data) if len(data) == _LONGEST_EVENT_BYTES else 0)
                    if events or len(data) < _LONGEST_EVENT_BYTES:
                        return events, position
                    file.seek(position)
        except FileNotFoundError:
            return [], 0
        return [], position

    def checkpoints(self) -> list[Path]:
        """Whole checkpoints, the oldest first."""
        found = [path for path in self.checkpoints_dir.glob("checkpoint-*") if path.name[11:].isdecimal()]
        return sorted((path for path in found if _is_whole(path)), key=lambda path: int(path.name[11:]))

    def ask_to_stop(self) -> None:
        """Ask whoever trains here to make a checkpoint at the next step and to end."""
        self.stop_file.touch()


def last_failure(log: Path, *, after: int = 0, before: int | None = None) -> tuple[str, str] | None:
    """Why a process failed and what to do, where its log ends with that; all there is where events found no room.

    Args:
        log: what it wrote on its way.
        after, before: the part of the log, in bytes, that is looked at.
    """
    try:
        with log.open("rb") as file:
            end = file.seek(0, 2) if before is None else before
            file.seek(max(after, end - _LOG_END_BYTES))
            data = file.read(max(0, end - file.tell()))
    except OSError:
        return None
    lines = [line.strip() for line in data.decode("utf-8", "replace").splitlines() if line.strip()][-2:]
    for number, line in enumerate(lines):
        if line.startswith(FAILED_WORD):
            return line.removeprefix(FAILED_WORD), " ".join(lines[number + 1 :])
    return None


def _parsed(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.split(b"\n"):
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue  # cut off by a kill, or no event at all
        if isinstance(event, dict):
            yield event


def _is_whole(checkpoint: Path) -> bool:
    try:
        files = json.loads((checkpoint / COMPLETE_FILE).read_text(encoding="utf-8"))["files"]
        return all((checkpoint / name).stat().st_size == size for name, size in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
