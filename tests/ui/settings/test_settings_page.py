from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, Field
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMainWindow

from tests.ui.builders import FakeShell
from vvlm_desktop import paths
from vvlm_desktop.errors import SchemaError
from vvlm_desktop.settings import Settings, load_settings
from vvlm_desktop.ui.page_list import PAGES
from vvlm_desktop.ui.settings.editors import (
    ChoiceEditor,
    NumberEditor,
    PathEditor,
    SwitchEditor,
    TextEditor,
    editor_for,
    limits,
)
from vvlm_desktop.ui.settings.page import SettingsPage


class Sample(BaseModel):
    switch: bool = True
    choice: Literal["one", "two"] = "one"
    whole: int = Field(default=5, ge=2, le=9)
    decimal: float = Field(default=1.5, gt=0, le=60)
    text: str = Field(default="", max_length=8, title="A text")
    library_dir: str = ""
    other: tuple[int, ...] = ()


def editor(name: str):
    return editor_for(name, Sample.model_fields[name], placeholder=lambda _name: "default")


@pytest.fixture
def page(qtbot, look, session):
    window = QMainWindow()
    qtbot.addWidget(window)
    made = SettingsPage(FakeShell(session, window))
    window.setCentralWidget(made)
    window.resize(1280, 720)
    window.show()
    return made


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("switch", SwitchEditor),
        ("choice", ChoiceEditor),
        ("whole", NumberEditor),
        ("decimal", NumberEditor),
        ("text", TextEditor),
        ("library_dir", PathEditor),
    ],
)
def test_editor_follows_the_type(qtbot, look, name, kind):
    made = editor(name)
    qtbot.addWidget(made)
    assert type(made) is kind


def test_type_without_an_editor_is_refused(qapp):
    with pytest.raises(ValueError, match="other"):
        editor("other")


def test_numbers_keep_to_the_limits_of_the_field(qtbot, look):
    assert limits(Sample.model_fields["whole"]) == (2, 9)
    made = editor("whole")
    qtbot.addWidget(made)
    made.show_value(5)
    with qtbot.waitSignal(made.edited) as caught:
        made.box.setValue(100)
    assert caught.args == [9]


@pytest.mark.parametrize("name", [n for n, f in Settings.model_fields.items() if f.annotation is float])
def test_every_decimal_number_is_shown_as_it_is_set(qtbot, look, name):
    field = Settings.model_fields[name]
    made = editor_for(name, field, placeholder=lambda _: "")
    qtbot.addWidget(made)
    low, high = limits(field)
    for value in (field.default, low or 0.25, 0.25 if low < 0.25 < high else high):
        made.show_value(value)
        assert made.box.value() == pytest.approx(value)
    made.box.setValue(0.0)
    assert made.box.value() >= low
    assert Settings.model_validate({name: made.box.value()}), "what can be chosen is allowed"


def test_showing_a_value_is_no_edit(qtbot, look):
    for name, value in (("switch", False), ("choice", "two"), ("whole", 3), ("decimal", 2.5), ("text", "x")):
        made = editor(name)
        qtbot.addWidget(made)
        with qtbot.assertNotEmitted(made.edited):
            made.show_value(value)


def test_text_is_edited_when_it_is_finished_and_only_if_changed(qtbot, look):
    made = editor("text")
    qtbot.addWidget(made)
    made.show_value("old")
    with qtbot.assertNotEmitted(made.edited):
        qtbot.keyClick(made.line, Qt.Key.Key_Return)
    made.line.clear()
    qtbot.keyClicks(made.line, " far too long")
    with qtbot.waitSignal(made.edited) as caught:
        qtbot.keyClick(made.line, Qt.Key.Key_Return)
    assert caught.args == ["far too"]


def test_folder_can_be_chosen_and_put_back(qtbot, look, monkeypatch, tmp_path: Path):
    made = editor("library_dir")
    qtbot.addWidget(made)
    made.show_value("")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    with qtbot.waitSignal(made.edited) as caught:
        made.choose.click()
    assert caught.args == [str(tmp_path)]
    with qtbot.waitSignal(made.edited) as caught:
        made.reset.click()
    assert caught.args == [""]


