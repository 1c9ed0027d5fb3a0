"""Requests that wait for a backend, and those that are in hand."""

from __future__ import annotations

import threading
from collections import deque
from typing import TypeAlias

from vvlm_desktop.protocol import AnalyseRequest

#: A request in hand, and the event that says when it should be given up.
Taken: TypeAlias = tuple[AnalyseRequest, threading.Event]


class Inbox:
    """Filled by the stdin thread, emptied by the main thread and by feeds on any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[AnalyseRequest] = deque()
        self._stops: dict[str, threading.Event] = {}
        self._ended = False

    def put(self, request: AnalyseRequest) -> None:
        """Line `request` up: behind the others, a question before all that are none, since a person waits for it."""
        with self._changed:
            place = len(self._waiting)
            if request.question is not None:
                place = sum(1 for waiting in self._waiting if waiting.question is not None)
            self._waiting.insert(place, request)
            self._changed.notify()

    @property
    def ended(self) -> bool:
        """Whether no more requests will come."""
        with self._changed:
            return self._ended

    def wait(self, timeout_s: float | None = None) -> AnalyseRequest | None:
        """The request whose turn it is, which goes on waiting; None when none came in time, or no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended, timeout=timeout_s)
            return self._waiting[0] if self._waiting and not self._ended else None

    def take(self, limit: int, *, backend: str) -> list[Taken]:
        """Up to `limit` requests whose turn it is, as far as they are for `backend`.

        What waits behind a request for another backend is left: the other one's turn comes first.
        """
        taken: list[Taken] = []
        with self._changed:
            while len(taken) < limit and self._waiting and self._waiting[0].backend == backend:
                request = self._waiting.popleft()
                taken.append((request, self._hold(request.id)))
        return taken

    def take_one(self, request_id: str) -> Taken | None:
        """The request `request_id`, wherever it waits; None when it does not."""
        with self._changed:
            for request in self._waiting:
                if request.id == request_id:
                    self._waiting.remove(request)
                    return request, self._hold(request_id)
        return None

    def hold(self, request_id: str) -> threading.Event:
        """Note a request that never waited as in hand; the event says when it should be given up."""
        with self._changed:
            return self._hold(request_id)

    def _hold(self, request_id: str) -> threading.Event:
        stop = self._stops[request_id] = threading.Event()
        if self._ended:
            stop.set()
        return stop

    def drop(self, request_id: str) -> None:
        """A request is no longer in hand."""
        with self._changed:
            self._stops.pop(request_id, None)

    def cancel(self, request_id: str | None) -> list[str]:
        """Stop one request, or all when None; returns the ids of those that had not begun and now never will."""
        with self._changed:
            for held, stop in self._stops.items():
                if request_id in (None, held):
                    stop.set()
            dropped = [item.id for item in self._waiting if request_id in (None, item.id)]
            self._waiting = deque(item for item in self._waiting if item.id not in dropped)
            return dropped

    def end(self) -> None:
        """Nothing more comes, nothing that waits will begin, and nobody waits for what is in hand."""
        with self._changed:
            self._ended = True
            self._waiting.clear()
            for stop in self._stops.values():
                stop.set()
            self._changed.notify()
