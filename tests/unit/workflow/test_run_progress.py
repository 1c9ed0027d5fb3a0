"""What a run's folder says, whatever lies in it; no process is started here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from vvlm_desktop.workflow.run_progress import RunFollower

#: More than any process has been given.
NOBODY = 2**22 + 5


class Folder:
    """A run's folder as a trainer would have left it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.follower = RunFollower(path, look_every_s=0.0)

    def tell(self, kind, **facts):
        self.write(json.dumps({"v": 1, "kind": kind, "at": "2026-01-01T00:00:00.000Z", **facts}) + "\n")

    def write(self, text: str | bytes, mode: str = "ab"):
        with (self.path / "events.jsonl").open(mode) as file:
            file.write(text.encode() if isinstance(text, str) else text)

    def process(self, pid: int, began_s: float | None = None, **launched):
        began_s = psutil.Process(pid).create_time() if began_s is None else began_s
        facts = {"pid": pid, "began_s": began_s, "at": "x", "events_bytes": 0, "log_bytes": 0, **launched}
        (self.path / "launched").write_text(json.dumps(facts))

    def works(self):
        """This very process trains."""
        (self.path / "pid").write_text(json.dumps({"pid": os.getpid(), "began_s": psutil.Process().create_time()}))

    def poll(self):
        return self.follower.poll()


@pytest.fixture
def run(tmp_path):
    return Folder(tmp_path / "run")


def steps(run, *numbers, **facts):
    for number in numbers:
        run.tell("step", step=number, steps=10, loss=10.0 - number, learning_rate=0.1, left_s=5.0, **facts)


def test_a_run_is_told_from_its_beginning_to_its_end(run):
    assert run.poll().state == "stopped"
    assert "not started" in run.poll().hint
    run.works()
    assert run.poll().state == "starting"
    run.tell("started", pid=7)
    run.tell("preparing", done=3, clips=12, clip="a.mp4")
    told = run.poll()
    assert (told.state, told.done, told.of, told.clip, told.pid) == ("preparing", 3, 12, "a.mp4", 7)
    run.tell("preflight", left_out={"seen in bulk": ["b.mp4"]}, unreadable={}, notes=["One thing."], train=8)
    told = run.poll()
    assert told.state == "measuring"
    assert told.preflight["train"] == 8
    assert told.notes == ["Left out, seen in bulk: b.mp4.", "One thing."]
    run.tell("first_step", whole_s=60.0, steps=10, memory_bytes=4, memory_of_bytes=8)
    told = run.poll()
    assert (told.state, told.left_s, told.steps, told.memory_of_bytes) == ("training", 60.0, 10, 8)
    steps(run, 1, 2, memory_bytes=5)
    run.tell("eval", step=2, loss=3.0, answers={"fields": {"light": {"score": 0.5}}})
    told = run.poll()
    assert told.loss == [(1, 9.0), (2, 8.0)]
    assert told.validation == [(2, 3.0)]
    assert told.fields == {"light": [(2, 0.5)]}
    assert (told.fraction, told.left_s, told.memory_bytes) == (0.2, 5.0, 5)
    (run.path / "stop").touch()
    assert run.poll().state == "stopping"
    run.tell("finished", step=10, metrics={"train_loss": 1.0})
    told = run.poll()
    assert (told.state, told.step, told.metrics) == ("finished", 10, {"train_loss": 1.0})


def test_half_a_line_waits_for_its_other_half(run):
    run.works()
    run.write('{"kind": "started"}\n{"kind": "step", "step": 1, "steps": 4')
    assert run.poll().step == 0
    run.write(', "loss": 1.5}\n')
    assert run.poll().loss == [(1, 1.5)]


def test_what_a_resumed_run_does_again_is_told_once(run):
    run.works()
    run.tell("started")
    steps(run, 1, 2, 3, 4, 5)
    run.tell("eval", step=5, loss=1.0, answers={"fields": {"light": {"score": 0.5}}})
    run.tell("interrupted", step=5, message="Killed.")
    run.tell("started")
    assert run.poll().loss[-1][0] == 5  # what is known is shown until it says where it goes on
    run.tell("resumed", step=3)
    run.tell("first_step", steps=10, whole_s=10.0)
    told = run.poll()
    assert [step for step, _ in told.loss] == [1, 2, 3]
    assert (told.validation, told.fields["light"], told.left_s) == ([], [], 7.0)
    steps(run, 4)
    assert run.poll().loss == [(1, 9.0), (2, 8.0), (3, 7.0), (4, 6.0)]


def test_without_a_checkpoint_the_curves_begin_anew(run):
    run.works()
    run.tell("started")
    steps(run, 1, 2, 3)
    run.tell("started")
    run.tell("first_step", steps=10)
    assert run.poll().loss == []


