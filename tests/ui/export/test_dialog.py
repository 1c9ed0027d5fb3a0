"""The export dialog says what will happen before it happens, and refuses a folder that holds something."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from vvlm_desktop.ui import theme
from vvlm_desktop.ui.export.dialog import Exportable, ExportChoice, ExportDialog, FormatEntry

FORMATS = (
    FormatEntry("ours", "Everything", "Our own format.", ()),
    FormatEntry("llamafactory", "LLaMA-Factory", "A training set.", ("Evidence is left out.",)),
)


@pytest.fixture
def suggested(tmp_path: Path) -> Path:
    return tmp_path / "out"


def _dialog(qtbot: QtBot, suggested: Path, exportable: Exportable) -> ExportDialog:
    dialog = ExportDialog(FORMATS, exportable, suggested=suggested)
    qtbot.addWidget(dialog)
    return dialog


def test_choice_is_what_was_set(qtbot: QtBot, suggested: Path) -> None:
    dialog = _dialog(qtbot, suggested, Exportable(reviewed=3, samples=0, clips=9))
    dialog.format_box.setCurrentIndex(1)
    dialog.copy_clips.setChecked(True)
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog.export_button.click()
    assert chosen.args == [ExportChoice("llamafactory", suggested, copy=True, unreviewed=False, include_samples=False)]


def test_losses_are_those_of_the_format(qtbot: QtBot, suggested: Path) -> None:
    dialog = _dialog(qtbot, suggested, Exportable(reviewed=3, samples=0, clips=9))
    assert dialog.losses.text() == "Nothing is lost."
    dialog.format_box.setCurrentIndex(1)
    assert "Evidence is left out." in dialog.losses.text()


def test_folder_that_holds_something_is_refused(qtbot: QtBot, suggested: Path) -> None:
    dialog = _dialog(qtbot, suggested, Exportable(reviewed=3, samples=0, clips=9))
    assert dialog.export_button.isEnabled()
    suggested.mkdir()
    (suggested / "mine.txt").touch()
    dialog.folder.setText(str(suggested) + "/")
    assert not dialog.export_button.isEnabled()
    assert "not empty" in dialog.reason.text()


def test_nothing_reviewed_is_nothing_to_export_unless_asked(qtbot: QtBot, suggested: Path) -> None:
    dialog = _dialog(qtbot, suggested, Exportable(reviewed=0, samples=0, clips=4))
    assert not dialog.export_button.isEnabled()
    assert "no clip is reviewed yet" in dialog.reason.text()
    dialog.unreviewed.setChecked(True)
    assert dialog.export_button.isEnabled()
    assert dialog.reason.text() == ""


def test_samples_are_let_in_only_where_there_is_nothing_else(qtbot: QtBot, suggested: Path) -> None:
    only = _dialog(qtbot, suggested, Exportable(reviewed=2, samples=2, clips=7))
    assert only.samples.isChecked()
    mixed = _dialog(qtbot, suggested, Exportable(reviewed=3, samples=2, clips=9))
    assert not mixed.samples.isChecked()


def test_every_text_has_its_room_whatever_is_chosen(qtbot: QtBot, look: theme.Theme, suggested: Path) -> None:
    long = FormatEntry("long", "Long", "What it is for. " * 20, tuple(f"Loss {n}: " + "gone " * 25 for n in range(5)))
    dialog = ExportDialog((*FORMATS, long), Exportable(reviewed=3, samples=2, clips=9), suggested=suggested)
    qtbot.addWidget(dialog)
    dialog.show()
    suggested.mkdir()
    (suggested / "mine.txt").touch()
    for number in (0, 1, 2, 0, 2):
        dialog.format_box.setCurrentIndex(number)
        dialog.grab()
        for text in (dialog.summary, dialog.description, dialog.reason):
            assert text.height() >= text.heightForWidth(text.width())
        assert dialog.description.geometry().bottom() < dialog.folder.geometry().top()
        assert dialog.losses.height() >= dialog.losses.heightForWidth(dialog.losses.width())
        assert dialog.height() <= dialog.screen().availableGeometry().height()


def test_long_losses_scroll_where_the_screen_is_low(qtbot: QtBot, look: theme.Theme, suggested: Path) -> None:
    long = FormatEntry("long", "Long", "A format.", tuple(f"Loss {n}: " + "gone " * 40 for n in range(40)))
    dialog = ExportDialog((long,), Exportable(reviewed=3, samples=2, clips=9), suggested=suggested)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.grab()
    assert dialog.height() <= dialog.screen().availableGeometry().height()
    assert dialog._losses_area.verticalScrollBar().maximum() > 0
    assert dialog.export_button.geometry().bottom() <= dialog.height()
