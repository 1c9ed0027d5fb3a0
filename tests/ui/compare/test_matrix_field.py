"""The matrix is of the field that was chosen in the table, in any label schema."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from tests.unit.training.sets import LIGHT_TOML
from tests.unit.workflow.conftest import put_answer
from tests.unit.workflow.conftest import put_clip as put_unplayable
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.compare.clip_list import difference_words
from vvlm_desktop.ui.compare.matrix import Matrix
from vvlm_desktop.workflow.answerers import Source, tally_of
from vvlm_desktop.workflow.session import open_session

BASE, TUNED = Source("local", "M"), Source("local", "M", "fleet")


def names(page):
    return [line.name for line in page.clips.lines]


def choose(page, title):
    table = page.agreement.table
    line = next(n for n in range(table.rowCount()) if table.item(n, 0).text() == title)
    table.setCurrentCell(line, 0)


def test_event_is_shown_first_and_named(open_page, three):
    page = open_page()
    assert page.agreement.matrix.field.key == "event_type"
    assert page.agreement.matrix_of.text() == "Event"
    table = page.agreement.table
    assert table.item(table.currentRow(), 0).text() == "Event"


def test_chosen_field_has_its_matrix_and_its_cells_list_its_clips(open_page, three, qtbot):
    page = open_page()
    matrix, against = page.agreement.matrix, page.agreement.against
    choose(page, "Weather")
    assert page.agreement.matrix_of.text() == "Weather"
    assert matrix.accessibleDescription() == "A Clear, B Clear: 1. A Clear, B Rain: 2"
    row, column = matrix._values.index("clear"), matrix._values.index("rain")
    qtbot.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=matrix.cell_rect(row, column).center().toPoint())
    assert names(page) == ["event.mp4", "weather.mp4"]
    assert page.fields.rows[page.fields.view.currentIndex().row()].key == "weather"
    against.setCurrentIndex(against.findData(1))
    assert matrix.accessibleDescription() == "Truth Clear, B Rain: 1"
    qtbot.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=matrix.cell_rect(0, 1).center().toPoint())
    assert names(page) == ["event.mp4"]


def test_chosen_field_stays_when_the_numbers_come_again_and_is_what_is_copied(open_page, three, qtbot):
    page = open_page()
    choose(page, "Weather")
    page.reload()
    qtbot.waitUntil(lambda: not page.reader.busy)
    assert page.agreement.matrix.field.key == "weather"
    page.agreement.copy.click()
    text = QGuiApplication.clipboard().text()
    assert "Weather: A in rows, B in columns" in text
    assert "Event: A in rows" not in text


def test_list_says_that_it_has_no_matrix(open_page, three):
    page = open_page()
    choose(page, "Cause of risk")
    assert "lists have no matrix" in page.agreement.matrix.why_empty
    assert page.agreement.matrix._values == []
    assert not page.agreement.against.isEnabled()
    choose(page, "Event")
    assert page.agreement.matrix.why_empty == ""
    assert page.agreement.against.isEnabled()


def test_schema_without_events_shows_its_first_choice(tmp_path, qtbot, look):
    file = tmp_path / "light.toml"
    file.write_text(LIGHT_TOML, encoding="utf-8")
    with open_session(Settings(reviewer="Ann"), library_dir=tmp_path / "other", schema_file=file) as session:
        for number in range(2):
            clip = put_unplayable(session, f"{number}.mp4")
            put_answer(session, clip, {"light": "dark"}, backend="local", model="M")
            put_answer(session, clip, {"light": "bright"}, backend="local", model="M", adapter="fleet")
        tally = tally_of(session, (BASE, TUNED), wanted=session.library.clip_rowids())
        matrix = Matrix(session.schema)
        qtbot.addWidget(matrix)
        matrix.show_tally(tally)
        assert matrix.field.label == "Light"
        assert matrix.accessibleDescription() == "A Dark, B Bright: 2"
        assert difference_words(session.schema, tally.lines[0]) == "Dark / bright"


def test_what_was_said_alike_is_kept_once(session, put_clip, answer):
    for number in range(3):
        clip = put_clip(f"{number}.mp4")
        answer(clip)
        answer(clip, adapter="fleet")
    lines = tally_of(session, (BASE, TUNED), wanted=session.library.clip_rowids()).lines
    assert len({id(line.said) for line in lines}) == 1
