"""Properties: any order of arrival gives the same reviews, projections equal a rebuild, undo goes exactly back."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.unit.store.builders import SCHEMA, evidence, make_analysis, make_clip, note, status, verdict
from vvlm_desktop.domain.fold import fold
from vvlm_desktop.domain.review import STATUSES, Event, NewEvent, Review
from vvlm_desktop.store.library import Library

CLIPS = [make_clip(number).id for number in range(2)]
REVIEWERS = ("Anna", "Ben")

_clip = st.sampled_from(CLIPS)
_reviewer = st.sampled_from(REVIEWERS)
_field = st.sampled_from(["event_type", "cause_of_risk", "caption"])
_value = st.sampled_from(["collision", "near_miss", [], ["speeding"], "A van.", None])
_ranges = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)).map(list), max_size=2)


def _events(reviewer: str) -> st.SearchStrategy[NewEvent]:
    kind = st.sampled_from(["accepted", "corrected", "rejected", "none"])
    return st.one_of(
        st.builds(lambda c, v, f, k: verdict(c, v, field=f, reviewer=reviewer, kind=k), _clip, _value, _field, kind),
        st.builds(lambda c, r, f: evidence(c, r, field=f, reviewer=reviewer), _clip, _ranges, _field),
        st.builds(lambda c, s: status(c, s, reviewer=reviewer, reason="other"), _clip, st.sampled_from(STATUSES)),
        st.builds(lambda c, n: note(c, n, reviewer=reviewer), _clip, st.sampled_from(["", "a", "b"])),
    )


_action = _reviewer.flatmap(lambda reviewer: st.lists(_events(reviewer), min_size=1, max_size=4))
_step = st.one_of(_action, st.builds(lambda r: ("undo", r), _reviewer), st.builds(lambda r: ("redo", r), _reviewer))
_SETTINGS = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _run(library: Library, step: Any) -> None:
    if isinstance(step, tuple):
        getattr(library, step[0])(step[1])
    else:
        library.append(step)


def _projections(library: Library) -> dict[str, list[tuple[Any, ...]]]:
    tables = ("review", "clip_state", "clip_label", "undo_entry")
    with library.read() as connection:
        rows = {
            name: sorted(map(tuple, connection.execute(text(f"SELECT * FROM {name}"))), key=repr) for name in tables
        }
        rows["clip_text"] = [
            tuple(r) for r in connection.execute(text("SELECT rowid, * FROM clip_text ORDER BY rowid"))
        ]
    return rows


def _all(library: Library) -> dict[tuple[str, str], Review]:
    return {
        (clip, reviewer): replace(
            library.review(clip, reviewer=reviewer, schema_key=SCHEMA), updated_at="", analysis_id=None
        )
        for clip in CLIPS
        for reviewer in REVIEWERS
    }


@_SETTINGS
@given(steps=st.lists(_step, max_size=12))
def test_projections_equal_a_rebuild_after_any_history(steps: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder, Library.open(Path(folder)) as library:
        clip = library.add_clip(make_clip(0)).clip
        library.add_analysis(make_analysis(clip))
        for step in steps:
            _run(library, step)
        kept = _projections(library)
        assert library.verify().problems == []
        library.rebuild()
        assert _projections(library) == kept
        assert library.verify().ok


@_SETTINGS
@given(first=st.lists(_step, max_size=6), actions=st.lists(_action, min_size=1, max_size=5))
def test_undo_goes_exactly_back_and_redo_exactly_forward(first: list[Any], actions: list[list[NewEvent]]) -> None:
    with tempfile.TemporaryDirectory() as folder, Library.open(Path(folder)) as library:
        for step in first:
            _run(library, step)
        states = [_all(library)]
        for action in actions:
            library.append(action)
            states.append(_all(library))
        reviewers = [action[0].reviewer for action in actions]
        for reviewer, state in zip(reviewers[::-1], states[-2::-1], strict=True):
            assert library.undo(reviewer) is not None
            assert _all(library) == state
        for reviewer, state in zip(reviewers, states[1:], strict=True):
            assert library.redo(reviewer) is not None
            assert _all(library) == state


@_SETTINGS
@given(data=st.data(), actions=st.lists(_action, min_size=1, max_size=6))
def test_reviews_do_not_depend_on_the_order_of_arrival(data: st.DataObject, actions: list[list[NewEvent]]) -> None:
    new = [event for action in actions for event in action]
    places = data.draw(
        st.lists(
            st.tuples(st.integers(1, 5), st.sampled_from(["o1", "o2"]), st.integers(1, 50)),
            min_size=len(new),
            max_size=len(new),
            unique=True,
        )
    )
    events = [
        Event(
            origin=origin,
            seq=seq,
            kind=event.kind,
            at=f"t{lamport}",
            lamport=lamport,
            action_id="a",
            undoes=None,
            hash="",
            clip_id=event.clip_id,
            reviewer=event.reviewer,
            schema_key=event.schema_key,
            payload=event.payload,
        )
        for event, (lamport, origin, seq) in zip(new, places, strict=True)
    ]
    assert fold(data.draw(st.permutations(events))) == fold(events)


def test_events_of_kinds_that_say_nothing_about_a_clip_are_left_out() -> None:
    event = Event("o", 1, "import", "t", 1, "a", None, "", payload={"source": "x"})
    erased = Event("o", 2, "note", "t", 2, "a", None, "", clip_id="c", payload=None)
    assert fold([event, erased]) == {}


@pytest.mark.parametrize("status_after", ["reviewed", "in_review", "needs_review"])
def test_taking_the_first_verdict_back_also_ends_what_it_began(library: Library, status_after: str) -> None:
    library.append([verdict("c"), status("c", status_after)])
    library.undo("Anna")
    assert library.review("c", reviewer="Anna", schema_key=SCHEMA).status == "needs_review"
