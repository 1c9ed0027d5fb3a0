"""Runs in processes of their own: killed at any moment, on two processes, with the other families and precisions."""

import os
import random
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.unit.training.sets import config, corrected_set, light_set, losses, told
from training.run_folder import RunFolder
from training.train import train
from vvlm_desktop.backends.train_config import save_config

pytestmark = pytest.mark.slow

_START_S = 90
#: As the README has it; `--cpu` would start one process, because accelerate leaves several to MPI then.
LAUNCH = (
    *("accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"),
    *("--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"),
)


def start(run, *, environment=None):
    """The trainer, as the window starts it."""
    command = [sys.executable, "-m", "training", "train", "--config", str(run / "run.toml")]
    return subprocess.Popen(
        command,
        env={**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def start_two(run):
    """Two processes that train together, as a launcher starts them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "ACCELERATE_USE_CPU": "true"}
    return [start(run, environment={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}) for rank in (0, 1)]


def wait_for(condition, process):
    """Poll until something is so; fails when the process ends or takes too long."""
    deadline = time.monotonic() + _START_S
    while not condition():
        assert process.poll() is None, process.stderr.read().decode()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.timeout(600)
def test_killed_ten_times_and_the_losses_are_those_of_the_uninterrupted_run(tmp_path):
    given = {"steps": 22, "save_every": 1, "batch": 1, "dropout": 0.2, "keep_checkpoints": 3}
    made = light_set(tmp_path, train=3, val=0)
    whole = config(made, tmp_path / "whole/run", **given, cache_dir=str(tmp_path / "features"))
    assert train(whole)
    run = tmp_path / "killed/run"
    save_config(whole.model_copy(update={"run_dir": str(run)}), run / "run.toml")
    chance, kills = random.Random(4), 0
    while kills < 10:
        before = len(told(run, "step"))
        process = start(run)
        wait_for(lambda before=before: len(told(run, "step")) > before, process)
        # Anywhere in a step: the forward pass, the optimiser, the writing of a checkpoint.
        time.sleep(chance.random() * 0.3)
        assert RunFolder(run).trainer().pid == process.pid
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        process.stderr.close()
        assert RunFolder(run).trainer() is None
        kills += 1
    assert train(whole.model_copy(update={"run_dir": str(run)}))
    assert losses(run) == losses(tmp_path / "whole/run")
    name = "adapter/adapter_model.safetensors"
    assert (run / name).read_bytes() == (tmp_path / "whole/run" / name).read_bytes()


@pytest.mark.timeout(300)
def test_asked_to_end_it_leaves_a_checkpoint(tmp_path):
    run = tmp_path / "run"
    save_config(config(light_set(tmp_path, train=2, val=0), run, steps=500, batch=1), run / "run.toml")
    process = start(run)
    wait_for(lambda: told(run, "step"), process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 3
    process.stderr.close()
    (stopped,) = told(run, "stopped")
    assert RunFolder(run).checkpoints()[-1].name == f"checkpoint-{stopped['step']}"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("objective", ["supervised", "preference"])
def test_two_processes_give_the_losses_of_one_with_twice_the_accumulation(tmp_path, objective):
    made = corrected_set(tmp_path, train=4, val=3)
    given = {"steps": 4, "batch": 1, "dropout": 0.0, "eval_every": 2, "objective": objective}
    one = config(made, tmp_path / "one/run", accumulation=2, **given)
    assert train(one)
    run = tmp_path / "two/run"
    save_config(one.model_copy(update={"run_dir": str(run), "accumulation": 1}), run / "run.toml")
    launched = subprocess.run(
        [sys.executable, "-m", *LAUNCH, "-m", "training", "train", "--config", str(run / "run.toml")],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert launched.returncode == 0, launched.stderr
    assert told(run, "resumed") == []
    assert losses(run) == pytest.approx(losses(tmp_path / "one/run"), abs=1e-4)
    both = told(run, "eval"), told(tmp_path / "one/run", "eval")
    assert [each["loss"] for each in both[0]] == pytest.approx([each["loss"] for each in both[1]], abs=1e-4)


@pytest.mark.timeout(300)
def test_two_processes_stop_together(tmp_path):
    run = tmp_path / "run"
    save_config(config(light_set(tmp_path, train=4, val=0), run, steps=500, batch=1), run / "run.toml")
    processes = start_two(run)
    wait_for(lambda: told(run, "step"), processes[0])
    (run / "stop").touch()
    assert [process.wait(60) for process in processes] == [3, 3]
    for process in processes:
        process.stderr.close()
    checkpoint = RunFolder(run).checkpoints()[-1]
    assert {"rng_state_0.pth", "rng_state_1.pth"} <= {file.name for file in checkpoint.iterdir()}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("family", ["qwen2_5_vl", "qwen3_vl"])
def test_other_families_learn_it_too(tmp_path, family):
    given = {"family": family, "steps": 100, "batch": 2, "learning_rate": 3e-3, "eval_every": 50, "eval_clips": 8}
    assert train(config(light_set(tmp_path, train=8, val=8), tmp_path / "run", **given))
    last = told(tmp_path / "run", "eval")[-1]["answers"]
    assert {key: each["score"] >= 0.9 for key, each in last["fields"].items()} == dict.fromkeys(last["fields"], True)


@pytest.mark.timeout(600)
def test_compressed_base_learns_it_too(tmp_path):
    given = {"precision": "nf4", "steps": 60, "batch": 2, "eval_every": 30, "eval_clips": 4, "checkpointing": True}
    assert train(config(light_set(tmp_path, train=8, val=4), tmp_path / "run", **given))
    last = told(tmp_path / "run", "eval")[-1]["answers"]
    assert last["fields"]["light"]["score"] >= 0.9
