"""Exporting from the window goes through the same use case as the command line, and tells what came of it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from tests.unit.workflow.conftest import put_answer, put_clip
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.errors_view import Problem
from vvlm_desktop.ui.export.dialog import ExportChoice
from vvlm_desktop.ui.export.flow import ExportFlow
from vvlm_desktop.ui.tasks import Tasks
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.session import Session


class _Shell:
    """What the flow asks of the window."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.tasks = Tasks()
        self.said: list[object] = []

    def report(self, problem: object) -> None:
        self.said.append(problem)


def _choice(out: Path) -> ExportChoice:
    return ExportChoice("ours", out, copy=True, unreviewed=False, include_samples=False)


def test_reviewed_clips_are_written_and_missing_files_named(
    qtbot: QtBot, look: theme.Theme, session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(b"a.mp4")  # its hash is the one that put_clip gives
    for name, path in (("a.mp4", str(file)), ("gone.mp4", "/nowhere/gone.mp4")):
        clip = put_clip(session, name, path=path, size_bytes=5)
        put_answer(session, clip, {"weather": "clear"})
        review.set_value(session, clip.id, "weather", "rain")
        review.accept_rest(session, clip.id, window_seen=True)
    shell, parent = _Shell(session), QWidget()
    qtbot.addWidget(parent)
    flow = ExportFlow(shell, parent)  # type: ignore[arg-type]  # as much of a shell as it needs
    flow._on_chosen(_choice(tmp_path / "out"))
    qtbot.waitUntil(lambda: not shell.tasks.running, timeout=10_000)
    assert len((tmp_path / "out" / "corrections.jsonl").read_text().splitlines()) == 2
    (said,) = shell.said
    assert isinstance(said, Problem)
    assert said.sentence.startswith("2 records exported")
    assert [item.name for item in said.items] == ["gone.mp4"]
    assert said.tone == "doubtful"


def test_refused_export_is_told_and_leaves_nothing(
    qtbot: QtBot, look: theme.Theme, session: Session, tmp_path: Path
) -> None:
    shell, parent = _Shell(session), QWidget()
    qtbot.addWidget(parent)
    flow = ExportFlow(shell, parent)  # type: ignore[arg-type]
    flow._on_chosen(_choice(session.library.folder / "inside"))
    qtbot.waitUntil(lambda: not shell.tasks.running, timeout=10_000)
    assert "inside the library" in str(shell.said[0])
    assert not (session.library.folder / "inside").exists()
