"""Who answered about which clips, and what is counted of two of them; without a window."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.workflow.conftest import put_answer, put_clip
from vvlm_desktop.domain.fold import verdict_to_json
from vvlm_desktop.domain.review import NewEvent, Verdict
from vvlm_desktop.errors import JobCancelledError
from vvlm_desktop.store.records import ClipFilter
from vvlm_desktop.workflow.agreement import SILENT, Tally, values_in
from vvlm_desktop.workflow.answerers import Source, find_answerers, read_pair, sources_of, tally_of

BASE, TUNED = Source("local", "M"), Source("local", "M", "fleet")
NEAR_MISS = {
    "event_type": "near_miss",
    "event_time": {"start_ms": 1000, "end_ms": 1500},
    "conflict_with": "car",
    "cause_of_risk": ["late_reaction"],
    "weather": "clear",
    "caption": "A car cuts in.",
}


@pytest.fixture
def clip(session) -> Callable:
    return lambda name: put_clip(session, name)


@pytest.fixture
def answer(session) -> Callable:
    """An answer of the model M, each time another one."""
    made = iter(range(100))

    def put(clip, *, labels=None, **changes):
        said = {key: value for key, value in {**NEAR_MISS, **(labels or {})}.items() if value != "–"}
        values = {"backend": "local", "model": "M", "prompt_sha": "p", "frames_pts": (0, 512, 1024), **changes}
        values.setdefault("settings", {"precision": "bf16", "frames": 3})
        return put_answer(session, clip, said, raw_text=str(next(made)), **values)

    return put


@pytest.fixture
def settle(session) -> Callable:
    """A settled review: field → (verdict, value, how)."""

    def put(clip, **verdicts):
        events = []
        for field, (kind, value, how, said) in verdicts.items():
            after = verdict_to_json(Verdict(kind, value, how, model_value=said, model_answered=True))
            payload = {"field": field, "before": None, "after": after}
            events.append(NewEvent("verdict", clip.id, "Ann", session.schema.key, payload))
        status = {"before": "in_review", "after": "reviewed", "reason": None, "words": None, "broken_rules": []}
        events.append(NewEvent("status", clip.id, "Ann", session.schema.key, status))
        session.library.append(events)

    return put


@pytest.fixture
def three(clip, answer, settle):
    """Three clips: one where nothing differs, one with another weather, one with another event, reviewed."""
    same, weather, event = (clip(f"{name}.mp4") for name in ("same", "weather", "event"))
    for each in (same, weather, event):
        answer(each)
    answer(same, adapter="fleet")
    answer(weather, adapter="fleet", labels={"weather": "rain"})
    answer(event, adapter="fleet", labels={"event_type": "collision", "weather": "rain"})
    settle(
        event,
        event_type=("corrected", "collision", "explicit", "near_miss"),
        weather=("accepted", "clear", "bulk", "clear"),
    )
    return same, weather, event


def tally(session, wanted: ClipFilter | None = None) -> Tally:
    return tally_of(session, (BASE, TUNED), wanted=session.library.clip_rowids(wanted))


def test_answerers_are_told_apart_by_model_adapter_and_age(session, clip, answer):
    one = clip("a.mp4")
    older, newer = answer(one), answer(one)
    tuned = answer(one, adapter="fleet")
    found = sources_of(session.library.analyses(one.id), schema=session.schema)
    assert {source: each.id for source, each in found.items()} == {
        BASE: newer.id,
        Source("local", "M", None, "model", 1): older.id,
        TUNED: tuned.id,
    }
    assert [source.title for source in found] == ["M + fleet", "M", "M, the answer before"]


def test_questions_and_other_schemas_are_no_answers_to_compare(session, clip, answer):
    one = clip("a.mp4")
    answer(one, kind="question", question="Who braked?")
    answer(one, schema_key="dashcam-0")
    assert sources_of(session.library.analyses(one.id), schema=session.schema) == {}


def test_model_and_its_adapter_are_suggested_with_the_model_first(session, clip, answer):
    for number in range(3):
        one = clip(f"{number}.mp4")
        answer(one, backend="signals", model="signals-1", provenance="measurement")
        answer(one)
        if number == 0:
            answer(one, adapter="fleet")
    answerers = find_answerers(session)
    assert answerers.suggested() == (BASE, TUNED)
    assert answerers.shared_by(TUNED, BASE) == 1
    measured = Source("signals", "signals-1", None, "measurement")
    assert answerers.partners(measured) == [BASE, TUNED]
    assert measured.title == "signals-1 (measured)"


def test_measured_stands_left_where_there_is_one_model_only(session, clip, answer):
    one = clip("a.mp4")
    answer(one)
    answer(one, backend="signals", model="signals-1", provenance="measurement")
    assert [source.backend for source in find_answerers(session).suggested()] == ["signals", "local"]


def test_nothing_is_suggested_where_no_clip_has_two_answers(session, clip, answer):
    answer(clip("a.mp4"))
    answer(clip("b.mp4"), adapter="fleet")
    answerers = find_answerers(session)
    assert answerers.suggested() is None
    assert answerers.comparable == []
    assert set(answerers.clips) == {BASE, TUNED}


def test_agreement_counts_both_answered_and_judged(session, three):
    found = tally(session)
    weather, event = found.fields["weather"], found.fields["event_type"]
    assert (weather.n, weather.agree) == (3, 1)
    assert (event.n, event.agree) == (3, 2)
    assert (weather.judged, weather.a_right, weather.b_right) == (1, 1, 0)
    assert (event.judged, event.a_right, event.b_right) == (1, 0, 1)
    assert found.fields["conflict_with"].agree == 3
    assert "caption" not in found.fields
    assert (found.truths, found.differing, found.unfair) == (1, 2, 0)
    assert [row.key for row in found.rows()][:2] == ["weather", "event_type"]


def test_clips_that_differ_in_the_event_come_first(session, three):
    same, weather, event = three
    lines = tally(session).lines
    assert [line.clip_id for line in lines] == [event.id, weather.id, same.id]
    assert lines[0].differing == ("event_type", "weather")
    assert lines[0].reviewed


def test_matrix_has_a_place_for_what_was_not_answered(session, clip, answer):
    one = clip("a.mp4")
    answer(one)
    answer(one, adapter="fleet", labels={"event_type": "–"})
    found = tally(session)
    counts = found.matrix("event_type")
    assert counts == {("near_miss", SILENT): 1}
    assert values_in(session.schema.field("event_type"), counts) == ["near_miss", SILENT]
    assert found.fields["event_type"].n == 0


def test_verdicts_given_unseen_say_nobody_is_right(session, clip, answer, settle):
    one = clip("a.mp4")
    answer(one)
    answer(one, adapter="fleet")
    settle(one, event_type=("accepted", "near_miss", "bulk_unseen", "near_miss"))
    found = tally(session)
    assert found.fields["event_type"].judged == 0


def test_clip_without_one_of_the_answers_is_no_pair(session, clip, answer):
    one = clip("a.mp4")
    answer(one)
    assert read_pair(session, one, (BASE, TUNED)) is None


def test_reading_can_be_stopped(session, three):
    with pytest.raises(JobCancelledError):
        find_answerers(session, cancelled=lambda: True)
    with pytest.raises(JobCancelledError):
        tally_of(session, (BASE, TUNED), wanted=[1, 2, 3], cancelled=lambda: True)


def test_answers_both_gave_to_the_same_rejected_value_are_both_wrong(session, clip, answer, settle):
    one = clip("a.mp4")
    answer(one)
    answer(one, adapter="fleet", labels={"weather": "rain"})
    settle(
        one,
        event_type=("rejected", None, "explicit", "near_miss"),
        weather=("rejected", None, "explicit", "clear"),
    )
    found = tally(session)
    event, weather = found.fields["event_type"], found.fields["weather"]
    assert (event.judged, event.a_right, event.b_right) == (1, 0, 0)
    assert weather.judged == 0  # the other one said something else, and nobody knows whether that was right
    right = {each.field.key: each.right for each in read_pair(session, one, (BASE, TUNED)).fields}
    assert (right["weather"], right["event_type"]) == ((False, None), (False, False))


def test_only_wanted_clips_are_counted(session, three):
    same, weather, _event = (session.library.rowid_of(each.id) for each in three)
    assert len(tally_of(session, (BASE, TUNED), wanted=[same, weather]).lines) == 2
    assert find_answerers(session, wanted=[same]).clips == {BASE: 1, TUNED: 1}
    assert find_answerers(session, wanted=[]).suggested() is None
    assert {line.clip_id for line in tally(session, ClipFilter(status=("reviewed",))).lines} == {three[2].id}


def test_counting_many_and_reading_one_agree(session, three):
    lines = {line.clip_id: line for line in tally(session).lines}
    for each in three:
        pair = read_pair(session, each, (BASE, TUNED))
        assert set(lines[each.id].differing) == {
            field.field.key for field in pair.fields if field.standing == "differs"
        }
        assert lines[each.id].reviewed is (pair.truth_by is not None)


def test_scripts_that_were_waved_through_say_nobody_is_right(session, clip, answer):
    from vvlm_desktop.workflow import review

    one = clip("a.mp4")
    answer(one)
    answer(one, adapter="fleet")
    answer(one, provenance="demo_script", backend="demo", model="script")
    review.accept_rest(session, one.id, window_seen=True)
    assert tally(session).fields["weather"].judged == 0
