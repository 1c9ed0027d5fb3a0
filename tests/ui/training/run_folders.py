"""Folders of runs and evaluations written by hand, as the trainer writes them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import psutil

from vvlm_desktop.backends.train_config import TrainConfig, save_config
from vvlm_desktop.domain.statistics import mcnemar, wilson
from vvlm_desktop.workflow.run_shelf import Evaluation, Run

AT = "2026-11-21T10:00:00.000Z"


def config(folder: Path, **values) -> TrainConfig:
    base = {"model_dir": "/models/tiny", "train_set": "/sets/march-001", "run_dir": str(folder), "name": folder.name}
    return TrainConfig.model_validate(base | values)


def run_in(library: Path, name: str = "march-001", *, events=(), **values) -> Run:
    """A run whose folder tells `events`."""
    folder = library / "runs" / name
    folder.mkdir(parents=True)
    made = config(folder, **values)
    save_config(made, folder / "run.toml")
    tell(folder, *events)
    return Run(folder, name, made, AT)


def tell(folder: Path, *events: dict) -> None:
    with (folder / "events.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(json.dumps({"v": 1, "at": AT, **event}) + "\n" for event in events)


def event(kind: str, **values) -> dict:
    return {"kind": kind, **values}


def step(number: int, *, of: int = 100, **values) -> dict:
    facts = {
        "epoch": number / of,
        "loss": 2.0 - number / of,
        "learning_rate": 1e-4,
        "step_s": 0.5,
        "left_s": 0.5 * (of - number),
        "memory_bytes": None,
    }
    return event("step", step=number, steps=of, **(facts | values))


def beginning(*, steps: int = 100, memory: int | None = None) -> list[dict]:
    """Everything before the first step."""
    return [
        event("started", pid=os.getpid(), config={}),
        event("preparing", done=1, clips=4, clip="van.mp4"),
        event("preflight", clips={}, left_out={"a demo script": ["a.mp4"]}, unreadable={}, notes=[]),
        event(
            "first_step",
            batch_s=0.4,
            step_s=0.5,
            whole_s=0.5 * steps,
            steps=steps,
            memory_bytes=memory,
            memory_of_bytes=24_000_000_000 if memory else None,
        ),
    ]


def answers(**scores: float) -> dict:
    fields = {key: {"kind": "one_of", "clips": 8, "score": value} for key, value in scores.items()}
    return {"clips": 8, "valid_json": {"value": 1.0}, "fields": fields}


def claim(folder: Path) -> None:
    """This process is the one that works there."""
    began_s = psutil.Process().create_time()
    (folder / "pid").write_text(json.dumps({"pid": os.getpid(), "began_s": began_s}), encoding="utf-8")


def finish(run: Run) -> None:
    """Its adapter is there."""
    (run.folder / "adapter").mkdir()
    (run.folder / "adapter" / "card.json").write_text(json.dumps({"name": run.name}), encoding="utf-8")


def share(right: int, of: int) -> dict:
    low, high = wilson(right, of)
    return {"value": right / of, "right": right, "of": of, "low": low, "high": high}


def scores(right: int, *, of: int = 40, start_error_s: float | None = None, ece: float = 0.2) -> dict:
    """What one answerer reached: the event right so often, a time, and all of it valid JSON."""
    start = {"value": start_error_s, "low": start_error_s / 2, "high": start_error_s * 2} if start_error_s else None
    return {
        "clips": of,
        "valid_json": share(of, of),
        "fields": {
            "event_time": {
                "kind": "range",
                "clips": of,
                "score": 0.5,
                "presence": share(of // 2, of),
                "both_name_a_time": 10,
                "start_error_s": start,
            },
            "event_type": {
                "kind": "one_of",
                "clips": of,
                "score": right / of,
                "accuracy": share(right, of),
                "commonest": 0.5,
            },
        },
        "calibration": {"ece": ece, "answers": of, "bins": []},
    }


def metrics(adapter: str, *, only_base: int = 1, only_adapter: int = 14, at: str = AT) -> dict:
    """Base and adapter; the adapter is right more often."""
    pair = {
        "clips": 40,
        "both_right": 19,
        "only_base_right": only_base,
        "only_adapter_right": only_adapter,
        "p": mcnemar(only_base, only_adapter),
    }
    right = 19 + only_base
    return {
        "v": 1,
        "created_at": at,
        "split": "test",
        "frames": 16,
        "precision": "bf16",
        "unreadable": {"cut.mp4": "cut off"},
        "scores": {
            "base": scores(right, start_error_s=1.0),
            adapter: scores(19 + only_adapter, start_error_s=0.4, ece=0.05),
        },
        "paired": {adapter: {"event_type": pair}},
    }


def evaluate(run: Run, *, name: str = "evaluation-test", **values) -> Evaluation:
    """An evaluation that ended well."""
    folder = run.folder / name
    folder.mkdir()
    told = metrics(run.name, **values)
    (folder / "metrics.json").write_text(json.dumps(told), encoding="utf-8")
    tell(folder, event("finished"))
    return Evaluation(folder, run, "test", told)