def test_an_events_file_that_another_took_the_place_of_is_read_from_its_start(run):
    run.works()
    run.tell("started")
    steps(run, 1, 2, 3)
    assert run.poll().step == 3
    run.write('{"kind": "started"}\n', mode="wb")
    steps(run, 1)
    assert run.poll().loss == [(1, 9.0)]
    # As long as before, and other words.
    old = (run.path / "events.jsonl").read_bytes()
    run.write(old.replace(b'"loss": 9.0', b'"loss": 7.0').replace(b"started", b"startup"), mode="wb")
    assert run.poll().loss == [(1, 7.0)]


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,
        b'{"kind": ' + b"9" * 10_000 + b"}",
        b'{"kind": ["step"], "step": {}}',
        b'{"kind": {"a": 1}}',
        b'{"kind": "step", "step": "nan", "steps": -4, "loss": [], "left_s": "soon", "epoch": true}',
        b'{"kind": "step", "step": 1e400, "steps": 1e308, "loss": 1e400, "learning_rate": NaN}',
        b'{"kind": "step", "step": ' + b"9" * 400 + b', "loss": ' + b"9" * 400 + b"}",
        b'{"kind": "preflight", "left_out": ["a"], "unreadable": 5, "notes": "no", "train": null}',
        b'{"kind": "preflight", "left_out": {"a": 5}, "unreadable": {"a": {}}, "notes": [1, null, "\\u0000"]}',
        b'{"kind": "eval", "step": 1, "loss": "inf", "answers": {"fields": {"a": 5, "b": {"score": "nan"}}}}',
        b'{"kind": "eval", "answers": [1]}',
        b'{"kind": "preparing", "done": -5, "clips": "many", "clip": 5}',
        b'{"kind": "resumed", "step": null}',
        b'{"kind": "failed", "message": 5, "hint": null, "checkpoint": {}}',
        b"\xff\xfe\x00\x01",
        b"null",
    ],
)
def test_nothing_that_stands_in_an_event_stops_the_reading(run, line):
    run.works()
    run.tell("started")
    run.write(line + b"\n")
    run.poll()
    run.tell("started")
    run.tell("first_step", steps=10)
    steps(run, 1, 2)
    told = run.poll()
    assert told.loss == [(1, 9.0), (2, 8.0)]
    assert (told.state, told.steps, told.fraction) == ("training", 10, 0.2)
    assert all(isinstance(value, float) and value < 1e9 for _, value in [*told.loss, *told.validation])


@pytest.mark.parametrize("fields", [[1], 3, {"light": 3}, {"light": [1]}])
def test_scores_that_are_none_are_left_out(run, fields):
    run.tell("eval", step=1, loss=1.0, answers={"clips": 2, "fields": fields})
    told = run.poll()
    assert told.answers["clips"] == 2
    assert all(scores == {} for scores in told.answers["fields"].values())
    assert told.fields == {}


def test_a_line_of_many_megabytes_is_passed_over(run):
    run.works()
    run.tell("started")
    run.write(b'{"kind": "step", "clip": "' + b"x" * (33 << 20) + b'"}\n')
    steps(run, 1)
    assert run.poll().loss == [(1, 9.0)]


def test_numbers_that_are_none_are_told_and_not_drawn(run):
    run.works()
    run.tell("started")
    run.tell("step", step=1, steps=4, loss="nan", learning_rate=0.1)
    told = run.poll()
    assert told.loss == []
    assert told.learning_rate == [(1, 0.1)]
    assert told.notes == ["Step 1: the loss is no number (nan)."]


def test_texts_hold_nothing_that_moves_a_cursor_or_turns_a_line(run):
    run.works()
    run.tell("preparing", done=0, clips=1, clip="a\x1b[2J\u202egpj.exe\n\r\x00b")
    assert run.poll().clip == "a [2J gpj.exe   b"
    run.tell("failed", message="x" * 100_000, hint="\ud800 do \x07 it")
    told = run.poll()
    assert len(told.message) <= 2000
    assert told.hint == "do   it"


def test_a_process_that_died_is_seen_whatever_it_told_last(run):
    run.process(NOBODY, 5.0)
    run.tell("started")
    steps(run, 1, 2)
    told = run.poll()
    assert (told.state, told.step, told.left_s) == ("interrupted", 2, None)
    assert "after step 2" in told.message
    assert told.hint == "Resume begins it anew."
    assert told.resumable


