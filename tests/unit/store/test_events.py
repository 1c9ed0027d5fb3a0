"""Appending events, reading reviews, taking actions back and doing them again."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.unit.store.builders import SCHEMA, evidence, make_analysis, make_clip, note, status, verdict
from vvlm_desktop.domain.review import NewEvent, PtsRange, Review
from vvlm_desktop.store.library import Library


def _review(library: Library, clip_id: str = "c", reviewer: str = "Anna") -> Review:
    return library.review(clip_id, reviewer=reviewer, schema_key=SCHEMA)


def _content(review: Review) -> Review:
    """A review without what each further event moves on."""
    return replace(review, updated_at="", analysis_id=None)


def test_the_first_verdict_sets_in_review(library: Library) -> None:
    assert _review(library) == Review("c", "Anna", SCHEMA)
    library.append([note("c", "hm")])
    assert _review(library).status == "needs_review"
    change = library.append([verdict("c")])
    assert (change.clip_ids, change.what) == (("c",), {"review"})
    assert _review(library).status == "in_review"
    assert _review(library).labels() == {"event_type": "collision"}


def test_a_review_survives_closing(library: Library) -> None:
    library.append([verdict("c"), evidence("c", [[512, 1024]], value=None), note("c", "ä 🚗"), status("c")])
    review = _review(library)
    assert review.evidence == {"event_time": {None: (PtsRange(512, 1024),)}}
    library.close()
    with Library.open(library.folder) as reopened:
        assert _review(reopened) == review


def test_status_with_a_reason(library: Library) -> None:
    library.append([status("c", "dismissed", reason="duplicate")])
    assert (_review(library).status, _review(library).dismiss_reason) == ("dismissed", "duplicate")
    library.append([status("c", "in_review")])
    assert _review(library).dismiss_reason is None


def test_before_is_what_was_really_there(library: Library) -> None:
    library.append([verdict("c", "collision")])
    stale = verdict("c", "no_incident")
    library.append([replace(stale, payload={**stale.payload, "before": None}), status("c")])
    first, second, third = library.history("c")
    assert first.payload is not None
    assert second.payload is not None
    assert third.payload is not None
    assert first.payload["before"] is None
    assert second.payload["before"]["value"] == "collision"
    assert (third.payload["before"], third.payload["after"]) == ("in_review", "reviewed")


def test_history_is_in_order_and_limited_to_the_latest(library: Library) -> None:
    for number in range(5):
        library.append([note(f"c{number % 2}", f"{number}")])
    assert [event.seq for event in library.history()] == [1, 2, 3, 4, 5]
    assert [event.seq for event in library.history(limit=2)] == [4, 5]
    assert [event.seq for event in library.history("c0")] == [1, 3, 5]
    event = library.history("c1", limit=1)[0]
    assert (event.reviewer, event.schema_key, event.origin, event.undoes) == ("Anna", SCHEMA, library.origin, None)
    assert event.payload == {"before": "1", "after": "3"}


@pytest.mark.parametrize(
    "event",
    [
        NewEvent("verdict", None, "Anna", SCHEMA, {"field": "x", "after": None}),
        NewEvent("status", "c", "Anna", SCHEMA, {"after": "finished"}),
        NewEvent("note", "c", "Anna", SCHEMA, {}),
        NewEvent("verdict", "c", "Anna", SCHEMA, {"field": "x", "after": {"verdict": "maybe", "value": 1, "how": "x"}}),
        NewEvent("note", "c", "Anna", SCHEMA, {"after": "x", "extra": float("nan")}),
    ],
)
def test_an_event_that_cannot_be_folded_stores_nothing_of_its_action(library: Library, event: NewEvent) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (each has its own words)
        library.append([note("c", "first"), event])
    assert library.history() == []
    assert library.undo("Anna") is None
    assert library.verify().ok


def test_nothing_to_append_is_no_action(library: Library) -> None:
    assert library.append([]).action_id is None
    assert library.history() == []


def test_events_cannot_be_changed_or_removed_by_our_own_code(library: Library) -> None:
    library.append([note("c", "x")])
    for statement in ("DELETE FROM event", "UPDATE event SET kind = 'status'"):
        with pytest.raises(IntegrityError, match="never"), library.write() as connection:
            connection.execute(text(statement))


def test_the_truth_is_the_latest_settled_review(library: Library) -> None:
    library.append([verdict("c", "collision"), status("c")])
    library.append([verdict("c", "near_miss", reviewer="Ben"), status("c", "reviewed", reviewer="Ben")])
    library.append([verdict("c", "no_incident", reviewer="Cem")])
    truth = library.truth("c", schema_key=SCHEMA)
    assert truth is not None
    assert truth.reviewer == "Ben"
    assert [review.reviewer for review in library.reviews("c")] == ["Cem", "Ben", "Anna"]
    library.append([verdict("c", "animal", field="conflict_with")])
    library.append([note("c", "only a note", reviewer="Ben")])
    truth = library.truth("c", schema_key=SCHEMA)
    assert truth is not None
    assert truth.reviewer == "Anna"
    assert library.truth("c", schema_key="other-1") is None
    library.append([status("c", "dismissed"), status("c", "in_review", reviewer="Ben")])
    assert library.truth("c", schema_key=SCHEMA) is None


def test_a_clip_shows_the_latest_decision_of_anybody(library: Library) -> None:
    clip = library.add_clip(make_clip()).clip
    library.append([verdict(clip), status(clip)])
    library.append([verdict(clip, "near_miss", reviewer="Ben")])
    assert library.clip(clip.id).status == "reviewed"
    library.append([status(clip, "escalated", reviewer="Ben")])
    assert library.clip(clip.id).status == "escalated"
    library.append([status(clip, "dismissed", reason="no_picture")])
    assert library.clip(clip.id).status == "dismissed"


def test_reviews_of_a_clip_that_is_added_later_are_there_at_once(library: Library) -> None:
    clip = make_clip()
    library.append([verdict(clip), status(clip)])
    assert library.add_clip(clip).clip.status == "reviewed"
    assert library.verify().ok


def test_one_action_is_one_undo(library: Library) -> None:
    library.append([verdict("c", "collision")])
    before = _content(_review(library))
    library.append(
        [verdict("c", "near_miss"), verdict("c", "night", field="time_of_day"), evidence("c", [[1, 2]]), status("c")]
    )
    after = _content(_review(library))
    change = library.undo("Anna")
    assert change is not None
    assert change.clip_ids == ("c",)
    assert _content(_review(library)) == before
    change = library.redo("Anna")
    assert change is not None
    assert _content(_review(library)) == after
    assert library.redo("Anna") is None


def test_undo_goes_back_to_nothing_across_restarts_and_forward_again(library: Library) -> None:
    states = [_content(_review(library))]
    for action in (
        [verdict("c", "collision")],
        [verdict("c", "near_miss"), status("c")],
        [status("c", "dismissed", reason="duplicate")],
        [note("c", "why")],
        [status("c", "needs_review")],
        [evidence("c", [[5, 9]], field="cause_of_risk", value="speeding")],
        [verdict("c", kind="none")],
    ):
        library.append(action)
        states.append(_content(_review(library)))
    library.close()
    for state in states[-2::-1]:
        with Library.open(library.folder) as reopened:
            assert reopened.undo("Anna") is not None
            assert _content(_review(reopened)) == state
    with Library.open(library.folder) as reopened:
        assert reopened.undo("Anna") is None
        for state in states[1:]:
            assert reopened.redo("Anna") is not None
            assert _content(_review(reopened)) == state
        assert reopened.verify().ok


def test_after_a_new_action_there_is_nothing_to_do_again(library: Library) -> None:
    library.append([note("c", "one")])
    library.append([note("c", "two")])
    library.undo("Anna")
    library.append([note("c", "three")])
    assert library.redo("Anna") is None
    library.undo("Anna")
    assert _review(library).note == "one"


def test_undo_never_touches_another_reviewer(library: Library) -> None:
    library.append([verdict("c", "collision"), note("c", "mine")])
    library.append([verdict("c", "no_incident", reviewer="Ben"), note("c", "Ben's", reviewer="Ben")])
    ben = _review(library, reviewer="Ben")
    library.undo("Anna")
    assert library.undo("Anna") is None
    assert _review(library, reviewer="Ben") == ben
    assert library.undo("Nobody") is None


def test_an_action_of_two_reviewers_is_taken_back_by_each_for_himself(library: Library) -> None:
    library.append([note("c", "a"), note("c", "b", reviewer="Ben"), note("d", "b", reviewer="Ben")])
    change = library.undo("Ben")
    assert change is not None
    assert set(change.clip_ids) == {"c", "d"}
    assert (_review(library).note, _review(library, reviewer="Ben").note) == ("a", "")


def test_taking_back_an_action_that_changed_nothing_is_still_on_record(library: Library) -> None:
    library.append([note("c", "same")])
    library.append([note("c", "same")])
    library.undo("Anna")
    assert _review(library).note == "same"
    library.undo("Anna")
    assert _review(library).note == ""
    assert [event.undoes is not None for event in library.history()] == [False, False, True, True]


def test_several_appends_can_be_one_action(library: Library) -> None:
    change = library.append([note("c", "one")])
    library.append([note("d", "two")], action_id=change.action_id)
    back = library.undo("Anna")
    assert back is not None
    assert set(back.clip_ids) == {"c", "d"}
    assert library.undo("Anna") is None


def test_text_of_any_kind_survives(library: Library) -> None:
    odd = 'a\x00b \u2028 🚗 “quotes” \\ " \ud800 end'
    library.append([note("c", odd)])
    assert _review(library).note == odd.replace("\ud800", "\ufffd")
    assert library.verify().ok


def test_threads_write_and_read_at_the_same_time(library: Library) -> None:
    clips = [library.add_clip(make_clip(number)).clip for number in range(3)]
    library.add_analysis(make_analysis(clips[0]))
    failures: list[BaseException] = []

    def write(reviewer: str) -> None:
        try:
            for number in range(10):
                library.append([note(clips[number % 3], f"{number}", reviewer=reviewer)])
                library.clip_rows(library.clip_rowids())
        except BaseException as error:  # noqa: BLE001 (handed to the test)
            failures.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in ("Anna", "Ben", "Cem")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [event.seq for event in library.history()] == list(range(1, 31))
    assert library.verify().ok
