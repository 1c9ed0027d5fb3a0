"""What tests of the first two steps stand on: a library with reviews, a models folder, a page in a window."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QHBoxLayout, QWidget

from tests.model_folders import write_model
from tests.ui.builders import FakeShell
from tests.unit.training.sets import paint
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.ui.actions import Action
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.session import Session

EVENTS = ("collision", "near_miss", "no_incident")


def films(folder: Path, count: int = 6) -> list[Path]:
    """Clips of a recording each, dark and bright."""
    made = []
    for number in range(count):
        place = folder / f"drive {number}"
        place.mkdir(parents=True)
        made.append(paint(place / f"film {number}.mp4", bright=number % 2 == 1, seed=number))
    return made


def reviewed(session: Session, files: list[Path], *, leave: int = 0) -> list[Clip]:
    """The clips of these files, all but the last `leave` of them reviewed."""
    added = [item.clip for item in add_paths(session, files).items]
    clips = sorted((clip for clip in added if clip is not None), key=lambda clip: files.index(Path(clip.path)))
    for number, clip in enumerate(clips[: len(clips) - leave]):
        review.settle(session, clip.id, {"weather": "clear", "event_type": EVENTS[number % 3]})
    return clips


def put_model(session: Session, name: str = "small") -> Path:
    """A model that is here."""
    return write_model(session.settings.models_folder() / name)


def shell_for(session: Session, window: QWidget) -> FakeShell:
    """A stand-in for the window that notes what was asked of it."""
    shell = FakeShell(session, window)
    shell.triggered = []
    shell.listed_clips = []
    shell.list_clips = shell.listed_clips.append
    for name in ("clips.add_folder",):
        shell.registry.add([Action(name, name, lambda name=name: shell.triggered.append(name))])
    return shell


def placed(qtbot, session: Session, make: Callable[[FakeShell], QWidget]) -> tuple[FakeShell, QWidget]:
    """A widget in a window of 1216 × 670, the room of a page at 1280 × 720."""
    window = QWidget()
    qtbot.addWidget(window)
    shell = shell_for(session, window)
    widget = make(shell)
    row = QHBoxLayout(window)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(widget)
    window.resize(1216, 670)
    window.show()
    return shell, widget


def write_batch(run_folder: Path, *, frames: int = 3, clips: int = 1) -> None:
    """What a check puts down."""
    folder = run_folder / "check"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(frames):
        picture = QImage(28, 28, QImage.Format.Format_RGB888)
        picture.fill(QColor(number * 40, 90, 90))
        picture.save(str(folder / f"frame-{number:02}.png"))
    told = [
        {
            "clip": f"van <b>{clip}</b>.mp4",
            "frames": [
                {"file": f"frame-{number:02}.png", "pts": number * 512, "time_s": number / 2}
                for number in range(frames)
            ],
            "prompt": "x" * 4000 + "What happens? <b>Say</b>",
            "answer": [
                {"text": '{"event_type":', "learnt": False},
                {"text": '"<i>near_miss</i>"', "learnt": True},
                {"text": "}", "learnt": True},
            ],
            "prompt_tokens": 3869,
            "answer_tokens": 20,
            "learnt_tokens": 7,
        }
        for clip in range(clips)
    ]
    (folder / "batch.json").write_text(json.dumps({"clips": told}), encoding="utf-8")
