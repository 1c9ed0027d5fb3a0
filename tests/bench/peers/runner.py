"""Sends each player over the course in a process of its own, under one Xvfb.

VVLM_BENCH_PEERS names a folder for what the peers need: an environment with PySide6-Addons is made there on first use.
mpv is the system's (`apt-get install mpv`).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import PySide6

from tests.bench.peers.course import Result

ROOT = Path(__file__).parents[3]
PLAYERS = ("own", "mpv", "QMediaPlayer")
_TOO_LONG_S = 400


def absent(player: str) -> str:
    """Why this player cannot run here; empty when it can."""
    if not shutil.which("Xvfb"):
        return "no Xvfb (apt-get install xvfb)"
    if player == "mpv" and not shutil.which("mpv"):
        return "no mpv (apt-get install mpv)"
    if player == "QMediaPlayer" and not os.environ.get("VVLM_BENCH_PEERS"):
        return "VVLM_BENCH_PEERS names no folder for PySide6-Addons"
    return ""


def run(player: str, film: Path, *, display: str) -> Result:
    """One player, one film."""
    module = {"own": "own", "mpv": "mpv_player", "QMediaPlayer": "qt_player"}[player]
    python = _qt_python() if player == "QMediaPlayer" else Path(sys.executable)
    surroundings = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [python, "-m", f"tests.bench.peers.{module}", film],
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=_TOO_LONG_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{player} failed on {film.name}:\n{done.stderr[-2000:]}")
    return Result(**json.loads(done.stdout.splitlines()[-1]))


@contextlib.contextmanager
def screen() -> Iterator[str]:
    """An X server of its own; gives its name."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1000x24"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            yield f":{told.readline().strip()}"
    finally:
        server.terminate()
        server.wait(10)


def _qt_python() -> Path:
    """The interpreter beside PySide6-Addons, of the version that the program runs on."""
    folder = Path(os.environ["VVLM_BENCH_PEERS"]) / "qt"
    python = folder / "bin" / "python"
    if not (folder / "lib").exists() or not next(folder.glob("lib/*/site-packages/PySide6/QtMultimedia*"), None):
        venv.create(folder, with_pip=True)
        wanted = f"PySide6-Addons=={PySide6.__version__}"
        subprocess.run([python, "-m", "pip", "install", "--quiet", wanted], check=True)
    return python
