from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from tests.ui.builders import FakeShell, clip
from vvlm_desktop.ui.actions import Action, ActionRegistry
from vvlm_desktop.ui.finders import find_clips, find_settings
from vvlm_desktop.ui.palette import Palette, PaletteItem, find_actions, match


@pytest.mark.parametrize(
    ("query", "rank"),
    [("", 0), ("ana", 0), ("clips analyse", 1), ("lips", 2), ("zebra", None), ("analyse zebra", None), ("LIBRARY", 2)],
)
def test_match_wants_every_word(query, rank):
    assert match(query, "Analyse new clips", "Library") == rank


class Desk:
    def __init__(self, qtbot) -> None:
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.other = QLineEdit()
        QVBoxLayout(self.window).addWidget(self.other)
        self.window.resize(900, 600)
        self.done: list[str] = []
        words = ["Add files", "Add a folder", "Settings"]
        self.palette = Palette(
            [lambda query: [self.item(word) for word in words if query in word.lower()]], parent=self.window
        )
        self.window.show()
        qtbot.waitExposed(self.window)
        self.window.activateWindow()
        self.other.setFocus()
        qtbot.waitUntil(self.other.hasFocus)

    def item(self, word: str) -> PaletteItem:
        return PaletteItem(word, lambda: self.done.append(word))


@pytest.fixture
def desk(qtbot, look):
    return Desk(qtbot)


def test_typed_words_narrow_and_enter_runs_the_first(desk, qtbot):
    desk.palette.open()
    assert len(desk.palette.found()) == 3
    qtbot.keyClicks(desk.palette.line, "add a")
    qtbot.keyClick(desk.palette.line, Qt.Key.Key_Return)
    assert desk.done == ["Add a folder"]
    assert desk.palette.isHidden()


def test_arrows_walk_and_come_round(desk, qtbot):
    desk.palette.open()
    qtbot.keyClick(desk.palette.line, Qt.Key.Key_Up)
    qtbot.keyClick(desk.palette.line, Qt.Key.Key_Enter)
    assert desk.done == ["Settings"]


def test_click_runs_what_was_clicked(desk, qtbot):
    desk.palette.open()
    view = desk.palette.list
    place = view.visualRect(view.model().index(1)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert desk.done == ["Add a folder"]


def test_escape_closes_and_gives_the_focus_back(desk, qtbot):
    desk.palette.open()
    qtbot.keyClick(desk.palette.line, Qt.Key.Key_Escape)
    assert desk.palette.isHidden()
    assert desk.other.hasFocus()
    assert desk.done == []


def test_focus_elsewhere_closes_it(desk, qtbot):
    desk.palette.open()
    desk.other.setFocus()
    qtbot.waitUntil(desk.palette.isHidden)
    assert desk.other.hasFocus()


def test_nothing_found_runs_nothing(desk, qtbot):
    desk.palette.open()
    qtbot.keyClicks(desk.palette.line, "zebra")
    qtbot.keyClick(desk.palette.line, Qt.Key.Key_Return)
    assert desk.done == []
    assert not desk.palette.isHidden()


def test_palette_paints_its_items(desk):
    desk.palette.open()
    assert not desk.palette.grab().isNull()


def test_actions_are_found_where_they_can_be_done(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    registry = ActionRegistry(window)
    registry.add(
        [
            Action("a", "Analyse new clips", lambda: None, ("Ctrl+R",), "library", "Clips"),
            Action("b", "Analyse selected", lambda: None, page="library", enabled=lambda: False),
            Action("c", "Analyse elsewhere", lambda: None, page="review"),
            Action("d", "Analyse hidden", lambda: None, in_palette=False),
        ]
    )
    registry.show_page("library")
    assert [(item.title, item.key) for item in find_actions(registry)("analyse")] == [("Analyse new clips", "Ctrl+R")]


def test_settings_are_found_by_title_and_description(qtbot, session):
    window = QWidget()
    qtbot.addWidget(window)
    shell = FakeShell(session, window)
    assert find_settings(shell)("") == []
    (theme_item,) = find_settings(shell)("theme")
    theme_item.run()
    assert shell.navigated == [("settings", "theme")]
    assert any("Frame cache" in item.title for item in find_settings(shell)("scrubbing"))


def test_clips_are_found_by_name_and_opened_in_review(qtbot, session):
    window = QWidget()
    qtbot.addWidget(window)
    shell = FakeShell(session, window)
    wanted = clip(1, path="/clips/harbour tunnel.mp4")
    session.library.add_clip(wanted)
    session.library.add_clip(clip(2))
    (item,) = find_clips(shell)("harb")
    assert item.title == "harbour tunnel.mp4"
    item.run()
    assert shell.navigated == [("review", wanted.id)]
    assert find_clips(shell)("h") == []
