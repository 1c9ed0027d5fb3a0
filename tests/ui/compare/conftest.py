"""A library with clips that two models have answered about, and the page in a window of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QHBoxLayout, QWidget

from tests import clips as generated
from tests.ui.builders import FakeShell
from vvlm_desktop.domain.analysis import Analysis
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.fold import verdict_to_json
from vvlm_desktop.domain.review import NewEvent, Verdict
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.actions import Action
from vvlm_desktop.ui.compare.page import ComparePage
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.frame_index import index_of
from vvlm_desktop.workflow.session import Session, open_session

NEAR_MISS = {
    "event_type": "near_miss",
    "event_time": {"start_ms": 1000, "end_ms": 1500},
    "conflict_with": "car",
    "cause_of_risk": ["late_reaction"],
    "weather": "clear",
    "caption": "A car cuts in.",
}


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    settings = Settings(reviewer="Ann", frame_cache_mb=64)
    with open_session(settings, library_dir=tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def put_clip(session: Session) -> Callable[..., Clip]:
    """A clip that nobody can play, unless a generated file is named."""

    def put(name: str, *, file: str | None = None) -> Clip:
        if file is not None:
            clip = add_paths(session, [generated.clip(file)]).items[0].clip
            assert clip is not None
            return clip
        sha256 = hashlib.sha256(name.encode()).hexdigest()
        clip = Clip(
            id=sha256[:16],
            path=f"/clips/{name}",
            sha256=sha256,
            stream_index=0,
            size_bytes=1000,
            frames=250,
            duration_s=10.0,
            fps=25.0,
            width=1280,
            height=720,
            codec="h264",
            has_audio=False,
            keyframes=9,
            status="needs_review",
            problem=None,
            recording=name,
            added_at="2026-01-01T00:00:00.000Z",
        )
        return session.library.add_clip(clip).clip

    return put


@pytest.fixture
def answer(session: Session) -> Callable[..., Analysis]:
    """An answer of the model M, with an adapter where one is named."""
    made = 0

    def put(clip: Clip, *, adapter: str | None = None, **changes) -> Analysis:
        nonlocal made
        made += 1
        labels = {**NEAR_MISS, **changes.pop("labels", {})}
        base = Analysis(
            id=f"a{made}",
            clip_id=clip.id,
            backend="local",
            model="M",
            adapter=adapter,
            created_at="2026-01-02T03:05:00.000Z",
            schema_key=session.schema.key,
            schema_labels_sha=session.schema.labels_sha,
            schema_wording_sha=session.schema.wording_sha,
            prompt_sha="p",
            provenance="model",
            labels={key: value for key, value in labels.items() if value != "–"},
            confidence=dict.fromkeys(labels, 0.9),
            confidence_kind="token_probability",
            frames_pts=(0, 512, 1024),
            raw_text="{}",
            settings={"precision": "bf16", "frames": 3},
        )
        analysis = replace(base, **changes)
        session.library.add_analysis(analysis)
        return analysis

    return put


@pytest.fixture
def settle(session: Session) -> Callable[..., None]:
    """A settled review: field → (verdict, value, how)."""

    def put(clip: Clip, **verdicts) -> None:
        events = []
        for field, (kind, value, how) in verdicts.items():
            after = verdict_to_json(Verdict(kind, value, how, model_value=value, model_answered=True))
            payload = {"field": field, "before": None, "after": after}
            events.append(NewEvent("verdict", clip.id, "Ann", session.schema.key, payload))
        status = {"before": "in_review", "after": "reviewed", "reason": None, "words": None, "broken_rules": []}
        events.append(NewEvent("status", clip.id, "Ann", session.schema.key, status))
        session.library.append(events)

    return put


@pytest.fixture
def open_page(qtbot, look, session) -> Iterator[Callable[..., ComparePage]]:
    """Makes the page on the session, shown, its library read."""
    made: list[ComparePage] = []

    def make(*, wait: bool = True, clip_id: str | None = None) -> ComparePage:
        window = QWidget()
        qtbot.addWidget(window)
        shell = FakeShell(session, window)
        shell.triggered = []
        for name in ("clips.add_folder",):
            shell.registry.add([Action(name, name, lambda name=name: shell.triggered.append(name))])
        page = ComparePage(shell)
        made.append(page)
        row = QHBoxLayout(window)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(page)
        shell.registry.add(page.actions_here())
        shell.registry.show_page("compare")
        window.resize(1280, 720)
        window.show()
        qtbot.waitExposed(window)
        window.activateWindow()
        page.activate(clip_id)
        if wait:
            qtbot.waitUntil(lambda: not page.reader.busy)
        return page

    yield make
    for page in made:
        page.close_page()


@pytest.fixture
def three(put_clip, answer, settle):
    """Three clips: one where nothing differs, one with another weather, one with another event, reviewed."""
    same, weather, event = (put_clip(f"{name}.mp4") for name in ("same", "weather", "event"))
    for clip in (same, weather, event):
        answer(clip)
    answer(same, adapter="fleet")
    answer(weather, adapter="fleet", labels={"weather": "rain"})
    answer(event, adapter="fleet", labels={"event_type": "collision", "weather": "rain"})
    settle(event, event_type=("corrected", "collision", "explicit"), weather=("accepted", "clear", "bulk"))
    return same, weather, event


@pytest.fixture
def playable(put_clip, answer, session):
    """A clip that can be played, seen at other frames by the two."""
    clip = put_clip("", file="h264_bframes.mp4")
    index = index_of(session, clip)
    answer(clip, frames_pts=index.pts[::20])
    answer(clip, adapter="fleet", frames_pts=index.pts[5::25], labels={"event_type": "collision"})
    return clip, index
