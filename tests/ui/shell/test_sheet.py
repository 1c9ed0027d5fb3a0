"""The question over the window: nothing happens by accident, and the page under it gets no key."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QMainWindow, QPushButton, QVBoxLayout, QWidget

from vvlm_desktop.ui.sheet import Question, Sheet


@pytest.fixture
def asked(qtbot, qapp, look):
    """A window with a button, a shortcut on Y and a sheet; what was called is in `asked.said`."""
    window = QMainWindow()
    qtbot.addWidget(window)
    central = QWidget()
    column = QVBoxLayout(central)
    window.under = QPushButton("Under")
    column.addWidget(window.under)
    window.setCentralWidget(central)
    window.said = []
    QShortcut(QKeySequence("Y"), window).activated.connect(lambda: window.said.append("shortcut"))
    window.sheet = Sheet(central)
    window.resize(900, 600)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(lambda: qapp.activeWindow() is window)
    window.under.setFocus()
    return window


def question(window, **changes) -> Question:
    said = window.said
    base = {
        "on_yes": lambda answer: said.append(("yes", answer.ticked, answer.secret)),
        "yes": "Send",
        "tick": "May leave",
        "must_tick": True,
        "on_no": lambda: said.append("no"),
    }
    return Question("Send?", **{**base, **changes})


def test_enter_says_no_and_nothing_is_ticked(asked, qtbot):
    asked.sheet.ask(question(asked))
    assert not asked.sheet.tick.isChecked()
    assert not asked.sheet.yes.isEnabled()
    assert asked.sheet.no.hasFocus()
    qtbot.keyClick(asked.sheet.no, Qt.Key.Key_Return)
    assert asked.said == ["no"]
    assert asked.sheet.isHidden()
    assert asked.under.hasFocus()


def test_yes_needs_the_tick_and_the_button(asked, qtbot):
    asked.sheet.ask(question(asked))
    qtbot.keyClick(asked.sheet.no, Qt.Key.Key_Tab)
    assert asked.sheet.tick.hasFocus()  # what is disabled is left out
    qtbot.keyClick(asked.sheet.tick, Qt.Key.Key_Space)
    assert asked.sheet.yes.isEnabled()
    qtbot.keyClick(asked.sheet.tick, Qt.Key.Key_Return)
    assert asked.said == []
    asked.sheet.tick.setChecked(True)  # the window lets Enter press what has the focus
    asked.sheet.yes.click()
    assert asked.said == [("yes", True, "")]


def test_escape_says_no_wherever_the_focus_is(asked, qtbot):
    asked.sheet.ask(question(asked))
    asked.sheet.tick.setFocus()
    qtbot.keyClick(asked.sheet.tick, Qt.Key.Key_Escape)
    assert asked.said == ["no"]


def test_keys_of_the_page_under_it_do_nothing(asked, qtbot):
    qtbot.keyClick(asked, Qt.Key.Key_Y)
    assert asked.said == ["shortcut"]
    asked.sheet.ask(question(asked))
    qtbot.keyClick(asked.sheet.no, Qt.Key.Key_Y)
    assert asked.said == ["shortcut"]


def test_what_is_typed_is_never_shown_and_not_kept(asked, qtbot):
    asked.sheet.ask(question(asked, secret="Key", must_tick=False))
    line = asked.sheet.secret
    assert line.hasFocus()
    assert not asked.sheet.yes.isEnabled()
    qtbot.keyClicks(line, "secret-83")
    assert "secret" not in line.displayText()
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert asked.said == [("yes", False, "secret-83")]
    assert line.text() == ""


def test_questions_wait_for_each_other(asked, qtbot):
    asked.sheet.ask(question(asked))
    asked.sheet.ask(Question("Second?", lambda _answer: asked.said.append("second"), "Yes"))
    assert asked.sheet.headline.text() == "Send?"
    qtbot.keyClick(asked.sheet.no, Qt.Key.Key_Escape)
    assert asked.sheet.headline.text() == "Second?"
    asked.sheet.yes.click()
    assert asked.said == ["no", "second"]
    assert asked.sheet.isHidden()


def test_long_words_are_whole_at_every_width(asked, qtbot):
    sentence = "Whoever runs that computer can see it. " * 6
    asked.sheet.ask(question(asked, sentence=sentence, facts=(("To", "host " * 40),)))
    for width in (900, 420):
        asked.resize(width, 600)
        qtbot.waitUntil(lambda width=width: asked.sheet.width() == width)
        label = asked.sheet.sentence
        assert label.height() >= label.heightForWidth(label.width())
        assert asked.sheet.card.width() <= width
