"""The library while it lists the clips that would change: what it says of them, and that it keeps up."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from tests.ui.builders import FakeLists, NoPictures, clip
from tests.ui.library.test_library_page import Desk
from tests.ui.library.would_change import BASE, TUNED, answer, four, settle
from vvlm_desktop.domain.review import Change
from vvlm_desktop.ui.changes import ClipChange, event_words, find_changes, read_again, way_words
from vvlm_desktop.ui.library.clip_table_model import BY_CHANGE, ClipTableModel
from vvlm_desktop.ui.library.columns import INDEX, layout
from vvlm_desktop.ui.scope import Scope


@pytest.fixture
def desk(qtbot, look, session):
    four(session)
    opened = Desk(qtbot, session)
    yield opened
    opened.page.close_page()


def show(desk) -> None:
    changes = find_changes(desk.session, (BASE, TUNED))
    desk.page.show_scope(Scope(changes.title, sources=changes.sources, changes=changes))


def cell(desk, line: int, column: str) -> str:
    model = desk.page._clips
    return model.text(model.row(line), column)


def chip(desk, words: str):
    return next(each for each in desk.page.changes_bar.chips if words in each.text())


def test_only_changing_clips_are_listed_the_event_first(desk):
    show(desk)
    assert desk.names() == ["clip_0003.mp4", "clip_0002.mp4"]
    assert desk.page.changes_bar.title.text() == "2 clips would change with march-001"
    assert "3 compared · 1 without both answers" in desk.page.changes_bar.facts.text()
    assert cell(desk, 0, "change") == "Near miss → collision, towards Ann"
    assert cell(desk, 1, "change") == "Weather, away from Ann"
    assert not desk.page.table.isColumnHidden(INDEX["change"])


def test_a_clip_that_it_learnt_from_changes_and_goes_no_way(desk):
    changed = find_changes(desk.session, (BASE, TUNED))
    (row,) = changed.rows(way="towards")
    sha256 = next(each.clip.sha256 for each in desk.session.library.clip_rows([row]))
    folder = desk.session.library.folder / "runs" / TUNED.adapter / "adapter"
    folder.mkdir(parents=True)
    card = {"training_set": {"content_sha256": {"train": [sha256]}}}
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    show(desk)
    assert desk.names() == ["clip_0003.mp4", "clip_0002.mp4"]
    assert "1 learnt from, not judged" in desk.page.changes_bar.facts.text()
    assert not any("towards" in each.text() for each in desk.page.changes_bar.chips)


def test_details_name_every_field_now_then_and_what_was_reviewed(desk):
    show(desk)
    desk.page.table.show_line(0)
    said = desk.page.details.change.text()
    assert "Event: Near miss → Collision (reviewed: Collision)" in said
    assert "Weather: Clear → Rain" in said
    desk.page.scoped.leave()
    desk.page.table.show_line(0)
    assert not desk.page.details.change.isVisibleTo(desk.page)


def test_chips_narrow_by_field_and_by_way_and_let_go_again(desk, qtbot):
    show(desk)
    assert [each.text() for each in desk.page.changes_bar.chips] == [
        "Event 1",
        "Weather 2",
        "1 towards what a person said",
        "1 away from what a person said",
    ]
    chip(desk, "Event").click()
    assert desk.names() == ["clip_0003.mp4"]
    chip(desk, "Event").click()
    chip(desk, "away").click()
    assert desk.names() == ["clip_0002.mp4"]
    chip(desk, "Event").click()
    assert desk.names() == []
    assert desk.page.body.currentWidget() is desk.page.no_hits


def test_leaving_lists_all_again_in_the_order_of_before(desk):
    before = desk.names()
    show(desk)
    assert desk.page._clips.sorted_by == (INDEX["change"], False)
    desk.page.changes_bar.leave.click()
    assert desk.names() == before
    assert desk.page.table.isColumnHidden(INDEX["change"])
    assert not desk.page.changes_bar.isVisible()
    assert desk.page._clips.sorted_by == (INDEX["added"], True)


def test_filters_hold_within_and_ctrl_l_clears_both(desk):
    show(desk)
    desk.page.filters.status_choice.choose(("reviewed",))
    desk.page.filters.search.setText("clip_0002")
    desk.page.filters._emit()
    assert desk.names() == ["clip_0002.mp4"]
    desk.shell.registry.action("library.clear").trigger()
    assert len(desk.names()) == 4


def test_review_turns_the_mark_without_looking_through_the_library(desk, qtbot, monkeypatch):
    show(desk)
    monkeypatch.setattr("vvlm_desktop.workflow.changing.changing", None)
    change = settle(desk.session, 3, event_type="near_miss")
    desk.page.on_change(change)
    qtbot.waitUntil(lambda: "away from Ann" in cell(desk, 0, "change"))
    assert [each.text() for each in desk.page.changes_bar.chips][2:] == ["2 away from what a person said"]


def test_answer_that_arrives_is_listed_and_no_longer_missing(desk, qtbot):
    show(desk)
    assert desk.page.changes_bar.rest.isVisible()
    desk.page.on_change(answer(desk.session, 4, adapter="march-001", event_type="no_incident"))
    qtbot.waitUntil(lambda: "clip_0004.mp4" in desk.names())
    assert desk.page.changes_bar.title.text() == "3 clips would change with march-001"
    assert "4 compared" in desk.page.changes_bar.facts.text()
    assert not desk.page.changes_bar.rest.isVisible()


def test_while_answers_are_made_it_says_how_far_and_offers_nothing(desk):
    task = desk.shell.tasks.begin("Analysing · M + march-001")
    show(desk)
    bar = desk.page.changes_bar
    assert bar.title.text() == "3 of 4 answered so far: 2 clips would change with march-001"
    assert not bar.rest.isVisible()
    task.finish()
    assert bar.title.text() == "2 clips would change with march-001"
    assert bar.rest.isVisible()
    other = desk.shell.tasks.begin("Analysing · M + other")
    assert bar.rest.isVisible()
    other.finish()


def test_nothing_that_changes_so_far_is_no_result(desk):
    task = desk.shell.tasks.begin("Analysing 1 of 4 · M + march-001")
    changes = replace(find_changes(desk.session, (BASE, TUNED)), by_row={})
    desk.page.show_scope(Scope(changes.title, sources=changes.sources, changes=changes))
    page = desk.page
    assert page.changes_bar.title.text() == "3 of 4 answered so far"
    assert page.body.currentWidget() is page.no_hits
    assert page.no_hits.title.text() == "No change so far"
    assert page.no_hits.sentence.text().startswith("3 of 4 answered so far.")
    task.finish()
    assert page.no_hits.title.text() == "No clip would change"
    page.scoped.leave()
    page.filters.search.setText("nowhere")
    page.filters._emit()
    assert page.no_hits.title.text() == "No clip fits"


def test_fields_that_change_are_named_with_now_and_then_in_the_tooltip(desk, qtbot):
    show(desk)
    desk.page.on_change(answer(desk.session, 1, adapter="march-001", at="09", weather="snow", scene="urban"))
    desk.page.on_change(answer(desk.session, 1, at="08", scene="highway"))
    qtbot.waitUntil(lambda: "clip_0001.mp4" in desk.names())
    line = desk.names().index("clip_0001.mp4")
    qtbot.waitUntil(lambda: cell(desk, line, "change") == "Scene, Weather")
    model = desk.page._clips
    tip = model.data(model.index(line, INDEX["change"]), Qt.ItemDataRole.ToolTipRole)
    assert "Weather: Clear → Snow" in tip


def test_newer_answer_that_says_the_same_takes_its_clip_away(desk, qtbot):
    show(desk)
    desk.page.on_change(answer(desk.session, 2, adapter="march-001", at="09"))
    qtbot.waitUntil(lambda: desk.names() == ["clip_0003.mp4"])


def test_unnamed_change_has_the_whole_library_looked_through(desk, qtbot):
    show(desk)
    answer(desk.session, 1, adapter="march-001", at="09", weather="snow")
    desk.page.on_change(Change(what=frozenset({"analyses"})))
    qtbot.waitUntil(lambda: "clip_0001.mp4" in desk.names())


def test_left_list_is_found_again(desk, qtbot):
    show(desk)
    desk.page.scoped.leave()
    desk.shell.registry.action("library.would_change").trigger()
    assert desk.names() == ["clip_0003.mp4", "clip_0002.mp4"]
    qtbot.waitUntil(lambda: desk.page.scoped._work is None)


def test_compare_gets_the_listed_clips_and_whose_answers(desk):
    show(desk)
    desk.page.changes_bar.compare.click()
    assert desk.shell.compared.sources == (BASE, TUNED)
    assert desk.shell.compared.title == "2 clips changing with march-001"
    desk.page.table.show_line(1)
    desk.shell.registry.action("library.compare").trigger()
    assert desk.shell.navigated[-1] == ("compare", clip(2).id)
    desk.page.table.opened.emit(1)
    assert desk.shell.navigated[-1] == ("review", clip(2).id)


def test_other_frames_are_no_change(session):
    four(session)
    answer(session, 2, adapter="march-001", at="08", weather="snow", frames=(0, 1024))
    found = find_changes(session, (BASE, TUNED))
    assert (found.compared, found.unfair, len(found.by_row)) == (2, 1, 1)
    again = read_again(session, found, [clip(2).id, "gone"])
    assert (again.by_row, again.compared) == (found.by_row, 2)


def test_a_clip_that_goes_both_ways_says_so(session):
    change = ClipChange(("", "collision"), ("event_type", "weather"), towards=1, away=1, reviewer="Ann")
    assert event_words(session.schema, change) == "Not answered → collision"
    assert way_words(change) == "both ways for Ann"
    assert (change.goes("towards"), change.goes("away")) == (True, True)


def test_hundred_thousand_clips_are_narrowed_by_one_query(look, session):
    lists = FakeLists(100_000)
    model = ClipTableModel(lists, session.schema, thumbnails=NoPictures(), sureness=lambda _row: None)
    model.list_only((70_000, 3, 99_999), in_order=True)
    model.load()
    assert [model.rowid(line) for line in range(model.rowCount())] == [70_000, 3, 99_999]
    assert (lists.asked, lists.pages_read) == ([("added", False)], [])
    assert model.can_sort(INDEX["change"])
    model.sort(INDEX["name"], Qt.SortOrder.AscendingOrder)
    assert [model.rowid(line) for line in range(model.rowCount())] == [3, 70_000, 99_999]
    model.sort(INDEX["change"], Qt.SortOrder.DescendingOrder)
    assert [model.rowid(line) for line in range(model.rowCount())] == [99_999, 3, 70_000]
    model.list_only(None, in_order=False)
    model.load()
    assert model.rowCount() == 100_000
    assert not model.can_sort(INDEX["change"])
    assert BY_CHANGE not in {sort for sort, _ in lists.asked}


def test_column_has_a_place_in_the_smallest_window():
    widths = layout(1280 - 64, without=frozenset({"labels", "added", "problem"}))
    assert widths["change"] >= 200


def test_clips_chosen_elsewhere_are_listed_under_their_own_title(desk):
    chosen = tuple(desk.session.library.rowid_of(clip(number).id) for number in (1, 4))
    desk.page.show_scope(Scope("Not in the set: too short", chosen=chosen))
    assert desk.names() == ["clip_0004.mp4", "clip_0001.mp4"], "in the table's own order"
    assert desk.page.changes_bar.title.text() == "Not in the set: too short"
    assert desk.page.table.isColumnHidden(INDEX["change"])
    assert desk.page.changes_bar.chips == []
    desk.page.show_scope(Scope("All clips"))
    assert len(desk.names()) == 4
    assert not desk.page.changes_bar.isVisible()
