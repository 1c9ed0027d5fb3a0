"""A backend that works on several requests at once: fed in order, each answered exactly once, keys kept to itself."""

from __future__ import annotations

import io
import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.worker.talk import Talk, request
from vvlm_desktop.backends.base import Feed, Job, Outcome
from vvlm_desktop.errors import ClipUnreadableError
from vvlm_desktop.jobs.child import ChildExited
from vvlm_desktop.protocol import Done, Failure, Message, Progress, Result, ToolRequest, Upload, encode
from vvlm_desktop.worker import serving

KEY = "sk-0123456789abcdef"


@pytest.fixture(scope="module")
def shared() -> Iterator[Talk]:
    with Talk() as talk:
        yield talk


@pytest.fixture
def talk(shared: Talk) -> Talk:
    assert shared.heard.empty()
    return shared


def ask(talk: Talk, *paths: str, backend: str = "many", **changes: object) -> dict[str, list[Message]]:
    """Send one request for each path behind one that blocks the worker; what was said about each."""
    talk.child.send(request("block", backend, "slow"))
    assert isinstance(talk.said(), Progress)
    for number, path in enumerate(paths):
        talk.child.send(request(str(number), backend, path, **changes))
    # The line is handled in order, so that all of them are there when the first is let go.
    talk.child.send(ToolRequest("here", "echo", {"say": ""}))
    said = collect(talk, {"here"})
    talk.child.cancel("block")
    more = collect(talk, {"block", *(str(n) for n in range(len(paths)))})
    for id_, messages in more.items():
        said[id_] += messages
    return said


def collect(talk: Talk, ids: set[str]) -> dict[str, list[Message]]:
    said: dict[str, list[Message]] = defaultdict(list)
    done: set[str] = set()
    while done != ids:
        message = talk.said()
        assert not isinstance(message, ChildExited)
        assert message.id not in done
        if isinstance(message, Done):
            done.add(message.id)
        else:
            said[message.id].append(message)
    return said


def end(messages: list[Message]) -> Result | Failure:
    (only,) = [m for m in messages if isinstance(m, Result | Failure)]
    return only


def test_requests_are_handed_out_in_order_as_many_as_are_wanted(talk: Talk) -> None:
    said = ask(talk, "clip", "clip", "clip", "clip")
    beside = [end(said[str(n)]).answer["settings"]["beside"] for n in range(4)]
    assert beside == [["1"], ["2"], ["3"], []]
    assert {"load_s", "total_s"} <= set(end(said["0"]).answer["timings"])


def test_answers_may_come_in_any_order(talk: Talk) -> None:
    said = ask(talk, "clip", "clip", "clip", backend="many_reversed")
    assert all(isinstance(end(said[str(n)]), Result) for n in range(3))


def test_expected_failure_is_one_clips(talk: Talk) -> None:
    said = ask(talk, "damaged", "clip")
    assert end(said["0"]).error == "ClipUnreadableError"
    assert isinstance(end(said["1"]), Result)


def test_bug_fails_all_that_were_taken_and_nothing_else_and_the_next_finds_a_new_backend(talk: Talk) -> None:
    said = ask(talk, "buggy", "clip", "clip")
    for taken in ("0", "1"):
        assert end(said[taken]).error == "ZeroDivisionError"
        assert "fault of the program" in end(said[taken]).message
    assert end(said["2"]).answer["settings"]["call"] == 1


def test_request_that_was_taken_and_forgotten_is_told_as_a_fault(talk: Talk) -> None:
    said = ask(talk, "forgotten", "clip")
    assert "without an answer" in end(said["0"]).message
    assert isinstance(end(said["1"]), Result)


def test_outcome_that_is_told_twice_counts_once(talk: Talk) -> None:
    said = ask(talk, "twice", "clip")
    assert isinstance(end(said["0"]), Result)
    assert all(m.stage != "too late" for m in said["0"] if isinstance(m, Progress))


def test_answer_that_is_no_json_is_a_failure(talk: Talk) -> None:
    assert "JSON" in end(ask(talk, "not_json")["0"]).message


def test_broken_schema_fails_its_request_and_the_next_takes_its_place(talk: Talk) -> None:
    talk.child.send(request("a", "many", "clip", schema_toml="not = [toml"))
    assert end(talk.until_done("a")).error == "SchemaError"


@pytest.mark.parametrize(("backend", "words"), [("many_lazy", "without an answer"), ("many_unready", "no GPU")])
def test_backend_that_takes_nothing_fails_each_request_and_the_worker_lives(
    talk: Talk, backend: str, words: str
) -> None:
    for name in "ab":
        talk.child.send(request(name, backend))
    said = collect(talk, {"a", "b"})
    assert all(words in end(said[name]).message for name in "ab")


def test_what_leaves_the_computer_is_told_in_its_place(talk: Talk) -> None:
    said = ask(talk, "upload")["0"]
    assert [type(m) for m in said[-2:]] == [Upload, Result]


def test_cancelling_one_of_two_in_hand_leaves_the_other(talk: Talk) -> None:
    talk.child.send(request("a", "many", "slow"))
    talk.child.send(request("b", "many", "slow"))
    talk.child.cancel("a")
    assert end(collect(talk, {"a"})["a"]).cancelled
    talk.child.cancel("b")
    assert end(collect(talk, {"b"})["b"]).cancelled


def test_cancelling_everything_settles_what_is_in_hand_and_what_waits(talk: Talk) -> None:
    for name in "abcd":
        talk.child.send(request(name, "many", "slow"))
    talk.child.cancel()
    said = collect(talk, set("abcd"))
    assert all(end(said[name]).cancelled for name in "abcd")


