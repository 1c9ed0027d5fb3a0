"""The table of an evaluation: a p stands beside the number that it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.training.sets import LIGHT
from training.scores import Said, paired, score
from vvlm_desktop.backends.train_config import TrainConfig
from vvlm_desktop.cli.training_scores import print_evaluation
from vvlm_desktop.workflow.runs import Evaluation, Run


def said(number: int, known: dict[str, Any], labels: dict[str, Any]) -> Said:
    return Said(f"clip-{number}", f"clip-{number}.mp4", known, labels, {}, valid=True)


def printed(base: list[Said], tuned: list[Said], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    metrics = {
        "scores": {"base": score(LIGHT, base), "march": score(LIGHT, tuned)},
        "paired": {"march": paired(LIGHT, base, tuned)},
        "unreadable": {"gone.mp4": "its file is gone"},
    }
    config = TrainConfig(model_dir="m", train_set="s", run_dir=str(tmp_path))
    print_evaluation(Evaluation(tmp_path, Run(tmp_path, "march", config, ""), "test", metrics))
    told = capsys.readouterr()
    assert "gone.mp4: its file is gone" in told.err
    return told.out.splitlines()


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")


def test_p_of_lists_stands_beside_whole_lists_and_not_beside_f1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # There is nothing to be seen but in some clips, in which neither sees it: F1 is 0 of both, and p is small.
    known = [{"seen": ["sun"]}] * 12 + 24 * [{"seen": []}]
    base = [said(n, each, {"seen": ["night"]}) for n, each in enumerate(known)]
    tuned = [said(n, each, {"seen": []}) for n, each in enumerate(known)]
    lines = printed(base, tuned, tmp_path, capsys)
    (whole,) = (line.replace("│", " ").split() for line in lines if line.startswith("seen, whole list"))
    (parts,) = (line.replace("│", " ").split() for line in lines if line.startswith("seen, F1 of its values"))
    assert whole[3:] == ["36", "0", "(0–10)", "67", "(50–80)", "<", "0.001"]
    assert parts[5:] == ["36", "0", "(0–0)", "0", "(0–0)"]


def test_other_fields_have_one_row_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = [{"light": "dark", "event_time": None}] * 2
    base = [said(n, each, {"light": "bright", "event_time": None}) for n, each in enumerate(known)]
    tuned = [said(n, each, {"light": "dark", "event_time": None}) for n, each in enumerate(known)]
    lines = printed(base, tuned, tmp_path, capsys)
    (light,) = (line.replace("│", " ").split() for line in lines if line.startswith("light"))
    assert light == ["light", "2", "0", "(0–66)", "100", "(34–100)", "0.500"]
    assert sum(line.startswith("event_time, whether there is one") for line in lines) == 1
