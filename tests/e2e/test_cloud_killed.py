"""Killed or stopped in the middle of an upload: it goes on, nothing is done twice, nothing stays at Google."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.cloud import ANSWER, KEY, UPLOADED, add_clips, is_nowhere
from tests.e2e.conftest import Vvlm
from tests.patience import within
from tests.standins.gemini import GeminiStandin
from tests.standins.http_server import Fault, serving
from vvlm_desktop.store.library import Library

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals"),
]
CLIPS = 3


@pytest.fixture
def gemini(monkeypatch: pytest.MonkeyPatch) -> Iterator[GeminiStandin]:
    with serving(GeminiStandin(ANSWER)) as standin:
        standin.states = ["ACTIVE"]
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", standin.address)
        monkeypatch.setenv("GEMINI_API_KEY", KEY)
        yield standin


def until(true: Callable[[], object], *, within_s: float = 60.0) -> None:
    ends = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < ends, "this never came about"
        time.sleep(0.01)


@contextlib.contextmanager
def analysing(library: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "vvlm_desktop", "analyse", *UPLOADED, "--library", str(library)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(process.pid).kill()
        process.communicate(timeout=30)


def worker_of(process: subprocess.Popen[bytes]) -> psutil.Process:
    (worker,) = psutil.Process(process.pid).children()
    return worker


def answers(library: Path) -> list[int]:
    with Library.open(library) as opened:
        return [len(opened.analyses(row.clip.id)) for row in opened.clip_rows(opened.clip_rowids())]


def test_killed_with_its_worker_it_goes_on_and_cleans_up(
    vvlm: Vvlm, gemini: GeminiStandin, library: Path, tmp_path: Path
) -> None:
    add_clips(vvlm, tmp_path / "clips", CLIPS)
    gemini.states = ["PROCESSING"]
    with analysing(library) as process:
        until(lambda: len(gemini.stored) == CLIPS)
        worker = worker_of(process)
        os.kill(process.pid, signal.SIGKILL)
        worker.kill()
    assert len(gemini.stored) == CLIPS
    assert f"{CLIPS} uploads may still lie at" in vvlm("cloud", "status").stdout
    assert f"{CLIPS} uploads may still lie at" in vvlm("doctor").stdout.replace("\n", " ")
    seen = len(gemini.seen)
    assert vvlm("ledger").exit_code == 0
    assert len(gemini.seen) == seen, "looking contacts nobody"

    gemini.states = ["ACTIVE"]
    again = vvlm("analyse", *UPLOADED, "--json")

    assert again.exit_code == 0, again.stderr
    assert "3 deleted" in again.stderr
    assert answers(library) == [1] * CLIPS
    assert gemini.stored == {}
    assert len(gemini.ever_stored) == 2 * CLIPS
    assert vvlm("cloud", "status", "--json").data["left_over"]["uploads"] == 0
    assert vvlm("verify").exit_code == 0
    is_nowhere(KEY, tmp_path, again)


def test_killed_alone_its_worker_deletes_what_it_uploaded(
    vvlm: Vvlm, gemini: GeminiStandin, library: Path, tmp_path: Path
) -> None:
    add_clips(vvlm, tmp_path / "clips", CLIPS)
    gemini.states = ["PROCESSING"]
    with analysing(library) as process:
        until(lambda: len(gemini.stored) == CLIPS)
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: not gemini.stored, within_s=3)
    gemini.states = ["ACTIVE"]
    assert vvlm("analyse", *UPLOADED).exit_code == 0
    assert answers(library) == [1] * CLIPS
    states = [each["state"] for each in vvlm("ledger", "--json").data]
    assert sorted(states) == ["deleted"] * CLIPS + ["gone"] * CLIPS


def test_worker_killed_in_the_upload_costs_no_clip_and_leaves_nothing(
    vvlm: Vvlm, gemini: GeminiStandin, library: Path, tmp_path: Path
) -> None:
    add_clips(vvlm, tmp_path / "clips", CLIPS)
    gemini.states = ["PROCESSING"]
    with analysing(library) as process:
        until(lambda: len(gemini.stored) == CLIPS)
        worker_of(process).kill()
        gemini.states = ["ACTIVE"]
        _, told = process.communicate(timeout=60)
        assert process.returncode == 0, told
    assert answers(library) == [1] * CLIPS
    assert gemini.stored == {}
    assert "gone" not in {each["state"] for each in vvlm("ledger", "--json").data}


@pytest.mark.parametrize("kind", ["put", "get", "generate"])
def test_stopped_it_ends_within_a_second_and_nothing_stays(
    vvlm: Vvlm, gemini: GeminiStandin, library: Path, tmp_path: Path, kind: str
) -> None:
    add_clips(vvlm, tmp_path / "clips", 1)
    hung: list[str] = []
    kind_of = gemini.kind_of
    gemini.kind_of = lambda *request: (hung.append(kind_of(*request)), hung[-1])[1]  # type: ignore[method-assign]
    gemini.fail(kind, Fault(hang=True))
    with analysing(library) as process:
        until(lambda: kind in hung)
        began = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        until(lambda: any(seen.method == "DELETE" for seen in gemini.seen), within_s=30)
        stopped_s = time.monotonic() - began
        process.communicate(timeout=30)
        ended_s = time.monotonic() - began
    print(f"stopped at {kind}: deleted after {stopped_s:.2f} s, ended after {ended_s:.2f} s")
    assert stopped_s < within(1.0)
    assert gemini.stored == {}
    assert vvlm("cloud", "status", "--json").data["left_over"]["uploads"] == 0
