"""What every test of the window gets: isolated window state, our look, and no dialog that waits for nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSettings, QStandardPaths
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMenu, QMessageBox
from pytestqt.qtbot import QtBot

from tests.ui.builders import BlankPage
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.main_window import MainWindow
from vvlm_desktop.ui.page_list import PAGES, PageSpec
from vvlm_desktop.video import probe
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.workflow import add
from vvlm_desktop.workflow.session import Session, open_session

# A wait ends as soon as what it waits for is there; how long that takes on a busy machine says nothing.
for _wait in (QtBot.waitUntil, QtBot.waitSignal, QtBot.waitSignals, QtBot.waitCallback, QtBot.waitExposed):
    _wait.__kwdefaults__["timeout"] = 30_000


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    return ["vvlm-test", "-style", "Fusion"]


@pytest.fixture(scope="session", autouse=True)
def _each_file_is_examined_once() -> Iterator[None]:
    """What examining finds in a file is the subject of the video tests; here the same few come again and again."""
    known: dict[tuple[Path, int, int, int], FrameIndex] = {}

    def examine(path: Path, *, stream_index: int = 0, **how: Any) -> FrameIndex:
        state = path.stat()
        key = (path, state.st_mtime_ns, state.st_size, stream_index)
        if key not in known:
            known[key] = probe.examine(path, stream_index=stream_index, **how)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(add, "examine", examine)
        yield


@pytest.fixture(autouse=True)
def _isolated_window_state(tmp_path: Path) -> None:
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "qsettings"))
    QStandardPaths.setTestModeEnabled(True)


@pytest.fixture(autouse=True)
def _no_unexpected_modal(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A modal dialog that a test did not expect fails it instead of hanging it."""

    def fail(*arguments: object, **_named: object) -> None:
        raise AssertionError(f"unexpected modal dialog {arguments[:1]}")

    if "modal" in request.keywords:
        return
    for owner, names in (
        (QDialog, ("exec",)),
        (QMenu, ("exec",)),
        (QMessageBox, ("exec", "question", "warning", "critical", "information")),
        (QFileDialog, ("exec", "getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory")),
    ):
        for name in names:
            monkeypatch.setattr(owner, name, fail)


@pytest.fixture(scope="session")
def _session_look(qapp: QApplication) -> theme.Theme:
    return theme.Theme(qapp, "dark")


@pytest.fixture
def look(_session_look: theme.Theme) -> Iterator[theme.Theme]:
    """The look, dark at the beginning of each test."""
    if theme.tokens().name != "dark":
        _session_look.choose("dark")
    yield _session_look
    if _session_look.choice != "dark":
        _session_look.choose("dark")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """An empty library on disk, reviewer Ada."""
    with open_session(Settings(), library_dir=tmp_path / "library", reviewer="Ada") as opened:
        yield opened


@pytest.fixture
def window(qtbot: QtBot, look: theme.Theme, session: Session) -> Iterator[Callable[..., MainWindow]]:
    """Makes a window on the session; its Review page is blank, so that these tests stand without it."""
    made: list[MainWindow] = []

    def make(*, reopen: Callable[[Settings], Session] = open_session, show: bool = True) -> MainWindow:
        pages = tuple(
            PageSpec("review", "Review", "review", BlankPage) if spec.id == "review" else spec for spec in PAGES
        )
        result = MainWindow(session, look=look, reopen=reopen, pages=pages)
        made.append(result)
        result.resize(1280, 720)
        if show:
            result.show()
        return result

    yield make
    for one in made:
        one.close()
        one.deleteLater()
