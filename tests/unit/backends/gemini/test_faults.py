"""Whatever goes wrong at Google's end: a plain message or a right result; nothing stays, the key shows nowhere."""

import re
import threading
import time

import pytest

from tests.patience import within
from tests.standins.gemini import MODEL
from tests.standins.http_server import Fault
from tests.unit.backends.cloud.jobs import KEY, answer_of, texts_of
from tests.unit.backends.gemini.answers import ALLOWED, GOOD, text
from vvlm_desktop.backends.base import Answer
from vvlm_desktop.backends.cloud_options import upload_name
from vvlm_desktop.errors import CloudAccessError, CloudError, ConsentError, JobCancelledError

ECHO = {"error": {"code": 400, "message": f"API key not valid: {KEY}", "details": [{"key": KEY}]}}


def error(status, message="no"):
    return Fault(status=status, body={"error": {"code": status, "message": message, "status": "X"}})


def upload(jobs, backend, gemini, path, *, options=ALLOWED):
    gemini.answers.clear()
    gemini.answers.append(text())
    recorder = jobs.add(path, options)
    outcome = jobs.run(backend)[-1]
    assert gemini.stored == {}, "something stayed there"
    assert KEY not in texts_of(outcome, recorder)
    assert all(KEY not in seen.path for seen in gemini.seen)
    return outcome, recorder


def test_an_upload_is_deleted_after_the_answer_and_told_in_order(gemini, jobs, uploading, short):
    outcome, recorder = upload(jobs, uploading, gemini, short)
    assert dict(answer_of(outcome).labels) == GOOD
    assert recorder.states == ["sending", "sent", "deleted"]
    (stored,) = gemini.ever_stored
    assert {each.remote for each in recorder.uploads} == {stored.name}
    assert stored.name.startswith("files/vvlm-")
    assert len(stored.data) == recorder.uploads[0].size_bytes
    assert recorder.stages.index("uploading 100 %") < recorder.stages.index("asking Gemini")
    assert {"prepare_s", "upload_s", "wait_s", "generate_s"} <= set(answer_of(outcome).timings)


def test_nobody_at_the_address_of_an_upload_gets_a_byte(gemini, jobs, uploading, short, monkeypatch):
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:9")
    _, recorder = upload(jobs, uploading, gemini, short)
    assert recorder.states == ["sending", "refused"] * 5
    assert recorder.uploads[1].remote is None


def test_the_first_name_of_an_upload_follows_from_the_request(gemini, jobs, uploading, short):
    upload(jobs, uploading, gemini, short)
    assert [each.name for each in gemini.ever_stored] == [upload_name("job-0")]


@pytest.mark.parametrize("request_id", ["a" * 32, "A/b c", "ü" * 99, ""])
def test_every_request_has_a_name_that_the_service_takes(request_id):
    assert re.fullmatch(r"files/[a-z0-9][a-z0-9-]{0,38}[a-z0-9]", upload_name(request_id, 12))


def test_the_ledger_hears_of_it_before_the_first_byte(gemini, jobs, uploading, short):
    gemini.fail("start", Fault(cut=True), Fault(cut=True), Fault(cut=True), Fault(cut=True), Fault(cut=True))
    outcome, recorder = upload(jobs, uploading, gemini, short)
    assert isinstance(outcome, CloudError)
    assert recorder.states == ["sending", "failed"] * 5
    assert not gemini.ever_stored


@pytest.mark.parametrize("kind", ["start", "put", "get", "generate"])
@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_that_passes_is_waited_out(gemini, jobs, uploading, short, kind, status):
    gemini.fail(kind, error(status), error(status))
    outcome, recorder = upload(jobs, uploading, gemini, short)
    assert dict(answer_of(outcome).labels) == GOOD
    assert recorder.states[-1] == "deleted"


def test_retry_after_is_honoured(gemini, jobs, uploading, short, clock):
    gemini.fail("generate", Fault(status=429, body={}, headers={"Retry-After": "37"}))
    outcome, _ = upload(jobs, uploading, gemini, short)
    assert isinstance(outcome, Answer)
    assert 37 <= clock.now() < 45


def test_google_s_own_retry_delay_is_honoured(gemini, jobs, uploading, short, clock):
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "23s"}]
    gemini.fail("generate", Fault(status=429, body={"error": {"code": 429, "message": "slow", "details": details}}))
    upload(jobs, uploading, gemini, short)
    assert 23 <= clock.now() < 31


