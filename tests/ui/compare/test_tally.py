"""What is counted over many clips, without a window."""

from __future__ import annotations

import pytest

from vvlm_desktop.errors import JobCancelledError
from vvlm_desktop.store.records import ClipFilter
from vvlm_desktop.ui.compare.pairing import Source, fairness, sources_of
from vvlm_desktop.ui.compare.scan import SCOPES, find_answerers, read_pair, tally_of
from vvlm_desktop.ui.compare.tally import SILENT, Narrowing, narrowed, percent

BASE, TUNED = Source("local", "M"), Source("local", "M", "fleet")


def test_answerers_are_told_apart_by_model_adapter_and_age(session, put_clip, answer):
    clip = put_clip("a.mp4")
    older, newer = answer(clip), answer(clip)
    tuned = answer(clip, adapter="fleet")
    found = sources_of(session.library.analyses(clip.id), schema=session.schema)
    assert {source: each.id for source, each in found.items()} == {
        BASE: newer.id,
        Source("local", "M", None, "model", 1): older.id,
        TUNED: tuned.id,
    }
    assert [source.title for source in found] == ["M + fleet", "M", "M, the answer before"]


def test_questions_and_other_schemas_are_no_answers_to_compare(session, put_clip, answer):
    clip = put_clip("a.mp4")
    answer(clip, kind="question", question="Who braked?")
    answer(clip, schema_key="dashcam-0")
    assert sources_of(session.library.analyses(clip.id), schema=session.schema) == {}


def test_model_and_its_adapter_are_suggested_with_the_model_first(session, put_clip, answer):
    for number in range(3):
        clip = put_clip(f"{number}.mp4")
        answer(clip, backend="signals", model="signals-1", provenance="measurement")
        answer(clip)
        if number == 0:
            answer(clip, adapter="fleet")
    answerers = find_answerers(session)
    assert answerers.suggested() == (BASE, TUNED)
    assert answerers.shared_by(TUNED, BASE) == 1
    measured = Source("signals", "signals-1", None, "measurement")
    assert answerers.partners(measured) == [BASE, TUNED]
    assert measured.title == "signals-1 (measured)"


def test_measured_stands_left_where_there_is_one_model_only(session, put_clip, answer):
    clip = put_clip("a.mp4")
    answer(clip)
    answer(clip, backend="signals", model="signals-1", provenance="measurement")
    assert [source.backend for source in find_answerers(session).suggested()] == ["signals", "local"]


def test_nothing_is_suggested_where_no_clip_has_two_answers(session, put_clip, answer):
    answer(put_clip("a.mp4"))
    answer(put_clip("b.mp4"), adapter="fleet")
    answerers = find_answerers(session)
    assert answerers.suggested() is None
    assert answerers.comparable == []
    assert set(answerers.clips) == {BASE, TUNED}


def test_agreement_counts_both_answered_and_judged(session, three):
    tally = tally_of(session, (BASE, TUNED), wanted=ClipFilter())
    weather, event = tally.fields["weather"], tally.fields["event_type"]
    assert (weather.both, weather.agree) == (3, 1)
    assert (event.both, event.agree) == (3, 2)
    assert (weather.judged, weather.right) == ([1, 1], [1, 0])
    assert (event.judged, event.right) == ([1, 1], [0, 1])
    assert tally.fields["conflict_with"].agree == 3
    assert "caption" not in tally.fields
    assert (tally.truths, tally.differing, tally.unfair) == (1, 2, 0)
    assert [row.key for row in tally.rows()][:2] == ["weather", "event_type"]


def test_clips_that_differ_in_the_event_come_first(session, three):
    same, weather, event = three
    lines = tally_of(session, (BASE, TUNED), wanted=ClipFilter()).lines
    assert [line.clip_id for line in lines] == [event.id, weather.id, same.id]
    assert lines[0].differing == ("event_type", "weather")
    assert lines[0].reviewed


def test_matrix_has_a_place_for_what_was_not_answered(session, put_clip, answer):
    clip = put_clip("a.mp4")
    answer(clip)
    answer(clip, adapter="fleet", labels={"event_type": "–"})
    tally = tally_of(session, (BASE, TUNED), wanted=ClipFilter())
    assert dict(tally.matrix) == {("near_miss", SILENT): 1}
    assert tally.events(session.schema) == ["near_miss", SILENT]
    assert tally.fields["event_type"].both == 0


def test_verdicts_given_unseen_say_nobody_is_right(session, put_clip, answer, settle):
    clip = put_clip("a.mp4")
    answer(clip)
    answer(clip, adapter="fleet")
    settle(clip, event_type=("accepted", "near_miss", "bulk_unseen"))
    tally = tally_of(session, (BASE, TUNED), wanted=ClipFilter())
    assert tally.fields["event_type"].judged == [0, 0]


@pytest.mark.parametrize(
    ("narrowing", "names"),
    [
        (None, ["event.mp4", "weather.mp4", "same.mp4"]),
        (Narrowing(field_key="weather"), ["event.mp4", "weather.mp4"]),
        (Narrowing(event=("near_miss", "collision")), ["event.mp4"]),
        (Narrowing(event=("near_miss", "near_miss")), ["weather.mp4", "same.mp4"]),
    ],
)
def test_narrowing_leaves_the_clips_in_question(session, three, narrowing, names):
    lines = tally_of(session, (BASE, TUNED), wanted=ClipFilter()).lines
    assert [line.name for line in narrowed(lines, narrowing)] == names


def test_scope_leaves_the_others_out(session, three):
    counts = {title: len(tally_of(session, (BASE, TUNED), wanted=wanted).lines) for title, wanted in SCOPES}
    assert counts == {"All clips": 3, "Reviewed clips": 1, "Not yet reviewed": 2, "Without samples": 3}


def test_clip_without_one_of_the_answers_is_no_pair(session, put_clip, answer):
    clip = put_clip("a.mp4")
    answer(clip)
    assert read_pair(session, clip, (BASE, TUNED)) is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "Same frames, same prompt, same settings."),
        ({"frames_pts": (0, 512)}, "3 and 2"),
        ({"frames_pts": (0, 512, 1025)}, "other times"),
        ({"prompt_sha": "q"}, "other words"),
        ({"settings": {"precision": "nf4", "frames": 3}}, "precision"),
        ({"provenance": "measurement"}, "measured"),
    ],
)
def test_unequal_terms_are_said_plainly(session, put_clip, answer, changes, says):
    clip = put_clip("a.mp4")
    answer(clip)
    answer(clip, adapter="fleet", **changes)
    source = Source("local", "M", "fleet", changes.get("provenance", "model"))
    pair = read_pair(session, clip, (BASE, source))
    fair, sentence = fairness(pair)
    assert fair is (not changes)
    assert says in sentence
    assert sentence.startswith("Not on equal terms.") is not fair


def test_reading_can_be_stopped(session, three):
    with pytest.raises(JobCancelledError):
        find_answerers(session, cancelled=lambda: True)
    with pytest.raises(JobCancelledError):
        tally_of(session, (BASE, TUNED), wanted=ClipFilter(), cancelled=lambda: True)


def test_share_says_of_how_many():
    assert percent(1, 3) == "33 % of 3"
    assert percent(0, 0) == "–"
