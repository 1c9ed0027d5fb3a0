"""Evaluations: each in a folder of its own, claimed like a run's, and never over an earlier one."""

import json
import os

import psutil
import pytest

from tests.tiny_models import tiny_adapter, tiny_model
from tests.unit.training.sets import config, light_set, told
from training.command_line import main
from training.evaluate import EvaluationFolder, evaluate, make_folder, named_adapters
from training.run_folder import RunFolder
from training.training_set import read_training_set
from vvlm_desktop.backends.train_config import save_config
from vvlm_desktop.errors import FormatError, StorageFullError, UsageError


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluating")
    return config(light_set(folder, train=1, val=1), folder / "run")


@pytest.fixture(scope="module")
def adapter(tmp_path_factory):
    return tiny_adapter(tmp_path_factory.mktemp("adapter") / "march", tiny_model("internvl"), seed=1)


def test_second_look_has_a_folder_of_its_own_and_is_told(wanted, adapter, tmp_path, capsys):
    run = tmp_path / "run"
    save_config(wanted.model_copy(update={"run_dir": str(run)}), run / "run.toml")
    given = ["evaluate", "--config", str(run / "run.toml"), "--adapter", f"older={adapter}", "--adapter", str(adapter)]
    assert main(given) == 0
    assert main(given) == 0
    out = capsys.readouterr().out
    first, second = run / "evaluation-val", run / "evaluation-val-2"
    assert out.startswith(f"Evaluation: {first}\n")
    assert f"Evaluation: {second}\n" in out
    for folder in (first, second):
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        assert list(metrics["scores"]) == ["base", "older", "march"]
        assert told(folder, "started")[0]["answerers"] == ["base", "older", "march"]
        assert not (folder / "pid").exists()


def test_clip_whose_file_is_gone_is_named_by_the_evaluation(tmp_path):
    folder = light_set(tmp_path, train=1, val=2)
    wanted = config(folder, tmp_path / "run")
    training_set = read_training_set(folder)
    kept, gone = training_set.split("val")
    gone.path.unlink()
    found = evaluate(wanted, split="val", adapters={}, out=tmp_path / "out")
    assert found["unreadable"] == {gone.name: "its file is gone"}
    assert found["scores"]["base"]["clips"] == 1
    kept.path.unlink()
    with pytest.raises(FormatError):
        evaluate(wanted, split="val", adapters={}, out=tmp_path / "none")


def test_finished_evaluation_is_never_overwritten(wanted, tmp_path):
    (tmp_path / "metrics.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match="none is ever overwritten"):
        evaluate(wanted, split="val", adapters={}, out=tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.json"]


def test_process_that_evaluates_is_seen_and_left_alone(wanted, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "training.evaluate.read_training_set", lambda *_, **__: seen.append(RunFolder(tmp_path).trainer()) or 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        evaluate(wanted, split="val", adapters={}, out=tmp_path)
    assert seen[0].pid == os.getpid()
    assert RunFolder(tmp_path).trainer() is None
    assert told(tmp_path, "failed")[0]["message"].startswith("ZeroDivisionError")
    notes = {"pid": os.getppid(), "began_s": psutil.Process(os.getppid()).create_time()}
    (tmp_path / "pid").write_text(json.dumps(notes), encoding="utf-8")
    with pytest.raises(UsageError, match="This evaluation is being worked on already"):
        evaluate(wanted, split="val", adapters={}, out=tmp_path)


def test_killed_evaluation_is_told_by_the_next_one_in_its_folder(wanted, tmp_path):
    notes = EvaluationFolder(tmp_path)
    notes.tell("started", pid=1)
    notes.tell("answering", done=0, clips=1, clip="a.mp4")
    assert evaluate(wanted, split="val", adapters={}, out=tmp_path) is not None
    kinds = [event["kind"] for event in notes.events()]
    assert kinds == ["started", "answering", "interrupted", "started", "answering", "finished"]
    assert "The evaluation was killed" in told(tmp_path, "interrupted")[0]["message"]


def test_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "run").write_text("a file", encoding="utf-8")
    with pytest.raises(StorageFullError, match="cannot be made"):
        make_folder(tmp_path / "run", "val")


def test_run_folder_that_cannot_be_made_is_a_sentence(wanted, tmp_path):
    from training.train import train

    (tmp_path / "file").write_text("a file", encoding="utf-8")
    with pytest.raises(StorageFullError, match="cannot be written: Not a directory"):
        train(wanted.model_copy(update={"run_dir": str(tmp_path / "file/run")}))


def test_names_of_adapters(adapter, tmp_path):
    assert named_adapters([], own=tmp_path / "none") == {}
    assert named_adapters([], own=adapter) == {"march": adapter}
    odd = tmp_path / "a=b"
    odd.mkdir()
    assert named_adapters([str(odd), f"x={odd}"], own=adapter) == {"a=b": odd, "x": odd}


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["base=FOLDER"], "that name is the base's"),
        (["FOLDER", "march=FOLDER"], "that name is taken"),
        (["=FOLDER"], "that name is empty"),
        (["x=/nowhere"], "There is no folder /nowhere"),
    ],
)
def test_names_that_would_mix_up_answerers(adapter, texts, words):
    with pytest.raises(UsageError, match=words):
        named_adapters([text.replace("FOLDER", str(adapter)) for text in texts], own=adapter)
