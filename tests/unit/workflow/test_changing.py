"""Which clips would change: on the same footing only, those with another event first, and towards whose word."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.workflow.conftest import put_answer, put_clip
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import JobCancelledError
from vvlm_desktop.workflow import review
from vvlm_desktop.workflow.answerers import tally_of
from vvlm_desktop.workflow.changing import Changing, changing
from vvlm_desktop.workflow.session import Session

BASE: dict[str, Any] = {"event_type": "near_miss", "weather": "rain", "traffic_density": "low"}


def say(session: Session, clip: Clip, labels: dict[str, Any], adapter: str | None, **changes: Any) -> None:
    values = {"settings": {"frames": 16}, "prompt_sha": "p", **changes}
    put_answer(session, clip, labels, backend="local", model="M", adapter=adapter, **values)


def both(session: Session, name: str, **changed: Any) -> Clip:
    clip = put_clip(session, name)
    say(session, clip, BASE, None)
    say(session, clip, {**BASE, **changed}, "march-001")
    return clip


def rows(session: Session, *clips: Clip) -> tuple[int | None, ...]:
    return tuple(session.library.rowid_of(clip.id) for clip in clips)


def look(session: Session, **options: Any) -> Changing:
    return changing(session, model="M", adapter="march-001", **options)


def test_clips_that_change_the_most_important_field_first(session: Session) -> None:
    weather = both(session, "a.mp4", weather="clear")
    both(session, "b.mp4")
    event = both(session, "c.mp4", event_type="collision")
    found = look(session)
    assert (found.compared, found.changed) == (3, rows(session, event, weather))
    assert found.by_field == {"event_type": 1, "weather": 1}
    assert (found.now.title, found.then.title) == ("M", "M + march-001")


def test_what_a_person_said_tells_which_way_it_goes(session: Session) -> None:
    better = both(session, "a.mp4", weather="clear")
    worse = both(session, "b.mp4", weather="clear")
    mixed = both(session, "c.mp4", weather="clear", traffic_density="high")
    review.settle(session, better.id, {"weather": "clear"})
    review.settle(session, worse.id, {"weather": "rain"})
    review.settle(session, mixed.id, {"weather": "clear", "traffic_density": "low"})
    both(session, "d.mp4", weather="clear")
    found = look(session)
    assert (found.settled_right, found.settled_wrong) == (rows(session, better), rows(session, worse, mixed))
    assert len(found.changed) == 4


def test_other_frames_are_no_change_and_told_apart(session: Session) -> None:
    clip = put_clip(session, "a.mp4")
    say(session, clip, BASE, None)
    say(session, clip, {**BASE, "weather": "clear"}, "march-001", frames_pts=(1, 2, 3))
    found = look(session)
    assert (found.compared, found.changed, found.by_field) == (0, (), {})
    assert found.unfair == rows(session, clip)


def test_the_newest_answer_counts_and_drafts_do_not(session: Session) -> None:
    clip = both(session, "a.mp4", weather="clear")
    assert len(look(session).changed) == 1
    say(session, clip, {**BASE, "scene": "urban"}, None, created_at="2026-01-03T00:00:00.000Z")
    say(session, clip, BASE, "march-001", created_at="2026-01-03T00:00:00.000Z")
    assert look(session).changed == ()
    only_draft = put_clip(session, "b.mp4")
    say(session, only_draft, BASE, None)
    say(session, only_draft, BASE, "march-001", provenance="teacher_draft")
    assert [each.id for each in look(session).missing] == [only_draft.id]


def test_who_has_not_answered_is_named_and_another_adapter_can_be_the_one_in_use(session: Session) -> None:
    clip = both(session, "a.mp4", weather="clear")
    silent, half = put_clip(session, "b.mp4"), put_clip(session, "c.mp4")
    put_clip(session, "d.mp4", frames=0, problem="no picture")
    say(session, half, BASE, None)
    assert [each.id for each in look(session).missing] == [silent.id, half.id]
    say(session, clip, BASE, "feb-001")
    found = look(session, now="feb-001")
    assert (found.changed, found.now.title) == (rows(session, clip), "M + feb-001")


def test_it_can_be_stopped(session: Session) -> None:
    both(session, "a.mp4", weather="clear")
    with pytest.raises(JobCancelledError):
        look(session, cancelled=lambda: True)


@pytest.mark.parametrize("now", ["", "april-001"])
def test_clips_that_one_of_the_two_learnt_from_prove_nothing(session: Session, now: str) -> None:
    learnt, fresh = both(session, "a.mp4", weather="clear"), both(session, "b.mp4", weather="clear")
    for clip in (learnt, fresh):
        say(session, clip, BASE, "april-001")
        review.settle(session, clip.id, {"weather": "clear"})
    # The card of a run that was never taken to the models is found too.
    card = {"training_set": {"content_sha256": {"train": [learnt.sha256], "val": "?", "test": [fresh.sha256]}}}
    folder = session.library.folder / "runs" / (now or "march-001") / "adapter"
    folder.mkdir(parents=True)
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    found = look(session, now=now)
    assert (found.compared, found.changed) == (2, rows(session, learnt, fresh))
    assert (found.learnt, found.settled_right) == (rows(session, learnt), rows(session, fresh))
    wanted = session.library.clip_rowids()
    tally = tally_of(session, (found.now, found.then), wanted=wanted)
    weather = tally.fields["weather"]
    assert (tally.of_learnt, weather.n, weather.judged, weather.only_b) == (1, 2, 1, 1)
