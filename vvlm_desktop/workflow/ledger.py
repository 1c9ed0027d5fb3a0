"""What was allowed to leave this computer, and what left: events in the chained log, so that it can be proved.

A line is written before the first byte can go. A program that is killed in between leaves a line that says "may have
left", never a hole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from vvlm_desktop.domain.review import Event, NewEvent
from vvlm_desktop.protocol import Upload
from vvlm_desktop.workflow.session import Session

#: Before anything is sent `asked`; the others are what the worker tells (`protocol.Upload`).
STATES = ("asked", "sending", "sent", "failed", "deleted", "refused")

#: The transmissions of one request by the other side's name for them.
_OfRequest: TypeAlias = dict[str | None, "Transmission"]

_WORDS = {
    "asked": "may have left: the program ended before it was known",
    "sending": "may have left in part: the program ended while it was sent",
    "sent": "sent",
    "failed": "was not received",
    "deleted": "sent, deleted there",
    "refused": "was not sent",
}


@dataclass(frozen=True, slots=True)
class Transmission:
    """One clip's pictures on their way to somebody else's computer; the latest that is known of it.

    Attributes:
        request_id: of the analysis that it was for.
        at: when it was asked for; `changed_at` when its state was last told.
        remote: the other side's name for it, where something is kept there.
    """

    request_id: str
    at: str
    changed_at: str
    reviewer: str
    clip_id: str
    backend: str
    model: str
    host: str
    content: str
    size_bytes: int
    state: str
    remote: str | None = None
    consent_id: str = ""

    @property
    def in_words(self) -> str:
        """What became of it, for people."""
        return _WORDS.get(self.state, self.state)

    @property
    def left(self) -> bool:
        """Whether pictures left this computer, or may have."""
        return self.state not in {"failed", "refused"}

    @property
    def remains(self) -> bool:
        """Whether a file of ours may still lie on the other side."""
        return self.remote is not None and self.state in {"sending", "sent"}


@dataclass(frozen=True, slots=True)
class Consent:
    """Somebody allowed a batch to leave.

    Attributes:
        how: `asked` in the window's dialogue, `command_line` by `--allow-upload`.
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


def record_deleted(session: Session, transmission: Transmission) -> None:
    """Write down that a left-over was deleted on the other side."""
    payload = {"request": transmission.request_id, "remote": transmission.remote, "state": "deleted"}
    session.library.append([NewEvent("upload", None, session.reviewer, "", payload)])


def transmissions(session: Session) -> list[Transmission]:
    """Everything that left or may have left, in the order in which it was asked for."""
    found: dict[str, _OfRequest] = {}
    for event in session.library.events_of_kind("upload"):
        if event.payload is not None:
            _fold(found.setdefault(str(event.payload.get("request", "")), {}), event, event.payload)
    return [each for of_request in found.values() for each in of_request.values() if each.state != "refused"]


def consents(session: Session) -> list[Consent]:
    """Every consent, the oldest first."""
    return [_consent(event) for event in session.library.events_of_kind("consent") if event.payload is not None]


def left_overs(session: Session, *, backend: str) -> list[Transmission]:
    """What may still lie on the other side, because the program was killed before it was deleted."""
    return [each for each in transmissions(session) if each.backend == backend and each.remains]


def summary(session: Session) -> tuple[int, int, int]:
    """How many clips left or may have left, their bytes, and how many files may still lie elsewhere."""
    sent = [each for each in transmissions(session) if each.left]
    return len({each.clip_id for each in sent}), sum(each.size_bytes for each in sent), sum(e.remains for e in sent)


def _fold(of_request: _OfRequest, event: Event, payload: Mapping[str, Any]) -> None:
    """Take one event in: `asked` opens an entry; where files are kept on the other side, each has one of its own."""
    remote = payload.get("remote")
    before = of_request.get(remote) or next(iter(of_request.values()), None)
    if before is None:
        before = Transmission(
            str(payload.get("request", "")), event.at, event.at, event.reviewer, "", "", "", "", "", 0, "asked"
        )
    if remote is not None:
        # The entry without a name becomes the one with it; what was sent without a name before stays.
        unnamed = of_request.get(None)
        if unnamed is not None and unnamed.state in {"asked", "sending"}:
            del of_request[None]
    of_request[remote] = replace(
        before,
        changed_at=event.at,
        clip_id=str(payload.get("clip", before.clip_id)),
        backend=str(payload.get("backend", before.backend)),
        model=str(payload.get("model", before.model)),
        host=str(payload.get("host", before.host)),
        content=str(payload.get("content", before.content)),
        size_bytes=int(payload.get("bytes", before.size_bytes)),
        state=str(payload.get("state", before.state)),
        remote=remote,
        consent_id=str(payload.get("consent", before.consent_id)),
    )


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
