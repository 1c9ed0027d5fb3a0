"""The run folder: events that survive a kill, a pid that cannot be mistaken, checkpoints that are whole or nothing."""

import errno
import json
import os
import signal

import psutil
import pytest

from training.run_folder import RunFolder
from vvlm_desktop.backends.run_folder import COMPLETE_FILE
from vvlm_desktop.errors import UsageError


@pytest.fixture
def run(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.claim()
    return folder


def checkpoint(run, step, *, sealed=True):
    folder = run.checkpoints_dir / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(b"numbers" * 10)
    if sealed:
        run.seal(folder, identity={"rank": 8})
    return folder


def test_line_that_a_kill_cut_off_is_ended_and_skipped(run):
    run.tell("started")
    with run.events_file.open("ab") as file:
        file.write(b'{"v": 1, "kind": "step", "lo')
    run.tell("started", again=True)
    assert [event["kind"] for event in run.events()] == ["started", "started"]
    assert run.events_file.read_bytes().endswith(b"\n")


def test_numbers_that_json_does_not_know_are_told_as_words(run):
    run.tell("step", loss=float("nan"), more={"list": [float("inf"), 1.0]})
    (event,) = run.events()
    assert (event["loss"], event["more"]["list"]) == ("nan", ["inf", 1.0])


def test_helpers_of_a_training_on_several_gpus_write_nothing(tmp_path):
    helper = RunFolder(tmp_path / "run", quiet=True)
    helper.claim()
    helper.tell("step")
    helper.let_go()
    assert not (tmp_path / "run").exists()


def test_own_process_is_seen(run):
    trainer = run.trainer()
    assert trainer is not None
    assert trainer.pid == os.getpid()
    run.let_go()
    assert run.trainer() is None


def test_number_that_another_process_has_now_is_not_taken_for_the_trainer(run):
    began_s = psutil.Process().create_time() - 3600
    run.pid_file.write_text(json.dumps({"pid": os.getpid(), "began_s": began_s}), encoding="utf-8")
    assert run.trainer() is None


@pytest.mark.parametrize("text", ["", "12", '{"pid": "x"}', '{"pid": -5, "began_s": 1}', "[1]"])
def test_damaged_pid_file_means_nobody(run, text):
    run.pid_file.write_text(text, encoding="utf-8")
    assert run.trainer() is None


def test_stop_of_an_earlier_process_does_not_stop_the_next_but_one_while_it_loads_does(run):
    run.stop_file.touch()
    run.claim()
    assert run.stop_requested
    os.utime(run.stop_file, (1, 1))
    run.claim()
    assert not run.stop_requested
    run.stop_file.touch()
    run.let_go()
    assert not run.stop_file.exists()


def test_polite_signal_is_a_wish_to_stop_and_handlers_are_put_back(run):
    before = signal.getsignal(signal.SIGTERM)
    with run.stopping_on_signals():
        assert not run.stop_requested
        signal.raise_signal(signal.SIGTERM)
        assert run.stop_requested
    assert signal.getsignal(signal.SIGTERM) is before


def test_end_that_nobody_told_is_told_by_the_next_trainer(run):
    run.tell_interruption()
    assert list(run.events()) == []
    run.tell("started")
    run.tell("step", step=7)
    run.tell_interruption()
    run.tell_interruption()
    events = list(run.events())
    assert [event["kind"] for event in events] == ["started", "step", "interrupted"]
    assert "after step 7" in events[-1]["message"]
    run.tell("stopped", step=7)
    run.tell_interruption()
    assert list(run.events())[-1]["kind"] == "stopped"


def test_checkpoints_are_in_the_order_of_their_steps(run):
    for step in (10, 9, 100):
        checkpoint(run, step)
    assert [path.name for path in run.checkpoints()] == ["checkpoint-9", "checkpoint-10", "checkpoint-100"]


@pytest.mark.parametrize("damage", ["unsealed", "shorter", "missing", "no json"])
def test_checkpoint_that_is_not_whole_is_none(run, damage):
    folder = checkpoint(run, 5, sealed=damage != "unsealed")
    if damage == "shorter":
        (folder / "adapter_model.safetensors").write_bytes(b"numb")
    if damage == "missing":
        (folder / "adapter_model.safetensors").unlink()
    if damage == "no json":
        (folder / COMPLETE_FILE).write_text("{", encoding="utf-8")
    checkpoint(run, 4)
    assert [path.name for path in run.checkpoints()] == ["checkpoint-4"]
    assert run.discard_broken() == ["checkpoint-5"]
    assert not folder.exists()


def test_other_config_is_named(run):
    folder = checkpoint(run, 5)
    run.require_same(folder, {"rank": 8})
    with pytest.raises(UsageError, match="rank was 8, is 16"):
        run.require_same(folder, {"rank": 16})


def test_a_disk_that_a_checkpoint_filled_has_room_for_the_reason_again(run, monkeypatch):
    half, tell = checkpoint(run, 2, sealed=False), RunFolder.tell

    def tell_where_there_is_room(self, kind, **facts):
        if half.exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return tell(self, kind, **facts)

    monkeypatch.setattr(RunFolder, "tell", tell_where_there_is_room)
    run.tell_failure(OSError(errno.ENOSPC, "No space left on device"))
    assert [event["message"] for event in run.events()] == ["The disk is full."]


@pytest.mark.parametrize(
    ("log", "kind", "words"),
    [
        ("chatter\nFailed: The disk is full.\nFree some space.\n", "failed", "The disk is full."),
        ("Failed: The disk is full.\nFree some space.\nBegun: run\n", "interrupted", "was killed"),
    ],
)
def test_a_reason_that_only_the_log_had_room_for_is_told_by_the_next_trainer(run, log, kind, words):
    run.tell("step", step=3)
    run.log_file.write_text(log + "and what this one writes\n")
    (run.path / "launched").write_text(json.dumps({"pid": os.getpid(), "log_bytes": len(log)}))
    run.tell_interruption()
    last = list(run.events())[-1]
    assert (last["kind"], words in last["message"]) == (kind, True)
