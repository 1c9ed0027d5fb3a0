"""What left this computer, followed event by event: each upload, and each time pictures went along with a question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from vvlm_desktop.domain.review import Event

#: How long Google keeps what is not deleted.
KEPT_FOR = timedelta(hours=48)

#: Nothing was told of sending yet, or it was told that nothing would be.
_NOT_BEGUN = frozenset({"asked", "refused"})
_WORDS = {
    "asked": "may have left: the program ended before it was known",
    "sending": "may have left in part: the program ended while it was sent",
    "sent": "sent",
    "failed": "broke off: it may have left in part",
    "deleted": "sent, deleted there",
    "gone": "may have been sent; it was not there when it was looked for",
    "refused": "was not sent",
}
_WORDS_WITH_NAME = {
    "sent": "sent, not deleted there yet",
    "failed": "broke off: what arrived may still lie there",
}


@dataclass(frozen=True, slots=True)
class Transmission:
    """One clip's pictures on their way to somebody else's computer; the latest that is known of it.

    Attributes:
        request_id: of the analysis that it was for.
        at: when it was asked for; `changed_at` when its state was last told.
        remote: the other side's name for it, where something is kept there.
        owner: the process that had it sent: `pid` and `created`.
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
    owner: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def in_words(self) -> str:
        """What became of it, for people."""
        named = _WORDS_WITH_NAME.get(self.state) if self.remote is not None else None
        return named or _WORDS.get(self.state, self.state)

    @property
    def left(self) -> bool:
        """Whether pictures left this computer, or may have."""
        return self.state != "refused"

    @property
    def remains(self) -> bool:
        """Whether a file of ours may still lie on the other side, as far as was told and not looking at the clock."""
        return self.remote is not None and self.state in _REMAINING

    @property
    def until(self) -> datetime:
        """When the other side will have deleted it by itself."""
        return datetime.fromisoformat(self.changed_at) + KEPT_FOR


_NAMES = {"clip": "clip_id", "bytes": "size_bytes", "consent": "consent_id"}
_TOLD = ("clip", "backend", "model", "host", "content", "bytes", "state", "consent", "owner")
_REMAINING = frozenset({"sending", "sent", "failed"})

#: A `Transmission` that is still being followed: its attributes by name.
_Line: TypeAlias = dict[str, Any]


class Transmissions:
    """All of one library; takes events in the log's order, and knows the sums without counting anew."""

    def __init__(self) -> None:
        self.taken_until = 0  # lamport
        self._of_request: dict[str, list[_Line]] = {}
        self._open: dict[tuple[str, int], _Line] = {}
        self._clips: Counter[str] = Counter()
        self._size_bytes = 0

    def take(self, event: Event) -> None:
        """Follow one more event."""
        self.taken_until = max(self.taken_until, event.lamport)
        payload = event.payload
        if payload is None:
            return
        request_id = str(payload.get("request", ""))
        lines = self._of_request.setdefault(request_id, [])
        place = _place(lines, payload.get("state"), payload.get("remote"))
        if place is None:
            place = len(lines)
            lines.append(lines[-1].copy() if lines else _unknown(request_id, event))
        else:
            self._count(lines[place], -1)
        line = lines[place]
        line["changed_at"] = event.at
        line["remote"] = payload.get("remote")
        for name in _TOLD:
            if name in payload:
                line[_NAMES.get(name, name)] = payload[name]
        self._count(line, 1)
        if line["state"] == "asked" or (line["remote"] is not None and line["state"] in _REMAINING):
            self._open[(request_id, place)] = line
        else:
            self._open.pop((request_id, place), None)

    def lines(self) -> list[Transmission]:
        """Everything that left or may have left, in the order in which it was asked for."""
        made = (Transmission(**line) for lines in self._of_request.values() for line in lines)
        return [each for each in made if each.left]

    def open(self) -> list[Transmission]:
        """What may still lie elsewhere, as far as was told."""
        return [Transmission(**line) for line in self._open.values()]

    def sums(self) -> tuple[int, int]:
        """How many clips left or may have left, and their bytes."""
        return len(self._clips), self._size_bytes

    def _count(self, line: _Line, sign: int) -> None:
        if line["state"] == "refused":
            return
        clip_id = line["clip_id"]
        self._size_bytes += sign * line["size_bytes"]
        self._clips[clip_id] += sign
        if not self._clips[clip_id]:
            del self._clips[clip_id]


def _place(lines: list[_Line], state: str | None, remote: str | None) -> int | None:
    """Which line of its request an event changes; None for a new one."""
    if not lines or state == "asked":
        return None
    last = len(lines) - 1
    if lines[last]["state"] in _NOT_BEGUN:
        return last
    if state == "sending":
        return None
    backwards = range(last, -1, -1)
    if remote is not None:
        named = next((i for i in backwards if lines[i]["remote"] == remote), None)
        nameless = (i for i in backwards if lines[i]["state"] == "sending" and lines[i]["remote"] is None)
        return named if named is not None else next(nameless, None)
    # Told without its name: what was being sent is over, and nothing of it is kept there.
    return next((i for i in backwards if lines[i]["state"] == "sending"), None)


def _unknown(request_id: str, event: Event) -> _Line:
    texts = dict.fromkeys(("clip_id", "backend", "model", "host", "content", "consent_id"), "")
    return {
        **texts,
        "request_id": request_id,
        "at": event.at,
        "reviewer": event.reviewer,
        "size_bytes": 0,
        "state": "asked",
        "owner": {},
    }
