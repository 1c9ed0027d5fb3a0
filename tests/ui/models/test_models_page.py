"""What the Models page shows and does, with a shelf that has no disk, driver or network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog

from tests.ui.models.fakes import ABSENT, ADAPTER, BROKEN, FOREIGN, PARTIAL, READY, FakeShelf
from vvlm_desktop.errors import DownloadError, ModelFolderError, PromotionRefusedError
from vvlm_desktop.ui.models.card_view import CardView
from vvlm_desktop.ui.models.gpu_line import GpuView
from vvlm_desktop.ui.sheet import Answer


def news(page) -> str:
    return page.shell.problems[-1].sentence


def test_built_in_analysis_is_the_first_card_and_in_use_at_first(make_page):
    page = make_page()
    first = next(iter(page.grid.cards.values()))
    assert first.view.title == "Built-in measurements"
    assert first.chosen.isVisibleTo(page)
    assert first.buttons == {}  # what is in use cannot be chosen again


@pytest.mark.parametrize(
    ("card", "word", "verbs"),
    [
        (READY, "Ready", ("use", "remove")),
        (ABSENT, "Not on this computer", ("download",)),
        (PARTIAL, "Partly here", ("resume", "remove")),
        (BROKEN, "Cannot be used", ("remove",)),
    ],
)
def test_each_state_has_its_word_shape_and_buttons(make_page, card, word, verbs):
    shown = make_page().grid.cards[card.key]
    assert shown.state.text() == word
    assert shown.state.mark.mark is not None
    assert tuple(shown.buttons) == verbs
    assert all(card.title in button.accessibleName() for button in shown.buttons.values())


def test_card_says_size_licence_place_reason_and_what_fits(make_page):
    page = make_page()
    absent, broken = page.grid.cards[ABSENT.key], page.grid.cards[BROKEN.key]
    assert "about 15.9 GB" in absent.facts.text()
    assert ABSENT.licence in absent.facts.text()
    assert absent.fit.text() == ABSENT.fit.sentence
    assert absent.fit.mark.mark == "check"
    assert page.grid.cards[PARTIAL.key].fit.mark.mark == "cross"
    assert broken.reason.text() == BROKEN.reason
    assert "our-model" in broken.where.text()
    for part in (BROKEN.title, "Cannot be used", "safetensors is missing"):
        assert part in broken.accessibleName()


def test_use_makes_it_what_analyse_uses(make_page, qtbot):
    page = make_page(local_adapter="of-another-model", local_model="another")
    page.grid.cards[READY.key].buttons["use"].click()
    settings = page.shell.session.settings
    assert (settings.backend, settings.local_model, settings.local_adapter) == ("local", READY.key, "")
    qtbot.waitUntil(lambda: page.grid.cards[READY.key].view.chosen)
    assert not page.grid.cards["signals"].view.chosen
    assert READY.key.rpartition("/")[2] in news(page)
    page.use_built_in()
    assert page.shell.session.settings.backend == "signals"
    assert page.shell.session.settings.local_model == READY.key  # to go back to


def test_download_asks_first_and_says_size_licence_and_host(make_page, qtbot):
    page = make_page()
    card = page.grid.cards[ABSENT.key]
    card.buttons["download"].click()
    assert page.downloads.transfer(ABSENT.key) is None
    said = card.asked.text()
    for part in ("15.9 GB", "huggingface.co", "Qwen licence", "Nothing of yours leaves this computer"):
        assert part in said
    assert card.confirm.hasFocus()
    card.refuse.click()
    assert page.downloads.transfer(ABSENT.key) is None
    assert card.hasFocus()  # not somewhere else on the page


def test_download_shows_bytes_and_time_and_ends_ready(make_page, qtbot):
    shelf = FakeShelf()
    page = make_page(shelf)
    card = page.grid.cards[ABSENT.key]
    card.buttons["download"].click()
    card.confirm.click()
    qtbot.waitUntil(lambda: "03:12 left" in card.state.text())
    assert "1.0 of 15.9 GB" in card.state.text()
    assert card.bar.isVisibleTo(page)
    assert tuple(card.buttons) == ("pause", "cancel")
    assert page.shell.tasks.running[0].seconds_left == 192.0
    shelf.allow.set()
    qtbot.waitUntil(lambda: card.view.state == "ready")
    assert page.shell.tasks.running == ()
    assert "complete and checked" in news(page)


def test_paused_download_stays_partly_here_and_goes_on(make_page, qtbot):
    shelf = FakeShelf()
    page = make_page(shelf)
    card = page.grid.cards[ABSENT.key]
    page._on_card(ABSENT.key, "download")
    card.buttons["pause"].click()
    qtbot.waitUntil(lambda: card.view.state == "partial")
    assert shelf.removed == []
    assert page.shell.problems == []  # the user wanted that
    shelf.allow.set()
    card.buttons["resume"].click()
    qtbot.waitUntil(lambda: shelf.downloaded == [ABSENT.key])


def test_cancelled_download_asks_and_deletes_what_is_here(make_page, qtbot):
    shelf = FakeShelf()
    page = make_page(shelf)
    card = page.grid.cards[ABSENT.key]
    page._on_card(ABSENT.key, "download")
    card.buttons["cancel"].click()
    assert page.downloads.transfer(ABSENT.key) is not None
    card.confirm.click()
    qtbot.waitUntil(lambda: shelf.removed == [ABSENT.key])
    qtbot.waitUntil(lambda: card.view.state == "absent")


def test_failed_download_is_told_with_its_hint(make_page, qtbot):
    shelf = FakeShelf()
    page = make_page(shelf)
    page._on_card(ABSENT.key, "download")
    shelf.failure = DownloadError("The disk is full.", hint="Free 3 GB.")
    shelf.allow.set()
    qtbot.waitUntil(lambda: bool(page.shell.problems))
    assert page.shell.problems[0].hint == "Free 3 GB."
    assert page.shell.tasks.running == ()


def test_download_of_a_closed_page_stops(make_page):
    page = make_page()
    page._on_card(ABSENT.key, "download")
    page.close_page()
    assert page.shell.tasks.running == ()
    assert page._shelf.downloaded == []


def test_removing_what_is_in_use_goes_back_to_the_built_in(make_page, qtbot):
    shelf = FakeShelf()
    page = make_page(shelf, backend="local", local_model=READY.key, local_adapter="fleet-3")
    card = page.grid.cards[READY.key]
    card.buttons["remove"].click()
    assert shelf.removed == []
    assert "Analyses made with them stay" in card.asked.text()
    card.confirm.click()
    qtbot.waitUntil(lambda: shelf.removed == [READY.key])
    qtbot.waitUntil(lambda: page.shell.session.settings.backend == "signals")
    assert page.shell.session.settings.local_model == ""
    assert "Built-in" in news(page)


def test_linked_folder_is_not_said_to_be_deleted(make_page):
    page = make_page(FakeShelf(replace(READY, linked=True)))
    page.grid.cards[READY.key].do("remove")
    assert "stays where it is" in page.grid.cards[READY.key].asked.text()


@pytest.mark.parametrize("copied", [False, True])
def test_folder_is_imported_as_it_was_asked_for(make_page, qtbot, monkeypatch, tmp_path: Path, copied):
    page = make_page()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "weights"))
    page.import_button.click()
    (question,) = page.shell.questions_asked
    assert page._shelf.taken_in == []
    question.on_yes(Answer(ticked=copied))
    qtbot.waitUntil(lambda: page._shelf.taken_in == [tmp_path / "weights"])
    assert page._shelf.copied == [copied]
    qtbot.waitUntil(lambda: bool(page.shell.problems))
    assert news(page) == "weights was imported."


def test_folder_that_is_refused_says_why(make_page, qtbot, tmp_path: Path):
    shelf = FakeShelf()
    page = make_page(shelf)
    shelf.failure = ModelFolderError("weights has pickle files.", hint="Use InternVL3-8B-hf.")
    page.take_in(tmp_path)
    qtbot.waitUntil(lambda: bool(page.shell.problems))
    assert page.shell.problems[0].hint == "Use InternVL3-8B-hf."


def test_dialog_left_without_a_folder_imports_nothing(make_page, monkeypatch):
    page = make_page()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    page.ask_for_model()
    assert page._shelf.taken_in == []


def test_adapter_is_used_with_its_base_and_without(make_page, qtbot):
    page = make_page()
    assert "312 reviews" in page.adapters.rows["fleet-3"].accessibleName()
    page.adapters.rows["fleet-3"].use.click()
    qtbot.waitUntil(lambda: page.shell.session.settings.local_adapter == "fleet-3")
    settings = page.shell.session.settings
    assert page._shelf.admitted == [("fleet-3", False)]
    assert (settings.backend, settings.local_model, settings.local_adapter) == ("local", READY.key, "fleet-3")
    assert "+ fleet-3" in news(page)
    qtbot.waitUntil(lambda: page.adapters.rows["fleet-3"].view.chosen)
    page.adapters.rows["fleet-3"].use.click()
    assert page.shell.session.settings.local_adapter == ""
    assert page.shell.session.settings.local_model == READY.key


def test_adapter_that_was_not_promoted_is_refused_with_the_way_to_go(make_page, qtbot):
    refusal = PromotionRefusedError("fleet-3 has not been promoted.", hint="vvlm promote fleet-3")
    adapter = replace(ADAPTER, admission="unproven", standing="Not promoted.")
    page = make_page(FakeShelf(adapters=(adapter,)))
    assert "Not promoted" in page.adapters.rows["fleet-3"].accessibleName()
    page._shelf.refusal = refusal
    page.adapters.rows["fleet-3"].use.click()
    qtbot.waitUntil(lambda: refusal in page.shell.problems)
    assert page.shell.session.settings.local_adapter == ""


def test_adapter_from_elsewhere_is_used_only_after_a_plain_question(make_page, qtbot):
    page = make_page(FakeShelf(adapters=(replace(ADAPTER, admission="elsewhere", standing="Not measured here."),)))
    page.adapters.rows["fleet-3"].use.click()
    question = page.shell.questions_asked[-1]
    assert "never measured here" in question.headline
    assert page._shelf.admitted == []
    question.on_yes(Answer(ticked=False))
    qtbot.waitUntil(lambda: page.shell.session.settings.local_adapter == "fleet-3")
    assert page._shelf.admitted == [("fleet-3", True)]


def test_adapter_of_a_model_that_is_not_here_cannot_be_used(make_page):
    page = make_page(FakeShelf(adapters=(ADAPTER, FOREIGN)))
    row = page.adapters.rows["other-fleet"]
    assert not row.use.isEnabled()
    assert "not on this computer" in row.accessibleName()


def test_removing_an_adapter_asks_and_stops_using_it(make_page, qtbot):
    page = make_page(backend="local", local_model=READY.key, local_adapter="fleet-3")
    row = page.adapters.rows["fleet-3"]
    row.remove.click()
    assert page._shelf.removed == []
    row.keep.click()
    row.remove.click()
    row.confirm.click()
    qtbot.waitUntil(lambda: page._shelf.removed == ["fleet-3"])
    qtbot.waitUntil(lambda: page.shell.session.settings.local_adapter == "")
    qtbot.waitUntil(lambda: page.adapters.rows == {})
    assert page.adapters.nothing.isVisibleTo(page)


def test_gpu_line_says_name_memory_and_holder(make_page, qtbot):
    shelf = FakeShelf(gpu=GpuView("RTX", 24 << 30, 7 << 30, reason="", holder="fine-tune run 7"))
    page = make_page(shelf)
    assert page.gpu.memory.text() == "7.0 of 24.0 GB free"
    assert "fine-tune run 7" in page.gpu.accessibleName()


def test_no_gpu_is_said_with_its_reason(make_page):
    page = make_page(FakeShelf(gpu=GpuView(reason="The NVIDIA driver does not answer.")))
    assert page.gpu.name.text() == "The NVIDIA driver does not answer."
    assert not page.gpu.memory.isVisibleTo(page)


def test_arrows_go_through_the_grid_and_enter_does_what_the_card_is_for(make_page, qtbot):
    page = make_page()
    cards = list(page.grid.cards.values())
    assert page.grid._columns == 3
    cards[0].setFocus()
    qtbot.keyClick(cards[0], Qt.Key.Key_Right)
    assert QApplication.focusWidget() is cards[1]
    qtbot.keyClick(cards[1], Qt.Key.Key_Down)
    assert QApplication.focusWidget() is cards[4]
    qtbot.keyClick(cards[4], Qt.Key.Key_Right)
    assert QApplication.focusWidget() is cards[4]
    cards[1].setFocus()
    qtbot.keyClick(cards[1], Qt.Key.Key_Return)
    assert page.shell.session.settings.local_model == READY.key


def test_escape_takes_a_question_back(make_page, qtbot):
    page = make_page()
    card = page.grid.cards[ABSENT.key]
    card.do("download")
    qtbot.keyClick(card.confirm, Qt.Key.Key_Escape)
    assert not card.question.isVisibleTo(page)
    assert page.downloads.transfer(ABSENT.key) is None


def test_cards_take_as_many_columns_as_fit(make_page):
    page = make_page()
    for width, columns in ((600, 1), (1000, 2), (1280, 3)):
        page.window().resize(width, 720)
        QApplication.processEvents()
        assert page.grid._columns == columns, width


def test_card_keeps_its_focus_while_the_page_looks_again(make_page, qtbot):
    page = make_page()
    page.grid.cards[READY.key].buttons["use"].setFocus()
    page._shelf.change(READY.key, fit=None)
    page.keeper.look()
    qtbot.waitUntil(lambda: page.grid.cards[READY.key].view.fit is None)
    assert page.grid.cards[READY.key].buttons["use"].hasFocus()


def test_details_fold_out_with_memory_and_hashes(make_page):
    card = make_page().grid.cards[ABSENT.key]
    assert not card.details.isVisibleTo(card)
    card.toggle.click()
    assert card.details.isVisibleTo(card)
    assert card._lines.count() == 2 * len(ABSENT.details)


def test_card_opened_by_its_key_has_the_focus(make_page):
    page = make_page()
    page.activate(READY.key)
    assert page.grid.cards[READY.key].hasFocus()


def test_looking_stops_while_another_page_is_shown(make_page):
    page = make_page()
    page.deactivate()
    assert not page.keeper._timer.isActive()


def test_folder_that_cannot_be_looked_at_is_told_once(make_page, qtbot):
    shelf = FakeShelf()
    page = make_page(shelf)
    shelf.failure = ModelFolderError("models.toml, line 7: size missing.")
    page.keeper.look()
    qtbot.waitUntil(lambda: len(page.shell.problems) == 1)
    assert not page.keeper._timer.isActive()


@pytest.mark.parametrize("choice", ["dark", "light"])
def test_page_paints_and_everything_has_a_name(make_page, look, choice):
    look.choose(choice)
    page = make_page()
    assert not page.grab().isNull()
    buttons = [b for b in page.findChildren(QAbstractButton) if b.isVisibleTo(page)]
    assert all(b.accessibleName() or b.text() for b in buttons)


def test_hostile_names_are_shown_letter_for_letter(make_page):
    bad = CardView("x\n<b>", "local", "<b>bold</b>\nname & co", reason="<img src=x>" + "y" * 200, state="broken")
    card = make_page(FakeShelf(bad)).grid.cards["x\n<b>"]
    assert card.title.text() == "<b>bold</b> name & co"
    assert card.title.textFormat() == Qt.TextFormat.PlainText
    assert card.width() < 1280
