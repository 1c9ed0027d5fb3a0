import pytest

from vvlm_desktop.backends.model_catalogue import catalogue, catalogue_model
from vvlm_desktop.backends.model_memory import CONTEXT_BYTES, GIB, best_fit, estimate

BIG = catalogue_model("OpenGVLab/InternVL3-8B-hf").shape
SMALL = catalogue_model("OpenGVLab/InternVL3-2B-hf").shape
QWEN = catalogue_model("Qwen/Qwen2.5-VL-7B-Instruct").shape

#: GiB at the peak for one clip of 16 frames and a short prompt, worked out independently of this code.
KNOWN = [
    (BIG, "bf16", 16.5),
    (BIG, "int8", 10.4),
    (BIG, "nf4", 7.5),
    (QWEN, "bf16", 16.6),
    (QWEN, "int8", 10.5),
    (QWEN, "nf4", 7.5),
    (SMALL, "bf16", 5.2),
    (SMALL, "int8", 3.9),
    (SMALL, "nf4", 3.3),
]


@pytest.mark.parametrize(("shape", "precision", "gib"), KNOWN)
def test_known_peaks_are_met(shape, precision, gib):
    found = estimate(shape, precision=precision, frames=16, prompt_tokens=300, answer_tokens=256)
    assert found.total_bytes / GIB == pytest.approx(gib, rel=0.1)


def test_only_the_language_layers_become_smaller():
    full, eight, four = (estimate(BIG, precision=p, frames=16).weights_bytes for p in ("bf16", "int8", "nf4"))
    kept = 2 * (BIG.parameters - BIG.text.linear_parameters)
    assert full == 2 * BIG.parameters
    assert eight == BIG.text.linear_parameters + kept
    assert kept < four < BIG.text.linear_parameters * 0.53 + kept
    assert estimate(BIG, precision="fp32", frames=16).weights_bytes == 2 * full


def test_the_cache_is_counted_exactly():
    found = estimate(
        BIG, precision="bf16", frames=10, batch=3, tokens_per_frame=100, prompt_tokens=50, answer_tokens=40
    )
    tokens = 50 + 10 * (100 + 10) + 40
    assert found.cache_bytes == 3 * tokens * 28 * 2 * 4 * 128 * 2
    assert found.context_bytes == CONTEXT_BYTES


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.id)
def test_more_of_anything_needs_more(entry):
    def total(**changes):
        return estimate(entry.shape, **{"precision": "bf16", "frames": 16, **changes}).total_bytes

    assert total(precision="nf4") < total(precision="int8") < total() < total(precision="fp32")
    assert total(frames=8) < total() < total(frames=32)
    assert total() < total(batch=2) < 2 * total()


def test_misuse_is_not_estimated():
    with pytest.raises(ValueError, match="auto"):
        estimate(BIG, precision="auto", frames=16)


@pytest.mark.parametrize(
    ("free", "precision", "frames"),
    [(24, "bf16", 16), (16, "int8", 16), (10, "nf4", 16), (8, "nf4", 8)],
)
def test_precision_gives_way_before_frames_do(free, precision, frames):
    fit = best_fit(BIG, free_bytes=int(free * GIB), frames=16)
    assert (fit.precision, fit.frames) == (precision, frames)
    assert fit.estimate.total_bytes < free * GIB
    assert f"{frames} frames" in fit.sentence
    assert ("instead of 16" in fit.sentence) == (frames < 16)


def test_what_does_not_fit_says_how_much_is_missing():
    fit = best_fit(BIG, free_bytes=4 * GIB, frames=16)
    assert not fit.fits
    assert fit.precision is None
    assert "4.0 GB are free" in fit.sentence
    assert f"{fit.estimate.total_bytes / GIB:.1f} GB even" in fit.sentence


def test_a_chosen_precision_is_not_changed():
    assert not best_fit(BIG, free_bytes=12 * GIB, frames=16, precisions=("bf16",)).fits
    assert best_fit(BIG, free_bytes=24 * GIB, frames=16, precisions=("nf4",)).precision == "nf4"


def test_a_batch_grows_with_what_is_free_and_still_fits():
    batches = []
    for free in (18, 20, 24, 40):
        fit = best_fit(BIG, free_bytes=free * GIB, frames=16, precisions=("bf16",))
        batches.append(fit.batch)
        assert estimate(BIG, precision="bf16", frames=16, batch=fit.batch).total_bytes < free * GIB
    assert batches == sorted(batches)
    assert batches[0] == 1 < batches[-1]


def test_fewer_frames_than_the_smallest_step_are_left_as_they_are():
    assert best_fit(SMALL, free_bytes=24 * GIB, frames=2).frames == 2
    assert best_fit(BIG, free_bytes=GIB, frames=2).frames == 2
