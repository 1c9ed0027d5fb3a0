"""Answers to free questions lie beside the labels and never pass for them; a teacher's draft says that it is one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.store.builders import make_analysis, make_clip, status, tamper, verdict
from vvlm_desktop.domain.analysis import Analysis, Round
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.store.analyses import analysis_from_text, analysis_to_text
from vvlm_desktop.store.library import Library
from vvlm_desktop.store.records import ClipFilter


@pytest.fixture
def clip(library: Library) -> Clip:
    return library.add_clip(make_clip()).clip


def question(clip: Clip, name: str = "q", **changes: object) -> Analysis:
    values = {"kind": "question", "question": "Who had the right of way?", "labels": {}, "confidence": {}, **changes}
    return make_analysis(clip, name, raw_text="The van, unexpectedly.", attention=0.9, **values)


def test_question_is_kept_apart_from_the_labels(library: Library, clip: Clip) -> None:
    labels, first, second = make_analysis(clip), question(clip, "q1"), question(clip, "q2", backend="local")
    for analysis in (first, labels, second):
        library.add_analysis(analysis)
    assert library.analyses(clip.id) == [labels]
    assert library.latest_analysis(clip.id) == labels
    assert library.questions(clip.id) == [second, first]


def test_clip_that_was_only_asked_about_is_not_analysed(library: Library, clip: Clip) -> None:
    library.add_analysis(question(clip, backend="local", model="m"))
    assert [c.id for c in library.clips_without("local", model="m")] == [clip.id]
    (row,) = library.clip_rows(library.clip_rowids())
    assert (row.labels, row.source, row.analysed, row.attention) == ({}, None, False, None)
    assert library.count_clips(ClipFilter(text="unexpectedly")) == 0
    assert library.count_clips(ClipFilter(backend="local")) == 0
    assert library.verify().ok


def test_question_does_not_settle_a_clip_of_a_batch(library: Library, clip: Clip) -> None:
    batch_id = library.open_batch("signals", [clip.id], options={})
    library.add_analysis(question(clip))
    assert [c.id for c in library.batch_clips(batch_id)] == [clip.id]


def test_batch_for_a_model_is_settled_by_that_model_and_adapter_alone(library: Library, clip: Clip) -> None:
    batch_id = library.open_batch("local", [clip.id], options={"model": "m", "adapter": "run 1"})
    library.add_analysis(make_analysis(clip, "other", backend="local", model="n", adapter="run 1"))
    library.add_analysis(make_analysis(clip, "base", backend="local", model="m"))
    assert [c.id for c in library.batch_clips(batch_id)] == [clip.id]
    library.add_analysis(make_analysis(clip, "same", backend="local", model="m", adapter="run 1"))
    assert library.batch_clips(batch_id) == []


def test_clips_without_tells_a_model_from_its_adapters(library: Library, clip: Clip) -> None:
    library.add_analysis(make_analysis(clip, backend="local", model="m", adapter="run 1"))
    assert library.clips_without("local") == []
    assert library.clips_without("local", model="m") == []
    assert library.clips_without("local", model="m", adapter="run 1") == []
    assert [c.id for c in library.clips_without("local", model="m", adapter="")] == [clip.id]
    assert [c.id for c in library.clips_without("local", model="n", adapter="run 1")] == [clip.id]


def test_what_models_say_of_themselves_comes_back_whole(library: Library, clip: Clip) -> None:
    rounds = (
        Round("uniform", (0, 512), raw_text="<glue>[(1, 2)]</glue>"),
        Round("clue", (512, 1024), ((1000, 2000),), note="n"),
    )
    said = {"event_type": {"near_miss": 0.75, "collision": 0.25}, "ego_response": {"braked": 0.5}}
    analysis = make_analysis(clip, legal_mass={"event_type": 0.5}, value_confidence=said, rounds=rounds)
    library.add_analysis(analysis)
    assert library.analyses(clip.id) == [analysis]


def test_document_without_the_later_fields_is_written_without_them(clip: Clip) -> None:
    analysis = make_analysis(clip)
    document = analysis_to_text(analysis)
    assert "rounds" not in document
    assert 'kind":"labels' not in document
    assert analysis_from_text(document) == analysis


def test_draft_speaks_for_a_clip_until_a_person_does_and_says_that_it_is_one(library: Library, clip: Clip) -> None:
    library.add_analysis(make_analysis(clip, "draft", backend="local", provenance="teacher_draft"))
    later = make_analysis(clip, "measured", provenance="measurement", labels={"time_of_day": "day"})
    library.add_analysis(later)
    (row,) = library.clip_rows(library.clip_rowids())
    assert (row.source, row.backend, row.clip.status) == ("draft", "local", "needs_review")
    assert row.labels["event_type"] == "near_miss"
    library.append([verdict(clip, "collision"), status(clip)])
    (row,) = library.clip_rows(library.clip_rowids())
    assert (row.source, row.labels) == ("review", {"event_type": "collision"})


def test_listed_adapter_that_the_document_does_not_hold_is_found(library: Library, clip: Clip) -> None:
    library.add_analysis(replace(make_analysis(clip), adapter="run 1"))
    tamper(library, "UPDATE analysis SET adapter = 'run 2'")
    assert any("other facts" in problem for problem in library.verify().problems)
