"""Each way in which a training fails: a plain cause, what to change, and the last checkpoint usable."""

import errno
import os
from dataclasses import replace

import pytest
import torch

import training.objectives
from tests.unit.training.sets import config, export, item, light_items, light_set, losses, paint, told, truth, verdicts
from training.run_folder import RunFolder
from training.train import train
from vvlm_desktop.backends.gpu_slot import GpuSlot
from vvlm_desktop.errors import (
    BackendError,
    BackendUnavailableError,
    FormatError,
    FrameUnreadableError,
    ModelFolderError,
    OutOfMemoryError,
    SettingsError,
    StorageFullError,
    UsageError,
)
from vvlm_desktop.video.index import read_index
from vvlm_desktop.video.sampling import uniform


@pytest.fixture(scope="module")
def train_set(tmp_path_factory):
    return light_set(tmp_path_factory.mktemp("failing"), train=2, val=0)


def settings(train_set, tmp_path, **changes):
    return config(train_set, tmp_path / "run", **({"steps": 2, "save_every": 1, "eval_every": 1, "batch": 1} | changes))


def fail_in_call(monkeypatch, number, how):
    """Let the loss of the `number`-th batch of the training do something else."""
    original, calls = training.objectives.answer_loss, []

    def answer_loss(*given):
        calls.append(given)
        total, count = original(*given)
        return (how(total), count) if len(calls) == number else (total, count)

    monkeypatch.setattr(training.objectives, "answer_loss", answer_loss)


def out_of_memory(_total):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


@pytest.mark.parametrize(
    ("how", "error", "hint"),
    [
        (out_of_memory, OutOfMemoryError, "fewer frames"),
        (lambda total: total * float("nan"), BackendError, "half the learning_rate"),
    ],
    ids=["out of memory", "not a number"],
)
def test_step_that_fails_leaves_the_last_checkpoint_usable(train_set, tmp_path, monkeypatch, how, error, hint):
    wanted = settings(train_set, tmp_path)
    with monkeypatch.context() as patch:
        fail_in_call(patch, 3, how)  # the first call is the step on the longest clip
        with pytest.raises(error):
            train(wanted)
    (failed,) = told(tmp_path / "run", "failed")
    assert hint in failed["hint"]
    assert failed["checkpoint"] == "checkpoints/checkpoint-1"
    assert not (tmp_path / "run/pid").exists()
    assert train(wanted)
    assert told(tmp_path / "run", "resumed")[0]["step"] == 1
    assert sorted(losses(tmp_path / "run")) == [1, 2]


def test_memory_that_runs_out_in_the_first_step_is_told_before_anything_is_trained(train_set, tmp_path, monkeypatch):
    fail_in_call(monkeypatch, 1, out_of_memory)
    with pytest.raises(OutOfMemoryError):
        train(settings(train_set, tmp_path))
    assert losses(tmp_path / "run") == {}
    assert told(tmp_path / "run", "failed")[0]["checkpoint"] is None


def test_gradient_that_is_not_a_number_never_reaches_the_weights(train_set, tmp_path, monkeypatch):
    def explode(total):
        total.register_hook(lambda grad: grad * float("nan"))
        return total

    wanted = settings(train_set, tmp_path, steps=3)
    with monkeypatch.context() as patch:
        fail_in_call(patch, 3, explode)
        with pytest.raises(BackendError, match="after step 1"):
            train(wanted)
    (failed,) = told(tmp_path / "run", "failed")
    assert (failed["checkpoint"], "start_from" in failed["hint"]) == ("checkpoints/checkpoint-1", True)
    assert sorted(losses(tmp_path / "run")) == [1]
    again = {"run_dir": str(tmp_path / "again"), "steps": 1, "learning_rate": 1e-4}
    again["start_from"] = str(tmp_path / "run" / failed["checkpoint"])
    assert train(wanted.model_copy(update=again))
    assert told(tmp_path / "again", "step")[0]["loss"] < losses(tmp_path / "run")[1]


