"""The focused widget gets the keys that work it: Enter presses a button and chooses in an open list."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from vvlm_desktop.ui.actions import Action, ActionRegistry
from vvlm_desktop.ui.widgets.focus_keys import FocusKeys


class Form(QWidget):
    """A button and a combo box on a page on which Enter means something else."""

    def __init__(self) -> None:
        super().__init__()
        self.pressed: list[str] = []
        column = QVBoxLayout(self)
        self.button = QPushButton("Press")
        self.button.clicked.connect(lambda: self.pressed.append("button"))
        self.combo = QComboBox()
        self.combo.addItems(["one", "two", "three"])
        column.addWidget(self.button)
        column.addWidget(self.combo)
        self.registry = ActionRegistry(self)
        self.registry.add([Action("go", "Go", lambda: self.pressed.append("page"), ("Return",))])


@pytest.fixture
def form(qtbot: QtBot, qapp: QApplication) -> Form:
    made = Form()
    FocusKeys(qapp, made)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    return made


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_enter_and_space_press_the_focused_button(qtbot: QtBot, form: Form, key: Qt.Key) -> None:
    form.button.setFocus()
    qtbot.keyClick(form.button, key)
    assert form.pressed == ["button"]


def test_disabled_button_is_not_pressed(qtbot: QtBot, form: Form) -> None:
    form.button.setFocus()
    form.button.setEnabled(False)
    qtbot.keyClick(form.button, Qt.Key.Key_Return)
    assert "button" not in form.pressed


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_hidden_button_is_not_pressed(qtbot: QtBot, form: Form, key: Qt.Key) -> None:
    form.button.setFocus()
    form.button.hide()
    form.button.setFocus()
    qtbot.keyPress(form.button, key)
    qtbot.keyRelease(form.button, key)
    assert "button" not in form.pressed


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_enter_chooses_in_an_open_list(qtbot: QtBot, form: Form, key: Qt.Key) -> None:
    form.combo.setFocus()
    form.combo.showPopup()
    view = form.combo.view()
    qtbot.waitUntil(view.isVisible)
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, key)
    qtbot.waitUntil(lambda: form.combo.currentText() == "two")
    assert not view.isVisible()
    assert form.pressed == []


def test_it_goes_with_its_window(qtbot: QtBot, qapp: QApplication) -> None:
    window = Form()
    keys = FocusKeys(qapp, window)
    window.deleteLater()
    qtbot.waitUntil(lambda: not isValid(keys))
