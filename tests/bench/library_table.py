"""The clip table with 100,000 clips: opening, sorting, filtering, scrolling, memory.

.venv/bin/python -m pytest -m bench tests/bench/library_table.py -s
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QMainWindow
from pytestqt.qtbot import QtBot

from tests.bench.library import CLIPS, _fill
from tests.ui.builders import FakeShell
from vvlm_desktop.domain.review import Change
from vvlm_desktop.settings import Settings
from vvlm_desktop.store.library import ClipFilter
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.actions import Action
from vvlm_desktop.ui.library.columns import INDEX
from vvlm_desktop.ui.library.page import LibraryPage
from vvlm_desktop.workflow.session import Session, open_session

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("fleet")
    _fill(place)
    return place


@pytest.fixture
def session(folder: Path) -> Iterator[Session]:
    with open_session(Settings(), library_dir=folder, reviewer="Ada") as opened:
        opened.library.clip_rowids()
        yield opened


def _report(what: str, times_ms: list[float], limit_ms: float) -> None:
    median = statistics.median(times_ms)
    print(f"\n{what}: median {median:.1f} ms, worst {max(times_ms):.1f} ms (limit {limit_ms:g})", end="")
    assert median < limit_ms, what


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


class Desk:
    """The page in a window of its own, painted."""

    def __init__(self, qtbot: QtBot, session: Session) -> None:
        self.window = QMainWindow()
        qtbot.addWidget(self.window)
        self.shell = FakeShell(session, self.window)
        names = ("clips.add_files", "clips.add_folder", "clips.export", "clips.samples", "clips.analyse_new")
        self.shell.registry.add([Action(name, name, lambda: None) for name in names])
        self.window.resize(1440, 900)
        self.window.show()
        self.page: LibraryPage | None = None

    def open(self) -> None:
        self.page = LibraryPage(self.shell)
        self.window.setCentralWidget(self.page)
        self.paint()

    def paint(self) -> None:
        """Let what is due be painted, once."""
        QApplication.sendPostedEvents()
        QApplication.processEvents()

    def close(self) -> None:
        if self.page is not None:
            self.page.close_page()
            self.window.takeCentralWidget().deleteLater()
            QApplication.processEvents()


@pytest.fixture
def desk(qtbot: QtBot, qapp: QApplication, session: Session) -> Iterator[Desk]:
    theme.Theme(qapp, "dark")
    made = Desk(qtbot, session)
    yield made
    made.close()


def test_opening(desk: Desk) -> None:
    taken = []
    for _ in range(9):
        taken.append(_timed(desk.open))
        assert desk.page is not None
        assert desk.page._clips.rowCount() == CLIPS
        desk.close()
    desk.page = None
    _report("page opens and is painted", taken, 150)


@pytest.mark.parametrize("column", ["name", "status", "event", "duration", "added"])
def test_sorting(desk: Desk, column: str) -> None:
    desk.open()
    assert desk.page is not None
    clips = desk.page._clips
    taken = []
    for number in range(8):
        order = Qt.SortOrder.AscendingOrder if number % 2 else Qt.SortOrder.DescendingOrder
        taken.append(_timed(lambda order=order: (clips.sort(INDEX[column], order), desk.paint())))
    _report(f"sort by {column}, painted", taken, 150)


def test_filtering(desk: Desk) -> None:
    desk.open()
    assert desk.page is not None
    clips = desk.page._clips
    taken = [_timed(lambda w=word: (clips.load(ClipFilter(text=w)), desk.paint())) for word in ("van", "rain", "bus")]
    _report("search, painted", taken, 150)


def test_scrolling(desk: Desk) -> None:
    desk.open()
    assert desk.page is not None
    bar = desk.page.table.verticalScrollBar()
    far = [_timed(lambda at=at: (bar.setValue(bar.maximum() * at // 60), desk.paint())) for at in range(60)]
    _report("jump anywhere, painted", far, 33)
    near = [_timed(lambda at=at: (bar.setValue(at * 120), desk.paint())) for at in range(200)]
    _report("scroll on, painted", near, 16.7)


def test_batch_in_view(desk: Desk) -> None:
    """What one finished analysis, and one added clip, cost the window while the page is shown."""
    desk.open()
    page = desk.page
    assert page is not None
    rows = page._clips.rows(range(40))
    told = [
        _timed(
            lambda row=row: (
                page.on_change(Change(clip_ids=(row.clip.id,), what=frozenset({"analyses"}))),
                page._on_refresh(),
                desk.paint(),
            )
        )
        for row in rows
    ]
    _report("one analysis finished, painted", told, 16.7)
    _report("the list read again, painted", [_timed(lambda: (page.reload(), desk.paint())) for _ in range(9)], 100)
    page.hide()
    hidden = [_timed(lambda: page.on_change(Change(what=frozenset({"clips", "analyses"})))) for _ in range(40)]
    _report("a change while hidden", hidden, 1)


def test_everything_selected(desk: Desk) -> None:
    desk.open()
    page = desk.page
    assert page is not None
    taken = []
    for _ in range(5):
        page.table.clearSelection()
        desk.paint()
        taken.append(_timed(lambda: (page.table.selectAll(), desk.paint())))
    _report("select all, painted", taken, 50)
    _report("the list read again, all selected", [_timed(lambda: (page.reload(), desk.paint())) for _ in range(5)], 150)


def test_memory(desk: Desk) -> None:
    before = psutil.Process().memory_info().rss
    desk.open()
    assert desk.page is not None
    bar = desk.page.table.verticalScrollBar()
    for at in range(200):
        bar.setValue(bar.maximum() * at // 200)
        desk.paint()
    grown = (psutil.Process().memory_info().rss - before) / 2**20
    print(f"\nmemory of the page after scrolling through: +{grown:.0f} MB (limit 60)", end="")
    assert grown < 60
