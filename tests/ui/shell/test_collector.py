"""Garbage is collected in the window's thread alone."""

import gc
import threading
import weakref

import pytest

from vvlm_desktop.ui.collector import Collector, collect_if_due


class Knot:
    """Something that only the cyclic collector can free."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def as_before():
    was_on = gc.isenabled()
    yield
    (gc.enable if was_on else gc.disable)()


def tie_many() -> weakref.ref:
    first = Knot()
    found = weakref.ref(first)
    del first
    for _ in range(5_000):
        Knot()
    return found


def test_another_thread_collects_nothing(qtbot):
    gc.collect()
    collector = Collector()
    collector._timer.stop()
    found = []
    thread = threading.Thread(target=lambda: found.append(tie_many()))
    thread.start()
    thread.join()
    assert found[0]() is not None


def test_the_window_collects_what_another_thread_left(qtbot):
    gc.collect()
    collector = Collector()
    collector._timer.setInterval(1)
    found = []
    thread = threading.Thread(target=lambda: found.append(tie_many()))
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: found[0]() is None)


def test_nothing_is_done_where_nothing_is_due():
    gc.disable()
    gc.collect()
    assert collect_if_due() == 0
    for _ in range(2_000):
        Knot()
    assert collect_if_due() >= 2_000
