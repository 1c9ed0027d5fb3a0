from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QAbstractSpinBox, QComboBox, QFileDialog, QLineEdit

from tests.ui.builders import clip
from vvlm_desktop import paths
from vvlm_desktop.domain.review import Change
from vvlm_desktop.errors import LibraryDamagedError, SettingsError, UsageError
from vvlm_desktop.settings import load_settings
from vvlm_desktop.ui import theme
from vvlm_desktop.ui.errors_view import Problem, broken_settings_problem
from vvlm_desktop.ui.main_window import MainWindow
from vvlm_desktop.ui.page_list import PAGES
from vvlm_desktop.workflow.session import default_reviewer, open_session


def test_first_page_is_shown_and_others_are_built_when_asked_for(window):
    opened = window()
    assert set(opened._pages) == {"library"}
    opened.navigate("review", "abc")
    assert set(opened._pages) == {"library", "review"}
    assert opened._pages["review"].opened == ["abc"]
    assert opened._rail.button("review").isChecked()
    assert not opened._rail.button("library").isChecked()


def test_rail_and_keys_switch_pages(window, qtbot):
    opened = window()
    qtbot.waitExposed(opened)
    opened.activateWindow()
    qtbot.mouseClick(opened._rail.button("settings"), Qt.MouseButton.LeftButton)
    assert opened._current == "settings"
    qtbot.waitUntil(opened.isActiveWindow)
    qtbot.keyClick(opened, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert opened._current == "library"


def test_a_change_reaches_every_page_that_was_built(window):
    opened = window()
    opened.navigate("review")
    opened.navigate("library")
    change = Change(clip_ids=("x",), what=frozenset({"review"}))
    opened.announce(change)
    assert opened._pages["review"].changes == [change]


def test_expected_errors_go_to_the_bar_and_news_to_the_status_bar(window):
    opened = window()
    opened.report(UsageError("Not possible.", hint="Do this."))
    assert opened.problems.sentence.text() == "Not possible."
    opened.report(Problem("3 clips analysed.", tone="good"))
    assert opened.problems.sentence.text() == "Not possible."
    assert opened.status.news.text() == "3 clips analysed."


def test_settings_are_saved_and_in_force_at_once(window, session):
    opened = window()
    changed = session.settings.model_copy(update={"theme": "light", "reviewer": "Grace"})
    assert opened.change_settings(changed)
    assert load_settings() == changed
    assert theme.tokens().name == "light"
    assert opened.session.reviewer == "Grace"
    assert opened.change_settings(changed.model_copy(update={"reviewer": " "}))
    assert opened.session.reviewer == default_reviewer()


def test_other_library_replaces_the_session_and_its_pages(window, session, tmp_path: Path):
    opened = window()
    opened.navigate("review")
    old_page = opened._pages["review"]
    other = tmp_path / "other"
    assert opened.change_settings(session.settings.model_copy(update={"library_dir": str(other)}))
    assert opened.session.library.folder == other
    assert old_page.closed
    assert opened._current == "review"
    assert opened._pages["review"] is not old_page


def test_another_schema_keeps_the_library_that_the_program_was_started_with(window, session, tmp_path: Path):
    given = session.library.folder
    session.library.add_clip(clip(1))
    own = tmp_path / "own.toml"
    own.write_text(paths.bundled_schema("dashcam").read_text("utf-8").replace("version = 1", "version = 7", 1), "utf-8")
    opened = window()
    assert opened.change_settings(session.settings.model_copy(update={"schema_file": str(own)}))
    assert opened.session.schema.version == 7
    assert opened.session.library.folder == given
    assert opened.session.library.count_clips() == 1
    assert opened.session.reviewer == "Ada"
    assert opened.status.news.text() == ""


def test_another_library_in_the_settings_is_opened_and_named(window, session, tmp_path: Path):
    opened = window()
    other = tmp_path / "other"
    changed = session.settings.model_copy(update={"library_dir": str(other)})
    assert opened.change_settings(changed)
    assert opened.status.news.text() == f"The library is now {other}."
    assert opened.change_settings(changed.model_copy(update={"library_dir": ""}))
    assert opened.session.library.folder == paths.default_library_dir()
    assert str(paths.default_library_dir()) in opened.status.news.text()


def test_settings_file_that_could_not_be_read_is_kept_and_said(window, session):
    file = paths.settings_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('reviewer = "Grace\n')
    opened = window()
    with pytest.raises(SettingsError) as caught:
        load_settings()
    opened.report(broken_settings_problem(caught.value))
    assert "puts this file aside" in opened.problems.hint.text()
    opened.registry.action("window.theme").trigger()
    assert load_settings().theme == "light"
    assert (file.parent / "settings.toml.broken").read_text() == 'reviewer = "Grace\n'
    assert "kept as settings.toml.broken" in opened.problems.sentence.text()
    opened.problems.dismiss()
    assert opened.problems.problem is None
    opened.registry.action("window.theme").trigger()
    assert opened.problems.problem is None


def test_refused_library_leaves_everything_as_it_was(window, session, tmp_path: Path):
    def refuse(_settings, **_options):
        raise LibraryDamagedError("This is no library.", hint="Choose another folder.")

    opened = window(reopen=refuse)
    assert not opened.change_settings(session.settings.model_copy(update={"library_dir": str(tmp_path)}))
    assert opened.session is session
    assert opened.problems.sentence.text() == "This is no library."
    assert load_settings().library_dir == ""


def test_settings_that_cannot_be_saved_leave_the_old_session(window, session, tmp_path: Path, monkeypatch):
    made = []

    def reopen(settings, **options):
        made.append(open_session(settings, **options))
        return made[-1]

    opened = window(reopen=reopen)
    (tmp_path / "vvlm-data").mkdir(exist_ok=True)
    monkeypatch.setenv("VVLM_DATA_DIR", str(tmp_path / "a file"))
    (tmp_path / "a file").write_text("in the way")
    assert not opened.change_settings(session.settings.model_copy(update={"library_dir": str(tmp_path / "other")}))
    assert opened.session is session
    assert len(made) == 1
    monkeypatch.setenv("VVLM_DATA_DIR", str(tmp_path / "vvlm-data"))


def drop_of(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def test_files_dropped_anywhere_are_added(window, monkeypatch, tmp_path: Path):
    opened = window()
    added: list = []
    monkeypatch.setattr(opened.jobs, "add", added.append)
    data = drop_of(tmp_path / "a.mp4", tmp_path / "folder #1")
    enter = QDragEnterEvent(
        QPoint(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    opened.dragEnterEvent(enter)
    assert enter.isAccepted()
    assert opened._drop_hint.isVisibleTo(opened)
    drop = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    opened.dropEvent(drop)
    assert added == [[tmp_path / "a.mp4", tmp_path / "folder #1"]]
    assert opened._drop_hint.isHidden()


def test_what_is_no_file_cannot_be_dropped(window):
    opened = window()
    data = QMimeData()
    data.setUrls([QUrl("https://example.org/a.mp4")])
    enter = QDragEnterEvent(
        QPoint(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    enter.ignore()
    opened.dragEnterEvent(enter)
    assert not enter.isAccepted()


def test_files_are_chosen_in_a_dialog(window, monkeypatch):
    opened = window()
    added: list = []
    monkeypatch.setattr(opened.jobs, "add", added.append)
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (["/clips/a b.mp4"], ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    opened.registry.action("clips.add_files").trigger()
    opened.registry.action("clips.add_folder").trigger()
    assert added == [[Path("/clips/a b.mp4")]]


def test_size_is_remembered(window, session, look, tmp_path: Path):
    opened = window()
    opened.resize(960, 655)  # the offscreen screen is small
    opened.close()
    again = open_session(session.settings, library_dir=tmp_path / "library")
    second = MainWindow(again, look=look, reopen=open_session, pages=tuple(opened._specs.values()))
    try:
        assert (second.width(), second.height()) == (960, 655)
    finally:
        second.close()
        second.deleteLater()


def test_closing_asks_nothing_and_ends_pages(window):
    opened = window()
    opened.navigate("review")
    page = opened._pages["review"]
    opened.tasks.begin("Analysing", cancel=lambda: None)
    assert opened.close()
    assert page.closed


def test_window_is_gone_before_what_still_runs_is_waited_for(window, monkeypatch):
    opened = window()
    seen: list[tuple[str, bool]] = []
    monkeypatch.setattr(opened._export, "cancel", lambda: seen.append(("cancel", opened.isVisible())))
    monkeypatch.setattr(opened._export, "close", lambda: seen.append(("wait", opened.isVisible())))
    real = opened.jobs.close
    monkeypatch.setattr(opened.jobs, "close", lambda: (seen.append(("wait", opened.isVisible())), real()))
    assert opened.close()
    assert seen == [("cancel", True), ("wait", False), ("wait", False)]


@pytest.mark.parametrize("start", ["library", "review", "settings"])
def test_search_is_a_key_away_on_every_page(window, session, qtbot, start):
    session.library.add_clip(clip(1))
    opened = window()
    qtbot.waitExposed(opened)
    opened.activateWindow()
    opened.navigate(start)
    qtbot.waitUntil(opened.isActiveWindow)
    qtbot.keyClick(opened, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert opened._current == "library"
    qtbot.waitUntil(opened._pages["library"].filters.search.hasFocus)


def test_pages_and_window_agree_on_the_keys(qtbot, session, look):
    whole = MainWindow(session, look=look, reopen=open_session, pages=PAGES)
    try:
        whole.show()
        for spec in PAGES:
            whole.navigate(spec.id)  # refused where two actions want one key
        assert {action.page for action in whole.registry.everywhere()} >= {None, "library", "review"}
    finally:
        whole.close()
        whole.deleteLater()


def test_palette_opens_over_the_page_and_finds_a_clip(window, session, qtbot):
    wanted = clip(1, path="/clips/harbour.mp4")
    session.library.add_clip(wanted)
    opened = window()
    opened.show_palette()
    qtbot.keyClicks(opened.palette_line.line, "harbour")
    qtbot.keyClick(opened.palette_line.line, Qt.Key.Key_Return)
    assert opened._current == "review"
    assert opened._pages["review"].opened == [wanted.id]


def test_setting_found_in_the_palette_has_the_focus(window, qtbot):
    opened = window()
    qtbot.waitExposed(opened)
    opened.activateWindow()
    opened.navigate("settings", "theme")
    editor = opened._pages["settings"].editors["theme"]
    qtbot.waitUntil(lambda: editor.isAncestorOf(opened.focusWidget()) or opened.focusWidget() is editor)


def test_keys_sheet_opens_and_closes_with_the_page(window, qtbot):
    opened = window()
    opened.show_keys()
    sheet = opened._keys_sheet
    assert sheet.isVisible()
    with qtbot.waitSignal(sheet.destroyed):
        opened.navigate("settings")
    assert opened._keys_sheet is None


def test_theme_switches_by_an_action(window):
    opened = window()
    opened.registry.action("window.theme").trigger()
    assert load_settings().theme == "light"


@pytest.mark.parametrize("page", ["library", "settings"])
def test_everything_that_can_be_used_has_a_name(window, session, page):
    session.library.add_clip(clip(1))
    opened = window()
    opened.navigate(page)
    kinds = (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox, QAbstractItemView)
    nameless = [
        type(widget).__name__
        for kind in kinds
        for widget in opened.findChildren(kind)
        if widget.isVisibleTo(opened)
        and not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
        and not isinstance(
            widget.parent(), QLineEdit | QAbstractSpinBox | QComboBox
        )  # parts of a widget that has a name
    ]
    assert nameless == []


def test_every_action_has_an_icon_that_exists_and_a_label(window):
    from vvlm_desktop.ui import icons

    opened = window()
    opened.navigate("settings")
    known = set(icons.names())
    for action in opened.registry.everywhere():
        assert action.label[0].isupper()
        assert action.icon is None or action.icon in known


def test_importing_the_window_loads_nothing_heavy():
    code = (
        "import sys; import vvlm_desktop.ui.main_window, vvlm_desktop.ui.library.page; "
        "heavy = ('torch', 'transformers', 'alembic', 'matplotlib', 'cv2', 'openai', 'google'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_table_reads_again_when_clips_are_announced(window, session, qtbot):
    opened = window()
    page = opened._pages["library"]
    assert page.body.currentWidget() is page.nothing_yet
    added = session.library.add_clip(clip(1)).clip
    opened.announce(Change(clip_ids=(added.id,), what=frozenset({"clips"})))
    qtbot.waitUntil(lambda: page._clips.rowCount() == 1)
    session.library.add_clip(replace(clip(2)))
    opened.navigate("settings")
    opened.announce(Change(what=frozenset({"clips"})))
    opened.navigate("library")
    qtbot.waitUntil(lambda: page._clips.rowCount() == 2)


def test_samples_that_are_being_drawn_are_said_on_the_empty_page(window, qtbot, monkeypatch):
    import threading

    from vvlm_desktop.workflow import sample_clips

    go_on = threading.Event()

    def slow(_session, *, progress, first_ready, cancelled):
        progress(0.1, "rear-end near miss")
        go_on.wait(10)
        return []

    monkeypatch.setattr(sample_clips, "add_samples", slow)
    opened = window()
    empty = opened._pages["library"].nothing_yet
    try:
        opened.add_samples()
        assert "Drawing the sample clips" in empty.sentence.text()
        qtbot.waitUntil(lambda: "rear-end" in opened.status.title.text())
        assert "Drawing the sample clips" in empty.sentence.text()
    finally:
        go_on.set()
    qtbot.waitUntil(lambda: not opened.tasks.running)
    assert "Drop dashcam files" in empty.sentence.text()


def test_long_texts_widen_nothing(window, session, qtbot):
    session.library.add_clip(clip(1, path=f"/clips/{'x' * 200}.mp4", problem=f"{'y' * 300} is in the way."))
    opened = window()
    word = "w" * 250
    opened.report(UsageError(f"{word} cannot be used.", hint=word))
    opened._pages["library"].table.show_line(0)
    opened.tasks.begin(f"Adding {word}", cancel=lambda: None)
    opened.tasks.begin("Another")
    opened.report(Problem(f"The library is now {word}.", tone="good"))
    for page in ("library", "settings"):
        opened.navigate(page)
        opened.grab()
        assert opened.minimumSizeHint().width() <= 960
        assert opened.width() == 1280
    status = opened.status
    assert status.cancel.geometry().right() < status.sent.geometry().left()
    assert status.sent.geometry().right() <= status.width()


def test_status_bar_keeps_the_model_whole_where_there_is_room(window):
    opened = window()
    opened.tasks.begin(f"Adding {'w' * 250}", cancel=lambda: None)
    opened.grab()
    backend = opened.status.backend
    assert backend.width() >= backend.fontMetrics().horizontalAdvance(backend.text())


def test_keys_reach_the_list_and_not_a_button_that_is_hidden(window, session, qtbot):
    session.library.add_clip(clip(1))
    opened = window()
    page = opened._pages["library"]
    opened.navigate("settings")
    page.nothing_yet.buttons[0].setFocus()  # as Qt remembers the button of the empty page that was pressed
    assert opened.focusWidget() is page.nothing_yet.buttons[0]
    opened.navigate("library")
    qtbot.waitUntil(lambda: opened.focusWidget() is page.table)