def test_question_comes_before_what_waits_for_the_same_worker(talk: Talk) -> None:
    talk.child.send(request("block", "many", "slow"))
    assert isinstance(talk.said(), Progress)
    for name in "abc":
        talk.child.send(request(name, "good"))
    talk.child.send(request("q1", "many", question="What?"))
    talk.child.send(request("q2", "many", question="Why?"))
    talk.child.send(ToolRequest("here", "echo", {"say": ""}))
    collect(talk, {"here"})
    talk.child.cancel("block")
    order = []
    while len(order) < 6:
        if isinstance(message := talk.said(), Done):
            order.append(message.id)
    assert order == ["block", "q1", "q2", "a", "b", "c"]


def test_another_backends_turn_comes_although_the_first_never_runs_dry(talk: Talk) -> None:
    talk.child.send(request("block", "many", "slow"))
    assert isinstance(talk.said(), Progress)
    for name, backend in (("a", "many"), ("b", "good"), ("c", "many")):
        talk.child.send(request(name, backend))
    talk.child.send(ToolRequest("here", "echo", {"say": ""}))
    collect(talk, {"here"})
    talk.child.cancel("block")
    order = []
    while len(order) < 4:
        if isinstance(message := talk.said(), Done):
            order.append(message.id)
    assert order == ["block", "a", "b", "c"]


def test_tool_answers_while_a_clip_is_in_hand(talk: Talk) -> None:
    talk.child.send(request("block", "slow"))
    assert isinstance(talk.said(), Progress)
    talk.child.send(ToolRequest("t", "echo", {"say": "é"}, secrets={"api_key": KEY}))
    assert end(collect(talk, {"t"})["t"]).answer == {"said": "é", "keys": ["api_key"]}
    talk.child.cancel("block")
    collect(talk, {"block"})


def test_tool_is_cancelled_by_its_id(talk: Talk) -> None:
    talk.child.send(ToolRequest("t", "stubborn"))
    assert isinstance(talk.said(), Progress)
    talk.child.cancel("t")
    assert end(talk.until_done("t")).cancelled


def test_unknown_tool_is_a_failure(talk: Talk) -> None:
    talk.child.send(ToolRequest("t", "dance"))
    assert end(talk.until_done("t")).error == "BackendError"


@pytest.mark.parametrize("path", ["denied", "buggy"])
def test_keys_are_in_nothing_that_is_told(talk: Talk, path: str) -> None:
    said = ask(talk, path, secrets={"api_key": KEY})["0"]
    assert KEY not in repr(said)
    assert "•••" in end(said).message
    assert end(said).details
    assert KEY not in talk.child.stderr_tail


def test_keys_are_in_nothing_that_a_tool_tells(talk: Talk) -> None:
    talk.child.send(ToolRequest("t", "leaky", secrets={"api_key": KEY}))
    said = talk.until_done("t")
    assert KEY not in repr(said)
    assert "bad key •••" in end(said).message


def test_keys_in_a_line_that_is_no_request_are_not_quoted(talk: Talk) -> None:
    stdin = talk.child._process.stdin
    stdin.write(b'{"op":"analyse","id":"z","secrets":{"api_key":"%s"}}\n' % KEY.encode())
    stdin.flush()
    assert KEY not in repr(talk.until_done("z"))


def test_what_is_in_hand_may_tidy_up_when_stdin_ends(tmp_path) -> None:
    note = tmp_path / "note"
    with Talk() as talk:
        talk.child.send(request("a", "many", "tidy", options={"note": str(note)}))
        assert isinstance(talk.said(), Progress)
        talk.child.close(10.0)
        assert talk.until_exit().code == 0
    assert note.read_text(encoding="utf-8") == "tidied"


def test_a_gpu_that_the_driver_has_given_up_ends_the_worker_so_that_the_next_has_a_whole_one() -> None:
    with Talk() as talk:
        talk.child.send(request("1", "many", "gpu_lost"))
        talk.child.send(request("2", "many", "clip"))
        exited = talk.until_exit()
    assert exited.code == 70
    assert not exited.expected
    assert "illegal memory access" in exited.stderr_tail


class Keeper:
    """Answers nothing, and keeps what others may need until it has had nothing to do for a while."""

    name = "keeper"

    def __init__(self, rested: list[float], enough: threading.Event) -> None:
        self._rested, self._enough = rested, enough

    def analyse_many(self, feed: Feed) -> Iterator[tuple[Job, Outcome]]:
        while jobs := feed.take(1):
            yield jobs[0], ClipUnreadableError(Path(jobs[0].request.path), "is damaged")

    def rest(self, idle_s: float) -> None:
        self._rested.append(idle_s)
        if len(self._rested) >= 3:
            self._enough.set()


def test_a_backend_with_nothing_to_do_is_told_for_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_REST_EVERY_S", 0.005)
    monkeypatch.setattr(serving, "_exit_after_grace", lambda: None)
    rested: list[float] = []
    enough = threading.Event()
    reading, writing = os.pipe()
    with os.fdopen(reading) as source, os.fdopen(writing, "w") as line, io.StringIO() as sink:
        worker = serving.Worker("fake", source, sink, resolve=lambda _name: Keeper(rested, enough))
        running = threading.Thread(target=worker.run)
        running.start()
        line.write(encode(request("1", "keeper")))
        line.flush()
        assert enough.wait(10.0)
        line.close()
        running.join(10.0)
        assert not running.is_alive()
    assert rested == sorted(rested)
    assert 0.0 <= rested[0] < rested[2] < 5.0