def test_dialog_left_without_a_choice_changes_nothing(qtbot, look, monkeypatch):
    made = editor("library_dir")
    qtbot.addWidget(made)
    made.show_value("/somewhere")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    with qtbot.assertNotEmitted(made.edited):
        made.choose.click()
    assert made.line.text() == "/somewhere"


def test_every_field_of_the_settings_has_an_editor_with_its_title(page):
    assert set(page.editors) == set(Settings.model_fields)
    for name, made in page.editors.items():
        assert made.accessibleName() == Settings.model_fields[name].title


def test_edit_is_applied_at_once(page, qtbot):
    page.editors["theme"].box.setCurrentIndex(page.editors["theme"].box.findData("light"))
    page.editors["theme"].box.activated.emit(page.editors["theme"].box.currentIndex())
    page.editors["frame_cache_mb"].box.setValue(512)
    page.editors["analyse_on_add"].box.click()
    tried = page.shell.settings_tried
    assert [tried[0].theme, tried[1].frame_cache_mb, tried[2].analyse_on_add] == ["light", 512, False]
    assert tried[2].theme == "light"


def test_refused_schema_says_line_and_reason_under_it(page):
    page.shell.refusal = SchemaError("fleet.toml", "the value “x” has no `means`", line=12)
    page.apply("schema_file", "/fleet.toml")
    reason = page.reasons["schema_file"]
    assert reason.isVisibleTo(page)
    assert "line 12" in reason.text()
    assert "no `means`" in reason.text()
    assert page.shell.session.settings.schema_file == ""
    page.shell.refusal = None
    page.apply("schema_file", "")
    assert not reason.isVisibleTo(page)


def test_value_that_the_settings_forbid_is_refused_here(page):
    page.apply("frame_cache_mb", 1)
    assert page.reasons["frame_cache_mb"].isVisibleTo(page)
    assert page.shell.settings_tried == []


def test_page_says_where_data_lives(page, session):
    texts = {label.text() for label in page.findChildren(type(page.reasons["theme"]))}
    assert {str(session.library.folder), str(paths.settings_file()), str(paths.log_dir())} <= texts


def test_library_given_at_the_start_is_said_beside_the_setting(page, session):
    assert str(session.library.folder) in page.helps["library_dir"].text()
    page.on_settings(session.settings.model_copy(update={"library_dir": str(session.library.folder)}))
    assert page.helps["library_dir"].text() == Settings.model_fields["library_dir"].description


def test_broken_schema_file_is_refused_in_the_window(window, session, tmp_path: Path):
    broken = tmp_path / "fleet.toml"
    broken.write_text('name = "fleet"\nversion = 1\ntitle = "Fleet"\n\n[[field]]\nkey = "a"\nkind = "nonsense"\n')
    opened = window()
    opened.navigate("settings")
    page = opened._pages["settings"]
    page.apply("schema_file", str(broken))
    assert "line" in page.reasons["schema_file"].text()
    assert opened.session is session
    assert load_settings().schema_file == ""


@pytest.mark.parametrize("choice", ["dark", "light"])
def test_page_paints_in_both_themes(page, look, choice):
    look.choose(choice)
    assert not page.grab().isNull()


def test_keys_of_all_pages_are_a_click_away(window):
    opened = window()
    opened.navigate("settings")
    opened._pages["settings"]._on_keys()
    assert opened._keys_sheet.isVisible()
    assert set(opened._pages) == {"library", "review", *(spec.id for spec in PAGES)}


def test_what_is_chosen_on_models_can_be_read_here_and_is_a_click_away(page):
    page.on_settings(page.shell.session.settings.model_copy(update={"backend": "local", "local_model": "InternVL3-2B"}))
    assert page.editors["backend"].value.text() == "Local model"
    assert page.editors["local_model"].value.text() == "InternVL3-2B"
    assert page.editors["local_adapter"].value.text() == "None: the model alone"
    page.editors["local_model"].go.click()
    assert page.shell.navigated == [("models", None)]


def test_cloud_is_off_until_it_is_switched_on_here(page):
    assert page.editors["allow_upload"].box.isChecked() is False
    page.editors["allow_upload"].box.click()
    assert page.shell.settings_tried[-1].allow_upload is True
