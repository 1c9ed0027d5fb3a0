"""Names of files, problems and labels come from outside: nowhere are they taken for markup."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QAbstractItemModel, QModelIndex
from PySide6.QtGui import Qt, QTextDocument
from PySide6.QtWidgets import QAbstractItemView, QLabel, QMenu, QWidget

from tests.ui.builders import analysis, broken_clip, clip
from vvlm_desktop import app
from vvlm_desktop.errors import LibraryError, UsageError
from vvlm_desktop.ui.errors_view import Problem, ProblemItem, ProblemSheet
from vvlm_desktop.ui.library.filter_row import ChoiceButton
from vvlm_desktop.ui.widgets.buttons import IconButton, button
from vvlm_desktop.ui.widgets.labels import ElidedLabel
from vvlm_desktop.ui.words import menu_text, plain_tip

HOSTILE = ["<b>x.mp4", "<img src=x>.mp4", "&lt;i&gt;.mp4", "<a href='file:///x'>a\n<b>two  lines"]


def as_shown(tip: str) -> str:
    """What a person reads in a tooltip, which Qt may take for markup."""
    if not Qt.mightBeRichText(tip):
        return tip
    document = QTextDocument()
    document.setHtml(tip)
    return document.toPlainText()


def misread(tip: str) -> bool:
    """Whether Qt takes for markup what nobody escaped."""
    return Qt.mightBeRichText(tip) and plain_tip(as_shown(tip)) != tip


def taken_for_markup(root: QWidget) -> list[str]:
    """Texts of labels and tooltips under `root` that would not be shown letter for letter."""
    found = [
        label.text()
        for label in root.findChildren(QLabel)
        if label.textFormat() != Qt.TextFormat.PlainText and Qt.mightBeRichText(label.text())
    ]
    found += [widget.toolTip() for widget in root.findChildren(QWidget) if misread(widget.toolTip())]
    for view in root.findChildren(QAbstractItemView):
        found += tips_taken_for_markup(view.model())
    return found


def tips_taken_for_markup(model: QAbstractItemModel | None) -> list[str]:
    if model is None:
        return []
    cells = [
        model.index(line, column, QModelIndex())
        for line in range(model.rowCount())
        for column in range(model.columnCount())
    ]
    tips = [cell.data(Qt.ItemDataRole.ToolTipRole) or "" for cell in cells]
    return [tip for tip in tips if misread(tip)]


@pytest.mark.parametrize("name", [*HOSTILE, "harmless & plain.mp4"])
def test_tip_is_read_letter_for_letter(qapp, name):
    assert as_shown(plain_tip(name)) == name


@pytest.mark.parametrize("name", HOSTILE)
def test_every_tip_in_the_window_is_read_letter_for_letter(window, session, qtbot, name):
    session.library.add_clip(clip(1, path=f"/clips/{name}"))
    session.library.add_clip(broken_clip(2, problem=f"{name} {name} is no video."))
    session.library.add_analysis(analysis(session, clip(1), {"event_type": name, "caption": name}))
    session.library.add_problem_file(f"/locked/{name}", name)
    opened = window()
    page = opened._pages["library"]
    opened.report(UsageError(f"{name} cannot be used.", hint=name))
    opened.report(Problem(name, tone="good"))
    opened.tasks.begin(f"Adding {name}")
    opened.status.show_backend(name)
    for line in (0, 1):
        page.table.show_line(line)
        opened.grab()
        assert taken_for_markup(opened) == []
    opened.navigate("settings")
    opened._pages["settings"].reasons["theme"].setText(name)
    assert taken_for_markup(opened) == []
    table_tips = [page._clips.index(1, column).data(Qt.ItemDataRole.ToolTipRole) for column in (0, 1)]
    assert all(as_shown(tip).endswith(name.replace("\n", " ")) for tip in table_tips)


@pytest.mark.parametrize("name", HOSTILE)
def test_sheet_of_problems_and_shortened_labels(qtbot, look, name):
    sheet = ProblemSheet(Problem(name, hint=name, items=(ProblemItem(name, name, name),)))
    qtbot.addWidget(sheet)
    assert taken_for_markup(sheet) == []
    short = ElidedLabel(name * 3)
    qtbot.addWidget(short)
    short.resize(40, 20)
    short.grab()
    assert as_shown(short.toolTip()) == name * 3
    for item in (button("Go", tooltip=name), IconButton("copy", name)):
        qtbot.addWidget(item)
        assert as_shown(item.toolTip()) == name


def test_question_for_another_library_is_plain(qtbot, look):
    box = app._question(LibraryError("<b>x</b> is no library.", hint="<img src=x> is in the way."))
    qtbot.addWidget(box)
    texts = {label.text(): label.textFormat() for label in box.findChildren(QLabel) if label.text()}
    assert texts == {
        "<b>x</b> is no library.": Qt.TextFormat.PlainText,
        "<img src=x> is in the way.": Qt.TextFormat.PlainText,
    }


def test_ampersand_in_a_label_of_the_schema_is_read(qtbot, look, session):
    from vvlm_desktop.ui.library.filter_row import FilterRow

    event = session.schema.field("event_type")
    first = replace(event.values[0], label="Rear & side")
    fields = tuple(
        replace(f, values=(first, *f.values[1:]), label="Hit & run") if f.key == "event_type" else f
        for f in session.schema.fields
    )
    filters = FilterRow(replace(session.schema, fields=fields))
    qtbot.addWidget(filters)
    choice = filters.event_choice
    assert isinstance(choice, ChoiceButton)
    choice.choose((first.key,))
    assert choice.text() == menu_text("Hit & run: Rear & side")
    assert choice.accessibleName() == "Hit & run: Rear & side"
    assert choice.findChildren(QMenu)[0].actions()[0].text() == "Rear && side"
