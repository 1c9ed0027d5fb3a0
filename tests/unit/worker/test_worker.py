import contextlib
import subprocess
import sys
import time

import psutil
import pytest

from tests.patience import within
from tests.unit.worker.talk import FAKE_ARGV, WAIT_S, Talk, request
from vvlm_desktop.errors import WorkerCrashedError
from vvlm_desktop.jobs.argv import worker_environment
from vvlm_desktop.jobs.child import ChildExited
from vvlm_desktop.protocol import CancelRequest, Done, Failure, Progress, Result, encode


@pytest.fixture(scope="module")
def shared():
    with Talk() as talk:
        yield talk


@pytest.fixture
def talk(shared):
    """One worker for all tests that leave it alive; each begins with nothing left to hear."""
    assert shared.heard.empty()
    return shared


@pytest.fixture
def doomed():
    """A worker of the test's own, to be killed."""
    with Talk() as talk:
        yield talk


def gone_within(pid, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.005)  # nobody tells a process that is not the parent
                continue
        return True
    return False


def test_says_hello_then_answers_with_the_id(talk):
    assert talk.hello.kind == "fake"
    assert talk.hello.pid == talk.child.pid
    talk.child.send(request("a", "good"))
    *_, result = talk.until_done("a")
    assert isinstance(result, Result)
    assert result.answer["raw_text"] == "é"
    assert {"load_s", "total_s"} <= set(result.answer["timings"])


def test_a_clip_that_fails_is_one_error_and_the_batch_goes_on(talk):
    for i, backend in enumerate(["good", "damaged", "buggy", "not_json", "no_such", "good"]):
        talk.child.send(request(str(i), backend))
    ends = [talk.until_done(str(i))[-1] for i in range(6)]
    assert [type(end) for end in ends] == [Result, Failure, Failure, Failure, Failure, Result]
    assert ends[1].message == "clip.mp4: is damaged"
    assert ends[1].hint == "Copy it again."
    assert ends[1].error == "ClipUnreadableError"
    assert "KeyError" in ends[2].details
    assert "JSON" in ends[3].message
    assert ends[4].error == "BackendError"


def test_a_broken_schema_is_an_error_of_that_request(talk):
    talk.child.send(request("a", "good", schema_toml="not = [toml"))
    failure = talk.until_done("a")[-1]
    assert failure.error == "SchemaError"


def test_cancelling_the_clip_in_hand_is_prompt_and_the_next_one_runs(talk):
    talk.child.send(request("a", "slow"))
    talk.child.send(request("b", "good"))
    assert isinstance(talk.said(), Progress)
    began = time.monotonic()
    talk.child.cancel("a")
    assert [m.cancelled for m in talk.until_done("a")] == [True]
    assert time.monotonic() - began < within(0.3)
    assert isinstance(talk.until_done("b")[-1], Result)


def test_cancelling_a_clip_that_waits_is_answered_at_once_and_it_never_begins(talk):
    talk.child.send(request("a", "slow"))
    talk.child.send(request("b", "good"))
    assert isinstance(talk.said(), Progress)
    talk.child.cancel("b")
    assert [m.cancelled for m in talk.until_done("b")] == [True]
    talk.child.cancel("a")
    assert [m.cancelled for m in talk.until_done("a")] == [True]
    talk.child.send(request("c", "good"))
    assert isinstance(talk.until_done("c")[-1], Result)


def test_cancelling_everything_settles_every_request(talk):
    for name in "abc":
        talk.child.send(request(name, "slow"))
    talk.child.cancel()
    settled = []
    while len(settled) < 3:
        message = talk.said()
        if isinstance(message, Done):
            settled.append(message.id)
        elif isinstance(message, Failure):
            assert message.cancelled
    assert sorted(settled) == ["a", "b", "c"]


def test_cancelling_what_is_over_or_unknown_does_no_harm(talk):
    talk.child.send(request("a", "good"))
    talk.until_done("a")
    talk.child.cancel("a")
    talk.child.cancel("never")
    talk.child.send(request("b", "good"))
    assert isinstance(talk.until_done("b")[-1], Result)