def test_set_and_model_that_were_moved_are_found_again_by_name_and_the_run_goes_on(tmp_path):
    import shutil

    made = light_set(tmp_path, train=2, val=0)
    wanted = settings(made, tmp_path, steps=1)
    assert train(wanted)
    run = tmp_path / "run"
    shutil.rmtree(run / "adapter")
    made.rename(tmp_path / "moved")
    shutil.copytree(wanted.model_dir, tmp_path / "model")
    with pytest.raises(FormatError, match="no training set") as caught:
        train(wanted)
    assert "train_set=FOLDER" in caught.value.hint
    moved = {"train_set": str(tmp_path / "moved"), "model_dir": str(tmp_path / "model")}
    assert train(wanted.model_copy(update=moved))
    assert [event["step"] for event in told(run, "resumed")] == [1]


def full_disk(*_given, **_named):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def full_disk_of_torch(*_given, **_named):
    raise RuntimeError("[enforce fail at inline_container.cc:664] . PytorchStreamWriter failed writing file data/0")


@pytest.mark.parametrize("full", [full_disk, full_disk_of_torch], ids=["by the system", "by torch"])
def test_full_disk_while_a_checkpoint_is_written(train_set, tmp_path, monkeypatch, full):
    wanted = settings(train_set, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        with pytest.raises(StorageFullError, match="disk is full"):
            train(wanted)
    assert told(tmp_path / "run", "failed")[0]["checkpoint"] is None
    assert train(wanted)
    assert [event["folder"] for event in told(tmp_path / "run", "checkpoint_skipped")] == ["checkpoints/checkpoint-1"]


def test_disk_that_will_be_full_is_told_at_once(train_set, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1_000_000})())
    with pytest.raises(StorageFullError, match="1 MB are free"):
        train(settings(train_set, tmp_path))


def test_answers_over_the_limit_are_refused_by_name(train_set, tmp_path):
    with pytest.raises(
        FormatError, match=r"max_answer_tokens=10: train-0\.mp4 \(\d+\), train-1\.mp4 \(\d+\)"
    ) as caught:
        train(settings(train_set, tmp_path, max_answer_tokens=10))
    assert "max_answer_tokens=" in caught.value.hint


def test_clip_that_does_not_decode_is_left_out_and_told(tmp_path):
    items = light_items(tmp_path / "clips", train=2)
    broken = tmp_path / "clips/broken.mp4"
    broken.write_bytes(b"no pictures here" * 100)
    items.append(item(broken, verdicts(truth(bright=True)), split="train", number=5))
    assert train(settings(export(tmp_path / "set", items), tmp_path, steps=1))
    (event,) = told(tmp_path / "run", "preflight")
    assert list(event["unreadable"]) == ["broken.mp4"]
    assert event["train"] == 2


def test_damaged_clip_is_shown_where_it_can_be_as_in_analyses(tmp_path, monkeypatch):
    from vvlm_desktop.video.reader import FrameReader

    original = FrameReader.frames

    def frames(self, indices):
        for frame_index, frame in original(self, indices):
            if self.index.pts[frame_index] == pts_of_a_lost_frame:
                raise FrameUnreadableError(self.path, frame_index, "lost")
            yield frame_index, frame

    made = export(tmp_path / "set", light_items(tmp_path / "clips", train=2))
    path = next((made / "clips").glob("train-0*"))
    index = read_index(path)
    pts_of_a_lost_frame = index.pts[uniform(index, 4)[0]]
    kept = tuple(pts for pts in index.pts if pts != pts_of_a_lost_frame)
    monkeypatch.setattr(FrameReader, "frames", frames)
    monkeypatch.setattr("vvlm_desktop.video.probe.examine", lambda *_, **__: replace(index, pts=kept, problem="lost"))
    assert train(settings(made, tmp_path, steps=1))
    (event,) = told(tmp_path / "run", "preflight")
    assert event["train"] == 2
    assert any("Damaged, and looked at where they can be: train-0.mp4" in note for note in event["notes"])


