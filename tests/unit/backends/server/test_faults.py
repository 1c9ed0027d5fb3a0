"""Whatever goes wrong with a server: a plain message, and the key shows nowhere."""

import threading
import time

import pytest

from tests.patience import within
from tests.standins.http_server import Fault
from tests.unit.backends.cloud.jobs import KEY, answer_of, texts_of
from tests.unit.backends.gemini.answers import text
from vvlm_desktop.backends.base import Answer
from vvlm_desktop.errors import CloudAccessError, CloudError, ConsentError, JobCancelledError


def ask(jobs, backend, path, server, *, secrets=None, **options):
    server.answers.clear()
    server.answers.append(text())
    given = {"base_url": server.base_url, "allow_upload": True, "sampling": {"frames": 4}, **options}
    recorder = jobs.add(path, given, backend="server", secrets=secrets)
    outcome = jobs.run(backend)[-1]
    assert KEY not in texts_of(outcome, recorder)
    return outcome, recorder


def refusal(message, status=400):
    return Fault(status=status, body={"error": {"message": message, "type": "BadRequestError"}})


@pytest.mark.parametrize("kind", ["models", "probe", "chat"])
@pytest.mark.parametrize(
    "fault", [refusal("busy", 429), refusal("oops", 503), Fault(cut=True)], ids=["429", "503", "cut"]
)
def test_trouble_that_passes_is_waited_out(server, jobs, backend, short, kind, fault):
    server.fail(kind, fault, fault)
    outcome, _ = ask(jobs, backend, short, server)
    assert isinstance(outcome, Answer)


def test_retry_after_is_honoured(server, jobs, backend, short, clock):
    server.fail("chat", Fault(status=429, body={}, headers={"Retry-After": "19"}))
    outcome, recorder = ask(jobs, backend, short, server)
    assert isinstance(outcome, Answer)
    assert 19 <= clock.now() < 25
    assert recorder.states == ["sending", "sent"] * 2


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("This model's maximum context length is 4096 tokens", "does not fit into the model's context"),
        ("At most 4 image(s) may be provided in one prompt.", "does not take so many pictures"),
        ("tiny-vlm is not a multimodal model", "cannot see pictures"),
    ],
)
def test_refusals_that_a_person_can_act_on_are_told_at_once(server, jobs, backend, short, message, expected):
    server.fail("chat", refusal(message))
    outcome, _ = ask(jobs, backend, short, server)
    with pytest.raises(CloudError, match=expected):
        answer_of(outcome)
    assert not server.asked


def test_a_refusal_of_everything_is_told_in_the_server_s_words(server, jobs, backend, short):
    server.refuses = ("model",)
    outcome, _ = ask(jobs, backend, short, server)
    with pytest.raises(CloudError, match="refused the request: unknown: model"):
        answer_of(outcome)


def test_a_wrong_key_is_told_without_showing_it(server, jobs, backend, short):
    server.key = "another"
    outcome, _ = ask(jobs, backend, short, server, model="tiny-vlm")
    with pytest.raises(CloudAccessError, match="did not accept the key"):
        answer_of(outcome)


def test_the_key_of_the_request_is_used(server, jobs, backend, short):
    server.key = KEY
    outcome, _ = ask(jobs, backend, short, server)
    assert isinstance(outcome, Answer)
    assert all(KEY not in seen.path and KEY.encode() not in seen.body for seen in server.seen)


def test_a_key_for_openai_goes_to_nobody_else(server, jobs, backend, short, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-somebody-s")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-somebody-s")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-somebody-s")
    ask(jobs, backend, short, server, secrets={})
    assert "somebody-s" not in str([seen.headers for seen in server.seen])


def test_the_key_of_the_environment_is_used(server, jobs, backend, short, monkeypatch):
    server.key = "of-the-environment"
    monkeypatch.setenv("VVLM_SERVER_KEY", "of-the-environment")
    outcome, _ = ask(jobs, backend, short, server, secrets={})
    assert isinstance(outcome, Answer)


def test_a_model_that_is_not_there_is_named(server, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, server, model="gpt-9")
    with pytest.raises(CloudAccessError, match="has no model gpt-9"):
        answer_of(outcome)


def test_nobody_at_the_address_is_told_at_once(server, jobs, backend, short, clock):
    outcome, _ = ask(jobs, backend, short, server, base_url="http://127.0.0.1:9/v1")
    with pytest.raises(CloudAccessError, match=r"cannot be reached at 127\.0\.0\.1:9"):
        answer_of(outcome)
    assert clock.now() == 0


@pytest.mark.parametrize("address", ["10.0.0.7:8000", "ftp://x/v1", "http://", "http://user:pw@host/v1"])
def test_an_address_that_is_none_is_told(server, jobs, backend, short, address):
    outcome, _ = ask(jobs, backend, short, server, base_url=address)
    with pytest.raises(CloudAccessError, match="address"):
        answer_of(outcome)
    assert not server.seen


def test_no_address_is_told(server, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, server, base_url="")
    with pytest.raises(CloudAccessError, match="No VLM server is set"):
        answer_of(outcome)


def test_a_web_page_is_no_answer(server, jobs, backend, short):
    server.fail("chat", Fault(status=200, body=b"<html>hotel wifi</html>"))
    outcome, _ = ask(jobs, backend, short, server)
    assert isinstance(outcome, CloudError)


def test_a_server_that_drips_does_not_hold_the_clip_for_ever(server, jobs, backend, short):
    server.fail("chat", Fault(drip_s=0.02))
    began = time.monotonic()
    outcome, _ = ask(jobs, backend, short, server, timeout_s=0.3)
    with pytest.raises(CloudError, match="did not answer in time"):
        answer_of(outcome)
    assert time.monotonic() - began < within(3)


def test_without_consent_nothing_is_opened(server, jobs, backend, short):
    outcome, recorder = ask(jobs, backend, short, server, allow_upload=False)
    assert isinstance(outcome, ConsentError)
    assert (server.seen, recorder.messages) == ([], [])


def test_cancel_ends_within_a_second(server, jobs, backend, short):
    server.fail("chat", Fault(hang=True))
    recorder = jobs.add(short, {"base_url": server.base_url, "allow_upload": True}, backend="server")
    ended = []
    threading.Timer(0.3, lambda: (ended.append(time.monotonic()), recorder.cancel.set())).start()
    (outcome,) = jobs.run(backend)
    assert isinstance(outcome, JobCancelledError)
    assert time.monotonic() - ended[0] < within(1.0)
    assert recorder.states == ["sending", "failed"]


def test_requests_overlap_so_that_the_server_can_batch(server, jobs, backend, short):
    server.latency_s = 0.1
    server.answers[0] = text()
    for _ in range(6):
        jobs.add(
            short,
            {"base_url": server.base_url, "allow_upload": True, "sampling": {"frames": 2}, "concurrency": 3},
            backend="server",
        )
    outcomes = jobs.run(backend)
    assert all(isinstance(each, Answer) for each in outcomes)
    assert 2 <= server.most_at_once <= 3
