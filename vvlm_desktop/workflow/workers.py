"""The resident children of one window or one command, and who it is that works on a batch."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

import psutil

from vvlm_desktop.jobs.child import Child, Delivered

#: Of this process; a window that takes another library or schema ends its workers and begins new ones.
_open_tokens: set[str] = set()


class Workers:
    """The children, one per kind, started when first needed and started again after a death.

    Attributes:
        owner: under which a batch is worked on; JSON.
    """

    def __init__(self, deliver: Callable[[Delivered], None]) -> None:
        self._deliver = deliver
        self._children: dict[str, Child] = {}
        process = psutil.Process()
        token = uuid.uuid4().hex
        _open_tokens.add(token)
        self.owner: Mapping[str, Any] = {"pid": process.pid, "created": process.create_time(), "token": token}

    def child(self, kind: str) -> Child:
        """The living child of `kind`.

        Raises:
            WorkerCrashedError: it cannot be started.
        """
        child = self._children.get(kind)
        if child is None or not child.alive:
            child = Child(kind, self._deliver)
            child.start()
            self._children[kind] = child
        return child

    def cancel(self, kind: str, request_id: str) -> bool:
        """Stop a request; False when no child lives that could answer."""
        child = self._children.get(kind)
        if child is None or not child.alive:
            return False
        child.cancel(request_id)
        return True

    def forget(self, kind: str) -> None:
        """End a child that took no request; the next one asked for is new."""
        child = self._children.pop(kind, None)
        if child is not None:
            child.close()

    def close(self) -> None:
        """End all children; what they were doing is asked for again at the next start."""
        _open_tokens.discard(self.owner["token"])
        for child in self._children.values():
            child.close()
        self._children.clear()


def is_running(owner: Any) -> bool:
    """Whether the workers that took a batch may still be at it; the start time tells a reused pid."""
    if not isinstance(owner, dict):
        return False
    try:
        process = psutil.Process(int(owner["pid"]))
        alive = abs(process.create_time() - float(owner["created"])) < 1.0
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False
    return alive and (process.pid != psutil.Process().pid or owner.get("token") in _open_tokens)
