"""A session with generated clips and answers, and a page that stands in a window of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from tests import clips
from vvlm_desktop.domain.analysis import Analysis, EventCandidate
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.review import Change, Review
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.actions import Action, ActionRegistry
from vvlm_desktop.ui.asked import Pending
from vvlm_desktop.ui.review.page import ReviewPage
from vvlm_desktop.ui.tasks import Tasks
from vvlm_desktop.ui.widgets.focus_keys import FocusKeys
from vvlm_desktop.video.index import FrameIndex
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.frame_index import index_of
from vvlm_desktop.workflow.review import ReviewState, open_review
from vvlm_desktop.workflow.session import Session, open_session

NEAR_MISS = {
    "event_type": "near_miss",
    "event_time": {"start_ms": 1000, "end_ms": 1500},
    "severity": "high",
    "ego_involved": "yes",
    "conflict_with": "car",
    "conflict_type": "sideswipe",
    "initiated_by": "other",
    "cause_of_risk": ["risky_maneuver"],
    "presence_of_rule_violations": [],
    "violation_by": [],
    "weather": "clear",
    "road_surface": "dry",
    "caption": "A car cuts in. Ego brakes slightly.",
}


#: The number in the first picture of the second clip of `a_and_b`.
FIRST_OF_B = 500


@pytest.fixture(autouse=True)
def look_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enter is free after 30 ms instead of 300, so that the tests are quick; one test measures the real time."""
    monkeypatch.setattr("vvlm_desktop.ui.review.seen.LOOK_S", 0.03)


@pytest.fixture
def settings() -> Settings:
    """Settings of the session; a test module overrides the fixture for others."""
    return Settings(autoplay="paused", reviewer="Ann", frame_cache_mb=64)


