"""Runs in processes of their own: started, stopped, killed, gone on with; by two windows, on a full disk."""

import errno
import json
import os
import signal
import sys
import threading

import pytest

from tests.unit.workflow.run_builders import (
    FAKE,
    finish,
    launched_pid,
    made_run,
    made_session,
    until,
    with_trainer,
)
from vvlm_desktop.errors import StorageFullError, UsageError
from vvlm_desktop.workflow import run_launch
from vvlm_desktop.workflow.run_progress import RunFollower
from vvlm_desktop.workflow.runs import remove_run, start_run, stop_run


@pytest.fixture
def session(tmp_path):
    with made_session(tmp_path) as opened:
        yield opened


@pytest.fixture
def run(session):
    made = made_run(session)
    yield made
    if (made.folder / "launched").exists() and RunFollower(made.folder).poll().live:
        os.kill(launched_pid(made.folder), signal.SIGKILL)


def follower(run):
    return RunFollower(run.folder, look_every_s=0.0)


def is_in(run, state):
    watching = follower(run)
    until(lambda: watching.poll().state == state)
    return watching.progress


def test_a_run_is_started_and_followed_to_its_end(run, monkeypatch):
    with_trainer(monkeypatch, "ends")
    start_run(run)
    told = is_in(run, "finished")
    assert (told.step, told.metrics) == (4, {"train_loss": 1.0})
    seen = json.loads((run.folder / "seen.json").read_text())
    assert seen["arguments"][0] == "train"
    assert seen["arguments"][-1] == f"run_dir={run.folder}"
    assert seen["environment"]["HF_HUB_OFFLINE"] == seen["environment"]["TRANSFORMERS_OFFLINE"] == "1"


def test_only_a_check_ends_in_checked_and_goes_on_afterwards(run, monkeypatch):
    with_trainer(monkeypatch, "ends")
    start_run(run, check_only=True)
    assert is_in(run, "checked").resumable
    start_run(run)
    is_in(run, "finished")


def test_one_that_has_told_its_end_and_tidies_up_is_not_waited_for(run, monkeypatch):
    with_trainer(monkeypatch, "tidies up")
    start_run(run, check_only=True)
    is_in(run, "checked")
    until(lambda: not (run.folder / "pid").exists())
    with_trainer(monkeypatch, "ends")
    start_run(run)
    is_in(run, "finished")
    (run.folder / "go").touch()


def test_a_run_stops_when_asked_and_goes_on(run, monkeypatch):
    with_trainer(monkeypatch, "waits")
    start_run(run)
    is_in(run, "training")
    stop_run(run)
    assert is_in(run, "stopped").step == 1
    # What was wished for then is not wished for now.
    start_run(run)
    is_in(run, "training")
    stop_run(run)
    is_in(run, "stopped")


def test_a_stop_before_its_first_word_is_not_forgotten(run, monkeypatch):
    with_trainer(monkeypatch, "waits")
    start_run(run)
    stop_run(run)
    assert follower(run).poll().state in ("stopping", "stopped")
    is_in(run, "stopped")


def test_stopping_what_does_not_run_leaves_nothing_behind(run):
    stop_run(run)
    assert not (run.folder / "stop").exists()


def test_a_killed_trainer_is_interrupted_and_resumed(run, monkeypatch):
    with_trainer(monkeypatch, "waits")
    start_run(run)
    is_in(run, "training")
    os.kill(launched_pid(run.folder), signal.SIGKILL)
    told = is_in(run, "interrupted")
    assert told.resumable
    with_trainer(monkeypatch, "ends")
    start_run(run)
    assert is_in(run, "finished").message == ""


@pytest.mark.parametrize(
    ("mode", "words"),
    [("dies", "ImportError: No module named 'peft'"), ("killed at once", "killed")],
)
def test_one_that_dies_before_its_first_word_has_failed(run, monkeypatch, mode, words):
    with_trainer(monkeypatch, mode)
    start_run(run)
    assert words in is_in(run, "failed").message


def test_one_that_cannot_tell_any_more_is_asked_of_its_log(run, monkeypatch):
    with_trainer(monkeypatch, "dies later")
    start_run(run)
    assert "MemoryError: cannot allocate" in is_in(run, "interrupted").message


def test_it_is_refused_while_it_runs_and_after_it_finished(run, monkeypatch):
    with_trainer(monkeypatch, "waits")
    start_run(run)
    with pytest.raises(UsageError, match="being trained already"):
        start_run(run)  # also before it said a word
    is_in(run, "training")
    with pytest.raises(UsageError, match="being trained already"):
        start_run(run)
    stop_run(run)
    is_in(run, "stopped")
    finish(run)
    with pytest.raises(UsageError, match="has finished"):
        start_run(run)


def test_of_two_windows_that_start_the_same_run_one_does(run, monkeypatch):
    with_trainer(monkeypatch, "waits")
    outcomes: list[str] = []
    together = threading.Barrier(4)

    def press():
        together.wait()
        try:
            start_run(run)
            outcomes.append("started")
        except UsageError:
            outcomes.append("refused")

    windows = [threading.Thread(target=press) for _ in range(4)]
    for window in windows:
        window.start()
    for window in windows:
        window.join()
    assert sorted(outcomes) == ["refused"] * 3 + ["started"]
    is_in(run, "training")
    stop_run(run)
    is_in(run, "stopped")
    assert (run.folder / "events.jsonl").read_text().count('"started"') == 1


def test_a_full_disk_is_said_and_nothing_starts(run, monkeypatch):
    with_trainer(monkeypatch, "ends")

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(run_launch, "write_atomically", full)
    monkeypatch.setattr(run_launch, "start_detached", lambda *_a, **_k: pytest.fail("started"))
    with pytest.raises(StorageFullError, match="the disk is full") as told:
        start_run(run)
    assert "Make room" in told.value.hint


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="rights that bind this user")
def test_a_folder_that_may_not_be_written_is_said(run, monkeypatch):
    with_trainer(monkeypatch, "ends")
    run.folder.chmod(0o500)
    try:
        with pytest.raises(StorageFullError, match="Permission denied"):
            start_run(run)
    finally:
        run.folder.chmod(0o700)


def test_a_run_outlives_a_window_that_is_killed(run, monkeypatch, tmp_path):
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from vvlm_desktop.workflow import run_launch\n"
        "from vvlm_desktop.backends.run_folder import RunFiles\n"
        "argv = [sys.executable, sys.argv[1], 'waits']\n"
        "run_launch.training_argv = lambda *given: [*argv, *given]\n"
        "run_launch.launch(RunFiles(Path(sys.argv[2])), ['train', '--config', sys.argv[2] + '/run.toml'], busy='')\n"
        "os.killpg(0, signal.SIGKILL)\n"
    )
    import subprocess

    window = subprocess.run(
        [sys.executable, "-c", program, str(FAKE), str(run.folder)], start_new_session=True, timeout=60, check=False
    )
    assert window.returncode == -signal.SIGKILL
    is_in(run, "training")
    stop_run(run)
    is_in(run, "stopped")


def test_a_run_that_is_worked_on_is_not_removed(session, run, monkeypatch):
    with_trainer(monkeypatch, "waits")
    start_run(run)
    with pytest.raises(UsageError, match="being worked on"):
        remove_run(session, run)
    is_in(run, "training")
    stop_run(run)
    is_in(run, "stopped")
    until(lambda: not run_launch.working(RunFollower(run.folder).files))
    remove_run(session, run)
    assert not run.folder.exists()