def test_one_that_was_killed_after_its_result_and_before_its_last_word_has_finished(run):
    run.tell("started", pid=NOBODY)
    steps(run, 9, 10)
    assert run.poll().state == "interrupted"
    (run.path / "adapter").mkdir()
    (run.path / "adapter" / "card.json").write_text("{}")
    assert run.poll().state == "finished"
    assert not run.poll().resumable


def test_what_it_told_right_before_it_ended_is_read(run, monkeypatch):
    run.process(NOBODY, 5.0)
    run.tell("started")
    look = run.follower._watch.look

    def ends_now():
        run.tell("finished", step=10)
        look()

    monkeypatch.setattr(run.follower._watch, "look", ends_now)
    assert run.poll().state == "finished"


def test_its_last_error_is_told_and_no_chatter(run):
    run.process(NOBODY, 5.0)
    run.tell("started")
    (run.path / "log").write_text("Failed to load kernels: none\n")
    assert "kernels" not in run.poll().message
    (run.path / "log").write_text("Traceback (most recent call last):\n  File\nOSError: No space left\nbye\n")
    assert run.poll().message.endswith("Its log ends with: OSError: No space left")


def test_a_checkpoint_that_is_whole_is_where_it_goes_on(run):
    run.process(NOBODY, 5.0)
    run.tell("started")
    for name, size in (("checkpoint-2", 3), ("checkpoint-4", 99)):
        folder = run.path / "checkpoints" / name
        folder.mkdir(parents=True)
        (folder / "weights").write_text("abc")
        (folder / "complete.json").write_text(json.dumps({"files": {"weights": size}}))
    told = run.poll()
    assert (told.hint, told.checkpoint) == ("Resume goes on from step 2.", "checkpoints/checkpoint-2")


def test_a_number_that_another_process_has_now_is_not_taken_for_the_trainer(run):
    run.process(os.getpid(), psutil.Process().create_time() - 3600)
    (run.path / "pid").write_text(json.dumps({"pid": os.getpid(), "began_s": 1000.0}))
    run.tell("started")
    assert run.poll().state == "interrupted"


@pytest.mark.skipif(sys.platform == "win32", reason="no zombies there")
def test_a_zombie_is_not_alive(run):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        run.process(child.pid)
        run.tell("started")
        assert run.poll().state == "preparing"
        assert child.stdin is not None
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, and nobody has asked for it
        assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
        assert run.poll().state == "interrupted"
    finally:
        child.communicate()


def test_one_that_ends_before_its_first_word_has_failed(run):
    (run.path / "log").write_text("of an earlier time\n")
    run.process(NOBODY, 5.0, log_bytes=len("of an earlier time\n"))
    told = run.poll()
    assert told.state == "failed"
    assert "killed" in told.message
    with (run.path / "log").open("a") as log:
        log.write("Traceback (most recent call last):\n  x\n\x1b[31mImportError: No module named 'peft'\x1b[0m\n")
    told = RunFollower(run.path).poll()
    assert told.message == "The training could not begin: ImportError: No module named 'peft'"
    assert str(run.path / "log") in told.hint


def test_what_an_earlier_trainer_told_is_not_taken_for_the_new_ones_words(run):
    run.tell("started")
    steps(run, 1)
    run.tell("failed", message="Out of memory.")
    size = (run.path / "events.jsonl").stat().st_size
    run.process(os.getpid(), events_bytes=size)
    told = run.poll()
    assert (told.state, told.message) == ("starting", "")
    run.process(NOBODY, 5.0, events_bytes=size)
    assert run.poll().message.startswith("The training ended before it said anything")
    run.tell("started")
    assert run.poll().state == "interrupted"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1e99, "began_s": 0}', "[" * 99999])
def test_notes_of_processes_that_make_no_sense_are_none(run, text):
    for name in ("pid", "launched"):
        (run.path / name).write_text(text)
    run.tell("started")
    assert run.poll().state == "interrupted"


def test_a_folder_that_is_gone_is_no_fault(tmp_path):
    told = RunFollower(tmp_path / "nowhere").poll()
    assert (told.state, told.live) == ("stopped", False)


def test_a_reason_that_only_the_log_had_room_for_is_told(run):
    steps(run, 1)
    run.process(NOBODY, 1.0, log_bytes=6)
    (run.path / "log").write_text("older\nFailed: The disk is full.\nFree some space.\n")
    found = run.poll()
    assert (found.state, found.message, found.hint) == ("failed", "The disk is full.", "Free some space.")


def test_a_reason_of_an_earlier_trainer_is_not_this_ones(run):
    steps(run, 1)
    older = "Failed: The disk is full.\nFree some space.\n"
    (run.path / "log").write_text(older)
    run.process(NOBODY, 1.0, log_bytes=len(older))
    assert run.poll().state == "interrupted"
