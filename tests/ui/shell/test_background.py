from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import QObject

from vvlm_desktop.errors import UsageError
from vvlm_desktop.ui.job_bridge import Bridge, Work
from vvlm_desktop.ui.ledger.sent_words import NOTHING_SENT, sent_view
from vvlm_desktop.ui.status_bar import StatusBar
from vvlm_desktop.ui.tasks import Tasks


def in_main() -> bool:
    return threading.current_thread() is threading.main_thread()


def run_in_thread(function) -> None:
    thread = threading.Thread(target=function, name="reader")
    thread.start()
    thread.join()


def test_message_of_a_reader_thread_is_handled_in_the_window_thread(qtbot):
    heard: list[tuple[object, bool]] = []
    bridge = Bridge(lambda message: heard.append((message, in_main())))
    run_in_thread(lambda: [bridge.deliver(message) for message in ("one", {1: "keys that are no strings"})])
    qtbot.waitUntil(lambda: len(heard) == 2)
    assert heard == [("one", True), ({1: "keys that are no strings"}, True)]


def test_closed_bridge_drops_what_was_under_way(qtbot, qapp):
    heard: list[object] = []
    bridge = Bridge(heard.append)
    run_in_thread(lambda: bridge.deliver("late"))
    bridge.close()
    run_in_thread(lambda: bridge.deliver("later"))
    qapp.processEvents()
    assert heard == []


class Listener(QObject):
    """Notes what a piece of work says; its slots run in the window's thread."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self.heard: list[tuple[str, object]] = []
        self.in_main: list[bool] = []
        work.progressed.connect(self.on_progressed)
        work.succeeded.connect(self.on_succeeded)
        work.failed.connect(self.on_failed)
        work.ended.connect(self.on_ended)

    def note(self, what: str, value: object = None) -> None:
        self.heard.append((what, value))
        self.in_main.append(in_main())

    def on_progressed(self, value: object) -> None:
        self.note("progressed", value)

    def on_succeeded(self, value: object) -> None:
        self.note("succeeded", value)

    def on_failed(self, error: object) -> None:
        self.note("failed", str(error))

    def on_ended(self) -> None:
        self.note("ended")


def test_work_reports_and_succeeds(qtbot):
    def work_on(report, _cancelled):
        report(0.5)
        return "done"

    work = Work(work_on, name="work")
    listener = Listener(work)
    work.start()
    qtbot.waitUntil(lambda: ("ended", None) in listener.heard)
    assert listener.heard == [("progressed", 0.5), ("succeeded", "done"), ("ended", None)]
    assert all(listener.in_main)
    assert work.wait(5)


def test_expected_error_of_work_arrives_as_failed(qtbot):
    def fail(_report, _cancelled):
        raise UsageError("no", hint="yes")

    work = Work(fail, name="work")
    listener = Listener(work)
    work.start()
    qtbot.waitUntil(lambda: ("ended", None) in listener.heard)
    assert listener.heard == [("failed", "no"), ("ended", None)]
    assert work.wait(5)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_bug_in_work_reaches_the_hook_and_work_still_ends(qtbot, monkeypatch):
    caught: list[type] = []
    monkeypatch.setattr(threading, "excepthook", lambda arguments: caught.append(arguments.exc_type))
    work = Work(lambda _report, _cancelled: 1 / 0, name="work")
    with qtbot.waitSignal(work.ended):
        work.start()
    assert work.wait(5)
    assert caught == [ZeroDivisionError]


def test_work_is_cancelled_when_it_next_looks(qtbot):
    started = threading.Event()

    def wait(_report, cancelled):
        started.set()
        while not cancelled():
            threading.Event().wait(0.001)
        return "stopped"

    work = Work(wait, name="work")
    with qtbot.waitSignal(work.succeeded) as caught:
        work.start()
        assert started.wait(5)
        work.cancel()
    assert caught.args == ["stopped"]
    assert work.wait(5)


@pytest.fixture
def status(look, qtbot):
    tasks = Tasks()
    bar = StatusBar(tasks, backend="Built-in measurements")
    bar.tasks = tasks
    qtbot.addWidget(bar)
    bar.resize(1200, 28)
    return bar


def test_idle_bar_says_ready_and_nothing_of_the_ledger_before_it_was_read(status):
    assert status.title.text() == "Ready"
    assert status.sent.text() != NOTHING_SENT
    status.show_sent(sent_view(()))
    assert status.sent.text() == NOTHING_SENT
    assert not status.cancel.isVisibleTo(status)


def test_running_work_shows_progress_and_time_left(status):
    task = status.tasks.begin("Analysing", cancel=lambda: None)
    task.update("Analysing 12 of 80", fraction=0.15, seconds_left=41.2)
    assert status.title.text() == "Analysing 12 of 80"
    assert status.bar.value() / status.bar.maximum() == pytest.approx(0.15)
    assert status.left.text() == "00:41 left"
    task.finish()
    assert status.title.text() == "Ready"


def test_unknown_length_is_shown_as_such(status):
    status.tasks.begin("Looking for clips")
    assert status.bar.maximum() == 0
    assert not status.cancel.isVisibleTo(status)


def test_cancel_is_asked_once_and_said(status):
    asked: list[int] = []
    status.tasks.begin("Adding", cancel=lambda: asked.append(1))
    status.cancel.click()
    status.tasks.running[0].cancel()
    assert asked == [1]
    assert status.title.text() == "Stopping: Adding"
    assert not status.cancel.isVisibleTo(status)


def test_other_work_is_counted(status):
    first = status.tasks.begin("Adding")
    status.tasks.begin("Analysing")
    assert status.more.text() == "1 more waiting"
    first.finish()
    assert status.title.text() == "Analysing"
    assert not status.more.isVisibleTo(status)


def test_news_is_said_until_work_begins(status):
    status.show_news("12 clips analysed.")
    assert status.news.isVisibleTo(status)
    assert status.news.text() == "12 clips analysed."
    task = status.tasks.begin("Adding")
    assert not status.news.isVisibleTo(status)
    task.finish()
    assert status.news.isVisibleTo(status)