def test_nothing_that_decodes_is_nothing_to_train_on(tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no pictures here" * 100)
    made = export(tmp_path / "set", [item(broken, verdicts(truth(bright=True)), split="train", number=0)])
    with pytest.raises(FormatError, match=r"nothing to train on: broken\.mp4"):
        train(settings(made, tmp_path))


def test_only_clips_for_testing_is_nothing_to_train_on(tmp_path):
    clip = paint(tmp_path / "a.mp4", bright=True, seed=1)
    made = export(tmp_path / "set", [item(clip, verdicts(truth(bright=True)), split="test", number=0)])
    with pytest.raises(FormatError, match="nothing to train on: no reviewed clip"):
        train(settings(made, tmp_path))


def test_model_that_is_not_there(train_set, tmp_path):
    with pytest.raises(ModelFolderError):
        train(settings(train_set, tmp_path, model_dir=str(tmp_path / "nowhere")))


def test_more_frames_than_analyses_can_use(train_set, tmp_path):
    with pytest.raises(SettingsError, match="at most 64 frames"):
        train(settings(train_set, tmp_path, frames=65))


def test_compressed_base_on_another_gpu_is_told_how(train_set, tmp_path, monkeypatch):
    monkeypatch.setattr("training.train.take_gpu", lambda *_, **__: None)
    with pytest.raises(SettingsError) as caught:
        train(settings(train_set, tmp_path, precision="nf4", device="cuda:1"))
    assert "CUDA_VISIBLE_DEVICES=1" in caught.value.hint


def test_what_goes_another_way_than_asked_for_is_noted(train_set, tmp_path):
    assert train(settings(train_set, tmp_path, steps=1, sampling="stored", early_stopping=3))
    notes = " ".join(told(tmp_path / "run", "preflight")[0]["notes"])
    assert "names no frames for 2 clips" in notes
    assert "Early stopping is off" in notes


def test_targets_that_match_nothing(train_set, tmp_path):
    with pytest.raises(BackendError, match="does not fit"):
        train(settings(train_set, tmp_path, targets="no_such_layer"))


def test_gpu_that_somebody_else_has_is_told_with_its_holder(train_set, tmp_path, monkeypatch):
    monkeypatch.setattr("vvlm_desktop.backends.local.devices.choose_device", lambda _: "cuda:0")
    monkeypatch.setattr("vvlm_desktop.backends.gpu_slot.PATIENCE_S", 0.0)
    from vvlm_desktop import paths

    with GpuSlot(paths.gpu_slot_file()) as slot:
        assert slot.acquire("an analysis")
        with pytest.raises(BackendUnavailableError, match="an analysis"):
            train(settings(train_set, tmp_path))
    assert told(tmp_path / "run", "failed")


def test_run_that_another_process_trains_is_left_alone(train_set, tmp_path, monkeypatch):
    run = RunFolder(tmp_path / "run")
    run.claim()
    monkeypatch.setattr(os, "getpid", lambda: 1)
    with pytest.raises(UsageError, match="being worked on already"):
        train(settings(train_set, tmp_path))
    assert run.pid_file.exists()
    assert not run.events_file.exists()


def test_stop_before_the_first_step(train_set, tmp_path, monkeypatch):
    monkeypatch.setattr(RunFolder, "stop_requested", True)
    assert train(settings(train_set, tmp_path)) is False
    assert told(tmp_path / "run", "stopped")[0]["step"] == 0
    assert not told(tmp_path / "run", "failed")


def test_mistake_of_the_program_is_told_and_propagates(train_set, tmp_path, monkeypatch):
    def mistake(_total):
        raise IndexError("one too many")

    fail_in_call(monkeypatch, 2, mistake)
    with pytest.raises(IndexError):
        train(settings(train_set, tmp_path))
    (failed,) = told(tmp_path / "run", "failed")
    assert failed["message"].startswith("IndexError")
    assert "report" in failed["hint"]
