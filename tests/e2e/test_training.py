"""The real trainer behind `vvlm train`, with a tiny model: a run from its set to an adapter that can be chosen."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Vvlm
from tests.tiny_models import tiny_model
from tests.unit.training import sets
from vvlm_desktop.workflow.run_progress import RunFollower

VALUES = (
    "frames=4",
    "batch=2",
    "accumulation=1",
    "rank=8",
    "alpha=16",
    "learning_rate=5e-3",
    "schedule=constant",
    "dropout=0",
    "eval_clips=0",
    "eval_every=1000",
    "checkpointing=false",
)
SET = "light-001-0123456789ab"


@pytest.fixture
def model() -> Path:
    return tiny_model("internvl")


@pytest.fixture
def training_set(library: Path, tmp_path: Path) -> Path:
    folder = library / "training_sets" / SET
    folder.parent.mkdir(parents=True)
    return sets.light_set(tmp_path / "made", train=6, val=2, test=4).rename(folder)


def until(condition: Callable[[], object], *, within_s: float = 100.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "it never came true"
        threading.Event().wait(0.05)


def test_a_run_makes_an_adapter_that_can_be_chosen(vvlm: Vvlm, library: Path, training_set: Path, model: Path):
    done = vvlm("train", "light", "steps=2", *VALUES, "--model", model, "--json")
    assert done.exit_code == 0, done.stdout + done.stderr
    told = done.data
    assert (told["state"], told["step"], told["steps"]) == ("finished", 2, 2)
    assert told["preflight"]["train"] == 6
    assert [step for step, _ in told["loss"]] == [1, 2]
    (adapter,) = vvlm("models", "adapters", "--json", with_library=False).data
    assert (adapter["name"], adapter["reason"]) == ("light-001", "")


@pytest.mark.slow
def test_a_real_run_is_killed_goes_on_and_is_measured(vvlm: Vvlm, library: Path, training_set: Path, model: Path):
    folder = library / "runs" / "light-001"
    assert vvlm("train", "light", "steps=30", "save_every=5", *VALUES, "--model", model, "--detach").exit_code == 0
    follower = RunFollower(folder, look_every_s=0.0)
    until(lambda: follower.poll().checkpoint)
    os.kill(json.loads((folder / "launched").read_text())["pid"], signal.SIGKILL)
    until(lambda: follower.poll().state == "interrupted")
    assert follower.progress.hint.startswith("Resume goes on from step")
    done = vvlm("train", "--resume", "light-001", "--json")
    assert done.exit_code == 0, done.stderr
    assert [step for step, _ in done.data["loss"]] == list(range(1, 31))
    assert any(note.startswith("Went on from step") for note in done.data["notes"])

    measured = vvlm("evaluate", "light-001", "--json")
    assert measured.exit_code == 0, measured.stderr
    assert measured.data["answerers"] == ["base", "light-001"]
    fields = {name: scores["fields"]["light"]["score"] for name, scores in measured.data["scores"].items()}
    assert fields["light-001"] > fields["base"]
    assert "p light-001" in vvlm("runs", "show", "light-001").stdout


@pytest.mark.slow
def test_a_real_run_stops_while_it_loads(vvlm: Vvlm, library: Path, training_set: Path, model: Path):
    assert vvlm("train", "light", "steps=500", *VALUES, "--model", model, "--detach").exit_code == 0
    stopped = vvlm("runs", "stop", "light-001")
    assert stopped.exit_code == 0, stopped.stderr
    assert "light-001: stopped" in stopped.stdout
