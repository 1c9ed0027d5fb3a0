"""kill -9 in the middle of a batch: nothing confirmed is lost, nothing is done twice, the worker does not live on."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.clips import make_clip
from tests.e2e.conftest import Vvlm
from vvlm_desktop.store.library import Library

CLIPS = 5


def _start(*arguments: str, library: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "vvlm_desktop", *arguments, "--library", str(library)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _analysed(library: Path) -> dict[str, int]:
    """How many analyses each clip has."""
    with Library.open(library) as opened:
        clips = [row.clip.id for row in opened.clip_rows(opened.clip_rowids())]
        return {clip: len(opened.analyses(clip)) for clip in clips}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_killed_batch_goes_on_where_it_was_and_does_nothing_twice(vvlm: Vvlm, library: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(CLIPS):
        make_clip(tmp_path / "in" / f"clip{number}.mp4", frames=60 + number, fps=25)
    vvlm("add", tmp_path / "in")
    names = [f"clip{number}" for number in range(CLIPS)]
    process = _start("analyse", *names, library=library)
    children: list[psutil.Process] = []
    deadline = time.monotonic() + 60
    try:
        with closing(sqlite3.connect(library / "library.db")) as looked_at:
            while time.monotonic() < deadline and process.poll() is None:
                with contextlib.suppress(psutil.NoSuchProcess):
                    children = psutil.Process(process.pid).children() or children
                if looked_at.execute("SELECT count(*) FROM analysis").fetchone()[0]:
                    break
                time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.communicate(timeout=30)
    done = sum(_analysed(library).values())
    assert 0 < done < CLIPS, "the batch was to be killed in its middle"
    assert children
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == [], "the worker outlived its parent"
    again = vvlm("analyse", *names, "--json")
    assert again.exit_code == 0
    assert len(again.data) == CLIPS - done
    assert set(_analysed(library).values()) == {1}
    assert vvlm("verify").exit_code == 0
