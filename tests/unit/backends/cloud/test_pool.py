"""Jobs in threads: every outcome once, bugs where they belong, more work taken while some is under way."""

import threading

import pytest

from tests.unit.backends.cloud.jobs import Jobs
from vvlm_desktop.backends.base import Answer
from vvlm_desktop.backends.cloud_options import GeminiOptions
from vvlm_desktop.backends.cloud_pool import work_through
from vvlm_desktop.errors import BackendError, CloudError, JobCancelledError

ANSWER = Answer({}, {}, None, (), "", "m", "model")


def feed(count, path="x"):
    jobs = Jobs()
    for _ in range(count):
        jobs.add(path, {})
    return jobs


def through(jobs, work, concurrency=3):
    return work_through(jobs, work, concurrency=lambda _: concurrency, name="test")


def test_every_job_comes_out_once_and_no_more_than_allowed_are_in_hand():
    lock, in_hand, most = threading.Lock(), 0, 0
    together = threading.Barrier(3)

    def work(job):
        nonlocal in_hand, most
        with lock:
            in_hand += 1
            most = max(most, in_hand)
        together.wait(5)
        with lock:
            in_hand -= 1
        return ANSWER

    found = [job.request.id for job, _ in through(feed(9), work)]
    assert sorted(found) == [f"job-{i}" for i in range(9)]
    assert most == 3


def test_what_comes_in_meanwhile_is_taken_before_the_first_is_done():
    jobs, second_began = feed(1), threading.Event()

    def work(job):
        if job.request.id == "job-0":
            jobs.add("x", {})
            assert second_began.wait(5)
        else:
            second_began.set()
        return ANSWER

    assert len(list(through(jobs, work))) == 2


def test_expected_errors_are_outcomes_and_a_bug_fails_only_its_own_job():
    def work(job):
        if job.request.id == "job-1":
            raise CloudError("expected")
        if job.request.id == "job-2":
            raise ZeroDivisionError
        return ANSWER

    found = {}
    with pytest.raises(ZeroDivisionError):  # noqa: PT012  what came before it counts
        for job, outcome in through(feed(3), work):
            found[job.request.id] = type(outcome)
    assert found == {"job-0": Answer, "job-1": CloudError}


def test_when_nobody_listens_any_more_the_jobs_are_told_to_stop():
    began, stopped = threading.Event(), []

    def work(job):
        if job.request.id == "job-0":
            return ANSWER
        began.set()
        while not job.cancelled():
            stopped.append("waiting")
        stopped.append("stopped")
        raise JobCancelledError("Cancelled.")

    outcomes = through(feed(2), work)
    next(outcomes)
    assert began.wait(5)
    outcomes.close()
    assert stopped[-1] == "stopped"


def test_options_that_cannot_be_read_fail_in_their_own_job():
    def concurrency(job):
        return GeminiOptions.from_json({"fps": -1}).concurrency

    def work(job):
        raise BackendError("told here")

    ((_, outcome),) = work_through(feed(1), work, concurrency=concurrency, name="test")
    assert str(outcome) == "told here"
