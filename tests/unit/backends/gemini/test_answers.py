"""What becomes of what Gemini says: labels, times of the clip, votes, tokens and cost; odd answers told."""

import pytest

from tests.standins.gemini import MODEL, MODEL_VERSION, blocked, said
from tests.unit.backends.cloud.jobs import SCHEMA, answer_of
from tests.unit.backends.gemini.answers import ALLOWED, GOOD, text
from vvlm_desktop.backends.cloud_options import GeminiOptions
from vvlm_desktop.domain.schema_json import gemini_schema
from vvlm_desktop.errors import CloudError
from vvlm_desktop.video.index import read_index


def ask(jobs, backend, path, gemini, *answers, options=ALLOWED, **request):
    gemini.answers.clear()
    gemini.answers.extend(answers)
    recorder = jobs.add(path, options, **request)
    return jobs.run(backend)[-1], recorder


def test_a_good_answer_becomes_labels_with_the_frames_that_were_looked_at(gemini, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, gemini, text(), options={**ALLOWED, "fps": 2.0})
    answer = answer_of(outcome)
    assert dict(answer.labels) == GOOD
    assert answer.flags == ()
    assert (answer.confidence_kind, set(answer.confidence.values())) == (None, {None})
    index = read_index(short)
    assert answer.frames_pts == tuple(index.pts[index.at_time(k / 2)] for k in range(6))
    assert answer.provenance == "model"


def test_the_request_carries_schema_rate_and_prompt(gemini, jobs, backend, short):
    ask(jobs, backend, short, gemini, text(), options={**ALLOWED, "fps": 7.5})
    (body,) = gemini.asked
    assert body["generationConfig"]["responseJsonSchema"] == gemini_schema(SCHEMA)
    assert body["generationConfig"]["responseMimeType"] == "application/json"
    video, told = body["contents"][0]["parts"]
    assert video["videoMetadata"]["fps"] == 7.5
    assert "7.5 pictures of every second" in told["text"]
    assert "3.00 s long" in told["text"]
    assert "event_type (one value)" in told["text"]


def test_around_a_known_event_it_looks_again_and_more_densely(gemini, jobs, backend, short):
    options = {**ALLOWED, "fps": 1.0, "event_ms": 1500, "event_before_ms": 500, "event_after_ms": 250, "event_fps": 24}
    outcome, _ = ask(jobs, backend, short, gemini, text(), options=options)
    whole, dense, _told = gemini.asked[0]["contents"][0]["parts"]
    assert set(whole["videoMetadata"]) == {"fps"}
    # The SDK writes these names as Python does; the service reads both spellings.
    assert dense["videoMetadata"] == {"fps": 24, "start_offset": "1.000s", "end_offset": "1.750s"}
    index = read_index(short)
    seen = [index.seconds(index.number(pts)) for pts in answer_of(outcome).frames_pts]
    assert len([time for time in seen if 1.0 <= time < 1.75]) == 18
    assert len(seen) == 18 + 2


def test_times_in_a_part_of_the_clip_are_moved_to_the_clip(gemini, jobs, backend, short):
    answer_text = text(event_time={"start_ms": 200, "end_ms": 500})
    outcome, recorder = ask(jobs, backend, short, gemini, answer_text, range_ms=(1000, 2000))
    answer = answer_of(outcome)
    assert answer.labels["event_time"] == {"start_ms": 1200, "end_ms": 1500}
    index = read_index(short)
    assert answer.frames_pts == (index.pts[30], index.pts[45])
    assert "1.0 s to 2.0 s" in recorder.uploads[0].content
    assert "Second 0 of the video is second 1.00" in gemini.asked[0]["contents"][0]["parts"][1]["text"]


def test_a_time_outside_of_what_was_sent_is_told(gemini, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, gemini, text(event_time={"start_ms": 100, "end_ms": 9_000}))
    assert "Event time: the time lies outside of what was sent." in answer_of(outcome).flags


def test_broken_rules_are_flagged(gemini, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, gemini, text(event_type="no_incident"))
    assert "No incident, no time." in answer_of(outcome).flags


def test_an_answer_cut_in_the_middle_is_asked_for_once_more(gemini, jobs, backend, short):
    outcome, recorder = ask(jobs, backend, short, gemini, text()[:40], text())
    answer = answer_of(outcome)
    assert dict(answer.labels) == GOOD
    assert any("second time" in flag for flag in answer.flags)
    assert "could not be read" in gemini.asked[1]["contents"][0]["parts"][-1]["text"]
    assert answer.settings["requests"] == 2
    assert recorder.states == ["sending", "sent", "sending", "sent"]


