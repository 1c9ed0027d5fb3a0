"""Several requests on the way at once: jobs from the feed into threads, outcomes out as soon as they are known."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from vvlm_desktop.backends.base import Answer, Feed, Job, Outcome
from vvlm_desktop.errors import ConsentError, VvlmError

_LOOK_AGAIN_S = 0.05
_MOST_THREADS = 64


def work_through(
    feed: Feed, work: Callable[[Job], Answer], *, concurrency: Callable[[Job], int], name: str
) -> Iterator[tuple[Job, Outcome]]:
    """Do `work` on everything in `feed`, at most `concurrency` of the newest job at once.

    A bug in one job is raised when the others have ended; it then fails that job alone. When the generator is closed
    early every job is told to stop, and waited for: what was uploaded has to be deleted.
    """
    running: dict[Future[Answer], Job] = {}
    given_up = threading.Event()
    bug: BaseException | None = None
    limit = 1
    with ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix=name) as pool:
        try:
            while True:
                while bug is None and len(running) < limit and (taken := feed.take(1)):
                    job = taken[0]
                    limit = _limit_of(job, concurrency)
                    running[pool.submit(work, _stoppable(job, given_up))] = job
                if not running:
                    break
                done, _ = wait(running, timeout=_LOOK_AGAIN_S, return_when=FIRST_COMPLETED)
                for each in done:
                    job = running.pop(each)
                    error = each.exception()
                    if error is None:
                        yield job, each.result()
                    elif isinstance(error, VvlmError):
                        yield job, error
                    else:
                        bug = bug or error
        finally:
            given_up.set()
    if bug is not None:
        raise bug


def require_consent(job: Job) -> None:
    """Refuse what nobody allowed, before anything is opened.

    Raises:
        ConsentError: the request carries no consent.
    """
    allowed = job.request.options.get("allow_upload")
    if allowed is not True and not (isinstance(allowed, str) and allowed):
        raise ConsentError(
            "Nobody allowed this clip to leave the computer; nothing was sent.",
            hint="Switch it on in Settings and start the analysis again; on the command line use --allow-upload.",
        )


def _limit_of(job: Job, concurrency: Callable[[Job], int]) -> int:
    """Options that cannot be read fail in the job itself, where somebody hears of it."""
    try:
        return min(_MOST_THREADS, max(1, concurrency(job)))
    except VvlmError:
        return 1


def _stoppable(job: Job, given_up: threading.Event) -> Job:
    return replace(job, cancelled=lambda: given_up.is_set() or job.cancelled())
