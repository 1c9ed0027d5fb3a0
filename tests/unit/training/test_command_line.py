"""The command line: instant help, plain errors, exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.training.sets import config, light_set
from training.command_line import main
from vvlm_desktop.backends.train_config import save_config

HEAVY = "torch transformers peft pydantic PySide6 numpy"


def test_help_imports_nothing_heavy():
    code = (
        "import sys, training.command_line as c\n"
        "try: c.main(['train', '--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        f"found = [name for name in {HEAVY.split()!r} if name in sys.modules]\n"
        "assert not found, found\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "key=value" in ended.stdout


def test_every_value_is_listed(capsys):
    assert main(["train", "--explain"]) == 0
    assert "learning_rate (0.0001)\n    Learning rate: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["train"], 2, "model_dir: it is needed"),
        (["train", "model_dir=/none", "train_set=/none"], 2, "no run folder"),
        (["train", "model_dir=/none", "train_set=/none", "run_dir=RUN", "device=cpu"], 1, "no training set"),
        (["evaluate", "model_dir=/none", "train_set=/none", "device=cpu"], 1, "no training set"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_a_code(tmp_path, capsys, monkeypatch, arguments, code, words):
    monkeypatch.chdir(tmp_path)
    assert main([each.replace("RUN", str(tmp_path / "run")) for each in arguments]) == code
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told


def test_train_and_evaluate_by_the_run_folder_alone(tmp_path, capsys):
    run = tmp_path / "run"
    save_config(config(light_set(tmp_path, train=2, val=2), run, batch=1, steps=1, eval_every=1), run / "run.toml")
    assert main(["train", "--config", str(run / "run.toml")]) == 0
    assert main(["evaluate", "--config", str(run / "run.toml")]) == 0
    out = capsys.readouterr().out
    assert f"Finished: {run}" in out
    assert "run: 2 clips, valid JSON 100%" in out
    assert Path(run / "evaluation-val" / "metrics.json").is_file()
    assert main(["train", "--config", str(run / "run.toml")]) == 2
