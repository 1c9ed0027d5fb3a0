"""Processes that outlive who started them; POSIX, where orphans, zombies and terminals are."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from vvlm_desktop.errors import JobError
from vvlm_desktop.jobs.argv import training_argv, training_environment
from vvlm_desktop.jobs.detached import start_detached

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and orphans of POSIX")

_WAITS = "import threading; threading.Event().wait(60)"
_STARTS = (
    "import os, sys; from pathlib import Path; from vvlm_desktop.jobs.detached import start_detached\n"
    "print(start_detached(sys.argv[2:], log=Path(sys.argv[1]), environment=dict(os.environ), folder=Path('/')))\n"
    "sys.stdout.flush(); input()"
)


def until(condition: Callable[[], object], *, within_s: float = 20.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "it never came true"
        threading.Event().wait(0.01)


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "a log"


def start(log: Path, program: str, *arguments: str) -> int:
    argv = [sys.executable, "-c", program, *arguments]
    return start_detached(argv, log=log, environment=dict(os.environ), folder=log.parent)


def test_what_it_writes_is_added_to_the_log(log):
    log.write_text("before\n")
    start(log, "import sys, os; print(sys.argv[1:], os.getcwd()); sys.stderr.write('oh\\n')", "a b", "$HOME `x` 'y'")
    until(lambda: "oh" in log.read_text())
    assert log.read_text().startswith("before\n")
    assert f"['a b', \"$HOME `x` 'y'\"] {log.parent}" in log.read_text()


def test_it_is_the_process_that_is_named_and_nobodys_child(log):
    pid = start(log, _WAITS)
    try:
        process = psutil.Process(pid)
        until(lambda: _WAITS in process.cmdline())
        assert pid not in [child.pid for child in psutil.Process().children(recursive=True)]
        assert os.getsid(pid) != os.getsid(0)
        assert process.terminal() is None
    finally:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not lives(pid))


def test_one_that_ends_leaves_no_zombie_of_ours(log):
    pid = start(log, "pass")
    until(lambda: not lives(pid))
    assert [child for child in psutil.Process().children() if child.pid == pid] == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_it_outlives_who_started_it(log, number):
    starter = subprocess.Popen(
        [sys.executable, "-c", _STARTS, log, sys.executable, "-c", _WAITS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        # The whole group, as a terminal that is closed does.
        os.killpg(starter.pid, number)
        starter.communicate(timeout=20)
    try:
        assert lives(pid)
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_program_that_is_not_there_is_said_at_once(log):
    with pytest.raises(JobError, match="no such program") as told:
        start_detached(["/nowhere/python"], log=log, environment={}, folder=log.parent)
    assert "doctor" in told.value.hint


def test_a_log_that_cannot_be_written_is_said_and_nothing_starts(log):
    log.mkdir()
    with pytest.raises(JobError, match="Is a directory"):
        start(log, _WAITS)


def test_the_trainer_is_found_from_any_folder_and_stays_offline(tmp_path):
    done = subprocess.run(
        [*training_argv("--help")],
        cwd=tmp_path,
        env=training_environment(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert b"evaluate" in done.stdout
    assert training_environment()["HF_HUB_OFFLINE"] == "1"


def test_a_frozen_program_trains_by_itself_and_unpacks_anew(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", "/opt/vvlm/vvlm")
    assert training_argv("train", "a=b") == ["/opt/vvlm/vvlm", "--training", "train", "a=b"]
    # Without it the trainer would run from a folder that goes with the window.
    assert training_environment()["PYINSTALLER_RESET_ENVIRONMENT"] == "1"


def test_the_flag_of_a_frozen_program_reaches_the_trainer(monkeypatch, capsys):
    from vvlm_desktop.cli import main

    monkeypatch.setattr(sys, "argv", ["vvlm", "--training", "train", "--explain"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert "learning_rate" in capsys.readouterr().out
