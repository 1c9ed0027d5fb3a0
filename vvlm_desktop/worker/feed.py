"""How the requests of one backend get into its hands, and their outcomes out of them."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from vvlm_desktop.backends.base import Answer, Job
from vvlm_desktop.domain.schema import LabelSchema
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.errors import VvlmError
from vvlm_desktop.protocol import AnalyseRequest, Message, Result
from vvlm_desktop.worker.errand import Errand, failure
from vvlm_desktop.worker.inbox import Inbox


class BackendFeed:
    """Hands out the waiting requests of one backend as jobs, and answers each exactly once; for any thread.

    Attributes:
        asked: whether the backend has asked for a job at all.
    """

    def __init__(self, inbox: Inbox, backend: str, *, send: Callable[[Message], None]) -> None:
        self.asked = False
        self._inbox = inbox
        self._backend = backend
        self._send = send
        self._load_s = 0.0
        self._lock = threading.Lock()
        self._open: dict[str, Errand] = {}

    def loaded_in(self, load_s: float) -> None:
        """Note how long the backend took to be there; it goes into the timings of the first answer."""
        self._load_s = load_s

    def take(self, limit: int) -> list[Job]:
        """See `backends.base.Feed`; also empty when the turn is another backend's."""
        self.asked = self.asked or limit > 0
        jobs: list[Job] = []
        while len(jobs) < limit and (found := self._inbox.take(limit - len(jobs), backend=self._backend)):
            for request, stop in found:
                job = self._begin(request, stop)
                if job is not None:
                    jobs.append(job)
        return jobs

    def _begin(self, request: AnalyseRequest, stop: threading.Event) -> Job | None:
        errand = Errand(request.id, stop, send=self._send)
        with self._lock:
            self._open[request.id] = errand
        try:
            schema = _schema(request.schema_toml)
        except VvlmError as error:
            self.settle(request.id, error)
            return None
        if request.range_ms is not None:  # JSON has no tuples
            request = replace(request, range_ms=(request.range_ms[0], request.range_ms[1]))
        return Job(request, schema, errand.progress, stop.is_set, errand.tell)

    def settle(self, request_id: str, outcome: Answer | Exception) -> None:
        """Answer a job that was taken."""
        with self._lock:
            errand = self._open.pop(request_id, None)
        if errand is None:
            sys.stderr.write(f"{self._backend}: an outcome of a request that is not open was left out\n")
            return
        self._inbox.drop(request_id)
        if isinstance(outcome, Exception):
            errand.end(failure(request_id, outcome))
        else:
            errand.end(_result(errand, outcome, load_s=self._load_s))
            self._load_s = 0.0

    def fail_open(self, error: Exception) -> None:
        """Answer every job that was taken and has no outcome yet."""
        with self._lock:
            left = list(self._open)
        for request_id in left:
            self.settle(request_id, error)

    def fail_waiting(self, request_id: str, error: Exception) -> None:
        """Answer a request that nobody took; nothing happens where it was cancelled meanwhile."""
        found = self._inbox.take_one(request_id)
        if found is not None:
            self._begin(*found)
            self.fail_open(error)


def _result(errand: Errand, answer: Answer, *, load_s: float) -> Result:
    content: dict[str, Any] = answer.to_json()
    total_s = time.monotonic() - errand.started_s + load_s
    timings = {"load_s": round(load_s, 4), **content["timings"], "total_s": round(total_s, 4)}
    return Result(errand.id, {**content, "timings": timings})


@lru_cache(maxsize=8)
def _schema(document: str) -> LabelSchema:
    return parse_schema(document, source="the request's schema")
