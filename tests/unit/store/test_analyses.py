"""Analyses are stored once and never changed; batches go on where they were."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.unit.store.builders import make_analysis, make_clip
from vvlm_desktop.errors import ClipNotFoundError
from vvlm_desktop.store.library import Library


def test_an_analysis_comes_back_whole(library: Library) -> None:
    clip = library.add_clip(make_clip()).clip
    analysis = make_analysis(clip, raw_text="whatever it said \ud800 \x00 🚗")
    change = library.add_analysis(analysis)
    assert (change.clip_ids, change.what) == ((clip.id,), {"analyses"})
    assert library.analyses(clip.id) == [analysis]
    assert library.latest_analysis(clip.id) == analysis


def test_the_newest_is_the_one_that_arrived_last_whatever_its_clock_said(library: Library) -> None:
    clip = library.add_clip(make_clip()).clip
    first = make_analysis(clip, "first", created_at="2026-03-01T00:00:00.000Z", attention=0.25)
    second = make_analysis(clip, "second", created_at="2026-01-01T00:00:00.000Z", attention=0.75)
    third = make_analysis(clip, "third", created_at="2026-02-01T00:00:00.000Z", schema_key="other-1", attention=None)
    for analysis in (first, second, third):
        library.add_analysis(analysis)
    assert [analysis.id for analysis in library.analyses(clip.id)] == [third.id, second.id, first.id]
    assert library.latest_analysis(clip.id) == third
    assert library.latest_analysis(clip.id, schema_key="dashcam-1") == second
    assert library.latest_analysis(clip.id, schema_key="nothing") is None
    assert library.clip_rows(library.clip_rowids())[0].attention == 0.75  # the newest one that has any


def test_an_imported_analysis_never_comes_before_one_that_was_made_here(library: Library) -> None:
    clip = library.add_clip(make_clip()).clip
    own = make_analysis(clip, "own", labels={"event_type": "near_miss"}, attention=0.25)
    far = make_analysis(
        clip, "far", labels={"event_type": "collision"}, attention=0.75, created_at="2999-01-01T00:00:00.000Z"
    )
    library.add_analysis(far, imported=True)
    assert library.clip_rows(library.clip_rowids())[0].labels == {"event_type": "collision"}
    library.add_analysis(own)
    library.add_analysis(replace(far, id="farther"), imported=True)
    assert [analysis.id for analysis in library.analyses(clip.id)] == [own.id, "farther", far.id]
    assert library.latest_analysis(clip.id) == own
    (row,) = library.clip_rows(library.clip_rowids())
    assert (row.labels, row.attention) == ({"event_type": "near_miss"}, 0.25)
    assert not row.updated_at.startswith("2999")
    assert library.verify().ok


def test_an_imported_analysis_under_an_id_that_is_taken_is_left_out(library: Library) -> None:
    clip, other = (library.add_clip(make_clip(number)).clip for number in (1, 2))
    own = make_analysis(clip)
    library.add_analysis(own)
    assert library.add_analysis(replace(own, clip_id=other.id), imported=True).clip_ids == ()
    assert library.analyses(clip.id) == [own]
    assert library.analyses(other.id) == []


def test_storing_the_same_again_changes_nothing_and_another_is_refused(library: Library) -> None:
    clip = library.add_clip(make_clip()).clip
    analysis = make_analysis(clip)
    library.add_analysis(analysis)
    assert library.add_analysis(analysis).clip_ids == ()
    with pytest.raises(ValueError, match="another analysis has the id"):
        library.add_analysis(replace(analysis, raw_text="changed"))
    assert library.analyses(clip.id) == [analysis]


def test_an_analysis_cannot_be_updated_by_any_statement(library: Library) -> None:
    library.add_clip(make_clip())
    library.add_analysis(make_analysis(make_clip()))
    with pytest.raises(IntegrityError, match="never changed"), library.write() as connection:
        connection.execute(text("UPDATE analysis SET backend = 'other'"))


def test_an_analysis_of_an_unknown_clip_is_refused(library: Library) -> None:
    with pytest.raises(ClipNotFoundError):
        library.add_analysis(make_analysis(make_clip()))


def test_clips_without_an_analysis_are_the_readable_ones(library: Library) -> None:
    clips = [library.add_clip(make_clip(number, frames=0 if number == 3 else 9)).clip for number in range(1, 5)]
    library.add_analysis(make_analysis(clips[0]))
    library.add_analysis(make_analysis(clips[1], model="signals 2", schema_labels_sha="new labels"))
    assert library.clips_without("signals") == [clips[3]]
    assert library.clips_without("gemini") == [clips[0], clips[1], clips[3]]
    assert library.clips_without("signals", model="signals 2") == [clips[0], clips[3]]
    assert library.clips_without("signals", schema_labels_sha="labels") == [clips[1], clips[3]]


@dataclass(frozen=True)
class _Schema:
    key: str = "dashcam-1"
    document: str = "title = 'Dashcam'"
    labels_sha: str = "l1"
    wording_sha: str = "w1"


def test_schemas_are_remembered_by_both_fingerprints(library: Library) -> None:
    library.remember_schema(_Schema())
    library.remember_schema(_Schema())
    library.remember_schema(_Schema(document="other words", wording_sha="w2"))
    assert library.schema_document("l1", "w1") == "title = 'Dashcam'"
    assert library.schema_document("l1", "w2") == "other words"
    assert library.schema_document("l2", "w1") is None


def test_a_batch_goes_on_where_it_was(library: Library) -> None:
    clips = [library.add_clip(make_clip(number)).clip for number in range(4)]
    ids = [clip.id for clip in clips]
    batch_id = library.open_batch("signals", [*ids, ids[0]], options={"frames": 8})
    library.add_analysis(make_analysis(clips[0]), batch_id=batch_id)
    library.batch_done(batch_id, ids[1], error="The worker died.")
    assert library.batch_pending(batch_id) == ids[2:]
    assert library.batch_errors(batch_id) == {ids[1]: "The worker died."}
    with Library.open(library.folder) as reopened:
        batch = reopened.unfinished_batches()[0]
        assert (batch.id, batch.backend, batch.options) == (batch_id, "signals", {"frames": 8})
        assert (batch.total, batch.pending, batch.failed) == (4, 2, 1)
        assert reopened.batch_pending(batch_id) == ids[2:]
        reopened.batch_done(batch_id, ids[2])
        reopened.close_batch(batch_id)
    assert library.unfinished_batches() == []


def test_a_result_of_a_batch_is_stored_once(library: Library) -> None:
    clip = library.add_clip(make_clip()).clip
    batch_id = library.open_batch("signals", [clip.id], options={})
    library.add_analysis(make_analysis(clip, "first"), batch_id=batch_id)
    library.batch_done(batch_id, clip.id, error="came too late")
    assert library.add_analysis(make_analysis(clip, "second"), batch_id=batch_id).clip_ids == ()
    assert [analysis.id for analysis in library.analyses(clip.id)] == [make_analysis(clip, "first").id]
    assert library.batch_pending(batch_id) == []
    assert library.batch_errors(batch_id) == {}


def test_a_failed_clip_can_still_get_its_result(library: Library) -> None:
    clip = library.add_clip(make_clip()).clip
    batch_id = library.open_batch("signals", [clip.id], options={})
    library.batch_done(batch_id, clip.id, error="The worker died.")
    library.add_analysis(make_analysis(clip), batch_id=batch_id)
    assert library.batch_errors(batch_id) == {}


def test_a_result_for_a_batch_that_does_not_hold_the_clip_is_misuse(library: Library) -> None:
    clip = library.add_clip(make_clip()).clip
    batch_id = library.open_batch("signals", [], options={})
    with pytest.raises(ValueError, match="is not in batch"):
        library.add_analysis(make_analysis(clip), batch_id=batch_id)
    assert library.analyses(clip.id) == []


def test_measurement_never_speaks_for_a_clip_that_a_model_has_answered(library: Library) -> None:
    clip = library.add_clip(make_clip(1)).clip
    library.add_analysis(make_analysis(clip, "answer", labels={"event_type": "collision"}, provenance="model"))
    later = make_analysis(
        clip, "measured", labels={"time_of_day": "day"}, provenance="measurement", created_at="2099-01-01T00:00:00.000Z"
    )
    library.add_analysis(later)
    (row,) = library.clip_rows(library.clip_rowids())
    assert row.labels == {"event_type": "collision"}


def test_a_batch_is_claimed_by_one_of_two_programs(library: Library) -> None:
    clip = library.add_clip(make_clip()).clip
    batch_id = library.open_batch("signals", [clip.id], options={"frames": 8, "owner": {"pid": 1}})
    with Library.open(library.folder) as other:
        assert library.claim_batch(batch_id, owner={"pid": 2}, expected_owner={"pid": 1})
        assert not other.claim_batch(batch_id, owner={"pid": 3}, expected_owner={"pid": 1})
    assert library.batch_options(batch_id) == {"frames": 8, "owner": {"pid": 2}}
    library.close_batch(batch_id)
    assert not library.claim_batch(batch_id, owner={"pid": 4}, expected_owner={"pid": 2})
    assert library.batch_options(batch_id) is None


def test_clips_of_a_batch_come_in_its_order_without_those_analysed_since(library: Library) -> None:
    clips = [library.add_clip(make_clip(number)).clip for number in range(4)]
    library.add_analysis(make_analysis(clips[0], "before"))
    batch_id = library.open_batch("signals", [clip.id for clip in clips[::-1]], options={})
    library.batch_done(batch_id, clips[3].id)
    library.add_analysis(make_analysis(clips[1], "since", created_at="2000-01-01T00:00:00.000Z"))
    library.add_analysis(make_analysis(clips[2], "other", backend="gemini"))
    assert library.batch_clips(batch_id) == [clips[2], clips[0]]
