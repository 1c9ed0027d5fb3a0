"""Frames around each clip's own event: a person's time first, then a model's, then the moment that stands out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.workflow.conftest import put_answer, put_clip
from vvlm_desktop.backends.local_options import LocalOptions
from vvlm_desktop.domain.analysis import EventCandidate
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import BackendError
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.around import event_of, options_for
from vvlm_desktop.workflow.session import Session

OPTIONS: dict[str, Any] = {**LocalOptions("m", "/m").to_json(), "around": "event"}


@pytest.fixture
def clip(session: Session) -> Clip:
    return put_clip(session, "a.mp4")


def sampling(session: Session, clip: Clip) -> dict[str, Any]:
    options = options_for(session, clip, OPTIONS)
    assert "around" not in options
    return LocalOptions.from_json(options).to_json()["sampling"]


def moment(start_ms: int, score: float) -> EventCandidate:
    return EventCandidate("jolt", 0, 512, start_ms, start_ms + 200, score, "a jolt")


def test_whole_event_is_seen_with_what_came_before_and_after(session: Session, clip: Clip) -> None:
    put_answer(session, clip, {"event_time": {"start_ms": 4000, "end_ms": 6500}})
    assert sampling(session, clip) == {
        "kind": "around",
        "frames": 16,
        "fps": None,
        "at_ms": 4000,
        "before_ms": 3000,
        "after_ms": 4500,
    }


def test_person_is_believed_before_a_model_and_a_model_before_a_jolt(session: Session, clip: Clip) -> None:
    put_answer(session, clip, {}, candidates=(moment(1000, 0.2), moment(7000, 0.9)), provenance="measurement")
    assert sampling(session, clip)["at_ms"] == 7000
    put_answer(session, clip, {"event_time": {"start_ms": 2000, "end_ms": 2500}}, backend="local")
    assert sampling(session, clip)["at_ms"] == 2000
    review.set_values(session, clip.id, {"event_type": "collision", "event_time": {"start_ms": 5000, "end_ms": 5500}})
    review.accept_rest(session, clip.id, window_seen=True)
    assert sampling(session, clip)["at_ms"] == 5000


@pytest.mark.parametrize("labels", [{}, {"event_time": None}])
def test_clip_without_an_event_is_refused_rather_than_looked_at_elsewhere(
    session: Session, clip: Clip, labels: dict[str, Any]
) -> None:
    put_answer(session, clip, labels)
    with pytest.raises(BackendError, match="No event is known"):
        options_for(session, clip, OPTIONS)


def test_backend_that_is_sent_the_video_is_told_the_time(session: Session, clip: Clip) -> None:
    put_answer(session, clip, {"event_time": {"start_ms": 4000, "end_ms": 6500}})
    assert options_for(session, clip, {"model": "g", "around": "event"}) == {"model": "g", "event_ms": 4000}


def test_other_options_are_as_they_were(session: Session, clip: Clip) -> None:
    options = {"model": "m", "sampling": {"kind": "uniform", "frames": 3}}
    assert options_for(session, clip, options) == options


def test_times_that_the_clip_does_not_have_are_nobodys_event(session: Session, clip: Clip) -> None:
    put_answer(session, clip, {"event_time": {"start_ms": 2000, "end_ms": 2500}}, backend="local")
    put_answer(session, clip, {"event_time": {"start_ms": 14_000, "end_ms": 15_000}}, backend="local")
    assert sampling(session, clip)["at_ms"] == 2000


def test_time_beside_no_incident_is_no_event(session: Session, clip: Clip) -> None:
    put_answer(session, clip, {"event_type": "no_incident", "event_time": {"start_ms": 2000, "end_ms": 2500}})
    with pytest.raises(BackendError, match="No event is known"):
        options_for(session, clip, OPTIONS)


def test_person_who_says_that_nothing_happened_is_believed_before_any_model(session: Session, clip: Clip) -> None:
    put_answer(session, clip, {"event_time": {"start_ms": 2000, "end_ms": 2500}}, backend="local")
    review.settle(session, clip.id, {"event_type": "no_incident"})
    with pytest.raises(BackendError, match="your review says that there was no event"):
        options_for(session, clip, OPTIONS)


def test_it_is_said_which_time_and_whose(session: Session, clip: Clip) -> None:
    put_answer(session, clip, {}, candidates=(moment(7000, 0.9),), provenance="measurement")
    assert event_of(session, clip).sentence == "around 7.0 s (what stands out most: a jolt)"
    put_answer(session, clip, {"event_time": {"start_ms": 2000, "end_ms": 2500}}, adapter="run 1")
    assert event_of(session, clip).sentence == "around 2.0 s (the answer of m + run 1)"
    review.settle(session, clip.id, {"event_type": "collision", "event_time": {"start_ms": 4200, "end_ms": 5500}})
    assert event_of(session, clip).sentence == "around 4.2 s (your review)"


def test_hint_does_not_send_to_measurements_that_found_nothing(session: Session, clip: Clip) -> None:
    with pytest.raises(BackendError) as before:
        event_of(session, clip)
    put_answer(session, clip, {}, provenance="measurement")
    with pytest.raises(BackendError) as after:
        event_of(session, clip)
    assert ("--backend signals" in before.value.hint, "--backend signals" in after.value.hint) == (True, False)
    assert "event_time" in after.value.hint
