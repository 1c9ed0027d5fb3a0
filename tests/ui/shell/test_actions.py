from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QListWidget, QMainWindow, QPushButton, QScrollArea, QVBoxLayout, QWidget

from vvlm_desktop.ui.actions import Action, ActionRegistry, key_text
from vvlm_desktop.ui.keys_sheet import KeysSheet, grouped, rows_of
from vvlm_desktop.ui.widgets.focus_keys import FocusKeys
from vvlm_desktop.ui.widgets.labels import KeyCap

Key, Modifier = Qt.Key, Qt.KeyboardModifier


class Desk:
    """A window with a text field, a button, a list, and somewhere neutral."""

    def __init__(self, qtbot, qapp) -> None:
        self.window = QMainWindow()
        qtbot.addWidget(self.window)
        self.keys = FocusKeys(qapp, self.window)
        self.neutral = QWidget()
        self.neutral.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.text, self.button, self.list = QLineEdit(), QPushButton("b"), QListWidget()
        self.list.addItems(["one", "two"])
        holder = QWidget()
        column = QVBoxLayout(holder)
        for widget in (self.neutral, self.text, self.button, self.list):
            column.addWidget(widget)
        self.window.setCentralWidget(holder)
        self.registry = ActionRegistry(self.window)
        self.done: list[str] = []
        self.window.show()
        qtbot.waitExposed(self.window)
        self.window.activateWindow()
        self.neutral.setFocus()
        qtbot.waitUntil(self.neutral.hasFocus)

    def action(self, name: str, *keys: str, page: str | None = None, **more) -> Action:
        return Action(name, name.capitalize(), lambda: self.done.append(name), keys, page, **more)


@pytest.fixture
def desk(qtbot, qapp, look):
    made = Desk(qtbot, qapp)
    yield made
    qapp.focusChanged.disconnect(made.keys._on_focus_changed)


def press(qtbot, widget, key, modifier=Modifier.NoModifier) -> None:
    widget.setFocus()
    qtbot.waitUntil(widget.hasFocus)
    qtbot.keyClick(widget, key, modifier)


def test_key_does_its_action(desk, qtbot):
    desk.registry.add([desk.action("play", "Space"), desk.action("palette", "Ctrl+K")])
    press(qtbot, desk.neutral, Key.Key_Space)
    press(qtbot, desk.neutral, Key.Key_K, Modifier.ControlModifier)
    assert desk.done == ["play", "palette"]


def test_keys_of_another_page_are_not_heard(desk, qtbot):
    desk.registry.add([desk.action("a", "X", page="review"), desk.action("b", "X", page="library")])
    desk.registry.show_page("library")
    press(qtbot, desk.neutral, Key.Key_X)
    desk.registry.show_page("review")
    press(qtbot, desk.neutral, Key.Key_X)
    assert desk.done == ["b", "a"]


def test_action_that_cannot_be_done_now_is_not_done(desk, qtbot):
    desk.registry.add([desk.action("play", "Space", enabled=lambda: False)])
    press(qtbot, desk.neutral, Key.Key_Space)
    assert desk.done == []


def test_same_key_twice_is_refused_where_both_would_hear_it(desk):
    desk.registry.add([desk.action("play", "Space", page="review")])
    with pytest.raises(ValueError, match="same key"):
        desk.registry.add([desk.action("other", "Space")])
    with pytest.raises(ValueError, match="already an action"):
        desk.registry.add([desk.action("play", "P")])


def test_keys_can_be_changed_but_not_onto_a_taken_one(desk, qtbot):
    desk.registry.add([desk.action("play", "Space"), desk.action("next", "N")])
    with pytest.raises(ValueError, match="Next"):
        desk.registry.set_keys("play", ("N",))
    desk.registry.set_keys("play", ("P",))
    press(qtbot, desk.neutral, Key.Key_P)
    press(qtbot, desk.neutral, Key.Key_Space)
    assert desk.done == ["play"]
    assert desk.registry.key_label("play") == "P"


def test_own_keys_are_in_force_from_the_beginning(desk, qtbot):
    registry = ActionRegistry(desk.window, keys={"play": ("P",)})
    registry.add([desk.action("play", "Space")])
    press(qtbot, desk.neutral, Key.Key_P)
    assert desk.done == ["play"]


def test_removed_page_is_silent_and_can_come_back(desk, qtbot):
    desk.registry.add([desk.action("play", "Space", page="review")])
    desk.registry.show_page("review")
    desk.registry.remove_page("review")
    press(qtbot, desk.neutral, Key.Key_Space)
    assert desk.done == []
    desk.registry.add([desk.action("play", "Space", page="review")])
    press(qtbot, desk.neutral, Key.Key_Space)
    assert desk.done == ["play"]


@pytest.mark.parametrize("key", [Key.Key_Space, Key.Key_1, Key.Key_Return, Key.Key_Backspace, Key.Key_Question])
def test_text_field_keeps_its_keys(desk, qtbot, key):
    desk.registry.add([desk.action("any", "Space", "1", "Return", "Backspace", "?")])
    press(qtbot, desk.text, key)
    assert desk.done == []


