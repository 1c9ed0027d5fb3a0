"""The Models page in a window of its own, on a shelf that does what a test tells it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtWidgets import QMainWindow

from tests.ui.builders import FakeShell
from tests.ui.models.fakes import FakeShelf
from vvlm_desktop.ui.models import install
from vvlm_desktop.ui.models.page import ModelsPage


@pytest.fixture(autouse=True)
def everything_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The packages of local models are there, whatever this computer has."""
    monkeypatch.setattr(install, "missing_packages", lambda: ())


@pytest.fixture
def make_page(qtbot, qapp, look, session) -> Iterator[Callable[..., ModelsPage]]:
    made: list[ModelsPage] = []

    def make(shelf: FakeShelf | None = None, **settings) -> ModelsPage:
        session.settings = session.settings.model_copy(update=settings)
        window = QMainWindow()
        qtbot.addWidget(window)
        page = ModelsPage(FakeShell(session, window), shelf or FakeShelf())
        made.append(page)
        window.setCentralWidget(page)
        window.resize(1280, 720)
        window.show()
        window.activateWindow()
        qtbot.waitUntil(lambda: qapp.activeWindow() is window)
        page.activate()
        qtbot.waitUntil(lambda: bool(page.grid.cards))
        return page

    yield make
    for page in made:
        page._shelf.allow.set()
        page.close_page()