def test_a_pause_of_hours_is_told_instead_of_waited_for(gemini, jobs, uploading, short, clock):
    gemini.fail("generate", Fault(status=429, body={}, headers={"Retry-After": "40000"}))
    outcome, _ = upload(jobs, uploading, gemini, short)
    with pytest.raises(CloudError, match="quota"):
        answer_of(outcome)
    assert clock.now() < 60


def test_trouble_that_stays_is_told_of_this_clip_alone(gemini, jobs, uploading, short):
    gemini.fail("generate", *[error(503)] * 5)
    outcome, recorder = upload(jobs, uploading, gemini, short)
    with pytest.raises(CloudError, match=r"Google's server has trouble \(503\)"):
        answer_of(outcome)
    assert not isinstance(outcome, CloudAccessError)
    assert recorder.states == ["sending", "sent", "deleted"]


def test_a_video_that_is_never_ready_is_given_up_and_deleted(gemini, jobs, uploading, short, clock):
    gemini.states = ["PROCESSING"]
    outcome, recorder = upload(jobs, uploading, gemini, short, options={**ALLOWED, "active_deadline_s": 90})
    with pytest.raises(CloudError, match="had not read the video after 90 s"):
        answer_of(outcome)
    assert 90 <= clock.now() < 100
    assert recorder.states == ["sending", "sent", "deleted"]


def test_waiting_for_a_video_does_not_use_up_the_requests_a_minute(gemini, jobs, uploading, short, clock):
    gemini.states = [*["PROCESSING"] * 20, "ACTIVE"]
    outcome, _ = upload(jobs, uploading, gemini, short, options={**ALLOWED, "per_minute": 1})
    assert isinstance(outcome, Answer)
    assert clock.now() < 45


def test_a_video_that_google_cannot_read_is_told_and_deleted(gemini, jobs, uploading, short):
    gemini.states = ["PROCESSING", "FAILED"]
    outcome, _ = upload(jobs, uploading, gemini, short)
    with pytest.raises(CloudError, match="could not read the video"):
        answer_of(outcome)


def test_a_connection_cut_in_the_upload_is_taken_up_again_under_a_new_name(gemini, jobs, uploading, short):
    gemini.fail("put", Fault(cut=True))
    outcome, recorder = upload(jobs, uploading, gemini, short)
    assert isinstance(outcome, Answer)
    assert recorder.states == ["sending", "failed", "sending", "sent", "deleted"]
    assert recorder.uploads[0].remote != recorder.uploads[2].remote


def test_an_upload_that_arrived_though_nobody_heard_of_it_is_deleted(gemini, jobs, uploading, short):
    gemini.fail("put", Fault(cut_after=True))
    upload(jobs, uploading, gemini, short)
    assert len(gemini.ever_stored) == 2


def test_a_deletion_that_fails_is_tried_again(gemini, jobs, uploading, short):
    gemini.fail("delete", error(500), Fault(cut=True))
    _, recorder = upload(jobs, uploading, gemini, short)
    assert recorder.states == ["sending", "sent", "deleted"]


def test_a_deletion_that_keeps_failing_is_told_and_its_name_is_known(gemini, jobs, uploading, short):
    gemini.fail("delete", *[error(500)] * 3)
    gemini.answers[0] = text()
    recorder = jobs.add(short, ALLOWED)
    (outcome,) = jobs.run(uploading)
    assert any("could not be deleted" in flag for flag in answer_of(outcome).flags)
    assert recorder.states == ["sending", "sent"]
    assert recorder.uploads[-1].remote in gemini.stored


def test_a_left_over_after_an_error_is_told_with_the_error(gemini, jobs, uploading, short):
    gemini.fail("delete", *[error(500)] * 3)
    gemini.states = ["FAILED"]
    jobs.add(short, ALLOWED)
    (outcome,) = jobs.run(uploading)
    assert isinstance(outcome, CloudError)
    assert "could not be deleted" in outcome.hint


def test_a_server_that_drips_does_not_hold_the_clip_for_ever(gemini, jobs, uploading, short):
    gemini.fail("generate", Fault(drip_s=0.02))
    options = {**ALLOWED, "answer_timeout_s": 0.3}
    began = time.monotonic()
    outcome, _ = upload(jobs, uploading, gemini, short, options=options)
    with pytest.raises(CloudError, match="did not answer in time"):
        answer_of(outcome)
    assert time.monotonic() - began < within(3)


