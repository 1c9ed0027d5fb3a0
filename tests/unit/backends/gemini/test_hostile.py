"""Answers that Google does not give: never a fault of ours, no pictures to anybody else, no key in what is kept."""

import pytest

from tests.standins.gemini import said
from tests.standins.http_server import Fault, serving
from tests.unit.backends.cloud.jobs import KEY, answer_of, texts_of
from tests.unit.backends.gemini.answers import text
from tests.unit.backends.server.test_hostile import Elsewhere
from vvlm_desktop.backends.cloud_calls import LARGEST_ANSWER_BYTES
from vvlm_desktop.errors import CloudError

DEEP = b'{"candidates":' + b"[" * 300_000


def ask(jobs, backend, path, gemini, answer=None):
    gemini.answers.clear()
    gemini.answers.append(text() if answer is None else answer)
    recorder = jobs.add(path, {"allow_upload": True})
    outcome = jobs.run(backend)[-1]
    assert KEY not in texts_of(outcome, recorder)
    return outcome, recorder


def test_an_upload_goes_to_no_other_computer_than_the_one_that_was_allowed(gemini, jobs, uploading, short):
    with serving(Elsewhere()) as elsewhere:
        away = {"X-Goog-Upload-URL": f"{elsewhere.address}/take", "X-Goog-Upload-Status": "active"}
        gemini.fail("start", Fault(status=200, body={}, headers=away))
        outcome, recorder = ask(jobs, uploading, short, gemini)
        with pytest.raises(CloudError, match="another computer"):
            answer_of(outcome)
        assert elsewhere.seen == []
    assert "sent" not in recorder.states


@pytest.mark.parametrize("kind", ["start", "put", "get", "delete"])
def test_neither_pictures_nor_key_follow_a_redirect(gemini, jobs, uploading, short, kind):
    with serving(Elsewhere()) as elsewhere:
        gemini.fail(kind, *[Fault(status=307, headers={"Location": f"{elsewhere.address}/x"})] * 9)
        ask(jobs, uploading, short, gemini)
        assert elsewhere.seen == []


@pytest.mark.parametrize("body", [DEEP, b"null", b"[]"], ids=["deep", "null", "list"])
def test_a_file_that_is_not_described_is_told_and_deleted(gemini, jobs, uploading, short, body):
    gemini.fail("get", *[Fault(status=200, body=body)] * 9)
    outcome, recorder = ask(jobs, uploading, short, gemini)
    with pytest.raises(CloudError, match="could not be understood"):
        answer_of(outcome)
    assert recorder.states[-1] == "deleted"
    assert not gemini.stored


def test_an_answer_that_is_too_deep_is_told(gemini, jobs, backend, short):
    gemini.fail("generate", Fault(status=200, body=DEEP))
    with pytest.raises(CloudError, match="could not be understood"):
        answer_of(ask(jobs, backend, short, gemini)[0])


@pytest.mark.parametrize("kind", ["start", "put", "get", "generate"])
def test_answer_without_measure_is_not_read_and_nothing_stays(gemini, jobs, uploading, short, kind):
    gemini.fail(kind, Fault(status=200, body=b" " * (LARGEST_ANSWER_BYTES + 1)))
    with pytest.raises(CloudError, match="the answer is larger than 8 MB"):
        answer_of(ask(jobs, uploading, short, gemini)[0])
    assert {seen.headers["accept-encoding"] for seen in gemini.seen} == {"identity"}
    assert not gemini.stored


NO_CONFIRMATION = [
    *[Fault(status=200, body=body) for body in (b"null", b"[]", b"5", b"<html>Sign in</html>", DEEP)],
    *[Fault(status=status) for status in (202, 304, 307)],
]


@pytest.mark.parametrize("fault", NO_CONFIRMATION, ids=lambda fault: f"{fault.status} {str(fault.body)[:9]}")
def test_deletion_that_is_not_confirmed_does_not_count(gemini, jobs, uploading, short, fault):
    gemini.fail("delete", *[fault] * 3)
    outcome, recorder = ask(jobs, uploading, short, gemini)
    assert any("could not be deleted" in flag for flag in answer_of(outcome).flags)
    assert recorder.states == ["sending", "sent"]
    assert len(gemini.stored) == 1


def test_deletion_confirmed_without_a_word_counts(gemini, jobs, uploading, short):
    gemini.fail("delete", Fault(status=200, body=b""))
    assert ask(jobs, uploading, short, gemini)[1].states == ["sending", "sent", "deleted"]


def test_the_key_in_an_answer_is_not_kept(gemini, jobs, backend, short):
    answer = answer_of(ask(jobs, backend, short, gemini, {**said(text() + KEY), "modelVersion": KEY})[0])
    assert answer.raw_text.endswith("[key]")
    assert answer.settings["answered_by"] == "[key]"


@pytest.mark.parametrize("counted", [None, {}, {"promptTokenCount": -(10**30)}], ids=str)
def test_tokens_that_are_not_told_do_not_cost_nothing(gemini, jobs, backend, short, counted):
    answer = answer_of(ask(jobs, backend, short, gemini, {**said(text()), "usageMetadata": counted})[0])
    assert answer.settings["cost_usd"] is None
