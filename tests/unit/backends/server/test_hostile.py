"""A server that answers nonsense, or means harm: a plain message, an answer kept as it came, never a fault of ours."""

import gzip
import json

import pytest

from tests.standins.http_server import Fault, Standin, serving
from tests.standins.openai import said
from tests.unit.backends.cloud.jobs import KEY, answer_of, texts_of
from tests.unit.backends.gemini.answers import text
from vvlm_desktop.backends.base import Answer
from vvlm_desktop.backends.cloud_calls import LARGEST_ANSWER_BYTES
from vvlm_desktop.errors import CloudError


class Elsewhere(Standin):
    """Notes whoever comes."""

    def kind_of(self, method, path, headers):
        return "any"

    def respond(self, kind, seen):
        return 200, {}, {}


def ask(jobs, backend, path, server, answer, **options):
    server.answers.clear()
    server.answers.append(answer)
    given = {"base_url": server.base_url, "allow_upload": True, "sampling": {"frames": 2}, **options}
    recorder = jobs.add(path, given, backend="server")
    outcome = jobs.run(backend)[-1]
    assert KEY not in texts_of(outcome, recorder)
    return outcome, recorder


def changed(**changes):
    """A right answer with other parts."""
    answer = said(text())
    first = answer["choices"][0]
    for name, value in changes.items():
        place = answer if name in answer else first["message"] if name in ("content", "refusal") else first
        place[name] = value
    return answer


def token(**changes):
    return {"content": [{"token": "{", "bytes": [123], "logprob": -0.1, **changes}]}


@pytest.mark.parametrize(
    "changes",
    [
        {"usage": {"prompt_tokens": "500", "completion_tokens": None}},
        {"usage": {"prompt_tokens": float("nan"), "completion_tokens": -3}},
        {"usage": [1]},
        {"model": {"a": 1}},
        {"logprobs": token(logprob="x")},
        {"logprobs": token(logprob=None)},
        {"logprobs": token(bytes=[300])},
        {"logprobs": token(bytes=10**12)},
        {"logprobs": {"content": 5}},
        {"logprobs": "much"},
    ],
    ids=str,
)
def test_odd_parts_beside_the_answer_do_not_cost_it(server, jobs, backend, short, changes):
    outcome, _ = ask(jobs, backend, short, server, changed(**changes))
    answer = answer_of(outcome)
    assert len(answer.labels) == 4
    assert answer.confidence_kind is None
    json.dumps(answer.to_json(), allow_nan=False)


@pytest.mark.parametrize("changes", [{"choices": {"a": 1}}, {"choices": [None]}, {"message": "hi"}], ids=str)
def test_an_answer_without_an_answer_is_told(server, jobs, backend, short, changes):
    outcome, recorder = ask(jobs, backend, short, server, changed(**changes))
    with pytest.raises(CloudError, match="without an answer"):
        answer_of(outcome)
    assert recorder.states == ["sending", "sent"]


BODIES = {
    "deep": b'{"choices":' + b"[" * 300_000,
    "long number": b'{"id":' + b"9" * 10_000 + b"}",
    "no text": b"\xff\xfe\x00",
    "html": b"<html>Sign in to the network</html>",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_is_no_json_is_told_and_gets_no_pictures(server, jobs, backend, short, body):
    server.fail("chat", Fault(status=200, body=body))
    outcome, recorder = ask(jobs, backend, short, server, text())
    with pytest.raises(CloudError, match="could not be understood"):
        answer_of(outcome)
    assert recorder.states == ["sending", "sent"]

    server.fail("probe", Fault(status=200, body=body))
    again, asked_before = type(backend)(), len(server.asked)
    outcome, recorder = ask(jobs, again, short, server, text())
    with pytest.raises(CloudError, match="could not be understood"):
        answer_of(outcome)
    assert recorder.states == []
    assert len(server.asked) == asked_before


@pytest.mark.parametrize("body", [*BODIES.values(), b"null", b"[]", b'"x"'], ids=[*BODIES, "null", "list", "text"])
def test_a_model_list_that_is_none_is_told(server, jobs, backend, short, body):
    server.fail("models", Fault(status=200, body=body))
    outcome, _ = ask(jobs, backend, short, server, text())
    with pytest.raises(CloudError, match="no model list"):
        answer_of(outcome)


def test_half_characters_and_the_key_are_not_kept(server, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, server, said('{"speed": "\ud800"} ' + KEY))
    answer = answer_of(outcome)
    assert "[key]" in answer.raw_text
    answer.raw_text.encode("utf-8")


def test_a_refusal_with_the_key_and_control_characters_is_cleaned(server, jobs, backend, short):
    outcome, _ = ask(jobs, backend, short, server, changed(refusal=f"\x1b[31mno {KEY}"))
    with pytest.raises(CloudError) as caught:
        answer_of(outcome)
    assert str(caught.value) == "The model refused: [31mno [key]"


def test_braces_without_end_do_not_hold_up_the_worker(server, jobs, backend, short):
    """Looking for an object anew behind each brace once took time with the square of the text."""
    outcome, _ = ask(jobs, backend, short, server, said("{ " * 1_000_000))
    assert isinstance(outcome, Answer)
    assert not outcome.labels


@pytest.mark.parametrize("kind", ["models", "probe", "chat"])
@pytest.mark.parametrize("status", [200, 400])
def test_answer_without_measure_is_not_read(server, jobs, backend, short, clock, kind, status):
    server.fail(kind, *[Fault(status=status, body=b" " * (LARGEST_ANSWER_BYTES + 1))] * 2)
    outcome, _ = ask(jobs, backend, short, server, text())
    with pytest.raises(CloudError, match="the answer is larger than 8 MB"):
        answer_of(outcome)
    assert len(server.faults[kind]) == 1, "it was asked again"
    assert clock.now() == 0


def test_answer_of_just_the_largest_size_is_read(server, jobs, backend, short):
    right = json.dumps(said(text())).encode()
    server.fail("chat", Fault(status=200, body=right + b" " * (LARGEST_ANSWER_BYTES - len(right))))
    assert len(answer_of(ask(jobs, backend, short, server, text())[0]).labels) == 4


def test_packed_answer_is_neither_asked_for_nor_unpacked(server, jobs, backend, short):
    body = gzip.compress(json.dumps(said(text())).encode())
    server.fail("chat", Fault(status=200, body=body, headers={"Content-Encoding": "gzip"}))
    outcome, _ = ask(jobs, backend, short, server, text())
    with pytest.raises(CloudError, match="compressed"):
        answer_of(outcome)
    assert {seen.headers["accept-encoding"] for seen in server.seen} == {"identity"}


@pytest.mark.parametrize("kind", ["models", "probe", "chat"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_neither_pictures_nor_key_follow_a_redirect(server, jobs, backend, short, kind, status):
    with serving(Elsewhere()) as elsewhere:
        server.fail(kind, *[Fault(status=status, headers={"Location": f"{elsewhere.address}/v1/x"})] * 20)
        outcome, _ = ask(jobs, backend, short, server, text())
        assert isinstance(outcome, CloudError)
        assert elsewhere.seen == []


def test_a_key_that_no_request_can_carry_is_told_before_anything_is_sent(server, jobs, backend, short):
    given = {"base_url": server.base_url, "allow_upload": True}
    recorder = jobs.add(short, given, backend="server", secrets={"server": "schlüssel-geheim"})
    outcome = jobs.run(backend)[-1]
    assert isinstance(outcome, CloudError)
    assert "characters" in str(outcome)
    assert "geheim" not in texts_of(outcome, recorder)
    assert server.seen == []