def test_an_answer_that_stays_unreadable_is_kept_raw_and_flagged(gemini, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, gemini, text()[:40])
    answer = answer_of(outcome)
    assert len(gemini.asked) == 2
    assert (dict(answer.labels), answer.raw_text) == ({}, text()[:40])
    assert any("not JSON" in flag for flag in answer.flags)


def test_an_answer_cut_off_at_the_limit_says_so(gemini, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, gemini, said(text()[:40], finish="MAX_TOKENS"))
    assert any("cut off at the model's limit" in flag for flag in answer_of(outcome).flags)


def test_of_a_wrong_schema_what_can_be_read_is_kept(gemini, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, gemini, '{"event_type":"crash","speed":12}')
    answer = answer_of(outcome)
    assert dict(answer.labels) == {"event_type": "collision"}
    assert len(gemini.asked) == 2
    assert any("does not have the form" in flag for flag in answer.flags)
    assert any("Not answered: Event time, Actions, Description." in flag for flag in answer.flags)


@pytest.mark.parametrize("answer", [blocked(), said("", finish="SAFETY")], ids=["prompt", "answer"])
def test_a_blocked_clip_is_told_plainly_and_not_asked_again(gemini, jobs, backend, short, answer):
    outcome, _ = ask(jobs, backend, short, gemini, answer)
    with pytest.raises(CloudError, match=r"PROHIBITED_CONTENT|SAFETY") as caught:
        answer_of(outcome)
    assert "by hand" in caught.value.hint
    assert len(gemini.asked) == 1


def test_empty_answers_are_an_error(gemini, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, gemini, said(""))
    with pytest.raises(CloudError, match="empty answer, twice"):
        answer_of(outcome)


def test_a_question_is_answered_in_words(gemini, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, gemini, "It was red.", question="Was the light red?", range_ms=(1000, 2000))
    answer = answer_of(outcome)
    assert (answer.kind, answer.question, answer.raw_text) == ("question", "Was the light red?", "It was red.")
    assert dict(answer.labels) == {}
    (body,) = gemini.asked
    assert "responseJsonSchema" not in body["generationConfig"]
    assert "Was the light red?" in body["contents"][0]["parts"][1]["text"]


def test_votes_give_a_confidence_from_one_upload(gemini, jobs, backend, short):
    other = text(event_type="no_incident", event_time=None, actions=["go", "parked"])
    outcome, recorder = ask(jobs, backend, short, gemini, text(), other, text(), options={**ALLOWED, "votes": 3})
    answer = answer_of(outcome)
    assert answer.labels["event_type"] == "collision"
    assert answer.confidence_kind == "votes"
    assert answer.confidence["event_type"] == pytest.approx(2 / 3, abs=1e-4)
    assert answer.confidence["caption"] is None
    assert answer.value_confidence["actions"] == {"go": 1.0, "parked": pytest.approx(1 / 3, abs=1e-4)}
    assert recorder.states == ["sending", "sent", "deleted"]
    assert answer.raw_text.count("next vote") == 2


def test_tokens_and_cost_are_counted_over_all_requests(gemini, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, gemini, "{", text())
    spent = answer_of(outcome).settings
    assert (spent["tokens_in"], spent["tokens_out"], spent["answered_by"]) == (2000, 240, MODEL_VERSION)
    assert spent["cost_usd"] == pytest.approx((2000 * 0.30 + 240 * 2.50) / 1e6)


def test_own_prices_come_first(gemini, jobs, backend, short):
    options = {**ALLOWED, **GeminiOptions(prices={"gemini-": (1.0, 0.0)}).to_json(), "allow_upload": True}
    outcome, _ = ask(jobs, backend, short, gemini, text(), options=options)
    assert answer_of(outcome).settings["cost_usd"] == pytest.approx(0.001)


def test_the_record_says_how_it_was_asked_but_not_the_consent(gemini, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, gemini, text(), options={**ALLOWED, "teacher": True})
    answer = answer_of(outcome)
    assert answer.provenance == "teacher_draft"
    assert answer.model == MODEL
    assert "allow_upload" not in answer.settings
    assert answer.settings["fps"] == 2.0
