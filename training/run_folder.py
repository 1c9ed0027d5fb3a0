"""A run's folder as its trainer has it: claimed by one process, which tells what happens and seals its checkpoints."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from training.failures import explained
from vvlm_desktop.backends.atomic_file import write_atomically
from vvlm_desktop.backends.run_folder import (
    COMPLETE_FILE,
    EVENTS_VERSION,
    LAUNCHED_FILE,
    RunFiles,
    last_failure,
)
from vvlm_desktop.backends.train_config import TrainConfig
from vvlm_desktop.domain.values import utc_now
from vvlm_desktop.errors import StorageFullError, UsageError

#: Events after which nothing more is to come.
_ENDS = frozenset({"checked", "finished", "stopped", "failed", "interrupted"})


class RunFolder(RunFiles):
    """One run's folder; `quiet` for the helpers of a training on several GPUs, of which only the first writes."""

    _what, _who = "This run", "The trainer"

    def __init__(self, path: Path, *, quiet: bool = False) -> None:
        super().__init__(path)
        self.quiet = quiet
        self._claimed = False
        self._signalled = False

    def claim(self) -> None:
        """Become the trainer of this folder.

        Raises:
            UsageError: another process is; or the run has finished.
            StorageFullError: nothing can be written there.
        """
        if self.quiet:
            return
        running = self.trainer()
        if running is not None and running.pid != os.getpid():
            raise UsageError(
                f"{self._what} is being worked on already, by process {running.pid}.",
                hint=f"Wait, or stop it: create the file {self.stop_file}.",
            )
        self._refuse_finished()
        began_s = psutil.Process().create_time()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._forget_old_wish(began_s)
            write_atomically(self.pid_file, json.dumps({"pid": os.getpid(), "began_s": began_s}) + "\n")
        except OSError as error:
            raise StorageFullError(
                f"The folder {self.path} cannot be written: {error.strerror or error}.",
                hint="Free some space there, or correct its permissions.",
            ) from error
        self._claimed = True

    def _refuse_finished(self) -> None:
        if self.finished:
            raise UsageError(
                f"This run has finished; its adapter is {self.adapter_dir}.",
                hint="Start another one with a run folder of its own: run_dir=…",
            )

    def _forget_old_wish(self, began_s: float) -> None:
        """A wish to stop that is older than this process was meant for another one; one while it loads is for us."""
        if self.stop_file.exists() and self.stop_file.stat().st_mtime < began_s:
            self.stop_file.unlink(missing_ok=True)

    def let_go(self) -> None:
        """Be the trainer no more; a wish to stop has been heeded, or came too late."""
        if self._claimed:
            self.stop_file.unlink(missing_ok=True)
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
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, *_: object) -> None:
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

    def tell_interruption(self) -> None:
        """Where the last trainer told no end, say so: as its log does, else it was killed or the computer went off."""
        last, step = "", 0
        for event in self.events():
            last, step = str(event.get("kind")), int(event.get("step", step) or 0)
        if not last or last in _ENDS:
            return
        failure = self._failure_in_log()
        if failure is not None:
            self.tell("failed", error="", message=failure[0], hint=failure[1], checkpoint=self._last_whole())
        else:
            self.tell(
                "interrupted", step=step, message=f"{self._who} was killed or the computer went off {_when(step)}."
            )

    def tell_failure(self, error: Exception) -> None:
        """Tell why it failed; on a full disk even that may not be possible."""
        plain = explained(error)
        message, hint = (str(plain), plain.hint) if plain is not None else (f"{type(error).__name__}: {error}", "")
        if plain is None:
            hint = "This is a mistake of the program; please report it with the run folder's log."
        told = {"error": type(plain or error).__name__, "message": message, "hint": hint}
        try:
            try:
                self.tell("failed", **told, checkpoint=self._last_whole())
            except OSError:
                self.discard_broken()  # what filled the disk just now makes room for its reason
                self.tell("failed", **told, checkpoint=self._last_whole())
        except OSError:
            return  # the log has it

    def _last_whole(self) -> str | None:
        whole = self.checkpoints()
        return f"checkpoints/{whole[-1].name}" if whole else None

    def _failure_in_log(self) -> tuple[str, str] | None:
        """What the trainer before this one wrote last, where this one was started with the same log."""
        try:
            noted = json.loads((self.path / LAUNCHED_FILE).read_text(encoding="utf-8"))
            ours, begin = int(noted["pid"]) in (0, os.getpid()), int(noted["log_bytes"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return last_failure(self.log_file, before=begin) if ours else None

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
        # A value that the program did not have yet was at its default; what is no part of it any more may change.
        before = {
            **{key: field.default for key, field in TrainConfig.model_fields.items()},
            **json.loads((checkpoint / COMPLETE_FILE).read_text(encoding="utf-8"))["identity"],
        }
        now = json.loads(json.dumps(dict(identity)))
        changed = sorted(key for key in now if key in before and before[key] != now[key])
        if changed:
            told = ", ".join(f"{key} was {before.get(key)!r}, is {now.get(key)!r}" for key in changed[:4])
            raise UsageError(
                f"The run cannot go on from {checkpoint.name}: {told}.",
                hint="Set it back, or begin another run with a run folder of its own: run_dir=…",
            )


def _when(step: int) -> str:
    return f"after step {step}" if step else "before the first step"


def _finite(value: Any) -> Any:
    """JSON knows no NaN; it is told as a word."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
