"""What plays by itself when a clip is opened, and that it says so."""

from __future__ import annotations

import pytest

from tests.ui.review.conftest import watch
from vvlm_desktop.domain.review import PtsRange
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow import review


@pytest.fixture
def settings() -> Settings:
    """Clips play by themselves."""
    return Settings(autoplay="event", reviewer="Ann", frame_cache_mb=64)


def test_overview_of_a_clip_without_an_event_says_that_it_is_one(add_clip, stage):
    add_clip(labels=None)
    here = stage()
    here.open()
    here.qtbot.waitUntil(lambda: here.page.desk.playback.playing)
    assert here.page.desk.playback.rate == 4.0
    assert here.toast == "Overview of the whole clip, 4×"


def test_reviewers_own_evidence_is_what_plays_where_no_event_is_known(add_clip, stage, session):
    clip = add_clip(labels={"event_type": "near_miss"}, candidates=[(0.1, 0.2, "a jolt")])
    here = stage()
    here.open(clip.id)
    pts = here.page.desk.index.pts
    review.set_evidence(session, clip.id, "event_type", None, PtsRange(pts[70], pts[75]))
    here.page.close_page()
    again = stage()
    again.open(clip.id)
    desk = again.page.desk
    again.qtbot.waitUntil(lambda: desk.playback.playing)
    assert desk.playback.rate == 1.0
    assert desk.playback._span.rest == 70
    assert again.page.desk.looking.look_at != 70, "evidence is no event: what has to be seen is as it was"
    watch(again, 0.0)
    assert not desk.playback.playing