@pytest.mark.parametrize("fault", [error(401), error(403), Fault(status=400, body=ECHO)], ids=["401", "403", "400"])
def test_a_wrong_key_is_told_without_showing_it(gemini, jobs, uploading, short, fault):
    gemini.fail("start", fault)
    outcome, _ = upload(jobs, uploading, gemini, short)
    with pytest.raises(CloudAccessError, match="did not accept the key"):
        answer_of(outcome)


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("get", error(404)),
        ("get", error(403)),
        ("generate", error(403, "You do not have permission to access the File x or it may not exist.")),
    ],
    ids=["404", "403", "asked about"],
)
def test_an_upload_that_is_gone_is_neither_a_wrong_key_nor_a_missing_model(gemini, jobs, uploading, short, kind, fault):
    gemini.fail(kind, fault)
    outcome, _ = upload(jobs, uploading, gemini, short)
    with pytest.raises(CloudError, match="does not have the uploaded video"):
        answer_of(outcome)
    assert not isinstance(outcome, CloudAccessError)


def test_a_model_that_is_not_there_is_named(gemini, jobs, backend, short):
    outcome, _ = upload(jobs, backend, gemini, short, options={**ALLOWED, "model": "gemini-9"})
    with pytest.raises(CloudAccessError, match="no model gemini-9"):
        answer_of(outcome)


def test_nobody_at_the_address_is_told(gemini, jobs, backend, short, monkeypatch):
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:9")
    outcome, recorder = upload(jobs, backend, gemini, short)
    with pytest.raises(CloudAccessError, match="cannot be reached"):
        answer_of(outcome)
    assert recorder.states == ["sending", "refused"] * 5


def test_an_answer_that_is_no_api_s_is_told(gemini, jobs, backend, short):
    gemini.fail("generate", Fault(status=200, body=b"<html>hotel wifi</html>"))
    outcome, _ = upload(jobs, backend, gemini, short)
    with pytest.raises(CloudError, match="could not be understood"):
        answer_of(outcome)


@pytest.mark.parametrize("allowed", [False, None, "", 1])
def test_without_consent_nothing_is_opened(gemini, jobs, backend, short, allowed):
    outcome, recorder = upload(jobs, backend, gemini, short, options={"allow_upload": allowed})
    assert isinstance(outcome, ConsentError)
    assert (gemini.seen, recorder.messages) == ([], [])


def test_without_a_key_nothing_is_sent(gemini, jobs, backend, short):
    jobs.add(short, ALLOWED, secrets={})
    (outcome,) = jobs.run(backend)
    assert isinstance(outcome, CloudAccessError)
    assert "GEMINI_API_KEY" in outcome.hint
    assert gemini.seen == []


def test_a_key_would_not_travel_in_the_open(gemini, jobs, backend, short, monkeypatch):
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://proxy.example/v1")
    outcome, _ = upload(jobs, backend, gemini, short)
    with pytest.raises(CloudAccessError, match="not an https address"):
        answer_of(outcome)


def test_the_key_travels_in_the_header_only(gemini, jobs, uploading, short):
    upload(jobs, uploading, gemini, short)
    for seen in gemini.seen:
        assert KEY.encode() not in seen.body
        assert KEY not in seen.path
        others = {name: value for name, value in seen.headers.items() if name != "x-goog-api-key"}
        assert KEY not in str(others)


@pytest.mark.parametrize("kind", ["put", "get", "generate"])
def test_cancel_ends_within_a_second_and_leaves_nothing(gemini, jobs, uploading, short, kind):
    gemini.fail(kind, Fault(hang=True))
    recorder = jobs.add(short, ALLOWED)
    ended = []
    threading.Timer(0.3, lambda: (ended.append(time.monotonic()), recorder.cancel.set())).start()
    (outcome,) = jobs.run(uploading)
    assert isinstance(outcome, JobCancelledError)
    assert time.monotonic() - ended[0] < within(1.0)
    assert gemini.stored == {}


def test_one_clip_that_fails_takes_no_other_along(gemini, jobs, backend, short, tmp_path):
    gemini.answers[0] = text()
    (tmp_path / "text.mp4").write_text("no video")
    for path in (short, tmp_path / "text.mp4", short):
        jobs.add(path, ALLOWED)
    outcomes = jobs.run(backend)
    assert [isinstance(each, Answer) for each in outcomes] == [True, False, True]
    assert MODEL in gemini.seen[-1].path
