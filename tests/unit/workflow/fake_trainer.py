"""A trainer that learns nothing: it claims the folder, tells what a real one tells, and heeds `stop`.

fake_trainer.py MODE train|check|evaluate --config RUN/run.toml …
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil

STEPS = 4
#: A test that fails must not leave it behind.
LONGEST_S = 60.0


def main() -> int:
    mode, verb, *rest = sys.argv[1:]
    folder = Path(rest[rest.index("--out") + 1] if "--out" in rest else rest[rest.index("--config") + 1])
    folder = folder if folder.is_dir() else folder.parent
    if mode == "dies":
        raise ImportError("No module named 'peft'")
    if mode == "killed at once":
        os.kill(os.getpid(), signal.SIGKILL)
    (folder / "seen.json").write_text(json.dumps({"arguments": sys.argv[2:], "environment": dict(os.environ)}))
    began_s = psutil.Process().create_time()
    (folder / "pid").write_text(json.dumps({"pid": os.getpid(), "began_s": began_s}))
    tell(folder, "started", pid=os.getpid())
    if mode == "dies later":
        raise MemoryError("cannot allocate")
    if verb == "check":
        tell(folder, "checked")
        (folder / "pid").unlink()
        if mode == "tidies up":
            wait_for(folder / "go")
        return 0
    if verb == "evaluate":
        tell(folder, "answering", done=1, clips=3, clip="a.mp4")
    else:
        tell(folder, "first_step", step_s=0.1, whole_s=0.4, steps=STEPS)
        tell(folder, "step", step=1, steps=STEPS, loss=2.0, left_s=0.3)
    if mode == "waits":
        wait_for(folder / "stop")
        tell(folder, "stopped", step=1)
        return 3
    return end(folder, verb)


def wait_for(file: Path) -> None:
    deadline_s = time.monotonic() + LONGEST_S
    while not file.exists() and time.monotonic() < deadline_s:
        threading.Event().wait(0.01)


def end(folder: Path, verb: str) -> int:
    if verb == "evaluate":
        scores = {"base": {"clips": 3}, "other": {"clips": 3}}
        (folder / "metrics.json").write_text(json.dumps({"scores": scores, "created_at": "2026-01-01"}))
    tell(folder, "finished", step=STEPS, metrics={"train_loss": 1.0})
    (folder / "pid").unlink()
    return 0


def tell(folder: Path, kind: str, **facts: object) -> None:
    with (folder / "events.jsonl").open("a") as file:
        file.write(json.dumps({"v": 1, "kind": kind, "at": "2026-01-01T00:00:00.000Z", **facts}) + "\n")


if __name__ == "__main__":
    sys.exit(main())
