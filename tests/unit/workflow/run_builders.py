"""Runs with a model that cannot be loaded and a trainer that learns nothing."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.model_folders import write_adapter, write_model
from vvlm_desktop.backends.run_folder import RunFiles
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow import run_launch
from vvlm_desktop.workflow.runs import Run, create_run, plan_run
from vvlm_desktop.workflow.session import Session, open_session
from vvlm_desktop.workflow.training_shelf import TrainingSet

FAKE = Path(__file__).with_name("fake_trainer.py")


def made_session(tmp_path: Path, **settings: Any) -> Session:
    """A library with a model "m" in the models folder."""
    models = tmp_path / "models"
    if not models.exists():
        write_model(models / "m")
    values = {"models_dir": str(models), "local_model": "m", "frames": 12, **settings}
    return open_session(Settings(reviewer="Ada", **values), library_dir=tmp_path / "library")


def made_set(session: Session, name: str = "march", **manifest: Any) -> TrainingSet:
    """A training set of which only the folder is there."""
    folder = session.library.folder / "training_sets" / f"{name}-001-0123456789ab"
    folder.mkdir(parents=True, exist_ok=True)
    return TrainingSet(folder, name, 1, "0123456789ab", manifest)


def made_run(session: Session, **values: Any) -> Run:
    """A run that was not started."""
    return create_run(session, plan_run(session, made_set(session), values=values))


def finish(run: Run, *, card: dict[str, Any] | None = None) -> Path:
    """Give a run the adapter that it would make."""
    adapter = RunFiles(run.folder).adapter_dir
    return write_adapter(adapter, base="m", card=card or {"name": run.name, "made": run.created_at})


def with_trainer(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    """From now on the fake trainer is started, in this mode."""
    monkeypatch.setattr(run_launch, "training_argv", lambda *given: [sys.executable, str(FAKE), mode, *given])


def until(condition: Callable[[], object], *, within_s: float = 30.0) -> None:
    """Wait for somebody else's process."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "it never came true"
        threading.Event().wait(0.01)


def launched_pid(folder: Path) -> int:
    """Whom `launch` started."""
    return int(json.loads((folder / "launched").read_text())["pid"])
