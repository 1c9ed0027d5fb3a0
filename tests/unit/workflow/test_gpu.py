"""What is said of GPUs, against a driver that is played."""

import os
from types import SimpleNamespace

import pynvml
import pytest

from vvlm_desktop.backends.model_catalogue import catalogue_model
from vvlm_desktop.backends.model_memory import GIB
from vvlm_desktop.workflow.gpu import duration_in_words, fits_now, hardware, processor_seconds_per_clip

SHAPE = catalogue_model("OpenGVLab/InternVL3-8B-hf").shape


@pytest.fixture
def driver(monkeypatch):
    """Two GPUs, the first with something on it."""
    state = SimpleNamespace(
        free=[3 * GIB, 20 * GIB], processes=[], init=None, ask=None, shut=0, names=["RTX 3090", b"RTX 4090"]
    )

    def init():
        if state.init:
            raise state.init

    def processes(_handle):
        if state.ask:
            raise state.ask
        return state.processes

    def shut():
        state.shut += 1

    for name, function in {
        "nvmlInit": init,
        "nvmlShutdown": shut,
        "nvmlDeviceGetCount": lambda: len(state.free),
        "nvmlDeviceGetHandleByIndex": lambda number: number,
        "nvmlDeviceGetMemoryInfo": lambda number: SimpleNamespace(total=24 * GIB, free=state.free[number]),
        "nvmlDeviceGetName": lambda number: state.names[number],
        "nvmlSystemGetDriverVersion": lambda: "580.65.06",
        "nvmlSystemGetCudaDriverVersion_v2": lambda: 13010,
        "nvmlDeviceGetComputeRunningProcesses": processes,
    }.items():
        monkeypatch.setattr(pynvml, name, function)
    return state


def test_gpus_are_named_with_their_memory_and_what_the_driver_can(driver):
    on = hardware()
    assert [(gpu.index, gpu.name, gpu.free_bytes) for gpu in on.gpus] == [
        (0, "RTX 3090", 3 * GIB),
        (1, "RTX 4090", 20 * GIB),
    ]
    assert (on.driver, on.cuda, on.problem) == ("580.65.06", "13.1", "")
    assert on.gpu is on.gpus[0]  # what `auto` takes, whichever has more room
    assert driver.shut == 1


def test_what_our_own_worker_holds_does_not_make_its_model_too_big(driver):
    driver.processes = [
        SimpleNamespace(pid=os.getpid(), usedGpuMemory=17 * GIB),
        SimpleNamespace(pid=1, usedGpuMemory=4 * GIB),
    ]
    on = hardware()
    assert on.gpu.ours_bytes == 17 * GIB
    assert fits_now(SHAPE, on=on, frames=16).badge == "fits"
    driver.processes = [SimpleNamespace(pid=os.getpid(), usedGpuMemory=None)]
    assert fits_now(SHAPE, on=hardware(), frames=16).badge == "too_big"
    driver.ask = pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
    assert hardware().gpu.ours_bytes == 0


@pytest.mark.parametrize("installed", [True, False])
def test_a_driver_that_does_not_answer_is_not_the_same_as_none(driver, monkeypatch, installed):
    driver.init = pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)
    monkeypatch.setattr("shutil.which", lambda _name: "/usr/bin/nvidia-smi" if installed else None)
    on = hardware()
    assert on.gpus == ()
    assert ("does not answer" in on.problem) == installed
    assert bool(on.mend) == installed


def test_a_driver_without_gpus_says_so(driver):
    driver.free = []
    assert "finds no GPU" in hardware().problem


def test_a_processor_takes_longer_with_fewer_cores_more_frames_and_more_parameters():
    small = catalogue_model("OpenGVLab/InternVL3-1B-hf").shape
    usual = processor_seconds_per_clip(small, frames=16, cores=8)
    assert usual < processor_seconds_per_clip(small, frames=32, cores=8)
    assert usual < processor_seconds_per_clip(small, frames=16, cores=2)
    assert usual < processor_seconds_per_clip(SHAPE, frames=16, cores=8)


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 s"), (59, "59 s"), (120, "2 min"), (7200, "2 h")])
def test_rough_times_are_said_roughly(seconds, words):
    assert duration_in_words(seconds) == words