def test_what_backends_print_or_read_cannot_disturb_the_protocol(doomed):
    doomed.child.send(request("a", "chatty"))
    assert isinstance(doomed.until_done("a")[-1], Result)
    doomed.child.close()
    assert "from Python" in doomed.child.stderr_tail
    assert "from native code" in doomed.child.stderr_tail


def test_progress_is_throttled(talk):
    talk.child.send(request("a", "chatty"))
    progress = [m for m in talk.until_done("a") if isinstance(m, Progress)]
    assert 2 <= len(progress) < 50


@pytest.mark.parametrize("line", ["{", "[]", "null", '{"op":"dance","id":"z"}', "[" * 100_000, "\0é"])
def test_a_line_that_is_no_request_is_reported_and_survived(talk, line):
    stdin = talk.child._process.stdin
    stdin.write(line.encode() + b"\n")
    stdin.flush()
    failure = talk.said()
    assert isinstance(failure, Failure)
    assert failure.error == "ProtocolError"
    if '"z"' in line:
        assert failure.id == "z"
        assert talk.said() == Done("z")
    talk.child.send(request("a", "good"))
    assert isinstance(talk.until_done("a")[-1], Result)


def test_is_nice(talk):
    assert psutil.Process(talk.child.pid).nice() >= 10


@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="limits of another process are told on Linux only")
def test_worker_that_is_given_keys_leaves_no_core_file():
    with Talk("cloud", [*FAKE_ARGV[:-1], "cloud"]) as talk:
        assert psutil.Process(talk.child.pid).rlimit(psutil.RLIMIT_CORE) == (0, 0)


def test_ends_when_stdin_ends(doomed):
    doomed.child.close(WAIT_S)
    exited = doomed.until_exit()
    assert (exited.code, exited.expected) == (0, True)


@pytest.mark.parametrize("backend", ["slow", "deaf"])
def test_ends_when_stdin_ends_in_the_middle_of_a_clip(doomed, backend):
    doomed.child.send(request("a", backend))
    assert isinstance(doomed.said(), Progress)
    doomed.child.close(WAIT_S)
    assert doomed.until_exit().code == 0


def test_ends_when_its_parent_is_killed_in_the_middle_of_a_clip():
    script = f"""
import subprocess, sys
child = subprocess.Popen({FAKE_ARGV!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdin.write({encode(request("a", "slow")).encode()!r})
child.stdin.flush()
child.stdout.readline(), child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=worker_environment(),
    ) as parent:
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.kill()
    assert gone_within(pid, 3.0)


def test_a_crash_is_told_at_once_with_the_last_words(doomed):
    doomed.child.send(request("a", "leave"))
    assert isinstance(doomed.said(), Progress)
    exited = doomed.said()
    assert exited == ChildExited("fake", 7, expected=False, stderr_tail="last words")
    assert "exit code 7" in exited.in_words()
    assert not doomed.child.alive
    with pytest.raises(WorkerCrashedError):
        doomed.child.send(request("b", "good"))
    doomed.child.cancel()  # nothing left to stop


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_native_crash_names_the_signal_and_shows_where(doomed):
    doomed.child.send(request("a", "crash"))
    exited = doomed.until_exit()
    assert exited.code == -6
    assert "SIGABRT" in exited.in_words()
    assert "fake_worker.py" in exited.stderr_tail


def test_half_a_line_of_a_dying_child_is_survived(doomed, caplog):
    doomed.child.send(request("a", "half_a_line"))
    exited = doomed.until_exit()
    assert exited.code == 8
    assert "not a protocol line" in exited.stderr_tail
    assert "not a protocol line" in caplog.text


def test_cancel_request_with_a_number_for_an_id_is_refused(talk):
    talk.child.send(CancelRequest(5))
    assert talk.said().error == "ProtocolError"
