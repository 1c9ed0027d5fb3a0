from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from tests.ui.builders import FakeLists, NoPictures, broken_clip, clip, row
from vvlm_desktop.store.library import ClipFilter
from vvlm_desktop.store.search import SORTS
from vvlm_desktop.ui.library import row_words
from vvlm_desktop.ui.library.clip_table_model import PAGE_ROWS, PAGES_KEPT, ClipTableModel
from vvlm_desktop.ui.library.columns import COLUMNS, INDEX, layout
from vvlm_desktop.workflow.calibration import word_for
from vvlm_desktop.workflow.session import load_schema

SCHEMA = load_schema()
TIP = Qt.ItemDataRole.ToolTipRole


def _sureness(row):
    return None if row.confidence is None else word_for(row.confidence)


def made(count: int) -> tuple[ClipTableModel, FakeLists]:
    lists = FakeLists(count)
    model = ClipTableModel(lists, SCHEMA, thumbnails=NoPictures(), sureness=_sureness)
    model.load()
    return model, lists


def cell(model: ClipTableModel, line: int, column: str, role: int = Qt.ItemDataRole.DisplayRole):
    return model.data(model.index(line, INDEX[column]), role)


def test_model_keeps_qt_s_contract(qapp):
    model, _ = made(3)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.load(ClipFilter(text="x"))


def test_only_pages_that_are_looked_at_are_read(qapp):
    model, lists = made(100_000)
    assert model.rowCount() == 100_000
    assert lists.pages_read == []
    assert cell(model, 0, "name") == "clip_100000.mp4"
    assert cell(model, PAGE_ROWS - 1, "name") == f"clip_{100_000 - PAGE_ROWS + 1}.mp4"
    assert len(lists.pages_read) == 1
    cell(model, 99_999, "name")
    assert len(lists.pages_read) == 2


def test_pages_kept_are_bounded_and_the_latest_used_stay(qapp):
    model, lists = made(PAGE_ROWS * (PAGES_KEPT + 2))
    for page in range(PAGES_KEPT):
        model.row(page * PAGE_ROWS)
    model.row(0)
    model.row(PAGES_KEPT * PAGE_ROWS)
    assert len(model._pages) == PAGES_KEPT
    read = len(lists.pages_read)
    model.row(0)
    assert len(lists.pages_read) == read
    model.row(PAGE_ROWS)
    assert len(lists.pages_read) == read + 1


def test_sorting_asks_the_store(qapp):
    model, lists = made(10)
    model.sort(INDEX["duration"], Qt.SortOrder.AscendingOrder)
    assert lists.asked[-1] == ("duration", False)
    assert cell(model, 0, "name") == "clip_0001.mp4"
    assert model.sorted_by == (INDEX["duration"], False)


def test_columns_without_an_order_do_not_sort(qapp):
    model, lists = made(10)
    asked = len(lists.asked)
    model.sort(INDEX["labels"])
    assert len(lists.asked) == asked
    assert not model.can_sort(INDEX["labels"])


def test_essential_orders_exist():
    assert {"name", "status", "event", "duration", "added"} <= {c.sort for c in COLUMNS if c.sort in SORTS}


def test_line_of_a_row_that_is_filtered_out_is_none(qapp):
    model, _ = made(3)
    assert model.line_of(3) == 0
    assert model.line_of(77) is None


def test_a_row_that_is_gone_is_blank_instead_of_another(qapp):
    model, lists = made(5)
    lists.clip_rows = lambda rowids: [row(rowid) for rowid in rowids if rowid != 4]
    assert cell(model, 0, "name") == "clip_0005.mp4"
    assert cell(model, 1, "name") is None
    assert cell(model, 2, "name") == "clip_0003.mp4"


def test_changed_rows_are_read_again_without_a_new_order(qapp, qtbot):
    model, lists = made(5)
    cell(model, 0, "name")
    lists.clip_rows = lambda rowids: [row(rowid, of=clip(rowid, status="reviewed")) for rowid in rowids]
    with qtbot.waitSignal(model.dataChanged):
        model.refresh_rows()
    assert cell(model, 0, "status") == "Reviewed"
    assert len(lists.asked) == 1


def show(qapp, of) -> ClipTableModel:
    lists = FakeLists(1)
    lists.clip_rows = lambda rowids: [of]
    model = ClipTableModel(lists, SCHEMA, thumbnails=NoPictures(), sureness=_sureness)
    model.load()
    return model


def test_analysed_clip_shows_labels_for_people(qapp):
    labels = {
        "event_type": "near_miss",
        "conflict_with": "truck_or_bus",
        "cause_of_risk": ["following_too_close", "late_reaction"],
        "presence_of_rule_violations": [],
        "weather": "rain",
        "caption": "A lorry brakes.",
    }
    model = show(qapp, row(1, labels=labels, confidence=0.6))
    assert cell(model, 0, "event") == "Near miss"
    assert cell(model, 0, "confidence") == "unsure"
    chips = model.chips(model.row(0))
    assert chips[0] == "Truck or bus"
    assert "Rain" in chips
    assert not any("_" in chip for chip in chips)
    assert "A lorry brakes." not in chips


def test_quiet_answers_are_no_chips(qapp):
    labels = {"event_type": "no_incident", "conflict_with": "none", "ego_involved": "no", "weather": "cannot_tell"}
    assert row_words.notable_labels(row(1, labels=labels), SCHEMA) == []


