"""InternVL3-8B and Qwen2.5-VL-7B in their real sizes with random weights, on an NVIDIA GPU of 24 GB or more.

    pytest -m gpu -s tests/gpu

Needs 20 GB of disk in the temporary folder and about five minutes; prints one table. Without a GPU it is skipped. That
the measuring itself works is tried with tiny models on the processor: `pytest -m slow tests/gpu`.
"""

from __future__ import annotations

import pytest
import torch

from tests.gpu.full_models import SHAPES, build_full, tiny_of
from tests.gpu.measuring import measure_model, overhead_of_own_loop, table

_NEEDED_BYTES = 22 << 30


def _why_not() -> str:
    if not torch.cuda.is_available():
        return "no NVIDIA GPU that this PyTorch can use"
    total = torch.cuda.get_device_properties(0).total_memory
    return "" if total >= _NEEDED_BYTES else f"a GPU of {total / 2**30:.0f} GiB is too small for 8B in bf16"


@pytest.fixture(scope="module", params=sorted(SHAPES))
def measured(request, tmp_path_factory):
    """All rows of one model; the weights are written once and removed afterwards by pytest."""
    if _why_not():
        pytest.skip(_why_not())
    folder = build_full(request.param, tmp_path_factory.mktemp("full") / request.param, device="cuda:0")
    rows = measure_model(request.param, folder, device="cuda:0")
    print("\n" + torch.cuda.get_device_name(0) + "\n" + table(rows))
    return rows


@pytest.mark.gpu
@pytest.mark.timeout(1800)
def test_the_estimate_is_within_a_tenth_of_the_peak(measured):
    wrong = [(row.precision, row.batch, row.memory_error) for row in measured if abs(row.memory_error or 0.0) > 0.1]
    assert wrong == []


@pytest.mark.gpu
@pytest.mark.timeout(1800)
def test_forced_tokens_cost_no_pass(measured):
    assert all(row.passes <= row.tokens / 1.5 for row in measured)


@pytest.mark.gpu
@pytest.mark.timeout(1800)
def test_decoding_comes_near_the_limit_of_memory(measured):
    one = measured[0]
    assert one.limit_a_s is not None
    assert one.passes_a_s >= 0.3 * one.limit_a_s


@pytest.mark.gpu
@pytest.mark.timeout(1800)
def test_ours_is_faster_than_naive_and_batches_are_faster_still(measured):
    by_batch = {row.batch: row.clip_s for row in measured if row.precision == "bf16"}
    naive_s = measured[0].naive_clip_s
    assert naive_s is not None
    assert by_batch[1] < naive_s
    assert by_batch[8] < by_batch[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SHAPES))
def test_the_measuring_itself_runs_with_tiny_models_on_the_processor(name, tmp_path):
    folder = tiny_of(name, tmp_path, device="cpu")
    rows = measure_model(name, folder, device="cpu", precisions=("fp32", "bf16"), batches=(1, 2), clips=2)
    assert [(row.precision, row.batch) for row in rows] == [("fp32", 1), ("fp32", 2), ("bf16", 1)]
    assert all(row.clip_s > 0 and 0 < row.passes < row.tokens for row in rows)
    assert rows[0].naive_clip_s
    text = table(rows)
    print("\n" + text)
    assert len(text.splitlines()) == 2 + len(rows)
    assert 0.1 < overhead_of_own_loop(folder, device="cpu", precision="fp32", tokens=16) < 10
