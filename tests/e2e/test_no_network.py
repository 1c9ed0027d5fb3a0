"""With uploads off nothing talks to anybody: no process of the demo or of an analysis opens an internet socket."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clips import clip

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace"),
]
_INTERNET = re.compile(r"\bAF_INET6?\b")


def traced(tmp_path: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run `vvlm …` with all its children; returns what it printed and every system call about the network."""
    log = tmp_path / "network.log"
    environment = {key: value for key, value in os.environ.items() if not key.endswith("_API_KEY")}
    environment |= {"QT_QPA_PLATFORM": "offscreen", "VVLM_DATA_DIR": str(tmp_path / "data")}
    program = [sys.executable, *arguments]
    command = [
        "strace",
        "-f",
        "-qq",
        "--seccomp-bpf",
        "-e",
        "trace=network",
        "-e",
        "signal=none",
        "-o",
        str(log),
        *program,
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250, check=False)
    if "ptrace" in done.stderr and "not permitted" in done.stderr:
        pytest.skip("strace may not trace here")
    return done, log.read_text(errors="replace")


def test_the_trace_would_show_a_socket(tmp_path: Path) -> None:
    code = "import socket, subprocess, sys; subprocess.run([sys.executable, '-c', 'import socket; socket.socket()'])"
    _, calls = traced(tmp_path, "-c", code)
    assert _INTERNET.search(calls)


@pytest.mark.timeout(300)
def test_the_whole_demo_opens_no_internet_socket(tmp_path: Path) -> None:
    done, calls = traced(tmp_path, "-m", "vvlm_desktop", "demo", "--out", str(tmp_path / "demo"))
    assert done.returncode == 0, done.stderr
    assert _INTERNET.findall(calls) == []


@pytest.mark.timeout(300)
def test_an_analysis_by_a_local_model_opens_no_internet_socket(tmp_path: Path) -> None:
    from tests.tiny_models import tiny_model

    library = ("--library", str(tmp_path / "library"))
    calls = ""
    for arguments in (
        ("add", str(clip("h264_bframes.mp4"))),
        ("analyse", "--model", str(tiny_model("internvl")), "--frames", "2"),
        ("ask", "h264_bframes", "What?", "--model", str(tiny_model("internvl")), "--frames", "2"),
        ("ledger",),
        ("doctor",),
        ("cloud", "status"),
    ):
        done, seen = traced(tmp_path, "-m", "vvlm_desktop", *arguments, *library)
        assert done.returncode == 0 or arguments[0] == "doctor", done.stderr
        calls += seen
    assert _INTERNET.findall(calls) == []
