"""What is stored was on screen, of this clip, as shown; what cannot be opened takes nothing from another clip."""

from __future__ import annotations

import random
import threading

import pytest

from tests import clips
from tests.ui.review.conftest import FIRST_OF_B, NEAR_MISS, an_analysis, review_of, watch
from vvlm_desktop.errors import FrameUnreadableError, StorageFullError
from vvlm_desktop.ui.review import clip_source
from vvlm_desktop.video.reader import FrameReader
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.clip_files import existing_path
from vvlm_desktop.workflow.frame_index import index_of


@pytest.fixture
def slow_reader(monkeypatch):
    """From `hold()` on, files are opened only after `let_go()`."""

    class Slow:
        def __init__(self) -> None:
            self.gate = threading.Event()

        def hold(self) -> None:
            def opened(*args, **kwargs):
                self.gate.wait(10)
                return FrameReader(*args, **kwargs)

            monkeypatch.setattr(clip_source, "FrameReader", opened)

        def let_go(self) -> None:
            self.gate.set()

    made = Slow()
    yield made
    made.let_go()


def forget_next(here) -> None:
    """The clip that comes next is not ready."""
    if here.page.opener._ready is not None:
        here.page.opener._ready.source.close()
        here.page.opener._ready = None


# -- the picture of another clip


def test_the_old_clips_picture_is_not_a_look_at_the_new_one(a_and_b, stage, slow_reader):
    a, b = a_and_b
    here = stage()
    here.open(a.id)
    forget_next(here)
    slow_reader.hold()
    here.page.open_clip(b.id)
    desk = here.page.desk
    assert desk.view.picture is None
    assert desk.transport.frame_number.text() == ""
    for _ in range(3):
        desk.view.repaint()
        here.qtbot.wait(15)
    assert not desk.attention.ready
    assert not here.page.form.accept.isEnabled()
    here.press("Return E")
    assert review_of(here, b.id).verdicts == {}
    slow_reader.let_go()
    here.wait_ready()
    assert desk.view.on_screen.clip_id == b.id


def test_painted_pictures_of_another_clip_count_for_nothing(a_and_b, stage):
    a, b = a_and_b
    here = stage()
    here.open(a.id)
    here.page.open_clip(b.id)
    attention = here.page.desk.attention
    for i in range(90):
        here.page.desk.view.painted.emit(a.id, i)
    assert not attention.window_seen


def test_picture_caption_and_clip_belong_together_whatever_is_done(a_and_b, stage):
    a, b = a_and_b
    here = stage()
    here.open(a.id)
    desk = here.page.desk
    wrong = []

    def check(clip_id: str, i: int) -> None:
        if i < 0:
            return
        number = clips.read_code(desk.view.picture.frame.to_ndarray(format="rgb24"))
        named = (clip_id, i, desk.transport.frame_number.text())
        if named != (here.state.clip.id, number - (FIRST_OF_B if clip_id == b.id else 0), str(i)):
            wrong.append((named, number))

    desk.view.painted.connect(check)
    draw = random.Random(3)
    for _ in range(60):
        chance = draw.random()
        if chance < 0.3:
            desk.playback.play(draw.choice([1, 4]))
        elif chance < 0.6:
            desk.playback.seek(draw.randrange(90))
        elif chance < 0.7:
            desk.step(draw.choice([-1, 1]))
        elif chance < 0.9:
            here.page.open_clip(draw.choice([a.id, b.id]))
        else:
            desk.playback.play(backward=True)
        here.qtbot.wait(draw.choice([0, 1, 5, 12]))
    assert wrong == []


# -- E, I, O


@pytest.fixture
def behind(add_clip, stage, monkeypatch):
    """The page on a clip whose decoder does not come: frame 80 is wanted, another one is on screen."""
    add_clip()
    here = stage()
    here.open()
    source = here.page.desk.playback.source
    assert source.wait_idle(5)
    source._cache.clear()
    monkeypatch.setattr(source._thread, "request", lambda i: None)
    here.press("2")
    here.page.desk.seek(80)
    assert here.page.desk.view.on_screen.frame_index != 80
    return here


