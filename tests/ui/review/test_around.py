"""What goes on around the open clip: rules, batches, clips that come, names, full screen."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from tests.ui.review.conftest import NEAR_MISS, an_analysis, review_of, watch
from tests.ui.review.test_page import CALM
from vvlm_desktop.domain.review import Change
from vvlm_desktop.ui.review.queue import QueueDesk
from vvlm_desktop.ui.review.queue_list import QueueItem, QueueModel
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.frame_index import index_of

# -- rules


def test_broken_rules_are_shown_under_the_event(add_clip, stage):
    add_clip(labels={**CALM, "road_surface": "dry"})
    here = stage()
    here.open()
    note = here.page.form.rule_note
    assert note.isVisible()
    assert "dry" in note.sentences.text()
    here.page.form.open_field("road_surface")
    here.press("2")
    assert note.isHidden()


def test_enter_on_a_settled_clip_asks_when_a_correction_broke_a_rule(add_clip, stage):
    clip = add_clip(labels=CALM)
    add_clip("h264_gop250.mp4", labels=CALM)
    here = stage()
    here.open(clip.id)
    here.press("Return")
    here.page.open_clip(clip.id)
    here.wait_ready()
    here.page.form.open_field("road_surface")
    here.press("1")
    assert here.page.form.rule_note.isVisible()
    here.press("Return")
    assert here.state.clip.id == clip.id
    assert not here.page.form.rule_bar.isHidden()
    here.press("Return")
    assert here.state.clip.id != clip.id


def test_enter_with_the_event_seen_makes_an_unseen_enter_good(add_clip, stage):
    clip = add_clip()
    add_clip("h264_gop250.mp4")
    here = stage()
    here.open(clip.id)
    here.press("Return")
    assert {v.how for v in review_of(here, clip.id).verdicts.values()} == {"bulk_unseen"}
    here.page.open_clip(clip.id)
    here.wait_ready()
    watch(here, 1.0, 1.2, 1.5)
    here.press("Return")
    assert {v.how for v in review_of(here, clip.id).verdicts.values()} == {"bulk"}
    assert here.state.clip.id != clip.id


# -- changes elsewhere


@pytest.fixture
def counted(monkeypatch):
    """How often the queue was read, and the model reset."""
    counts = {"read": 0, "reset": 0}
    refresh, reset = QueueDesk.refresh, QueueModel.reset

    def read(self, *, current):
        counts["read"] += 1
        return refresh(self, current=current)

    def again(self, count):
        counts["reset"] += 1
        reset(self, count)

    monkeypatch.setattr(QueueDesk, "refresh", read)
    monkeypatch.setattr(QueueModel, "reset", again)
    return counts


ELSEWHERE = Change(clip_ids=("x",), what=frozenset({"analyses"}))


def test_a_batch_is_followed_once_for_many_clips(add_clip, stage, counted):
    add_clip()
    here = stage()
    here.open()
    counted.update(read=0, reset=0)
    here.page.queue_side._again.setInterval(30)
    for _ in range(50):
        here.page.on_change(ELSEWHERE)
    assert counted == {"read": 0, "reset": 0}
    with here.qtbot.waitSignal(here.page.queue_side.caught_up):
        pass
    assert counted == {"read": 1, "reset": 0}, "read once; nothing moved, so nothing is set up anew"


def test_the_queue_is_not_read_while_a_clip_plays(add_clip, stage, counted, monkeypatch):
    add_clip()
    here = stage()
    here.open()
    counted.update(read=0, reset=0)
    monkeypatch.setattr("vvlm_desktop.ui.review.queue_side._PATIENCE", 1)
    here.page.queue_side._again.setInterval(1)
    here.page.desk.loop()
    assert here.page.desk.playback.playing
    here.page.on_change(ELSEWHERE)
    here.page.queue_side._on_again()
    assert counted["read"] == 0
    with here.qtbot.waitSignal(here.page.queue_side.caught_up):
        pass
    assert counted["read"] == 1, "but not put off for ever"


def test_clips_that_came_at_the_last_moment_are_found_at_the_end_of_the_queue(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    late = add_clip("h264_gop250.mp4")
    here.press("Return")
    assert here.state.clip.id == late.id


def test_a_hidden_page_does_nothing_until_it_is_shown(add_clip, stage, counted):
    clip = add_clip()
    here = stage()
    here.open()
    here.page.deactivate()
    here.page.hide()
    counted.update(read=0, reset=0)
    add_clip("h264_gop250.mp4")
    review.set_value(here.shell.session, clip.id, "event_type", "collision")
    here.page.on_change(Change(clip_ids=(clip.id,), what=frozenset({"clips", "analyses", "review"})))
    here.qtbot.wait(1)
    assert counted == {"read": 0, "reset": 0}
    assert here.state.labels["event_type"] == "near_miss"
    here.page.show()
    here.page.activate()
    assert here.state.labels["event_type"] == "collision"
    assert here.page.queue_side.model.rowCount() == 2


def test_the_open_clip_is_shown_anew_at_once(add_clip, stage, counted):
    clip = add_clip(labels=None)
    here = stage()
    here.open()
    session = here.shell.session
    here.shell.announce(
        session.library.add_analysis(an_analysis(session, clip, index_of(session, clip), NEAR_MISS, confidence={}))
    )
    assert here.state.labels["event_type"] == "near_miss"


def test_setting_the_open_row_asks_for_few_rows_of_a_long_queue(qtbot):
    from vvlm_desktop.ui.review.queue_list import QueueList

    asked = []

    class Model(QueueModel):
        def rowCount(self, *args):
            asked.append(1)
            return super().rowCount(*args)

    model = Model(lambda start, n: [QueueItem(f"c{i}", f"clip {i}", "") for i in range(start, start + n)])
    view = QueueList(model)
    qtbot.addWidget(view)
    view.resize(240, 600)
    view.show()
    model.reset(100_000)
    view.select(60_000)
    view.grab()
    assert len(asked) < 2_000
    row = view.view.currentIndex().row()
    assert row == 60_000
    assert view.view.visualRect(view.view.currentIndex()).intersects(view.view.viewport().rect())


# -- new clips, names, keys


def test_new_clips_do_not_pull_a_working_reviewer_away(a_and_b, stage):
    a, b = a_and_b
    here = stage()
    here.open(a.id)
    news = Change(clip_ids=(b.id,), what=frozenset({"clips", "analyses"}))
    here.press("Right")
    here.page.on_change(news)
    here.page.activate(b.id)
    assert here.state.clip.id == a.id
    here.qtbot.wait(1)
    here.page.activate(b.id)
    assert here.state.clip.id == b.id, "chosen by the reviewer, it opens"


def test_new_clips_open_where_nobody_is_at_work(a_and_b, stage):
    a, b = a_and_b
    here = stage()
    here.open(a.id)
    here.page.on_change(Change(clip_ids=(b.id,), what=frozenset({"clips", "analyses"})))
    here.page.activate(b.id)
    assert here.state.clip.id == b.id


def test_names_of_files_are_no_markup_in_tooltips():
    model = QueueModel(lambda start, n: [QueueItem("c", "<img src=x>", "")])
    model.reset(1)
    tip = model.index(0).data(Qt.ItemDataRole.ToolTipRole)
    assert "<img" not in tip
    assert "&lt;img src=x&gt;" in tip


def test_another_page_is_not_shown_in_full_screen(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    here.press("F")
    here.page.deactivate()
    assert here.shell.surroundings is True
    assert not here.page.arrangement.alone


def test_a_question_is_asked_where_it_can_be_seen(add_clip, stage):
    add_clip(labels={**CALM, "road_surface": "dry"})
    here = stage()
    here.open()
    here.press("F Return")
    assert here.shell.surroundings is True
    assert here.page.form.rule_bar.isVisible()
