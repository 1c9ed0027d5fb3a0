"""Fine-tunes of InternVL3-8B in its real size with random weights, on an NVIDIA GPU of 24 GB or more.

    pytest -m gpu -s tests/gpu/test_training.py

Needs 20 GB of disk in the temporary folder and some minutes; prints one table. Without a GPU it is skipped. That the
measuring itself works is tried with a tiny model on the processor, in the default suite.
"""

from __future__ import annotations

import pytest
import torch

from tests.gpu.full_models import build_full
from tests.gpu.test_local_models import _why_not
from tests.gpu.training_measuring import CLIPS, MeasuredTraining, measure_training, table
from tests.tiny_models import tiny_model


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """All rows; the weights are written once and removed afterwards by pytest."""
    if _why_not():
        pytest.skip(_why_not())
    folder = tmp_path_factory.mktemp("full")
    model = build_full("InternVL3-8B", folder / "InternVL3-8B", device="cuda:0")
    rows = measure_training(model, folder / "work", device="cuda:0")
    print("\n" + torch.cuda.get_device_name(0) + "\n" + table(rows))
    return {row.way: row for row in rows}


@pytest.mark.gpu
@pytest.mark.timeout(1800)
def test_the_estimate_is_within_an_eighth_of_the_peak(measured):
    assert {way: row.error for way, row in measured.items() if abs(row.error or 0.0) > 0.125} == {}


@pytest.mark.gpu
@pytest.mark.timeout(1800)
def test_qlora_takes_a_compressed_base_worth_of_memory(measured):
    assert measured["QLoRA"].peak_bytes < 0.65 * measured["LoRA bf16"].peak_bytes
    assert measured["LoRA bf16, dropout 0"].peak_bytes < measured["LoRA bf16"].peak_bytes


@pytest.mark.gpu
@pytest.mark.timeout(1800)
def test_features_are_made_once(measured):
    first, *_, last = measured.values()
    assert last.prepare_s < first.prepare_s


def test_the_measuring_itself_runs_with_a_tiny_model_on_the_processor(tmp_path):
    model = tiny_model("internvl")
    ways = (("LoRA", {"precision": "fp32"}), ("preference", {"precision": "fp32", "objective": "preference"}))
    rows = measure_training(model, tmp_path / "work", device="cpu", ways=ways, steps=2, size=(160, 90))
    assert [row.way for row in rows] == ["LoRA", "preference"]
    assert all(row.step_s > 0 and row.tokens > 100 and row.estimate_bytes > 0 for row in rows)
    assert [row.peak_bytes for row in rows] == [None, None]
    assert "| – |" in table(rows)


def test_table_tells_how_far_the_estimate_is_off():
    row = MeasuredTraining("LoRA", 1.5, 2.0, 5000, 22 << 30, 20 << 30)
    assert row.error == pytest.approx(0.1)
    assert "| LoRA | 5000 | 1.50 | 2.0 | 20.00 | 22.00 (+10%) |" in table([row])
    assert CLIPS > 1
