"""The command line with a local model that is made up, in a real worker process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from tests.clips import clip
from tests.e2e.conftest import Outcome, library, vvlm
from vvlm_desktop.errors import UsageError
from vvlm_desktop.jobs import child
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow import gpu, models, session
from vvlm_desktop.workflow.interrupted import options_to_keep

__all__ = ["Outcome", "library", "vvlm"]


@pytest.fixture(autouse=True)
def made_up_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A model "m" with an adapter "run 1", on a computer with a GPU."""
    argv = [sys.executable, "-P", "-m", "tests.unit.cli.fake_model", "--kind"]
    monkeypatch.setattr(child, "worker_argv", lambda kind: [*argv, kind])

    def find_model(_settings: object, text: str) -> Any:
        if not text:
            raise UsageError("No model was chosen.", hint="Name one with --model.")
        return SimpleNamespace(name="m", path=tmp_path / "m", revision=None)

    def find_adapter(_settings: object, text: str, *, base: object) -> Any:
        return SimpleNamespace(name=text, path=tmp_path / text)

    monkeypatch.setattr(models, "find_model", find_model)
    monkeypatch.setattr(models, "find_adapter", find_adapter)
    monkeypatch.setattr(models, "shape_of_model", lambda _model: "shape")
    monkeypatch.setattr(gpu, "hardware", lambda: SimpleNamespace(gpu="one", cores=2))


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one a clip takes a minute for each frame."""
    monkeypatch.setattr(gpu, "hardware", lambda: SimpleNamespace(gpu=None, cores=2))
    monkeypatch.setattr(gpu, "processor_seconds_per_clip", lambda _shape, *, frames, cores: 60.0 * frames)
    monkeypatch.setattr(gpu, "loading_seconds", lambda _shape: 120.0)


@pytest.fixture
def chosen_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after `vvlm models use m`."""
    monkeypatch.setattr(session, "load_settings", lambda: Settings(backend="local", local_model="m"))


@pytest.fixture
def another_run(library: Path) -> Iterator[Callable[..., None]]:
    """Have another living process work on these clips with model "m"."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = {"pid": process.pid, "created": psutil.Process(process.pid).create_time(), "token": "t"}

    def run(*names: str, frames: int) -> None:
        with session.open_session(library_dir=library) as opened:
            options = models.local_options(opened.settings, model="m", frames=frames).to_json()
            kept = options_to_keep(options, schema=opened.schema, owner=owner)
            clips = [opened.library.find_clip(name).id for name in names]
            opened.library.open_batch("local", clips, options=kept)

    yield run
    process.communicate(b"\n", timeout=10)


@pytest.fixture
def add(vvlm: Callable[..., Outcome], tmp_path: Path) -> Callable[..., None]:
    """Add clips under these names; the name has no part in what they show."""

    def run(*names: str) -> None:
        for number, name in enumerate(names):
            file = tmp_path / "clips" / f"{name}.mp4"
            file.parent.mkdir(exist_ok=True)
            # A free box at the end makes each another clip with the same pictures.
            file.write_bytes(clip("h264_bframes.mp4").read_bytes() + b"\0\0\0\x09free" + bytes([number]))
        assert vvlm("add", tmp_path / "clips").exit_code == 0

    return run
