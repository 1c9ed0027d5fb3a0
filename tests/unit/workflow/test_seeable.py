"""A clip of which nobody can see anything is not judged; it can be put aside, and taken up again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.workflow.conftest import put_answer, put_clip
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.domain.review import Change
from vvlm_desktop.errors import UsageError
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.session import Session


@pytest.fixture
def blank(session: Session) -> Clip:
    """No picture of it decodes; an answer came along with an import."""
    clip = put_clip(session, "blank.mp4", frames=0, duration_s=0.0, problem="No picture can be decoded.")
    put_answer(session, clip, {"event_type": "collision"})
    return clip


@pytest.mark.parametrize(
    "judge",
    [
        lambda session, clip: review.set_value(session, clip.id, "event_type", "no_incident"),
        lambda session, clip: review.toggle_value(session, clip.id, "cause_of_risk", "speeding"),
        lambda session, clip: review.set_value(session, clip.id, "caption", "A car stops."),
        lambda session, clip: review.accept_field(session, clip.id, "event_type"),
        lambda session, clip: review.reject_field(session, clip.id, "event_type"),
        lambda session, clip: review.accept_rest(session, clip.id, window_seen=False),
        lambda session, clip: review.settle(session, clip.id, {"event_type": "no_incident"}),
        lambda session, clip: review.set_status(session, clip.id, "needs_coaching"),
    ],
    ids=["value", "list", "caption", "accept", "reject", "rest", "settle", "coach"],
)
def test_what_nobody_can_see_is_not_judged(
    session: Session, blank: Clip, judge: Callable[[Session, Clip], Change]
) -> None:
    with pytest.raises(UsageError, match="No picture of this clip can be shown") as caught:
        judge(session, blank)
    assert "Dismiss it" in caught.value.hint
    assert session.library.history(blank.id) == []


def test_it_can_be_put_aside_and_taken_up_again(session: Session, blank: Clip) -> None:
    review.set_note(session, blank.id, "The card was broken.")
    review.set_value(session, blank.id, "weather", "cannot_tell")
    review.clear_field(session, blank.id, "weather")
    for status in ("escalated", "needs_review"):
        review.set_status(session, blank.id, status)
    review.set_status(session, blank.id, "dismissed", reason="no_picture")
    assert session.library.clip(blank.id).status == "dismissed"


def test_clip_left_for_later_is_not_judged_through_that(session: Session, blank: Clip) -> None:
    review.set_status(session, blank.id, "escalated")
    with pytest.raises(UsageError):
        review.set_status(session, blank.id, "reviewed")


def test_clip_that_plays_in_part_is_judged(session: Session) -> None:
    part = put_clip(session, "part.mp4", frames=29, problem="Damaged at 2.9 s: 29 of 50 frames can be shown.")
    review.set_value(session, part.id, "event_type", "no_incident")
    review.accept_rest(session, part.id, window_seen=True)
    assert session.library.clip(part.id).status == "reviewed"
