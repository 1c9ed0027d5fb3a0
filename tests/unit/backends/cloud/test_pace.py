"""Waiting: as long as it must be, as the server asks, all threads together, and never when cancelled."""

from email.utils import formatdate

import pytest

from tests.unit.backends.cloud.jobs import Clock
from vvlm_desktop.backends.cloud_pace import Limiter, Transient, google_retry_delay_s, retry_after_s, with_retries
from vvlm_desktop.errors import JobCancelledError


class BusyError(Exception):
    def __init__(self, after_s=None):
        self.after_s = after_s


def transient(error):
    return Transient(error.after_s) if isinstance(error, BusyError) else None


def run(clock, *outcomes, per_minute=0, cancelled=lambda: False, **pace):
    left = list(outcomes)

    def request():
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    limiter = Limiter(per_minute, clock.pace(**pace))
    return with_retries(request, transient=transient, limiter=limiter, cancelled=cancelled), left


def test_waits_grow_until_it_succeeds():
    clock = Clock()
    assert run(clock, BusyError(), BusyError(), BusyError(), "done") == ("done", [])
    assert 0.75 * 7 <= clock.now() <= 1.25 * 7 + 0.2


def test_after_the_last_attempt_the_failure_comes_through_as_it_is():
    with pytest.raises(BusyError):
        run(Clock(), *[BusyError()] * 3, attempts=3)


def test_what_does_not_pass_is_not_tried_again():
    clock = Clock()
    with pytest.raises(KeyError):
        run(clock, KeyError(), "never")
    assert clock.now() == 0


def test_the_server_s_wish_comes_before_our_own():
    clock = Clock()
    run(clock, BusyError(42.0), "done")
    assert 42 <= clock.now() < 43


def test_cancelled_while_waiting():
    clock = Clock()
    with pytest.raises(JobCancelledError):
        run(clock, BusyError(100.0), "never", cancelled=lambda: clock.now() > 3)
    assert clock.now() < 3.2


def test_a_minute_holds_no_more_than_allowed():
    clock = Clock()
    limiter = Limiter(3, clock.pace())
    begun = []
    for _ in range(7):
        limiter.enter(lambda: False)
        begun.append(clock.now())
    assert begun[:3] == [0, 0, 0]
    assert all(late - early >= 60 for early, late in zip(begun, begun[3:], strict=False))
    assert begun[-1] < 125


def test_a_pause_holds_everybody():
    clock = Clock()
    limiter = Limiter(0, clock.pace())
    limiter.pause(30)
    limiter.enter(lambda: False)
    assert clock.now() >= 30


@pytest.mark.parametrize(
    ("value", "expected"),
    [("12", 12.0), ("0.5", 0.5), ("-3", 0.0), (formatdate(1_000_030, usegmt=True), 30.0), ("soon", None)],
)
def test_retry_after_in_all_its_forms(value, expected):
    assert retry_after_s({"retry-after": value}, now=lambda: 1_000_000) == expected


def test_no_retry_after():
    assert retry_after_s({}) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": {"details": [{"@type": "Help"}, {"retryDelay": "7.5s"}]}}, 7.5),
        ({"error": {"details": [{"retryDelay": "later"}]}}, None),
        ({"error": "text"}, None),
        ("text", None),
        (None, None),
    ],
)
def test_google_s_retry_delay(body, expected):
    assert google_retry_delay_s(body) == expected