def test_evidence_is_refused_while_another_frame_is_on_screen(behind):
    behind.press("E")
    assert behind.stored().review.evidence == {}
    assert "Frame 80 is not on screen yet" in behind.toast


def test_in_and_out_are_refused_while_another_frame_is_on_screen(behind):
    behind.press("I O")
    assert behind.page.desk.marked_frames() is None
    before = behind.stored().review
    behind.page.form.open_field("event_time")
    behind.press("I O")
    assert behind.stored().review == before
    assert "Nothing was stored" in behind.toast


def test_unreadable_frame_proves_nothing(add_clip, stage, monkeypatch):
    add_clip()
    here = stage()
    here.open()

    def refuse(self, i):
        raise FrameUnreadableError(self.path, i, "the picture is damaged")

    walk, approach = FrameReader.walk, FrameReader.approach
    monkeypatch.setattr(FrameReader, "frame", refuse)
    monkeypatch.setattr(FrameReader, "approach", lambda self, i: (s for s in approach(self, i) if s[0] != 80))
    monkeypatch.setattr(FrameReader, "walk", lambda self, start=0: (s for s in walk(self, start) if s[0] != 80))
    desk = here.page.desk
    assert desk.playback.source.wait_idle(5)
    desk.playback.source._cache.clear()
    desk.seek(80)
    here.qtbot.waitUntil(lambda: desk.view.picture is not None and desk.view.picture.frame_index == 80)
    here.press("E")
    assert here.stored().review.evidence == {}
    assert "cannot be shown" in here.toast


# -- clips that cannot be opened


@pytest.mark.parametrize("error", [StorageFullError("The disk is full."), OSError(28, "No space left on device")])
def test_clip_that_cannot_be_opened_shows_nothing_of_the_one_before(a_and_b, stage, monkeypatch, error):
    a, b = a_and_b
    here = stage()
    here.open(a.id)
    forget_next(here)

    def full(*_args):
        raise error

    monkeypatch.setattr("vvlm_desktop.ui.review.open_clip.existing_path", full)
    here.page.open_clip(b.id)
    page, desk = here.page, here.page.desk
    assert (page.state.clip.id, page.acts.state.clip.id, page.form.model.clip_id) == (b.id, b.id, b.id)
    assert desk.view.picture is None
    assert desk.playback.source is None
    assert desk.view._message[0] in str(error)
    here.press("E")
    assert review_of(here, b.id).evidence == {}
    monkeypatch.undo()
    here.page.open_clip(b.id)
    assert desk.playback.source.clip_id == b.id, "asked for again, it is tried again"


def test_next_clip_that_cannot_be_made_ready_disturbs_nobody(a_and_b, stage, monkeypatch):
    a, _ = a_and_b
    here = stage()

    def full(session, clip):
        if clip.id != a.id:
            raise OSError(28, "No space left on device")
        return existing_path(session, clip)

    monkeypatch.setattr("vvlm_desktop.ui.review.open_clip.existing_path", full)
    here.open(a.id)
    here.page._make_next_ready()
    assert here.page.opener.ready_id is None


def test_clip_without_an_index_is_read_beside_the_window(a_and_b, stage, monkeypatch):
    a, b = a_and_b
    here = stage()
    here.open(a.id)
    forget_next(here)
    here.shell.session.library.index_file(b).unlink()
    gate, threads = threading.Event(), []

    def slow(session, clip, **how):
        threads.append(threading.current_thread())
        gate.wait(10)
        return index_of(session, clip, **how)

    monkeypatch.setattr("vvlm_desktop.ui.review.reading.index_of", slow)
    here.page.open_clip(b.id)
    assert here.page.desk.view._message[0] == "Reading the clip…"
    assert here.state.clip.id == b.id
    here.press("Return")
    assert review_of(here, b.id).status == "needs_review", "nothing can be accepted before there is a picture"
    gate.set()
    here.qtbot.waitUntil(lambda: here.page.desk.attention is not None)
    here.wait_ready()
    assert here.page.desk.view.on_screen.clip_id == b.id
    assert len(threads) == 1
    assert threading.main_thread() not in threads


