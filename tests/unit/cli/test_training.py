"""`vvlm train`, `evaluate` and `runs` as they are typed; the trainer learns nothing, in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Vvlm
from tests.model_folders import write_adapter, write_model
from tests.unit.workflow.run_builders import launched_pid, until, with_trainer
from vvlm_desktop import paths
from vvlm_desktop.cli import training_follow
from vvlm_desktop.settings import Settings, save_settings
from vvlm_desktop.workflow import model_shelf, run_evaluation, run_planning
from vvlm_desktop.workflow.run_progress import RunFollower

SET = "march-001-0123456789ab"


@pytest.fixture(autouse=True)
def real_shelf(monkeypatch: pytest.MonkeyPatch, made_up_model: None, library: Path) -> None:
    """A model "m" that is only looked at, a training set, and a trainer that ends well."""
    monkeypatch.setattr(run_planning, "find_model", model_shelf.find_model)
    monkeypatch.setattr(run_evaluation, "find_model", model_shelf.find_model)
    write_model(paths.default_models_dir() / "m")
    save_settings(Settings(local_model="m", frames=12))
    folder = library / "training_sets" / SET
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"splits": {}, "clips": 3}))
    (folder / "corrections.jsonl").write_text("")
    with_trainer(monkeypatch, "ends")
    monkeypatch.setattr(training_follow, "_POLL_S", 0.01)


@pytest.fixture
def no_gpu_here(monkeypatch: pytest.MonkeyPatch) -> None:
    from vvlm_desktop.workflow.gpu import Hardware

    none = Hardware((), "", "", "No GPU.", "", 10**10, 10**10, 2)
    monkeypatch.setattr(run_planning, "hardware", lambda: none)


pytestmark = pytest.mark.usefixtures("no_gpu_here")


def folder_of(library: Path, name: str) -> Path:
    return library / "runs" / name


def until_state(folder: Path, state: str) -> None:
    follower = RunFollower(folder, look_every_s=0.0)
    until(lambda: follower.poll().state == state)


def finished(library: Path, name: str) -> None:
    write_adapter(folder_of(library, name) / "adapter", base="m", card={"name": name})


def test_a_set_is_trained_followed_and_listed(vvlm: Vvlm, library: Path):
    done = vvlm("train", "march", "rank=8", "--name", "night")
    assert done.exit_code == 0, done.stderr
    assert "night-001: finished after 4 steps, loss 2.0000" in done.stdout
    assert "no GPU" in done.stderr
    assert "--config" in done.stderr  # the same by hand
    listed = vvlm("runs")
    assert "night-001" in listed.stdout
    assert "finished" in listed.stdout
    assert "march-001" in listed.stdout  # the set, in a column of its own
    shown = vvlm("runs", "show", "night-1").stdout
    assert "Run night-001: finished" in shown
    assert "Learns by: supervised, 3 epochs, preset" in shown
    assert "rank 8, alpha" in shown
    assert "Training set: march-001, in " in shown
    (row,) = vvlm("runs", "list", "--json").data
    assert (row["name"], row["state"], row["config"]["rank"], row["loss"]) == ("night-001", "finished", 8, 2.0)


def test_json_is_all_there_is_on_stdout(vvlm: Vvlm):
    done = vvlm("train", "march", "--json")
    assert done.data["state"] == "finished"
    assert done.data["loss"] == [[1, 2.0]]
    assert done.data["config"]["frames"] == 12


def test_a_test_part_too_small_for_the_rule_is_said_at_once(vvlm: Vvlm, library: Path):
    (library / "training_sets" / SET / "manifest.json").write_text(json.dumps({"splits": {"test": 17}, "clips": 90}))
    done = vvlm("train", "march", "--check")
    assert (done.exit_code, "17 test clips; the rule for promotion asks for 20" in done.stderr) == (0, True)


def test_a_check_says_how_long_it_would_take(vvlm: Vvlm):
    done = vvlm("train", "march", "--check")
    assert (done.exit_code, "march-001: checked" in done.stdout) == (0, True)
    assert "Train it: vvlm train --resume march-001" in done.stdout


def test_detached_it_is_found_followed_and_stopped(vvlm: Vvlm, library: Path, monkeypatch: pytest.MonkeyPatch):
    with_trainer(monkeypatch, "waits")
    done = vvlm("train", "march", "--detach")
    assert "vvlm runs stop march-001" in done.stdout
    again = vvlm("train", "--resume", "march-001", "--json")
    assert again.exit_code == 2
    assert "being trained already" in again.data["error"]
    kept = vvlm("runs", "remove", "march-001", "--yes")
    assert (kept.exit_code, folder_of(library, "march-001").exists()) == (2, True)
    until_state(folder_of(library, "march-001"), "training")
    stopped = vvlm("runs", "stop", "001")
    assert stopped.exit_code == 0, stopped.stderr
    assert "stopped · step 1 of 4" in stopped.stdout
    assert "vvlm train --resume march-001" in vvlm("runs", "show", "march-001").stdout
    assert vvlm("runs", "stop", "march-001").exit_code == 2
    with_trainer(monkeypatch, "ends")
    assert vvlm("train", "--resume", "march-001").exit_code == 0


def ctrl_c(monkeypatch: pytest.MonkeyPatch, *, times: int) -> None:
    """Press Ctrl-C so often once it trains."""
    left = [times]
    words = training_follow.run_words

    def interrupted(progress: Any) -> str:
        if progress.step and left[0]:
            left[0] -= 1
            raise KeyboardInterrupt
        return words(progress)

    monkeypatch.setattr(training_follow, "run_words", interrupted)


def test_ctrl_c_stops_with_a_checkpoint_and_says_how_to_go_on(vvlm: Vvlm, monkeypatch: pytest.MonkeyPatch):
    with_trainer(monkeypatch, "waits")
    ctrl_c(monkeypatch, times=1)
    done = vvlm("train", "march")
    assert done.exit_code == 130
    assert "march-001: stopped at step 1 of 4" in done.stdout
    assert "vvlm train --resume march-001" in done.stderr


def test_a_second_ctrl_c_leaves_it_alone(vvlm: Vvlm, library: Path, monkeypatch: pytest.MonkeyPatch):
    with_trainer(monkeypatch, "waits")
    ctrl_c(monkeypatch, times=2)
    done = vvlm("train", "march")
    assert done.exit_code == 130
    assert "vvlm runs follow march-001" in done.stderr
    until_state(folder_of(library, "march-001"), "stopped")


def test_ctrl_c_while_looking_on_does_not_stop_it(vvlm: Vvlm, library: Path, monkeypatch: pytest.MonkeyPatch):
    with_trainer(monkeypatch, "waits")
    vvlm("train", "march", "--detach")
    until_state(folder_of(library, "march-001"), "training")
    with monkeypatch.context() as pressed:
        ctrl_c(pressed, times=1)
        assert vvlm("runs", "follow", "march-001").exit_code == 130
    assert not (folder_of(library, "march-001") / "stop").exists()
    assert vvlm("runs", "stop", "march-001").exit_code == 0


def test_ctrl_c_before_it_is_followed_stops_it_too(vvlm: Vvlm, library: Path, monkeypatch: pytest.MonkeyPatch):
    with_trainer(monkeypatch, "waits")
    follow, pressed = training_follow.follow_run, []

    def interrupted(*given: Any, **more: Any) -> Any:
        if not pressed:
            pressed.append(1)
            raise KeyboardInterrupt
        return follow(*given, **more)

    monkeypatch.setattr(training_follow, "follow_run", interrupted)
    assert vvlm("train", "march").exit_code == 130
    until_state(folder_of(library, "march-001"), "stopped")


def test_a_training_that_dies_fails_with_its_reason(vvlm: Vvlm, monkeypatch: pytest.MonkeyPatch):
    with_trainer(monkeypatch, "dies")
    done = vvlm("train", "march")
    assert done.exit_code == 1
    assert "No module named 'peft'" in done.stderr
    assert "peft" in vvlm("runs", "log", "march-001").stdout
    broken = vvlm("train", "--resume", "march-001", "--json")
    assert (broken.exit_code, broken.data["state"]) == (1, "failed")


def test_a_killed_training_fails_and_goes_on(vvlm: Vvlm, library: Path, monkeypatch: pytest.MonkeyPatch):
    with_trainer(monkeypatch, "waits")
    vvlm("train", "march", "--detach")
    folder = folder_of(library, "march-001")
    until_state(folder, "training")
    os.kill(launched_pid(folder), signal.SIGKILL)
    until_state(folder, "interrupted")
    assert "without a word after step 1" in vvlm("runs", "show", "march-001").stdout
    with_trainer(monkeypatch, "ends")
    assert vvlm("train", "--resume", "march-001").exit_code == 0


def test_a_run_goes_on_with_what_changes_nothing_of_what_is_learnt(vvlm: Vvlm, library: Path):
    vvlm("train", "march", "--check")
    folder = folder_of(library, "march-001")
    refused = vvlm("train", "--resume", "march-001", "rank=4")
    assert (refused.exit_code, "rank cannot be changed" in refused.stderr) == (2, True)
    assert "by hand" not in refused.stderr
    assert vvlm("train", "--resume", "march-001", "keep_checkpoints=none").exit_code == 2
    assert vvlm("train", "--resume", "march-001", "cache=false", "keep_checkpoints=1").exit_code == 0
    assert json.loads((folder / "seen.json").read_text())["arguments"][-2:] == ["cache=false", "keep_checkpoints=1"]


@pytest.mark.parametrize("typed", [("train", "--resume", "x"), ("evaluate", "x"), ("runs",), ("runs", "show", "x")])
def test_no_library_is_made_for_what_only_one_can_have(vvlm: Vvlm, tmp_path: Path, typed: Any):
    done = vvlm(*typed, "--library", str(tmp_path / "mistyped"), with_library=False)
    assert (done.exit_code, "There is no library in" in done.stderr) == (2, True)
    assert not (tmp_path / "mistyped").exists()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("train",), "Which training set"),
        (("train", "steps=5"), "Which training set"),
        (("train", "may"), "no training set"),
        (("train", "march", "rank"), "key=value"),
        (("train", "march", "rnk=8"), "Did you mean rank"),
        (("train", "march", "rank=0"), "rank: "),
        (("train", "march", "--preset", "9gb"), "preset: "),
        (("train", "march", "--model", "other"), "other"),
        (("train", "march", "--name", "../x"), "cannot name"),
        (("train", "march", "--resume", "x"), "values that it began with"),
        (("train", "--resume", "x"), "no run"),
        (("evaluate", "x"), "no run"),
        (("runs", "show", "x"), "no run"),
    ],
)
def test_what_is_asked_wrongly_is_said_and_makes_nothing(vvlm: Vvlm, library: Path, typed: Any, words: str):
    done = vvlm(*typed)
    assert done.exit_code == 2
    assert words in done.stderr
    assert list((library / "runs").glob("*")) == []


def test_every_value_is_explained(vvlm: Vvlm):
    told = vvlm("train", "--explain")
    assert "learning_rate" in told.stdout
    assert "run_dir" not in told.stdout
    data = vvlm("train", "--explain", "--json").data
    assert data["presets"]["8gb"]["precision"] == "nf4"


def test_an_adapter_is_measured_and_shown(vvlm: Vvlm, library: Path):
    vvlm("train", "march")
    finished(library, "march-001")
    done = vvlm("evaluate", "march-001", "--split", "val", "--json")
    assert done.exit_code == 0, done.stderr
    assert done.data["answerers"] == ["base", "other"]
    assert "part val" in vvlm("runs", "show", "march-001").stdout
    assert vvlm("evaluate", "march-001", "--split", "all").exit_code == 2


def test_runs_are_set_side_by_side_and_removed(vvlm: Vvlm, library: Path):
    vvlm("train", "march", "rank=8")
    vvlm("train", "march", "rank=16")
    finished(library, "march-002")
    shown = vvlm("runs", "compare", "march-001", "march-002")
    assert "Rank" in shown.stdout
    assert "Alpha" not in shown.stdout
    assert vvlm("runs", "compare", "march-001", "march-002", "--json").data["apart"] == [
        {"title": "Rank", "values": ["8", "16"]}
    ]
    assert "--config" in vvlm("runs", "command", "march-001").stdout
    asked = vvlm("runs", "remove", "march-002")
    assert (asked.exit_code, "--yes" in asked.stderr) == (2, True)
    assert vvlm("runs", "remove", "march-002", "--yes").exit_code == 0
    assert not folder_of(library, "march-002").exists()
    # Nobody had taken it yet; it is not lost.
    taken = paths.default_models_dir() / "adapters" / "march-002"
    assert (taken / "card.json").exists()


def test_deleting_the_last_copy_of_an_adapter_is_said(vvlm: Vvlm, library: Path):
    vvlm("train", "march")
    finished(library, "march-001")
    assert "last copy" not in vvlm("runs", "remove", "march-001").stderr
    shutil.rmtree(paths.default_models_dir() / "adapters" / "march-001")
    assert "this is its last copy" in vvlm("runs", "remove", "march-001").stderr


def test_a_detached_measurement_is_listed_shown_and_followed(
    vvlm: Vvlm, library: Path, monkeypatch: pytest.MonkeyPatch
):
    vvlm("train", "march", "--detach")
    until_state(folder_of(library, "march-001"), "finished")
    finished(library, "march-001")
    assert "Adapter: march-001" in vvlm("runs", "show", "march-001").stdout  # taken when it is looked at
    with_trainer(monkeypatch, "waits")
    assert "vvlm runs follow march-001" in vvlm("evaluate", "march-001", "--detach").stdout
    folder = folder_of(library, "march-001") / "evaluation-test"
    until(lambda: run_evaluation.EvaluationFollower(folder, look_every_s=0.0).poll().clips)
    assert "test: answering 1 of 3 clips" in vvlm("runs").stdout
    assert "part test: answering 1 of 3 clips" in vvlm("runs", "show", "march-001").stdout
    os.kill(launched_pid(folder), signal.SIGKILL)
    until(lambda: not run_evaluation.EvaluationFollower(folder, look_every_s=0.0).poll().live)
    assert "test: interrupted" in vvlm("runs").stdout
    assert "it was killed" in vvlm("runs", "show", "march-001").stdout
    followed = vvlm("runs", "follow", "march-001")
    assert (followed.exit_code, "it was killed" in followed.stderr) == (1, True)
    with_trainer(monkeypatch, "ends")
    vvlm("evaluate", "march-001", "--detach")
    done = vvlm("runs", "follow", "march-001")
    assert (done.exit_code, "march-001 on the part test: 3 clips" in done.stdout) == (0, True)


def test_ctrl_c_while_measuring_keeps_nothing(vvlm: Vvlm, library: Path, monkeypatch: pytest.MonkeyPatch):
    vvlm("train", "march")
    finished(library, "march-001")
    with_trainer(monkeypatch, "waits")
    polled, pressed = run_evaluation.EvaluationFollower.poll, []

    def interrupted(self: Any) -> Any:
        progress = polled(self)
        if progress.clips and not pressed:
            pressed.append(1)
            raise KeyboardInterrupt
        return progress

    monkeypatch.setattr(run_evaluation.EvaluationFollower, "poll", interrupted)
    done = vvlm("evaluate", "march-001", "--json")
    assert (done.exit_code, done.data["kind"]) == (130, "stopped")
    assert vvlm("runs", "show", "march-001", "--json").data["evaluations"] == []
