"""A clip whose index is wanted by several at once is read once; all hear how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import clips
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import JobCancelledError
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.video.probe import ExamineProgress, examine
from vvlm_desktop.workflow import frame_index, reading_once
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.frame_index import index_of
from vvlm_desktop.workflow.session import Session


class Slow:
    """Examines when it is let go on."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Semaphore(0), threading.Event()
        self.read = 0

    def __call__(
        self,
        path: Path,
        *,
        stream_index: int,
        cancel: Callable[[], bool] | None,
        progress: Callable[[ExamineProgress], None],
    ) -> FrameIndex:
        self.read += 1
        self.begun.release()
        while not self.go_on.wait(0.005):
            if cancel is not None and cancel():
                raise JobCancelledError("stopped")
        progress(ExamineProgress(0.5))
        return examine(path, stream_index=stream_index)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    made = Slow()
    monkeypatch.setattr(frame_index, "examine", made)
    monkeypatch.setattr(reading_once, "_LOOK_EVERY_S", 0.005)
    return made


@pytest.fixture
def clip(session: Session) -> Clip:
    """A clip whose index is gone."""
    added = add_paths(session, [clips.clip("h264_bframes.mp4")]).items[0].clip
    assert added is not None
    session.library.index_file(added).unlink()
    return added


@pytest.fixture
def threads(slow: Slow) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool
        slow.go_on.set()


def wait_for_users(wanted: int) -> None:
    waited = threading.Event()
    for _ in range(2000):
        if sum(each.users for each in reading_once._readings.values()) == wanted:
            return
        waited.wait(0.005)
    pytest.fail(f"{wanted} never came")


def test_it_is_read_once_and_everyone_hears_how_far_it_is(
    session: Session, clip: Clip, slow: Slow, threads: ThreadPoolExecutor
) -> None:
    heard: list[list[ExamineProgress]] = [[], [], []]
    asked = [threads.submit(index_of, session, clip, progress=each.append) for each in heard]
    wait_for_users(3)
    slow.go_on.set()
    first, *others = [each.result(10) for each in asked]
    assert all(each == first for each in others)
    assert slow.read == 1
    assert heard == [[ExamineProgress(0.5)]] * 3
    assert reading_once._readings == {}, "nothing is kept of it"


def test_who_gives_up_hands_over_and_who_waits_can_give_up(
    session: Session, clip: Clip, slow: Slow, threads: ThreadPoolExecutor
) -> None:
    stop: list[threading.Event] = [threading.Event() for _ in range(3)]
    asked: list[Future[FrameIndex]] = []
    for number, each in enumerate(stop, start=1):
        asked.append(threads.submit(index_of, session, clip, cancelled=each.is_set))
        wait_for_users(number)
        assert number > 1 or slow.begun.acquire(timeout=10), "the first one reads"
    stop[1].set()
    with pytest.raises(JobCancelledError):
        asked[1].result(10)
    assert slow.read == 1, "one that waits stops nobody else"
    stop[0].set()
    with pytest.raises(JobCancelledError):
        asked[0].result(10)
    assert slow.begun.acquire(timeout=10), "the one that is left reads"
    slow.go_on.set()
    assert len(asked[2].result(10)) == clip.frames
    assert slow.read == 2
