"""A run that was stopped, killed while writing, or crashed goes on as if nothing had happened."""

import json
import shutil

import pytest

import training.preflight
from tests.unit.training.sets import config, light_set, losses, told
from training.adapter import write_adapter
from training.callbacks import RunNotes
from training.run_folder import RunFolder
from training.train import train
from vvlm_desktop.errors import UsageError

STEPS = 6


@pytest.fixture(scope="module")
def train_set(tmp_path_factory):
    return light_set(tmp_path_factory.mktemp("resuming"), train=3, val=0)


def settings(train_set, run_dir, **changes):
    """Chance in the adapter, gradients over two batches, activations made anew: whatever could differ after a stop."""
    given = {"steps": STEPS, "save_every": 2, "batch": 1, "accumulation": 2, "dropout": 0.2, "checkpointing": True}
    return config(train_set, run_dir, **(given | {"schedule": "cosine", "warmup": 0.2} | changes))


@pytest.fixture(scope="module")
def uninterrupted(train_set, tmp_path_factory):
    run = tmp_path_factory.mktemp("uninterrupted") / "run"
    assert train(settings(train_set, run))
    return run


def stop_after(monkeypatch, step, how):
    """Let something happen as soon as a step was told."""
    original = RunNotes.on_log

    def on_log(self, args, state, control, **kwargs):
        original(self, args, state, control, **kwargs)
        if state.global_step == step:
            how(self)

    monkeypatch.setattr(RunNotes, "on_log", on_log)


def test_stop_file_ends_it_at_the_next_step_and_it_goes_on_exactly(train_set, uninterrupted, tmp_path, monkeypatch):
    wanted = settings(train_set, tmp_path / "run")
    with monkeypatch.context() as patch:
        stop_after(patch, 3, lambda notes: notes._run.stop_file.touch())
        assert train(wanted) is False
    run = RunFolder(tmp_path / "run")
    assert [event["step"] for event in told(run.path, "stopped")] == [4]
    assert [path.name for path in run.checkpoints()] == ["checkpoint-2", "checkpoint-4"]
    assert not run.pid_file.exists()
    assert not run.adapter_dir.exists()
    assert train(wanted)
    assert told(run.path, "resumed")[0]["step"] == 4
    assert not run.stop_file.exists()
    assert losses(run.path) == losses(uninterrupted)
    name = "adapter/adapter_model.safetensors"
    assert (run.path / name).read_bytes() == (uninterrupted / name).read_bytes()


@pytest.mark.parametrize("damage", ["killed while writing", pytest.param("cut short", marks=pytest.mark.slow)])
def test_unfinished_checkpoint_is_skipped(train_set, uninterrupted, tmp_path, damage):
    run = RunFolder(tmp_path / "run")
    shutil.copytree(uninterrupted, run.path)
    shutil.rmtree(run.adapter_dir)
    last = run.checkpoints_dir / f"checkpoint-{STEPS}"
    if damage == "killed while writing":
        (last / "complete.json").unlink()
        (last / "optimizer.pt").unlink()
    else:
        with (last / "optimizer.pt").open("r+b") as file:
            file.truncate(100)
    assert train(settings(train_set, run.path))
    assert [event["step"] for event in told(run.path, "resumed")] == [4]
    assert [event["folder"] for event in told(run.path, "checkpoint_skipped")] == [f"checkpoints/checkpoint-{STEPS}"]
    assert losses(run.path) == losses(uninterrupted)


def test_checkpoint_of_another_config_is_refused_by_name(train_set, uninterrupted, tmp_path):
    run = RunFolder(tmp_path / "run")
    shutil.copytree(uninterrupted, run.path)
    shutil.rmtree(run.adapter_dir)
    with pytest.raises(UsageError, match=r"learning_rate was 0\.005, is 0\.001"):
        train(settings(train_set, run.path, learning_rate=1e-3))
    (failed,) = told(run.path, "failed")
    assert "run_dir" in failed["hint"]


def test_first_step_is_measured_with_activations_made_anew(train_set, tmp_path, monkeypatch):
    seen = []
    original = training.preflight.measure_step

    def measure_step(tuned, base, *given):
        seen.append([layer.gradient_checkpointing for layer in base.model.language_model.layers])
        return original(tuned, base, *given)

    monkeypatch.setattr(training.preflight, "measure_step", measure_step)
    assert train(settings(train_set, tmp_path / "run", steps=1))
    assert seen == [[True] * 3]


def test_checkpoints_are_few(uninterrupted):
    names = sorted(path.name for path in (uninterrupted / "checkpoints").iterdir())
    assert names == ["checkpoint-4", "checkpoint-6"]
    card = json.loads((uninterrupted / "adapter/card.json").read_text(encoding="utf-8"))
    assert card["steps"] == STEPS


def test_patience_of_early_stopping_goes_on_where_it_was(tmp_path, monkeypatch):
    made = light_set(tmp_path, train=1, val=1)
    given = {"steps": 12, "eval_every": 1, "save_every": 1, "early_stopping": 4, "learning_rate": 1e-12}
    wanted = settings(made, tmp_path / "run", accumulation=1, eval_clips=0, **given)
    with monkeypatch.context() as patch:
        stop_after(patch, 2, lambda notes: notes._run.stop_file.touch())
        assert train(wanted) is False
    assert train(wanted)
    assert max(losses(tmp_path / "run")) == 5, "the first evaluation is the best one, and four more are none better"


def test_an_adapter_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    class Tuned:
        def save_pretrained(self, folder, **_given):
            folder.mkdir()
            for name in ("adapter_model.safetensors", "adapter_config.json"):
                (folder / name).write_text("{}", encoding="utf-8")

    folder, synced = tmp_path / "adapter", []
    monkeypatch.setattr("training.adapter.os.fsync", lambda number: synced.append((number, folder.exists())))
    write_adapter(folder, Tuned(), card={}, base_name="base")
    assert [early for _, early in synced] == [False] * 3
    assert len(list(folder.iterdir())) == 3
