import os
import subprocess
import sys
import threading

import pytest

from vvlm_desktop.backends.gpu_slot import GpuSlot
from vvlm_desktop.jobs.argv import worker_environment

HOLD = """
import sys
from pathlib import Path
from vvlm_desktop.backends.gpu_slot import GpuSlot
slot = GpuSlot(Path(sys.argv[1]))
print(slot.acquire("fine-tune run 7"), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def file(tmp_path):
    return tmp_path / "new" / "gpu.lock"


@pytest.fixture
def other(file):
    """Another process that has the GPU."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=worker_environment()
    ) as process:
        assert process.stdout.readline() == b"True\n"
        yield process
        process.kill()


def test_one_at_a_time_and_free_again_afterwards(file):
    first, second = GpuSlot(file), GpuSlot(file)
    assert first.acquire("analysis")
    assert first.held
    assert not second.acquire("another", timeout_s=0.0)
    first.release()
    assert second.acquire("another")
    second.release()
    second.release()


def test_another_process_is_kept_out_and_told_who_has_it(file, other):
    slot = GpuSlot(file)
    assert not slot.acquire("analysis", timeout_s=0.0)
    holder = slot.holder()
    assert holder.pid == other.pid
    assert holder.purpose == "fine-tune run 7"
    assert holder.since.endswith("Z")


def test_a_holder_that_is_killed_lets_go(file, other):
    other.kill()
    other.wait()
    slot = GpuSlot(file)
    assert slot.holder() is None
    with slot:
        assert slot.acquire("analysis")


def test_looking_does_not_take_it(file):
    slot = GpuSlot(file)
    assert slot.holder() is None
    assert slot.holder() is None
    with slot:
        assert slot.acquire("analysis")
        assert slot.holder().pid == os.getpid()
        assert GpuSlot(file).holder().pid == os.getpid()
    assert GpuSlot(file).holder() is None


def test_a_damaged_note_is_no_reason_to_fail(file):
    slot = GpuSlot(file)
    with slot:
        assert slot.acquire("analysis")
        file.write_text("{")
        assert GpuSlot(file).holder().purpose == "unknown"


def test_taking_it_twice_is_misuse(file):
    with GpuSlot(file) as slot:
        assert slot.acquire("analysis")
        with pytest.raises(ValueError, match="already"):
            slot.acquire("again")


def test_a_holder_with_nothing_to_do_learns_that_it_is_wanted(file):
    holder, seeker = GpuSlot(file), GpuSlot(file)
    assert holder.acquire("a window")
    assert not holder.wanted

    def idle():
        while not holder.wanted:
            pause.wait(0.005)
        holder.release()

    pause = threading.Event()
    resting = threading.Thread(target=idle, daemon=True)
    resting.start()
    assert seeker.acquire_asking("fine-tune run 7", patience_s=10.0)
    resting.join()
    assert not seeker.wanted
    seeker.release()


def test_a_wish_ends_with_the_patience_of_who_had_it(file):
    holder = GpuSlot(file)
    with holder:
        assert holder.acquire("a batch")
        assert not GpuSlot(file).acquire_asking("another", patience_s=0.01)
        assert not holder.wanted


def test_a_wish_of_somebody_who_died_long_ago_is_none(file):
    holder = GpuSlot(file)
    with holder:
        assert holder.acquire("a batch")
        wish = file.with_name(f"{file.name}.wanted")
        wish.write_text("fine-tune run 7")
        assert holder.wanted
        os.utime(wish, (0, 0))
        assert not holder.wanted
