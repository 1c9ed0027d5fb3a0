"""The estimate of a training's memory: against what is counted for real shapes, and against published peaks."""

from dataclasses import replace

import pytest

from tests.unit.training.counted_memory import step_peak_bytes
from vvlm_desktop.backends.model_catalogue import catalogue_model
from vvlm_desktop.backends.model_memory import ANSWER_TOKENS, GIB
from vvlm_desktop.backends.train_config import TrainConfig
from vvlm_desktop.backends.training_memory import estimate_training

BIG = catalogue_model("OpenGVLab/InternVL3-8B-hf").shape
SMALL = catalogue_model("OpenGVLab/InternVL3-2B-hf").shape


def settings(**changes):
    return TrainConfig(**{"model_dir": "m", "train_set": "s", "precision": "bf16", **changes})


def layers(shape, count):
    return replace(shape, text=replace(shape.text, layers=count))


@pytest.mark.parametrize(
    ("shape", "changes"),
    [
        pytest.param(layers(BIG, 3), {}, id="8B, dropout, checkpointing"),
        pytest.param(layers(BIG, 3), {"dropout": 0.0}, id="8B, checkpointing", marks=pytest.mark.slow),
        pytest.param(layers(BIG, 3), {"checkpointing": False}, id="8B, dropout", marks=pytest.mark.slow),
        pytest.param(layers(SMALL, 3), {"checkpointing": False, "dropout": 0.0, "batch": 2}, id="2B, two clips"),
        pytest.param(BIG, {}, id="8B, whole", marks=pytest.mark.slow),
        pytest.param(BIG, {"checkpointing": False}, id="8B, whole, dropout", marks=pytest.mark.slow),
        pytest.param(SMALL, {"frames": 32}, id="2B, whole", marks=pytest.mark.slow),
    ],
)
def test_activations_are_within_an_eighth_of_what_is_counted(shape, changes):
    config = settings(**changes)
    found = estimate_training(shape, config)
    counted = step_peak_bytes(
        shape.text,
        tokens=found.tokens,
        answer_tokens=ANSWER_TOKENS,
        rank=config.rank,
        dropout=config.dropout,
        checkpointing=config.checkpointing,
        rows=config.batch,
    )
    assert found.activations_bytes == pytest.approx(counted, rel=0.125)


def test_trained_numbers_are_those_of_peft():
    config = settings(model_dir="x", rank=16)
    assert estimate_training(BIG, config).trainable == pytest.approx(40.4e6, rel=0.01)  # as peft counts them


@pytest.mark.parametrize(("answer_tokens", "low", "high"), [(200, 10, 13), (700, 10, 14)])
def test_compressed_8b_needs_what_is_known_of_it(answer_tokens, low, high):
    config = settings(precision="nf4", dropout=0.0)
    assert low <= estimate_training(BIG, config, answer_tokens=answer_tokens).total_bytes / GIB <= high


@pytest.mark.parametrize(("preset", "shape"), [("8gb", SMALL), ("16gb", BIG), ("24gb", BIG), ("80gb", BIG)])
def test_presets_fit_the_gpu_that_they_are_for(preset, shape):
    config = TrainConfig(model_dir="m", train_set="s", preset=preset)
    assert estimate_training(shape, config).total_bytes < int(preset.removesuffix("gb")) * GIB * 0.94


def test_each_setting_moves_it_in_the_right_direction():
    def total(**changes):
        return estimate_training(BIG, settings(**changes)).total_bytes

    usual = total()
    assert total(precision="nf4") < total(precision="int8") < usual < total(precision="fp32")
    assert total(frames=8) < usual < total(batch=2) == total(objective="preference")
    assert usual < total(projector=True)
    assert usual < total(rank=64) < total(rank=64, checkpointing=False)


def test_it_calls_itself_an_estimate():
    assert "an estimate; the first step measures it" in estimate_training(BIG, settings()).sentence
