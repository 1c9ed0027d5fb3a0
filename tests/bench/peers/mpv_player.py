"""mpv, driven through its JSON socket: `python -m tests.bench.peers.mpv_player FILM`.

It says when a picture stands (`playback-restart`, or a new `time-pos` after a step on), which is just before it is
painted. Its step on plays one frame, so it takes as long as that frame lasts.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.peers import course

_OPTIONS = (
    "--no-config",
    "--idle=no",
    "--pause",
    "--keep-open=always",
    "--no-audio",
    "--hwdec=no",
    "--vo=x11",
    "--hr-seek=yes",
    "--osd-level=0",
    "--no-osc",
    "--no-border",
    "--really-quiet",
    f"--geometry={course.SURFACE[0]}x{course.SURFACE[1]}",
)


class MpvPlayer:
    """See `course.Player`."""

    def __init__(self, path: Path, folder: Path) -> None:
        address = folder / "mpv"
        self._process = subprocess.Popen(["mpv", *_OPTIONS, f"--input-ipc-server={address}", str(path)])
        self._socket = _connect(address)
        self._rest = b""
        self._restarts = 0
        self._shown = -1
        self._seen: set[int] = set()
        self._send("observe_property", 1, "time-pos")
        self._at = 0
        self._wait(0, time.perf_counter(), restarts=0)
        quiet = time.perf_counter() + 0.5
        while time.perf_counter() < quiet:  # the start of the film says `playback-restart` too, maybe late
            self._receive(0.05)

    def seek(self, i: int) -> tuple[float, bool]:
        self._at = i
        return self._timed("seek", i / course.FPS, "absolute+exact")

    def step(self, by: int) -> tuple[float, bool]:
        self._at += by
        return self._timed("frame-step") if by > 0 else self._timed("frame-back-step")

    def forget(self) -> None:
        self.seek(0)

    def drag(self, target: Callable[[float], int | None]) -> int:
        shown: set[int] = set()
        start = time.perf_counter()
        while (i := target(time.perf_counter() - start)) is not None:
            self._send("seek", i / course.FPS, "absolute+exact")
            before = self._restarts
            self._receive(0.008)
            if self._restarts != before and self._shown >= 0:
                shown.add(self._shown)
        return len(shown)

    def play(self, seconds: float) -> int:
        self._seen.clear()
        self._send("set_property", "pause", False)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self._receive(0.005)
        shown = len(self._seen)
        self._send("set_property", "pause", True)
        self._receive(0.1)
        return shown

    def process_id(self) -> int:
        return self._process.pid

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)

    def _timed(self, *command: object) -> tuple[float, bool]:
        before = self._restarts + (command[0] != "frame-step")
        start = time.perf_counter()
        self._send(*command)
        return self._wait(self._at, start, restarts=before)

    def _wait(self, i: int, start: float, *, restarts: int) -> tuple[float, bool]:
        settled = None
        while (now := time.perf_counter()) < start + course.LIMIT_S:
            if self._restarts >= restarts and self._shown == i:
                return now - start, True
            if self._restarts >= restarts > 0:
                settled = settled or now
                if now > settled + course.SETTLED_S:
                    return settled - start, False
            self._receive(0.05)
        return course.LIMIT_S, False

    def _send(self, *command: object) -> None:
        self._socket.sendall(json.dumps({"command": command}).encode() + b"\n")

    def _receive(self, seconds: float) -> None:
        """Take in what it says within that time; returns with the first words."""
        self._socket.settimeout(seconds)
        try:
            self._rest += self._socket.recv(65536)
        except TimeoutError:
            return
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            self._note(json.loads(line))

    def _note(self, said: dict[str, Any]) -> None:
        if said.get("event") == "playback-restart":
            self._restarts += 1
        elif said.get("event") == "property-change" and isinstance(said.get("data"), float):
            self._shown = round(said["data"] * course.FPS)
            self._seen.add(self._shown)


def _connect(address: Path) -> socket.socket:
    link = socket.socket(socket.AF_UNIX)
    end = time.perf_counter() + 20
    while True:
        try:
            link.connect(str(address))
            return link
        except OSError:
            if time.perf_counter() > end:
                raise
            time.sleep(0.05)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        player = MpvPlayer(Path(sys.argv[1]), Path(place))
        try:
            course.report(course.run(player))
        finally:
            player.close()
