"""Attention, shuttle, digits, go-to, the order of the queue, words of the history."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

from tests import clips
from vvlm_desktop.domain.review import Event
from vvlm_desktop.ui.review.form.written import changes_html
from vvlm_desktop.ui.review.go_to import find_frame
from vvlm_desktop.ui.review.headline import headline_model
from vvlm_desktop.ui.review.history_tab import event_words
from vvlm_desktop.ui.review.keys import RawKeys, digit_of, shuttle_key
from vvlm_desktop.ui.review.queue import QueueDesk
from vvlm_desktop.ui.review.queue_list import ITEM_ROLE, QueueItem, QueueModel
from vvlm_desktop.ui.review.seen import LOOK_S, Attention
from vvlm_desktop.ui.review.shuttle import Shuttle
from vvlm_desktop.ui.review.times import clock_text, span_text
from vvlm_desktop.video.index import FrameIndex, read_index
from vvlm_desktop.workflow.review import accept_rest, open_review


@pytest.fixture(scope="module")
def index() -> FrameIndex:
    return read_index(clips.clip("h264_bframes.mp4"))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


# -- attention


def test_event_frame_has_to_stand_for_three_tenths_of_a_second_in_all(index, monkeypatch):
    monkeypatch.setattr("vvlm_desktop.ui.review.seen.LOOK_S", LOOK_S)
    clock = Clock()
    attention = Attention(index, look_at=45, window=(40, 45), clock=clock)
    attention.painted(45)
    clock.now = 0.2
    attention.painted(46)
    clock.now = 5.0
    assert not attention.ready, "time on another frame does not count"
    attention.painted(45)
    clock.now = 5.11
    assert attention.ready


def test_window_is_seen_when_something_of_every_half_second_was(index):
    attention = Attention(index, look_at=45, window=(0, 60), clock=Clock())
    for i in (1, 16, 31, 46):
        attention.painted(i)
    assert not attention.window_seen
    attention.painted(60)
    assert attention.window_seen


def test_unreadable_event_frame_does_not_lock_enter(index):
    attention = Attention(index, look_at=45, window=(45, 45), clock=Clock())
    attention.told(45)
    assert attention.ready
    assert not attention.window_seen


# -- shuttle


class Played:
    """A playback that only notes its orders."""

    def __init__(self) -> None:
        self.orders: list[str] = []
        self.playing = self.backward = False
        self.rate = 1.0

    def play(self, rate: float, *, backward: bool = False) -> None:
        self.playing, self.backward, self.rate = True, backward, rate
        self.orders.append(f"{'back' if backward else 'on'} {rate:g}")

    def pause(self) -> None:
        self.playing = False
        self.orders.append("pause")

    def step(self, frames: int) -> None:
        self.orders.append(f"step {frames}")

    def set_rate(self, rate: float) -> None:
        self.rate = rate


@pytest.fixture
def shuttle(qapp):
    from PySide6.QtCore import QObject

    parent = QObject()
    played = Played()
    return Shuttle(played, parent), played, parent


def tap(shuttle: Shuttle, *keys: str) -> None:
    for key in keys:
        shuttle.press(key)
        shuttle.release(key)


def test_l_again_is_faster_and_j_turns_round(shuttle):
    desk, played, _ = shuttle
    tap(desk, "L", "L", "L", "L", "J")
    assert played.orders == ["on 1", "on 2", "on 4", "on 4", "back 1"]


def test_k_held_makes_single_frames(shuttle):
    desk, played, _ = shuttle
    desk.press("K")
    tap(desk, "L", "L", "J")
    desk.release("K")
    assert played.orders == ["pause", "step 1", "step 1", "step -1"]


def test_k_and_l_held_play_slowly_until_one_is_let_go(shuttle, qtbot):
    desk, played, _ = shuttle
    desk.press("K")
    desk.press("L")
    qtbot.waitUntil(lambda: played.playing)
    assert played.orders[-1] == "on 0.25"
    desk.release("L")
    assert not played.playing
    assert played.rate == 1.0


def test_losing_the_keyboard_ends_slow_playing(shuttle, qtbot):
    desk, played, _ = shuttle
    desk.press("K")
    desk.press("J")
    qtbot.waitUntil(lambda: played.playing)
    desk.let_go()
    assert not played.playing


# -- keys


def key(code: Qt.Key, *, text: str = "", scan: int = 0, modifiers=Qt.KeyboardModifier.NoModifier) -> QKeyEvent:
    return QKeyEvent(QEvent.Type.KeyPress, code, modifiers, scan, 0, 0, text)


def test_digits_of_the_number_pad_and_of_layouts_that_want_shift():
    assert digit_of(key(Qt.Key.Key_3, modifiers=Qt.KeyboardModifier.KeypadModifier)) == 3
    assert digit_of(key(Qt.Key.Key_3, modifiers=Qt.KeyboardModifier.ShiftModifier)) == 3
    assert digit_of(key(Qt.Key.Key_3, modifiers=Qt.KeyboardModifier.ControlModifier)) is None


def test_digits_go_by_their_place_where_the_layout_writes_something_else(monkeypatch):
    monkeypatch.setattr("vvlm_desktop.ui.review.keys._FIRST_DIGIT", 10)
    assert digit_of(key(Qt.Key.Key_Ampersand, text="&", scan=10)) == 1
    assert digit_of(key(Qt.Key.Key_Agrave, text="à", scan=19)) == 0
    assert digit_of(key(Qt.Key.Key_Q, text="q", scan=24)) is None


def test_shuttle_keys_only_without_modifiers():
    assert shuttle_key(key(Qt.Key.Key_J)) == "J"
    assert shuttle_key(key(Qt.Key.Key_K, modifiers=Qt.KeyboardModifier.ControlModifier)) is None


class Heard:
    def __init__(self) -> None:
        self.digits: list[int] = []
        self.shuttled: list[str] = []

    def press(self, key: str) -> None:
        self.shuttled.append(f"{key} down")

    def release(self, key: str) -> None:
        self.shuttled.append(f"{key} up")

    def let_go(self) -> None:
        self.shuttled.append("let go")


@pytest.fixture
def raw_keys(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    heard = Heard()
    keys = RawKeys(shuttle=heard, on_digit=heard.digits.append, on_field=lambda n: None, parent=window)
    keys.listen(window)

    def send(kind: QEvent.Type, code: Qt.Key, at_ms: int) -> QKeyEvent:
        event = QKeyEvent(kind, code, Qt.KeyboardModifier.NoModifier)
        event.setTimestamp(at_ms)
        event.setAccepted(False)
        QApplication.sendEvent(window, event)
        return event

    return heard, send


def test_held_enter_is_kept_from_the_shortcut_where_the_x_server_hides_the_repeat(raw_keys):
    _, send = raw_keys
    override, up = QEvent.Type.ShortcutOverride, QEvent.Type.KeyRelease
    assert not send(override, Qt.Key.Key_Return, 1000).isAccepted(), "the first one is the shortcut's"
    send(up, Qt.Key.Key_Return, 1600)
    assert send(override, Qt.Key.Key_Return, 1600).isAccepted(), "the same moment: still held"
    send(up, Qt.Key.Key_Return, 1640)
    assert not send(override, Qt.Key.Key_Return, 1800).isAccepted(), "pressed again"


def test_held_digit_chooses_once(raw_keys):
    heard, send = raw_keys
    send(QEvent.Type.KeyPress, Qt.Key.Key_3, 1000)
    for at_ms in (1600, 1640):
        send(QEvent.Type.KeyRelease, Qt.Key.Key_3, at_ms)
        send(QEvent.Type.KeyPress, Qt.Key.Key_3, at_ms)
    assert heard.digits == [3]


def test_held_shuttle_key_comes_up_once(raw_keys, qtbot):
    heard, send = raw_keys
    send(QEvent.Type.KeyPress, Qt.Key.Key_K, 1000)
    for at_ms in (1600, 1640):
        send(QEvent.Type.KeyRelease, Qt.Key.Key_K, at_ms)
        send(QEvent.Type.KeyPress, Qt.Key.Key_K, at_ms)
    send(QEvent.Type.KeyRelease, Qt.Key.Key_K, 1700)
    qtbot.waitUntil(lambda: heard.shuttled == ["K down", "K up"])


# -- go to


@pytest.mark.parametrize(
    ("typed", "frame"),
    [("45", 45), ("f45", 45), ("1.5", 45), ("0:01.50", 45), ("00:01", 30), ("900", None), ("soon", None), ("", None)],
)
def test_what_was_typed_is_a_frame_or_a_time(index, typed, frame):
    assert find_frame(index, typed) == frame


def test_pts_is_found_exactly_or_not_at_all(index):
    assert find_frame(index, f"p{index.pts[7]}") == 7
    assert find_frame(index, f"PTS {index.pts[7]}") == 7
    assert find_frame(index, f"p{index.pts[7] + 1}") is None


# -- the queue


def test_queue_loads_pages_and_no_more():
    asked: list[int] = []

    def load(start: int, count: int) -> list[QueueItem]:
        asked.append(start)
        return [QueueItem(f"c{i}", f"clip {i}", "") for i in range(start, start + count)]

    model = QueueModel(load)
    model.reset(100_000)
    assert model.rowCount() == 100_000
    assert model.index(99_999).data(ITEM_ROLE).clip_id == "c99999"
    for row in range(40):
        assert model.index(row).data(ITEM_ROLE).clip_id == f"c{row}"
    assert asked == [99_950, 0]


def test_queue_goes_on_from_the_top_and_counts_what_is_done(session, add_clip):
    ids = [add_clip(name).id for name in ("h264_bframes.mp4", "h264_gop250.mp4", "h264_vfr.mp4")]
    queue = QueueDesk(session)
    first = queue.next_id(None)
    second = queue.next_id(first)
    third = queue.next_id(second)
    assert {first, second, third} == set(ids)
    assert queue.next_id(third) == first, "from the top again"
    accept_rest(session, first, window_seen=True)
    assert queue.next_id(third) == second
    assert queue.progress() == (1, 3)
    assert [item.clip_id for item in queue.items(0, 10)] == [first, second, third], "finished ones stay in place"
    assert queue.items(0, 1)[0].mark == "check"


def test_queue_says_why_a_clip_is_in_it(session, add_clip):
    add_clip(candidates=[(0.5, 0.7, "jolt of 1.2 g")])
    (item,) = QueueDesk(session).items(0, 10)
    assert item.reason == "Near miss · jolt"
    assert item.mark == "half"


def test_queue_and_headline_tell_a_second_camera_of_a_file(session, add_clip):
    front = add_clip()
    rear = session.library.add_clip(replace(front, id="b" * 16, stream_index=1)).clip
    assert sorted(item.name for item in QueueDesk(session).items(0, 10)) == ["h264_bframes", "h264_bframes, camera 2"]
    words = headline_model(session.schema, open_review(session, rear.id)).rest
    assert words.endswith("h264_bframes.mp4, camera 2")


# -- words


def test_times():
    assert clock_text(7.84) == "00:07.84"
    assert span_text(7.84, 8.31) == "00:07.84–00:08.31"
    assert span_text(7.84, 7.84) == "00:07.84"


def test_changes_are_shown_word_by_word_and_nothing_is_markup():
    shown = changes_html("A <b>car</b> brakes slightly.", "A <b>car</b> brakes hard.")
    assert "<b>" not in shown
    assert "<s" in shown
    assert "hard." in shown


def test_erased_event_says_so(session):
    event = Event("o", 1, "verdict", "2026-11-21T12:00:00.000Z", 1, "a", None, "h")
    assert "Erased" in event_words(session.schema, event)
