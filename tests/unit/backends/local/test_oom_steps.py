"""The order in which things are given up when memory runs out, and how that is told."""

import gc
import weakref

import pytest
import torch

from vvlm_desktop.backends.local.stepping_down import (
    Level,
    MemoryRanOutError,
    coarser_precision,
    is_out_of_memory,
    nothing_left,
    step_down,
    told,
    with_memory_watched,
)
from vvlm_desktop.errors import OutOfMemoryError


def ladder(level, *, device, sides=(448, 336, 252), clip_side=448):
    steps = []
    while level is not None:
        steps.append(level)
        side = min(clip_side, level.side_px or clip_side)
        level = step_down(level, frames_seen=level.frames, shown_px=(side, side), sides=sides, device=device)
    return [(each.frames, each.side_px, each.precision) for each in steps]


def failing(error):
    def work():
        raise error

    return work


def test_frames_first_then_size_then_weights():
    assert ladder(Level(16, None, "bf16"), device="cuda:0") == [
        (16, None, "bf16"),
        (8, None, "bf16"),
        (4, None, "bf16"),
        (4, 336, "bf16"),
        (4, 252, "bf16"),
        (4, 252, "int8"),
        (4, 252, "nf4"),
    ]


def test_a_family_of_one_size_keeps_it():
    assert ladder(Level(4, None, "fp32"), device="cpu", sides=()) == [
        (4, None, "fp32"),
        (4, None, "bf16"),
        (4, None, "nf4"),
    ]


def test_pictures_of_a_small_clip_are_small_already():
    assert [side for _, side, _ in ladder(Level(4, None, "nf4"), device="cpu", clip_side=300)] == [None, 252]
    assert [side for _, side, _ in ladder(Level(4, None, "nf4"), device="cpu", clip_side=240)] == [None]


def test_fewer_than_four_frames_show_too_little():
    assert ladder(Level(6, None, "nf4"), device="cuda:0", sides=()) == [(6, None, "nf4"), (4, None, "nf4")]
    assert step_down(Level(3, None, "nf4"), frames_seen=3, shown_px=(448, 448), sides=(), device="cuda:0") is None


def test_a_short_clip_is_halved_from_what_it_has():
    assert (
        step_down(Level(64, None, "bf16"), frames_seen=10, shown_px=(448, 448), sides=(), device="cuda:0").frames == 5
    )


def test_the_coarsest_has_nothing_after_it():
    assert coarser_precision("nf4", device="cuda:0") is None
    assert coarser_precision("nf4", device="cpu") is None


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried 9"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_every_way_in_which_memory_runs_out_is_known(error):
    assert is_out_of_memory(error)
    with pytest.raises(MemoryRanOutError):
        with_memory_watched(failing(error))


def test_other_errors_pass():
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        with_memory_watched(failing(RuntimeError("shapes")))
    with pytest.raises(ValueError, match="out of memory"):
        with_memory_watched(failing(ValueError("out of memory")))
    assert with_memory_watched(lambda: 5) == 5


def test_what_failed_keeps_no_tensor_alive():
    alive = []

    def forward():
        tensor = torch.zeros(3)
        alive.append(weakref.ref(tensor))
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(MemoryRanOutError) as caught:
        with_memory_watched(forward)
    gc.collect()
    assert alive[0]() is None
    assert caught.value.__context__ is None


def test_what_was_given_up_is_told_in_one_sentence():
    asked = Level(16, None, "bf16")
    assert told(asked, asked) == ()
    (sentence,) = told(asked, Level(4, 336, "nf4"))
    assert "4 frames instead of 16" in sentence
    assert "336" in sentence
    assert "nf4 instead of bf16" in sentence
    error = nothing_left("InternVL3-8B", Level(4, None, "nf4"), device="cuda:0")
    assert isinstance(error, OutOfMemoryError)
    assert "InternVL3-8B" in str(error)
    assert error.hint