@pytest.fixture
def session(tmp_path: Path, settings: Settings) -> Iterator[Session]:
    with open_session(settings, library_dir=tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def add_clip(session: Session) -> Callable[..., Clip]:
    """Add a generated clip, with an answer unless `labels` is None."""

    def add(
        name: str = "h264_bframes.mp4",
        labels: Mapping[str, Any] | None = NEAR_MISS,
        *,
        confidence: Mapping[str, float] | None = None,
        provenance: str = "model",
        candidates: Sequence[tuple[float, float, str]] = (),
        is_sample: bool = False,
        path: Path | None = None,
        attention: float | None = None,
    ) -> Clip:
        clip = add_paths(session, [path or clips.clip(name)], is_sample=is_sample).items[0].clip
        assert clip is not None
        if labels is not None:
            index = index_of(session, clip)
            answer = an_analysis(
                session, clip, index, labels, confidence=confidence or {}, provenance=provenance, candidates=candidates
            )
            session.library.add_analysis(answer)
        return session.library.clip(clip.id)

    return add


def an_analysis(
    session: Session,
    clip: Clip,
    index: FrameIndex,
    labels: Mapping[str, Any],
    *,
    confidence: Mapping[str, float],
    provenance: str = "model",
    candidates: Sequence[tuple[float, float, str]] = (),
) -> Analysis:
    found = tuple(
        EventCandidate(
            "jolt",
            index.pts[index.at_time(start)],
            index.pts[index.at_time(end)],
            round(start * 1000),
            round(end * 1000),
            0.9 - number / 10,
            reason,
        )
        for number, (start, end, reason) in enumerate(candidates)
    )
    return Analysis(
        id=f"{clip.id}-{provenance}",
        clip_id=clip.id,
        backend="test",
        model="test-model",
        adapter=None,
        created_at="2026-11-21T12:00:00.000Z",
        schema_key=session.schema.key,
        schema_labels_sha=session.schema.labels_sha,
        schema_wording_sha=session.schema.wording_sha,
        prompt_sha=None,
        provenance=provenance,
        labels=dict(labels),
        confidence={**dict.fromkeys(labels, 0.9), "event_type": 0.6, **confidence},
        confidence_kind="token_probability",
        frames_pts=index.pts[::10],
        raw_text=json.dumps(dict(labels)),
        candidates=found,
        attention=None,
    )


class FakeQuestions(QObject):
    """Questions that nobody answers until a test does."""

    changed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.pending: list[Pending] = []

    def of_clip(self, clip_id: str) -> tuple[Pending, ...]:
        return tuple(each for each in self.pending if each.clip.id == clip_id)

    def ask(self, clip: Clip, question: str, *, range_ms: tuple[int, int] | None = None) -> Pending:
        asked = Pending(clip, question, range_ms, by="a-model")
        self.pending.append(asked)
        self.changed.emit(clip.id)
        return asked

    def ask_again(self, pending: Pending) -> None:
        self.forget(pending)
        self.ask(pending.clip, pending.question, range_ms=pending.range_ms)

    def forget(self, pending: Pending) -> None:
        self.pending.remove(pending)
        self.changed.emit(pending.clip.id)


class Shell:
    """The window as the page sees it; remembers what was asked of it."""

    def __init__(self, session: Session, window: QWidget) -> None:
        self.session = session
        self.registry = ActionRegistry(window)
        self.triggered: list[str] = []
        for action in ("clips.export", "clips.add_folder"):
            self.registry.add([Action(action, action, lambda action=action: self.triggered.append(action))])
        self.tasks = Tasks(window)
        self.page: ReviewPage | None = None
        self.problems: list[Any] = []
        self.changes: list[Change] = []
        self.analysed: list[str] = []
        self.places: list[tuple[str, str | None]] = []
        self.questions = FakeQuestions()
        self.samples = 0

    def navigate(self, page_id: str, clip_id: str | None = None) -> None:
        self.places.append((page_id, clip_id))

    def report(self, problem: Any) -> None:
        self.problems.append(problem)

    def announce(self, change: Change) -> None:
        self.changes.append(change)
        if self.page is not None:
            self.page.on_change(change)

    def change_settings(self, settings: Settings) -> bool:
        return True

    def add_paths(self, paths: Sequence[Path]) -> None: ...

    def add_samples(self) -> None:
        self.samples += 1

    def analyse(self, clips: Sequence[Clip], *, choice: object = None) -> None:
        self.analysed += [clip.id for clip in clips]

    def analyse_with(self, clips: Sequence[Clip]) -> None:
        self.chosen_for = [clip.id for clip in clips]

    def show_surroundings(self, visible: bool) -> None:
        self.surroundings = visible

    def show_keys(self) -> None: ...


class Stage:
    """The page in its window, and what a test wants to know of it."""

    def __init__(self, qtbot, qapp, session: Session) -> None:
        self.qtbot = qtbot
        self.window = QWidget()
        self.window.resize(1400, 860)
        self.shell = Shell(session, self.window)
        self.focus_keys = FocusKeys(qapp, self.window)
        self.page = ReviewPage(self.shell)
        self.page.setParent(self.window)
        self.page.setGeometry(0, 0, 1400, 860)
        self.shell.page = self.page
        self.shell.registry.add(self.page.actions_here())
        self.shell.registry.show_page("review")
        qtbot.addWidget(self.window)
        self.window.show()
        self.window.activateWindow()
        qtbot.waitUntil(lambda: qapp.activeWindow() is self.window)

    def open(self, clip_id: str | None = None, *, ready: bool = True) -> None:
        self.page.activate(clip_id)
        self.page.setFocus()
        if ready:
            self.wait_ready()

    def wait_ready(self) -> None:
        attention = self.page.desk.attention
        assert attention is not None
        self.qtbot.waitUntil(lambda: attention.ready and self.page.form.accept.isEnabled())

    def press(self, keys: str) -> None:
        """Keys one after the other, such as "2 E Return" or "Ctrl+Z"."""
        from PySide6.QtCore import Qt
        from PySide6.QtGui import QKeySequence
        from PySide6.QtTest import QTest
        from PySide6.QtWidgets import QApplication

        for key in keys.split():
            combination = QKeySequence(key)[0]
            target = QApplication.focusWidget() or self.window
            modifiers = combination.keyboardModifiers()
            QTest.keyClick(target, combination.key(), modifiers)
            if modifiers & Qt.KeyboardModifier.AltModifier:
                continue

    @property
    def state(self) -> ReviewState:
        assert self.page.state is not None
        return self.page.state

    def stored(self) -> ReviewState:
        """The open clip as it is in the library."""
        return open_review(self.shell.session, self.state.clip.id)

    @property
    def toast(self) -> str:
        toast = self.page.desk.toast
        return "" if toast.isHidden() else toast.words.text()

    def close(self) -> None:
        self.page.close_page()


@pytest.fixture
def stage(qtbot, qapp, session: Session) -> Iterator[Callable[[], Stage]]:
    """Build the page on the session as it now is."""
    made: list[Stage] = []

    def make() -> Stage:
        made.append(Stage(qtbot, qapp, session))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="session")
def second_clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "second.mp4"
    return clips.make_clip(
        path, numbers=range(FIRST_OF_B, FIRST_OF_B + 90), times_s=[Fraction(i, 30) for i in range(90)]
    )


@pytest.fixture
def a_and_b(add_clip, tmp_path, second_clip):
    """Two clips of the same shape whose pictures carry other numbers; the second one's file is the test's own."""
    path = Path(shutil.copyfile(second_clip, tmp_path / "second.mp4"))
    return add_clip(attention=0.9), add_clip(path=path)


def review_of(here: Stage, clip_id: str, reviewer: str = "Ann") -> Review:
    """A review as it is stored."""
    session = here.shell.session
    return session.library.review(clip_id, reviewer=reviewer, schema_key=session.schema.key)


def watch(here: Stage, *seconds: float) -> None:
    """Go to each of these moments and have its frame on screen."""
    desk = here.page.desk
    for at in seconds:
        desk.seek(desk.index.at_time(at))
        wanted = desk.playback.position
        here.qtbot.waitUntil(
            lambda wanted=wanted: desk.view.on_screen is not None and desk.view.on_screen.frame_index == wanted
        )
