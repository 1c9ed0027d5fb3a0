import pytest

from vvlm_desktop import protocol
from vvlm_desktop.protocol import AnalyseRequest, CancelRequest, Done, Failure, Hello, Progress, ProtocolError, Result

MESSAGES = [
    Hello("signals", 7),
    Progress("a", 0.5, "measuring"),
    Result("a", {"labels": {"time_of_day": "day"}, "n": [1, 2.5, None]}),
    Failure("a", "Café ☕ \ud83d is damaged.\nReally.", hint="h", details="d", cancelled=True, error="E"),
    Done("a"),
]
REQUESTS = [
    AnalyseRequest("a", "signals", "c", "/x/🚗 #1.mp4", 0, "[schema]\n", options={"n": 3}),
    CancelRequest("a"),
    CancelRequest(),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_a_message_survives_the_way(message):
    line = protocol.encode(message)
    assert line.isascii()
    assert line.count("\n") == 1
    assert protocol.decode_message(line) == message


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda m: type(m).__name__)
def test_a_request_survives_the_way(request_):
    assert protocol.decode_request(protocol.encode(request_)) == request_


@pytest.mark.parametrize(
    "line", ["", "{", "7", "[1]", "null", '"x"', "{}", '{"ev":"dance"}', '{"ev":[]}', '{"ev":"done"}', "[" * 100_000]
)
def test_what_is_no_message_is_refused(line):
    with pytest.raises(ProtocolError):
        protocol.decode_message(line)


def test_the_refusal_names_the_request_where_the_line_does():
    with pytest.raises(ProtocolError) as caught:
        protocol.decode_message('{"ev":"dance","id":"a"}')
    assert caught.value.id == "a"
    with pytest.raises(ProtocolError) as caught:
        protocol.decode_message('{"ev":"done","id":5}')
    assert caught.value.id is None


def test_a_request_is_no_message():
    with pytest.raises(ProtocolError):
        protocol.decode_message(protocol.encode(CancelRequest()))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}])
def test_what_json_has_no_form_for_is_refused_before_it_is_sent(value):
    with pytest.raises(ValueError, match=r"JSON|Out of range"):
        protocol.encode(Result("a", {"x": value}))
