"""A clip that has been read is let go of only when its thread has said its last word."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from pytestqt.qtbot import QtBot
from shiboken6 import Shiboken
from typing_extensions import override

from tests.ui.builders import clip
from vvlm_desktop.domain.clip import Clip
from vvlm_desktop.errors import ClipUnreadableError
from vvlm_desktop.ui.job_bridge import Work
from vvlm_desktop.ui.review import reading
from vvlm_desktop.ui.review.reading import ReadClip, Reading
from vvlm_desktop.workflow.session import Session


class _Gate:
    """Holds every thread between its result and its end."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.works: list[Work[ReadClip]] = []


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Gate]:
    held = _Gate()

    class SlowToEnd(Work[ReadClip]):
        def __init__(self, function: Callable[..., ReadClip], *, name: str, parent: QObject | None = None) -> None:
            super().__init__(function, name=name, parent=parent)
            held.works.append(self)

        @override
        def _run(self) -> None:
            self.succeeded.emit(self._function(self.progressed.emit, self._cancelled.is_set))
            held.opened.wait(20)
            if Shiboken.isValid(self):
                self.ended.emit()

    def read(_session: Session, of: Clip, **_kwargs: object) -> ReadClip:
        return ReadClip(of.id, OSError("gone"))

    monkeypatch.setattr(reading, "Work", SlowToEnd)
    monkeypatch.setattr(reading, "_read", read)
    yield held
    held.opened.set()


def test_it_stays_until_its_thread_has_ended_and_no_longer(session: Session, gate: _Gate, qtbot: QtBot) -> None:
    reader = Reading(session)
    with qtbot.waitSignal(reader.ended):
        reader.start(clip())
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    (work,) = gate.works
    assert Shiboken.isValid(work), "its thread would speak through what is no longer there"
    gate.opened.set()
    qtbot.waitUntil(lambda: not Shiboken.isValid(work))
    reader.close()


def test_a_clip_on_which_the_program_fails_is_told_and_can_be_read_again(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_session: Session, _of: Clip, **_kwargs: object) -> ReadClip:
        raise RuntimeError("a bug")

    monkeypatch.setattr(reading, "_read", fail)
    bugs: list[object] = []
    monkeypatch.setattr(threading, "excepthook", bugs.append)
    reader = Reading(session)
    for _ in range(2):
        with qtbot.waitSignal(reader.ended) as ended:
            reader.start(clip())
        assert isinstance(ended.args[0].result, ClipUnreadableError)
        assert not reader.busy
    qtbot.waitUntil(lambda: len(bugs) == 2)  # a thread says so after it has told that it ended
    reader.close()
