"""Other ways to train: weights, early stopping, the projector, half precision; and evaluations that fail or stop."""

import json
from dataclasses import replace

import pytest
import safetensors.torch
import torch

from tests.unit.training.sets import config, export, light_items, light_set, losses, told
from training.batches import WeightedOrder
from training.evaluate import evaluate
from training.run_folder import RunFolder
from training.train import train
from vvlm_desktop.backends.train_config import load_config
from vvlm_desktop.errors import FormatError, ModelFolderError


@pytest.fixture(scope="module")
def train_set(tmp_path_factory):
    return light_set(tmp_path_factory.mktemp("variants"), train=4, val=2)


def weights_of(run):
    return safetensors.torch.load_file(run / "adapter/adapter_model.safetensors")


def test_clips_are_drawn_by_weight_and_the_same_after_a_resume(tmp_path, monkeypatch):
    items = light_items(tmp_path / "clips", train=4, val=0)
    weighted = [replace(each, weight=9.0 if number == 3 else 0.0) for number, each in enumerate(items)]
    folder = export(tmp_path / "set", weighted)
    whole = config(folder, tmp_path / "whole/run", steps=4, batch=1, cache_dir=str(tmp_path / "features"))
    assert train(whole)
    parts = whole.model_copy(update={"run_dir": str(tmp_path / "parts/run"), "save_every": 3})
    whole_losses = losses(tmp_path / "whole/run")
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "stop_requested", property(lambda self: len(losses(self.path)) == 2))
        assert train(parts) is False
    assert train(parts.model_copy(update={"save_every": 3}))
    assert losses(tmp_path / "parts/run") == whole_losses
    drawn = [WeightedOrder([0, 0, 0, 9.0], seed=0), WeightedOrder([1, 1, 2, 2], seed=0)]
    assert set(drawn[0]) == {3}
    first = list(drawn[1])
    drawn[1].set_epoch(1)
    assert (len(first), first != list(drawn[1])) == (4, True)


def test_early_stopping_keeps_the_best_weights(train_set, tmp_path):
    given = {"steps": 30, "eval_every": 1, "save_every": 1, "early_stopping": 1, "batch": 1}
    assert train(config(train_set, tmp_path / "run", **given, learning_rate=0.5))  # far too large: it gets worse
    *during, at_the_end = told(tmp_path / "run", "eval")
    evaluated = {event["step"]: event["loss"] for event in during}
    best = min(evaluated, key=evaluated.__getitem__)
    assert at_the_end["loss"] == pytest.approx(evaluated[best])
    assert max(evaluated) == best + 1 < 30
    (finished,) = told(tmp_path / "run", "finished")
    assert finished["metrics"]["val_loss"] == pytest.approx(evaluated[best])
    checkpoint = tmp_path / "run" / "checkpoints" / f"checkpoint-{best}" / "adapter_model.safetensors"
    best_weights = safetensors.torch.load_file(checkpoint)
    kept = weights_of(tmp_path / "run")
    assert all(torch.equal(kept[name], best_weights[name]) for name in kept)


@pytest.mark.parametrize("precision", [pytest.param("fp32", marks=pytest.mark.slow), "bf16"])
def test_projector_is_trained_and_saved_with_the_adapter(train_set, tmp_path, precision):
    given = {"steps": 2, "projector": True, "precision": precision, "checkpointing": True, "eval_every": 2}
    assert train(config(train_set, tmp_path / "run", **given, eval_clips=2))
    kept = weights_of(tmp_path / "run")
    projector = {name: each for name, each in kept.items() if "multi_modal_projector" in name}
    assert projector
    assert all(each.dtype == torch.float32 for each in kept.values())
    out = tmp_path / "evaluation"
    metrics = evaluate(
        load_config(tmp_path / "run/run.toml"), split="val", adapters={"new": tmp_path / "run/adapter"}, out=out
    )
    told_then = told(tmp_path / "run", "eval")[-1]["answers"]
    rows = [json.loads(line) for line in (out / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len([row for row in rows if row["answerer"] == "new"]) == 2
    if precision == "fp32":
        again = json.loads(json.dumps(metrics["scores"]["new"]))
        assert again["fields"]["light"]["accuracy"] == told_then["fields"]["light"]["accuracy"]


def test_evaluation_of_a_part_without_clips(train_set, tmp_path):
    with pytest.raises(FormatError, match="no clip in its part test"):
        evaluate(config(train_set, tmp_path / "run"), split="test", adapters={}, out=tmp_path / "out")
    assert told(tmp_path / "out", "failed")


def test_evaluation_with_an_adapter_that_is_none(train_set, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelFolderError, match="holds no adapter"):
        evaluate(
            config(train_set, tmp_path / "run"),
            split="val",
            adapters={"empty": tmp_path / "empty"},
            out=tmp_path / "out",
        )


def test_evaluation_stops_when_asked_to(train_set, tmp_path, monkeypatch):
    monkeypatch.setattr(RunFolder, "stop_requested", property(lambda self: bool(told(self.path, "answering"))))
    assert evaluate(config(train_set, tmp_path / "run"), split="val", adapters={}, out=tmp_path / "out") is None
    assert [event["kind"] for event in RunFolder(tmp_path / "out").events()] == ["started", "answering", "stopped"]
    assert not (tmp_path / "out/metrics.json").exists()
