"""Memory runs out at the allocator's boundary: the pass that would need too much raises what torch raises."""

from copy import copy
from functools import cache

import pytest
import torch

from tests.clips import clip
from tests.unit.backends.local.local_jobs import JobNotes, options, run, run_one
from vvlm_desktop.backends.base import Answer
from vvlm_desktop.backends.local import devices, resident
from vvlm_desktop.backends.local.backend import LocalBackend
from vvlm_desktop.backends.local.loading import load_model
from vvlm_desktop.errors import OutOfMemoryError


class SmallMemory:
    """A device that has room for so many tokens in one pass, or for weights of some precisions only."""

    def __init__(self, monkeypatch):
        self.most_tokens = 1 << 30
        self.fits_weights = ("fp32", "bf16", "nf4")
        self.seen = []
        self.failed = []
        self.loads = []
        self.hooks = []
        self.let_go = []
        monkeypatch.setattr(resident, "load_model", self.load)

    def load(self, folder, *, precision, device):
        self.loads.append(precision)
        if precision not in self.fits_weights:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 14.00 GiB.")
        # 4-bit weights are slow to make on a processor, and these tests are about what is asked for.
        loaded = copy(_loaded(folder, "bf16" if precision == "nf4" else precision))
        loaded.precision = precision
        self.hooks.append(loaded.model.register_forward_pre_hook(self._allocate, with_kwargs=True))
        return loaded

    def _allocate(self, _module, _args, kwargs):
        tokens = kwargs["input_ids"].numel()
        self.seen.append(tokens)
        if tokens > self.most_tokens:
            self.failed.append(tokens)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    def tokens_of(self, path=None, **changes):
        """Tokens of the largest pass over one clip where there is no limit."""
        run_one(LocalBackend(), path, options=options(**changes))
        most = max(self.seen)
        self.seen.clear()
        self.loads.clear()
        return most


@cache
def _loaded(folder, precision):
    """Weights are the same for all tests; what a test adds to them is taken off by `memory`."""
    return load_model(folder, precision=precision, device="cpu")


@pytest.fixture
def memory(monkeypatch):
    small = SmallMemory(monkeypatch)
    # Collecting garbage of all that torch has takes longer than these tests; weights are shared and stay anyway.
    monkeypatch.setattr(devices, "let_go_of_memory", lambda: small.let_go.append(len(small.loads)))
    yield small
    for hook in small.hooks:
        hook.remove()


def test_batches_shrink_first_and_every_clip_keeps_its_frames(memory):
    memory.most_tokens = 2 * memory.tokens_of() + 10
    outcomes = run(LocalBackend(), *(JobNotes(options=options(batch=4)) for _ in range(5)))
    assert all(isinstance(each, Answer) for each in outcomes)
    assert {len(each.frames_pts) for each in outcomes} == {8}
    assert max(each.settings["batch"] for each in outcomes) == 2
    assert not any("Memory" in flag for each in outcomes for flag in each.flags)
    assert len(memory.failed) == 1, "what is known not to fit is not tried again"


def test_one_clip_alone_gets_fewer_frames_and_says_so(memory):
    memory.most_tokens = memory.tokens_of() + 10
    first, second = run(LocalBackend(), *(JobNotes(options=options(frames=16)) for _ in range(2)))
    for answer in (first, second):
        assert len(answer.frames_pts) == 8
        assert answer.settings["frames"] == 8
        assert any("8 frames instead of 16" in flag for flag in answer.flags)
    assert len(memory.failed) == 1
    assert memory.loads == ["fp32"]


def test_what_ran_out_once_is_tried_again_in_the_next_run(memory):
    memory.most_tokens = memory.tokens_of() - 1
    backend = LocalBackend()
    assert len(run_one(backend).frames_pts) == 4
    memory.most_tokens = 1 << 30
    answer = run_one(backend)
    assert len(answer.frames_pts) == 8
    assert not any("Memory" in flag for flag in answer.flags)
    assert memory.loads == ["fp32"]


def test_then_pictures_get_smaller(memory):
    path = clip("uhd.mp4")
    memory.most_tokens = memory.tokens_of(path, family="qwen2_5_vl") - 1
    answer = run_one(LocalBackend(), path, options=options("qwen2_5_vl"))
    assert len(answer.frames_pts) == 2
    width, height = answer.settings["size_px"]
    assert 300 * 300 < width * height <= 350 * 350
    assert memory.loads == ["fp32"]
    assert any("smaller pictures" in flag for flag in answer.flags)


def test_then_weights_get_coarser_with_one_more_load(memory, monkeypatch):
    most = memory.tokens_of(frames=4)
    allocate = memory._allocate

    def allocate_by_weights(module, args, kwargs):
        memory.most_tokens = most - 1 if memory.loads[-1] == "fp32" else 1 << 30
        allocate(module, args, kwargs)

    monkeypatch.setattr(memory, "_allocate", allocate_by_weights)
    answer = run_one(LocalBackend(), options=options(frames=8, precision="fp32"))
    assert memory.loads == ["fp32", "bf16"]
    assert answer.settings["precision"] == "bf16"
    assert len(answer.frames_pts) == 4
    (flag,) = (flag for flag in answer.flags if "Memory ran out" in flag)
    assert "4 frames instead of 8" in flag
    assert "bf16 instead of fp32" in flag


def test_weights_that_do_not_fit_are_loaded_coarser_and_that_is_told(memory):
    memory.fits_weights = ("nf4",)
    answer = run_one(LocalBackend(), options=options(precision="fp32"))
    assert memory.loads == ["fp32", "bf16", "nf4"]
    assert memory.let_go == [1, 2], "of what was loaded in part, before the next try"
    assert any("nf4 instead of fp32" in flag for flag in answer.flags)
    assert len(answer.frames_pts) == 8


def test_when_nothing_is_left_the_error_says_what_was_tried(memory):
    memory.most_tokens = 10
    backend = LocalBackend()
    (outcome,) = run(backend, JobNotes())
    assert isinstance(outcome, OutOfMemoryError)
    assert "4 frames" in str(outcome)
    assert "nf4" in str(outcome)
    assert outcome.hint
    assert memory.loads == ["fp32", "bf16", "nf4"]


def test_weights_that_never_fit_fail_every_job_and_leave_nothing_behind(memory):
    memory.fits_weights = ()
    backend = LocalBackend()
    outcomes = run(backend, JobNotes(), JobNotes())
    assert all(isinstance(each, OutOfMemoryError) for each in outcomes)
    memory.fits_weights = ("fp32",)
    assert run_one(backend).labels


def test_a_model_that_the_estimate_has_no_room_for_is_not_even_read(memory, monkeypatch):
    monkeypatch.setattr("vvlm_desktop.backends.local.devices.free_bytes", lambda _device: 1 << 20)
    (outcome,) = run(LocalBackend(), JobNotes(options=options(precision="auto")))
    assert isinstance(outcome, OutOfMemoryError)
    assert "does not fit" in str(outcome).lower()
    assert memory.loads == []
    insisted = run_one(LocalBackend(), options=options(precision="bf16"))
    assert insisted.settings["precision"] == "bf16"
