import sys
import threading

import pytest

from tests.unit.worker.talk import Talk
from vvlm_desktop.errors import WorkerCrashedError
from vvlm_desktop.jobs.child import Child, ChildExited
from vvlm_desktop.protocol import CancelRequest, Done, Hello


def script(code):
    return [sys.executable, "-c", f"import sys, time\nsay = lambda t: print(t, flush=True)\n{code}"]


HELLO = """say('{"ev":"hello","kind":"x","pid":1,"v":1}')\n"""


def test_messages_come_in_order_and_the_exit_is_last():
    with Talk(argv=script(HELLO + """[say('{"ev":"done","id":"%d"}' % i) for i in range(50)]""")) as talk:
        assert [talk.said().id for _ in range(50)] == [str(i) for i in range(50)]
        assert talk.said() == ChildExited("fake", 0, expected=False, stderr_tail="")


def test_a_program_that_is_not_there_is_told_as_such():
    child = Child("x", lambda _: None, argv=["/no/such/program"])
    with pytest.raises(WorkerCrashedError, match="could not be started"):
        child.start()
    assert not child.alive
    child.close()


def test_a_child_that_never_says_a_word_is_still_told_to_have_exited():
    talk = Talk(argv=script("sys.exit(3)"))
    talk.child.start()
    assert talk.until_exit().code == 3
    talk.child.close()


def test_another_version_of_the_protocol_is_not_talked_to():
    talk = Talk(argv=script("""say('{"ev":"hello","kind":"x","pid":1,"v":999}')\nsys.stdin.read()"""))
    talk.child.start()
    assert "protocol 999" in talk.until_exit().stderr_tail
    talk.child.close()


def test_one_that_does_not_go_is_ended_by_force():
    with Talk(argv=script(HELLO + "time.sleep(60)")) as talk:
        talk.child.close(timeout_s=0.05)
        exited = talk.until_exit()
        assert exited.expected
        assert exited.code != 0


def test_closing_twice_and_before_the_start_does_no_harm():
    child = Child("x", lambda _: None)
    child.close()
    with Talk(argv=script(HELLO + "sys.stdin.read()")) as talk:
        talk.child.close()
        talk.child.close()
        with pytest.raises(WorkerCrashedError):
            talk.child.send(CancelRequest())


def test_starting_twice_is_misuse():
    with Talk(argv=script(HELLO + "sys.stdin.read()")) as talk, pytest.raises(ValueError, match="twice"):
        talk.child.start()


def test_closing_from_within_deliver_does_not_wait_for_itself():
    heard = []
    gone = threading.Event()

    def deliver(message):
        heard.append(message)
        if isinstance(message, Done):
            child.close()
        if isinstance(message, ChildExited):
            gone.set()

    child = Child("x", deliver, argv=script(HELLO + """say('{"ev":"done","id":"a"}')\nsys.stdin.read()"""))
    child.start()
    assert gone.wait(10)
    assert [type(m) for m in heard] == [Hello, Done, ChildExited]
    child.close()


def test_the_stderr_tail_is_bounded():
    with Talk(argv=script(HELLO + "[sys.stderr.write('x' * 9000 + '\\n') for _ in range(500)]")) as talk:
        tail = talk.until_exit().stderr_tail
    assert len(tail) < 500_000


def test_a_child_that_floods_stderr_does_not_block():
    with Talk(argv=script(HELLO + 'sys.stderr.write(\'y\' * 3_000_000)\nsay(\'{"ev":"done","id":"a"}\')')) as talk:
        assert talk.said() == Done("a")


def test_bytes_that_are_no_text_are_survived():
    with Talk(
        argv=script(HELLO + r"sys.stdout.buffer.write(b'\xff\xfe\n'); say('{\"ev\":\"done\",\"id\":\"a\"}')")
    ) as talk:
        assert talk.said() == Done("a")
