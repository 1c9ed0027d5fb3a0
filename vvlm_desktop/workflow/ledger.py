"""What was allowed to leave this computer, and what left: events in the chained log, so that it can be proved.

A line is written before the first byte can go. A program that is killed in between leaves a line that says "may have
left", never a hole.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import psutil

from vvlm_desktop.domain.review import Event, NewEvent
from vvlm_desktop.protocol import Upload
from vvlm_desktop.store.library import Library
from vvlm_desktop.workflow.session import Session
from vvlm_desktop.workflow.transmissions import Transmission, Transmissions

__all__ = ["Consent", "Transmission"]

#: Before anything is sent `asked`; `gone` when it was looked for and not found; the others are what the worker tells.
STATES = ("asked", "sending", "sent", "failed", "deleted", "gone", "refused")


@dataclass(frozen=True, slots=True)
class Consent:
    """Somebody allowed a batch to leave.

    Attributes:
        how: `asked` in the window's dialogue, `asked_at_the_terminal`, or `command_line` by `--allow-upload`.
    """

    id: str
    at: str
    reviewer: str
    how: str
    backend: str
    model: str
    host: str
    clips: int
    size_bytes: int


def record_consent(session: Session, consent: Consent) -> None:
    """Write down who allowed what, before anything is sent."""
    payload = {
        "consent": consent.id,
        "how": consent.how,
        "backend": consent.backend,
        "model": consent.model,
        "host": consent.host,
        "clips": consent.clips,
        "bytes": consent.size_bytes,
    }
    session.library.append([NewEvent("consent", None, session.reviewer, "", payload)])


def record_asked(session: Session, transmission: Transmission) -> None:
    """Write down that a clip's request is about to be handed to the worker that sends."""
    payload = {
        "request": transmission.request_id,
        "clip": transmission.clip_id,
        "backend": transmission.backend,
        "model": transmission.model,
        "host": transmission.host,
        "content": transmission.content,
        "bytes": transmission.size_bytes,
        "state": "asked",
        "consent": transmission.consent_id,
        "owner": _this_process(),
    }
    session.library.append([NewEvent("upload", None, session.reviewer, "", payload)])


def record_upload(session: Session, upload: Upload) -> None:
    """Write down what the worker told."""
    payload = {
        "request": upload.id,
        "host": upload.host,
        "content": upload.content,
        "bytes": upload.size_bytes,
        "state": upload.state,
        "remote": upload.remote,
    }
    session.library.append([NewEvent("upload", None, session.reviewer, "", payload)])


def record_refused(session: Session, request_id: str) -> None:
    """Write down that a request ended without anything having been sent."""
    session.library.append(
        [NewEvent("upload", None, session.reviewer, "", {"request": request_id, "state": "refused"})]
    )


def record_deleted(session: Session, transmission: Transmission, *, remote: str | None = None) -> None:
    """Write down that a left-over was deleted on the other side."""
    _record_end(session, transmission, "deleted", remote)


def record_gone(session: Session, transmission: Transmission, *, remote: str | None = None) -> None:
    """Write down that a left-over was looked for on the other side, and not found."""
    _record_end(session, transmission, "gone", remote)


def _record_end(session: Session, transmission: Transmission, state: str, remote: str | None) -> None:
    payload = {"request": transmission.request_id, "remote": transmission.remote or remote, "state": state}
    session.library.append([NewEvent("upload", None, session.reviewer, "", payload)])


def transmissions(session: Session) -> list[Transmission]:
    """Everything that left or may have left, in the order in which it was asked for."""
    with _following(session) as known:
        return known.lines()


def open_transmissions(session: Session) -> list[Transmission]:
    """What may still lie elsewhere, as far as was told; `workflow.left_overs` looks at clock and owners too."""
    with _following(session) as known:
        return known.open()


def consents(session: Session) -> list[Consent]:
    """Every consent, the oldest first."""
    return [_consent(event) for event in session.library.events_of_kind("consent") if event.payload is not None]


def left_overs(session: Session, *, backend: str) -> list[Transmission]:
    """What may still lie on the other side under a name that is known, as far as was told."""
    return [each for each in open_transmissions(session) if each.backend == backend and each.remains]


def summary(session: Session) -> tuple[int, int, int]:
    """How many clips left or may have left, their bytes, and how many files may still lie elsewhere."""
    with _following(session) as known:
        clips, size_bytes = known.sums()
        return clips, size_bytes, sum(each.remains for each in known.open())


@dataclass(slots=True)
class _Known:
    """What was read of a library's log; only what is new is read the next time."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    followed: Transmissions = field(default_factory=Transmissions)


_known: WeakKeyDictionary[Library, _Known] = WeakKeyDictionary()
_known_lock = threading.Lock()


@contextmanager
def _following(session: Session) -> Iterator[Transmissions]:
    library = session.library
    with _known_lock:
        known = _known.setdefault(library, _Known())
    with known.lock:
        for event in library.events_of_kind("upload", after=known.followed.taken_until):
            known.followed.take(event)
        yield known.followed


def _this_process() -> dict[str, Any]:
    return {"pid": os.getpid(), "created": psutil.Process().create_time()}


def _consent(event: Event) -> Consent:
    payload: Mapping[str, Any] = event.payload or {}
    return Consent(
        id=str(payload.get("consent", "")),
        at=event.at,
        reviewer=event.reviewer,
        how=str(payload.get("how", "")),
        backend=str(payload.get("backend", "")),
        model=str(payload.get("model", "")),
        host=str(payload.get("host", "")),
        clips=int(payload.get("clips", 0)),
        size_bytes=int(payload.get("bytes", 0)),
    )
