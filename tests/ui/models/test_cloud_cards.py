"""The cards of Gemini and of a server: state, key, address, model, connection, and the one switch."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMainWindow

from tests.ui.builders import FakeShell
from vvlm_desktop.errors import CloudError
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.models.cloud_section import CloudSection
from vvlm_desktop.ui.models.cloud_view import CLOUD_MARKS, KeyView, TestView, cloud_view, connection_words

KEY = "AIza-not-a-real-key"
FOUND = TestView(True, "Gemini Flash answers.", ("gemini-flash-latest", "gemini-2.5-pro"))


class FakeConnection:
    """A connection that answers with `found`, or fails with it."""

    def __init__(self) -> None:
        self.found: object = FOUND
        self.asked: list = []
        self.allow = threading.Event()
        self.allow.set()

    def __call__(self, settings, backend, keys, cancelled):
        self.asked.append((backend, settings.server_url))
        self.allow.wait(5)
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.fixture
def connection():
    made = FakeConnection()
    yield made
    made.allow.set()


@pytest.fixture
def make_section(qtbot, qapp, look, session, connection, monkeypatch):
    monkeypatch.delenv("GOOGLE_GEMINI_BASE_URL", raising=False)
    made = []

    def make(**settings) -> CloudSection:
        session.settings = session.settings.model_copy(update=settings)
        window = QMainWindow()
        qtbot.addWidget(window)
        shell = FakeShell(session, window)
        section = CloudSection(shell, ask=connection)
        section.shell = shell
        made.append(section)
        window.setCentralWidget(section)
        window.resize(1200, 600)
        window.show()
        window.activateWindow()
        qtbot.waitUntil(lambda: qapp.activeWindow() is window)
        section.desk.look()
        qtbot.waitUntil(lambda: section.desk.view("gemini").key.known)
        return section

    yield make
    for section in made:
        section.close_section()


def test_switched_off_says_so_and_offers_nothing(make_section):
    card = make_section().cards["gemini"]
    assert "Switched off" in card.state.text()
    assert not card.use.isEnabled()
    assert not card.test.isEnabled()
    assert not card.allow.isChecked()


def test_switch_is_one_for_both_and_says_what_leaves_to_whom(make_section, session):
    section = make_section(server_url="http://10.0.0.7:8000/v1")
    assert "would go to 10.0.0.7:8000" in section.cards["server"].leaves.text()
    section.cards["server"].allow.click()
    assert session.settings.allow_upload
    assert "goes to Google" in section.cards["gemini"].leaves.text()
    assert section.cards["gemini"].allow.isChecked()
    assert "Google (generativelanguage.googleapis.com)" in section.cards["gemini"].leaves.text()
    assert "16 pictures" in section.cards["server"].leaves.text()
    assert "10.0.0.7:8000" in section.cards["server"].leaves.text()
    section.cards["gemini"].allow.click()
    assert not session.settings.allow_upload


def test_refused_switch_shows_what_holds(make_section, session):
    section = make_section()
    section.shell.refusal = CloudError("The settings could not be saved.")
    section.shell.try_settings = lambda settings: section.shell.refusal
    section.cards["gemini"].allow.click()
    assert not section.cards["gemini"].allow.isChecked()


def test_key_is_entered_hidden_and_where_it_comes_from_is_said(make_section, qtbot):
    section = make_section(allow_upload=True)
    card = section.cards["gemini"]
    assert card.state.text() == "No key yet"
    assert not card.key.session.isVisibleTo(card)
    qtbot.keyClicks(card.key.line, KEY)
    assert KEY not in card.key.line.displayText()
    card.key.session.click()
    qtbot.waitUntil(lambda: "session only" in card.key.origin.text())
    assert section.shell.keys.session == {"gemini": KEY}
    assert card.key.line.text() == ""
    assert card.state.text() == CLOUD_MARKS["untested"][0]
    assert card.use.isEnabled()
    card.key.forget.click()
    qtbot.waitUntil(lambda: card.state.text() == "No key yet")
    assert section.shell.keys.session == {}


def test_key_from_the_environment_cannot_be_forgotten_here(make_section):
    card = make_section(allow_upload=True).cards["gemini"]
    card.key.show_key(KeyView(True, "environment", "environment variable GEMINI_API_KEY"))
    assert "GEMINI_API_KEY" in card.key.origin.text()
    assert not card.key.forget.isVisibleTo(card)


def test_connection_is_tested_without_holding_up_the_window(make_section, connection, qtbot):
    section = make_section(allow_upload=True, server_url="http://10.0.0.7:8000/v1")
    card = section.cards["server"]
    connection.allow.clear()
    card.test.click()
    assert card.state.text() == "Asking…"
    card.test.click()  # asked once, however often it is pressed
    connection.allow.set()
    qtbot.waitUntil(lambda: card.state.text() == "Ready")
    assert card.result.text() == FOUND.sentence
    assert [card.model.itemText(n) for n in range(card.model.count())] == list(FOUND.models)
    assert connection.asked == [("server", "http://10.0.0.7:8000/v1")]


def test_focus_stays_on_the_card_that_is_tested_used_or_loses_its_key(make_section, connection, qapp, qtbot):
    section = make_section(allow_upload=True, server_url="http://10.0.0.7:8000/v1")
    card = section.cards["server"]
    qtbot.keyClicks(card.key.line, KEY)
    card.key.session.click()
    qtbot.waitUntil(lambda: card.key.forget.isVisibleTo(card))
    card.key.forget.setFocus()
    qtbot.keyClick(card.key.forget, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: card.key.line.isVisibleTo(card))
    assert qapp.focusWidget() is card.key.line
    connection.allow.clear()
    card.test.setFocus()
    qtbot.keyClick(card.test, Qt.Key.Key_Space)
    assert card.state.text() == "Asking…"
    assert qapp.focusWidget() is card.test
    connection.allow.set()
    qtbot.waitUntil(lambda: card.state.text() == "Ready")
    card.use.setFocus()
    qtbot.keyClick(card.use, Qt.Key.Key_Space)
    assert card.chosen.isVisibleTo(section)
    assert qapp.focusWidget() is card.test


def test_failed_connection_says_why_and_another_address_makes_it_old(make_section, connection, qtbot, session):
    section = make_section(allow_upload=True, server_url="http://10.0.0.7:8000/v1")
    card = section.cards["server"]
    connection.found = CloudError("The server does not answer.", hint="Is it on?")
    card.test.click()
    qtbot.waitUntil(lambda: card.state.text() == CLOUD_MARKS["unreachable"][0])
    assert card.result.text() == "The server does not answer. Is it on?"
    card.address.setFocus()
    card.address.setText("http://10.0.0.8:8000/v1")
    qtbot.keyClick(card.address, Qt.Key.Key_Return)
    assert session.settings.server_url == "http://10.0.0.8:8000/v1"
    assert card.state.text() == CLOUD_MARKS["untested"][0]
    assert not card.result.isVisibleTo(card)


def test_address_that_is_none_is_said(make_section):
    card = make_section(allow_upload=True, server_url="10.0.0.7").cards["server"]
    assert "address" in card.problem.text()
    assert not card.use.isEnabled()


def test_model_is_typed_or_chosen_and_empty_is_the_usual_one(make_section, qtbot, session):
    card = make_section(allow_upload=True).cards["gemini"]
    card.model.line.setFocus()
    card.model.line.setText("gemini-2.5-pro")
    qtbot.keyClick(card.model.line, Qt.Key.Key_Return)
    assert session.settings.gemini_model == "gemini-2.5-pro"
    card.model.line.clear()
    qtbot.keyClick(card.model.line, Qt.Key.Key_Return)
    assert session.settings.gemini_model == Settings().gemini_model


def test_use_chooses_it(make_section, session):
    section = make_section(allow_upload=True, server_url="http://10.0.0.7:8000/v1")
    section.cards["server"].use.click()
    assert session.settings.backend == "server"
    assert section.cards["server"].chosen.isVisibleTo(section)
    assert not section.cards["server"].use.isVisibleTo(section)


@pytest.mark.parametrize(
    ("changes", "key", "state"),
    [
        ({}, KeyView(True, "session"), "off"),
        ({"allow_upload": True}, KeyView(), "looking"),
        ({"allow_upload": True}, KeyView(True), "no_key"),
        ({"allow_upload": True}, KeyView(True, "session"), "untested"),
    ],
)
def test_state_follows_from_settings_and_key(changes, key, state, monkeypatch):
    monkeypatch.delenv("GOOGLE_GEMINI_BASE_URL", raising=False)
    assert cloud_view(Settings(**changes), "gemini", key=key, test=None, testing=False).state == state


def test_words_of_a_connection_tell_what_the_server_can_do():
    found = {"host": "h:1", "models": ["m"], "model": "m", "answer_s": 0.42, "schema": "none", "logprobs": True}
    words = connection_words("server", {**found, "warnings": ["The connection is not encrypted."]})
    assert words.good
    assert "m answers at h:1 in 0.4 s and says how sure it is." in words.sentence
    assert "does not enforce" in words.sentence
    assert words.sentence.endswith("The connection is not encrypted.")
    left = connection_words("gemini", {"host": "h", "title": "Flash", "models": ["a", "b"], "left_over": ["f"]})
    assert "2 models" in left.sentence
    assert "1 upload" in left.sentence