# -- what was shown


def test_enter_on_a_clip_that_changed_meanwhile_stores_nothing_and_asks_for_another_look(add_clip, stage):
    clip = add_clip()
    here = stage()
    here.open()
    review.set_value(here.shell.session, clip.id, "event_type", "collision")
    before = review_of(here, clip.id)
    looked = here.page.desk.attention
    here.press("Return")
    assert review_of(here, clip.id) == before
    assert here.toast == "This clip changed while you looked: look again."
    assert here.state.labels["event_type"] == "collision", "the page shows it now"
    assert here.page.desk.attention is not looked, "looking begins anew"
    here.wait_ready()
    here.press("Return")
    assert review_of(here, clip.id).status == "reviewed"


@pytest.mark.parametrize("keys", ["3", "A", "X", "E", "T"])
def test_every_verb_works_on_what_was_shown(add_clip, stage, keys):
    clip = add_clip()
    here = stage()
    here.open()
    review.set_value(here.shell.session, clip.id, "weather", "fog")
    before = review_of(here, clip.id)
    here.press(keys)
    assert review_of(here, clip.id) == before
    assert "look again" in here.toast


# -- attention follows the reviewer, the answer, the event


def test_another_reviewer_has_seen_nothing_yet(add_clip, stage):
    clip = add_clip()
    here = stage()
    here.open()
    watch(here, 1.0, 1.2, 1.5)
    assert here.page.desk.attention.window_seen
    session = here.shell.session
    session.reviewer = "Bea"
    here.page.on_settings(session.settings)
    assert not here.page.desk.attention.window_seen
    assert not here.page.form.accept.isEnabled()
    here.wait_ready()
    here.press("Return")
    assert {v.how for v in review_of(here, clip.id, "Bea").verdicts.values()} == {"bulk_unseen"}


def test_a_new_answer_asks_for_a_look_at_its_own_event(add_clip, stage):
    clip = add_clip(provenance="measurement")
    here = stage()
    here.open()
    session, desk = here.shell.session, here.page.desk
    later = {**NEAR_MISS, "event_type": "collision", "event_time": {"start_ms": 2500, "end_ms": 2800}}
    new = an_analysis(session, clip, index_of(session, clip), later, confidence={})
    here.shell.announce(session.library.add_analysis(new))
    assert desk.attention.look_at == desk.index.at_time(2.8)
    assert desk.attention.window == (desk.index.at_time(2.5), desk.index.at_time(2.8))
    here.press("Return")
    assert review_of(here, clip.id).verdicts == {}
    here.wait_ready()
    assert desk.view.on_screen.frame_index == desk.attention.look_at, "the player went there by itself"


def test_a_new_answer_does_not_move_what_the_reviewer_is_looking_at(add_clip, stage):
    clip = add_clip(provenance="measurement")
    here = stage()
    here.open()
    watch(here, 0.4)
    session, desk = here.shell.session, here.page.desk
    later = {**NEAR_MISS, "event_time": {"start_ms": 2500, "end_ms": 2800}}
    here.shell.announce(
        session.library.add_analysis(an_analysis(session, clip, index_of(session, clip), later, confidence={}))
    )
    assert desk.playback.position == desk.index.at_time(0.4)
    here.press("Return")
    assert "Look at the event first" in here.toast


def test_an_event_moved_by_the_reviewer_keeps_what_was_looked_at(add_clip, stage):
    add_clip()
    here = stage()
    here.open()
    desk = here.page.desk
    here.page.form.open_field("event_time")
    watch(here, 0.5, 1.0)
    here.press("O")
    watch(here, 0.5)
    here.press("I")
    assert desk.attention.window == (desk.index.at_time(0.5), desk.index.at_time(1.0))
    assert desk.attention.window_seen
    assert desk.attention.look_at == desk.index.at_time(1.0)
