"""A run's folder: how the window and the trainer, two processes that may both die, speak with each other.

run.toml        the resolved config
events.jsonl    what happened, one JSON object a line
pid             who trains, with the time at which that process began, because numbers are used again
stop            made by others: checkpoint at the next step, then end
checkpoints/    a folder each; only those with `complete.json` are whole
adapter/        the result
"""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from training.atomic import write_atomically
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.errors import UsageError

EVENTS_VERSION = 1
COMPLETE_FILE = "complete.json"
#: Events after which nothing more is to come.
_ENDS = frozenset({"finished", "stopped", "failed", "interrupted"})
#: Clocks of processes are read with a little noise.
_SAME_START_S = 1.0


@dataclass(frozen=True, slots=True)
class Trainer:
    """The process that has a run."""

    pid: int
    began_s: float


class RunFolder:
    """One run's folder; `quiet` for the helpers of a training on several GPUs, of which only the first writes."""

    def __init__(self, path: Path, *, quiet: bool = False) -> None:
        self.path = path
        self.quiet = quiet
        self._claimed = False
        self._signalled = False

    @property
    def config_file(self) -> Path:
        """The resolved config."""
        return self.path / "run.toml"

    @property
    def events_file(self) -> Path:
        """What happened."""
        return self.path / "events.jsonl"

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

    # --- who trains ---

    def trainer(self) -> Trainer | None:
        """The process that trains here, None where there is none any more."""
        try:
            data = json.loads(self.pid_file.read_text(encoding="utf-8"))
            noted = Trainer(int(data["pid"]), float(data["began_s"]))
            really_s = psutil.Process(noted.pid).create_time()
        except (OSError, ValueError, KeyError, TypeError, psutil.Error):
            return None
        return noted if abs(really_s - noted.began_s) < _SAME_START_S else None

    def claim(self) -> None:
        """Become the trainer of this folder.

        Raises:
            UsageError: another process is; or the run has finished.
        """
        if self.quiet:
            return
        running = self.trainer()
        if running is not None and running.pid != os.getpid():
            raise UsageError(
                f"This run is being trained already, by process {running.pid}.",
                hint=f"Wait, or stop it: create the file {self.stop_file}.",
            )
        if (self.adapter_dir / "card.json").is_file():
            raise UsageError(
                f"This run has finished; its adapter is {self.adapter_dir}.",
                hint="Start another one with a run folder of its own: run_dir=…",
            )
        self.path.mkdir(parents=True, exist_ok=True)
        self.stop_file.unlink(missing_ok=True)
        began_s = psutil.Process().create_time()
        write_atomically(self.pid_file, json.dumps({"pid": os.getpid(), "began_s": began_s}) + "\n")
        self._claimed = True

    def open(self) -> None:
        """Make the folder for events alone, as an evaluation does; an old wish to stop is forgotten."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.stop_file.unlink(missing_ok=True)

    def let_go(self) -> None:
        """Be the trainer no more."""
        if self._claimed:
            self.pid_file.unlink(missing_ok=True)
            self._claimed = False

    @property
    def stop_requested(self) -> bool:
        """Whether somebody wants the run to stop: by the stop file, or by a polite signal."""
        return self._signalled or self.stop_file.exists()

    @contextmanager
    def stopping_on_signals(self) -> Iterator[None]:
        """Take the signals by which a system or a terminal asks a process to end as a wish to stop."""
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may
            return
        before = {number: signal.signal(number, self.ask_to_stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def ask_to_stop(self, *_: object) -> None:
        """Stop at the next step."""
        self._signalled = True

    # --- what happened ---

    def tell(self, kind: str, **facts: Any) -> dict[str, Any]:
        """Add an event; a line that a killed trainer left half written is ended first."""
        event = {"v": EVENTS_VERSION, "kind": kind, "at": utc_now(), **_finite(facts)}
        if self.quiet:
            return event
        line = json.dumps(event, ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n"
        with self.events_file.open("ab+") as file:
            if file.tell() > 0:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    line = b"\n" + line
            file.write(line)
        return event

    def events(self) -> Iterator[dict[str, Any]]:
        """All whole events so far."""
        try:
            lines = self.events_file.read_bytes().split(b"\n")
        except FileNotFoundError:
            return
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                continue  # being written, or cut off by a kill
            if isinstance(event, dict):
                yield event

    def tell_interruption(self) -> None:
        """Where the last trainer came to no end of its own, say so: it was killed, or the computer went off."""
        last, step = "", 0
        for event in self.events():
            last, step = str(event.get("kind")), int(event.get("step", step) or 0)
        if last and last not in _ENDS:
            self.tell(
                "interrupted", step=step, message=f"The trainer was killed or the computer went off after step {step}."
            )

    # --- checkpoints ---

    def seal(self, checkpoint: Path, *, identity: Mapping[str, Any]) -> None:
        """Note that a checkpoint was written to its end; without this it is never used."""
        for file in checkpoint.rglob("*"):
            if file.is_file():
                with file.open("r+b") as handle:
                    os.fsync(handle.fileno())
        files = {
            str(file.relative_to(checkpoint)): file.stat().st_size for file in checkpoint.rglob("*") if file.is_file()
        }
        write_atomically(checkpoint / COMPLETE_FILE, json.dumps({"files": files, "identity": dict(identity)}) + "\n")

    def checkpoints(self) -> list[Path]:
        """Whole checkpoints, the oldest first."""
        found = [path for path in self.checkpoints_dir.glob("checkpoint-*") if path.name[11:].isdecimal()]
        return sorted((path for path in found if _is_whole(path)), key=lambda path: int(path.name[11:]))

    def discard_broken(self) -> list[str]:
        """Delete checkpoints that a kill or a full disk left unfinished; their names."""
        whole = set(self.checkpoints())
        broken = [path for path in sorted(self.checkpoints_dir.glob("*")) if path.is_dir() and path not in whole]
        for path in broken:
            shutil.rmtree(path, ignore_errors=True)
        return [path.name for path in broken]

    def require_same(self, checkpoint: Path, identity: Mapping[str, Any]) -> None:
        """Check that a checkpoint belongs to this config.

        Raises:
            UsageError: it names what changed.
        """
        before = json.loads((checkpoint / COMPLETE_FILE).read_text(encoding="utf-8"))["identity"]
        now = json.loads(json.dumps(dict(identity)))
        changed = sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
        if changed:
            told = ", ".join(f"{key} was {before.get(key)!r}, is {now.get(key)!r}" for key in changed[:4])
            raise UsageError(
                f"The run cannot go on from {checkpoint.name}: {told}.",
                hint="Set it back, or begin another run with a run folder of its own: run_dir=…",
            )


def _is_whole(checkpoint: Path) -> bool:
    try:
        files = json.loads((checkpoint / COMPLETE_FILE).read_text(encoding="utf-8"))["files"]
        return all((checkpoint / name).stat().st_size == size for name, size in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _finite(value: Any) -> Any:
    """JSON knows no NaN; it is told as a word."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