def test_text_field_lets_chords_through(desk, qtbot):
    desk.registry.add([desk.action("palette", "Ctrl+K"), desk.action("help", "F1")])
    press(qtbot, desk.text, Key.Key_K, Modifier.ControlModifier)
    press(qtbot, desk.text, Key.Key_F1)
    assert desk.done == ["palette", "help"]


def test_escape_leaves_a_text_field(desk, qtbot):
    press(qtbot, desk.text, Key.Key_Escape)
    assert not desk.text.hasFocus()


def test_read_only_text_does_not_swallow_keys(desk, qtbot):
    desk.registry.add([desk.action("any", "J")])
    desk.text.setReadOnly(True)
    press(qtbot, desk.text, Key.Key_J)
    assert desk.done == ["any"]


def test_focused_button_is_pressed_instead_of_the_shortcut(desk, qtbot):
    desk.registry.add([desk.action("play", "Space"), desk.action("next", "N")])
    with qtbot.waitSignal(desk.button.clicked):
        press(qtbot, desk.button, Key.Key_Space)
    press(qtbot, desk.button, Key.Key_N)
    assert desk.done == ["next"]


def test_focused_list_keeps_its_arrows_and_gives_letters(desk, qtbot):
    desk.registry.add([desk.action("field", "Down"), desk.action("next", "N")])
    desk.list.setCurrentRow(0)
    press(qtbot, desk.list, Key.Key_Down)
    press(qtbot, desk.list, Key.Key_N)
    assert desk.list.currentRow() == 1
    assert desk.done == ["next"]


def test_focus_keys_survive_the_end_of_the_focused_widget(desk, qtbot):
    doomed = QLineEdit(desk.window.centralWidget())
    doomed.show()
    doomed.setFocus()
    qtbot.waitUntil(doomed.hasFocus)
    with qtbot.waitSignal(doomed.destroyed):
        doomed.deleteLater()
    desk.registry.add([desk.action("play", "Space")])
    press(qtbot, desk.neutral, Key.Key_Space)
    assert desk.done == ["play"]


def test_key_is_written_as_on_the_keyboard():
    assert (key_text("Return"), key_text("Ctrl+Shift+Z"), key_text("PgDown")) == ("Enter", "Ctrl+Shift+Z", "PgDn")


def test_sheet_shows_the_keys_of_the_page_by_group(desk, qtbot):
    desk.registry.add(
        [
            desk.action("play", "Space", page="review", group="Player"),
            desk.action("mute", page="review", group="Player"),
            desk.action("sort", "S", page="library", group="Library"),
            desk.action("keys", "?", group="Window"),
        ]
    )
    desk.registry.show_page("review")
    assert [(title, [a.id for a in members]) for title, members in grouped(desk.registry)] == [
        ("Player", ["play"]),
        ("Window", ["keys"]),
    ]
    sheet = KeysSheet(desk.registry, page_title="Review", parent=desk.window)
    qtbot.addWidget(sheet)
    assert [cap.text() for cap in sheet.findChildren(KeyCap)] == ["Space", "?"]
    assert [title for title, _ in grouped(desk.registry, all_pages=True)] == ["Library", "Player", "Window"]


def test_sheet_is_as_wide_as_its_keys_and_tells_a_row_of_digits_as_one(desk, qtbot):
    desk.registry.add(
        [
            desk.action("digit", "1", "9", page="review", group="Judge", listens=False),
            desk.action("field", "Alt+1", "Alt+9", page="review", group="Judge", listens=False),
            desk.action("other", "Ctrl+Shift+Right", "Ctrl+Shift+Left", "Alt+Shift+PgDown", group="Window"),
        ]
    )
    desk.registry.show_page("review")
    rows = dict(row for _, members in rows_of(desk.registry) for row in members)
    assert list(rows.values())[:2] == [("1", "to", "9"), ("Alt+1", "to", "Alt+9")]
    sheet = KeysSheet(desk.registry, page_title="Review", parent=desk.window)
    qtbot.addWidget(sheet)
    sheet.show()
    area = sheet.findChild(QScrollArea)
    assert area.horizontalScrollBar().maximum() == 0


def test_sheet_tells_what_the_mouse_does_on_the_page_where_it_does(desk):
    zoom = Action("review.timeline_closer", "Timeline: closer", print, ("Ctrl++",), page="review", group="Timeline")
    desk.registry.add([zoom, desk.action("sort", "S", page="library", group="Library")])
    desk.registry.show_page("library")
    assert [title for title, _ in rows_of(desk.registry)] == ["Library"]
    desk.registry.show_page("review")
    rows = dict(rows_of(desk.registry))
    assert ("Zoom at the pointer", ("Ctrl+Wheel",)) in rows["Mouse on the picture"]
    assert ("Pan", ("Shift+Wheel", "Shift+Drag")) in rows["Mouse on the timeline"]