def test_answer_yes_is_named_by_its_field():
    assert row_words.notable_labels(row(1, labels={"ego_involved": "yes"}), SCHEMA) == [
        SCHEMA.field("ego_involved").label
    ]


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (row(1), "not analysed"),
        (row(1, labels={"weather": "rain"}), "not judged"),
        (row(1, of=broken_clip()), ""),
        (row(1, labels={"event_type": "some_older_value"}), "Some older value"),
    ],
)
def test_event_says_why_there_is_none(of, words):
    assert row_words.event_words(of, SCHEMA) == words


def test_who_said_so():
    labels = {"event_type": "collision"}
    assert row_words.source_words(row(1, labels=labels)) == "measured"
    assert row_words.source_words(row(1, labels=labels, source="review", reviewer="Ada")) == "Ada"
    assert row_words.source_words(row(1)) == ""


def test_broken_clip_gives_its_reason_in_full_in_the_tooltip(qapp):
    problem = "The recording was interrupted: the list of its pictures is missing. " * 3
    model = show(qapp, row(1, of=broken_clip(problem=problem)))
    assert cell(model, 0, "problem", TIP) == problem
    assert cell(model, 0, "duration") == ""
    assert cell(model, 0, "name", TIP).startswith("/clips/van/")


def test_clip_that_cannot_be_read_waits_for_no_review(qapp):
    assert cell(show(qapp, row(1, of=broken_clip())), 0, "status") == "Unreadable"
    assert cell(show(qapp, row(1)), 0, "status") == "Needs review"


def test_names_that_are_no_text_are_shown(qapp):
    model = show(qapp, row(1, of=clip(1, path="/clips/caf\udce9 \N{VIDEO CAMERA}.mp4")))
    assert cell(model, 0, "name") == "caf? \N{VIDEO CAMERA}.mp4"


def test_recorded_time_and_camera_come_from_the_name():
    stamped = clip(1, path="/cards/20230204_163814_NF.mp4")
    assert row_words.recorded_words(stamped) == ("4 Feb 2023 16:38", "front camera")
    assert row_words.recorded_words(clip(1)) == ("van", "")


def test_second_camera_of_one_file_is_told_apart():
    assert row_words.picture_words(replace(clip(1), stream_index=1)).endswith("camera 2")
    assert row_words.picture_words(clip(1)) == "1280×720  h264  30 fps"


def test_columns_give_way_in_order_and_share_what_is_left():
    wide = layout(3000)
    assert set(wide) == set(INDEX)
    assert sum(wide.values()) == pytest.approx(3000)
    narrow = layout(1130)
    assert "confidence" not in narrow
    calm = layout(3000, without=frozenset({"problem"}))
    assert "problem" not in calm
    assert sum(calm.values()) == pytest.approx(3000)
    assert {"name", "status", "event", "labels", "duration", "problem"} <= set(layout(100))


def test_same_lines_are_no_reset(qapp, qtbot):
    model, lists = made(5)
    cell(model, 0, "name")
    lists.clip_rows = lambda rowids: [row(rowid, of=clip(rowid, status="reviewed")) for rowid in rowids]
    with qtbot.assertNotEmitted(model.modelReset), qtbot.waitSignal(model.dataChanged):
        assert model.load() is False
    assert cell(model, 0, "status") == "Reviewed"


@pytest.mark.parametrize(("descending", "first"), [(True, 0), (False, 3)])
def test_lines_before_or_after_the_others_are_inserted(qapp, qtbot, descending, first):
    model, lists = made(3)
    model.sort(INDEX["added"], Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    cell(model, 0, "name")
    lists.count = 5
    with qtbot.assertNotEmitted(model.modelReset), qtbot.waitSignal(model.rowsInserted) as caught:
        assert model.load() is False
    assert caught.args[1:] == [first, first + 1]
    names = [cell(model, line, "name") for line in range(5)]
    assert names == [f"clip_{n:04}.mp4" for n in (range(5, 0, -1) if descending else range(1, 6))]


def test_lines_that_went_are_a_reset(qapp):
    model, lists = made(5)
    lists.count = 4
    assert model.load() is True
    assert model.rowCount() == 4


def test_only_the_lines_of_changed_clips_are_read_and_told(qapp):
    model, lists = made(PAGE_ROWS * 3)
    cell(model, 0, "name")
    cell(model, PAGE_ROWS, "name")
    asked: list[list[int]] = []

    def clip_rows(rowids):
        asked.append(list(rowids))
        return [row(rowid, of=clip(rowid, status="reviewed")) for rowid in rowids]

    lists.clip_rows = clip_rows
    told: list[tuple[int, int]] = []
    model.dataChanged.connect(lambda first, last: told.append((first.row(), last.row())))
    top, next_page, unseen = (model.rowid(line) for line in (1, PAGE_ROWS + 1, PAGE_ROWS * 2 + 5))
    model.refresh_clips({clip(number).id for number in (top, next_page, unseen)})
    assert asked == [[top, next_page]]
    assert told == [(1, 1), (PAGE_ROWS + 1, PAGE_ROWS + 1)]
    assert cell(model, 1, "status") == "Reviewed"
    assert cell(model, 0, "status") != "Reviewed"
    model.refresh_clips({clip(unseen).id})
    assert len(asked) == 1


def test_clip_whose_clock_jumps_is_as_long_as_it_plays(qapp):
    jumped = replace(clip(1), frames=300, fps=30.0, duration_s=5010.0)
    model = show(qapp, replace(row(1), clip=jumped))
    assert cell(model, 0, "duration") == "00:10"
    assert cell(model, 0, "duration", TIP) == "00:10; by its clock, which jumps, 1:23:30"
    dropped = replace(jumped, duration_s=25.0)
    assert row_words.length_s(dropped) == 25.0, "frames that were dropped are no jump"
